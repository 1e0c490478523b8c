// Charts: each is a figure with one tab stop. Arrows move a cursor through its values, the pointer
// does the same, a line below says in words what is under the cursor, and all of it stands in a
// table behind. Continues core.js; plots.js has lines and points, grid.js heat maps.
(() => {
  "use strict";
  const { html, bdi, number, say, text } = pellucid;
  const charts = (pellucid.charts = {});

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /** What stands in a table's cell: numbers whole in data-value, elements as they are. */
  charts.written = (value) => {
    if (value instanceof Node) return value;
    if (value === undefined || value === null) return "";
    return typeof value === "number" ? number(value) : bdi(value);
  };
  const { written } = charts;

  /**
   * A table that scrolls inside itself. Rows after the first `limit` wait for a button that says so.
   * `head` is a list of texts or elements, `rows` a list of lists, or a function of the row's number
   * with `count`.
   */
  charts.table = ({ head, rows, caption, count = rows.length, limit = 100, names = true }) => {
    const row = typeof rows === "function" ? rows : (i) => rows[i];
    const body = html("tbody");
    const numeric = new Set();
    const figure = (value) => typeof value === "number" || value?.className === "number";
    if (count) row(0).forEach((value, column) => figure(value) && numeric.add(column));
    const right = (column) => (numeric.has(column) ? "right" : null);
    const cell = (value, column) =>
      names && column === 0
        ? html("th", { scope: "row", class: right(column) }, written(value))
        : html("td", { class: right(column) }, written(value));
    function add(from, to) {
      for (let i = from; i < to; i++) body.append(html("tr", null, row(i).map(cell)));
    }
    const shown = Math.min(count, limit);
    add(0, shown);
    const title = (name, column) => html("th", { scope: "col", class: right(column) }, written(name));
    const scroller = html(
      "div",
      { class: "scroller", tabindex: "0", role: "group", "aria-label": caption },
      html(
        "table", null,
        caption && html("caption", { class: "unseen" }, caption),
        html("thead", null, html("tr", null, head.map(title))),
        body,
      ),
    );
    const more = shown < count && html("p", { class: "more" },
      say("table.shown", { shown, count }), " ",
      html("button", {
        type: "button",
        onclick: () => { add(shown, count); more.remove(); scroller.focus(); },
      }, say("table.all")),
    );
    return html("div", { class: "table" }, scroller, more);
  };

  /** The table behind a chart, made when it is opened. */
  function behind(label, table) {
    const details = html("details", { class: "behind" }, html("summary", null, say("chart.table")));
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1)
        details.append(charts.table({ caption: label, ...table() }));
    });
    return details;
  }

  /**
   * What all charts share. `draw(width)` fills `plot` each time the width changes; `keys(key)` moves
   * the cursor and says whether it knew the key; `table()` gives head and rows.
   */
  charts.frame = ({ kind, label, caption = true, legend, plot, draw, keys, table, hint }) => {
    const readout = html("output", { class: "readout" });
    plot.classList.add("plot");
    const focusable = { tabindex: "0", role: "application", "aria-label": label };
    for (const [name, value] of Object.entries(focusable)) plot.setAttribute(name, value);
    plot.setAttribute("aria-roledescription", text("chart.role"));
    plot.setAttribute("aria-description", hint || text("chart.hint"));
    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys(event.key)) return;
      event.preventDefault();
    });
    const figure = html("figure", { class: `chart ${kind}` },
      caption && html("figcaption", null, label), legend,
      html("div", { class: "stage" }, plot), readout, behind(label, table));
    let before = 0;
    if (draw)
      new ResizeObserver(([entry]) => {
        const width = Math.floor(entry.contentRect.width);
        if (width && width !== before) draw((before = width));
      }).observe(figure.querySelector(".stage"));
    figure.say = (...parts) => readout.replaceChildren(...parts);
    return figure;
  };

  /** Which way a key goes in a list of `count` from place `at`; undefined for other keys. */
  charts.step = (key, at, count, page = 10) => {
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1,
      PageDown: at + page, PageUp: at - page, Home: 0, End: count - 1,
    }[key];
    return to === undefined ? undefined : clamp(to, 0, count - 1);
  };

  /** Bars that lie, longest names first to be read: items [{name, value, spread}]. */
  charts.bars = ({ label, items, onSelect, unit = "", spreadName, caption }) => {
    const spread = (item) => item.spread || 0;
    const low = Math.min(0, ...items.map((item) => item.value - spread(item)));
    const high = Math.max(0, ...items.map((item) => item.value + spread(item))) || 1;
    const percent = (value) => `${(((value - low) / (high - low)) * 100).toFixed(2)}%`;
    const lay = (className, from, to) => {
      const element = html("span", { class: className });
      element.style.left = percent(Math.min(from, to));
      element.style.width = `calc(${percent(Math.max(from, to))} - ${percent(Math.min(from, to))})`;
      return element;
    };
    const name = (item) => (item.name instanceof Node ? item.name.cloneNode(true) : written(item.name));
    const moved = (i) => () => cursor !== i && select(i);
    const rows = items.map((item, i) => html("div", { class: "bar-row", onpointermove: moved(i) },
      html("span", { class: "who" }, name(item)),
      html("span", { class: "track" },
        lay(item.value < 0 ? "fill below" : "fill", 0, item.value),
        spread(item) ? lay("spread", item.value - item.spread, item.value + item.spread) : null),
      html("span", { class: "what" }, written(item.value), unit)));
    const plot = html("div", { class: "bars" }, rows);
    let cursor = -1;

    function select(i, tell = true) {
      if (cursor >= 0) rows[cursor].classList.remove("current");
      cursor = i;
      rows[i].classList.add("current");
      const { value, spread: wide } = items[i];
      figure.say(name(items[i]), say("list.colon"), written(value), unit, ...(wide ? [" ± ", written(wide)] : []));
      if (tell && onSelect) onSelect(i);
    }

    const figure = charts.frame({
      kind: "barred", label, caption, plot,
      keys(key) {
        const to = charts.step(key, cursor, items.length);
        if (to === undefined) return false;
        select(to);
        rows[to].scrollIntoView({ block: "nearest" });
        return true;
      },
      table: () => ({
        head: [text("chart.name"), text("chart.value"), spreadName || text("chart.spread")],
        rows: items.map((item) => [name(item), item.value, item.spread]),
      }),
    });
    plot.addEventListener("focus", () => items.length && select(Math.max(cursor, 0), false));
    figure.select = (i) => select(i, false);
    return figure;
  };
})();
