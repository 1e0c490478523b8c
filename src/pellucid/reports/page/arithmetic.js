// The formulas of each layer once more, in plain numbers: what the page recomputes, and holds
// against what Python wrote. A layer is {forward(node, index), backward(node, index)}: one number of
// y or of dx, as {value, size}; size is the sum of its terms without their signs. Where a part is
// not in the file, value is undefined.
(() => {
  "use strict";

  /** The places along an axis that are in the file. */
  const kept = (array, axis) =>
    (array.at && array.at[axis]) || Array.from({ length: array.shape[axis] }, (_, i) => i);

  /** A function of full indices that gives a number, or undefined where it is not in the file. */
  function reader(array) {
    if (!array) return () => undefined;
    if (array.read) return array.read;
    const { values } = array;
    const offsets = array.shape.map((size) => new Int32Array(size).fill(-1));
    let stride = 1;
    for (let axis = array.shape.length - 1; axis >= 0; axis--) {
      const places = kept(array, axis);
      places.forEach((place, i) => (offsets[axis][place] = i * stride));
      stride *= places.length;
    }
    const at = (o, i) => (i >= 0 && i < o.length ? o[i] : -1);
    const [a, b, c] = offsets;
    const general = (...index) => {
      let offset = 0;
      for (let axis = 0; axis < offsets.length; axis++) {
        const o = at(offsets[axis], index[axis]);
        if (o < 0) return undefined;
        offset += o;
      }
      return values[offset];
    };
    const one = (i) => (at(a, i) < 0 ? undefined : values[a[i]]);
    const two = (i, j) => (at(a, i) < 0 || at(b, j) < 0 ? undefined : values[a[i] + b[j]]);
    const three = (i, j, k) =>
      at(a, i) < 0 || at(b, j) < 0 || at(c, k) < 0 ? undefined : values[a[i] + b[j] + c[k]];
    array.read = [general, one, two, three][offsets.length] || general;
    return array.read;
  }

  /** The full indices of every `every`-th number of an array that is in the file. */
  function* places(array, every = 1) {
    const axes = array.shape.map((_, axis) => kept(array, axis));
    const count = axes.reduce((product, axis) => product * axis.length, 1);
    for (let n = 0; n < count; n += every) {
      const index = new Array(axes.length);
      for (let axis = axes.length - 1, rest = n; axis >= 0; axis--) {
        index[axis] = axes[axis][rest % axes[axis].length];
        rest = Math.floor(rest / axes[axis].length);
      }
      yield index;
    }
  }

  /**
   * Whether two numbers are equal to float32's precision: each part of a sum may be off by some
   * 1e-7 of itself, so their difference is held against the size of the parts.
   */
  const equal = (found, stored, size = 0) =>
    Object.is(found, stored) || (Number.isNaN(found) && Number.isNaN(stored)) ||
    Math.abs(found - stored) <= 1e-4 * Math.abs(stored) + 1e-6 * size + 1e-37;

  /** "ok", "off", or undefined where one of them is not in the file. */
  function check(found, stored) {
    if (!found || found.value === undefined || stored === undefined) return undefined;
    return equal(found.value, stored, found.size) ? "ok" : "off";
  }

  /** A sum of products. */
  class Sum {
    constructor() {
      this.total = this.size = this.missing = this.count = 0;
    }
    /** One more number. */
    plus(a) {
      this.add(a, 1);
    }
    /** One more product; either may not be in the file. */
    add(a, b) {
      this.count++;
      if (a === undefined || b === undefined) {
        this.missing++;
        return;
      }
      this.total += a * b;
      this.size += Math.abs(a * b);
    }
    get value() {
      return this.missing ? undefined : this.total;
    }
  }

  /** f of a sum, as precise as the sum: no f here is steeper than 1. */
  const through = (f, sum) => ({
    value: sum.value === undefined ? undefined : f(sum.value),
    size: sum.size,
    sum,
  });
  /** A product of numbers, any of which may not be in the file. */
  const product = (...factors) => {
    const missing = factors.includes(undefined);
    const value = missing ? undefined : factors.reduce((a, b) => a * b, 1);
    return { value, size: Math.abs(value || 0) };
  };
  const same = (value) => product(value);

  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

  /** f, and its slope as a function of y = f(x). */
  const activations = {
    relu: { f: (x) => Math.max(x, 0), slope: (y) => (y > 0 ? 1 : 0) },
    tanh: { f: Math.tanh, slope: (y) => 1 - y * y },
    sigmoid: { f: sigmoid, slope: (y) => y * (1 - y) },
    leaky_relu: {
      f: (x, slope) => (x > 0 ? x : slope * x),
      slope: (y, slope) => (y > 0 ? 1 : slope),
    },
  };
  const activationOf = {
    ReLU: "relu", Tanh: "tanh", Sigmoid: "sigmoid", LeakyReLU: "leaky_relu",
  };

  /** The reader of the row, step or pixel that the last index counts in. */
  function rowReader(array, index) {
    const read = reader(array), lead = index.slice(0, -1);
    return lead.length ? (i) => read(...lead, i) : read;
  }

  const kinds = {};

  kinds.Linear = {
    // y_k = sum_i x_i w_ik + b_k, of each step of a sequence
    forward(node, index) {
      const x = rowReader(node.x, index), w = reader(node.w.weight);
      const k = index[index.length - 1], sum = new Sum();
      for (let i = 0; i < node.w.weight.shape[0]; i++) sum.add(x(i), w(i, k));
      if (node.w.bias) sum.plus(reader(node.w.bias)(k));
      return sum;
    },
    // dx_i = sum_k dy_k w_ik
    backward(node, index) {
      const dy = rowReader(node.dy, index), w = reader(node.w.weight);
      const i = index[index.length - 1], sum = new Sum();
      for (let k = 0; k < node.w.weight.shape[1]; k++) sum.add(dy(k), w(i, k));
      return sum;
    },
    cost: (node) => node.w.weight.shape[0],
    costBack: (node) => node.w.weight.shape[1],
  };

  for (const [kind, name] of Object.entries(activationOf)) {
    const { f, slope } = activations[name];
    kinds[kind] = {
      forward: (node, index) => through((x) => f(x, node.step.slope), same(reader(node.x)(...index))),
      backward(node, index) {
        const y = reader(node.y)(...index);
        const d = y === undefined ? undefined : slope(y, node.step.slope);
        const found = product(d, reader(node.dy)(...index));
        return { value: found.value, size: Math.abs(reader(node.dy)(...index) || 0) };
      },
    };
  }

  /** All the numbers of one row, step or pixel: along the last axis. */
  const along = (array, lead) => {
    const read = reader(array), size = array.shape[array.shape.length - 1];
    return Array.from({ length: size }, (_, i) => read(...lead, i));
  };
  const whole = (numbers) => !numbers.includes(undefined);

  kinds.Softmax = {
    // y_i = e^x_i / sum_j e^x_j
    forward(node, index) {
      const x = along(node.x, index.slice(0, -1));
      if (!whole(x)) return { value: undefined, size: 0 };
      const most = Math.max(...x), e = x.map((z) => Math.exp(z - most));
      const value = e[index[index.length - 1]] / e.reduce((a, b) => a + b, 0);
      return { value, size: value * (1 + Math.max(...x.map(Math.abs))) };
    },
    // dx_i = y_i (dy_i - sum_j dy_j y_j)
    backward(node, index) {
      const lead = index.slice(0, -1), i = index[index.length - 1];
      const y = along(node.y, lead), dy = along(node.dy, lead), mean = new Sum();
      y.forEach((p, j) => mean.add(p, dy[j]));
      if (mean.missing) return mean;
      return { value: y[i] * (dy[i] - mean.value), size: y[i] * (Math.abs(dy[i]) + mean.size) };
    },
    cost: (node) => 3 * node.x.shape[node.x.shape.length - 1],
  };

  const unchanged = {
    forward: (node, index) => same(reader(node.x)(...index)),
    backward: (node, index) => same(reader(node.dy)(...index)),
  };
  kinds.Dropout = unchanged;

  /** Where a number of x stands in the flat row, and back. */
  const flat = (shape, index) => index.reduce((n, i, axis) => n * shape[axis] + i, 0);
  const unflat = (shape, n) => {
    const index = [];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index.unshift(n % shape[axis]);
      n = Math.floor(n / shape[axis]);
    }
    return index;
  };
  kinds.Flatten = {
    forward: (node, [n]) => same(reader(node.x)(...unflat(node.x.shape, n))),
    backward: (node, index) => same(reader(node.dy)(flat(node.x.shape, index))),
  };

  kinds.BatchNorm = {
    // y = gamma (x - mean) / sqrt(variance + eps) + beta, mean and variance those of training
    forward(node, index) {
      const parts = kinds.BatchNorm.parts(node, index), { x, mean, std, gamma, beta } = parts;
      if (!whole([x, mean, std, gamma, beta])) return { value: undefined, size: 0 };
      const size = (Math.abs(gamma) * (Math.abs(x) + Math.abs(mean))) / std + Math.abs(beta);
      return { value: (gamma * (x - mean)) / std + beta, size };
    },
    backward(node, index) {
      const { std, gamma } = kinds.BatchNorm.parts(node, index);
      return product(reader(node.dy)(...index), gamma, std === undefined ? std : 1 / std);
    },
    parts(node, index) {
      const c = index[index.length - 1], of = (name) => reader(node.w[name])(c);
      const variance = of("running_variance");
      const std = variance === undefined ? undefined : Math.sqrt(variance + node.step.eps);
      return {
        x: reader(node.x)(...index), mean: of("running_mean"), variance, std,
        gamma: of("gamma"), beta: of("beta"),
      };
    },
  };

  kinds.LayerNorm = {
    // mean and variance of the m numbers of a row; y = gamma (x - mean) / std + beta
    forward(node, index) {
      const { x, mean, std, gamma, beta } = kinds.LayerNorm.parts(node, index);
      const i = index[index.length - 1];
      if (!whole([mean, gamma[i], beta[i]])) return { value: undefined, size: 0 };
      const most = Math.max(...x.map(Math.abs));
      const size = (2 * Math.abs(gamma[i]) * most * (1 + most / std)) / std + Math.abs(beta[i]);
      return { value: (gamma[i] * (x[i] - mean)) / std + beta[i], size };
    },
    // dx = (dxhat - mean(dxhat) - xhat mean(dxhat xhat)) / std, dxhat = gamma dy
    backward(node, index) {
      const { x, mean, std, gamma } = kinds.LayerNorm.parts(node, index);
      const i = index[index.length - 1], dy = along(node.dy, index.slice(0, -1));
      if (mean === undefined || !whole(dy) || !whole(gamma)) return { value: undefined, size: 0 };
      const m = x.length, xhat = x.map((a) => (a - mean) / std), d = dy.map((a, j) => a * gamma[j]);
      const sum = new Sum(), dot = new Sum();
      d.forEach((a, j) => (sum.plus(a), dot.add(a, xhat[j])));
      const value = (d[i] - sum.value / m - (xhat[i] * dot.value) / m) / std;
      const most = Math.max(...x.map(Math.abs)) / std;
      const size = (Math.abs(d[i]) + (sum.size + Math.abs(xhat[i]) * dot.size) / m) / std;
      return { value, size: size * (1 + most) };
    },
    parts(node, index) {
      const x = along(node.x, index.slice(0, -1));
      const gamma = along(node.w.gamma, []), beta = along(node.w.beta, []);
      if (!whole(x)) return { x, gamma, beta };
      const m = x.length, mean = x.reduce((a, b) => a + b, 0) / m;
      const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / m;
      return { x, gamma, beta, mean, variance, std: Math.sqrt(variance + node.step.eps) };
    },
    cost: (node) => 3 * node.x.shape[node.x.shape.length - 1],
  };

  kinds.GlobalAvgPool = {
    forward(node, [c]) {
      const x = reader(node.x), sum = new Sum(), [height, width] = node.x.shape;
      if (node.x.shape.length === 2) for (let i = 0; i < height; i++) sum.plus(x(i, c));
      else for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) sum.plus(x(i, j, c));
      return through((total) => total / kinds.GlobalAvgPool.count(node), sum);
    },
    backward(node, index) {
      const dy = reader(node.dy)(index[index.length - 1]);
      return product(dy, 1 / kinds.GlobalAvgPool.count(node));
    },
    count: (node) => node.x.shape.slice(0, -1).reduce((a, b) => a * b, 1),
    cost: (node) => kinds.GlobalAvgPool.count(node),
  };

  kinds.Embedding = {
    // y_t = (E[x_t1], ..., E[x_tC]), and the other numbers as they are
    forward(node, [t, n]) {
      const { token, place, other } = kinds.Embedding.source(node, t, n);
      if (other !== undefined) return same(reader(node.x)(t, other));
      return same(token === undefined ? undefined : reader(node.w.weight)(token, place));
    },
    source(node, t, n) {
      const [, width] = node.w.weight.shape, x = reader(node.x);
      const others = node.step.others || 0;
      const tokens = node.x.shape.length === 1 ? 1 : node.x.shape[1] - others;
      if (n >= tokens * width) return { other: tokens + n - tokens * width };
      const which = Math.floor(n / width);
      return { token: node.x.shape.length === 1 ? x(t) : x(t, which), which, place: n % width };
    },
  };

  kinds.Residual = {
    forward(node, index) {
      const sum = new Sum();
      for (const array of kinds.Residual.ways(node, "y")) sum.plus(reader(array)(...index));
      return sum;
    },
    backward(node, index) {
      const sum = new Sum();
      for (const array of kinds.Residual.ways(node, "dx")) sum.plus(reader(array)(...index));
      return sum;
    },
    /** What comes out of F and of the shortcut; on the way back what both give. */
    ways({ branches, x, dy }, name) {
      const of = (nodes) => (name === "y" ? nodes[nodes.length - 1].y : nodes[0].dx);
      const without = name === "y" ? x : dy;
      const { layers, shortcut } = branches;
      return [of(layers), shortcut && shortcut.length ? of(shortcut) : without];
    },
  };

  /**
   * Recompute a layer's numbers one after the other: yields "ok", "off" or undefined each. Where
   * that is much work, it is every n-th number; `told.every` says which.
   */
  function* verify(node, told = {}, most = 2e7) {
    const kind = kinds[node.kind];
    if (!kind) return;
    const back = kind.backward && node.dx && node.dy;
    for (const [name, stored, one, cost] of [
      ["y", node.y, kind.forward, kind.cost],
      ["dx", back ? node.dx : null, kind.backward, kind.costBack || kind.cost],
    ]) {
      if (!stored || !one) continue;
      const work = stored.values.length * (cost ? cost(node) : 1);
      const every = Math.max(1, Math.ceil(work / most));
      told.every = Math.max(told.every || 1, every);
      const read = reader(stored);
      for (const index of places(stored, every)) {
        const found = check(one(node, index), read(...index));
        if (found === "off" && !told.off) told.off = { name, index };
        yield found;
      }
    }
    if (kind.others) yield* kind.others(node, told, most);
  }

  pellucid.arithmetic = {
    Sum, activationOf, activations, along, check, equal, flat, kept, kinds, places, product, reader,
    same, sigmoid, through, unflat, verify, whole,
  };
})();
