"use strict";
// Colors of labels, the same as on blendmill's sheets, and a palette for groups that color-blind people tell apart.
(() => {
  const RAMP = [[58, 70, 190], [70, 127, 240], [40, 187, 236], [49, 242, 153], [162, 252, 60], [237, 208, 58],
    [251, 128, 34], [210, 49, 5], [122, 4, 3]];
  // Okabe and Ito's colors, and three of Tol's.
  const GROUPS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#882255", "#44aa99",
    "#aa4499", "#999933", "#6699cc", "#888888"];

  function hsv(hue, saturation, value) {
    const f = (n) => {
      const k = (n + hue * 6) % 6;
      return Math.floor((value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1))) * 255);
    };
    return [f(5), f(3), f(1)];
  }

  const ids = Array.from({ length: 256 }, (_, n) => hsv((n * 0.61803398875) % 1, 0.75 - 0.3 * (n % 2), 1 - 0.25 * (n % 3 === 0)));
  const idColor = (id) => ids[((id - 1) % 255) + 1];

  function ramp(share) {
    const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1), k = Math.min(Math.floor(at), RAMP.length - 2);
    return RAMP[k].map((low, c) => low + (RAMP[k + 1][c] - low) * (at - k));
  }

  const levels = Array.from({ length: 256 }, (_, n) => ramp((n - 1) / 254));

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
  Object.assign(gallery, { painted, idColor, ramp, css, GROUPS });
})();
