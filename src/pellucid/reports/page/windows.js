// What windows that slide over pictures compute: convolution and pooling. Signals are pictures of
// one row. Continues arithmetic.js.
(() => {
  "use strict";
  const { Sum, check, kinds, places, reader, same, through } = pellucid.arithmetic;

  /**
   * How the windows of a layer lie: sizes as [down, across], and readers of three indices. Kept
   * with the layer.
   */
  function geometry(node) {
    if (node.geometry) return node.geometry;
    const { step, x, y } = node, flat = x.shape.length === 2;
    const pair = (given, one) => (flat ? [one, (given || [one])[0]] : given || [one, one]);
    const three = (array) => {
      const read = reader(array);
      return flat ? (i, j, c) => (i === 0 ? read(j, c) : undefined) : read;
    };
    const w = node.w.weight, kernel = reader(w);
    node.geometry = {
      flat,
      size: pair(w ? w.shape.slice(0, -2) : step.size, 1),
      stride: pair(step.stride, 1),
      dilation: pair(step.dilation, 1),
      before: flat ? [0, step.padding[0][0]] : [step.padding[0][0], step.padding[1][0]],
      after: flat ? [0, step.padding[0][1]] : [step.padding[0][1], step.padding[1][1]],
      input: flat ? [1, x.shape[0]] : x.shape.slice(0, 2),
      output: flat ? [1, y.shape[0]] : y.shape.slice(0, 2),
      channels: [x.shape[x.shape.length - 1], y.shape[y.shape.length - 1]],
      x: three(x), y: three(y), dx: three(node.dx), dy: three(node.dy),
      winner: three(step.winner),
      w: flat ? (k, l, c, o) => kernel(l, c, o) : kernel,
      index: (i, j, c) => (flat ? [j, c] : [i, j, c]),
      full: (index) => (flat ? [0, ...index] : index),
    };
    return node.geometry;
  }

  /** Visit what the window of output place (i, j) sees: (k, l) in it, (r, s) in x, or padding. */
  function look(g, i, j, visit) {
    for (let k = 0; k < g.size[0]; k++) {
      const r = i * g.stride[0] - g.before[0] + k * g.dilation[0];
      for (let l = 0; l < g.size[1]; l++) {
        const s = j * g.stride[1] - g.before[1] + l * g.dilation[1];
        visit(k, l, r, s, r >= 0 && r < g.input[0] && s >= 0 && s < g.input[1]);
      }
    }
  }

  /** Visit every window (i, j) that sees place (r, s) of x, and as which place (k, l). */
  function seenBy(g, r, s, visit) {
    for (let k = 0; k < g.size[0]; k++) {
      const down = r + g.before[0] - k * g.dilation[0], i = down / g.stride[0];
      if (down < 0 || down % g.stride[0] || i >= g.output[0]) continue;
      for (let l = 0; l < g.size[1]; l++) {
        const across = s + g.before[1] - l * g.dilation[1], j = across / g.stride[1];
        if (across < 0 || across % g.stride[1] || j >= g.output[1]) continue;
        visit(i, j, k, l);
      }
    }
  }

  const area = (node) => geometry(node).size[0] * geometry(node).size[1];

  const convolution = {
    // y_ijo = b_o + sum_klc x_(iS+Dk-P)(jS+Dl-P)c w_klco; padding is zeros
    forward(node, index) {
      const g = geometry(node), [i, j, o] = g.full(index), sum = new Sum();
      look(g, i, j, (k, l, r, s, inside) => {
        for (let c = 0; c < g.channels[0]; c++) {
          if (inside) sum.add(g.x(r, s, c), g.w(k, l, c, o));
        }
      });
      if (node.w.bias) sum.plus(reader(node.w.bias)(o));
      return sum;
    },
    /** The part of one input channel: sum_kl x w. */
    channel(node, i, j, c, o) {
      const g = geometry(node), sum = new Sum();
      look(g, i, j, (k, l, r, s, inside) => inside && sum.add(g.x(r, s, c), g.w(k, l, c, o)));
      return sum;
    },
    // dx_rsc gathers sum_o dy_ijo w_klco from every window that sees it
    backward(node, index) {
      const g = geometry(node), [r, s, c] = g.full(index), sum = new Sum();
      seenBy(g, r, s, (i, j, k, l) => {
        for (let o = 0; o < g.channels[1]; o++) sum.add(g.dy(i, j, o), g.w(k, l, c, o));
      });
      return sum;
    },
    /** dL/dw_klco = sum_ij x dy: what this weight was multiplied by, times what came back. */
    weight(node, k, l, c, o) {
      const g = geometry(node), sum = new Sum();
      for (let i = 0; i < g.output[0]; i++) {
        const r = i * g.stride[0] - g.before[0] + k * g.dilation[0];
        if (r < 0 || r >= g.input[0]) continue;
        for (let j = 0; j < g.output[1]; j++) {
          const s = j * g.stride[1] - g.before[1] + l * g.dilation[1];
          if (s >= 0 && s < g.input[1]) sum.add(g.x(r, s, c), g.dy(i, j, o));
        }
      }
      return sum;
    },
    cost: (node) => area(node) * geometry(node).channels[0],
    costBack: (node) => area(node) * geometry(node).channels[1],
  };
  kinds.Conv2d = kinds.Conv1d = convolution;

  const maxPool = {
    // y = the largest of the window; padding never wins, of equals the first
    forward(node, index) {
      const found = maxPool.winner(node, index);
      return same(found && found.value);
    },
    /** The winner: its place (k, l) in the window, (r, s) in x; undefined if a part is missing. */
    winner(node, index) {
      const g = geometry(node), [i, j, c] = g.full(index);
      let best = null, missing = false;
      look(g, i, j, (k, l, r, s, inside) => {
        if (!inside) return;
        const value = g.x(r, s, c);
        missing = missing || value === undefined;
        if (best === null || value > best.value) best = { value, k, l, r, s, place: k * g.size[1] + l };
      });
      return missing ? undefined : best;
    },
    // dx_rs gathers dy of every window that it has won
    backward(node, index) {
      const g = geometry(node), [r, s, c] = g.full(index), sum = new Sum();
      seenBy(g, r, s, (i, j, k, l) => {
        const winner = g.winner(i, j, c);
        if (winner === undefined) sum.plus(undefined);
        else if (winner === k * g.size[1] + l) sum.plus(g.dy(i, j, c));
      });
      return sum;
    },
    cost: area,
    /** Whether the number at the winner's place is the largest: of equals any may have won. */
    *others(node) {
      const g = geometry(node);
      for (const index of places(node.step.winner)) {
        const best = maxPool.winner(node, index), [i, j, c] = g.full(index);
        let held;
        look(g, i, j, (k, l, r, s) => {
          if (k * g.size[1] + l === g.winner(i, j, c)) held = g.x(r, s, c);
        });
        yield check(best, held);
      }
    },
  };
  kinds.MaxPool2d = kinds.MaxPool1d = maxPool;

  const averagePool = {
    // y = the mean of the window
    forward(node, index) {
      const g = geometry(node), [i, j, c] = g.full(index), sum = new Sum();
      look(g, i, j, (k, l, r, s, inside) => inside && sum.plus(g.x(r, s, c)));
      return through((total) => total / averagePool.count(node, i, j), sum);
    },
    /** How many numbers a window's mean is over: with the padding's zeros, or without them. */
    count(node, i, j) {
      const g = geometry(node), pads = Boolean(node.step.count_include_pad);
      const ends = [i, j].map((place, axis) => {
        const begin = place * g.stride[axis] - g.before[axis];
        const low = pads ? -g.before[axis] : 0;
        const high = g.input[axis] + (pads ? g.after[axis] : 0);
        return Math.min(begin + g.size[axis], high) - Math.max(begin, low);
      });
      return ends[0] * ends[1];
    },
    // dx_rs gathers dy / count of every window that sees it
    backward(node, index) {
      const g = geometry(node), [r, s, c] = g.full(index), sum = new Sum();
      seenBy(g, r, s, (i, j) => sum.add(g.dy(i, j, c), 1 / averagePool.count(node, i, j)));
      return sum;
    },
    cost: area,
  };
  kinds.AvgPool2d = kinds.AvgPool1d = averagePool;

  pellucid.windows = { averagePool, convolution, geometry, look, maxPool, seenBy };
})();
