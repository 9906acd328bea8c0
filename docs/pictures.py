"""The pictures on the pages of docs/, drawn anew.

    python -m docs.pictures            # all
    python -m docs.pictures camera.png # one

They are pictures of presets: seed and index are below. It takes a minute on one core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from PIL import Image

from render.image.sheets import contact_sheet
from render.renderer import open_sampler
from render.studio import Studio
from scenes.config.loading import load_config

FOLDER = Path(__file__).parent
COLORS = 128
"""Colors of a PNG. They are not dithered: the dots would be most of the file."""

CAR: dict[str, Any] = {
    "extends": "visda13",
    "classes": ["car"],
    "objects": {"side": 30},
    "camera": {"resolution": [128, 96], "elevation": 12, "roll": 0, "jitter": 0, "framing": 0.8, "focal_length": 50},
    "background": {"kind": "ground"},
    "by_class": None,
    "render": {"samples": 16},
}
"""One car as a camera sees it that does not move."""

MOVED: Mapping[str, tuple[Any, ...]] = {
    "objects.side": (0, 90, 180, 270),
    "camera.elevation": (0, 25, 50, 85),
    "camera.focal_length": (24, 50, 100, 200),
    "camera.framing": (0.3, 0.6, 0.9, 1.4),
}
"""The rows of the picture of the camera: a field, and its values."""

PILES = (9, 12)
"""The pictures of tabletop-pile that are shown."""


def camera() -> Image.Image:
    """One field of the camera in each row, from value to value."""
    with Studio(CAR) as studio:
        cells = {
            f"{field.partition('.')[2]} {value}": studio.draw(_sampled({field: value}))
            for field, values in MOVED.items()
            for value in values
        }
    return contact_sheet([frame.rgb for frame in cells.values()], 4, list(cells))


def matting() -> Image.Image:
    """A picture, its soft alpha, its clean plate, and the mask with hard edges."""
    config = {
        "extends": "matting",
        "classes": ["plant", "chair"],
        "camera": {"resolution": [192, 192], "fstop": 1.2},
        "background": {"kind": "hdri"},
    }
    with Studio(config) as studio:
        return studio.draw(0).show("alpha", "background", "instance")


def crack() -> Image.Image:
    """A rendered crack and its labels. The straight joint beside it is no crack."""
    with Studio({"extends": "cracks", "camera": {"resolution": [256, 256]}}) as studio:
        return studio.draw(12).show("alpha", "category", "width")


def pile() -> Image.Image:
    """Piles of objects, and their instances and depth."""
    config = {"extends": "tabletop-pile", "camera": {"resolution": [256, 192]}, "render": {"samples": 64}}
    with Studio(config) as studio:
        rows = [studio.draw(index).show("instance", "depth") for index in PILES]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * row.height))
    return sheet


def _sampled(changed: Mapping[str, Any]) -> Any:
    return open_sampler(load_config(CAR, changed)).sample(0, 0)


DRAWN: Mapping[str, Callable[[], Image.Image]] = {
    "camera.png": camera,
    "matting.png": matting,
    "crack.png": crack,
    "pile.jpg": pile,
}
"""The pictures by name."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(DRAWN)))
def main(names: tuple[str, ...]) -> None:
    """Draw the pictures of these NAMES, or all."""
    for name in names or DRAWN:
        path, picture = FOLDER / name, DRAWN[name]()
        if path.suffix == ".png":
            picture = picture.quantize(COLORS, dither=Image.Dither.NONE)
        picture.save(path, optimize=True, quality=88)
        click.echo(f"wrote {path}, {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
