// The panels of layers that look at one row or one place at a time. Continues walk_parts.js.
(() => {
  "use strict";
  const { html, say, text, number, charts } = pellucid;
  const { activationOf, along, kinds, reader, unflat } = pellucid.arithmetic;
  const { backward, checked, equation, factor, figure, terms, together } = pellucid.parts;
  const { lines } = pellucid.formulas;

  const panels = {};
  const last = (index) => index[index.length - 1];
  const at = (array, index) => array && reader(array)(...index);
  /** An index as it stands below a letter: "3", or "2, 3". */
  const place = (index) => index.join(", ");

  /** What the activation behind a layer makes of its number. */
  function after(node, index) {
    const name = node.next && activationOf[node.next.kind];
    if (!name) return null;
    const found = kinds[node.next.kind].forward(node.next, index);
    const source = { relu: "max($x, 0) = $y", tanh: "tanh($x) = $y", sigmoid: "σ($x) = $y",
      leaky_relu: "max($x, α · $x2) = $y" }[name];
    return [
      html("p", { class: "walk-caption" }, say("walk.linear.then", { layer: node.next.kind })),
      equation(source, {
        x: figure(at(node.y, index)), x2: factor(at(node.y, index)),
        y: checked(found, at(node.next.y, index)),
      }),
    ];
  }

  panels.Linear = (node, context) => {
    const [inputs, outputs] = node.w.weight.shape, w = reader(node.w.weight);
    const inputName = (i) => (context.inputName && node.first ? context.inputName(i) : `x ${i}`);
    const outputName = (k) => (context.outputName && node.last ? context.outputName(k) : `y ${k}`);
    const forward = together([{ array: node.y, label: text("walk.linear.outputs") }], (index) => {
      const lead = index.slice(0, -1), k = last(index), x = along(node.x, lead);
      const dy = at(node.dy, index), bias = node.w.bias ? reader(node.w.bias)(k) : 0;
      const found = kinds.Linear.forward(node, index), total = found.total - (bias || 0);
      const all = x.map((value, i) => ({
        name: inputName(i), value: value === undefined ? undefined : value * w(i, k),
        cells: [value ?? "", w(i, k) ?? "", ...(node.dy ? [value * dy] : [])],
      }));
      const gradient = node.dy ? ["∂L/∂w"] : [];
      return [
        html("p", { class: "walk-caption" }, say("walk.linear.unit", { unit: outputName(k) })),
        equation(`y_{${place(index)}} = ∑_i x_i w_{i, ${k}} + b_{${k}} = $sum + $bias = $y`, {
          sum: figure(found.missing ? undefined : total), bias: factor(bias),
          y: checked(found, at(node.y, index)),
        }),
        after(node, index),
        terms(say("walk.linear.terms", { count: inputs }),
          [text("walk.linear.input"), "x", "w", ...gradient, "x · w"],
          // the product stands last, beside its bar
          all),
        node.dy && html("p", { class: "walk-note" }, say("walk.linear.weights", { value: number(dy) })),
      ];
    });
    const back = node.dx && node.dy && backward(lines("linear_back"),
      together([{ array: node.dx, label: text("walk.linear.inputs.back") }], (index) => {
        const lead = index.slice(0, -1), i = last(index), dy = along(node.dy, lead);
        const found = kinds.Linear.backward(node, index);
        return [
          html("p", { class: "walk-caption" }, say("walk.linear.input.back", { input: inputName(i) })),
          equation(`frac{∂ L}{∂ x_{${place(index)}}} = ∑_k frac{∂ L}{∂ y_k} w_{${i}, k} = $dx`,
            { dx: checked(found, at(node.dx, index)) }),
          terms(say("walk.linear.terms.back", { count: outputs }),
            [text("walk.linear.output"), "∂L/∂y", "w", "∂L/∂y · w"],
            dy.map((value, k) => ({
              name: outputName(k), value: value === undefined ? undefined : value * w(i, k),
              cells: [value ?? "", w(i, k) ?? ""],
            }))),
        ];
      }));
    return [lines("linear"), forward, back];
  };

  /** Layers that make one number of one: four maps with one cursor. */
  function elementwise(name, explain) {
    return (node) => [
      lines(name), node.dy && node.dx && lines(`${name}_back`),
      together([
        { array: node.x, label: text("walk.map.x") }, { array: node.y, label: text("walk.map.y") },
        { array: node.dy, label: text("walk.map.dy") },
        { array: node.dx, label: text("walk.map.dx") },
      ], (index) => explain(node, index)),
    ];
  }
  /** The forward equation of one place, and the one back. */
  function both(node, index, forward, back, given) {
    const kind = kinds[node.kind], dy = at(node.dy, index);
    return [
      equation(`${forward} = $result`,
        { ...given(), result: checked(kind.forward(node, index), at(node.y, index)) }),
      node.dy && node.dx && equation(`frac{∂ L}{∂ x} = $dy · ${back} = $result`, {
        ...given(), dy: figure(dy),
        result: checked(kind.backward(node, index), at(node.dx, index)),
      }),
    ];
  }
  const ofOne = {
    relu: ["y = max($x, 0)", "[$y > 0]"],
    leaky_relu: ["y = max($x, $a · $x2)", "([$y > 0] + $a [$y2 ≤ 0])"],
    sigmoid: ["y = σ($x)", "$y (1 − $y2)"],
    tanh: ["y = tanh($x)", "(1 − $y2^2)"],
  };
  for (const [kind, name] of Object.entries(activationOf)) {
    const [forward, back] = ofOne[name];
    const panel = elementwise(name, (node, index) => both(node, index, forward, back, () => ({
      x: figure(at(node.x, index)), x2: factor(at(node.x, index)), a: node.step.slope,
      y: figure(at(node.y, index)), y2: factor(at(node.y, index)),
    })));
    panels[kind] = (node) => [panel(node), quiet(node, name)];
  }
  /** How many units say nothing, or no longer listen. */
  function quiet(node, name) {
    const { values } = node.y;
    const dead = { relu: (y) => y === 0, sigmoid: (y) => y < 0.02 || y > 0.98,
      tanh: (y) => Math.abs(y) > 0.98 }[name];
    if (!dead) return null;
    const count = values.reduce((sum, y) => sum + (dead(y) ? 1 : 0), 0);
    return html("p", { class: "walk-note" },
      say(name === "relu" ? "walk.relu.zeros" : "walk.saturated", { count, all: values.length }));
  }

  panels.Dropout = (node) => [
    html("p", null, say("walk.dropout")), lines("dropout"),
    together([{ array: node.y, label: text("walk.map.y") }, { array: node.dy, label: text("walk.map.dy") }],
      (index) => equation("y = x = $y", { y: checked(kinds.Dropout.forward(node, index), at(node.y, index)) })),
  ];

  panels.Flatten = (node) => [
    lines(node.x.shape.length === 3 ? "flatten" : "flatten_steps"),
    together([{ array: node.y, label: text("walk.map.y") }, { array: node.dy, label: text("walk.map.dy") }],
      ([n]) => {
        const from = unflat(node.x.shape, n);
        return [
          equation(`y_{${n}} = x_{${place(from)}} = $y`,
            { y: checked(kinds.Flatten.forward(node, [n]), at(node.y, [n])) }),
          node.dx && node.dy && equation(
            `frac{∂ L}{∂ x_{${place(from)}}} = frac{∂ L}{∂ y_{${n}}} = $dx`,
            { dx: checked(kinds.Flatten.backward(node, from), at(node.dx, from)) }),
        ];
      }),
  ];

  panels.BatchNorm = elementwise("batch_norm", (node, index) => {
    const { x, mean, variance, gamma, beta } = kinds.BatchNorm.parts(node, index);
    return [
      html("p", { class: "walk-caption" }, say("walk.norm.batch", { channel: last(index) })),
      both(node, index, "y = $g · frac{$x − $m}{sqrt{$v + $e}} + $b", "frac{$g}{sqrt{$v + $e}}", () => ({
        x: figure(x), m: factor(mean), v: figure(variance), e: node.step.eps, g: factor(gamma),
        b: factor(beta),
      })),
    ];
  });

  panels.LayerNorm = elementwise("layer_norm", (node, index) => {
    const { x, mean, std, gamma, beta } = kinds.LayerNorm.parts(node, index), i = last(index);
    const lead = index.slice(0, -1), kind = kinds.LayerNorm;
    const size = Math.max(...x.map(Math.abs));
    const stored = (array) => array && (reader(array)(...lead) ?? reader(array)(...lead, 0));
    return [
      equation("μ = $m, sqrt{σ^2 + ε} = $s", {
        m: checked({ value: mean, size }, stored(node.mean)),
        s: checked({ value: std, size }, stored(node.std)),
      }),
      equation("y = $g · frac{$x − $m}{$s} + $b = $y", {
        g: factor(gamma[i]), x: figure(x[i]), m: factor(mean), s: figure(std), b: factor(beta[i]),
        y: checked(kind.forward(node, index), at(node.y, index)),
      }),
      node.dx && node.dy && equation(`frac{∂ L}{∂ x_{${i}}} = $dx`,
        { dx: checked(kind.backward(node, index), at(node.dx, index)) }),
    ];
  });

  panels.Softmax = (node) => {
    const size = last(node.x.shape), flat = node.x.shape.length === 1;
    return [
      lines("softmax"), node.dy && lines("softmax_back"),
      together([
        { array: node.x, label: text("walk.map.x") }, { array: node.y, label: text("walk.map.y") },
        { array: node.dy, label: text("walk.map.dy") }, { array: node.dx, label: text("walk.map.dx") },
      ], (index) => [
        equation(`y_{${last(index)}} = $y`,
          { y: checked(kinds.Softmax.forward(node, index), at(node.y, index)) }),
        node.dx && node.dy && equation(`frac{∂ L}{∂ x_{${last(index)}}} = $dx`,
          { dx: checked(kinds.Softmax.backward(node, index), at(node.dx, index)) }),
      ]),
      flat && jacobian(along(node.y, []), (i) => `${i}`, size),
    ];
  };

  /** The Jacobian of softmax as a map: dp_i/dz_j = p_i ([i = j] - p_j). */
  function jacobian(p, name) {
    const below = html("div", { class: "walk-numbers" });
    const value = (i, j) => p[i] * ((i === j ? 1 : 0) - p[j]);
    const explain = (i, j) => below.replaceChildren(equation(
      i === j ? "frac{∂ p_i}{∂ z_i} = $p (1 − $p2) = $value" : "frac{∂ p_i}{∂ z_j} = − $p · $p2 = $value",
      { p: figure(p[i]), p2: figure(p[j]), value: figure(value(i, j)) }));
    const map = charts.grid({
      label: text("walk.softmax.jacobian"), rows: p.length, columns: p.length, values: value,
      rowName: (i) => name(i), columnName: (j) => name(j), names: p.length <= 24, diverging: true,
      onSelect: explain,
    });
    map.select(0, 0);
    explain(0, 0);
    const zeros = p.map((_, i) => p.reduce((sum, __, j) => sum + value(i, j), 0));
    return html("div", { class: "walk-jacobian" }, lines("jacobian"), map, below,
      html("p", { class: "walk-note" },
        say("walk.softmax.rows", { value: number(Math.max(...zeros.map(Math.abs)), 2) })));
  }

  panels.GlobalAvgPool = (node) => {
    const count = kinds.GlobalAvgPool.count(node);
    const choose = together([
      { array: node.y, label: text("walk.map.y") }, { array: node.dy, label: text("walk.map.dy") },
    ], ([c]) => {
      const found = kinds.GlobalAvgPool.forward(node, [c]), dy = at(node.dy, [c]);
      return [
        equation(`y_{${c}} = frac{1}{${count}} ∑_p x_{p, ${c}} = frac{$sum}{${count}} = $y`, {
          sum: figure(found.sum.value), y: checked(found, at(node.y, [c])),
        }),
        node.dy && equation(`frac{∂ L}{∂ x_{p, ${c}}} = frac{$dy}{${count}} = $dx`,
          { dy: figure(dy), dx: figure(dy / count) }),
      ];
    });
    return [lines("global_average_pool"), node.dy && lines("global_average_pool_back"),
      html("p", { class: "walk-note" }, say("walk.average.all", { count })), choose];
  };

  panels.Embedding = (node, context) => {
    const [, width] = node.w.weight.shape, { source } = kinds.Embedding;
    return [
      lines("embedding"),
      together([{ array: node.y, label: text("walk.embedding.map") },
        { array: node.dy, label: text("walk.map.dy") }], ([t, n]) => {
        const { token, place: column, other } = source(node, t, n);
        const name = context.tokens && context.tokens[t];
        return [
          name !== undefined && html("p", { class: "walk-caption" },
            say("walk.embedding.token", { step: t + 1, token: name })),
          equation(other === undefined ? `y_{${t + 1}, ${n}} = E_{${token ?? "?"}, ${column}} = $y`
            : `y_{${t + 1}, ${n}} = x_{${t + 1}, ${other}} = $y`,
          { y: checked(kinds.Embedding.forward(node, [t, n]), at(node.y, [t, n])) }),
        ];
      }),
      html("p", { class: "walk-note" }, say("walk.embedding.size", { count: node.w.weight.shape[0], width })),
      node.dy && lines("embedding_back"),
    ];
  };

  panels.Residual = (node, context) => {
    const { layers, shortcut } = node.branches, plain = !shortcut.length;
    const [inner, around] = kinds.Residual.ways(node, "y");
    const name = plain ? "residual_plain" : "residual";
    const back = node.dx && node.dy && kinds.Residual.ways(node, "dx");
    const branch = (key, nodes) => html("section", { class: "walk-branch" },
      html("p", { class: "walk-way" }, say(key)), nodes.map((one) => context.panel(one)));
    return [
      lines(name), branch("walk.residual.layers", layers),
      plain ? html("p", { class: "walk-note" }, say("walk.residual.identity"))
        : branch("walk.residual.shortcut", shortcut),
      html("p", { class: "walk-way" }, say("walk.residual.sum")),
      together([
        { array: inner, label: text("walk.residual.inner") },
        { array: around, label: text("walk.residual.around") },
        { array: node.y, label: text("walk.map.y") },
      ], (index) => equation("y = $F + $S = $y", {
        F: figure(at(inner, index)), S: factor(at(around, index)),
        y: checked(kinds.Residual.forward(node, index), at(node.y, index)),
      })),
      back && backward(lines(`${name}_back`), together([
        { array: back[0], label: text("walk.residual.inner.back") },
        { array: back[1], label: text("walk.residual.around.back") },
        { array: node.dx, label: text("walk.map.dx") },
      ], (index) => equation("frac{∂ L}{∂ x} = $F + $S = $dx", {
        F: figure(at(back[0], index)), S: factor(at(back[1], index)),
        dx: checked(kinds.Residual.backward(node, index), at(node.dx, index)),
      }))),
    ];
  };

  pellucid.panels = Object.assign(panels, { jacobian });
})();
