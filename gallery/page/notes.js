"use strict";
// What was left out or failed, and the factors that are the same in all pictures.
(() => {
  const { make, shortened } = gallery;

  function pairs(title, rows, count = rows.length) {
    if (!rows.length) return "";
    const more = count > rows.length ? [make("p", { className: "note" }, `and ${count - rows.length} more`)] : [];
    return make("section", {}, make("h3", {}, `${title}: ${count}`), make("table", { className: "pairs" }, make("tbody", {},
      ...rows.map(([name, value]) => make("tr", {}, make("th", {}, String(name)), make("td", {}, value === "" ? "(none)" : shortened(value)))))), ...more);
  }

  function ofSet(set) {
    const labels = set.photos && set.numbers.labels ? ` ${set.numbers.labels} pictures of labels are not shown.` : "";
    if (set.photos) return make("section", {}, make("h2", {}, set.name), make("p", {}, `${set.count} photographs.${labels}`),
      pairs("Photographs that cannot be read", set.failed, set.numbers.failed), pairs("Files left out", set.left_out, set.numbers.left_out));
    const drawn = set.count < set.wanted ? `${set.count} of ${set.wanted} pictures are there` : `all ${set.count} pictures are there`;
    const { numbers } = set, clean = !set.failed.length && !set.left_out.length && !set.warnings.length;
    return make("section", {}, make("h2", {}, set.name),
      make("p", {}, `${drawn[0].toUpperCase()}${drawn.slice(1)}, seed ${set.seed}. ${clean ? "No picture failed, and no asset was left out." : ""}`),
      pairs("Pictures given up", set.failed, numbers.failed), pairs("Files left out", set.left_out, numbers.left_out),
      pairs("Assets with a warning", set.warnings, numbers.warnings));
  }

  gallery.buildNotes = () => gallery.byId("notes").replaceChildren(...gallery.index.sets.map(ofSet),
    pairs("Factors that are the same in all pictures that have them", gallery.index.fixed));
})();
