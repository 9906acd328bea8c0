"use strict";
// Colors of labels, the same as on blendmill's sheets; and for groups, colors and shapes that the color-blind tell apart.
(() => {
  const RAMP = [[58, 70, 190], [70, 127, 240], [40, 187, 236], [49, 242, 153], [162, 252, 60], [237, 208, 58],
    [251, 128, 34], [210, 49, 5], [122, 4, 3]];
  // A dark, a light and a middle one by turns. Every fourth has the same shape, and those of one shape differ in
  // lightness, which all people see.
  const GROUPS = ["#1a6fb9", "#f0b840", "#25a880", "#9545a3", "#8fcbf2", "#e37535", "#28733a", "#f3b0c8", "#8b8bdb",
    "#8f5a24", "#bdd65a", "#d9659f"];
  // Around 0, about 1 large: a disc, a square, a triangle, a diamond.
  const SHAPES = ["M-1 0A1 1 0 1 0 1 0A1 1 0 1 0-1 0Z", "M-.9-.9H.9V.9H-.9Z", "M0-1.1 1.1.8H-1.1Z", "M0-1.3 1 0 0 1.3-1 0Z"];
  const OTHERS = { color: "#888888", shape: "M-1.2-.4H1.2V.4H-1.2Z" };
  const group = (k) => (k < GROUPS.length ? { color: GROUPS[k], shape: SHAPES[k % SHAPES.length] } : OTHERS);

  // Viridis (Smith and van der Walt, 2015): the more, the lighter, for all people.
  const SCALE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

  function hsv(hue, saturation, value) {
    const f = (n) => {
      const k = (n + hue * 6) % 6;
      return Math.floor((value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1))) * 255);
    };
    return [f(5), f(3), f(1)];
  }

  const ids = Array.from({ length: 256 }, (_, n) => hsv((n * 0.61803398875 + 0.75) % 1, [0.85, 1, 0.45, 0.45][n % 4], [0.6, 0.85, 0.5, 1][n % 4]));
  const idColor = (id) => ids[((id - 1) % 255) + 1];

  function between(colors, share) {
    const at = Math.min(Math.max(share, 0), 1) * (colors.length - 1), k = Math.min(Math.floor(at), colors.length - 2);
    return colors[k].map((low, c) => low + (colors[k + 1][c] - low) * (at - k));
  }

  const levels = Array.from({ length: 256 }, (_, n) => between(RAMP, (n - 1) / 254));

  // The pixels of a label as an ImageData. What is nothing is transparent.
  function painted(drawn, { width, height, channels, values }) {
    const image = new ImageData(width, height), out = image.data;
    for (let i = 0, o = 0; i < width * height; i += 1, o += 4) {
      const value = values[i * channels];
      if (drawn === "normals") {
        const [x, y, z] = [value, values[3 * i + 1], values[3 * i + 2]];
        if (!x && !y && !z) continue;
        out[o] = 127.5 + x;
        out[o + 1] = 127.5 - y;
        out[o + 2] = 127.5 - z;
      } else if (drawn === "gray") {
        out[o] = out[o + 1] = out[o + 2] = value;
      } else {
        if (!value) continue;
        const color = drawn === "ids" ? idColor(value) : levels[value];
        out[o] = color[0];
        out[o + 1] = color[1];
        out[o + 2] = color[2];
      }
      out[o + 3] = 255;
    }
    return image;
  }

  const css = (color) => `rgb(${color.map(Math.round).join(" ")})`;
  const scale = (share) => css(between(SCALE, share));
  Object.assign(gallery, { painted, idColor, css, group, scale, OTHERS });
})();
