"""What is in a data set, in text: counts, whether the labels agree with one another, and how each factor is spread."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from render.dataset.checks import CHECKS
from render.dataset.dataset import Dataset
from render.frame import Frame
from scenes.record.composite import Composition
from scenes.record.scene import Camera, Material, Scene

Factor = tuple[str, float | str]


@dataclass(frozen=True)
class Report:
    """A data set's summary: lines of text, and whether its files and labels are as they should be."""

    lines: tuple[str, ...]
    sound: bool


@dataclass
class _Tally:
    pictures: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    unseen: int = 0
    assets: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, list[float]] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in CHECKS})

    def add(self, frame: Frame, classes: tuple[str, ...]) -> None:
        height, width = frame.rgb.shape[:2]
        self.sizes[f"{width} x {height}"] += 1
        self.pictures[classes[frame.label] if frame.label >= 0 else "no main object"] += 1
        for label in frame.objects:
            self.objects[label.category] += 1
            self.purposes[label.purpose] += 1
            self.unseen += label.box is None
        for asset in scene_assets(frame.scene):
            self.assets[asset] += 1
        for name, value in scene_factors(frame.scene):
            if isinstance(value, str):
                self.names.setdefault(name, Counter())[value] += 1
            else:
                self.numbers.setdefault(name, []).append(value)
        for check, faults in CHECKS.items():
            self.faults[check] += [f"picture {frame.index}: {fault}" for fault in faults(frame, classes)]


def inspect_dataset(dataset: Dataset, progress: Callable[[Iterable[Frame]], Iterable[Frame]] = iter) -> Report:
    """Look through all pictures that are there. `progress` may wrap their iteration.

    An unfinished data set is no fault: its missing shards are told, and what is there is judged.
    """
    manifest, tally = dataset.manifest, _Tally()
    present = dataset.present()
    damaged = [line for line in dataset.verify() if not line.endswith(": missing")]
    if damaged:
        return Report((*_head(dataset, present, tally), "damaged files:", *(f"  {line}" for line in damaged)), False)
    for frame in progress(dataset.frames(partial=True)):
        tally.add(frame, manifest.classes)
    lines = (*_head(dataset, present, tally), *_counts(tally), *_verdicts(tally), *_spreads(tally), *_usage(tally))
    return Report(lines, not any(tally.faults.values()))


# Factors -----------------------------------------------------------------------------------------------------------


def scene_factors(scene: Scene | Composition) -> Iterator[Factor]:
    """Name and value of all that varies in a scene. Numbers are numbers, everything else is text.

    The camera is told as azimuth, elevation and distance; each light and object alike, without its number.
    """
    if isinstance(scene, Composition):
        yield "mm_per_pixel", scene.mm_per_pixel
        for step, values in scene.steps.items():
            yield from _leaves(step, {name: value for name, value in values.items() if name != "reference"})
        return
    yield from _camera_factors(scene.camera)
    for name, value in (("world", scene.world), ("sensor", scene.sensor), ("background", scene.background)):
        yield from _leaves(name, asdict(value))
    yield "lights.count", float(len(scene.lights))
    for light in scene.lights:
        yield from _leaves(f"lights.{light.kind}", {k: v for k, v in asdict(light).items() if k not in _PLACES})
    yield "items.count", float(len(scene.items))
    for item in scene.items:
        yield f"items.{item.purpose}.scale", item.scale
        for material in item.materials.values():
            yield from _material_factors(material)


_PLACES = ("location", "target", "kind")


def scene_assets(scene: Scene | Composition) -> Iterator[str]:
    """The ids of all assets a scene draws: objects, the HDRI, the background picture."""
    if isinstance(scene, Composition):
        yield scene.texture
        yield from (str(values["reference"]) for values in scene.steps.values() if "reference" in values)
        return
    yield from (item.asset for item in scene.items)
    yield from (asset for asset in (scene.world.hdri, scene.background.image) if asset)


def _camera_factors(camera: Camera) -> Iterator[Factor]:
    x, y, z = np.subtract(camera.location, camera.target).tolist()
    distance = math.sqrt(x * x + y * y + z * z)
    yield "camera.azimuth", math.degrees(math.atan2(x, -y)) % 360
    yield "camera.elevation", math.degrees(math.asin(z / distance))
    yield "camera.distance", distance
    for name in ("roll", "focal_length", "fstop"):
        yield f"camera.{name}", float(getattr(camera, name))


