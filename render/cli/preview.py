"""Contact sheets drawn on the spot: of a config's first pictures, of one factor swept, of assets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from render.blender.stage import Stage
from render.image.sheets import contact_sheet
from render.settings import DrawSettings, resolve
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.errors import InputError, choices
from scenes.files import replacing
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler

Progress = Callable[[int], None]

# A plain look at models: their own materials in a studio, in front of grey.
_ASSETS = {
    "objects": {"scale": 1.0, "yaw": {"uniform": [-60, 60]}},
    "material": {"mode": "own"},
    "camera": {"framing": 0.85, "elevation": 18, "azimuth": 0, "jitter": 0, "roll": 0, "resolution": [224, 224]},
    "background": {"kind": "color", "hue": 0, "saturation": 0, "value": 0.75},
    "sensor": {"jpeg": 0, "noise": 0, "shot": 0, "blur": 0, "vignette": 0, "exposure": 0, "white_balance": 6500},
}


def first_scenes(sampler: Sampler, seed: int, start: int, count: int) -> list[tuple[str, Scene]]:
    """Captioned scenes of consecutive indices."""
    return [(f"{index}", sampler.sample(seed, index)) for index in range(start, start + count)]


def sweep(sampler: Sampler, seed: int, index: int, factor: str, count: int) -> list[tuple[str, Scene]]:
    """One scene with a factor's quantile swept from end to end, all else fixed. Raises InputError."""
    known = sampler.factors(seed, index)
    if factor not in known:
        raise InputError(f"--vary {factor}: no such factor in picture {index}, {choices(factor, known)}")
    quantiles = [(k + 0.5) / count for k in range(count)]
    return [(f"{factor} {q:.2f}", sampler.sample(seed, index, {factor: q})) for q in quantiles]


def draw_scenes(scenes: Sequence[tuple[str, Scene]], sampler: Sampler, progress: Progress, out: Path) -> None:
    """A contact sheet of captioned scenes."""
    stage = Stage(resolve(sampler.config.render), sampler.catalogue, sampler.classes)
    _sheet(stage, scenes, progress, out)


def draw_assets(ids: Iterable[str], catalogue: Catalogue, out: Path, columns: int = 5) -> None:
    """A contact sheet of models, each seen from somewhere in front."""
    config = validate(_ASSETS, "asset preview")
    sampler = Sampler(config, catalogue)
    stage = Stage(DrawSettings(samples=24, denoise=True, bounces=4), catalogue, sampler.classes)
    scenes = [(name, sampler.portrait(name, index)) for index, name in enumerate(ids)]
    _sheet(stage, scenes, lambda _: None, out, columns)


def _sheet(stage: Stage, scenes: Sequence[tuple[str, Scene]], progress: Progress, out: Path, columns: int = 5) -> None:
    pictures = []
    for _, scene in scenes:
        pictures.append(stage.draw(scene).rgb)
        progress(1)
    sheet = contact_sheet(pictures, columns, [caption for caption, _ in scenes])
    with replacing(out) as temporary:
        sheet.save(temporary, format="PNG")
