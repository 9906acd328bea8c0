"""What renders and photographs look like, without any label of a photograph: size, sharpness, white grounds.

    python -m benchmarks.habits SET [SET ...] --photos DIR

SET is a rendered data set. All pictures are first scaled to a short side of 73 pixels, from which training at 64 pixels
crops. The table goes to standard output.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import table
from render.dataset.dataset import Dataset
from training.data.decode import resized
from training.data.sources import open_pictures

_SIDE, _RIM, _WHITE = 73, 4, 240
Picture = NDArray[np.uint8]


def sharpness(picture: Picture) -> float:
    """The mean absolute Laplacian of the gray levels."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(cv2.Laplacian(gray, cv2.CV_32F)).mean())


def white_ground(picture: Picture) -> bool:
    """Whether more than half of the picture's rim is white."""
    inner = np.zeros(picture.shape[:2], bool)
    inner[_RIM:-_RIM, _RIM:-_RIM] = True
    return bool((picture[~inner].min(axis=1) > _WHITE).mean() > 0.5)


def extent(instance: NDArray[np.integer]) -> float:
    """The longer side of the main object's box over the picture's shorter side."""
    rows, columns = np.nonzero(instance == 1)
    return float(max(np.ptp(rows), np.ptp(columns)) + 1) / min(instance.shape) if len(rows) else 0.0


def line(name: str, pictures: Iterable[Picture], extents: list[float]) -> list[str]:
    """The table's line of a set: medians (10th to 90th percentile). extents: empty where no mask tells them."""
    small = [resized(picture, _SIDE) for picture in pictures]
    return [
        name,
        str(len(small)),
        _spread(extents, 2) if extents else "",
        _spread([sharpness(picture) for picture in small], 1),
        f"{np.mean([white_ground(picture) for picture in small]):.0%}",
    ]


def _spread(values: list[float], digits: int) -> str:
    low, middle, high = np.percentile(values, [10, 50, 90])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


@click.command()
@click.argument("sets", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
def main(sets: tuple[Path, ...], photos: Path) -> None:
    rows = []
    for folder in sets:
        frames = Dataset.open(folder).frames(partial=True)
        seen = [(frame.rgb, extent(frame.instance)) for frame in frames]
        rows.append(line(folder.name, [picture for picture, _ in seen], [share for _, share in seen]))
    found = open_pictures(str(photos), labels=False)
    rows.append(line("photographs", (found.read(k) for k in range(len(found))), []))
    header = ["set", "pictures", "longer side of the object", "sharpness", "white ground"]
    click.echo(table(header, rows))


if __name__ == "__main__":
    main()
