// Charts with two axes, drawn as SVG: lines and points. Continues charts.js.
(() => {
  "use strict";
  const { html, svg, bdi, number, round, say, text } = pellucid;
  const { charts } = pellucid;
  const { written } = charts;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const finite = (values) => values.filter((v) => Number.isFinite(v));

  /** Round numbers between two ends, at most some `count` of them. */
  function ticks(low, high, count) {
    const rough = (high - low) / Math.max(count, 1) || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((n) => n * power >= rough * 0.999);
    const result = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
      result.push(Number((i * step).toPrecision(12)));
    return result;
  }

  /** A scale from numbers to pixels, with its ticks. */
  function axis(values, from, to, { log = false, count = 5, whole = false } = {}) {
    const known = finite(values).filter((v) => !log || v > 0);
    let low = Math.min(...known), high = Math.max(...known);
    if (!known.length) [low, high] = [log ? 0.1 : 0, 1];
    if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
    const warp = log ? Math.log10 : (v) => v;
    const [a, b] = [warp(low), warp(high)];
    const at = (value) => from + ((warp(value) - a) / (b - a)) * (to - from);
    let marks = ticks(low, high, count);
    if (log) {
      marks = [];
      const few = b - a > count ? [1] : b - a > 1.5 ? [1, 3] : [1, 2, 5];
      for (let power = Math.floor(a); power <= b; power++)
        marks.push(...few.map((n) => n * 10 ** power).filter((v) => v >= low && v <= high));
      if (marks.length < 2) marks = [low, high];
    }
    if (whole) marks = marks.filter(Number.isInteger);
    return { at, marks };
  }

  /** The two axes of a chart in an svg, and where its area lies. */
  function axes({ width, height, xs, ys, xName, yName, log, whole, square }) {
    const area = { left: 52, right: width - 12, top: 12, bottom: height - 38 };
    const x = axis(xs, area.left + 6, area.right - 6, { count: square ? height / 42 : width / 70, whole });
    const y = axis(ys, area.bottom - 6, area.top + 6, { log, count: height / 42 });
    const root = svg("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", class: "axes",
    });
    for (const mark of y.marks)
      root.append(
        svg("line", { class: "rule", x1: area.left, x2: area.right, y1: y.at(mark), y2: y.at(mark) }),
        svg("text", { class: "tick end", x: area.left - 8, y: y.at(mark) + 4 }, round(mark)),
      );
    for (const mark of x.marks)
      root.append(
        square && svg("line", { class: "rule", y1: area.top, y2: area.bottom, x1: x.at(mark), x2: x.at(mark) }),
        svg("text", { class: "tick middle", x: x.at(mark), y: area.bottom + 17 }, round(mark)),
      );
    const middle = (area.top + area.bottom) / 2;
    root.append(
      svg("line", { class: "base", x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }),
      svg("text", { class: "name end", x: area.right, y: height - 4 }, xName || ""),
      yName ? svg("text", {
        class: "name middle", x: 11, y: middle, transform: `rotate(-90 11 ${middle})`,
      }, yName) : "",
    );
    return { root, x, y, area };
  }

  /** Coloured names of series or groups; a mark's form tells them apart as well as its colour. */
  function legend(names, mark) {
    if (names.length < 2) return null;
    const some = names.slice(0, 24);
    return html("ul", { class: "legend" },
      some.map((name, i) => html("li", null,
        svg("svg", { width: 22, height: 12, "aria-hidden": "true" }, mark(i)), bdi(name))),
      some.length < names.length && html("li", null,
        say("legend.more", { count: names.length - some.length })),
    );
  }

  /**
   * Lines over common places: series [{name, values}], xs, names of the axes; marker {at, name} is
   * a place with a name. onSelect(i) hears where the cursor goes.
   */
  charts.lines = ({ label, series, xs, xName, yName, log, marker, onSelect, height = 260, caption }) => {
    const count = Math.max(...series.map((s) => s.values.length));
    const places = xs || Array.from({ length: count }, (_, i) => i);
    const xText = (i) => (typeof places[i] === "number" ? number(places[i]) : bdi(places[i]));
    const at = (i) => (typeof places[i] === "number" ? places[i] : i);
    const all = Array.from({ length: count }, (_, i) => at(i));
    const plot = html("div");
    const parts = {};
    let cursor = marker && marker.at !== undefined ? marker.at : count - 1;

    function draw(width) {
      const ys = series.flatMap((s) => [...s.values]);
      const { root, x, y, area } = axes({
        width, height, xs: all, ys, xName, yName, log, whole: all.every(Number.isInteger),
      });
      series.forEach(({ values }, s) => {
        let path = "", pen = "M";
        for (let i = 0; i < values.length; i++) {
          const value = values[i];
          if (!Number.isFinite(value) || (log && value <= 0)) { pen = "M"; continue; }
          path += `${pen}${x.at(at(i)).toFixed(1)} ${y.at(value).toFixed(1)}`;
          pen = "L";
        }
        root.append(svg("path", { class: `line series${s % 6}`, d: path }));
        if (values.length === 1)
          root.append(svg("circle", { class: `dot series${s % 6}`, cx: x.at(at(0)), cy: y.at(values[0]), r: 3 }));
      });
      if (marker) {
        const px = x.at(at(marker.at));
        const side = px > width / 2 ? "end" : "start";
        root.append(
          svg("line", { class: "marker", x1: px, x2: px, y1: area.top, y2: area.bottom }),
          svg("text", {
            class: `name ${side}`, x: px + (side === "end" ? -5 : 5), y: area.top + 10,
          }, marker.name || ""),
        );
      }
      parts.hair = svg("line", { class: "hair", y1: area.top, y2: area.bottom });
      parts.dots = series.map((_, s) => svg("circle", { class: `dot series${s % 6}`, r: 4 }));
      root.append(parts.hair, ...parts.dots);
      Object.assign(parts, { x, y });
      plot.replaceChildren(root);
      place();
    }

    function place() {
      if (!parts.x) return;
      const px = parts.x.at(at(cursor));
      parts.hair.setAttribute("x1", px);
      parts.hair.setAttribute("x2", px);
      series.forEach(({ values }, s) => {
        const value = values[cursor], fits = Number.isFinite(value) && (!log || value > 0);
        parts.dots[s].setAttribute("visibility", fits ? "inherit" : "hidden");
        if (!fits) return;
        parts.dots[s].setAttribute("cx", px);
        parts.dots[s].setAttribute("cy", parts.y.at(value));
      });
    }

    function select(i, tell = true) {
      cursor = i;
      place();
      figure.say(`${xName || ""} `, xText(i), say("list.colon"), ...series.flatMap(({ name, values }, s) => [
        s ? say("list.comma") : "", bdi(name), " ", written(values[i] ?? say("chart.nothing")),
      ]));
      if (tell && onSelect) onSelect(i);
    }

    const figure = charts.frame({
      kind: "lines", label, caption, plot, draw,
      legend: legend(series.map((s) => s.name), (i) =>
        svg("line", { class: `line series${i % 6}`, x1: 0, x2: 22, y1: 6, y2: 6 })),
      keys(key) {
        const to = charts.step(key, cursor, count);
        if (to !== undefined) select(to);
        return to !== undefined;
      },
      table: () => ({
        head: [xName || "", ...series.map((s) => s.name)], count,
        rows: (i) => [places[i], ...series.map((s) => s.values[i])],
      }),
    });
    plot.addEventListener("focus", () => select(cursor, false));
    plot.addEventListener("pointermove", (event) => {
      if (!parts.x) return;
      const px = event.clientX - plot.getBoundingClientRect().left;
      let best = 0;
      for (let i = 1; i < count; i++)
        if (Math.abs(parts.x.at(at(i)) - px) < Math.abs(parts.x.at(at(best)) - px)) best = i;
      if (best !== cursor || !figure.querySelector(".readout").firstChild) select(best);
    });
    figure.select = (i) => select(i, false);
    return figure;
  };

  // A form for each group as well as a colour: paths round (0, 0)
  const FORMS = [
    "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0 -6.4 0", "m-2.8 -2.8h5.6v5.6h-5.6z", "m0 -4l3.8 6.6h-7.6z",
    "m0 -4.4l3.6 4.4l-3.6 4.4l-3.6 -4.4z", "m-3.8 -3.3h7.6l-3.8 6.6z",
    "m-1.2 -3.8h2.4v2.6h2.6v2.4h-2.6v2.6h-2.4v-2.6h-2.6v-2.4h2.6z",
  ];
  const form = (group) => FORMS[group % FORMS.length];

  /**
   * Points: x, y; groups (a name a point; kinds is the order of those); names(i) of a point; sizes;
   * `extra` {name, values} is said too; `diagonal` where x and y mean the same, on one scale, between
   * `limits` where given.
   */
  charts.scatter = ({
    label, x: xs, y: ys, groups, kinds = [...new Set(groups)], names, xName, yName, diagonal, sizes,
    limits, extra, onSelect, height = 340, caption,
  }) => {
    if (!groups) kinds = [""];
    // what is known of point i: which one it is, and its numbers
    const who = [groups && [text("chart.group"), (i) => groups[i]], names && [text("chart.name"), names]]
      .filter(Boolean);
    const what = [
      [xName, (i) => xs[i]], [yName, (i) => ys[i]], extra && [extra.name, (i) => extra.values[i]],
    ].filter(Boolean);
    const kindOf = new Map(kinds.map((kind, i) => [kind, i]));
    const group = (i) => (groups ? kindOf.get(groups[i]) : 0);
    const plot = html("div");
    const order = Array.from(xs, (_, i) => i).sort((a, b) => xs[a] - xs[b] || ys[a] - ys[b]);
    const parts = {};
    let cursor = 0;

    function draw(width) {
      const both = diagonal ? [...xs, ...ys] : null;
      const tall = diagonal ? clamp(width, 200, 420) : height;
      const wide = diagonal ? Math.min(width, tall + 20) : width;
      const { root, x, y } = axes({
        width: wide, height: tall, xs: limits || both || xs, ys: limits || both || ys, xName, yName, square: true,
      });
      if (diagonal) {
        const [low, high] = [Math.min(...(limits || finite(both))), Math.max(...(limits || finite(both)))];
        root.append(svg("line", { class: "diagonal", x1: x.at(low), y1: y.at(low), x2: x.at(high), y2: y.at(high) }));
      }
      if (sizes) {
        const most = Math.max(...sizes);
        order.forEach((i) => root.append(svg("circle", {
          class: "dot series0", cx: x.at(xs[i]), cy: y.at(ys[i]), r: 3 + 9 * Math.sqrt(sizes[i] / most),
        })));
      } else {
        const paths = kinds.map(() => "");
        for (const i of order)
          if (Number.isFinite(xs[i]) && Number.isFinite(ys[i]))
            paths[group(i)] += `M${x.at(xs[i]).toFixed(1)} ${y.at(ys[i]).toFixed(1)}${form(group(i))}`;
        paths.forEach((d, k) => root.append(svg("path", { class: `points group${k % 8}`, d })));
      }
      parts.ring = svg("circle", { class: "ring", r: 8, visibility: "hidden" });
      root.append(parts.ring);
      Object.assign(parts, { x, y });
      plot.replaceChildren(root);
    }

    function select(at, tell = true) {
      cursor = at;
      const i = order[at];
      if (parts.ring) {
        parts.ring.setAttribute("cx", parts.x.at(xs[i]));
        parts.ring.setAttribute("cy", parts.y.at(ys[i]));
        parts.ring.setAttribute("visibility", "inherit");
      }
      figure.say(
        ...who.flatMap(([, value]) => [written(value(i)), say("list.colon")]),
        ...what.flatMap(([name, value], n) => [n ? say("list.comma") : "", bdi(name), " ", written(value(i))]));
      if (tell && onSelect) onSelect(i);
    }

    const figure = charts.frame({
      kind: "scattered", label, caption, plot, draw,
      legend: legend(kinds, (k) => svg("path", { class: `points group${k % 8}`, d: `M11 6${form(k)}` })),
      keys(key) {
        const to = charts.step(key, cursor, order.length);
        if (to !== undefined) select(to);
        return to !== undefined;
      },
      table: () => ({
        head: [...who, ...what].map(([name]) => name),
        count: order.length,
        rows: (i) => [...who, ...what].map(([, value]) => value(i)),
        names: who.length > 0,
      }),
    });
    plot.addEventListener("focus", () => order.length && select(cursor, false));
    plot.addEventListener("pointermove", (event) => {
      if (!parts.x) return;
      const box = plot.getBoundingClientRect();
      const px = event.clientX - box.left, py = event.clientY - box.top;
      let best = -1, least = 400;
      order.forEach((i, at) => {
        const distance = (parts.x.at(xs[i]) - px) ** 2 + (parts.y.at(ys[i]) - py) ** 2;
        if (distance < least) [best, least] = [at, distance];
      });
      if (best >= 0 && best !== cursor) select(best);
    });
    figure.select = (i) => select(order.indexOf(i), false);
    return figure;
  };
})();
