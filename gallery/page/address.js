"use strict";
// The address holds the view and the filters, so that a view can be sent: #view=map&class=mug,car&camera.elevation=10..30
(() => {
  const { show, byId } = gallery;
  const OWN = ["view", "label", "mix", "size", "draw", "order", "open", "area"];
  const comma = (text) => text.replaceAll("%", "%25").replaceAll(",", "%2C");
  const MARKS = ["boxes", "amodal", "points"];
  let reading = false;

  function written() {
    const said = new URLSearchParams();
    if (gallery.view() !== "pictures") said.set("view", gallery.view());
    if (show.label) said.set("label", show.label);
    if (show.mix !== gallery.MIX) said.set("mix", show.mix);
    if (show.size !== gallery.SIZE) said.set("size", show.size);
    const marks = MARKS.filter((name) => show[name]);
    if (marks.length) said.set("draw", marks.join(","));
    if (gallery.sorter()) said.set("order", gallery.sorter());
    if (gallery.opened() >= 0) said.set("open", gallery.opened());
    if (gallery.areaWritten()) said.set("area", gallery.areaWritten());
    for (const [name, { value }] of gallery.filters) {
      const key = OWN.includes(name) ? `.${name}` : name;
      if (value.choices) said.set(key, value.choices.map(comma).join(","));
      else if (value.low !== undefined) said.set(key, `${value.low}..${value.high}`);
    }
    return said.toString();
  }

  function remember() {
    if (reading) return;
    const hash = written();
    if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  // Do as the address says. What it names and is not there is passed over.
  async function follow() {
    reading = true;
    const said = new URLSearchParams(location.hash.slice(1));
    const number = (name, low, high, other) => {
      const value = Number(said.get(name) ?? NaN);
      return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : other;
    };
    show.mix = number("mix", 0, 100, gallery.MIX);
    show.size = number("size", 48, 512, gallery.SIZE);
    show.label = [...byId("label").options].some((one) => one.value === said.get("label")) ? said.get("label") : "";
    for (const name of MARKS) show[name] = (said.get("draw") ?? "").split(",").includes(name);
    gallery.controls();
    gallery.look(said.get("view") ?? "pictures");
    await gallery.clear();
    for (const [key, text] of said) {
      const name = OWN.includes(key) ? "" : key.replace(/^\.(?=[a-z]+$)/, ""), factor = gallery.factor(name);
      if (!factor) continue;
      const ends = text.split("..").map(Number);
      const choices = text.split(",").map((one) => one.replaceAll("%2C", ",").replaceAll("%25", "%")).filter((one) => factor.names?.includes(one));
      if (factor.kind === "choice" && choices.length) await gallery.filter(name, { choices });
      if (factor.kind === "number" && ends.length === 2 && ends.every(Number.isFinite)) await gallery.filter(name, { low: ends[0], high: ends[1] });
    }
    await gallery.followArea(said.get("area") ?? "");
    await gallery.sort(said.get("order") ?? "");
    gallery.controls();
    reading = false;
    const open = number("open", 0, gallery.index.count - 1, -1);
    if (open >= 0) gallery.open(Math.floor(open));
  }

  Object.assign(gallery, { remember, follow });
  addEventListener("hashchange", () => gallery.index && follow());
})();
