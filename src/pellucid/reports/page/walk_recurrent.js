// The panels of recurrent layers: a slider through time, gates and states of all units, one unit in
// numbers, and what becomes of the gradient on its way back. Continues walk_layers.js.
(() => {
  "use strict";
  const { html, say, text, number, charts } = pellucid;
  const { Sum, kept, product } = pellucid.arithmetic;
  const { before, factor: factorOf, formulas, products, runs, stretch } = pellucid.recurrence;
  const { backward, checked, equation, factor, figure, slider, spoken, terms } = pellucid.parts;
  const { lines } = pellucid.formulas;
  const { panels } = pellucid;

  const MAPS = { RNN: ["h"], LSTM: ["i", "f", "g", "o", "c", "h"], GRU: ["r", "z", "n", "h"] };
  const BACK = { RNN: ["dh"], LSTM: ["dh", "dc"], GRU: ["dh"] };
  const SIGMOIDS = "ifrzo";
  const MOST_UNITS = 128; // of an RNN whose factors are multiplied here
  const VANISHED = 1e-3, EXPLODED = 1e3;

  /** The name of a map or gate in words: "f, forget gate". */
  const named = (kind, name) => text(`walk.gate.${name}`);

  /** What goes into a gate: from x, from the state before, and the bias, each with its terms. */
  function inside(run, t, gate, unit) {
    const parts = { x: new Sum(), h: new Sum(), b: new Sum() }, all = [];
    before(run, t, gate, unit, (kind, i, value, weight) => {
      parts[kind].add(value, weight);
      if (kind !== "b") all.push({ kind, i, value, weight });
    });
    return { ...parts, all };
  }

  function direction(run, node, context) {
    const { kind } = node, flow = run.direction.flow, h = run.values.h;
    const steps = kept(h, 0), units = kept(h, 1), all = formulas[kind];
    const stepName = (t) => {
      const shown = { step: run.place(t) + 1, count: run.steps };
      const time = context.times && context.times[run.place(t)];
      return time ? text("walk.step.time", { ...shown, time }) : text("walk.step", shown);
    };
    let t = steps[steps.length - 1], unit = strongest(run, units, t), gate = 0;
    const below = html("div", { class: "walk-numbers" }), behind = html("div", { class: "walk-numbers" });

    const map = (name) => spoken(charts.grid({
      label: named(kind, name), rows: units.length, columns: steps.length, square: false,
      values: (r, c) => run.read[name](steps[c], units[r]),
      rowName: (r) => text("walk.unit.short", { unit: units[r] }),
      columnName: (c) => run.place(steps[c]) + 1,
      diverging: !SIGMOIDS.includes(name), limits: SIGMOIDS.includes(name) ? [0, 1] : undefined,
      readout: (r, c, value) =>
        say("walk.recurrent.cell", { unit: units[r], step: run.place(steps[c]) + 1, value }),
      onSelect: (r, c) => go(steps[c], units[r], name),
    }));
    const present = (names) => names.filter((name) => run.values[name]);
    const maps = Object.fromEntries(
      present([...MAPS[kind], ...(node.dy ? BACK[kind] : [])]).map((name) => [name, map(name)]));
    const pick = (names) => present(names).map((name) => maps[name]);

    const time = slider({
      label: text("walk.time"), places: steps, name: stepName, at: steps.length - 1,
      onInput: (to) => go(to, unit),
    });
    const choose = slider({
      label: text("walk.unit"), places: units, at: units.indexOf(unit),
      name: (u) => text("walk.unit.short", { unit: u }), onInput: (to) => go(t, to),
    });
    const path = flow && flowChart(run, flow, stepName, (to) => steps.includes(to) && go(to, unit, "flow"));
    const squares = kind === "RNN" && node.dy && factors(run, flow);

    function go(toStep, toUnit, from) {
      [t, unit] = [toStep, toUnit];
      time.choose(t);
      choose.choose(unit);
      for (const [name, grid] of Object.entries(maps)) {
        if (name !== from) grid.select(units.indexOf(unit), steps.indexOf(t));
      }
      if (path && from !== "flow") path.select(t);
      below.replaceChildren(...flat(inNumbers(run, node, context, t, unit, stepName), termsOf()));
      behind.replaceChildren(...flat(node.dy && goingBack(run, node, t, unit)));
      if (squares) squares.go(t);
    }
    const flat = (...children) => children.flat(Infinity).filter(Boolean);

    function termsOf() {
      const { all: found } = inside(run, t, gate, unit);
      const name = ({ kind: of, i }) => (of === "x"
        ? (node.first && context.inputName ? context.inputName(i) : `x ${i}`) : `h ${i}`);
      const select = html("select", {
        "aria-label": text("walk.gate.choose"),
        onchange: () => {
          gate = select.selectedIndex;
          const fresh = termsOf();
          list.replaceWith(fresh);
          fresh.querySelector("select").focus();
        },
      }, all.gates.map((one, i) =>
        html("option", { selected: i === gate }, named(kind, one))));
      const sums = kind === "RNN" ? null : html("p", null, select);
      const list = html("div", { class: "walk-sum" }, sums, terms(
        say("walk.recurrent.terms", { gate: named(kind, all.gates[gate]), count: found.length }),
        [text("walk.linear.input"), "x, h", "U, W", text("walk.product")],
        found.map((one) => ({
          name: name(one), cells: [one.value ?? "", one.weight ?? ""],
          value: one.value === undefined || one.weight === undefined ? undefined : one.value * one.weight,
        }))));
      return list;
    }

    const element = html("section", { class: "walk-direction" },
      run.node.step.directions.length > 1 && html("p", { class: "walk-way" },
        say(run.direction.reverse ? "walk.direction.reverse" : "walk.direction.forward")),
      time, choose,
      html("div", { class: "walk-maps" }, pick(MAPS[kind])), below,
      node.dy && backward(lines(name(node, "_back")),
        html("div", { class: "walk-maps" }, pick(BACK[kind])), behind, path || flowless(node),
        flow && verdict(flow, run), squares));
    go(t, unit);
    return element;
  }

  const name = (node, end = "") =>
    `${{ RNN: "rnn", LSTM: "lstm", GRU: node.step.reset_after ? "gru" : "gru_before" }[node.kind]}${end}`;
  const flowless = (node) => html("p", { class: "walk-note" }, say("walk.flow.none"));

  /** The unit whose state is largest: something is to be seen there. */
  const strongest = (run, units, t) =>
    units.reduce((best, u) => Math.abs(run.read.h(t, u)) > Math.abs(run.read.h(t, best)) ? u : best);

  /** A gate in numbers: x U + h W + b, and what its function makes of it. */
  function gateLine(run, t, unit, letter, gate, f) {
    const { x, h, b } = inside(run, t, gate, unit);
    const found = formulas[run.node.kind].forward[letter](run, t, unit);
    return equation(`${letter}_{${run.place(t) + 1}} = ${f}($x + $h + $b) = $y`, {
      x: figure(x.value), h: factor(h.value), b: factor(b.value),
      y: checked(found, run.read[letter](t, unit)),
    });
  }

  function inNumbers(run, node, context, t, unit, stepName) {
    const { read } = run, kind = formulas[node.kind], at = run.place(t) + 1;
    const value = (name) => read[name](t, unit), was = (name) => run.before(name, t, unit);
    const done = (name) => checked(kind.forward[name](run, t, unit), value(name));
    const head = html("p", { class: "walk-caption" },
      say("walk.recurrent.unit", { unit, step: stepName(t) }));
    if (node.kind === "RNN") {
      const f = { tanh: "tanh", sigmoid: "σ", relu: "relu" }[node.step.activation];
      return [head, gateLine(run, t, unit, "h", 0, f)];
    }
    if (node.kind === "LSTM") {
      return [
        head, ["f", "i", "g", "o"].map((letter) => gateLine(run, t, unit, letter,
          kind.gates.indexOf(letter), letter === "g" ? "tanh" : "σ")),
        equation(`c_{${at}} = $f · $before + $i · $g = $c`, {
          f: figure(value("f")), before: factor(was("c")), i: figure(value("i")), g: factor(value("g")),
          c: done("c"),
        }),
        equation(`h_{${at}} = $o · tanh($c) = $h`,
          { o: figure(value("o")), c: figure(value("c")), h: done("h") }),
        html("p", { class: "walk-note" }, say("walk.lstm.words", {
          keeps: pellucid.share(value("f")), lets: pellucid.share(value("i")),
          shows: pellucid.share(value("o")),
        })),
      ];
    }
    const { x, b } = inside(run, t, 2, unit);
    return [
      head, gateLine(run, t, unit, "r", 0, "σ"), gateLine(run, t, unit, "z", 1, "σ"),
      node.step.reset_after && equation(`s_{${at}} = W_n h_{t − 1} + b_{hn} = $s`, { s: done("s") }),
      equation(node.step.reset_after ? `n_{${at}} = tanh($x + $r · $s) = $n`
        : `n_{${at}} = tanh($x + W_n (r ⊙ h)) = $n`, {
        x: figure(x.value === undefined ? undefined : x.value + b.value), r: figure(value("r")),
        s: factor(value("s")), n: done("n"),
      }),
      equation(`h_{${at}} = (1 − $z) · $n + $z · $before = $h`, {
        z: figure(value("z")), n: factor(value("n")), before: factor(was("h")), h: done("h"),
      }),
    ];
  }

  /** The gradient of one unit's state at one step. */
  function goingBack(run, node, t, unit) {
    const kind = formulas[node.kind], { read } = run, at = run.place(t) + 1;
    const later = t < run.steps - 1, next = run.place(t + 1) + 1;
    const throughH = `frac{∂ L}{∂ h_{${at}}} o (1 − tanh^2(c))`, byHand = "$dh · $o · $slope";
    const above = run.above(t, unit), found = kind.backward.dh(run, t, unit);
    const through = found.value === undefined || above === undefined ? undefined : found.value - above;
    return [
      equation(`frac{∂ L}{∂ h_{${at}}} = $above + $through = $dh`, {
        above: figure(above), through: factor(through), dh: checked(found, read.dh(t, unit)),
      }),
      html("p", { class: "walk-note" }, say("walk.recurrent.above")),
      node.kind === "RNN" && equation(`f'(z_{${at}}) = $slope`,
        { slope: figure(kind.slope(run, t, unit)) }),
      node.kind === "LSTM" && equation(later
        ? `frac{∂ L}{∂ c_{${at}}} = frac{∂ L}{∂ c_{${next}}} f_{${next}} + ${throughH} = $dcn · $f + ${byHand} = $dc`
        : `frac{∂ L}{∂ c_{${at}}} = ${throughH} = ${byHand} = $dc`, {
        dcn: later ? figure(read.dc(t + 1, unit)) : undefined,
        f: later ? figure(read.f(t + 1, unit)) : undefined,
        dh: factor(read.dh(t, unit)), o: figure(read.o(t, unit)),
        slope: figure(1 - Math.tanh(read.c(t, unit)) ** 2),
        dc: checked(kind.backward.dc(run, t, unit), read.dc(t, unit)),
      }),
    ];
  }

  /** Norms by step, from the last one back, on a logarithmic scale. */
  function flowChart(run, flow, stepName, onSelect) {
    const order = Array.from({ length: run.steps }, (_, t) => t);
    const series = [
      { name: text("walk.flow.loss"), values: flow.loss },
      { name: text("walk.flow.jacobian"), values: flow.jacobian },
      ...(flow.factor ? [{ name: text("walk.flow.factor"), values: flow.factor }] : []),
    ];
    return spoken(charts.lines({
      label: text("walk.flow"), series, xs: order.map((t) => t + 1), xName: text("walk.flow.step"),
      log: true, onSelect,
    }));
  }

  /** Whether the gradient vanishes or explodes, in a sentence. */
  function verdict({ jacobian }, run) {
    const { length } = jacobian, end = jacobian[length - 1];
    const shares = jacobian.map((norm) => (end === 0 ? 0 : norm / end));
    const args = { count: length, share: number(shares[0], 3) };
    let key = "walk.flow.flows";
    for (let back = 0; back < length && key === "walk.flow.flows"; back++) {
      const share = shares[length - 1 - back];
      if (share < VANISHED) [key, args.steps] = ["walk.flow.vanishes", back];
      else if (!(share <= EXPLODED)) [key, args.step] = ["walk.flow.explodes", length - back];
    }
    return html("p", { class: "walk-verdict" }, say(key, args));
  }

  /** Of an RNN the factor of this step and the product of all factors since, as maps. */
  function factors(run, flow) {
    const whole = !run.values.h.at.some(Boolean) && run.width <= MOST_UNITS;
    if (!whole) {
      const note = html("p", { class: "walk-note" }, say("walk.factor.cut"));
      return Object.assign(note, { go() {} });
    }
    const width = run.width, nothing = new Float64Array(width * width);
    let factorNow = nothing, productNow = nothing;
    const square = (label, numbers) => charts.grid({
      label, rows: width, columns: width, values: (r, c) => numbers()[r * width + c],
      rowName: (r) => `h ${r}`, columnName: (c) => `h ${c}`,
    });
    const first = square(text("walk.factor.one"), () => factorNow);
    const second = square(text("walk.factor.product"), () => productNow);
    const below = html("div", { class: "walk-numbers" });
    const element = html("section", null, html("p", { class: "walk-way" }, say("walk.factor")),
      html("div", { class: "walk-maps" }, first, second), below);
    element.go = (t) => {
      const at = run.place(t) + 1, next = t < run.steps - 1;
      factorNow = next ? factorOf(run, t) : nothing;
      productNow = products(run)[t];
      first.hidden = !next;
      first.redraw();
      second.redraw();
      const norm = (numbers) => {
        const found = stretch(numbers, width);
        return { value: found, size: found };
      };
      below.replaceChildren(...[
        next && equation(`‖frac{∂ h_{${run.place(t + 1) + 1}}}{∂ h_{${at}}}‖ = $norm`, {
          norm: checked(norm(factorNow), flow && flow.factor ? flow.factor[t] : undefined),
        }),
        equation(`‖frac{∂ h_T}{∂ h_{${at}}}‖ = $norm`,
          { norm: checked(norm(productNow), flow ? flow.jacobian[t] : undefined) }),
      ].filter(Boolean));
    };
    return element;
  }

  panels.RNN = panels.LSTM = panels.GRU = (node, context) =>
    [lines(name(node)), runs(node).map((run) => direction(run, node, context))];
})();
