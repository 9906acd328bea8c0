"use strict";
// The panel of factors: a histogram of each. Brushing one filters all pictures and all other histograms.
(() => {
  const { make, shortened } = gallery;
  const SVG = "http://www.w3.org/2000/svg", WIDTH = 240, HEIGHT = 44, FEW = 14;
  const PICTURE = "picture"; // the group of what is no factor of a config
  const drawers = new Map(); // element of a factor: what draws it
  const seen = new Set(); // the elements in sight

  const sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        seen.add(target);
        drawers.get(target)();
      } else seen.delete(target);
    }
  });

  async function countsOf(told) {
    return gallery.filters.size ? gallery.counts(told, await gallery.columnOf(told.name)) : told.counts;
  }

  function numberFactor(told) {
    const bins = told.counts.length, most = Math.max(...told.counts, 1), span = told.high - told.low || 1;
    const plot = document.createElementNS(SVG, "svg");
    plot.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    plot.setAttribute("preserveAspectRatio", "none");
    plot.setAttribute("aria-hidden", "true");
    const bars = (name, counts) => counts.forEach((count, k) => {
      if (!count) return;
      const bar = document.createElementNS(SVG, "rect"), height = Math.max(1, (count / most) * HEIGHT);
      const sides = { x: (k * WIDTH) / bins + 0.5, y: HEIGHT - height, width: WIDTH / bins - 1, height, class: name };
      for (const [key, value] of Object.entries(sides)) bar.setAttribute(key, value);
      plot.append(bar);
    });
    const brush = document.createElementNS(SVG, "rect");
    brush.setAttribute("class", "brush");
    const ends = ["from", "to"].map((end) => make("input", {
      type: "number", step: "any", placeholder: shortened(end === "from" ? told.low : told.high), "aria-label": `${told.name} ${end}`,
    }));
    const apply = (low, high) => gallery.filter(told.name, low <= told.low && high >= told.high ? null : { low, high });
    for (const input of ends) {
      input.onchange = () => {
        const [low, high] = ends.map((one, k) => (one.value === "" ? [told.low, told.high][k] : Number(one.value)));
        apply(Math.min(low, high), Math.max(low, high));
      };
    }
    let start = null;
    const at = (event) => {
      const box = plot.getBoundingClientRect();
      return told.low + Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * span;
    };
    // A brush takes the whole of each bar that it touches: the numbers of a bar may all lie at one of its sides.
    const binOf = (value) => ((value - told.low) / span) * bins;
    const edge = (bin) => (bin <= 0 ? told.low : bin >= bins ? told.high : Number((told.low + (bin * span) / bins).toPrecision(5)));
    const place = (low, high) => {
      brush.setAttribute("x", ((low - told.low) / span) * WIDTH);
      brush.setAttribute("width", Math.max(((high - low) / span) * WIDTH, 1));
      brush.setAttribute("height", HEIGHT);
      plot.append(brush);
    };
    plot.onpointerdown = (event) => {
      start = at(event);
      plot.setPointerCapture(event.pointerId);
    };
    plot.onpointermove = (event) => start !== null && place(Math.min(start, at(event)), Math.max(start, at(event)));
    plot.onpointerup = (event) => {
      const end = at(event), from = start;
      start = null;
      if (Math.abs(end - from) < span / 200) gallery.filter(told.name, null);
      else apply(edge(Math.floor(binOf(Math.min(from, end)) + 0.1)), edge(Math.ceil(binOf(Math.max(from, end)) - 0.1)));
    };
    const missing = told.missing ? make("span", { className: "missing" }, `${told.missing} without`) : "";
    const body = make("div", { className: "number" }, plot, make("p", { className: "ends" }, ends[0], missing, ends[1]));
    async function draw() {
      const counts = await countsOf(told), value = gallery.filters.get(told.name)?.value;
      plot.replaceChildren();
      bars("all", told.counts);
      bars("now", Array.from(counts));
      if (value) place(Math.max(value.low, told.low), Math.min(value.high, told.high));
      ends.forEach((input, k) => {
        input.value = value ? [value.low, value.high][k] : "";
      });
    }
    return [body, draw];
  }

  function choiceFactor(told) {
    const most = Math.max(...told.counts.slice(1), 1);
    const order = told.counts.map((count, code) => [count, code]).filter(([count, code]) => count && code).sort((a, b) => b[0] - a[0]);
    const list = make("ul", { className: "choices" });
    const rows = order.map(([count, code], k) => {
      const all = make("i", { className: "all" }), now = make("i", { className: "now" }), number = make("b");
      all.style.width = `${(100 * count) / most}%`;
      const button = make("button", { type: "button", title: told.names[code] }, all, now, make("span", {}, told.names[code]), number);
      button.onclick = () => {
        const chosen = new Set(gallery.filters.get(told.name)?.value.choices), name = told.names[code];
        if (!chosen.delete(name)) chosen.add(name);
        gallery.filter(told.name, chosen.size ? { choices: [...chosen] } : null);
      };
      list.append(make("li", { hidden: k >= FEW }, button));
      return { code, button, now, number };
    });
    const body = make("div", {}, list);
    if (order.length > FEW) {
      const more = make("button", { type: "button", className: "more" }, `${order.length - FEW} more`);
      more.onclick = () => {
        for (const item of list.children) item.hidden = false;
        more.remove();
      };
      body.append(more);
    }
    async function draw() {
      const counts = await countsOf(told), chosen = gallery.filters.get(told.name)?.value.choices;
      for (const { code, button, now, number } of rows) {
        now.style.width = `${(100 * counts[code]) / most}%`;
        number.textContent = counts[code];
        button.setAttribute("aria-pressed", chosen?.includes(told.names[code]) ? "true" : "false");
      }
    }
    return [body, draw];
  }

  function build() {
    const groups = new Map();
    for (const told of gallery.index.factors) {
      const name = told.name.includes(".") ? told.name.split(".")[0] : PICTURE;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(told);
    }
    const names = [...groups.keys()].sort((a, b) => (b === PICTURE) - (a === PICTURE) || (a === "materials") - (b === "materials") || (a < b ? -1 : 1));
    gallery.byId("groups").replaceChildren(...names.map((name) => {
      const details = make("details", { open: name === PICTURE }, make("summary", {}, name, make("b", {}, groups.get(name).length)));
      for (const told of groups.get(name)) {
        const [body, draw] = told.kind === "number" ? numberFactor(told) : choiceFactor(told);
        const section = make("section", { className: "factor" }, make("h3", { title: told.name }, told.name.replace(`${name}.`, "")), body);
        section.dataset.name = told.name;
        drawers.set(section, draw);
        sight.observe(section);
        details.append(section);
      }
      return details;
    }));
    find();
  }

  // Show the factors whose names have all the words.
  function find() {
    const words = gallery.byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of gallery.byId("groups").children) {
      let any = false;
      for (const section of group.querySelectorAll(".factor")) {
        const fits = words.every((word) => section.dataset.name.toLowerCase().includes(word));
        section.hidden = !fits;
        any = any || fits;
      }
      group.hidden = !any;
      if (words.length && any) group.open = true;
    }
  }

  function told(name, value) {
    if (value.choices) return `${name}: ${value.choices.join(", ")}`;
    return value.low === undefined ? `${name}: chosen on the map` : `${name}: ${shortened(value.low)} to ${shortened(value.high)}`;
  }

  function redraw() {
    for (const section of seen) drawers.get(section)();
    const chips = Array.from(gallery.filters, ([name, { value }]) => {
      const chip = make("button", { type: "button", className: "chip", title: "Take this filter away" }, told(name, value), " ×");
      chip.onclick = () => gallery.filter(name, null);
      return chip;
    });
    if (chips.length > 1) {
      const all = make("button", { type: "button", className: "chip" }, "clear all ×");
      all.onclick = gallery.clear;
      chips.push(all);
    }
    gallery.byId("active").replaceChildren(...chips);
  }

  gallery.byId("search").addEventListener("input", find);
  gallery.buildFactors = build;
  gallery.whenFiltered(redraw);
})();
