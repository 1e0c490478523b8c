// The panel of the loss: one row's outputs, what the loss makes of them, and the gradient that begins
// its way back there. Continues walk_layers.js.
(() => {
  "use strict";
  const { html, say, text, charts } = pellucid;
  const { check, sigmoid } = pellucid.arithmetic;
  const { checkedCell, checked, equation, figure } = pellucid.parts;
  const { lines } = pellucid.formulas;

  const near = (value, size = Math.abs(value)) => ({ value, size });

  /**
   * What the page computes of a loss: {parts: {name: [found, stored] of each output}, value}; of one
   * row, so m = 1.
   */
  const losses = {
    categorical_cross_entropy(loss) {
      const { output: z, target: t } = loss, most = loss.largest ?? Math.max(...z);
      const exp = z.map((a) => near(Math.exp(a - most), 1 + Math.abs(a)));
      const sum = exp.reduce((total, e) => total + e.value, 0), whole = !loss.left_out;
      const share = exp.map((e) => near(e.value / (whole ? sum : loss.sum), 1));
      const log = z.map((a) => most + Math.log(whole ? sum : loss.sum) - a);
      return {
        sum: whole ? near(sum) : undefined, share, most,
        exp, log, gradient: share.map((p, i) => near(p.value - t[i], 1)),
        value: t.some((a) => a) ? near(t.reduce((total, a, i) => total + a * log[i], 0), 1) : undefined,
      };
    },
    binary_cross_entropy(loss) {
      const { output: z, target: t } = loss, share = z.map((a) => near(sigmoid(a), 1));
      // -log s(z) = log(1 + e^-z), and 1 - s(z) = s(-z)
      const soft = (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
      const log = z.map((a, k) => t[k] * soft(-a) + (1 - t[k]) * soft(a));
      return {
        share, log, gradient: share.map((p, k) => near(p.value - t[k], 1)), value: total(loss, log),
      };
    },
    mean_squared_error: (loss) => byError(loss, (e) => (e * e) / 2, (e) => e),
    mean_absolute_error: (loss) => byError(loss, Math.abs, Math.sign),
    huber_loss(loss) {
      const { delta } = loss.options;
      return byError(loss, (e) => Math.abs(e) <= delta ? (e * e) / 2 : delta * (Math.abs(e) - delta / 2),
        (e) => Math.min(Math.max(e, -delta), delta));
    },
    pinball_loss(loss) {
      const q = loss.options.quantile; // u = -e
      return byError(loss, (e) => Math.max(-q * e, (1 - q) * e), (e) => (e < 0 ? -q : e > 0 ? 1 - q : 0));
    },
  };
  /** The sum over all outputs, unless some are left out. */
  const total = (loss, parts) =>
    loss.left_out ? undefined : near(parts.reduce((a, b) => a + b, 0), 1);
  function byError(loss, of, slope) {
    const error = loss.output.map((y, k) => y - loss.target[k]);
    const size = (k) => Math.abs(loss.output[k]) + Math.abs(loss.target[k]);
    const each = error.map(of);
    return { error, each, gradient: error.map((e, k) => near(slope(e), size(k))), value: total(loss, each) };
  }

  /** All that the page can hold against Python's: pairs of found and stored. */
  function* pairs(loss) {
    const found = losses[loss.name](loss);
    if (found.exp) for (const [i, e] of found.exp.entries()) yield [e, loss.exp[i]];
    if (found.sum) yield [found.sum, loss.sum];
    if (found.share) for (const [i, p] of found.share.entries()) yield [p, loss.probabilities[i]];
    for (const [i, g] of found.gradient.entries()) yield [g, loss.gradient[i]];
    if (found.value) yield [found.value, loss.value];
  }
  function* verify(loss) {
    for (const [found, stored] of pairs(loss)) yield check(found, stored);
  }

  function panel(loss) {
    const found = losses[loss.name](loss), { labels, output, target } = loss;
    const cross = Boolean(found.share), head = [text("walk.loss.output")], columns = [labels];
    const add = (title, values) => {
      head.push(values[0] instanceof Node ? html("span", { class: "walk-cell" }, title) : title);
      columns.push(values);
    };
    add(cross ? "z" : "ŷ", output);
    if (found.exp) {
      add(found.most ? "exp(z − max z)" : "exp(z)", found.exp.map((e, i) => checkedCell(e, loss.exp[i])));
    }
    if (cross) add("p", found.share.map((p, i) => checkedCell(p, loss.probabilities[i])));
    add(cross ? "t" : "y", target);
    if (cross) add(found.exp ? "− log p" : text("walk.loss.part"), found.log);
    else add("ŷ − y", found.error), add(text("walk.loss.part"), found.each);
    add(cross ? "∂L/∂z" : "∂L/∂ŷ", found.gradient.map((g, i) => checkedCell(g, loss.gradient[i])));
    if (loss.unit) add(text("walk.loss.unit"), output.map((y, k) => y * loss.unit.scale[k] + loss.unit.shift[k]));
    return [
      html("p", null, say(`walk.loss.${loss.name}`)), lines(loss.name),
      charts.table({
        caption: text("walk.loss"), head, count: labels.length,
        rows: (i) => columns.map((values) => values[i]),
      }),
      loss.left_out > 0 && html("p", { class: "walk-note" },
        say("walk.loss.cut", { shown: labels.length, count: labels.length + loss.left_out })),
      loss.options.delta !== undefined && equation("δ = $delta", loss.options),
      loss.options.quantile !== undefined && equation("q = $quantile", loss.options),
      found.exp && equation("∑_j e^{z_j − max} = $sum", {
        sum: found.sum ? checked(found.sum, loss.sum) : figure(loss.sum),
      }),
      equation("L = $value", { value: found.value ? checked(found.value, loss.value) : figure(loss.value) }),
      html("p", { class: "walk-note" }, say("walk.loss.one")),
      lines(`${loss.name}_back`),
      found.exp && pellucid.panels.jacobian(found.share.map((p) => p.value), (i) => labels[i]),
    ];
  }

  pellucid.loss = { losses, panel, verify };
})();
