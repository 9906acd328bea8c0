"""Mapillary Vistas: config_v2.0.json (or config_v1.2.json, or config.json) names the classes by their numbers.

The pictures of a split are in training/images/, the numbers in training/v2.0/labels/ and the things in
training/v2.0/instances/, without v2.0/ in old copies. Of two versions, the newer is read. A thing has the number 256
times its class plus its place, see the read me of the set.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segment.classes.found import Found, Labels, by_stem, counted, matched, read_values
from segment.classes.legend import Legend
from segment.classes.legend_files import vistas_legend
from segment.classes.masks import ids_of
from segment.ignored import IGNORED

_CONFIGS = {"config_v2.0.json": "v2.0/labels", "config_v1.2.json": "v1.2/labels", "config.json": "labels"}


def vistas_in(folder: Path) -> Found | None:
    """The pictures of a folder, or of a split beside the config; None for other folders. Raises InputError."""
    for name, place in _CONFIGS.items():
        root = next((at for at in (folder, folder.resolve().parent) if (at / name).is_file()), None)
        legend = None if root is None else vistas_legend(root / name)
        if legend is None:
            continue
        splits = [
            at for at in (folder, *sorted(folder.iterdir())) if (at / "images").is_dir() and (at / place).is_dir()
        ]
        if splits:
            return _of_splits(folder, splits, place, legend)
    return None


def _of_splits(folder: Path, splits: list[Path], place: str, legend: Legend) -> Found:
    pictures: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    for split in splits:
        prefix = "" if split == folder else f"{split.name}/"
        pictures |= {prefix + name: path for name, path in by_stem(split / "images", ".jpg", ".png").items()}
        masks |= {prefix + name: path for name, path in by_stem(split / place, ".png").items()}
    things = {name: path.parent.with_name("instances") / path.name for name, path in masks.items()}

    def read(name: str) -> Labels:
        ids = ids_of(masks[name], legend, IGNORED)
        if not things[name].is_file():
            return Labels(ids, None)
        numbers = read_values(things[name])
        return Labels(ids, counted(np.where(numbers % 256 > 0, numbers, 0)))

    return matched(folder, legend.classes, pictures, masks, read, legend.notes)
