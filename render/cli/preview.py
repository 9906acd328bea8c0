"""Contact sheets drawn on the spot: of a config's first pictures, of one factor swept, of assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.cli.options import (
    CONFIG,
    DEVICE,
    SEED,
    SET,
    Workers,
    adding,
    opened,
    progress,
    require_png,
    tell,
    write_png,
)
from render.farm.apart import draw_apart
from render.farm.devices import Device, choose, worker_slots
from render.frame import Frame
from render.image.sheets import contact_sheet
from render.renderer import Sampler, device_for, load_renderer, views
from scenes.assets.catalogue import Catalogue
from scenes.config.factors import field_of, value_at
from scenes.config.loading import AnyConfig, load_config
from scenes.config.objects import Config
from scenes.errors import InputError, choices
from scenes.record.record import Record
from scenes.sampling.scene import Sampler as SceneSampler

Captioned = Sequence[tuple[str, Any]]
"""Records, each with its caption."""

# Cells in a row, by the number of views in each.
_COLUMNS = {1: 5, 2: 4}

# A plain look at models: their own materials in a studio, in front of gray.
_ASSETS = {
    "objects": {"scale": 1.0, "yaw": {"uniform": [-60, 60]}},
    "material": {"mode": "own"},
    "camera": {"framing": 0.85, "elevation": 18, "azimuth": 0, "jitter": 0, "roll": 0, "resolution": [224, 224]},
    "background": {"kind": "color", "hue": 0, "saturation": 0, "value": 0.75},
    "sensor": {"jpeg": 0, "noise": 0, "shot": 0, "blur": 0, "vignette": 0, "exposure": 0, "white_balance": 6500},
    "render": {"samples": 24, "denoise": True, "bounces": 4},
}

_OPTIONS = (
    click.option("--out", type=click.Path(path_type=Path), required=True, help="The contact sheet, a .png file."),
    click.option("--images", type=click.IntRange(1, 400), default=20, show_default=True, help="Number of pictures."),
    click.option("--vary", metavar="FACTOR", help="Vary only this factor, and keep all others fixed."),
    click.option(
        "--index",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Index of the first picture, or of the one to vary.",
    ),
    click.option(
        "--workers",
        type=Workers(),
        default=1,
        show_default=True,
        help="Number of processes that draw; 1 draws in this one.",
    ),
    click.option("--cell", type=click.IntRange(16, 2048), help="Show each picture this many pixels wide."),
    SEED,
    SET,
    DEVICE,
)


@dataclass(frozen=True)
class Request:
    """What the options of `blendmill preview` say, beside the config.

    cell: None shows pictures as they are drawn. workers: number of processes that draw; None for as many as are of use.
    """

    out: Path
    images: int
    vary: str | None
    index: int
    cell: int | None
    seed: int
    device: str
    workers: int | None = 1


with_options = adding(_OPTIONS)
"""Adds the options of `blendmill preview` to a command: `overrides`, and the fields of `Request`."""


@click.command()
@CONFIG
@with_options
def preview(config: str, overrides: tuple[str, ...], **options: Any) -> None:
    """Draw a contact sheet of the first pictures of a config.

    CONFIG is a .yaml file or the name of a preset. With --vary the sheet shows one picture with different values of
    one factor. FACTOR is a field of the config, such as lighting.sun.energy, or one lamp's: lighting.sun.0.energy.

    \b
    Example:
      blendmill preview s2rda13 --out sheet.png --vary camera.azimuth
    """
    asked = Request(**options)
    require_png(asked.out)
    draw_preview(load_config(config, overrides), asked)


def draw_preview(config: AnyConfig, asked: Request) -> None:
    """Draw and write the contact sheet that was asked for."""
    sampler = opened(config)
    if asked.vary:
        pictures = swept(sampler, asked.seed, asked.index, asked.vary, asked.images)
    else:
        pictures = first(sampler, asked.seed, asked.index, asked.images)
    devices = choose(device_for(config, asked.device))
    with progress("drawing", asked.images) as advance:
        drawn = sheet(config, _frames(sampler, devices, asked, pictures), pictures, advance, asked.cell)
    tell(sampler.catalogue, len({name for _, record in pictures for name in record.assets()}))
    write_png(drawn, asked.out)
    click.echo(f"wrote the contact sheet {asked.out}")


def _frames(sampler: Sampler, devices: Sequence[Device], asked: Request, pictures: Captioned) -> Iterator[Frame]:
    records = [record for _, record in pictures]
    if asked.workers == 1:
        return map(load_renderer(sampler, devices[0].kind).draw, records)
    return draw_apart(sampler.config, worker_slots(devices, asked.workers, pictures=len(records)), records)


def first(sampler: Sampler, seed: int, start: int, count: int) -> list[tuple[str, Record]]:
    """Records of consecutive pictures, captioned by index."""
    return [(f"{index}", sampler.sample(seed, index)) for index in range(start, start + count)]


def swept(sampler: Sampler, seed: int, index: int, factor: str, count: int) -> list[tuple[str, Record]]:
    """One picture with a factor's quantile from end to end, all else fixed. Raises InputError for an unknown factor.

    factor: its name, or that of the config's field, which decides the factors of several lamps for instance.
    """
    known = sampler.factors(seed, index)
    varied = [name for name in known if factor in (name, field_of(name))]
    if not varied:
        raise InputError(
            f"--vary {factor}: no such factor in picture {index}, {choices(factor, {*known, *map(field_of, known)})}"
        )
    quantiles = [(k + 0.5) / count for k in range(count)]
    return [
        (f"{factor} {value_at(sampler.config, varied[0], q)}", sampler.sample(seed, index, dict.fromkeys(varied, q)))
        for q in quantiles
    ]


def sheet(
    config: AnyConfig,
    frames: Iterable[Frame],
    pictures: Captioned,
    advance: Callable[[int], object],
    cell: int | None = None,
) -> Image.Image:
    """A contact sheet of the views of each frame, with the captions of its picture. cell: width of a view in pixels."""
    cells, count = [], 1
    for frame in frames:
        shown = [view if cell is None else _resized(view, cell) for view in views(config, frame)]
        cells.append(np.hstack(shown))
        count = len(shown)
        advance(1)
    return contact_sheet(cells, _COLUMNS[count], [caption for caption, _ in pictures])


def draw_assets(ids: Iterable[str], catalogue: Catalogue, out: Path) -> None:
    """A contact sheet of models, each seen from somewhere in front."""
    sampler = SceneSampler(Config.model_validate(_ASSETS), catalogue)
    scenes = [(name, sampler.portrait(name, index)) for index, name in enumerate(ids)]
    with progress("drawing", len(scenes)) as advance:
        frames = map(load_renderer(sampler).draw, (scene for _, scene in scenes))
        write_png(sheet(sampler.config, frames, scenes, advance), out)


def _resized(picture: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    height = max(round(picture.shape[0] * width / picture.shape[1]), 1)
    flag = cv2.INTER_AREA if width < picture.shape[1] else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, height), interpolation=flag), dtype=np.uint8)
