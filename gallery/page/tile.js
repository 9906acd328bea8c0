"use strict";
// A picture with its labels: an image, the label above it, and boxes and keypoints above that. All fit the same box.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const shape = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const kindsOf = (place) => gallery.index.sets[gallery.setOf(place)].kinds;

  // The values of a label: {width, height, channels, values, low, high}.
  async function label(place, kind, wanted) {
    const item = await gallery.item(place, kind, wanted);
    if (!item) return undefined;
    const [width, height, channels, bytes, text, low, high] = item, data = await gallery.inflated(text);
    const values = channels === 3 ? new Int8Array(data) : bytes === 2 ? new Uint16Array(data) : new Uint8Array(data);
    return { width, height, channels, values, low, high };
  }

  function outlines(objects, show) {
    const [width, height] = objects.size;
    const drawing = shape("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const mark = Math.max(width, height) / 60;
    for (const object of objects.objects) {
      const stroke = gallery.css(gallery.idColor(object.instance));
      const box = (sides, name) => sides && drawing.append(shape("rect", {
        x: sides[0], y: sides[1], width: sides[2] - sides[0], height: sides[3] - sides[1], stroke, class: name,
      }));
      if (show.amodal) box(object.amodal, "amodal");
      if (show.boxes) box(object.box, "box");
      for (const [name, cx, cy, seen] of show.points ? object.points : []) {
        const circle = shape("circle", { cx, cy, r: mark, stroke, fill: seen ? stroke : "none" });
        const title = shape("title", {});
        title.textContent = `${object.category}: ${name}${seen ? "" : ", hidden"}`;
        circle.append(title);
        drawing.append(circle);
      }
    }
    return drawing;
  }

  // Fill an element with a picture and the labels that `gallery.show` asks for. wanted: whether it still is.
  async function fill(element, place, wanted) {
    const show = gallery.show, kind = kindsOf(place)[show.label];
    const asPicture = kind?.drawn === "picture" ? show.label : "rgb";
    const [picture, values, objects] = await Promise.all([
      gallery.item(place, asPicture, wanted),
      kind && kind.drawn !== "picture" ? label(place, show.label, wanted) : null,
      show.boxes || show.amodal || show.points ? gallery.item(place, "objects", wanted) : null,
    ]).catch((error) => [error]);
    if (!wanted() || picture === undefined) return undefined;
    if (picture instanceof Error || picture.fault) {
      const reason = picture.message ?? picture.fault;
      element.replaceChildren(gallery.make("p", { className: "broken", title: reason }, reason));
      return undefined;
    }
    const image = gallery.make("img", { alt: "", draggable: false, src: `data:image/jpeg;base64,${picture}` });
    const parts = [image];
    if (values) {
      const canvas = gallery.make("canvas", { width: values.width, height: values.height });
      canvas.getContext("2d").putImageData(gallery.painted(kind.drawn, values), 0, 0);
      canvas.style.opacity = show.mix / 100;
      parts.push(canvas);
    }
    if (objects) parts.push(outlines(objects, show));
    element.replaceChildren(...parts);
    return { values, kind };
  }

  // Buttons with small pictures, which open them large.
  function thumbs(list, title) {
    return gallery.make("div", { className: "thumbs", role: "group", "aria-label": title }, ...list.map((place) => {
      const set = gallery.index.sets[gallery.setOf(place)];
      const button = gallery.make("button", { type: "button", title: `${set.name}: picture ${gallery.indexOf(place)}` });
      button.onclick = () => gallery.open(place);
      gallery.item(place, "rgb").then((shown) => button.append(shown.fault
        ? gallery.make("span", { className: "broken" }, shown.fault)
        : gallery.make("img", { alt: button.title, src: `data:image/jpeg;base64,${shown}` })));
      return button;
    }));
  }

  Object.assign(gallery, { fill, kindsOf, thumbs });
})();
