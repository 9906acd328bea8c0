"use strict";
// One picture large: its labels, what is under the pointer, its objects and factors, and the command that draws it again.
(() => {
  const { make, shortened, byId } = gallery;
  const dialog = byId("large"), stage = byId("stage"), about = byId("about");
  let place = -1, label = null;

  const under = make("p", { id: "under", role: "status" });

  async function open(wanted) {
    if (wanted === undefined) return;
    place = wanted;
    if (!dialog.open) dialog.showModal();
    gallery.remember();
    const set = gallery.index.sets[gallery.setOf(place)], index = gallery.indexOf(place), now = () => place === wanted;
    byId("large-title").textContent = `${set.name}: picture ${index}`;
    byId("previous").disabled = gallery.shown().indexOf(place) <= 0;
    byId("next").disabled = gallery.shown().indexOf(place) === gallery.shown().length - 1;
    under.textContent = "";
    label = null;
    const frame = make("div", { className: "frame" });
    stage.replaceChildren(frame, under);
    about.replaceChildren();
    gallery.fill(frame, place, now).then((found) => {
      if (found && now()) label = found;
    });
    const [objects, packed] = await Promise.all([gallery.item(place, "objects"), gallery.item(place, "factors")]);
    if (!now()) return;
    const factors = packed ? JSON.parse(new TextDecoder().decode(await gallery.inflated(packed))) : [];
    if (!now()) return;
    about.replaceChildren(...(set.photos ? [] : [command(set, index)]), ...objectsTable(objects), ...factorTables(factors));
    gallery.besides(place, about);
  }

  function command(set, index) {
    const text = `blendmill preview config.yaml --seed ${set.seed} --index ${index} --images 1 --out picture-${index}.png`;
    const code = make("code", { tabIndex: 0 }, text), copy = make("button", { type: "button", id: "copy" }, "Copy");
    copy.onclick = async () => {
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Selected: press Ctrl+C";
      }
    };
    const link = make("a", { href: `data/${gallery.index.sets.indexOf(set)}/config.yaml`, download: "config.yaml" }, "config.yaml");
    return make("section", {}, make("h3", {}, "Draw it again"), make("p", { className: "command" }, code, copy),
      make("p", { className: "note" }, "With ", link, " of this set beside you."));
  }

  function objectsTable(objects) {
    if (!objects?.objects.length) return [];
    const rows = objects.objects.map((one) => {
      const swatch = make("i", { className: "swatch" });
      swatch.style.background = gallery.css(gallery.idColor(one.instance));
      return make("tr", {}, make("td", {}, swatch, ` ${one.instance}`), make("td", {}, one.category), make("td", {}, one.purpose),
        make("td", { className: "n" }, `${Math.round(100 * one.visibility)} %`), make("td", { className: "n" }, `${shortened(100 * one.share)} %`));
    });
    const head = ["id", "class", "role", "visible", "of frame"].map((name, k) => make("th", { className: k > 2 ? "n" : "" }, name));
    return [make("section", {}, make("h3", {}, "Objects"), make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)))];
  }

  function factorTables(factors) {
    const groups = new Map();
    for (const [name, value] of factors) {
      const group = name.includes(".") ? name.slice(0, name.indexOf(".")) : "picture";
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push([name.slice(name.indexOf(".") + 1), value]);
    }
    return Array.from(groups, ([group, pairs]) => make("details", { open: group !== "materials" },
      make("summary", {}, group, make("b", {}, pairs.length)),
      make("table", { className: "pairs" }, make("tbody", {}, ...pairs.map(([name, value]) =>
        make("tr", {}, make("th", {}, name), make("td", {}, value === "" ? "(none)" : shortened(value))))))));
  }

  // What the label says where the pointer is.
  function tell(event) {
    const canvas = stage.querySelector("canvas");
    if (!label?.values || !canvas) return;
    const { width, height, channels, values, low, high } = label.values, box = canvas.getBoundingClientRect();
    const scale = Math.min(box.width / width, box.height / height);
    const x = Math.floor((event.clientX - box.left - (box.width - width * scale) / 2) / scale);
    const y = Math.floor((event.clientY - box.top - (box.height - height * scale) / 2) / scale);
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = (y * width + x) * channels, value = values[at], name = gallery.show.label;
    const classes = gallery.index.sets[gallery.setOf(place)].classes ?? [];
    const said = {
      ids: () => (value ? `${value}${name === "category" ? ` ${classes[value - 1] ?? ""}` : ""}` : "nothing"),
      gray: () => `${Math.round((100 * value) / 255)} %`,
      length: () => (value ? `${shortened(low + ((high - low) * (value - 1)) / 254)}${{ width: " mm", disparity: " px" }[name] ?? " m"}` : "nothing"),
      normals: () => (values[at] || values[at + 1] || values[at + 2] ? [0, 1, 2].map((k) => (values[at + k] / 127).toFixed(2)).join(", ") : "nothing"),
    };
    under.textContent = `${name} at ${x}, ${y}: ${said[label.kind.drawn]()}`;
  }

  stage.addEventListener("pointermove", tell);
  byId("previous").onclick = () => open(gallery.beside(place, -1));
  byId("next").onclick = () => open(gallery.beside(place, 1));
  byId("close").onclick = () => dialog.close();
  dialog.addEventListener("close", () => {
    place = -1;
    gallery.remember();
    byId("grid").focus({ preventScroll: true });
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" && !byId("previous").disabled) byId("previous").click();
    else if (event.key === "ArrowRight" && !byId("next").disabled) byId("next").click();
    else return;
    event.preventDefault();
  });

  gallery.open = open;
  gallery.reopen = () => dialog.open && open(place);
  gallery.opened = () => place;
})();
