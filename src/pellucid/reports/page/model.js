// The sections on the model itself: what was asked, the columns, the network, its training. Each
// takes the report's data and gives elements. Continues charts.js.
(() => {
  "use strict";
  const { html, bdi, some, number, round, say, text, told, named, shape, formula, charts } = pellucid;
  const sections = (pellucid.sections = {});

  /** A list of names and what they are; lines with nothing to say are left out. */
  function facts(lines) {
    const known = lines.filter(([, value]) => value !== null && value !== undefined && value !== "");
    return html("dl", { class: "facts" },
      known.map(([name, value]) => [html("dt", null, name), html("dd", null, value)]));
  }

  const settings = (parameters) => charts.table({
    caption: text("asked.parameters"), head: [text("asked.parameter"), text("chart.value")], limit: 200,
    rows: Object.entries(parameters).map(([name, value]) => [html("code", null, name), html("code", null, value)]),
  });

  sections.asked = ({ model, notes }) => {
    const asked = Object.entries(model.asked), { classes } = model;
    return [
      facts([
        [say("asked.model"), html("code", null, model.class)],
        [say("asked.target"), model.targets.length ? some(model.targets) : null],
        [say("asked.task"), say(`task.${model.task}`)],
        [say("asked.classes"), classes && [number(classes.length), say("list.colon"), some(classes)]],
        [say("asked.source"), model.source && bdi(model.source)],
        [say("asked.rows"), model.rows && number(model.rows)],
        [say("asked.size"), number(model.size)],
        [say("asked.trained"), model.trained && bdi(model.trained.replace("T", " ").replace("Z", " UTC"))],
        [say("asked.asked"), asked.length
          ? asked.flatMap(([name, value], i) => [i ? text("list.comma") : "", html("code", null, `${name}=${value}`)])
          : say("asked.usual")],
        [say("asked.digest"), html("code", null, model.digest)],
      ]),
      notes.length > 0 && [
        html("h3", null, say("asked.notes")),
        html("ul", { class: "told" }, notes.map((note) => html("li", null, told(note)))),
      ],
      html("details", null, html("summary", null, say("asked.parameters")), settings(model.parameters)),
    ];
  };

  sections.columns = ({ columns, columns_left_out: left }) => [
    columns.length
      ? charts.table({
          caption: text("columns.title"), head: [text("columns.name"), text("columns.became")],
          rows: columns.map((column) => [bdi(column.name ?? text("columns.all")), told(column.words)]),
        })
      : html("p", { class: "note" }, say("columns.none")),
    left > 0 && html("p", { class: "note" }, say("columns.left", { count: left })),
  ];

  /** How many places at the end of an axis no window reaches. */
  const unseen = (s) => (s.input + s.padding - s.dilation * (s.kernel - 1) - 1) % s.stride;

  /** The size of a map along one axis, in numbers: OH = ⌊(8 + 2 − 3)/2⌋ + 1 = ⌊3.5⌋ + 1 = 4. */
  function size(s, axes) {
    const up = s.output > s.exact;
    const whole = Number.isInteger(s.exact);
    const [open, close] = whole ? ["", ""] : up ? "⌈⌉" : "⌊⌋";
    const kernel = s.dilation === 1 ? "$kernel" : "$dilation · ($kernel − 1) − 1";
    const between = whole ? "" : `${open} $steps ${close} + 1 = `;
    const steps = `${open} frac{$input + $padding − ${kernel}}{$stride} ${close} + 1`;
    const source = `${axes.map((name) => `O${name}`).join(" = ")} = ${steps} = ${between}$output`;
    const left = unseen(s), axis = axes.join(text("list.comma"));
    return [
      html("p", { class: "size" }, formula(source, { ...s, steps: s.exact - 1 }, "wide")),
      left > 0 && html("p", { class: "note" },
        up ? say("network.up", { axis }) : say("network.left", { count: left, axis })),
    ];
  }

  /** The axes of a layer that have the same numbers share a formula. */
  function sizes(all) {
    const groups = new Map();
    for (const { axis, ...numbers } of all) {
      const key = JSON.stringify(numbers);
      groups.set(key, [...(groups.get(key) || []), axis]);
    }
    return [...groups].map(([key, axes]) => size(JSON.parse(key), axes));
  }

  sections.network = ({ network, model }) => [
    html("p", null, say("network.intro", {
      layers: network.length, size: model.size, learning: network.filter((layer) => layer.parameters).length,
    })),
    network.some((layer) => layer.sizes) && [
      formula("OH = ⌊ frac{H + 2P − D · (FH − 1) − 1}{S} ⌋ + 1", {}, "line"),
      html("p", { class: "note" }, say("network.sizes")),
    ],
    html("ol", { class: "layers" }, network.map((layer, i) => {
      const item = html("li", { class: layer.parameters ? "layer learns" : "layer" },
        layer.branch && layer.branch !== network[i - 1].branch &&
          html("span", { class: "branch" }, named("network.branch", layer.branch)),
        html("div", { class: "head" },
          html("code", null, layer.name),
          html("span", { class: "out" }, "→ ", shape(layer.output)),
          html("span", { class: "count" },
            layer.parameters > 0 && say("network.count", { count: layer.parameters }))),
        layer.sizes && sizes(layer.sizes));
      item.style.marginInlineStart = `${layer.depth * 1.4}rem`;
      return item;
    })),
  ];

  /** Whether numbers span so much that a logarithm shows them better. */
  function spans(numbers) {
    const known = numbers.filter((n) => n !== null);
    return known.every((n) => n > 0) && Math.max(...known) > 30 * Math.min(...known);
  }

  /** Curves of training: those of one measure, on the rows learned from and on those held out. */
  function curves({ columns, best_epoch: best }) {
    const own = Object.keys(columns).filter((name) => name !== "epoch" && !name.startsWith("validation_"));
    return own.map((name) => {
      const held = columns[`validation_${name}`];
      const series = [{ name: text("training.learned"), values: columns[name] }];
      if (held) series.push({ name: text("training.held"), values: held });
      const log = name === "loss" && spans(series.flatMap((s) => s.values));
      const measure = named("score", name);
      return charts.lines({
        label: log ? text("training.log", { measure }) : measure, series, xs: columns.epoch, log,
        xName: text("training.epoch"), height: name === "learning_rate" ? 180 : 250,
        marker: best ? { at: columns.epoch.indexOf(best), name: text("training.best") } : undefined,
      });
    });
  }

  /** Histograms of one layer, an epoch a column, the largest numbers on top. */
  function histograms(label, { edges, counts }, epochs) {
    const bins = edges.length - 1;
    const bin = (r) => `${round(edges[bins - 1 - r], 3)} … ${round(edges[bins - r], 3)}`;
    const middle = (r) => round((edges[bins - 1 - r] + edges[bins - r]) / 2, 2);
    return charts.grid({
      label, rows: bins, columns: epochs.length, diverging: false, square: false, names: true,
      corner: text("chart.value"),
      values: (r, c) => counts[c][bins - 1 - r], rowName: middle, columnName: (c) => round(epochs[c]),
      readout: (r, c, value) => say("monitor.cell", { epoch: epochs[c], bin: bin(r), count: value }),
    });
  }

  /** What was watched in training, layer by layer: a choice of a layer, and its charts. */
  function monitor({ epoch, layers }) {
    const shown = html("div");
    const choice = html("select", { id: "monitor-layer", onchange: show },
      layers.map((layer, i) => html("option", { value: i }, layer.name)));
    function show() {
      const layer = layers[choice.value];
      const parts = { dead: layer.dead, saturated: layer.saturated };
      const shares = Object.keys(parts).filter((part) => parts[part]);
      shown.replaceChildren(...[
        layer.weights && histograms(text("monitor.weights"), layer.weights, epoch),
        layer.activations && histograms(text("monitor.activations"), layer.activations, epoch),
        shares.length > 0 && charts.lines({
          label: text("monitor.shares"), xs: epoch, xName: text("training.epoch"), height: 180,
          series: shares.map((part) => ({ name: text(`monitor.${part}`), values: parts[part] })),
        }),
      ].filter(Boolean));
    }
    show();
    return [
      html("h3", null, say("monitor.title")),
      html("p", { class: "choice" }, html("label", { for: "monitor-layer" }, say("monitor.layer")), choice),
      shown,
    ];
  }

  sections.training = ({ training }) => {
    if (!training || !training.columns.epoch?.length) return html("p", { class: "note" }, say("training.none"));
    const count = training.columns.epoch.length;
    return [
      html("p", null, training.best_epoch
        ? say("training.stopped", { count, best: training.best_epoch })
        : say("training.intro", { count })),
      curves(training),
      training.monitor && training.monitor.layers.length > 0 && monitor(training.monitor),
    ];
  };

})();
