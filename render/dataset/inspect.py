"""A summary of a data set as text: counts, label checks, and the distribution of each factor."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from render.dataset.checks import CHECKS
from render.dataset.dataset import Dataset
from render.frame import Frame
from scenes.errors import LONGEST, printable, shortened


@dataclass(frozen=True)
class Inspection:
    """The summary of a data set. sound: no file is damaged and all labels agree."""

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
        for asset in frame.scene.assets():
            self.assets[asset] += 1
        for name, value in frame.scene.factors():
            if isinstance(value, str):
                self.names.setdefault(name, Counter())[value] += 1
            else:
                self.numbers.setdefault(name, []).append(value)
        for check, faults in CHECKS.items():
            self.faults[check] += [f"picture {frame.index}: {fault}" for fault in faults(frame, classes)]


def inspect_dataset(dataset: Dataset, progress: Callable[[Iterable[Frame]], Iterable[Frame]] = iter) -> Inspection:
    """Summarize the pictures of a data set and check their labels.

    Missing shards are reported, but they are not a fault.

    Parameters
    ----------
    dataset : Dataset
        The data set to read.
    progress : callable
        Wraps the iterator over the frames, for instance to show a progress bar.

    Returns
    -------
    Inspection
        `lines` is the summary. `sound` is True if no file is damaged and all labels agree.

    Examples
    --------
    >>> from pathlib import Path
    >>> import blendmill
    >>> manifest = blendmill.Manifest(
    ...     config={}, config_hash="", seed=0, count=5, shard_size=2, classes=("mug",), versions={}, device="cpu"
    ... )
    >>> manifest.save(Path("."))
    >>> inspection = blendmill.inspect_dataset(blendmill.Dataset.open(Path(".")))
    >>> inspection.sound, inspection.lines[2]
    (True, 'shards: 0 of 3: unfinished, rerun the render command to go on')
    """
    manifest, tally = dataset.manifest, _Tally()
    present = dataset.present()
    damaged = [line for line in dataset.verify() if not line.endswith(": missing")]
    if damaged:
        lines = (*_head(dataset, present, tally), "damaged files:", *(f"  {line}" for line in damaged))
        return _inspection(lines, False)
    for frame in progress(dataset.frames(partial=True, check_sums=False)):  # `verify` has checked them
        tally.add(frame, manifest.classes)
    lines = (*_head(dataset, present, tally), *_counts(tally), *_verdicts(tally), *_spreads(tally), *_usage(tally))
    return _inspection(lines, not any(tally.faults.values()))


def _inspection(lines: Iterable[str], sound: bool) -> Inspection:
    """Names of assets and factors may be anything, so lines are escaped and cut."""
    return Inspection(tuple(shortened(printable(line), LONGEST) for line in lines), sound)


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
