// The sections on what came of it: the test, what is wrong, what matters, the last hidden layer,
// the walk, what was left out. Continues model.js.
(() => {
  "use strict";
  const { html, bdi, number, share, say, text, told, named, charts, sections } = pellucid;

  const SHARES = new Set(["accuracy", "auc", "balanced_accuracy", "coverage"]);
  const measured = (name, value) =>
    value === null || value === undefined ? "–" : SHARES.has(name) ? share(value) : number(value);

  /** The simple answers that a model must beat, by their names in the data. */
  const SIMPLE = ["trivial", "naive", "seasonal_naive", "ridge"];

  /** One of them, in a sentence. */
  function simple(name, { test, model }) {
    if (name !== "trivial") return say(`test.simple.${name}`);
    if (model.task === "classification" && test.baseline_words !== null)
      return say("test.trivial.answer", { answer: bdi(test.baseline_words) });
    return say("test.trivial.same");
  }

  const several = ({ scores }) => new Set(scores.map((score) => score.target)).size > 1;

  /** Better or not than the best of the simple answers, in a sentence; where only in part, of what it is not. */
  sections.verdict = (data) => {
    const { test } = data;
    if (!test || !test.scores.length) return null;
    const judged = test.scores.filter((score) => score.better !== null);
    const worse = judged.filter((score) => !score.better);
    const key = !judged.length ? "plain" : !worse.length ? "better" : worse.length < judged.length ? "partly" : "worse";
    const { name, value, target, baselines, best } = worse[0] || judged[0] || test.scores[0];
    const measure = named("score", name);
    return say(`test.${key}`, {
      rows: test.rows, judged: judged.length, beaten: judged.length - worse.length, value: measured(name, value),
      measure: several(test) ? say("test.of", { measure, target: bdi(target) }) : measure,
      ...(best && { simple: simple(best, data), baseline: measured(name, baselines[best]) }),
    });
  };

  function scores({ test }) {
    const beside = SIMPLE.filter((name) => test.scores.some(({ baselines }) => name in baselines));
    return charts.table({
      caption: text("test.scores"),
      head: [
        ...(several(test) ? [text("asked.target")] : []),
        text("test.measure"), text("test.model"), ...beside.map((name) => text(`steps.${name}`)),
      ],
      rows: test.scores.map(({ name, value, baselines, target }) => [
        ...(several(test) ? [bdi(target)] : []),
        named("score", name), measured(name, value), ...beside.map((other) => measured(name, baselines[other])),
      ]),
    });
  }

  function confusion({ labels, counts, others }) {
    const names = others > 0 ? [...labels.slice(0, -1), text("confusion.rest")] : labels;
    return [
      html("h3", null, say("confusion.title")),
      html("p", { class: "note" }, say("confusion.note")),
      charts.matrix(names, counts, { label: text("confusion.title"), caption: false }),
      others > 0 && html("p", { class: "note" }, say("confusion.others", { count: others })),
    ];
  }

  function calibration({ edges, counts, confidence, right }) {
    const bins = counts.map((count, i) => i).filter((i) => counts[i]);
    const of = (values) => bins.map((i) => values[i]);
    return [
      html("h3", null, say("calibration.title")),
      html("p", { class: "note" }, say("calibration.note")),
      charts.scatter({
        label: text("calibration.title"), caption: false, x: of(confidence), y: of(right), sizes: of(counts),
        xName: text("calibration.confidence"), yName: text("calibration.right"), diagonal: true,
        limits: [Math.min(edges[0], ...of(right)), 1], extra: { name: text("calibration.rows"), values: of(counts) },
      }),
    ];
  }

  function scatter(panels) {
    return [
      html("h3", null, say("scatter.title")),
      html("div", { class: "panels" }, panels.map((panel) => html("div", null,
        charts.scatter({
          label: panel.target || text("scatter.title"), x: panel.true, y: panel.predicted, diagonal: true,
          xName: text("scatter.true"), yName: text("scatter.predicted"),
        }),
        panel.of > panel.true.length &&
          html("p", { class: "note" }, say("scatter.some", { shown: panel.true.length, count: panel.of })),
      ))),
    ];
  }

  function steps(all) {
    return charts.lines({
      label: text("steps.title"), xs: all.map((one) => one.step),
      xName: text("steps.step"), yName: text("steps.error"),
      series: [
        { name: text("test.model"), values: all.map((one) => one.model) },
        ...SIMPLE.filter((name) => name in all[0])
          .map((name) => ({ name: text(`steps.${name}`), values: all.map((one) => one[name]) })),
      ],
    });
  }

  const rowless = (data) => html("p", { class: "note" },
    say(data.rows_kept === false ? "rows.left" : "rows.none"));

  sections.test = (data) => {
    const { test, model } = data;
    if (!test) return html("p", { class: "note" }, say("test.none"));
    return [
      html("p", { class: test.better ? null : "wrong" }, sections.verdict(data)),
      html("p", { class: "note" }, say(`test.unseen.${test.unseen}`)),
      scores(data),
      test.steps && steps(test.steps),
      test.confusion && confusion(test.confusion),
      test.calibration && calibration(test.calibration),
      test.scatter ? scatter(test.scatter) : model.task === "regression" && rowless(data),
    ];
  };

  /** A true or predicted value: a name, a number, or a list of them of which some are shown. */
  function value(given) {
    if (!Array.isArray(given)) return charts.written(given);
    const shown = given.slice(0, 8).flatMap((one, i) => [i ? ", " : "", charts.written(one)]);
    return html("span", null, shown, given.length > 8 ? " …" : "");
  }

  sections.mistakes = (data) => {
    const { mistakes, model, walks } = data;
    if (!mistakes.length) return rowless(data);
    const followed = new Map(walks.map((walk, i) => [walk.row, i]));
    const follow = (row) => followed.has(row)
      ? html("a", { href: "#walk", onclick: () => pellucid.page.follow(followed.get(row)) }, bdi(row))
      : bdi(row);
    const right = (one) => String(one.true) === String(one.predicted)
      ? say("mistakes.right") : html("span", { class: "wrong" }, say("mistakes.wrong"));
    const columns = [
      ["mistakes.row", (one) => follow(one.row)],
      ["mistakes.true", (one) => value(one.true)],
      ["mistakes.predicted", (one) => value(one.predicted)],
      mistakes.some((one) => one.share !== null) &&
        ["mistakes.share", (one) => (one.share === null ? "–" : share(one.share))],
      ["mistakes.loss", (one) => one.loss],
      model.task === "classification" && ["mistakes.outcome", right],
    ].filter(Boolean);
    return [
      html("p", null, say("mistakes.intro", { count: mistakes.length })),
      charts.table({
        caption: text("mistakes.title"), head: columns.map(([key]) => text(key)),
        rows: mistakes.map((one) => columns.map(([, cell]) => cell(one))),
      }),
    ];
  };

  sections.importance = ({ importance }) => {
    if (!importance || !importance.groups.length) return html("p", { class: "note" }, say("importance.none"));
    const { rows, repeats, score, base, groups, left_out: left } = importance;
    const measure = named("score", score);
    return [
      html("p", null, say("importance.intro", { rows, repeats, measure, base: measured(score, base) })),
      charts.bars({
        label: text("importance.label", { measure }), spreadName: text("importance.spread"),
        items: groups.map(({ names, mean, std }) => ({
          name: html("span", null, names.flatMap((name, i) => [i ? " + " : "", bdi(name)])), value: mean, spread: std,
        })),
      }),
      left > 0 && html("p", { class: "note" }, say("importance.left", { count: left })),
    ];
  };

  sections.hidden = (data) => {
    const { hidden, model } = data;
    if (!hidden) return rowless(data);
    const axis = (i) => text("hidden.axis", { number: i + 1, share: `${(hidden.explained[i] * 100).toFixed(0)} %` });
    const classes = model.task === "classification";
    const labels = hidden.label.map(String), seen = new Set(labels);
    return [
      html("p", null, say(classes ? "hidden.classes" : "hidden.intro")),
      charts.scatter({
        label: text("hidden.title"), caption: false, x: hidden.x, y: hidden.y, groups: classes ? labels : null,
        kinds: classes ? [...new Set([...model.classes, ...labels])].filter((kind) => seen.has(kind)) : [],
        names: classes ? null : (i) => hidden.label[i], xName: axis(0), yName: axis(1), height: 400,
      }),
    ];
  };

  sections.cut = ({ cut }) => html("ul", { class: "told" },
    cut.length ? cut.map((line) => html("li", null, told(line))) : html("li", null, say("cut.nothing")));

  /** The walk: a choice of a row, and the way of that row. `state.walk` keeps the choice. */
  sections.walk = (data, state) => {
    if (!data.walks.length) return rowless(data);
    const place = html("div");
    const named_ = ({ row, true: truth, predicted }) => {
      const short = (given) => (Array.isArray(given) ? `${pellucid.round(given[0])} …` : given);
      return truth === null
        ? text("walk.choice.plain", { row, predicted: short(predicted) })
        : text("walk.choice", { row, truth: short(truth), predicted: short(predicted) });
    };
    const choice = html("select", { id: "walk-row", onchange: () => show(Number(choice.value)) },
      data.walks.map((walk, i) => html("option", { value: i }, named_(walk))));
    function show(index) {
      state.walk = index;
      choice.value = index;
      place.replaceChildren(pellucid.walk.render(data, index, pellucid.language()));
    }
    state.follow = show;
    show(state.walk);
    return [
      html("p", null, say("walk.intro")),
      html("p", { class: "choice" }, html("label", { for: "walk-row" }, say("walk.choose")), choice),
      place,
    ];
  };
})();
