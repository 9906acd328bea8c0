"""S2RDA's own layout: `synthetic/<class>/<class>_000000.png`, and `splits/synthetic_train.txt` that lists them.

A line of the list is a path relative to the export's folder, as in S2RDA's `splits/real_val.txt`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from render.dataset.export.parts import Classes, Lines, class_folder, stem, write_png
from render.frame import Frame
from scenes.errors import InputError


def write_s2rda(frames: Iterable[Frame], classes: Classes, out: Path, piece: int) -> list[str]:
    """Write pictures into `out`; their paths are the lines. Raises InputError for a picture without a class."""
    lines = []
    for frame in frames:
        if frame.label < 0:
            raise InputError(f"picture {frame.index} has no main object, s2rda needs a class; use --format folder")
        name = class_folder(frame, classes)
        path = Path("synthetic") / name / f"{name}_{stem(frame)}.png"
        write_png(out / path, frame.rgb)
        lines.append(path.as_posix())
    return lines


def finish_s2rda(lines: Lines, classes: Classes, out: Path) -> None:
    """Write the list."""
    (out / "splits").mkdir(exist_ok=True)
    with (out / "splits" / "synthetic_train.txt").open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines())
