// What the rest of the page stands on: words in the reader's language, elements, numbers, arrays.
globalThis.pellucid = {};
(() => {
  "use strict";

  const words = JSON.parse(document.getElementById("words").textContent);
  const page = document.documentElement;

  /** Read the page in "en" or "zh" from now on. */
  function speak(language) {
    page.lang = language === "zh" ? "zh-Hans" : "en";
  }
  const language = () => (page.lang.startsWith("zh") ? "zh" : "en");
  const phrase = (key) => words[language()][key] ?? words.en[key] ?? key;

  /** What the page calls a thing, where it has a word for it; else the thing's own name. */
  const named = (prefix, name) => words[language()][`${prefix}.${name}`] ?? name;

  // A name from the user's data may run from right to left, or turn round what follows it. It is kept
  // to itself: by <bdi> among elements, by the two isolating characters in plain text.
  const isolate = (name) => `\u2068${name}\u2069`;

  /** An argument of a phrase as plain text. */
  function spell(value) {
    if (Array.isArray(value)) return value.map(spell).join(phrase("list.comma"));
    if (typeof value === "number") return round(value);
    if (value && value.key) return text(value.key, value.args);
    return isolate(value);
  }

  /** An argument of a phrase as something to append. */
  function show(value) {
    if (value instanceof Node) return value;
    if (Array.isArray(value))
      return value.flatMap((v, i) => [i ? phrase("list.comma") : "", show(v)].flat());
    if (typeof value === "number") return number(value);
    if (value && value.key) return say(value.key, value.args);
    return bdi(value);
  }

  /** A phrase as plain text, for labels: text("chart.cell", {row: 1}). */
  const text = (key, args = {}) =>
    phrase(key).replace(/\{(\w+)\}/g, (whole, name) => (name in args ? spell(args[name]) : whole));

  /** A phrase as a span, with its arguments (texts, numbers, elements, phrases, lists) in it. */
  function say(key, args = {}) {
    const parts = phrase(key).split(/\{(\w+)\}/);
    return html("span", null, parts.map((part, i) => (i % 2 ? show(args[part] ?? "") : part)));
  }

  /** What Python wrote to be read: a text as it stands, or {key, args}, one or several one after the
   * other, in the reader's language. */
  const told = (message) => {
    if (!Array.isArray(message)) return message && message.key ? say(message.key, message.args) : bdi(message);
    const comma = text("told.comma");
    return html("span", null, message.map((one, i) => [i ? comma : "", told(one)]));
  };

  /** A maker of elements: html("p", {class: "note", onclick: f}, "text", element, [more]). */
  const maker = (namespace) => (tag, attributes, ...children) => {
    const element = document.createElementNS(namespace, tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (typeof value === "function") element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    const nothing = (child) => child === undefined || child === null || child === false;
    element.append(...children.flat(Infinity).filter((child) => !nothing(child)));
    return element;
  };
  const html = maker("http://www.w3.org/1999/xhtml");
  const svg = maker("http://www.w3.org/2000/svg");
  const mathml = maker("http://www.w3.org/1998/Math/MathML");
  const bdi = (name) => html("bdi", null, String(name));

  /** A list of names, the first of many; the others are counted. */
  function some(names, most = 12) {
    const shown = names.slice(0, most).flatMap((name, i) => [i ? text("list.comma") : "", bdi(name)]);
    return [shown, names.length > most && [" ", say("legend.more", { count: names.length - most })]];
  }

  /** A number as text with `digits` digits that count: −0.1235, 18,947, 1.2e−7, NaN. */
  function round(value, digits = 4) {
    if (typeof value !== "number" || !Number.isFinite(value))
      return String(value).replace("-Infinity", "−∞").replace("Infinity", "∞");
    const size = Math.abs(value);
    let written;
    if (Number.isInteger(value) && size < 1e9) written = value.toLocaleString("en");
    else if (size < 1e-4 || size >= 1e6)
      written = value.toExponential(digits - 2).replace(/\.?0+e/, "e").replace("e+", "e");
    else written = String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(size))))));
    return written.replaceAll("-", "−");
  }

  /** A number as an element: rounded to the eye, whole in its data-value. */
  const number = (value, digits) =>
    html("span", { class: "number", "data-value": String(value) }, round(value, digits));

  /** A share as an element: 0.9712 reads 97.1 %. */
  function share(value) {
    const written = `${round(value * 100, 3)} %`;
    return html("span", { class: "number", "data-value": String(value) }, written);
  }

  /** The lengths of an array: 28 × 28 × 32. */
  const shape = (lengths) => html("span", { class: "number" }, lengths.map((n) => round(n)).join(" × "));

  const decoded = new WeakMap();
  /**
   * An array of the file: {shape, at, kept, values, get}. `get(i, j, ...)` takes places in the whole
   * array and gives undefined for those that are not in the file.
   */
  function decode(array) {
    if (!array || decoded.has(array)) return array ? decoded.get(array) : null;
    const bytes = Uint8Array.from(atob(array.data), (letter) => letter.charCodeAt(0));
    const values = new Float32Array(bytes.buffer);
    const at = array.at || array.shape.map(() => null);
    const kept = array.shape.map((length, axis) => (at[axis] ? at[axis].length : length));
    const place = at.map((places) => places && new Map(places.map((p, i) => [p, i])));
    const get = (...index) => {
      let offset = 0;
      for (let axis = 0; axis < kept.length; axis++) {
        const i = place[axis] ? place[axis].get(index[axis]) : index[axis];
        if (!(i >= 0 && i < kept[axis])) return undefined;
        offset = offset * kept[axis] + i;
      }
      return values[offset];
    };
    const result = { shape: array.shape, at, kept, values, get };
    decoded.set(array, result);
    return result;
  }

  Object.assign(pellucid, {
    speak, language, text, say, told, named, html, svg, mathml, bdi, some, isolate,
    round, number, share, shape, decode,
  });
})();
