"""S2RDA's own layout: `synthetic/<class>/<class>_000000.png`, and `splits/synthetic_train.txt` that lists them.

A line of the list is a path relative to the export's folder, as in S2RDA's `splits/real_val.txt`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from render.dataset.export.parts import class_folder, stem, write_png
from render.frame import Frame
from scenes.errors import InputError


def write_s2rda(frames: Iterable[Frame], classes: tuple[str, ...], out: Path) -> None:
    """Write pictures and list into `out`. Raises InputError for a picture without a class."""
    lines = []
    for frame in frames:
        if frame.label < 0:
            raise InputError(f"picture {frame.index} has no main object, s2rda needs a class; use --format folder")
        name = class_folder(frame, classes)
        path = Path("synthetic") / name / f"{name}_{stem(frame)}.png"
        write_png(out / path, frame.rgb)
        lines.append(f"{path.as_posix()}\n")
    (out / "splits").mkdir()
    (out / "splits" / "synthetic_train.txt").write_text("".join(lines), encoding="utf-8")
