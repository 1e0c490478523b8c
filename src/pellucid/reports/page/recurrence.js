// The recurrent layers' formulas: states and gates step by step, and the gradient back through time.
// Continues arithmetic.js. A unit's number is asked for by (run, t, unit): a run is one direction.
(() => {
  "use strict";
  const { Sum, activations, check, kinds, places, product, reader, sigmoid, through } =
    pellucid.arithmetic;

  /** Of numbers that are not in the file sums make NaN. */
  const defined = (number) => (Number.isNaN(number) ? undefined : number);

  const GATES = { RNN: ["h"], LSTM: ["i", "f", "g", "o"], GRU: ["r", "z", "n"] };

  /** The directions of a layer, each with readers in the order in which it goes. */
  function runs(node) {
    if (node.runs) return node.runs;
    node.runs = node.step.directions.map((direction, turn) => {
      const prefix = direction.reverse ? "reverse_" : "";
      const weight = (name) => node.w[prefix + name];
      const steps = node.x.shape[0], inputs = node.x.shape[1];
      const values = {}, read = {};
      for (const [name, array] of Object.entries(direction.values)) {
        values[name] = pellucid.decode(array);
        read[name] = reader(values[name]);
      }
      const [, width] = values.h.shape;
      const x = reader(node.x), dy = reader(node.dy);
      const place = (t) => (direction.reverse ? steps - 1 - t : t);
      return {
        node, direction, values, read, steps, inputs, width, place,
        x: (t, i) => x(place(t), i),
        U: reader(weight("input_weight")), W: reader(weight("recurrent_weight")),
        V: reader(weight("candidate_weight")), b: reader(weight("bias")),
        b_hn: weight("candidate_bias") && reader(weight("candidate_bias")),
        /** The state of the step before; zeros before the first. */
        before: (name, t, unit) => (t ? read[name](t - 1, unit) : 0),
        /** What comes to a state from the layer above. */
        above: (t, unit) => {
          const h = turn * width + unit;
          if (node.step.return_sequences) return dy(place(t), h);
          return t === steps - 1 ? dy(h) : 0;
        },
      };
    });
    return node.runs;
  }

  /** x_t U + h_{t-1} W + b of one gate's unit; `visit` sees each term. */
  function before(run, t, gate, unit, visit = () => {}) {
    const column = gate * run.width + unit, sum = new Sum();
    for (let i = 0; i < run.inputs; i++) {
      sum.add(run.x(t, i), run.U(i, column));
      visit("x", i, run.x(t, i), run.U(i, column));
    }
    for (let j = 0; t && j < run.width; j++) {
      sum.add(run.read.h(t - 1, j), run.W(j, column));
      visit("h", j, run.read.h(t - 1, j), run.W(j, column));
    }
    sum.plus(run.b(column));
    visit("b", 0, run.b(column), 1);
    return sum;
  }

  const sumOf = (...products) => {
    const sum = new Sum();
    for (const [a, b] of products) sum.add(a, b);
    return sum;
  };
  const times = (sum, ...factors) => {
    const all = product(sum.value, ...factors);
    return { value: all.value, size: sum.size * Math.abs(product(...factors).value || 0) };
  };

  const RNN = {
    gates: GATES.RNN,
    forward: {
      // h_t = f(x_t U + h_{t-1} W + b)
      h(run, t, unit) {
        return through(activations[run.node.step.activation].f, before(run, t, 0, unit));
      },
    },
    /** The gradient before a gate's activation: dz = f'(z) dh. */
    dz(run, t, gate, unit) {
      const h = run.read.h(t, unit);
      return product(run.read.dh(t, unit), h === undefined ? h : RNN.slope(run, t, unit)).value;
    },
    slope: (run, t, unit) => activations[run.node.step.activation].slope(run.read.h(t, unit)),
    backward: {
      // dh_t = what comes from above + W (f'(z_{t+1}) dh_{t+1})
      dh: (run, t, unit) => throughTime(RNN, run, t, unit),
    },
  };

  /** What comes to a state from above, and from the step after it by all gates' weights. */
  function throughTime(kind, run, t, unit) {
    const sum = new Sum();
    sum.plus(run.above(t, unit));
    if (t === run.steps - 1) return sum;
    for (let gate = 0; gate < kind.gates.length; gate++) {
      for (let k = 0; k < run.width; k++) {
        sum.add(defined(kind.dz(run, t + 1, gate, k)), run.W(unit, gate * run.width + k));
      }
    }
    return sum;
  }

  const gateOf = (gate, f) => (run, t, unit) => through(f, before(run, t, gate, unit));

  const LSTM = {
    gates: GATES.LSTM,
    forward: {
      i: gateOf(0, sigmoid), f: gateOf(1, sigmoid), g: gateOf(2, Math.tanh), o: gateOf(3, sigmoid),
      // c_t = f c_{t-1} + i g
      c: ({ read, before }, t, unit) =>
        sumOf([read.f(t, unit), before("c", t, unit)], [read.i(t, unit), read.g(t, unit)]),
      // h_t = o tanh(c_t)
      h({ read }, t, unit) {
        const c = read.c(t, unit);
        return product(read.o(t, unit), c === undefined ? c : Math.tanh(c));
      },
    },
    dz({ read, before }, t, gate, unit) {
      const [i, f, g, o, c, dh, dc] = ["i", "f", "g", "o", "c", "dh", "dc"].map((name) =>
        read[name](t, unit));
      if (gate === 0) return dc * g * i * (1 - i);
      if (gate === 1) return dc * before("c", t, unit) * f * (1 - f);
      if (gate === 2) return dc * i * (1 - g * g);
      return dh * Math.tanh(c) * o * (1 - o);
    },
    backward: {
      dh: (run, t, unit) => throughTime(LSTM, run, t, unit),
      // dc_t = dc_{t+1} f_{t+1} + dh_t o (1 - tanh(c_t)^2)
      dc({ read, steps }, t, unit) {
        const sum = new Sum(), c = read.c(t, unit);
        if (t < steps - 1) sum.add(read.dc(t + 1, unit), read.f(t + 1, unit));
        const slope = c === undefined ? c : 1 - Math.tanh(c) ** 2;
        sum.add(product(read.dh(t, unit), read.o(t, unit)).value, slope);
        return sum;
      },
    },
  };

  const GRU = {
    gates: GATES.GRU,
    forward: {
      r: gateOf(0, sigmoid), z: gateOf(1, sigmoid),
      // what the reset gate works on: h_{t-1} V + b_hn, or h_{t-1}
      s(run, t, unit) {
        if (!run.node.step.reset_after) return product(run.before("h", t, unit));
        const sum = new Sum();
        for (let j = 0; t && j < run.width; j++) sum.add(run.read.h(t - 1, j), run.V(j, unit));
        if (run.b_hn) sum.plus(run.b_hn(unit));
        return sum;
      },
      // n = tanh(x_t U + b + r s), or tanh(x_t U + b + (r h_{t-1}) V)
      n(run, t, unit) {
        const { read, inputs, width } = run, sum = new Sum(), column = 2 * width + unit;
        for (let i = 0; i < inputs; i++) sum.add(run.x(t, i), run.U(i, column));
        sum.plus(run.b(column));
        if (run.node.step.reset_after) sum.add(read.r(t, unit), read.s(t, unit));
        else {
          for (let j = 0; j < width; j++) {
            sum.add(product(read.r(t, j), read.s(t, j)).value, run.V(j, unit));
          }
        }
        return through(Math.tanh, sum);
      },
      // h_t = (1 - z) n + z h_{t-1}
      h({ read, before }, t, unit) {
        const z = read.z(t, unit);
        return sumOf([defined(1 - z), read.n(t, unit)], [z, before("h", t, unit)]);
      },
    },
    dz(run, t, gate, unit) {
      const { read } = run, [r, z, n, s, dh] = ["r", "z", "n", "s", "dh"].map((name) =>
        read[name](t, unit));
      const d_n = dh * (1 - z) * (1 - n * n);
      if (gate === 2) return d_n;
      if (gate === 1) return dh * (run.before("h", t, unit) - n) * z * (1 - z);
      const d_rs = run.node.step.reset_after ? d_n : GRU.toReset(run, t, unit).value;
      return d_rs * s * r * (1 - r);
    },
    /** Without reset_after: sum_k d_n,k V_unit,k. */
    toReset(run, t, unit) {
      const sum = new Sum();
      for (let k = 0; k < run.width; k++) sum.add(defined(GRU.dz(run, t, 2, k)), run.V(unit, k));
      return sum;
    },
    backward: {
      // dh_{t-1} = from above + dh_t z + d_r W_r + d_z W_z + (d_n r) V
      dh(run, t, unit) {
        const { read, steps, width } = run, sum = new Sum(), next = t + 1;
        sum.plus(run.above(t, unit));
        if (t === steps - 1) return sum;
        sum.add(read.dh(next, unit), read.z(next, unit));
        for (let k = 0; k < width; k++) {
          for (const gate of [0, 1]) {
            sum.add(defined(GRU.dz(run, next, gate, k)), run.W(unit, gate * width + k));
          }
          if (run.node.step.reset_after) {
            sum.add(defined(GRU.dz(run, next, 2, k) * read.r(next, k)), run.V(unit, k));
          }
        }
        if (!run.node.step.reset_after) {
          const found = times(GRU.toReset(run, next, unit), read.r(next, unit));
          sum.plus(found.value);
          sum.size += found.size;
        }
        return sum;
      },
    },
  };

  const formulas = { RNN, LSTM, GRU };

  for (const [name, kind] of Object.entries(formulas)) {
    kinds[name] = {
      // y holds the states: all of them, or the last of each direction
      forward(node, index) {
        const h = index[index.length - 1], { width } = runs(node)[0];
        const run = runs(node)[Math.floor(h / width)];
        const t = node.step.return_sequences ? run.place(index[0]) : run.steps - 1;
        return product(run.read.h(t, h % width));
      },
      // dx_t = dz U, of both directions
      backward(node, [at, i]) {
        const sum = new Sum();
        for (const run of runs(node)) {
          const t = run.place(at);
          for (let gate = 0; gate < kind.gates.length; gate++) {
            for (let k = 0; k < run.width; k++) {
              sum.add(defined(kind.dz(run, t, gate, k)), run.U(i, gate * run.width + k));
            }
          }
        }
        return sum;
      },
      costBack: (node) => 8 * kind.gates.length * runs(node)[0].width,
      *others(node, told, most) {
        for (const run of runs(node)) {
          for (const [part, way] of [["forward", kind.forward], ["backward", kind.backward]]) {
            for (const [value, one] of Object.entries(way)) {
              const stored = run.values[value];
              if (!stored || (part === "backward" && !node.dy)) continue;
              const work = stored.values.length * 10 * (run.inputs + kind.gates.length * run.width);
              const every = Math.max(1, Math.ceil(work / most));
              told.every = Math.max(told.every || 1, every);
              for (const [t, unit] of places(stored, every)) {
                const found = check(one(run, t, unit), run.read[value](t, unit));
                if (found === "off" && !told.off) told.off = { name: value, index: [t, unit] };
                yield found;
              }
            }
          }
        }
      },
    };
  }

  /**
   * Of an RNN whose units are all in the file: dh_{t+1}/dh_t = f'(z_{t+1}) W for each t, and their
   * product dh_T/dh_t, each an (H, H) array row by row: row = of which number, column = by which.
   */
  function factor(run, t) {
    const { width } = run, found = new Float64Array(width * width);
    for (let i = 0; i < width; i++) {
      const slope = RNN.slope(run, t + 1, i);
      for (let j = 0; j < width; j++) found[i * width + j] = slope * run.W(j, i);
    }
    return found;
  }
  function products(run) {
    if (run.products) return run.products;
    const { steps, width } = run, found = new Array(steps);
    found[steps - 1] = Float64Array.from({ length: width * width }, (_, n) =>
      n % (width + 1) ? 0 : 1);
    for (let t = steps - 2; t >= 0; t--) {
      const later = found[t + 1], f = factor(run, t), next = new Float64Array(width * width);
      for (let i = 0; i < width; i++) {
        for (let k = 0; k < width; k++) {
          const a = later[i * width + k];
          for (let j = 0; a && j < width; j++) next[i * width + j] += a * f[k * width + j];
        }
      }
      found[t] = next;
    }
    run.products = found;
    return found;
  }

  /** The largest singular value of an (H, H) array: by how much it can stretch a vector. */
  function stretch(numbers, width) {
    let vector = Float64Array.from({ length: width }, (_, i) => 1 + (i % 7) / 10), found = 0;
    for (let round = 0; round < 300; round++) {
      const image = new Float64Array(width), back = new Float64Array(width);
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) image[i] += numbers[i * width + j] * vector[j];
      }
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < width; j++) back[j] += numbers[i * width + j] * image[i];
      }
      const size = Math.hypot(...back), before = found;
      if (!(size > 0)) return size;
      found = Math.sqrt(size);
      if (Math.abs(found - before) <= 1e-9 * found) break;
      vector = back.map((a) => a / size);
    }
    return found;
  }

  pellucid.recurrence = { before, factor, formulas, products, runs, stretch };
})();
