// Formulas as MathML from short text, so that a formula in the code can be read:
//
//   formula("c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t")
//   formula("h = ⌊frac{$in + $pad − $kernel}{$stride}⌋ + 1", {in: 28, pad: 2, kernel: 3, stride: 1})
//
// A run of letters is one name, digits are one number, $name is a number given, and all else is an
// operator. _ and ^ set an atom or {group} low or high; frac{a}{b}, sqrt{a}, hat{a} and text{a} are
// what they say. A backquote ends a name: f`(x).
(() => {
  "use strict";
  const { mathml: m, round } = pellucid;
  const BIG = "∑∏";
  const FENCES = "()[]⌊⌋⌈⌉|‖";

  const row = (items) => (items.length === 1 ? items[0] : m("mrow", null, items));

  /** The content of a formula. */
  function parse(source, given) {
    // text{...} is kept whole, spaces included
    const texts = [];
    const tokens = source
      .replace(/text\{([^}]*)\}/g, (_, content) => `#${texts.push(content) - 1}#`)
      .match(/#\d+#|\$\w+|\p{L}+|\d+(?:\.\d+)?|\S/gu);
    let at = 0;

    function group() {
      if (tokens[at] !== "{") return atom();
      at++;
      const items = [];
      while (at < tokens.length && tokens[at] !== "}") items.push(scripted());
      at++;
      return row(items);
    }

    function atom() {
      const token = tokens[at++];
      if (token[0] === "#" && token.length > 1) return m("mtext", null, texts[token.slice(1, -1)]);
      if (token[0] === "$") return figure(given[token.slice(1)]);
      if (token === "frac") return m("mfrac", null, group(), group());
      if (token === "sqrt") return m("msqrt", null, group());
      if (token === "hat") return m("mover", { accent: "true" }, group(), m("mo", null, "^"));
      if (token === "`") return m("mo", null, "\u2061");
      if (/^\d/.test(token)) return m("mn", null, token);
      if (/^\p{L}/u.test(token)) return m("mi", null, token);
      return m("mo", FENCES.includes(token) ? { stretchy: "true" } : null, token);
    }

    function scripted() {
      const big = BIG.includes(tokens[at]);
      const base = atom();
      const script = {};
      while (tokens[at] === "_" || tokens[at] === "^") script[tokens[at++]] = group();
      const { _: low, "^": high } = script;
      if (low && high) return m(big ? "munderover" : "msubsup", null, base, low, high);
      if (low) return m(big ? "munder" : "msub", null, base, low);
      return high ? m(big ? "mover" : "msup", null, base, high) : base;
    }

    const items = [];
    while (at < tokens.length) items.push(scripted());
    return items;
  }

  /** A number given to a formula: whole in data-value; negative ones in brackets are the caller's. */
  function figure(value) {
    if (value instanceof Node) return value;
    if (typeof value !== "number") return m("mi", null, String(value));
    return m("mn", { "data-value": String(value) }, round(value));
  }

  /** A formula in a line of text, "wide" (fractions in full size), or on a "line" of its own. */
  pellucid.formula = (source, given = {}, style = "") => {
    const look = { line: { display: "block" }, wide: { displaystyle: "true" } }[style];
    return m("math", look, m("mrow", null, parse(source, given)));
  };
})();
