// The walk: one row from what went in to the loss and back, a panel a layer. Every number that can be
// recomputed is, and counted; the panels are made when they are opened. Continues all walk_*.js.
(() => {
  "use strict";
  const { html, say, text, number, shape, bdi, some, decode, charts } = pellucid;
  const { reader, verify } = pellucid.arithmetic;
  const { panels, loss } = pellucid;
  const SLICE = 12; // milliseconds of recomputing at a time, so that the page stays quick

  /** The layers of a walk, their arrays decoded; what is not written twice is taken from beside it. */
  function nodesOf(data, steps, input) {
    const entries = new Map(data.network.map((entry) => [entry.path, entry]));
    function chain(list, x, dx, dy) {
      const nodes = [];
      list.forEach((step, i) => {
        const before = nodes[i - 1], entry = entries.get(step.path) || {};
        const w = Object.fromEntries(Object.entries(entry.weights || {}).map(([k, a]) => [k, decode(a)]));
        const node = {
          step: { ...step, winner: decode(step.winner) }, kind: step.kind, path: step.path, entry, w,
          x: decode(step.x) || (before ? before.y : x), y: decode(step.y),
          dx: decode(step.dx) || (before ? before.dy : dx),
          dy: decode(step.dy) || (i === list.length - 1 ? dy : null),
          mean: decode(step.mean), std: decode(step.std), depth: step.depth,
          badge: html("span", { class: "walk-badge" }),
        };
        if (before) before.next = node;
        if (step.branches) {
          node.branches = {};
          for (const [name, inner] of Object.entries(step.branches)) {
            node.branches[name] = chain(inner, node.x, null, node.dy);
          }
        }
        nodes.push(node);
      });
      return nodes;
    }
    const nodes = chain(steps, null, null, null);
    if (nodes.length) {
      Object.assign(nodes[0], { first: true, picture: input.kind === "picture" });
      nodes[nodes.length - 1].last = true;
    }
    return nodes;
  }
  const every = (nodes) => nodes.flatMap((node) =>
    [node, ...Object.values(node.branches || {}).flatMap(every)]);

  /** What went in, in the row's own words. */
  function inputPanel(input, first) {
    const { kind } = input;
    if (kind === "table") {
      return charts.table({
        caption: text("walk.input"), limit: 30,
        head: [text("walk.input.column"), text("walk.input.value"), text("walk.input.encoded")],
        rows: input.columns.map(({ name, value, encoded, words, places }) => [
          name, value === null ? say("walk.input.missing") : bdi(value),
          html("span", { class: "walk-encoded" }, encoded.map((code, i) => html("span", null,
            words && words[i] !== name ? [bdi(words[i]), ": "] : null,
            html("span", { class: "walk-place" }, `x ${places[i]} = `), number(code)))),
        ]),
      });
    }
    if (kind === "tokens") {
      return html("ol", { class: "walk-tokens" }, input.tokens.map((token) => html("li", null, bdi(token))));
    }
    const { atlas } = pellucid.parts;
    const whole = first && first.x && !first.x.at.some(Boolean);
    const image = kind === "picture" && input.image && !whole &&
      html("img", { class: "walk-image", src: input.image, alt: text("walk.input.picture") });
    if (!first || !first.x) return image;
    const map = atlas({ array: first.x, label: text("walk.input.numbers"), grey: kind === "picture" });
    const channel = map.channels && pellucid.parts.slider({
      label: text("walk.channel"), places: map.channels, onInput: map.channel,
    });
    const features = kind === "sequence" && html("p", null, say("walk.input.features", { names: html("span", null, some(input.features)) }));
    return [features, image, channel, map.element];
  }

  /** What each number that the network reads is called in the user's data, by its place. */
  function namesOf({ kind, columns, features }) {
    if (kind === "sequence") return features;
    if (kind !== "table") return null;
    const names = [];
    for (const { name, words, places } of columns)
      places.forEach((place, i) => (names[place] = (words && words[i]) || name));
    return names;
  }

  /** A panel that is made when it is opened. */
  function panel(title, make, attributes, { open, badge } = {}) {
    const element = html("details", { class: "walk-step", ...attributes },
      html("summary", null, html("span", { class: "walk-title" }, title), " ", badge));
    function fill() {
      if (!element.open || element.dataset.made) return;
      element.dataset.made = "true";
      element.append(html("div", { class: "walk-body" }, make()));
    }
    element.addEventListener("toggle", fill);
    if (open) {
      element.open = true;
      fill();
    }
    return element;
  }

  /** How many numbers were recomputed and equal, in a panel's heading or over all. */
  function verdict({ ok, off, every: step, first }) {
    const count = ok + off;
    if (!count) return [];
    const said = say(off ? "walk.check.off" : "walk.check.ok", { ok, count, off });
    const where = first && ` (${first.name} ${first.index.join(", ")})`;
    const some = step > 1 ? [" ", say("walk.check.some", { every: step })] : [];
    return [off ? "✗ " : "✓ ", said, where || "", ...some];
  }

  let running = null;
  /** Recompute all numbers of a walk bit by bit; another walk ends this one. */
  function recompute(jobs, head) {
    const mine = (running = {}), page = document.documentElement, sum = { ok: 0, off: 0, every: 1 };
    delete page.dataset.checks;
    let at = 0, now = null;
    function slice() {
      if (running !== mine) return;
      const end = performance.now() + SLICE;
      while (performance.now() < end) {
        if (!now) {
          if (at === jobs.length) return done();
          now = { ...jobs[at++], ok: 0, off: 0, told: {} };
          now.checks = now.start(now.told);
        }
        for (let n = 0; n < 50; n++) {
          const { done: over, value } = now.checks.next();
          if (over) {
            finish(now);
            now = null;
            break;
          }
          if (value) now[value]++;
        }
      }
      setTimeout(slice, 0);
    }
    function finish({ ok, off, told, badge }) {
      sum.ok += ok;
      sum.off += off;
      sum.every = Math.max(sum.every, told.every || 1);
      badge.replaceChildren(...verdict({ ok, off, every: told.every || 1, first: told.off }));
      badge.classList.toggle("off", off > 0);
    }
    function done() {
      head.replaceChildren(say(sum.off ? "walk.recomputed.off" : "walk.recomputed", {
        ok: sum.ok, count: sum.ok + sum.off, off: sum.off,
      }), sum.every > 1 ? [" ", say("walk.recomputed.some")] : "");
      head.classList.toggle("off", sum.off > 0);
      page.dataset.checks = sum.ok + sum.off;
      page.dataset.off = sum.off;
    }
    setTimeout(slice, 30);
  }

  /** What the row is, what was said of it, and what is true. */
  function answer(walk) {
    const part = (key, value) => value !== null && value !== undefined && [
      html("dt", null, say(key)), html("dd", null, [value].flat().map((one, i) =>
        [i ? say("list.comma") : "", typeof one === "number" ? number(one) : bdi(one)]))];
    return html("dl", { class: "facts walk-answer" }, part("walk.answer.row", walk.row),
      part("walk.answer.true", walk.true), part("walk.answer.predicted", walk.predicted));
  }

  /** The walk of one row, in the page's language. */
  function render(data, index) {
    const walk = data.walks[index], { input } = walk;
    const nodes = nodesOf(data, walk.steps, input);
    const names = namesOf(input);
    const outputs = walk.loss && !walk.loss.left_out ? walk.loss.labels : null;
    const context = {
      times: input.times, tokens: input.tokens,
      inputName: names && ((i) => names[i] ?? `x ${i}`),
      outputName: outputs && ((k) => outputs[k] ?? `y ${k}`),
      panel(node) {
        const title = [
          html("span", { class: "walk-kind" }, node.entry.name || node.kind), " ",
          html("span", { class: "walk-shapes" }, shape(node.x.shape), " → ", shape(node.y.shape)),
        ];
        const make = () => [
          html("p", null, say(`formula.${node.kind}`)),
          cutOf(node), node.step.overview && pellucid.parts.overview(node.step.overview),
          panels[node.kind] && panels[node.kind](node, context),
        ];
        const { badge, kind, path } = node;
        const open = kind === "Residual" && nodes.length === 1; // all that a forecaster has is in it
        return panel(title, make, { "data-path": path, "data-kind": kind }, { badge, open });
      },
    };
    const head = html("p", { class: "walk-recomputed", role: "status" }, say("walk.recomputing"));
    const jobs = every(nodes).map((node) =>
      ({ start: (told) => verify(node, told), badge: node.badge }));
    const inside = panel(say("walk.input"), () => inputPanel(input, nodes[0]),
      { "data-kind": "input" }, { open: true });
    const layers = nodes.map((node) => context.panel(node));
    let end = null;
    if (walk.loss) {
      const badge = html("span", { class: "walk-badge" });
      jobs.push({ start: () => loss.verify(walk.loss), badge });
      end = panel(say("walk.loss"), () => loss.panel(walk.loss), { "data-kind": "loss" }, { badge });
    }
    recompute(jobs, head);
    return html("div", { class: "walk" }, answer(walk), head,
      html("p", { class: "walk-note" }, say("walk.hint")), inside, layers, end);
  }

  /** What of a layer's arrays is not in the file. */
  function cutOf(node) {
    const parts = [["x", node.x], ["y", node.y], ...Object.entries(node.w)].filter(([, array]) =>
      array && array.at.some(Boolean));
    return parts.map(([name, array]) => html("p", { class: "walk-note" },
      say("walk.cut", { name, shown: shape(array.kept), all: shape(array.shape) })));
  }

  pellucid.walk = { nodesOf, reader, render };
})();
