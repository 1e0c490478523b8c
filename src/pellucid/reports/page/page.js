// The page itself: its head, the language, the theme, and its sections, built one after another.
(() => {
  "use strict";
  const { html, bdi, say, text, language, sections, speak } = pellucid;

  const PARTS = [
    "asked", "columns", "network", "training", "test", "mistakes", "importance", "hidden", "walk", "cut",
  ];
  const root = document.documentElement;
  const data = JSON.parse(document.getElementById("data").textContent);
  const bodies = new Map();
  const state = { walk: 0, follow: () => {} };
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
  let theme = "auto";
  let links = [];

  /** Colours as chosen; canvases are drawn anew in them. */
  function dress(chosen = theme) {
    const dark = chosen === "dark" || (chosen === "auto" && prefersDark.matches);
    root.dataset.theme = dark ? "dark" : "light";
    document.querySelectorAll("canvas").forEach((canvas) => canvas.dispatchEvent(new Event("theme")));
  }

  /** All words outside the sections. */
  function address() {
    document.querySelectorAll("[data-say]").forEach((element) => (element.textContent = text(element.dataset.say)));
    const press = (group, label, chosen) => {
      group.setAttribute("aria-label", text(label));
      group.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", b.value === chosen));
    };
    press(document.getElementById("languages"), "page.language", language());
    press(document.getElementById("themes"), "page.theme", theme);
    const contents = document.getElementById("contents");
    contents.setAttribute("aria-label", text("page.contents"));
    links = PARTS.map((part) => html("a", { href: `#${part}` }, say(`${part}.title`)));
    contents.replaceChildren(html("ol", null, links.map((link) => html("li", null, link))));
    for (const [part, { heading }] of bodies) heading.replaceChildren(say(`${part}.title`));
    const verdict = sections.verdict(data);
    document.getElementById("title").replaceChildren(
      html("p", { class: "over" }, say("page.over", { version: data.pellucid })),
      html("h1", null, bdi(data.title)),
      html("p", { class: "under" }, say("page.under", {
        model: html("code", null, data.model.class), task: say(`task.${data.model.task}`), size: data.model.size,
      })),
      verdict ? html("p", { class: data.test.better ? "lede" : "lede worse" }, verdict) : "",
    );
    here();
  }

  /** An empty section for each part, so that links and the reader find their places at once. */
  function lay() {
    const main = document.getElementById("main");
    for (const part of PARTS) {
      const heading = html("h2", { id: `${part}-title` });
      const body = html("div");
      main.append(html("section", { class: "part", id: part, "aria-labelledby": heading.id }, heading, body));
      bodies.set(part, { heading, body });
    }
  }

  /** One section; what was open in it before is opened again. */
  function build(part) {
    const { body } = bodies.get(part);
    const open = [...body.querySelectorAll("details")].map((details) => details.open);
    body.replaceChildren(html("div", null, sections[part](data, state)));
    body.querySelectorAll("details").forEach((details, i) => {
      if (open[i] !== undefined) details.open = open[i];
    });
  }

  /** The link to the part that is read now. */
  function here() {
    let current = 0;
    PARTS.forEach((part, i) => {
      if (document.getElementById(part).getBoundingClientRect().top < window.innerHeight / 3) current = i;
    });
    links.forEach((link, i) => {
      if (i === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }

  /** Begin: the head at once, then a section in each pause of the browser. */
  async function start() {
    if (root.dataset.opens === "browser" && navigator.language.startsWith("zh")) speak("zh");
    lay();
    address();
    dress();
    for (const part of PARTS) {
      // one that fails says so on the console, and keeps none of the others away
      await new Promise((resume) => setTimeout(() => (resume(), build(part))));
    }
    requestAnimationFrame(() => requestAnimationFrame(() => (root.dataset.ready = "true")));
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView({ behavior: "instant" });
  }

  document.getElementById("languages").addEventListener("click", ({ target }) => {
    if (!target.value || target.value === language()) return;
    speak(target.value);
    address();
    PARTS.forEach(build);
  });
  document.getElementById("themes").addEventListener("click", ({ target }) => {
    if (!target.value) return;
    theme = target.value;
    dress();
    address();
  });
  prefersDark.addEventListener("change", () => dress());
  window.addEventListener("beforeprint", () => dress("light"));
  window.addEventListener("afterprint", () => dress());
  let waiting = false;
  window.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => ((waiting = false), here()));
  }, { passive: true });

  pellucid.page = { start, follow: (index) => state.follow(index) };
  start();
})();
