"use strict";
// A line over versions, with the spread of each point and the runs behind it.
(() => {
  const SVG = "http://www.w3.org/2000/svg", HEIGHT = 220, LEFT = 60, RIGHT = 52, TOP = 12, BOTTOM = 46, STEP = 90;

  const shape = (tag, attributes, text = "") => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.textContent = text;
    return element;
  };

  // Round numbers that part a range into three to seven steps.
  function ticks(low, high) {
    const raw = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find((one) => one * unit >= raw) * unit;
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, k) => (first + k) * step);
  }

  // points: [{version, value, spread, runs}] in their order.
  function chart(name, points) {
    const all = points.flatMap((one) => [one.value - one.spread, one.value + one.spread, ...one.runs]);
    const pad = Math.max((Math.max(...all) - Math.min(...all)) * 0.1, 0.005), low = Math.min(...all) - pad, high = Math.max(...all) + pad;
    const width = LEFT + RIGHT + STEP * Math.max(points.length - 1, 1);
    const x = (k) => LEFT + STEP * k + (points.length === 1 ? STEP / 2 : 0);
    const y = (value) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
    const plot = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: "chart", role: "img", "aria-label": `${name} over versions; the table below has the numbers` });
    for (const tick of ticks(low, high)) {
      plot.append(shape("line", { x1: LEFT, x2: width - RIGHT, y1: y(tick), y2: y(tick), class: "rule" }),
        shape("text", { x: LEFT - 8, y: y(tick) + 4, class: "end" }, String(Number(tick.toPrecision(4)))));
    }
    plot.append(shape("polyline", { points: points.map((one, k) => `${x(k)},${y(one.value)}`).join(" "), class: "line" }));
    points.forEach((one, k) => {
      const [top, bottom] = [y(one.value + one.spread), y(one.value - one.spread)];
      plot.append(shape("path", { d: `M${x(k)} ${top}V${bottom}M${x(k) - 5} ${top}h10M${x(k) - 5} ${bottom}h10`, class: "spread" }));
      if (one.runs.length > 1) plot.append(...one.runs.map((value) => shape("circle", { cx: x(k) + 9, cy: y(value), r: 2.5, class: "run" })));
      plot.append(shape("circle", { cx: x(k), cy: y(one.value), r: 4.5, class: "point" }),
        shape("text", { x: x(k), y: HEIGHT - BOTTOM + 20, class: "middle" }, one.version.length > 12 ? `${one.version.slice(0, 11)}…` : one.version));
    });
    return plot;
  }

  gallery.chart = chart;
})();
