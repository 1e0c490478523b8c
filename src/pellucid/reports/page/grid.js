// Heat maps: numbers in rows and columns on a canvas, and the confusion of classes. Continues
// charts.js.
(() => {
  "use strict";
  const { html, bdi, number, round, say, text, isolate } = pellucid;
  const { charts } = pellucid;

  const SCALES = { diverging: "d", sequential: "s", grey: "g" };

  /** The five colours of a scale in today's theme, from the style sheet, as [r, g, b]. */
  function colours(scale) {
    const style = getComputedStyle(document.documentElement);
    return [0, 1, 2, 3, 4].map((i) => {
      const hex = style.getPropertyValue(`--${SCALES[scale]}${i}`).trim();
      return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    });
  }

  /** A share of the way along a scale to [r, g, b]. */
  function colour(stops, share) {
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const i = Math.min(Math.floor(place), stops.length - 2), rest = place - i;
    return stops[i].map((from, c) => Math.round(from + (stops[i + 1][c] - from) * rest));
  }

  const dark = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b < 140;
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /**
   * A heat map. `values(r, c)` gives numbers, undefined where nothing is known. Cells have `cell`
   * pixels, or as many as fit; cells of pictures are square, others (square: false) as wide as fits.
   * `names: true` writes rowName(r), columnName(c) beside the cells; `write(value)` into them. Those
   * of `marks`, [[r, c], ...], have a frame. `limits` [low, high] fixes the scale. onSelect(r, c)
   * hears where the cursor goes; element.select(r, c) sets it in silence, element.redraw() reads
   * the values anew, element.mark(cells) sets the marks. `readout(r, c, value)` says a cell in other words, `table()`
   * gives another table behind; `corner` heads its first column, the names of the rows.
   */
  charts.grid = ({
    label, values, rows, columns, rowName, columnName, onSelect, diverging = true, grey, cell, marks = [],
    limits, names, write, square = true, caption, key = true, readout, table, corner,
  }) => {
    const scale = grey ? "grey" : diverging ? "diverging" : "sequential";
    const nameOf = (name, i) => (name ? name(i) : i);
    const numbers = new Float64Array(rows * columns);
    const canvas = html("canvas", { class: "cells" });
    const ends = [html("span"), html("span")];
    const drawn = document.createElement("canvas");
    let low, high, stops, wide, tall, fine, left = 0, top = 0, width = 0;
    let cursor = null;

    function read() {
      let least = Infinity, most = -Infinity;
      for (let r = 0, at = 0; r < rows; r++)
        for (let c = 0; c < columns; c++, at++) {
          const value = values(r, c);
          numbers[at] = value === undefined ? NaN : value;
          if (value < least) least = value;
          if (value > most) most = value;
        }
      if (least > most) least = most = 0;
      [low, high] = limits || [least, most];
      if (scale === "diverging") high = Math.max(Math.abs(low), Math.abs(high)), (low = -high);
      ends[0].replaceChildren(number(low, 3));
      ends[1].replaceChildren(number(high, 3));
    }

    /** How wide a cell is, and how much room names take. */
    function measure() {
      const context = canvas.getContext("2d");
      left = top = 0;
      if (names) {
        context.font = font();
        const longest = (name, count) => {
          let most = 0;
          for (let i = 0; i < Math.min(count, 300); i++)
            most = Math.max(most, context.measureText(String(nameOf(name, i))).width);
          return Math.ceil(Math.min(most, width / 4 || 130, 130)) + 8;
        };
        left = longest(rowName, rows);
        top = longest(columnName, columns);
      }
      const room = (width - left) / columns;
      if (cell) wide = tall = cell;
      else if (square) wide = tall = Math.floor(Math.min(Math.max(room, 3), 34, Math.max(3, 420 / rows)));
      else {
        wide = Math.min(Math.max(room, 2), 34);
        tall = Math.floor(Math.min(Math.max(360 / rows, 5), 24));
      }
    }

    const font = () => `12px ${style("--sans")}`;

    /** Draw all cells out of sight; where the cursor is comes on top, so that it moves quickly. */
    function draw() {
      stops = colours(scale);
      const w = Math.round(left + wide * columns), h = Math.round(top + tall * rows);
      // no browser draws more than some 16,000 pixels across
      fine = Math.min(window.devicePixelRatio || 1, 16000 / w, 16000 / h);
      drawn.width = canvas.width = Math.round(w * fine);
      drawn.height = canvas.height = Math.round(h * fine);
      canvas.style.width = `${w}px`;
      canvas.style.height = `${h}px`;
      const context = drawn.getContext("2d");
      context.scale(fine, fine);
      context.imageSmoothingEnabled = false;
      context.drawImage(pixels(), left, top, wide * columns, tall * rows);
      if (Math.min(wide, tall) >= 10) rules(context);
      if (names) title(context);
      if (write) inscribe(context);
      point();
    }

    /** A picture with a pixel for each cell. */
    function pixels() {
      const small = new ImageData(columns, rows);
      const nothing = colour(colours("grey"), 0.5);
      for (let at = 0; at < numbers.length; at++) {
        const known = Number.isFinite(numbers[at]);
        const rgb = known ? colour(stops, share(numbers[at])) : nothing;
        for (let c = 0; c < 3; c++) small.data[4 * at + c] = rgb[c];
        small.data[4 * at + 3] = known ? 255 : 70;
      }
      const picture = document.createElement("canvas");
      picture.width = columns;
      picture.height = rows;
      picture.getContext("2d").putImageData(small, 0, 0);
      return picture;
    }

    /** How far a number is along the scale. */
    const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);

    /** The cells as they are drawn, with the marks and the cursor on them. */
    function point() {
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(drawn, 0, 0);
      context.scale(fine, fine);
      for (const [r, c] of marks) frame(context, r, c, style("--accent"), 2);
      if (cursor) {
        frame(context, ...cursor, style("--paper"), 4);
        frame(context, ...cursor, style("--ink"), 2);
      }
    }

    function rules(context) {
      context.fillStyle = style("--paper");
      for (let r = 1; r < rows; r++) context.fillRect(left, top + r * tall - 0.5, wide * columns, 1);
      for (let c = 1; c < columns; c++) context.fillRect(left + c * wide - 0.5, top, 1, tall * rows);
    }

    function frame(context, r, c, colour, thick) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      const [w, h] = [Math.max(wide - 2, 1), Math.max(tall - 2, 1)];
      context.strokeRect(left + c * wide + 1, top + r * tall + 1, w, h);
    }

    /** The names beside the cells, as many as do not overlap. */
    function title(context) {
      context.font = font();
      context.fillStyle = style("--soft");
      context.textBaseline = "middle";
      const fit = (name, room) => {
        let shown = String(name);
        if (context.measureText(shown).width <= room) return isolate(shown);
        while (shown && context.measureText(`${shown}…`).width > room) shown = shown.slice(0, -1);
        return isolate(`${shown}…`);
      };
      context.textAlign = "right";
      for (let r = 0; r < rows; r += Math.ceil(14 / tall))
        context.fillText(fit(nameOf(rowName, r), left - 8), left - 6, top + (r + 0.5) * tall);
      context.textAlign = "left";
      for (let c = 0; c < columns; c += Math.ceil(14 / wide)) {
        context.save();
        context.translate(left + (c + 0.5) * wide, top - 6);
        context.rotate(-Math.PI / 2);
        context.fillText(fit(nameOf(columnName, c), top - 8), 0, 0);
        context.restore();
      }
    }

    function inscribe(context) {
      context.font = font();
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let r = 0, at = 0; r < rows; r++)
        for (let c = 0; c < columns; c++, at++) {
          const written = Number.isFinite(numbers[at]) ? write(numbers[at], r, c) : "";
          if (!written || tall < 14 || context.measureText(written).width > wide - 3) continue;
          context.fillStyle = dark(colour(stops, share(numbers[at]))) ? "#ffffff" : "#111111";
          context.fillText(written, left + (c + 0.5) * wide, top + (r + 0.5) * tall);
        }
    }

    function select(r, c, tell = true) {
      cursor = [Math.min(Math.max(r, 0), rows - 1), Math.min(Math.max(c, 0), columns - 1)];
      if (wide) point();
      [r, c] = cursor;
      const value = values(r, c);
      const shown = value === undefined ? say("chart.absent") : number(value);
      figure.say(readout ? readout(r, c, shown) : say("chart.cell", {
        row: nameOf(rowName, r), column: nameOf(columnName, c), value: shown,
      }));
      if (tell && onSelect) onSelect(r, c);
    }

    /** Scroll the cursor into what is seen of a large map. */
    function reveal() {
      const stage = canvas.parentNode, x = left + cursor[1] * wide, y = top + cursor[0] * tall;
      if (x < stage.scrollLeft || x + wide > stage.scrollLeft + stage.clientWidth)
        stage.scrollLeft = x - stage.clientWidth / 2;
      if (y < stage.scrollTop || y + tall > stage.scrollTop + stage.clientHeight)
        stage.scrollTop = y - stage.clientHeight / 2;
    }

    const figure = charts.frame({
      kind: "gridded", label, caption, plot: canvas, hint: text("chart.hint.grid"),
      legend: key && html("p", { class: "key" }, ends[0], html("span", { class: `ramp ${scale}` }), ends[1]),
      draw(now) {
        width = now;
        measure();
        draw();
      },
      keys(pressed) {
        const [r, c] = cursor || [0, 0];
        const to = {
          ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], ArrowUp: [r - 1, c], ArrowDown: [r + 1, c],
          PageUp: [r - 10, c], PageDown: [r + 10, c], Home: [r, 0], End: [r, columns - 1],
        }[pressed];
        if (!to) return false;
        select(...to);
        reveal();
        return true;
      },
      table: table || (() => {
        const shown = Math.min(columns, 100);
        return {
          head: [shown < columns ? text("chart.columns.cut", { shown, count: columns }) : corner || text("chart.rows"),
            ...Array.from({ length: shown }, (_, c) => nameOf(columnName, c))],
          count: rows,
          rows: (r) => [nameOf(rowName, r), ...Array.from({ length: shown }, (_, c) => values(r, c))],
        };
      }),
    });
    canvas.addEventListener("focus", () => select(...(cursor || [0, 0])));
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      const c = Math.floor((event.clientX - box.left - left) / wide);
      const r = Math.floor((event.clientY - box.top - top) / tall);
      if (r < 0 || c < 0 || r >= rows || c >= columns) return;
      if (!cursor || cursor[0] !== r || cursor[1] !== c) select(r, c);
    });
    canvas.addEventListener("theme", draw);
    figure.select = (r, c) => select(r, c, false);
    figure.mark = (cells) => {
      marks = cells;
      if (wide) point();
    };
    figure.redraw = () => {
      read();
      if (wide) draw();
      if (cursor) select(...cursor, false);
    };
    read();
    if (cell) measure(), draw();
    return figure;
  };

  /**
   * Confusion: rows are what was true, columns what the model said. Blue is right and orange wrong,
   * the darker the larger their share of the row; by its root, so that few wrong ones are seen.
   */
  charts.matrix = (labels, counts, { label, caption, onSelect } = {}) => {
    const totals = counts.map((row) => row.reduce((sum, n) => sum + n, 0));
    const large = labels.length <= 24;
    return charts.grid({
      label, rows: labels.length, columns: labels.length, names: true, key: false, limits: [-1, 1], caption, onSelect,
      cell: large ? undefined : 8,
      values: (r, c) => (totals[r] ? (r === c ? -1 : 1) * Math.sqrt(counts[r][c] / totals[r]) : undefined),
      rowName: (r) => labels[r],
      columnName: (c) => labels[c],
      write: large && ((_, r, c) => (counts[r][c] ? round(counts[r][c]) : "")),
      readout: (r, c) => say("confusion.cell", {
        truth: bdi(labels[r]), said: bdi(labels[c]), count: counts[r][c], all: totals[r],
      }),
      table: () => ({
        head: [text("confusion.corner"), ...labels],
        rows: counts.map((row, r) => [labels[r], ...row]),
      }),
    });
  };
})();
