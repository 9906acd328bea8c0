"use strict";
// The grid: only the rows in sight are in the page. It is a list box, of which one picture is active.
(() => {
  const GAP = 4;
  const grid = gallery.byId("grid"), rows = gallery.byId("rows");
  const cells = new Map(); // place of a picture: its cell
  let active = 0, version = 0, drawing = 0, columns = 1, side = 0, filling = 0;

  const step = () => side + GAP;

  // As many columns as fit; the pictures grow until they fill the width.
  function layout() {
    const width = grid.clientWidth - GAP;
    columns = Math.max(1, Math.floor(width / (gallery.show.size + GAP)));
    side = Math.max(Math.floor(width / columns) - GAP, 1);
    rows.style.height = `${Math.ceil(gallery.shown().length / columns) * step() + GAP}px`;
  }

  // Everything is drawn anew: other pictures, another size, other labels.
  function refresh() {
    version += 1;
    for (const cell of cells.values()) cell.remove();
    cells.clear();
    active = Math.min(active, Math.max(gallery.shown().length - 1, 0));
    layout();
    draw();
  }

  function draw() {
    drawing = 0;
    const shown = gallery.shown(), top = grid.scrollTop;
    const first = Math.max(0, Math.floor(top / step()) - 1) * columns;
    const last = Math.min(shown.length, (Math.ceil((top + grid.clientHeight) / step()) + 1) * columns);
    const wanted = new Set();
    for (let k = first; k < last; k += 1) wanted.add(shown[k]);
    for (const [place, cell] of cells) {
      if (!wanted.has(place)) {
        cell.remove();
        cells.delete(place);
      }
    }
    for (let k = first; k < last; k += 1) {
      if (!cells.has(shown[k])) cells.set(shown[k], cellOf(shown[k], k));
    }
    mark();
    clearTimeout(filling);
    filling = setTimeout(fillAll, 40); // what only flies past is not loaded
  }

  function cellOf(place, k) {
    const cell = gallery.make("div", { className: "cell", role: "option", id: `cell-${place}` });
    cell.setAttribute("aria-label", `picture ${gallery.indexOf(place)} of ${gallery.index.sets[gallery.setOf(place)].name}`);
    cell.setAttribute("aria-setsize", gallery.shown().length);
    cell.setAttribute("aria-posinset", k + 1);
    cell.style.width = cell.style.height = `${side}px`;
    cell.style.transform = `translate(${GAP + (k % columns) * step()}px, ${GAP + Math.floor(k / columns) * step()}px)`;
    cell.onclick = () => {
      active = k;
      mark();
      gallery.open(place);
    };
    rows.append(cell);
    return cell;
  }

  function fillAll() {
    const now = version;
    for (const [place, cell] of cells) {
      if (cell.dataset.filled) continue;
      cell.dataset.filled = "yes";
      gallery.fill(cell, place, () => now === version && cells.get(place) === cell);
    }
  }

  function mark() {
    grid.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    const cell = cells.get(gallery.shown()[active]);
    cell?.setAttribute("aria-selected", "true");
    grid.setAttribute("aria-activedescendant", cell ? cell.id : "");
  }

  function go(k) {
    const shown = gallery.shown();
    if (!shown.length) return;
    active = Math.min(Math.max(k, 0), shown.length - 1);
    const top = Math.floor(active / columns) * step();
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + step() > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + step() - grid.clientHeight + GAP;
    draw();
  }

  grid.addEventListener("scroll", () => {
    drawing = drawing || requestAnimationFrame(draw);
  });
  grid.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(grid.clientHeight / step())) * columns;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page };
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in moves) go(active + moves[event.key]);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(gallery.shown().length - 1);
    else if ((event.key === "Enter" || event.key === " ") && gallery.shown().length) gallery.open(gallery.shown()[active]);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => gallery.index && refresh()).observe(grid);

  // The picture that is so many places on from one, among those that are shown.
  function beside(place, by) {
    const at = gallery.shown().indexOf(place) + by;
    if (at >= 0 && at < gallery.shown().length) go(at);
    return gallery.shown()[at];
  }

  gallery.refresh = refresh;
  gallery.beside = beside;
})();
