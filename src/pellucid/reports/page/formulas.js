// The formulas of every layer and every loss, as `pellucid.formula` reads them, by name; a name with
// _back is the way back. [condition] is 1 where it holds, else 0.
(() => {
  "use strict";
  const d = (what) => `frac{∂ L}{∂ ${what}}`;
  const by = (what, other) => `frac{∂ ${what}}{∂ ${other}}`;
  const affine = (gate) => `U_${gate} x_t + W_${gate} h_{t − 1} + b_${gate}`;
  const gate = (name, f) => `${name}_t = ${f}(${affine(name)})`;
  const error = "hat{y}_{n k} − y_{n k}";
  const mean = "frac{1}{m} ∑_{n = 1}^m ∑_k";
  const std = "sqrt{σ_c^2 + ε}";
  const windows = ["i' = i S + k D − P", "j' = j S + l D − P"];
  const gru = [gate("r", "σ"), gate("z", "σ")];
  const update = "h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t − 1}";
  const gru_back = `${d("h_{t − 1}")} = ${d("h_t")} ⊙ z_t + W_r^T δ_r + W_z^T δ_z +`;

  const FORMULAS = {
    linear: ["y_k = ∑_i x_i w_{i k} + b_k"],
    linear_back: [
      `${d("x_i")} = ∑_k ${d("y_k")} w_{i k}`, `${d("w_{i k}")} = x_i ${d("y_k")}`,
      `${d("b_k")} = ${d("y_k")}`,
    ],
    relu: ["y = max(x, 0)"],
    relu_back: [`${d("x")} = ${d("y")} [y > 0]`],
    leaky_relu: ["y = max(x, α x)"],
    leaky_relu_back: [`${d("x")} = ${d("y")} ([x > 0] + α [x ≤ 0])`],
    sigmoid: ["y = σ(x) = frac{1}{1 + e^{− x}}"],
    sigmoid_back: [`${d("x")} = ${d("y")} y (1 − y)`],
    tanh: ["y = tanh(x)"],
    tanh_back: [`${d("x")} = ${d("y")} (1 − y^2)`],
    softmax: ["y_i = frac{e^{x_i}}{∑_j e^{x_j}}"],
    softmax_back: [`${d("x_i")} = y_i (${d("y_i")} − ∑_j ${d("y_j")} y_j)`],
    dropout: ["y = x"],
    dropout_back: [`${d("x")} = ${d("y")}`],
    flatten: ["y_n = x_{i j c}", "n = (i W + j) C + c"],
    flatten_steps: ["y_n = x_{t c}", "n = t C + c"],
    embedding: ["y_t = E_{x_t}"],
    embedding_back: [`${d("E_k")} = ∑_{t : x_t = k} ${d("y_t")}`],
    residual: ["y = F(x) + S(x)"],
    residual_back: [`${d("x")} = (${by("F", "x")})^T ${d("y")} + (${by("S", "x")})^T ${d("y")}`],
    residual_plain: ["y = F(x) + x"],
    residual_plain_back: [`${d("x")} = (${by("F", "x")})^T ${d("y")} + ${d("y")}`],
    convolution: ["y_{i j o} = b_o + ∑_{k, l, c} x_{i' j' c} w_{k l c o}", ...windows],
    convolution_back: [
      `${d("x_{r s c}")} = ∑_{i' = r, j' = s} ${d("y_{i j o}")} w_{k l c o}`,
      `${d("w_{k l c o}")} = ∑_{i, j} x_{i' j' c} ${d("y_{i j o}")}`,
    ],
    max_pool: ["y_{i j c} = max_{k, l} x_{i' j' c}", ...windows.map((line) => line.replace(" D", ""))],
    max_pool_back: [`${d("x_{r s c}")} = ∑_{i, j} ${d("y_{i j c}")} [x_{r s c} text{ = } max]`],
    average_pool: ["y_{i j c} = frac{1}{m} ∑_{k, l} x_{i' j' c}",
      ...windows.map((line) => line.replace(" D", ""))],
    average_pool_back: [`${d("x_{r s c}")} = ∑_{i, j} frac{1}{m} ${d("y_{i j c}")}`],
    global_average_pool: ["y_c = frac{1}{m} ∑_p x_{p c}"],
    global_average_pool_back: [`${d("x_{p c}")} = frac{1}{m} ${d("y_c")}`],
    batch_norm: [`hat{x} = frac{x − μ_c}{${std}}`, "y = γ_c hat{x} + β_c"],
    batch_norm_back: [`${d("x")} = ${d("y")} frac{γ_c}{${std}}`],
    layer_norm: [
      "μ = frac{1}{m} ∑_i x_i", "σ^2 = frac{1}{m} ∑_i (x_i − μ)^2",
      "hat{x}_i = frac{x_i − μ}{sqrt{σ^2 + ε}}", "y_i = γ_i hat{x}_i + β_i",
    ],
    layer_norm_back: [
      `g_i = γ_i ${d("y_i")}`,
      `${d("x_i")} = frac{1}{sqrt{σ^2 + ε}} (g_i − frac{1}{m} ∑_j g_j − hat{x}_i frac{1}{m} ∑_j g_j hat{x}_j)`,
    ],
    rnn: ["h_t = f(U x_t + W h_{t − 1} + b)"],
    rnn_back: [
      `${by("h_{t + 1}", "h_t")} = diag(f'(z_{t + 1})) W`,
      `${by("h_T", "h_t")} = ${by("h_T", "h_{T − 1}")} ⋯ ${by("h_{t + 1}", "h_t")}`,
      `${d("W")} = ∑_t ${d("h_T")} ${by("h_T", "h_t")} ${by("h_t", "W")}`,
    ],
    lstm: [
      gate("f", "σ"), gate("i", "σ"), gate("g", "tanh"), gate("o", "σ"),
      "c_t = f_t ⊙ c_{t − 1} + i_t ⊙ g_t", "h_t = o_t ⊙ tanh(c_t)",
    ],
    lstm_back: [
      `${d("c_t")} = ${d("c_{t + 1}")} ⊙ f_{t + 1} + ${d("h_t")} ⊙ o_t ⊙ (1 − tanh^2(c_t))`,
    ],
    gru: [...gru, "n_t = tanh(U_n x_t + b_n + r_t ⊙ (W_n h_{t − 1} + b_{hn}))", update],
    gru_before: [...gru, "n_t = tanh(U_n x_t + b_n + W_n (r_t ⊙ h_{t − 1}))", update],
    gru_back: [`${gru_back} W_n^T (δ_n ⊙ r_t)`],
    gru_before_back: [`${gru_back} r_t ⊙ (W_n^T δ_n)`],
    categorical_cross_entropy: [
      "p_i = frac{e^{z_i}}{∑_j e^{z_j}}", "L = − ∑_i t_i log(p_i)",
    ],
    categorical_cross_entropy_back: [`${d("z_i")} = p_i − t_i`],
    jacobian: [`${by("p_i", "z_j")} = p_i ([i = j] − p_j)`],
    binary_cross_entropy: [
      "p_k = σ(z_k)", "L = − ∑_k (t_k log(p_k) + (1 − t_k) log(1 − p_k))",
    ],
    binary_cross_entropy_back: [`${d("z_k")} = p_k − t_k`],
    mean_squared_error: [`L = frac{1}{2 m} ∑_{n = 1}^m ∑_k (${error})^2`],
    mean_squared_error_back: [`${d("hat{y}_{n k}")} = frac{1}{m} (${error})`],
    mean_absolute_error: [`L = ${mean} |${error}|`],
    mean_absolute_error_back: [`${d("hat{y}_{n k}")} = frac{1}{m} sign(${error})`],
    huber_loss: [
      `L = ${mean} h(e_{n k})`, `e_{n k} = ${error}`,
      "h(e) = [|e| ≤ δ] frac{e^2}{2} + [|e| > δ] δ (|e| − frac{δ}{2})",
    ],
    huber_loss_back: [`${d("hat{y}_{n k}")} = frac{1}{m} min(max(e_{n k}, − δ), δ)`],
    pinball_loss: [`L = ${mean} ρ(u_{n k})`, "u_{n k} = y_{n k} − hat{y}_{n k}",
      "ρ(u) = max(q u, (q − 1) u)"],
    pinball_loss_back: [`${d("hat{y}_{n k}")} = frac{1}{m} ((1 − q) [u_{n k} < 0] − q [u_{n k} > 0])`],
  };

  const LONG = 45; // letters of a formula that may break inside brackets too, as those with numbers in them may

  /**
   * A formula that may break before = and + outside of brackets, where a browser breaks no formula:
   * each part is a <math> of its own.
   */
  function broken(source, given) {
    const parts = [""], deepest = given || source.length > LONG ? 1 : 0;
    let braces = 0, brackets = 0;
    for (const word of source.split(/(?<=[ {}()[\]])|(?=[{}()[\]])/)) {
      if (word[0] === "{") braces++;
      if (word[0] === "}") braces--;
      if ("([".includes(word[0])) brackets++;
      if (")]".includes(word[0])) brackets--;
      const breaks = braces === 0 && brackets <= deepest && /^[=+] $/.test(word);
      if (breaks && parts[parts.length - 1].trim()) parts.push("");
      parts[parts.length - 1] += word;
    }
    return parts.map((part) => {
      const math = pellucid.formula(part, given), first = math.firstChild.firstChild;
      if (/^[=+]/.test(part)) first.setAttribute("form", "infix");
      return [math, " "];
    });
  }

  /** All lines of a formula in one element. */
  const lines = (name) =>
    pellucid.html("div", { class: "walk-formula" },
      FORMULAS[name].map((line) => pellucid.html("span", { class: "walk-line" }, broken(line))));

  pellucid.formulas = { broken, lines, names: Object.keys(FORMULAS) };
})();
