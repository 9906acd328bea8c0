"""Small pictures with five classes: ground, disc, square, bar and frame, each in a color of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

NAMES = ("ground", "disc", "square", "bar", "frame")
_COLORS = np.array([(120, 120, 120), (200, 60, 60), (60, 180, 70), (60, 80, 210), (220, 200, 60)])


def picture(seed: int, side: int = 48) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """rgb (side, side, 3), and the number of the class (side, side)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    ids = np.zeros((side, side), np.uint8)
    for number in rng.permutation(4) + 1:
        cx, cy, r = rng.uniform(8, side - 8), rng.uniform(8, side - 8), rng.uniform(6, 9)
        far = np.maximum(abs(x - cx), abs(y - cy))
        inside = [
            (x - cx) ** 2 + (y - cy) ** 2 < r * r,
            far < r * 0.8,
            (abs(x - cx) < 3) & (abs(y - cy) < 1.6 * r),
            (far < r) & (far > 0.5 * r),
        ][number - 1]
        ids[inside] = number
    rgb = _COLORS[ids] + rng.normal(0, 12, (side, side, 3))
    return rgb.clip(0, 255).astype(np.uint8), ids


def shapes(root: Path, count: int, seed: int, names: tuple[str, ...] = NAMES, masks: bool = True) -> Path:
    """img/, mask/ and classes.txt. names: in the order of the numbers in the masks, a permutation of NAMES."""
    for kind in ("img", "mask")[: 1 + masks]:
        (root / kind).mkdir(parents=True)
    if masks:
        (root / "classes.txt").write_text("\n".join(names) + "\n")
    table = np.array([names.index(name) for name in NAMES], np.uint8)
    for k in range(count):
        rgb, ids = picture(100 * seed + k)
        Image.fromarray(rgb).save(root / "img" / f"{k}.png")
        if masks:
            Image.fromarray(table[ids]).save(root / "mask" / f"{k}.png")
    return root


def config(path: Path, source: Path, test: Path | None, **changes: object) -> Path:
    """A config of a small U-Net for five classes, as a file."""
    data = {"source": [{"where": str(source)}], "holdout": 0.2, "workers": 0}
    if test is not None:
        data["test"] = {"where": str(test)}
    settings = {
        "classes": "all", "data": data | changes.pop("data", {}), "width": 8, "depth": 2, "size": 48, "iterations": 60,
        "batch": 4, "optimizer": {"name": "adamw", "lr": 5e-3, "warmup": 2}, "report": False,
        "augment": {"gray": 0, "gamma": 0, "brightness": 0.1, "contrast": 0.1, "crack": 0.5},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings | changes))
    return path
