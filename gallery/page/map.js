"use strict";
// The map: a point for each picture, near those that look like it; a lasso; and the photographs that no render is near.
(() => {
  const { make, byId, shortened, thumbs } = gallery;
  const LASSO = "map", ALIKE = 8, SVG = "http://www.w3.org/2000/svg";
  const section = byId("map"), canvas = make("canvas", { "aria-label": "Map of the pictures" }), legend = make("p", { className: "legend" });
  const by = make("select", { id: "color" });
  const points = make("canvas"); // the points alone: to draw many of them takes longer than a hand takes to move
  let places = null, line = [], width = 0, height = 0;

  // How a picture is marked, by color and shape: {told: entries of the legend, of: a function of its place}.
  async function marking() {
    const factor = gallery.factor(by.value), { OTHERS } = gallery, { shape } = gallery.group(0);
    if (!factor) return { told: [], of: () => gallery.group(0) };
    const column = await gallery.columnOf(factor.name);
    if (factor.kind === "number") {
      const share = (i) => (column[i] - factor.low) / (factor.high - factor.low), mark = (t) => ({ color: gallery.scale(t), shape });
      const told = [0, 0.5, 1].map((t) => ({ ...mark(t), name: shortened(factor.low + t * (factor.high - factor.low)) }));
      return { told, of: (i) => (Number.isNaN(column[i]) ? OTHERS : mark(share(i))) };
    }
    const codes = factor.counts.map((n, code) => [n, code]).filter(([n, code]) => n && code).sort((a, b) => b[0] - a[0]).map(([, code]) => code);
    const marks = new Map(codes.map((code, k) => [code, gallery.group(k)])), own = codes.filter((code) => marks.get(code) !== OTHERS);
    const photos = (name) => factor.name === "set" && gallery.index.sets.some((set) => set.photos && set.name === name);
    const told = own.map((code) => ({ ...marks.get(code), name: factor.names[code], hollow: photos(factor.names[code]) }));
    const left = codes.slice(own.length), rest = left.length > 1 ? [`${left.length} others`] : left.map((code) => factor.names[code]);
    if (factor.counts[0]) rest.push(`without ${factor.name}`);
    if (rest.length) told.push({ ...OTHERS, name: rest.join("; ") });
    return { told, of: (i) => marks.get(column[i]) ?? OTHERS };
  }

  // The sign of a group in the legend.
  function swatch({ color, shape, hollow, name }) {
    const drawing = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
    for (const [key, value] of Object.entries({ viewBox: "-1.7 -1.7 3.4 3.4", class: "sign", "aria-hidden": "true" })) drawing.setAttribute(key, value);
    for (const [key, value] of Object.entries({ d: shape, stroke: color, fill: hollow ? "none" : color, "stroke-width": 0.4 })) path.setAttribute(key, value);
    drawing.append(path);
    return make("span", { title: name }, drawing, ` ${name}`);
  }

  const across = (share) => 14 + ((share + 0.05) / 1.1) * (width - 28);
  const down = (share) => 14 + (1 - (share + 0.05) / 1.1) * (height - 28);
  const x = (i) => across(places[2 * i]);
  const y = (i) => down(places[2 * i + 1]);

  async function draw() {
    if (section.hidden || !gallery.index.map) return;
    places = places ?? await gallery.column("map/places");
    const { told, of } = await marking(), ratio = devicePixelRatio, paths = new Map();
    width = canvas.clientWidth;
    height = canvas.clientHeight;
    points.width = canvas.width = width * ratio;
    points.height = canvas.height = height * ratio;
    const pen = points.getContext("2d"), all = gallery.index.count, radius = all > 20000 ? 1.5 : all > 2000 ? 2.5 : 4;
    const path = (shape) => paths.get(shape) ?? paths.set(shape, new Path2D(shape)).get(shape);
    pen.lineWidth = 1.5 / radius;
    for (const passing of [false, true]) {
      for (let i = all - 1; i >= 0; i -= 1) { // photographs come last on the page, and lie below
        if (gallery.passes(i) !== passing || Number.isNaN(places[2 * i])) continue; // one that cannot be read lies nowhere
        pen.globalAlpha = passing ? 0.85 : 0.12;
        const { color, shape } = of(i);
        pen.fillStyle = pen.strokeStyle = color;
        pen.setTransform(ratio * radius, 0, 0, ratio * radius, ratio * x(i), ratio * y(i));
        if (gallery.index.sets[gallery.setOf(i)].photos) pen.stroke(path(shape));
        else pen.fill(path(shape));
      }
    }
    legend.replaceChildren(...told.map(swatch));
    drawOver();
  }

  // Draw what lies over the points: the rectangle, the cross, the lasso.
  function drawOver() {
    const pen = canvas.getContext("2d"), ratio = devicePixelRatio;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    if (points.width && points.height) pen.drawImage(points, 0, 0);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    gallery.drawArea(pen, across, down);
    if (line.length > 1) {
      pen.strokeStyle = getComputedStyle(document.body).color;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      line.forEach(([px, py]) => pen.lineTo(px, py));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
    }
  }

  function inside([px, py], polygon) {
    let found = false;
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
      const [ax, ay] = polygon[i], [bx, by_] = polygon[j];
      if ((ay > py) !== (by_ > py) && px < ((bx - ax) * (py - ay)) / (by_ - ay) + ax) found = !found;
    }
    return found;
  }

  const at = (event) => [event.offsetX, event.offsetY];
  canvas.onpointerdown = (event) => {
    line = [at(event)];
    canvas.setPointerCapture(event.pointerId);
  };
  canvas.onpointermove = (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    line.push(at(event));
    requestAnimationFrame(drawOver);
  };
  canvas.onpointerup = () => {
    const area = line;
    line = [];
    if (area.length < 3) {
      const near = nearestPoint(area[0]);
      if (near >= 0) gallery.open(near);
      return;
    }
    const passes = Uint8Array.from({ length: gallery.index.count }, (_, i) => (inside([x(i), y(i)], area) ? 1 : 0));
    gallery.filter(LASSO, passes.includes(1) ? { passes } : null);
  };

  function nearestPoint([px, py]) {
    let best = -1, least = 100;
    for (const i of gallery.shown()) {
      const away = (x(i) - px) ** 2 + (y(i) - py) ** 2;
      if (away < least) [best, least] = [i, away];
    }
    return best;
  }

  function hole(told, k) {
    const differs = told.factors.map((one) => `${one.name} ${shortened(one.near)} (all: ${shortened(one.all)})`);
    return make("section", { className: "hole" }, make("h3", {}, `Hole ${k + 1}: ${told.count} photographs, distance ${told.distance}`),
      thumbs(told.photos, "Photographs"), ...told.lacking.map((gap) => make("p", { className: "note" }, gallery.gapText(gap))), make("p", { className: "note" }, "The nearest renders", differs.length ? `; they differ from all by ${differs.join(", ")}` : ""),
      thumbs(told.near, "Nearest renders"));
  }

  function build() {
    const { map, factors } = gallery.index;
    if (!map) return;
    places = null;
    by.replaceChildren(...factors.filter((one) => one.counts.length > 1).map((one) => make("option", { value: one.name }, one.name)));
    by.value = gallery.index.sets.length > 1 ? "set" : "class";
    by.onchange = draw;
    const how = { pca: "the first two principal directions", umap: "UMAP" }[map.method];
    section.replaceChildren(
      make("div", { className: "bar" }, make("label", {}, "Color ", by), make("span", { className: "note" }, `${map.features}; ${how}. Draw around points to choose them. Photographs are hollow.`)),
      canvas, legend, gallery.areaControls(canvas), ...(map.holes.length ? [make("h2", {}, "Holes"), make("p", { className: "note" },
        "Photographs that are farther from the nearest render than 95 % of renders are (distance 1), in groups.")] : []), ...map.holes.map(hole));
  }

  // Pictures that are nearest to one by their features, below what is told of it.
  async function besides(place, about) {
    const { map, count } = gallery.index;
    if (!map || count < 2) return;
    const vectors = await gallery.column("map/vectors"), at = await gallery.column("map/places"), size = map.size, found = [];
    const lies = (i) => !Number.isNaN(at[2 * i]); // a picture that cannot be read looks like nothing
    if (!lies(place)) return;
    for (let i = 0; i < count; i += 1) {
      let away = 0;
      for (let k = 0; k < size; k += 1) away += (vectors[i * size + k] - vectors[place * size + k]) ** 2;
      if (i !== place && lies(i)) found.push([away, i]);
    }
    found.sort((a, b) => a[0] - b[0]);
    if (gallery.opened() !== place) return;
    about.prepend(make("section", {}, make("h3", {}, "Looks like it"), thumbs(found.slice(0, ALIKE).map(([, i]) => i), "Pictures that look like it")));
  }

  new ResizeObserver(() => gallery.index && draw()).observe(canvas);
  gallery.whenFiltered(draw);
  Object.assign(gallery, { buildMap: build, drawMap: draw, drawOver, besides });
})();