def _material_factors(material: Material) -> Iterator[Factor]:
    yield "materials.family", material.family
    # A pattern's seed says nothing to a reader.
    parameters = {name: value for name, value in material.parameters.items() if name != "seed"}
    yield from _leaves(f"materials.{material.family}", parameters)


def _leaves(name: str, value: Any) -> Iterator[Factor]:
    if isinstance(value, dict) and set(value) == {"family", "parameters"}:
        yield f"{name}.family", value["family"]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    elif isinstance(value, (tuple, list)):
        for axis, inner in zip("rgb" if name.endswith("color") else "xyz", value, strict=False):
            yield from _leaves(f"{name}.{axis}", inner)
    elif isinstance(value, (bool, str)):
        yield name, str(value)
    elif value is not None:
        yield name, float(value)


# Text --------------------------------------------------------------------------------------------------------------


def _head(dataset: Dataset, present: list[int], tally: _Tally) -> Iterator[str]:
    manifest = dataset.manifest
    sizes = f" of {', '.join(tally.sizes)}" if tally.sizes else ""
    yield f"{dataset.folder}: {manifest.count} pictures{sizes}, {len(manifest.classes)} classes"
    yield f"config {manifest.config_hash[:12]}, seed {manifest.seed}, drawn on {manifest.device} with " + ", ".join(
        f"{name} {version}" for name, version in manifest.versions.items()
    )
    unfinished = "" if len(present) == manifest.shard_count else ": unfinished, rerun the render command to go on"
    yield f"shards: {len(present)} of {manifest.shard_count}{unfinished}"


def _counts(tally: _Tally) -> Iterator[str]:
    yield from _section("pictures by class of the main object")
    yield from _bars(tally.pictures)
    yield from _section(f"objects by class: {_listed(tally.purposes)}; {tally.unseen} not seen")
    yield from _bars(tally.objects)


def _verdicts(tally: _Tally) -> Iterator[str]:
    yield from _section("label checks")
    for check, faults in tally.faults.items():
        yield f"  {'FAILED' if faults else 'ok':<7}{check}{f': {len(faults)} faults' if faults else ''}"
        yield from (f"         {fault}" for fault in faults[:3])


def _spreads(tally: _Tally) -> Iterator[str]:
    names = sorted(tally.numbers.keys() | tally.names.keys())
    dressed = [name for name in names if name.count(".") > 1 and name.startswith("materials.")]
    yield from _section("factors")
    yield from _spread(tally, [name for name in names if name not in dressed])
    yield from _section("parameters of the objects' materials")
    yield from _spread(tally, dressed)


def _spread(tally: _Tally, names: list[str]) -> Iterator[str]:
    width = max((len(name) for name in names), default=0)
    fixed = []
    for name in names:
        values, counts = tally.numbers.get(name), tally.names.get(name, Counter())
        if values and not math.isclose(min(values), max(values)):
            yield f"  {name:<{width}}  {_histogram(values)}"
        elif len(counts) > 1:
            yield f"  {name:<{width}}  {_listed(counts)}"
        else:
            fixed.append(f"{name} {values[0]:g}" if values else f"{name} {''.join(counts) or '(none)'}")
    if fixed:
        text = "always the same: " + ", ".join(fixed)
        yield from textwrap.wrap(text, 116, initial_indent="  ", subsequent_indent="    ")


def _usage(tally: _Tally) -> Iterator[str]:
    yield from _section(f"assets: {len(tally.assets)} used")
    if tally.assets:
        uses = list(tally.assets.values())
        yield f"  each {min(uses)} to {max(uses)} times; most: {_listed(tally.assets)}"


def _section(title: str) -> Iterator[str]:
    yield ""
    yield title


def _bars(counts: Counter[str]) -> Iterator[str]:
    width = max((len(name) for name in counts), default=0)
    for name, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
        yield f"  {name:<{width}}  {count:>7}  {'█' * max(1, round(40 * count / max(counts.values())))}"


def _listed(counts: Counter[str], most: int = 8) -> str:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ", ".join(f"{name or '(none)'} {count}" for name, count in ordered[:most])
    return shown + (f", and {len(ordered) - most} more" if len(ordered) > most else "")


def _histogram(values: list[float], bins: int = 24) -> str:
    """Ends, mean and shape of some numbers on a line."""
    counts, _ = np.histogram(values, bins)
    heights = np.ceil(counts / counts.max() * 8).astype(int)
    bars = "".join(" ▁▂▃▄▅▆▇█"[height] for height in heights)
    return f"{min(values):>9.4g} │{bars}│ {max(values):<9.4g} mean {np.mean(values):.4g}"
