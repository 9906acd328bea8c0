"use strict";
// A crossfilter over typed arrays: each filter marks the pictures that pass it, and a count says how many do not.
(() => {
  const filters = new Map(); // name of a factor: { value, passes }
  const listeners = [];
  let fails, order, sorter = "";

  const factor = (name) => gallery.index.factors.find((one) => one.name === name);
  const columnOf = (name) => gallery.column(`column/${gallery.index.factors.findIndex((one) => one.name === name)}`);

  function test(value, column) {
    if (value.low !== undefined) return (i) => column[i] >= value.low && column[i] <= value.high;
    const codes = new Uint8Array(factor(value.name).names.length);
    for (const choice of value.choices) codes[factor(value.name).names.indexOf(choice)] = 1;
    return (i) => codes[column[i]];
  }

  // Set a filter, or take it away. value: {low, high}, {choices: [...]}, {places: Set-like Uint8Array}, or null.
  async function filter(name, value) {
    let passes = null;
    if (value?.passes) passes = value.passes;
    else if (value) {
      const column = await columnOf(name), passing = test({ ...value, name }, column);
      passes = Uint8Array.from({ length: gallery.index.count }, (_, i) => (passing(i) ? 1 : 0));
    }
    const old = filters.get(name);
    for (let i = 0; i < fails.length; i += 1) {
      fails[i] += (passes ? 1 - passes[i] : 0) - (old ? 1 - old.passes[i] : 0);
    }
    if (value) filters.set(name, { value, passes });
    else filters.delete(name);
    await changed();
  }

  async function clear() {
    filters.clear();
    fails.fill(0);
    await changed();
  }

  async function sort(name) {
    sorter = name;
    await changed();
  }

  async function changed() {
    const shown = [];
    for (let i = 0; i < fails.length; i += 1) if (!fails[i]) shown.push(i);
    if (factor(sorter.replace(/^-/, ""))) {
      const column = await columnOf(sorter.replace(/^-/, "")), sign = sorter.startsWith("-") ? -1 : 1;
      const key = (i) => (Number.isNaN(column[i]) ? Infinity : sign * column[i]);
      shown.sort((a, b) => key(a) - key(b) || a - b);
    }
    order = shown;
    for (const listener of listeners) listener();
  }

  // How many pictures that pass all other filters have each value: counts like those of the factor's histogram.
  function counts(told, column) {
    const own = filters.get(told.name)?.passes, found = new Uint32Array(told.counts.length);
    const bins = told.counts.length, scale = bins / (told.high - told.low || 1);
    for (let i = 0; i < column.length; i += 1) {
      if (fails[i] - (own ? 1 - own[i] : 0)) continue;
      const value = column[i];
      if (told.kind === "choice") found[value] += 1;
      else if (value >= told.low) found[Math.min(Math.floor((value - told.low) * scale), bins - 1)] += 1;
    }
    return found;
  }

  function begin() {
    fails = new Uint8Array(gallery.index.count);
    order = Array.from(fails.keys());
  }

  Object.assign(gallery, {
    filter, filters, clear, sort, counts, columnOf, factor, begin,
    whenFiltered: (listener) => listeners.push(listener), shown: () => order, passes: (i) => !fails[i],
    sorter: () => sorter,
  });
})();
