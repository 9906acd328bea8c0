"use strict";
// What the data are worth: how runs do on photographs, by version, class and look; what would help; the worst mistakes.
(() => {
  const { make, byId, shortened, thumbs } = gallery;
  const percent = (value, digits = 1) => (value === null ? "–" : `${(100 * value).toFixed(digits)} %`);
  const span = ([low, middle, high]) => `${shortened(middle)} [${shortened(low)} to ${shortened(high)}]`;
  const note = (...text) => make("p", { className: "note" }, ...text);

  function spreadOf(values) {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { value: mean, spread: values.length > 1 ? Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1)) : null };
  }

  function scoreCell({ value, spread }) {
    const bar = make("i", { className: "bar" });
    bar.style.width = `${100 * (value ?? 0)}%`;
    return make("td", { className: "score" }, bar, make("span", {}, percent(value)), spread === null ? "" : make("small", {}, ` ± ${(100 * spread).toFixed(1)}`));
  }

  function table(heads, rows) {
    const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col", title: name }, name)));
    return make("div", { className: "wide" }, make("table", { className: "scores" }, make("thead", {}, head), make("tbody", {}, ...rows)));
  }

  const row = (name, cells, title = name) => make("tr", {}, make("th", { scope: "row", title }, name), ...cells);
  const count = (n) => make("td", { className: "n" }, n.toLocaleString("en-US"));

  function versions({ versions: all, unit, mean }) {
    const means = all.some((one) => one.means[0] !== null), capital = (text) => text[0].toUpperCase() + text.slice(1);
    const heads = ["Learned from", "Runs", capital(unit), ...(means ? [capital(mean)] : [])];
    return table(heads, all.map((one) => row(one.name, [make("td", { title: one.runs.join(", ") }, String(one.runs.length)), scoreCell(spreadOf(one.scores)), ...(means ? [scoreCell(spreadOf(one.means))] : [])])));
  }

  function byClass({ versions: all, classes }) {
    return table(["Class", "Photos", ...all.map((one) => one.name)], classes.map((one) => row(one.name, [count(one.count), ...one.scores.map(scoreCell)])));
  }

  function byLook({ versions: all, looks }) {
    return make("div", { className: "looks" }, ...looks.map((look) => make("section", {}, make("h3", {}, look.name), note(look.meaning),
      table(["From, to", "Photos", ...all.map((one) => one.name)], look.bins.map((bin) =>
        row(`${shortened(bin.low)} to ${shortened(bin.high)}`, [count(bin.count), ...bin.scores.map(scoreCell)]))))));
  }

  // What photographs have that renders have not, on one line.
  function gapText(gap) {
    const scores = gap.outside === null ? "" : `; score there ${percent(gap.outside, 0)}${gap.inside === null ? "" : `, else ${percent(gap.inside, 0)}`}`;
    return `${percent(gap.share, 0)} are ${gap.how} than 97.5 % of the renders (${gap.name}: ${span(gap.photos)}; renders ${span(gap.renders)})${scores}`;
  }

  function gaps({ gaps: all, tested }) {
    const parts = all.filter((one) => one.gaps.length).map((one) => make("section", { className: "gap" },
      make("h3", {}, `${one.name}: ${one.count} photographs${one.score === null ? "" : `, score ${percent(one.score, 0)}`}`),
      ...one.gaps.flatMap((gap) => [make("p", {}, gapText(gap)),
        make("div", { className: "pair" }, thumbs(gap.worst, `Photographs: ${gap.how}`), thumbs(gap.nearest, "Renders that come nearest"))])));
    if (!parts.length) return [];
    const by = tested ? "Classes are those of the test photographs: data that were changed by them need other photographs to be judged by."
      : "No photograph has a label: classes are those that the network says.";
    return [make("h2", {}, "What would help"), note(`Looks of photographs that the renders of their class do not have. First come the photographs that lie farthest out, then the renders that come nearest. Numbers are medians, with the 10th and 90th percentile. ${by}`), ...parts];
  }

  function mistakes({ mistakes: all, unit }) {
    if (!all.length) return [];
    const show = make("button", { type: "button" }, "Show all of them as pictures");
    show.onclick = async () => {
      const photos = gallery.index.sets.filter((set) => set.photos).map((set) => set.name);
      await gallery.clear();
      await gallery.filter("run.outcome", { choices: ["wrong"] });
      if (gallery.factor("set")) await gallery.filter("set", { choices: photos });
      gallery.look("pictures");
    };
    const ofRuns = (one) => (unit === "accuracy" ? ` (wrong in ${one.wrong} of ${one.runs} runs)` : " (of the first run)");
    return [make("h2", {}, "Worst mistakes"), note("Photographs that all runs together are most wrong about, and the renders that the first network finds most like them. ", ...(gallery.factor("run.outcome") ? [show] : [])),
      make("div", { className: "mistakes" }, ...all.map((one) => make("section", {}, thumbs([one.place], "Photograph"),
        make("p", {}, one.said, one.runs > 1 ? make("small", {}, ofRuns(one)) : ""), thumbs(one.near, "Renders that the network finds most like it"))))];
  }

  function track(lines) {
    const scores = [...new Set(lines.map((one) => one.score))];
    return scores.flatMap((score) => {
      const points = lines.filter((one) => one.score === score);
      const rows = points.map((one) => row(one.version, [count(one.runs.length), scoreCell({ value: one.value, spread: one.spread })]));
      return [make("h2", {}, `${score.replaceAll("_", " ")} over versions`), note("The mean over runs, with its spread: the standard deviation over runs, or half of the bootstrap interval of a single run. Small dots are runs."),
        make("div", { className: "wide" }, gallery.chart(score, points)), make("details", {}, make("summary", {}, "Numbers"), table(["Version", "Runs", score], rows))];
    });
  }

  async function build() {
    const { index } = gallery, section = byId("worth");
    section.replaceChildren(...track(index.track));
    if (!index.worth) return;
    const told = await gallery.load("worth");
    if (told.tested) {
      section.append(make("h2", {}, "On photographs"), note(`${told.tested.toLocaleString("en-US")} test photographs. ± is the standard deviation over runs.`), versions(told),
        ...(told.classes.length > 1 ? [make("h2", {}, "By class"), byClass(told)] : []), make("h2", {}, "By look"), byLook(told));
    } else section.append(note("The first run was tested on no photograph of this page, so no score is known."));
    section.append(...gaps(told), ...mistakes(told));
  }

  Object.assign(gallery, { buildWorth: build, gapText });
})();
