"""What a tuning begins with: the config, the photographs, and the renders of the config as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.dataset.dataset import Dataset
from render.dataset.manifest import MANIFEST
from render.renderer import Sampler, open_sampler
from scenes.config.loading import validate
from scenes.config.merging import is_section
from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.outputs import written
from scenes.plain_json import parse_json
from training.data.pictures import ImageDataset, chosen
from training.data.sources import open_pictures
from training.data.splits import share_of
from training.parts import split_of

PLAN, PILOT, CACHE, JSON = "plan.json", "pilot", "cache", "tune.json"

_LARGEST = 1 << 20

FEWEST = 20
"""Photographs. Half of them are held back."""

_CHECKED = 4
"""Pictures of a given pilot whose records are compared with those that the config gives today."""

_HOW = ("assets", "render")
"""Sections of a config that hold no factors."""


def claim(out: Path, asked: Mapping[str, Any]) -> None:
    """Make the folder that of this tuning. Raises InputError if it holds something else, or another tuning."""
    path = out / PLAN
    if path.exists():
        there = parse_json(read_regular(path, _LARGEST), str(path))
        changed = [name for name, value in asked.items() if there.get(name) != value]
        if changed:
            raise InputError(
                f"{out}: holds a tuning with another {changed[0]}, {shortened(there.get(changed[0]))}: choose another "
                "--out"
            )
        return
    if out.is_dir() and any(not entry.name.startswith(".") for entry in out.iterdir()):
        raise InputError(f"{out}: not empty, and not the folder of a tuning: choose another --out")
    with written(path) as temporary:
        temporary.write_text(json.dumps(asked, indent=1, ensure_ascii=False), encoding="utf-8")


def open_photographs(target: str) -> ImageDataset:
    """The photographs of DATA or DATA@SPLIT, without their labels. Raises InputError if there are too few."""
    where, split = split_of(target)
    photographs = open_pictures(where, split=split, labels=False)
    check_enough(len(photographs), target)
    return photographs


def check_enough(count: int, target: str) -> None:
    if count < FEWEST:
        raise InputError(
            f"--target {target}: {count} photographs; tuning needs at least {FEWEST}, of which half are held back"
        )


def held_back(photographs: ImageDataset) -> NDArray[np.bool_]:
    """(m,) which photographs are held back: half of them, by a hash of their names."""
    return share_of([photographs.key(i) for i in range(len(photographs))], 0.5, purpose="tune")


@dataclass(frozen=True)
class Pilot:
    """Renders of the untuned config. pictures: those with a class. indices: (n,) in the set. sampler: of the set."""

    pictures: ImageDataset
    indices: NDArray[np.int64]
    seed: int
    sampler: Sampler


def open_pilot(folder: Path, sampler: Sampler) -> Pilot:
    """The finished set in a folder. It may differ from the config of `sampler` in its size, its assets and its quality.

    Raises InputError if the factors or the classes differ, or if this version would not draw these pictures.
    """
    if not (folder / MANIFEST).exists():
        raise InputError(f"--pilot {folder}: not a rendered data set; leave the option out to render one")
    dataset = Dataset.open(folder)
    manifest = dataset.manifest
    theirs = validate(dict(manifest.config), str(folder))
    for name, there, here in _differences(theirs.plain(), sampler.config.plain()):
        if name.split(".")[0] not in _HOW and name != "camera.resolution":
            raise InputError(
                f"--pilot {folder}: field {name} is {shortened(there)} there, and {shortened(here)} in the config; "
                "give a set of this config"
            )
    if manifest.classes != sampler.classes:
        raise InputError(f"--pilot {folder}: its classes are not those of the config; give a set of this config")
    pictures = open_pictures(folder)
    places = np.flatnonzero(pictures.labels >= 0)
    if not len(places):
        raise InputError(f"{folder}: no picture shows an object of a class; tuning needs such renders")
    pictures = chosen(pictures, places, "with a class")
    indices = np.array([int(pictures.key(i)) for i in range(len(pictures))], np.int64)
    own = open_sampler(theirs)
    for index in indices[:: max(1, len(indices) // _CHECKED)].tolist():
        if own.sample(manifest.seed, index).to_json() != dataset.frame(index).scene.to_json():
            raise InputError(f"--pilot {folder}: this version would draw another picture {index}; render the set anew")
    return Pilot(pictures, indices, manifest.seed, own)


def _differences(first: Any, second: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The dotted paths at which two plain configs differ, with both values."""
    if is_section(first) and is_section(second):
        for name in sorted({*first, *second}):
            yield from _differences(first.get(name), second.get(name), f"{path}.{name}" if path else name)
    elif json.dumps(first) != json.dumps(second):
        yield path, first, second
