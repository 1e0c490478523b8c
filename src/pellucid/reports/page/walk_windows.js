// The panels of convolution and pooling: choose a cell of a map, and see the window that made it.
// Continues walk_layers.js.
(() => {
  "use strict";
  const { html, say, text } = pellucid;
  const { kept, reader } = pellucid.arithmetic;
  const { averagePool, convolution, geometry, look, maxPool, seenBy } = pellucid.windows;
  const { atlas, backward, checked, equation, factor, figure, gallery, matrix, slider, terms } =
    pellucid.parts;
  const { lines } = pellucid.formulas;
  const { panels } = pellucid;
  const MOST_MAPS = 64; // that are shown in small

  /** How large the maps become, with the numbers of this layer. */
  function sizes(node) {
    if (!node.entry.sizes) return null;
    return html("div", { class: "walk-sizes" }, node.entry.sizes.map((size) => {
      const whole = Number.isInteger(size.exact);
      const ceiled = !whole && size.output === Math.floor(size.exact) + 1;
      const [open, close] = whole ? ["", ""] : ceiled ? ["⌈", "⌉"] : ["⌊", "⌋"];
      const reach = size.dilation === 1 ? "$kernel" : "$dilation ($kernel − 1) − 1";
      return equation(
        `O${size.axis} = ${open}frac{$input + $padding − ${reach}}{$stride}${close} + 1 = $output`, size);
    }));
  }

  /** The places of a window as rows of values: value(k, l, r, s, inside). */
  function windowOf(g, i, j, value) {
    const rows = Array.from({ length: g.size[0] }, () => []);
    look(g, i, j, (k, l, r, s, inside) => (rows[k][l] = value(k, l, r, s, inside)));
    return rows;
  }
  const insides = (g, i, j) => {
    const inside = windowOf(g, i, j, (k, l, r, s, is) => is);
    return (r, c) => (inside[r][c] ? null : "pad");
  };

  /**
   * Maps of what goes in and comes out with a cursor on the latter, sliders for their channels, and
   * what `explain(i, j, o, c)` says of the window. With `one`, both have the same channel.
   */
  function forward(node, explain, one) {
    const g = geometry(node), below = html("div", { class: "walk-numbers" });
    const input = atlas({ array: node.x, label: text("walk.map.x"), grey: node.first && node.picture });
    const output = atlas({
      array: node.y, label: text("walk.map.y"), onSelect: (index) => go(index),
    });
    const gradient = node.dy && atlas({
      array: node.dy, label: text("walk.map.dy"), onSelect: (index) => go(index, true),
    });
    let index = output.first, from = input.channels ? input.channels[0] : 0;
    function go(to, tell = false) {
      index = to;
      let [i, j, o] = g.full(index);
      if (g.flat && one) from = o;
      const seen = [];
      look(g, i, j, (k, l, r, s, inside) => inside && seen.push(g.index(r, s, from)));
      input.mark(g.flat && !one ? seen.flatMap(([s]) =>
        Array.from({ length: g.channels[0] }, (_, c) => [s, c])) : seen);
      if (tell) output.select(index);
      if (gradient && !tell) gradient.select(index);
      below.replaceChildren(...[explain(i, j, o, from)].flat(Infinity).filter(Boolean));
    }
    const choose = (label, places, onInput, at) => places && slider({ label, places, onInput, at });
    const toMap = (o) => {
      output.channel(o);
      if (gradient) gradient.channel(o);
      if (one) input.channel((from = o));
      go([index[0], index[1], o]);
      output.select(index);
      if (all) all.choose(o);
    };
    const kernel = choose(text(one ? "walk.channel" : "walk.convolution.kernel"), output.channels, toMap);
    const all = mapsOf(node, (o) => {
      kernel.choose(o);
      toMap(o);
    });
    if (all) all.choose(index[2]);
    const inputs = g.flat ? Array.from({ length: g.channels[0] }, (_, c) => c) : input.channels;
    const channel = !one && choose(text("walk.convolution.channel"), inputs, (c) => {
      from = c;
      if (!g.flat) input.channel(c);
      go(index);
    });
    go(index);
    output.select(index);
    return html("div", { class: "walk-together" }, all, kernel, channel,
      html("p", { class: "walk-note" }, say("walk.window.hint")),
      html("div", { class: g.flat ? "walk-maps" : "walk-maps pictures" },
        [input, output, gradient].map((map) => map && map.element)),
      below);
  }

  /** All maps that come out, in small; null where there are too many, or one. */
  function mapsOf(node, onPick) {
    const { y } = node, read = reader(y);
    if (y.shape.length !== 3 || y.kept[2] < 2 || y.kept[2] > MOST_MAPS) return null;
    const [down, across, channels] = [0, 1, 2].map((axis) => kept(y, axis));
    return gallery({
      height: down.length, width: across.length, channels, onPick,
      label: text("walk.maps", { count: channels.length }),
      value: (r, c, n) => read(down[r], across[c], channels[n]),
    });
  }

  /** The way back: a map of dx with a cursor, and which windows its place was seen by. */
  function back(node, name, explain) {
    if (!node.dx || !node.dy) return null;
    const g = geometry(node), below = html("div", { class: "walk-numbers" });
    const map = atlas({ array: node.dx, label: text("walk.map.dx"), onSelect: go });
    let index = map.first;
    function go(to) {
      index = to;
      below.replaceChildren(...[explain(...g.full(to))].flat(Infinity).filter(Boolean));
    }
    const channel = map.channels && slider({
      label: text("walk.channel"), places: map.channels,
      onInput(c) {
        map.channel(c);
        go([index[0], index[1], c]);
      },
    });
    go(index);
    map.select(index);
    return backward(lines(`${name}_back`), channel,
      html("div", { class: g.flat ? "walk-maps" : "walk-maps pictures" }, map.element), below);
  }
  const spot = (g, i, j) => (g.flat ? `${j}` : `${i}, ${j}`);

  panels.Conv2d = panels.Conv1d = (node) => {
    const g = geometry(node), [inputs, outputs] = g.channels;
    const explain = (i, j, o, c) => {
      const found = convolution.forward(node, g.index(i, j, o));
      const bias = node.w.bias ? reader(node.w.bias)(o) : 0, kinds = insides(g, i, j);
      const patch = windowOf(g, i, j, (k, l, r, s, inside) => (inside ? g.x(r, s, c) : 0));
      const kernel = windowOf(g, i, j, (k, l) => g.w(k, l, c, o));
      const times = patch.map((row, k) => row.map((x, l) =>
        x === undefined || kernel[k][l] === undefined ? undefined : x * kernel[k][l]));
      const part = convolution.channel(node, i, j, c, o);
      const dy = g.dy(i, j, o);
      const known = { o, c, place: spot(g, i, j) };
      return [
        html("div", { class: "walk-patch" },
          matrix(say("walk.convolution.patch", known), patch, { kinds }), html("span", null, "⊙"),
          matrix(say("walk.convolution.weights", known), kernel), html("span", null, "="),
          matrix(say("walk.convolution.product"), times, { kinds })),
        patch.some((row, k) => row.some((x, l) => kinds(k, l))) &&
          html("p", { class: "walk-note" }, say("walk.convolution.padding")),
        inputs > 1 && equation(`∑_{k, l} x_{${c}} w_{${c}, ${o}} = $part`, { part: figure(part.value) }),
        inputs > 1 && terms(say("walk.convolution.channels", { count: inputs }),
          [text("walk.convolution.channel"), "∑ x · w"],
          Array.from({ length: inputs }, (_, n) =>
            ({ name: String(n), cells: [], value: convolution.channel(node, i, j, n, o).value }))),
        equation(`y_{${spot(g, i, j)}, ${o}} = ${node.w.bias ? "$sum + $bias" : "∑ x w"} = $y`, {
          sum: figure(found.missing ? undefined : found.total - bias), bias: factor(bias),
          y: checked(found, g.y(i, j, o)),
        }),
        found.missing > 0 && html("p", { class: "walk-note" },
          say("walk.terms.cut", { shown: found.count - found.missing, count: found.count })),
        node.dy && equation(`frac{∂ L}{∂ y_{${spot(g, i, j)}, ${o}}} = $dy`, { dy: figure(dy) }),
        node.dy && html("div", { class: "walk-patch" }, matrix(
          say("walk.convolution.weights.back", known),
          windowOf(g, i, j, (k, l) => convolution.weight(node, k, l, c, o).value))),
      ];
    };
    return [
      lines("convolution"), sizes(node), forward(node, explain, false),
      back(node, "convolution", (r, s, c) => {
        const all = [];
        seenBy(g, r, s, (i, j, k, l) => {
          for (let o = 0; o < outputs; o++) {
            const dy = g.dy(i, j, o), w = g.w(k, l, c, o);
            const value = dy === undefined || w === undefined ? undefined : dy * w;
            all.push({ name: `y ${spot(g, i, j)}, ${o}`.replaceAll(" ", "\u00a0"), cells: [dy ?? "", w ?? ""], value });
          }
        });
        const index = g.index(r, s, c), found = convolution.backward(node, index);
        return [
          equation(`frac{∂ L}{∂ x_{${spot(g, r, s)}, ${c}}} = $dx`,
            { dx: checked(found, g.dx(r, s, c)) }),
          terms(say("walk.convolution.terms.back", { count: all.length }),
            [text("walk.window.cell"), "∂L/∂y", "w", "∂L/∂y · w"], all),
        ];
      }),
    ];
  };

  panels.MaxPool2d = panels.MaxPool1d = (node) => {
    const g = geometry(node);
    const explain = (i, j, c) => {
      const index = g.index(i, j, c), best = maxPool.winner(node, index);
      const place = g.winner(i, j, c), won = (k, l) => k * g.size[1] + l === place;
      const values = windowOf(g, i, j, (k, l, r, s, inside) => (inside ? g.x(r, s, c) : undefined));
      const padded = insides(g, i, j), dy = g.dy(i, j, c);
      return [
        html("div", { class: "walk-patch" }, matrix(say("walk.pool.window", { place: spot(g, i, j), c }), values,
          { kinds: (k, l) => (won(k, l) ? "won" : padded(k, l)) })),
        equation(`y_{${spot(g, i, j)}, ${c}} = max = $y`,
          { y: checked(maxPool.forward(node, index), g.y(i, j, c)) }),
        best && html("p", { class: "walk-note" }, node.dy
          ? say("walk.pool.winner.gradient", { place: spot(g, best.r, best.s), value: dy })
          : say("walk.pool.winner", { place: spot(g, best.r, best.s) })),
      ];
    };
    return [
      lines("max_pool"), sizes(node), forward(node, explain, true),
      back(node, "max_pool", (r, s, c) => {
        const won = [], lost = [];
        seenBy(g, r, s, (i, j, k, l) =>
          (g.winner(i, j, c) === k * g.size[1] + l ? won : lost).push(spot(g, i, j)));
        const found = maxPool.backward(node, g.index(r, s, c));
        return [
          equation(`frac{∂ L}{∂ x_{${spot(g, r, s)}, ${c}}} = $dx`, { dx: checked(found, g.dx(r, s, c)) }),
          html("p", { class: "walk-note" },
            say("walk.pool.wins", { won: won.length, count: won.length + lost.length })),
        ];
      }),
    ];
  };

  panels.AvgPool2d = panels.AvgPool1d = (node) => {
    const g = geometry(node);
    const explain = (i, j, c) => {
      const index = g.index(i, j, c), found = averagePool.forward(node, index);
      const values = windowOf(g, i, j, (k, l, r, s, inside) => (inside ? g.x(r, s, c) : undefined));
      const count = averagePool.count(node, i, j);
      return [
        html("div", { class: "walk-patch" }, matrix(say("walk.pool.window", { place: spot(g, i, j), c }), values,
          { kinds: insides(g, i, j) })),
        equation(`y_{${spot(g, i, j)}, ${c}} = frac{$sum}{${count}} = $y`,
          { sum: figure(found.sum.value), y: checked(found, g.y(i, j, c)) }),
      ];
    };
    return [
      lines("average_pool"), sizes(node), forward(node, explain, true),
      back(node, "average_pool", (r, s, c) => {
        let windows = 0;
        seenBy(g, r, s, () => windows++);
        return [
          equation(`frac{∂ L}{∂ x_{${spot(g, r, s)}, ${c}}} = $dx`,
            { dx: checked(averagePool.backward(node, g.index(r, s, c)), g.dx(r, s, c)) }),
          html("p", { class: "walk-note" }, say("walk.pool.shares", { count: windows })),
        ];
      }),
    ];
  };
})();
