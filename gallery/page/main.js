"use strict";
// Puts the page together when the index is there, and ties its controls and keys.
(() => {
  const { byId, make, show } = gallery;
  const VIEWS = ["pictures", "map", "worth", "notes"];
  let view = "pictures";

  function controls() {
    byId("size").value = show.size;
    byId("mix").value = show.mix;
    byId("label").value = show.label;
    byId("order").value = gallery.sorter();
    for (const name of ["boxes", "amodal", "points"]) byId(name).checked = show[name];
    byId("mix").disabled = !show.label;
  }

  function look(name) {
    view = VIEWS.includes(name) && !document.querySelector(`[data-view="${name}"]`).hidden ? name : "pictures";
    for (const one of VIEWS) byId(one).hidden = one !== view;
    for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === view);
    if (view === "map") gallery.drawMap();
    gallery.remember();
  }

  function options() {
    const kinds = new Set(gallery.index.sets.flatMap((set) => Object.keys(set.kinds)));
    kinds.delete("rgb");
    byId("label").replaceChildren(make("option", { value: "" }, "none"), ...[...kinds].map((kind) => make("option", { value: kind }, kind)));
    const numbers = gallery.index.factors.filter((one) => one.kind === "number").map((one) => one.name);
    byId("order").replaceChildren(make("option", { value: "" }, "as drawn"), ...numbers.flatMap((name) => [
      make("option", { value: name }, `${name} ↑`), make("option", { value: `-${name}` }, `${name} ↓`)]));
  }

  function start(index) {
    const fresh = !gallery.index || gallery.index.reading;
    if (!fresh) return;
    const known = Boolean(gallery.index);
    gallery.index = index;
    if (!known || !index.reading) {
      byId("title").textContent = index.sets.map((set) => set.name).join(", ");
      document.title = `${byId("title").textContent} - blendmill gallery`;
      gallery.begin();
      options();
      gallery.buildFactors();
      gallery.buildNotes();
      document.querySelector("[data-view=map]").hidden = !index.map;
      gallery.buildMap();
      document.querySelector("[data-view=worth]").hidden = !index.worth && !index.track.length;
      gallery.buildWorth();
      gallery.follow();
    }
    count();
    if (index.reading) setTimeout(() => gallery.load("index").then(start), 1000);
  }

  function count() {
    const { reading, fault, count: all } = gallery.index, number = (n) => n.toLocaleString("en-US");
    const factors = fault ? `; no factors: ${fault}` : reading ? `; reading factors: ${number(reading[0])} of ${number(reading[1])}` : "";
    byId("shown").textContent = `${number(gallery.shown().length)} of ${number(all)} pictures${factors}`;
  }

  function changed() {
    controls();
    gallery.refresh();
    gallery.reopen();
    gallery.remember();
  }

  byId("size").oninput = (event) => {
    show.size = Number(event.target.value);
    gallery.refresh();
    gallery.remember();
  };
  byId("mix").oninput = (event) => {
    show.mix = Number(event.target.value);
    for (const canvas of document.querySelectorAll(".cell canvas, .frame canvas")) canvas.style.opacity = show.mix / 100;
    gallery.remember();
  };
  byId("label").onchange = (event) => {
    show.label = event.target.value;
    changed();
  };
  for (const name of ["boxes", "amodal", "points"]) {
    byId(name).onchange = (event) => {
      show[name] = event.target.checked;
      changed();
    };
  }
  byId("order").onchange = (event) => gallery.sort(event.target.value);
  const panel = (open) => {
    document.body.classList.toggle("panel", open);
    byId("panel").setAttribute("aria-expanded", open);
  };
  for (const button of document.querySelectorAll("[data-view]")) {
    button.onclick = () => {
      panel(false); // where the window is narrow, it covers the views
      look(button.dataset.view);
    };
  }
  byId("panel").onclick = () => panel(!document.body.classList.contains("panel"));
  addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], input[type=number]");
    if (event.key === "/" && !typing && !byId("large").open) {
      panel(true);
      byId("search").focus();
      event.preventDefault();
    } else if (event.key === "Escape" && !byId("large").open) {
      if (event.target === byId("search") && event.target.value) return; // it empties the field
      panel(false);
      byId("grid").focus({ preventScroll: true });
    }
  });
  gallery.whenFiltered(() => {
    gallery.refresh();
    count();
    controls();
    gallery.remember();
  });
  Object.assign(gallery, { start, controls, look, view: () => view });
})();
