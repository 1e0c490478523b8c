// What the panels of the walk are made of: checked numbers, equations, sliders, maps with a cursor
// over an array of any rank, and lists of a sum's terms. Continues grid.js and arithmetic.js.
(() => {
  "use strict";
  const { html, mathml, say, text, round, charts, bdi } = pellucid;
  const { broken } = pellucid.formulas;
  const { check, kept, reader } = pellucid.arithmetic;

  /** A number of the file in a formula: in brackets where it is negative. */
  function figure(value, attributes = {}) {
    if (value === undefined) return mathml("mtext", null, text("walk.absent"));
    return mathml("mn", { "data-value": String(value), ...attributes }, round(value + 0));
  }
  const factor = (value) =>
    value < 0 ? mathml("mrow", null, mathml("mo", null, "("), figure(value), mathml("mo", null, ")"))
      : figure(value);

  /**
   * A number that has been recomputed, beside what Python wrote: with ✓ where they are equal, and
   * with both where they are not. Where a part of it is not in the file, what Python wrote alone.
   */
  function checked(found, stored) {
    const state = check(found, stored);
    if (state === undefined) return figure(stored ?? found.value);
    const value = figure(found.value, { "data-check": state, "data-stored": String(stored) });
    if (state === "ok") return mathml("mrow", { class: "walk-ok" }, value, mathml("mo", null, "✓"));
    return mathml("mrow", { class: "walk-off" }, value, mathml("mo", null, "≠"), figure(stored));
  }
  /** The same in a table, at the right as numbers stand. */
  function checkedCell(found, stored) {
    const state = check(found, stored);
    const value = state === undefined ? stored ?? found.value : found.value;
    return html("span", { class: "walk-cell" },
      html("span", { class: "number", "data-value": String(value), "data-check": state }, round(value + 0)),
      state === "ok" && html("span", { class: "walk-ok" }, " ✓"),
      state === "off" && html("span", { class: "walk-off" }, " ≠ ", pellucid.number(stored)));
  }

  /** A formula with numbers in it, on a line of its own. */
  const equation = (source, given) =>
    html("div", { class: "walk-equation" }, broken(source, given));

  /** A control to choose one of some places; element.choose(place) sets it in silence. */
  let controls = 0;
  function slider({ label, places, name = (place) => String(place), at = 0, onInput }) {
    const id = `walk-slider-${controls++}`;
    const shown = html("output", { for: id }), input = html("input", {
      id, type: "range", min: 0, max: Math.max(places.length - 1, 0), step: 1, value: at,
      oninput: () => {
        show();
        onInput(places[Number(input.value)]);
      },
    });
    function show() {
      const place = name(places[Number(input.value)]);
      shown.replaceChildren(bdi(place));
      input.setAttribute("aria-valuetext", place);
    }
    const element = html("p", { class: "walk-slider" },
      html("label", { for: id }, label), input, shown);
    element.hidden = places.length < 2;
    element.choose = (place) => {
      input.value = places.indexOf(place);
      show();
    };
    show();
    return element;
  }

  /** How the numbers of an array lie on a plane: to(r, c, channel) is a full index, from() back. */
  function plane(array) {
    const axes = array.shape.map((_, axis) => kept(array, axis)), rank = axes.length;
    if (rank === 1) {
      const [all] = axes, wide = Math.min(all.length, all.length <= 40 ? 20 : 32);
      return {
        rows: Math.max(1, Math.ceil(all.length / wide)), columns: wide,
        to: (r, c) => (r * wide + c < all.length ? [all[r * wide + c]] : undefined),
        from: ([i]) => [Math.floor(all.indexOf(i) / wide), all.indexOf(i) % wide],
        rowName: (r) => all[r * wide], columnName: (c) => `+ ${c}`,
        table: (read) => ({
          head: [text("walk.place"), text("chart.value")], count: all.length,
          rows: (n) => [all[n], read(all[n])],
        }),
      };
    }
    if (rank === 2) {
      const [steps, units] = axes; // time goes to the right
      return {
        rows: units.length, columns: steps.length, square: steps.length < 13,
        to: (r, c) => [steps[c], units[r]],
        from: ([t, unit]) => [units.indexOf(unit), steps.indexOf(t)],
        rowName: (r) => units[r], columnName: (c) => steps[c],
      };
    }
    const [down, across, channels] = axes;
    return {
      rows: down.length, columns: across.length, channels,
      to: (r, c, channel) => [down[r], across[c], channel],
      from: ([i, j]) => [down.indexOf(i), across.indexOf(j)],
      rowName: (r) => down[r], columnName: (c) => across[c],
    };
  }

  /** Of maps that move together only the one that has the focus is read out. */
  function spoken(chart) {
    const readout = chart.querySelector(".readout"), plot = chart.querySelector(".plot");
    readout.setAttribute("aria-live", "off");
    plot.addEventListener("focus", () => readout.setAttribute("aria-live", "polite"));
    plot.addEventListener("blur", () => readout.setAttribute("aria-live", "off"));
    return chart;
  }

  /**
   * An array as a map with a cursor; of a picture one channel. onSelect(index) hears full indices;
   * select(index), mark(indices) and channel(c) are silent.
   */
  function atlas({ array, label, onSelect, grey, channel }) {
    const read = reader(array), lie = plane(array);
    let shown = channel ?? (lie.channels ? lie.channels[0] : 0);
    const signed = array.values.some((value) => value < 0);
    const grid = charts.grid({
      label, rows: lie.rows, columns: lie.columns, square: lie.square ?? true, grey,
      diverging: signed, rowName: lie.rowName, columnName: lie.columnName,
      table: lie.table && (() => lie.table(read)),
      readout: (r, c, value) => html("span", null, `${(lie.to(r, c, shown) || []).join(", ")}: `, value),
      values(r, c) {
        const index = lie.to(r, c, shown);
        return index && read(...index);
      },
      onSelect(r, c) {
        const index = lie.to(r, c, shown);
        if (index && onSelect) onSelect(index);
      },
    });
    spoken(grid);
    const placed = (index) => {
      const [r, c] = lie.from(index);
      return r >= 0 && c >= 0 ? [r, c] : undefined;
    };
    return {
      element: grid,
      channels: lie.channels,
      first: lie.to(Math.floor((lie.rows - 1) / 2), Math.floor((lie.columns - 1) / 2), shown) ||
        lie.to(0, 0, shown),
      select(index) {
        const at = placed(index);
        if (at) grid.select(...at);
      },
      mark: (indices) => grid.mark(indices.map(placed).filter(Boolean)),
      channel(c) {
        shown = c;
        grid.redraw();
      },
    };
  }

  /**
   * Maps of one shape with one cursor, one channel, and what `explain(index)` says of the place
   * under the cursor. maps: [{array, label, grey}], those without an array left out.
   */
  function together(maps, explain, { channelName, at } = {}) {
    const below = html("div", { class: "walk-numbers" });
    const made = maps.filter(({ array }) => array).map((options, i) =>
      atlas({ ...options, onSelect: (index) => go(index, i) }));
    let index = at || made[0].first;
    function go(to, from) {
      index = to;
      made.forEach((map, i) => i !== from && map.select(index));
      below.replaceChildren(...[explain(index)].flat(Infinity).filter(Boolean));
    }
    const choose = made[0].channels && slider({
      label: text("walk.channel"), places: made[0].channels, name: channelName,
      onInput(channel) {
        made.forEach((map) => map.channel(channel));
        go([index[0], index[1], channel]);
      },
    });
    const element = html("div", { class: "walk-together" }, choose,
      html("div", { class: made[0].channels ? "walk-maps pictures" : "walk-maps" },
        made.map((map) => map.element)), below);
    go(index);
    element.maps = made;
    element.go = go;
    element.at = () => index;
    return element;
  }

  /**
   * Channels as small grey pictures side by side: value(r, c, n), each from its own darkest to its
   * lightest. onPick(n) hears a click; the slider of channels is for the keyboard.
   */
  function gallery({ height, width, channels, value, label, onPick }) {
    const pictures = channels.map((channel, n) => {
      const canvas = html("canvas", {
        width, height, title: String(channel), onclick: onPick && (() => onPick(channel)),
      });
      const image = new ImageData(width, height), numbers = [];
      for (let r = 0; r < height; r++) for (let c = 0; c < width; c++) numbers.push(value(r, c, n));
      const low = Math.min(...numbers), high = Math.max(...numbers);
      numbers.forEach((number, i) => {
        image.data.fill(Math.round(((number - low) / (high - low || 1)) * 255), 4 * i, 4 * i + 3);
        image.data[4 * i + 3] = 255;
      });
      canvas.getContext("2d").putImageData(image, 0, 0);
      return canvas;
    });
    const element = html("div", {
      class: onPick ? "walk-gallery picks" : "walk-gallery", role: "img", "aria-label": label,
    }, pictures);
    element.choose = (channel) =>
      pictures.forEach((picture, n) => picture.classList.toggle("chosen", channels[n] === channel));
    return element;
  }

  /** Large maps in small, of which only a part is in the file. */
  function overview({ shape: [height, width, count], channels, data }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    return html("div", null, html("p", { class: "walk-note" }, say("walk.overview", { channels })), gallery({
      height, width, channels, label: text("walk.overview", { channels }),
      value: (r, c, n) => bytes[(r * width + c) * count + n],
    }));
  }

  /** Numbers in rows and columns, as they stand in a formula; kinds(r, c) names a cell's class. */
  function matrix(caption, rows, { kinds = () => null, digits = 3 } = {}) {
    const cell = (value, r, c) => value === undefined
      ? html("td", { class: "absent" }, "…")
      : html("td", { class: kinds(r, c) }, pellucid.number(value, digits));
    return html("table", { class: "walk-matrix" }, html("caption", null, caption),
      html("tbody", null, rows.map((row, r) => html("tr", null, row.map((value, c) => cell(value, r, c))))));
  }

  /** A number as a bar that begins in the middle, as long as its share of the largest. */
  function bar(value, most) {
    const fill = html("span", { class: value < 0 ? "below" : "above" });
    const share = most > 0 ? (Math.abs(value) / most) * 50 : 0;
    fill.style.width = `${share}%`;
    fill.style[value < 0 ? "right" : "left"] = "50%";
    return html("span", { class: "walk-bar", "aria-hidden": "true" }, fill);
  }

  /**
   * The terms of a sum, the largest first: [{name, cells, value}] with a head for each of name,
   * cells and value; a bar a term. Terms that are not in the file are counted.
   */
  function terms(caption, head, all, limit = 8) {
    const known = all.filter(({ value }) => value !== undefined && !Number.isNaN(value));
    known.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const most = known.length ? Math.abs(known[0].value) : 0;
    const table = charts.table({
      caption: typeof caption === "string" ? caption : caption.textContent,
      head: [...head, text("walk.bar")], count: known.length, limit,
      // + 0 makes 0 of −0
      rows: (i) => [known[i].name, ...known[i].cells.map((cell) => cell === 0 ? 0 : cell),
        known[i].value + 0, bar(known[i].value, most)],
    });
    return html("div", { class: "walk-terms" }, html("p", { class: "walk-caption" }, caption), table,
      known.length < all.length && html("p", { class: "walk-note" },
        say("walk.terms.cut", { shown: known.length, count: all.length })));
  }

  /** The part of a panel that goes back. */
  const backward = (...children) =>
    html("section", { class: "walk-back" }, html("p", { class: "walk-way" }, say("walk.backward")), children);

  pellucid.parts = {
    atlas, backward, bar, checked, checkedCell, equation, factor, figure, gallery, matrix, overview, slider, spoken,
    terms, together,
  };
})();
