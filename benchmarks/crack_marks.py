"""Masks of cracks from a few clicks: a path over dark pixels from click to click, as wide as the dark line is there.

    python -m benchmarks.crack_marks --photos FOLDER --out SET

FOLDER has the photographs that `crack_marks.json` names: for each, its surface, polylines of (x, y) in pixels, and how
far a crack reaches from its path at most. SET gets `img` and `mask`, which all commands of `blendmill segment` read.
One person clicked. The paths are good to about two pixels.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, label, percentile_filter
from skimage.graph import route_through_array

from scenes.assets.image_files import read_picture

MARKS = Path(__file__).with_suffix(".json")
# Sigmas in pixels at which dark lines are looked for. A line of this share of the strongest response costs half.
_SIGMAS, _HALF = (1.0, 2.0, 4.0), 0.08
# A path may leave the box of its two clicks by so many pixels, and a click may miss the line by this many.
_ROOM, _MISS = 12, 4
# The surface's gray is this percentile in windows of so many cells of 4 pixels.
_LEVEL, _CELLS = 60, 15
# Pixels along the path over which the gray of the crack is averaged. It begins at this share of the way to its middle.
_STRETCH, _BEGINS = 4.0, 0.3

Gray = NDArray[np.float32]


def marked(picture: NDArray[np.uint8], lines: Sequence[Sequence[Sequence[float]]], reach: float) -> NDArray[np.bool_]:
    """(H, W) mask of the cracks along polylines of clicks.

    A crack is what is darker than a share of the way from the surface to its middle. It is at least three pixels wide,
    as people draw. The share is chosen so that the widths are like those of masks that people drew (median 4.4 pixels).

    Parameters
    ----------
    picture : (H, W, 3) uint8
        The photograph.
    lines : sequence of sequences of (x, y)
        Clicks along each crack, in pixels.
    reach : float
        Farthest that a crack reaches from its path, in pixels.
    """
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    price, mask = _price(gray), np.zeros(gray.shape, bool)
    level = _surface(gray)
    fine = cv2.GaussianBlur(gray, (0, 0), 0.6)
    for clicks in lines:
        path = _path(price, clicks)
        mask |= _around(path, fine, level, reach)
    return mask


def _price(gray: Gray) -> Gray:
    """(H, W) cost of a step: 1 on plain surface, almost nothing on a dark line."""
    strongest = np.zeros_like(gray)
    for sigma in _SIGMAS:
        smooth = cv2.GaussianBlur(gray, (0, 0), sigma)
        dxx, dyy, dxy = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) / 4 for order in ((2, 0), (0, 2), (1, 1)))
        curved = (dxx + dyy) / 2 + np.sqrt((dxx - dyy) ** 2 / 4 + dxy**2)
        strongest = np.maximum(strongest, curved * sigma**1.5)
    response = np.clip(strongest, 0, None) / np.percentile(strongest, 99.5)
    return np.asarray(1 / (1 + response / _HALF), np.float32)


def _surface(gray: Gray) -> Gray:
    """(H, W) gray of the surface without its cracks."""
    small = cv2.resize(gray, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    level = percentile_filter(small, _LEVEL, size=_CELLS)
    return np.asarray(cv2.resize(level, gray.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _path(price: Gray, clicks: Sequence[Sequence[float]]) -> NDArray[np.intp]:
    """(n, 2) rows and columns of the cheapest path through all clicks."""
    places = [_snapped(price, round(y), round(x)) for x, y in clicks]
    steps: list[tuple[int, int]] = [places[0]]
    for first, second in itertools.pairwise(places):
        low = np.maximum(np.minimum(first, second) - _ROOM, 0)
        high = np.maximum(first, second) + _ROOM + 1
        box = price[low[0] : high[0], low[1] : high[1]]
        route, _ = route_through_array(box, tuple(first - low), tuple(second - low), geometric=True)
        steps += [(row + int(low[0]), column + int(low[1])) for row, column in route[1:]]
    return np.array(steps, np.intp)


def _snapped(price: Gray, row: int, column: int) -> tuple[int, int]:
    """The cheapest pixel close to a click."""
    row, column = min(row, price.shape[0] - 1), min(column, price.shape[1] - 1)
    top, left = max(row - _MISS, 0), max(column - _MISS, 0)
    near = price[top : row + _MISS + 1, left : column + _MISS + 1]
    y, x = np.unravel_index(near.argmin(), near.shape)
    return int(top + y), int(left + x)


def _around(path: NDArray[np.intp], fine: Gray, level: Gray, reach: float) -> NDArray[np.bool_]:
    """(H, W) the path, a pixel beside it, and what is dark and connected to it."""
    rows, columns = path.T
    dark = gaussian_filter1d(cv2.erode(fine, np.ones((3, 3)))[rows, columns], _STRETCH, mode="nearest")
    bright = gaussian_filter1d(level[rows, columns], _STRETCH, mode="nearest")
    edge = np.zeros_like(fine)
    edge[rows, columns] = bright + _BEGINS * (dark - bright)
    off = np.ones(fine.shape, bool)
    off[rows, columns] = False
    distance, (y, x) = distance_transform_edt(off, return_indices=True)
    crack = (distance <= 1) | ((distance <= reach) & (fine < edge[y, x]))
    parts, _ = label(crack)
    touching = np.unique(parts[rows, columns])
    return np.asarray(np.isin(parts, touching[touching > 0]))


def read_marks() -> dict[str, Any]:
    """By the name of the photograph: its `surface`, and `lines` and `reach` of `marked`."""
    marks: dict[str, Any] = json.loads(MARKS.read_text())
    return marks


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(photos: Path, out: Path) -> None:
    for folder in ("img", "mask"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name, mark in read_marks().items():
        if not (photos / name).is_file():
            raise click.UsageError(f"{photos}: has no photograph '{name}', which {MARKS.name} marks; name their folder")
        picture = read_picture(photos / name)
        mask = marked(picture, mark["lines"], mark["reach"])
        Image.fromarray(picture).save(out / "img" / Path(name).with_suffix(".png"))
        Image.fromarray(255 * mask.astype(np.uint8)).save(out / "mask" / Path(name).with_suffix(".png"))
        click.echo(f"{name}: {mask.mean():.1%} of the pixels are crack")


if __name__ == "__main__":
    main()
