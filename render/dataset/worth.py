"""What a set may be worth before a network is trained on it: how dense its scenes are, and how true its objects look.

Zhang et al. (SENSE) name these two, composition density and instance fidelity, as what decides the worth of a synthetic
picture. Both are measured here on the pictures and their labels alone, so that sets can be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from render.object_label import ObjectLabel

# An edge counts if the gray levels this far to both sides of an outline differ by so much.
_FAR, _STEP = 3, 24.0
# COCO's limits of small and large objects, pixels.
_SMALL, _LARGE = 32**2, 96**2
# Values of each figure that are kept for its quantiles.
_MOST = 200_000

_TEXTS = {
    "objects": ("objects seen in a picture", "{:.3g}"),
    "classes": ("classes seen in a picture", "{:.3g}"),
    "hidden": ("share of an object that others hide", "{:.2f}"),
    "size": ("side of a square as large as an object, pixels", "{:.3g}"),
    "labeled": ("share of a picture that is objects", "{:.2f}"),
    "outlines": ("share of a picture that is within a pixel of an outline", "{:.3f}"),
    "edge": ("width of the edges at outlines, pixels; 1 is sharpest", "{:.2f}"),
    "contrast": ("gray levels between both sides of an outline", "{:.3g}"),
    "texture": ("gray levels between neighboring pixels inside an object", "{:.3g}"),
    "noise": ("gray levels of noise inside an object", "{:.2f}"),
    "mesh": ("triangles toward the camera for a pixel that an object covers, if nothing hid it", "{:.3g}"),
}
DENSITY = ("objects", "classes", "hidden", "size", "labeled", "outlines")
FIDELITY = ("edge", "contrast", "texture", "noise", "mesh")


@dataclass
class Worth:
    """Figures of pictures, by name; see `lines` for what each means. triangles: of models, by asset id."""

    triangles: Mapping[str, int] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in _TEXTS})
    of_class: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)

    def add(self, frame: Frame) -> None:
        """Measure a picture."""
        seen = [label for label in frame.objects if label.pixels]
        for label in seen:
            self.of_class[label.category] += 1
            size = "small" if label.pixels < _SMALL else "large" if label.pixels >= _LARGE else "medium"
            self.sizes[size] += 1
        found: dict[str, list[float]] = {
            "objects": [len(seen)],
            "classes": [len({label.category for label in seen})],
            "hidden": [1 - label.visibility for label in seen],
            "size": [math.sqrt(label.pixels) for label in seen],
            "labeled": [float((frame.instance > 0).mean())],
            "mesh": [density for label in seen if (density := self._density(label)) is not None],
            **_looks(frame),
        }
        for name, values in found.items():
            self.values[name] += values[: _MOST - len(self.values[name])]

    def _density(self, label: ObjectLabel) -> float | None:
        """How finely a model's surface is divided where it is seen; None where that is unknown.

        Half of the triangles of a closed surface look toward the camera, if it is seen from everywhere. What hides the
        object does not make its mesh finer, so they are counted for the whole area that it would cover. If a part lies
        outside of the picture, nobody knows how many triangles are inside.
        """
        triangles = self.triangles.get(label.asset)
        if triangles is None or label.truncation > 0 or label.visibility <= 0:
            return None
        return triangles / 2 * label.visibility / label.pixels

    def entropy(self) -> float:
        """Entropy of the classes of all objects, as a share of the largest one: 1 if all are as frequent."""
        counts = np.array(list(self.of_class.values()), float)
        if len(counts) < 2:
            return 0.0
        shares = counts / counts.sum()
        return float(-(shares * np.log(shares)).sum() / math.log(len(counts)))

    def plain(self) -> dict[str, object]:
        """The figures as JSON data: of each the 10th, 50th and 90th percentile, or None without a value."""
        found: dict[str, object] = {
            name: None if not values else dict(zip(("low", "median", "high"), _quantiles(values), strict=True))
            for name, values in self.values.items()
        }
        return {**found, "class_entropy": self.entropy(), "sizes": dict(self.sizes)}

    def lines(self, samples: object) -> Iterator[str]:
        """The figures in words. samples: of a pixel, as the config says, or None."""
        yield "composition density: median [10th to 90th percentile]"
        yield from self._told(DENSITY)
        total = max(1, sum(self.sizes.values()))
        listed = ", ".join(f"{name} {self.sizes[name] / total:.0%}" for name in ("small", "medium", "large"))
        yield f"  objects by COCO's sizes: {listed}"
        yield f"  entropy of the {len(self.of_class)} classes, as a share of the largest one: {self.entropy():.2f}"
        yield "instance fidelity: median [10th to 90th percentile]"
        yield from self._told(FIDELITY)
        yield f"  samples of a pixel: {'as the device has it' if samples is None else samples}"

    def _told(self, names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            if self.values[name]:
                text, form = _TEXTS[name]
                low, middle, high = (form.format(value) for value in _quantiles(self.values[name]))
                yield f"  {text}: {middle} [{low} to {high}]"


def _quantiles(values: list[float]) -> list[float]:
    return [float(value) for value in np.quantile(values, (0.1, 0.5, 0.9))]


def _looks(frame: Frame) -> dict[str, list[float]]:
    """The figures of outlines and of surfaces of a picture."""
    gray = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    pairs = [_edges(gray, frame.instance), _edges(gray.T, frame.instance.T)]
    steps, widths = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
    ids = frame.instance.astype(np.float32)
    beside = cv2.dilate(ids, np.ones((3, 3))) != cv2.erode(ids, np.ones((3, 3)))
    found = {"outlines": [float(beside.mean())], "texture": [], "noise": []}
    found["edge"] = [float(np.median(widths))] if len(widths) else []
    found["contrast"] = [float(np.median(steps))] if len(steps) else []
    right, down = (np.abs(np.diff(gray, axis=axis)) for axis in (1, 0))
    # The second difference of both directions at once is blind to slopes and to lines: what is left is noise
    # (Immerkær, Fast noise variance estimation, 1996).
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    second = np.abs(cv2.filter2D(gray, cv2.CV_32F, kernel)) * (math.sqrt(math.pi / 2) / 6)
    for label in frame.objects:
        inside = (frame.instance == label.instance) & ~beside
        if np.count_nonzero(inside) >= 16:
            found["texture"].append(float(np.concatenate([right[inside[:, 1:]], down[inside[1:]]]).mean()))
            found["noise"].append(float(np.median(second[inside])) / 0.6745 * math.sqrt(2 / math.pi))
    return found


def _edges(gray: NDArray[np.float32], ids: NDArray[np.uint16]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of each place where the id changes from a pixel to the next in its row: the step of the gray level over some
    pixels, and the width of the edge, the step divided by the steepest slope on the way."""
    changes = np.flatnonzero((ids[:, 1:] != ids[:, :-1]).ravel())
    rows, columns = np.divmod(changes, ids.shape[1] - 1)
    inside = (columns >= _FAR - 1) & (columns + _FAR < ids.shape[1])
    rows, columns = rows[inside], columns[inside]
    way = columns[:, None] + np.arange(1 - _FAR, _FAR + 1)
    # On each side there is one object only, so that nothing else makes a slope.
    numbers = ids[rows[:, None], way]
    alone = (numbers[:, :_FAR] == numbers[:, :1]).all(1) & (numbers[:, _FAR:] == numbers[:, -1:]).all(1)
    values = gray[rows[alone, None], way[alone]]
    steps = np.abs(values[:, -1] - values[:, 0])
    widths = steps / np.maximum(np.abs(np.diff(values, axis=1)).max(1), 1e-6)
    return steps, widths[steps >= _STEP]
