"""Pictures of surfaces made up for tests, and what draws cracks on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from render.cli.main import main
from render.composite.photographs import find_photographs
from render.composite.renderer import Painter
from render.frame import Frame
from scenes.config.composite import ComposeConfig
from scenes.cracks.contour import Contour, Stroke
from scenes.sampling.composite import Composer

SIDE = 96
LABELS = ("alpha", "category", "instance", "part", "width", "skeleton")


def surface(seed: int, size: tuple[int, int] = (120, 150), mean: float = 150.0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(mean, 12, (*size, 3)) + rng.normal(0, 20, 3), 0, 255).astype(np.uint8)


def make_walls(folder: Path) -> Path:
    """A new folder of three photographs, wall0.png to wall2.png."""
    folder.mkdir()
    for seed in range(3):
        Image.fromarray(surface(seed, mean=100 + 40 * seed)).save(folder / f"wall{seed}.png")
    return folder


def make_painter(folder: Path) -> Painter:
    found = find_photographs("textures", [folder])
    return Painter(found, found)


def composer(painter: Painter, **changes: Any) -> Composer:
    config = ComposeConfig.model_validate({"resolution": [SIDE, SIDE], "crack": {"use": True}, **changes})
    return Composer(config, painter.textures.names, painter.references.names)


def draw(painter: Painter, index: int = 0, seed: int = 3, **changes: Any) -> Frame:
    return painter.draw(composer(painter, **changes).sample(seed, index))


def straight(width: float, size: float = float(SIDE)) -> Contour:
    """An upright crack in the middle, through the picture, one mm a pixel."""
    y = np.arange(-2.0, size + 3.0)
    return Contour((Stroke(np.column_stack([np.full(len(y), size / 2), y]), np.full(len(y), width)),), (), (size, size))


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit code, output and errors of `blendmill crack`."""
    with pytest.raises(SystemExit) as ended:
        main(["crack", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def small(folder: Path, out: Path, *more: str) -> list[object]:
    """A command that composes seven small pictures in three shards."""
    sized = ["--set", "resolution=[64,64]", "--images", "7", "--shard-size", "3"]
    return ["compose", "--textures", folder, "--styles", folder, "--out", out, *sized, *more]
