// The formulas as MathML, made by createElementNS from the constants below; no text of a user's.
(() => {
  "use strict";
  const MATHML = "http://www.w3.org/1998/Math/MathML";

  const element = (name, ...children) => {
    const made = document.createElementNS(MATHML, name);
    made.append(...children.map(part));
    return made;
  };
  /** A node as it is; of text a number, an operator or a name, by its first letter. */
  function part(given) {
    if (typeof given !== "string") return given;
    const name = /^[0-9]/.test(given) ? "mn" : /^\p{L}/u.test(given) ? "mi" : "mo";
    const made = document.createElementNS(MATHML, name);
    made.textContent = given;
    return made;
  }
  const row = (...children) => element("mrow", ...children);
  /** Letters side by side, as indices have them: "t-1,j". */
  const letters = (text) => row(...text.match(/[\p{L}\p{N}]+'?|[^\p{L}\p{N}\s]/gu).map((x) =>
    x === "-" ? "−" : x).flatMap((x) => (/^[a-z]{2,}$/.test(x) && x !== "max" ? [...x] : [x])));
  const sub = (base, index) => element("msub", base, letters(index));
  const sup = (base, power) => element("msup", base, typeof power === "string" ? letters(power) : power);
  const subsup = (base, index, power) => element("msubsup", base, letters(index), letters(power));
  const over = (top, bottom) => element("mfrac", top, bottom);
  const sum = (index, end) => {
    const sign = part("∑");
    return end ? element("munderover", sign, letters(index), letters(end))
      : element("munder", sign, letters(index));
  };
  const most = (index) => element("munder", part("max"), letters(index));
  const root = (...children) => element("msqrt", ...children);
  const hat = (letter) => element("mover", letter, "^");
  const paren = (...children) => row("(", ...children, ")");
  /** The gradient of the loss by something: ∂L/∂y. */
  const d = (what) => over(row("∂", "L"), row("∂", what));
  const by = (what, other) => over(row("∂", what), row("∂", other));
  const cases = (...lines) => {
    const table = element("mtable", ...lines.map(([value, condition]) =>
      element("mtr", element("mtd", value), element("mtd", condition))));
    table.setAttribute("columnalign", "left left");
    return row("{", table);
  };
  const T = (letter) => sup(letter, "T");
  const f = (name, ...inside) => row(name, paren(...inside));
  const slope = (name, ...inside) => row(sup(name, part("′")), paren(...inside));

  const x_t = () => sub("x", "t"), h_t = () => sub("h", "t"), h_1 = () => sub("h", "t-1");
  const c_t = () => sub("c", "t"), c_1 = () => sub("c", "t-1");
  const gate = (name) => row(sub(name, "t"), "=", f("σ", ...affine(name)));
  const affine = (of) => [
    sub("U", of), x_t(), "+", sub("W", of), h_1(), "+", sub("b", of),
  ];
  const dot = "⊙";

  const FORMULAS = {
    linear: () => [row(sub("y", "k"), "=", sum("i"), sub("x", "i"), sub("w", "ik"), "+", sub("b", "k"))],
    linear_back: () => [
      row(d(sub("x", "i")), "=", sum("k"), d(sub("y", "k")), sub("w", "ik")),
      row(d(sub("w", "ik")), "=", sub("x", "i"), d(sub("y", "k"))),
      row(d(sub("b", "k")), "=", d(sub("y", "k"))),
    ],
    relu: () => [row("y", "=", f("max", "x", ",", "0"))],
    relu_back: () => [row(d("x"), "=", cases([d("y"), row("y", ">", "0")], ["0", row("y", "=", "0")]))],
    leaky_relu: () => [row("y", "=", cases(["x", row("x", ">", "0")], [row("α", "x"), row("x", "≤", "0")]))],
    leaky_relu_back: () => [
      row(d("x"), "=", cases([d("y"), row("x", ">", "0")], [row("α", d("y")), row("x", "≤", "0")])),
    ],
    sigmoid: () => [row("y", "=", f("σ", "x"), "=", over("1", row("1", "+", sup("e", row("−", "x")))))],
    sigmoid_back: () => [row(d("x"), "=", d("y"), "y", paren("1", "−", "y"))],
    tanh: () => [row("y", "=", f("tanh", "x"))],
    tanh_back: () => [row(d("x"), "=", d("y"), paren("1", "−", sup("y", "2")))],
    softmax: () => [row(sub("y", "i"), "=", over(sup("e", sub("x", "i")), row(sum("j"), sup("e", sub("x", "j")))))],
    softmax_back: () => [
      row(d(sub("x", "i")), "=", sub("y", "i"), paren(d(sub("y", "i")), "−", sum("j"), d(sub("y", "j")), sub("y", "j"))),
    ],
    dropout: () => [row("y", "=", "x")],
    flatten: () => [
      row(sub("y", "n"), "=", sub("x", "ijc")), row("n", "=", paren("i", "W", "+", "j"), "C", "+", "c"),
    ],
    flatten_plain: () => [row(sub("y", "n"), "=", sub("x", "tc")), row("n", "=", "t", "C", "+", "c")],
    embedding: () => [row(sub("y", "t"), "=", element("msub", "E", sub("x", "t")))],
    embedding_back: () => [row(d(sub("E", "k")), "=", element("munder", "∑", row("t", ":", sub("x", "t"), "=", "k")), d(sub("y", "t")))],
    residual: () => [row("y", "=", f("F", "x"), "+", f("S", "x"))],
    residual_plain: () => [row("y", "=", f("F", "x"), "+", "x")],
    residual_back: () => [row(d("x"), "=", T(by("F", "x")), d("y"), "+", T(by("S", "x")), d("y"))],
    residual_plain_back: () => [row(d("x"), "=", T(by("F", "x")), d("y"), "+", d("y"))],
    convolution: () => [
      row(sub("y", "ijo"), "=", sub("b", "o"), "+", sum("k,l,c"), sub("x", "i'j'c"), sub("w", "klco")),
      row(sup("i", part("′")), "=", "i", "S", "+", "k", "D", "−", "P"), row(sup("j", part("′")), "=", "j", "S", "+", "l", "D", "−", "P"),
    ],
    convolution_back: () => [
      row(d(sub("x", "i'j'c")), "=", sum("i,j,k,l,o"), d(sub("y", "ijo")), sub("w", "klco")),
      row(d(sub("w", "klco")), "=", sum("i,j"), sub("x", "i'j'c"), d(sub("y", "ijo"))),
      row(d(sub("b", "o")), "=", sum("i,j"), d(sub("y", "ijo"))),
    ],
    size: () => [
      row(sub("H", "y"), "=", "⌊", over(row(sub("H", "x"), "+", "2", "P", "−", "D", paren("K", "−", "1"), "−", "1"), "S"), "⌋", "+", "1"),
    ],
    max_pool: () => [row(sub("y", "ijc"), "=", most("k,l"), sub("x", "i'j'c"))],
    max_pool_back: () => [
      row(d(sub("x", "rsc")), "=", sum("ij"), d(sub("y", "ijc")), "⋅", "[", sub("x", "rsc"), "=", sub("y", "ijc"), "]"),
    ],
    average_pool: () => [row(sub("y", "ijc"), "=", over("1", "m"), sum("k,l"), sub("x", "i'j'c"))],
    average_pool_back: () => [row(d(sub("x", "rsc")), "=", sum("ij"), over("1", "m"), d(sub("y", "ijc")))],
    global_average_pool: () => [row(sub("y", "c"), "=", over("1", "m"), sum("p"), sub("x", "pc"))],
    global_average_pool_back: () => [row(d(sub("x", "pc")), "=", over("1", "m"), d(sub("y", "c")))],
    batch_norm: () => [
      row(hat("x"), "=", over(row("x", "−", sub("μ", "c")), root(subsup("σ", "c", "2"), "+", "ε"))),
      row("y", "=", sub("γ", "c"), hat("x"), "+", sub("β", "c")),
    ],
    batch_norm_back: () => [row(d("x"), "=", d("y"), over(sub("γ", "c"), root(subsup("σ", "c", "2"), "+", "ε")))],
    layer_norm: () => [
      row("μ", "=", over("1", "m"), sum("i"), sub("x", "i")), row(sup("σ", "2"), "=", over("1", "m"), sum("i"), sup(paren(sub("x", "i"), "−", "μ"), "2")),
      row(sub(hat("x"), "i"), "=", over(row(sub("x", "i"), "−", "μ"), root(sup("σ", "2"), "+", "ε"))),
      row(sub("y", "i"), "=", sub("γ", "i"), sub(hat("x"), "i"), "+", sub("β", "i")),
    ],
    layer_norm_back: () => [
      row(d(sub("x", "i")), "=", over("1", root(sup("σ", "2"), "+", "ε")),
        paren(sub("g", "i"), "−", over("1", "m"), sum("j"), sub("g", "j"), "−", sub(hat("x"), "i"), over("1", "m"), sum("j"), sub("g", "j"), sub(hat("x"), "j"))),
      row(sub("g", "i"), "=", sub("γ", "i"), d(sub("y", "i"))),
    ],
    rnn: () => [row(h_t(), "=", f("f", "U", x_t(), "+", "W", h_1(), "+", "b"))],
    rnn_back: () => [
      row(by(sub("h", "t+1"), h_t()), "=", f("diag", slope("f", sub("z", "t+1"))), "W"),
      row(by(sub("h", "T"), h_t()), "=", by(sub("h", "T"), sub("h", "T-1")), "⋯", by(sub("h", "t+1"), h_t())),
      row(d("W"), "=", sum("t"), d(sub("h", "T")), by(sub("h", "T"), h_t()), by(h_t(), "W")),
    ],
    lstm: () => [
      row(sub("f", "t"), "=", f("σ", ...affine("f"))),
      gate("i"), row(sub("g", "t"), "=", f("tanh", ...affine("g"))), gate("o"),
      row(c_t(), "=", sub("f", "t"), dot, c_1(), "+", sub("i", "t"), dot, sub("g", "t")),
      row(h_t(), "=", sub("o", "t"), dot, f("tanh", c_t())),
    ],
    lstm_back: () => [
      row(d(c_t()), "=", d(sub("c", "t+1")), dot, sub("f", "t+1"), "+", d(h_t()), dot, sub("o", "t"), dot, paren("1", "−", sup("tanh", "2"), paren(c_t()))),
      row(by(sub("c", "t+1"), c_t()), "=", sub("f", "t+1")),
    ],
    gru: () => [
      gate("r"), gate("z"),
      row(sub("n", "t"), "=", f("tanh", sub("U", "n"), x_t(), "+", sub("b", "n"), "+", sub("r", "t"), dot, paren(sub("W", "n"), h_1(), "+", sub("b", "hn")))),
      row(h_t(), "=", paren("1", "−", sub("z", "t")), dot, sub("n", "t"), "+", sub("z", "t"), dot, h_1()),
    ],
    gru_before: () => [
      gate("r"), gate("z"),
      row(sub("n", "t"), "=", f("tanh", sub("U", "n"), x_t(), "+", sub("b", "n"), "+", sub("W", "n"), paren(sub("r", "t"), dot, h_1()))),
      row(h_t(), "=", paren("1", "−", sub("z", "t")), dot, sub("n", "t"), "+", sub("z", "t"), dot, h_1()),
    ],
    gru_back: () => [
      row(d(h_1()), "=", d(h_t()), dot, sub("z", "t"), "+", subsup("W", "r", "T"), sub("δ", "r"), "+", subsup("W", "z", "T"), sub("δ", "z"), "+", subsup("W", "n", "T"), paren(sub("δ", "n"), dot, sub("r", "t"))),
    ],
    gru_before_back: () => [
      row(d(h_1()), "=", d(h_t()), dot, sub("z", "t"), "+", subsup("W", "r", "T"), sub("δ", "r"), "+", subsup("W", "z", "T"), sub("δ", "z"), "+", sub("r", "t"), dot, paren(subsup("W", "n", "T"), sub("δ", "n"))),
    ],
    categorical_cross_entropy: () => [
      row(sub("p", "i"), "=", over(sup("e", sub("z", "i")), row(sum("j"), sup("e", sub("z", "j"))))),
      row("L", "=", "−", sum("i"), sub("t", "i"), f("log", sub("p", "i"))),
    ],
    categorical_cross_entropy_back: () => [row(d(sub("z", "i")), "=", sub("p", "i"), "−", sub("t", "i"))],
    jacobian: () => [
      row(by(sub("p", "i"), sub("z", "j")), "=", sub("p", "i"), paren(sub("δ", "ij"), "−", sub("p", "j"))),
    ],
    binary_cross_entropy: () => [
      row(sub("p", "k"), "=", f("σ", sub("z", "k"))), row("L", "=", "−", sum("k"),
        paren(sub("t", "k"), f("log", sub("p", "k")), "+", paren("1", "−", sub("t", "k")), f("log", "1", "−", sub("p", "k")))),
    ],
    binary_cross_entropy_back: () => [row(d(sub("z", "k")), "=", sub("p", "k"), "−", sub("t", "k"))],
    mean_squared_error: () => [
      row("L", "=", over("1", row("2", "m")), sum("n=1", "m"), sum("k"), sup(paren(sub(hat("y"), "nk"), "−", sub("y", "nk")), "2")),
    ],
    mean_squared_error_back: () => [
      row(d(sub(hat("y"), "nk")), "=", over("1", "m"), paren(sub(hat("y"), "nk"), "−", sub("y", "nk"))),
    ],
    mean_absolute_error: () => [
      row("L", "=", over("1", "m"), sum("n=1", "m"), sum("k"), "|", sub(hat("y"), "nk"), "−", sub("y", "nk"), "|"),
    ],
    mean_absolute_error_back: () => [
      row(d(sub(hat("y"), "nk")), "=", over("1", "m"), f("sign", sub(hat("y"), "nk"), "−", sub("y", "nk"))),
    ],
    huber_loss: () => [
      row("L", "=", over("1", "m"), sum("n=1", "m"), sum("k"), f("h", sub("e", "nk"))), row(sub("e", "nk"), "=", sub(hat("y"), "nk"), "−", sub("y", "nk")),
      row(f("h", "e"), "=", cases([over(sup("e", "2"), "2"), row("|", "e", "|", "≤", "δ")],
        [row("δ", paren("|", "e", "|", "−", over("δ", "2"))), row("|", "e", "|", ">", "δ")])),
    ],
    huber_loss_back: () => [
      row(d(sub(hat("y"), "nk")), "=", over("1", "m"), f("clip", sub("e", "nk"), ",", "−", "δ", ",", "δ")),
    ],
    pinball_loss: () => [
      row("L", "=", over("1", "m"), sum("n=1", "m"), sum("k"), f("ρ", sub("u", "nk"))), row(sub("u", "nk"), "=", sub("y", "nk"), "−", sub(hat("y"), "nk")),
      row(f("ρ", "u"), "=", cases([row("q", "u"), row("u", ">", "0")], [row(paren("q", "−", "1"), "u"), row("u", "≤", "0")])),
    ],
    pinball_loss_back: () => [
      row(d(sub(hat("y"), "nk")), "=", over("1", "m"), cases([row("−", "q"), row("u", ">", "0")], [row("1", "−", "q"), row("u", "<", "0")])),
    ],
  };

  /** The formula's lines, each a <math>. */
  function formula(name) {
    return FORMULAS[name]().map((line) => {
      const math = element("math", line);
      math.setAttribute("display", "block");
      return math;
    });
  }
  /** A symbol inside a line of text: "c" with the index "t". */
  function symbol(letter, index) {
    return element("math", index ? sub(letter, index) : letter);
  }

  pellucid.formulas = { formula, names: Object.keys(FORMULAS), symbol };
})();
