"use strict";
// Loads data. A page on disk may not fetch files, so all data come as scripts that call gallery.take(name, data).
const gallery = (() => {
  const BYTES = 96e6; // of items that are kept
  const AT_ONCE = 8;
  const waiting = new Map(); // name of a script: what to do with its data
  const loading = new Map(); // name of a script: its promise
  const kept = new Map(); // name of an item: the item; the oldest first
  let bytes = 0, running = 0;
  const queue = []; // scripts to load, the newest last

  function take(name, data) {
    const taker = waiting.get(name);
    waiting.delete(name);
    if (taker) taker(data);
    else if (name === "index") gallery.start(data);
  }

  function load(name) {
    if (!loading.has(name)) {
      loading.set(name, new Promise((resolve, reject) => {
        queue.push({ name, resolve, reject });
        next();
      }).finally(() => loading.delete(name)));
    }
    return loading.get(name);
  }

  function next() {
    if (running >= AT_ONCE || !queue.length) return;
    const { name, resolve, reject } = queue.pop();
    const script = document.createElement("script");
    const ended = () => {
      running -= 1;
      script.remove();
      if (waiting.delete(name)) reject(new Error(`data/${name}.js cannot be read`));
      next();
    };
    running += 1;
    waiting.set(name, resolve);
    script.onload = script.onerror = ended;
    script.src = `data/${name}.js`;
    document.head.append(script);
  }

  const setOf = (place) => gallery.index.sets.findLastIndex((set) => set.first <= place);

  // The index in its data set of the picture at a place on the page.
  function indexOf(place) {
    const set = gallery.index.sets[setOf(place)];
    let rest = place - set.first;
    for (const [start, length] of set.runs) {
      if (rest < length) return start + rest;
      rest -= length;
    }
    throw new RangeError(`no picture ${place}`);
  }

  // An item of a picture: a JPEG file, a label, its objects or its factors. wanted: whether it still is, when its turn comes.
  async function item(place, kind, wanted = () => true) {
    const number = setOf(place), own = place - gallery.index.sets[number].first;
    const chunk = Math.floor(own / gallery.index.per), first = chunk * gallery.index.per;
    const name = (k) => `${number}/${kind}/${k}`;
    if (!kept.has(name(own))) {
      if (!wanted()) return undefined;
      const items = await load(`${number}/${kind}/${chunk}`);
      if (!kept.has(name(own))) items.forEach((one, k) => keep(name(first + k), one));
      if (!kept.has(name(own))) return items[own - first];
    }
    const found = kept.get(name(own));
    kept.delete(name(own));
    kept.set(name(own), found);
    return found;
  }

  const weight = (one) => (typeof one === "string" ? one.length : Array.isArray(one) ? one[4].length + 200 : 2000);

  function keep(name, one) {
    if (kept.has(name)) return;
    kept.set(name, one);
    bytes += weight(one);
    for (const [oldest, old] of kept) {
      if (bytes <= BYTES) break;
      bytes -= weight(old);
      kept.delete(oldest);
    }
  }

  async function inflated(text) {
    const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).arrayBuffer();
  }

  const ARRAYS = { f4: Float32Array, u2: Uint16Array, u1: Uint8Array, i1: Int8Array, u4: Uint32Array };
  const columns = new Map();

  // The values of a factor of all pictures, by the position of the factor in the index.
  function column(name) {
    if (!columns.has(name)) {
      columns.set(name, load(name).then(async ({ type, data }) => new ARRAYS[type](await inflated(data))));
    }
    return columns.get(name);
  }

  // An element with properties and children. Text is always text.
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key.startsWith("aria") || key === "role" || key === "for") element.setAttribute(key, value);
      else element[key] = value;
    }
    element.append(...children);
    return element;
  }

  const shortened = (value) =>
    typeof value !== "number" ? String(value)
      : Number.isInteger(value) && Math.abs(value) < 1e7 ? String(value) : String(Number(value.toPrecision(4)));

  const MIX = 60, SIZE = 128;
  const show = { label: "", mix: MIX, size: SIZE, boxes: false, amodal: false, points: false };

  return { MIX, SIZE, show, take, load, item, inflated, column, setOf, indexOf, make, shortened, byId: (id) => document.getElementById(id) };
})();
