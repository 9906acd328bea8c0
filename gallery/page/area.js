"use strict";
// A rectangle on the map, chosen with keys or with typed bounds: what a lasso does for those who have a mouse.
(() => {
  const { make } = gallery;
  const AREA = "map", STEP = 0.02, LONG = 0.1, LOW = -0.05, HIGH = 1.05;
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
  const HELP = "Arrow keys move the cross, with Shift in large steps. Enter sets a corner, and Enter again the corner across. Space opens the picture at the cross. Escape takes the rectangle away.";
  let cursor = [0.5, 0.5], corner = null, active = false;

  const said = make("p", { id: "area-said", className: "note", role: "status" });
  const fields = ["left", "right", "bottom", "top"].map((side, k) => make("input", { type: "number", min: 0, max: 100, step: 1, placeholder: [0, 100, 0, 100][k], "aria-label": `${side} of the rectangle, percent of the map` }));
  const clamp = (value) => Math.min(Math.max(value, LOW), HIGH);
  const percent = (share) => `${Math.round(100 * share)}`;
  const spanned = (a, b) => [Math.min(a[0], b[0]), Math.max(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  const within = (places, i, [left, right, bottom, top]) =>
    places[2 * i] >= left && places[2 * i] <= right && places[2 * i + 1] >= bottom && places[2 * i + 1] <= top;

  const load = () => gallery.column("map/places");

  // Keep the pictures within [left, right, bottom, top], in shares of the map.
  async function choose(area) {
    const places = await load(), passes = Uint8Array.from({ length: gallery.index.count }, (_, i) => (within(places, i, area) ? 1 : 0));
    const found = passes.reduce((sum, one) => sum + one, 0);
    await gallery.filter(AREA, found ? { area, passes } : null);
    said.textContent = `${found ? `${found} pictures lie` : "No picture lies"} in the rectangle; ${gallery.shown().length} are shown.`;
  }

  async function tell() {
    const places = await load(), at = `Cross at ${percent(cursor[0])} % from the left, ${percent(cursor[1])} % from below`;
    if (!corner) said.textContent = `${at}.`;
    else said.textContent = `${at}; ${gallery.shown().filter((i) => within(places, i, spanned(corner, cursor))).length} pictures in the rectangle.`;
  }

  async function nearest() {
    const places = await load(), away = (i) => (places[2 * i] - cursor[0]) ** 2 + (places[2 * i + 1] - cursor[1]) ** 2;
    let best;
    for (const i of gallery.shown()) if (away(i) >= 0 && (best === undefined || away(i) < away(best))) best = i;
    return best;
  }

  async function key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const move = KEYS[event.key];
    if (!move && !["Enter", " ", "Escape"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    active = true;
    if (move) {
      cursor = cursor.map((value, k) => clamp(value + move[k] * (event.shiftKey ? LONG : STEP)));
      tell();
    } else if (event.key === " ") gallery.open(await nearest());
    else if (event.key === "Escape") {
      corner = null;
      await gallery.filter(AREA, null);
      said.textContent = "No rectangle.";
    } else if (corner) {
      const area = spanned(corner, cursor);
      corner = null;
      await choose(area);
    } else {
      corner = cursor;
      tell();
    }
    gallery.drawOver();
  }

  function controls(canvas) {
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-describedby", "area-help area-said");
    canvas.onkeydown = key;
    canvas.onfocus = canvas.onblur = ({ type }) => {
      active = type === "focus" && canvas.matches(":focus-visible");
      gallery.drawOver();
    };
    const button = make("button", { type: "submit" }, "Choose");
    const form = make("form", { className: "area", "aria-label": "A rectangle of the map" }, make("span", {}, "Rectangle, %:"),
      ...["left", "right", "bottom", "top"].map((side, k) => make("label", {}, `${side} `, fields[k])), button);
    form.onsubmit = (event) => {
      event.preventDefault();
      const [left, right, bottom, top] = fields.map((one) => (one.value === "" ? Number(one.placeholder) : Number(one.value)) / 100);
      const out = (value) => (value <= 0 ? LOW : value >= 1 ? HIGH : value); // what lies beyond the border belongs to it
      choose(spanned([out(left), out(bottom)], [out(right), out(top)]));
    };
    return make("div", {}, form, make("p", { id: "area-help", className: "note" }, `With the map in focus: ${HELP}`), said);
  }

  // Draw the cross and the rectangles. x, y: from shares of the map to pixels.
  function draw(pen, x, y) {
    const frame = ([left, right, bottom, top]) => pen.strokeRect(x(left), y(top), x(right) - x(left), y(bottom) - y(top));
    const chosen = gallery.filters.get(AREA)?.value.area;
    pen.strokeStyle = getComputedStyle(document.body).color;
    pen.lineWidth = 1.5;
    if (chosen) frame(chosen);
    fields.forEach((field, k) => {
      if (document.activeElement !== field) field.value = chosen ? Math.min(Math.max(Math.round(100 * chosen[k]), 0), 100) : "";
    });
    if (!active && !corner) return;
    pen.setLineDash([5, 4]);
    if (corner) frame(spanned(corner, cursor));
    pen.setLineDash([]);
    const [cx, cy] = [x(cursor[0]), y(cursor[1])];
    pen.beginPath();
    for (const [dx, dy] of [[1, 0], [0, 1]]) {
      pen.moveTo(cx - 12 * dx, cy - 12 * dy);
      pen.lineTo(cx + 12 * dx, cy + 12 * dy);
    }
    pen.stroke();
  }

  // The chosen rectangle in the address: left..right,bottom..top, in percent.
  function written() {
    const area = gallery.filters.get(AREA)?.value.area;
    return area ? `${percent(area[0])}..${percent(area[1])},${percent(area[2])}..${percent(area[3])}` : "";
  }

  async function follow(text) {
    const ends = text.split(/\.\.|,/).map((one) => Number(one) / 100);
    if (gallery.index.map && ends.length === 4 && ends.every(Number.isFinite)) await choose(spanned([ends[0], ends[2]], [ends[1], ends[3]]));
  }

  Object.assign(gallery, { areaControls: controls, drawArea: draw, areaWritten: written, followArea: follow });
})();
