"""A summary of a data set as text: counts, label checks, and the distribution of each factor."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from render.dataset.checks import CHECKS
from render.dataset.dataset import Dataset
from render.dataset.worth import Worth
from render.frame import Frame
from scenes.errors import LONGEST, printable, shortened

SAMPLE = 2000
"""Pictures that are read of a larger set, and fewest shards that they are from."""
_SPREAD = 50
_TOLD = 3
_KEPT = 4096
"""Values of a factor that are kept for its histogram."""


@dataclass(frozen=True)
class Inspection:
    """The summary of a data set. sound: no file is damaged and all labels agree. facts: the same as JSON data, which
    `_facts` describes."""

    lines: tuple[str, ...]
    sound: bool
    facts: Mapping[str, Any]


@dataclass
class _Numbers:
    """Ends and mean of a factor's values, and evenly spread ones of them for a histogram, in a memory of one size."""

    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    seen: int = 0
    step: int = 1
    kept: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        self.low, self.high = min(self.low, value), max(self.high, value)
        self.total += value
        if not self.seen % self.step:
            self.kept.append(value)
        self.seen += 1
        if len(self.kept) == _KEPT:
            self.kept, self.step = self.kept[::2], 2 * self.step


@dataclass
class _Faults:
    seen: int = 0
    first: list[str] = field(default_factory=list)


@dataclass
class _Tally:
    pictures: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    unseen: int = 0
    assets: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, _Numbers] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    faults: dict[str, _Faults] = field(default_factory=lambda: {name: _Faults() for name in CHECKS})
    worth: Worth = field(default_factory=Worth)

    def add(self, frame: Frame, classes: tuple[str, ...]) -> None:
        height, width = frame.rgb.shape[:2]
        self.worth.add(frame)
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
                self.numbers.setdefault(name, _Numbers()).add(value)
        for check, faults in CHECKS.items():
            found = self.faults[check]
            for fault in faults(frame, classes):
                found.seen += 1
                if found.seen <= _TOLD:
                    found.first.append(f"picture {frame.index}: {fault}")


def inspect_dataset(
    dataset: Dataset, tell: Callable[[int, int], object] = lambda done, of: None, *, everything: bool = False
) -> Inspection:
    """Summarize the pictures of a data set and check their labels.

    Missing shards are reported, but they are not a fault. Of a set of over 2000 pictures, a sample is read: as many
    pictures from shards that a fixed seed chooses.

    Parameters
    ----------
    dataset : Dataset
        The data set to read.
    tell : callable
        Is called with the number of pictures that are read, and of all to be read.
    everything : bool
        Whether all pictures are read, and all files are checked.

    Returns
    -------
    Inspection
        `lines` is the summary. `sound` is True if no file is damaged and all labels agree. `worth` has the figures of
        composition density and instance fidelity, as JSON data.

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
    manifest = dataset.manifest
    known = {name: asset.triangles for name, asset in manifest.assets.items() if asset.triangles is not None}
    tally = _Tally(worth=Worth(triangles=known))
    present, there = dataset.present(), len(dataset.drawn())
    sample = not everything and there > SAMPLE
    shards, each = _chosen(present, manifest.shard_size) if sample else (present, manifest.shard_size)
    damaged = [line for shard in shards for line in dataset.faults(shard)]
    read = min(each * len(shards), there)
    head = [_sampled(read, there, len(shards), len(present))] if sample else []
    if damaged:
        lines = (*_head(dataset, present, tally), *head, "damaged files:", *(f"  {line}" for line in damaged))
        return _inspection(lines, False, _facts(dataset, present, tally, (0, there), damaged))
    for done, frame in enumerate(_frames(dataset, shards, each), start=1):
        tally.add(frame, manifest.classes)
        tell(done, read)
    head = [_sampled(sum(tally.pictures.values()), there, len(shards), len(present))] if sample else []
    samples = manifest.config.get("render", {}).get("samples")
    worth = _worth(tally, samples)
    summary = (*_counts(tally), *worth, *_verdicts(tally), *_spreads(tally), *_usage(tally))
    lines = (*_head(dataset, present, tally), *head, *summary)
    sound = not any(found.seen for found in tally.faults.values())
    return _inspection(lines, sound, _facts(dataset, present, tally, (sum(tally.pictures.values()), there), []))


def _chosen(present: list[int], shard_size: int) -> tuple[list[int], int]:
    """The shards of a sample, and how many pictures are read of each."""
    wanted = min(len(present), max(_SPREAD, -(-SAMPLE // shard_size)))
    chosen = np.random.default_rng(0).choice(present, wanted, replace=False)
    return sorted(chosen.tolist()), min(shard_size, -(-SAMPLE // wanted))


def _frames(dataset: Dataset, shards: list[int], each: int) -> Iterator[Frame]:
    """Up to so many frames of each shard. A picture does not depend on its place, so these may be the first."""
    for shard in shards:
        with dataset.shard(shard) as opened:
            yield from (opened.frame(i) for i in range(min(each, len(opened))))


def _sampled(read: int, there: int, shards: int, present: int) -> str:
    return (
        f"this is a sample: {read} of {there} pictures, from {shards} of {present} shards, the same each time; "
        "--all reads everything"
    )


def _worth(tally: _Tally, samples: object) -> Iterator[str]:
    if tally.pictures:
        yield ""
        yield from tally.worth.lines(samples)


def _inspection(lines: Iterable[str], sound: bool, facts: Mapping[str, Any]) -> Inspection:
    """Names of assets and factors may be anything, so lines are escaped and cut."""
    return Inspection(tuple(shortened(printable(line), LONGEST) for line in lines), sound, {"sound": sound, **facts})


def _facts(
    dataset: Dataset, present: list[int], tally: _Tally, read: tuple[int, int], damaged: list[str]
) -> dict[str, Any]:
    """The summary as JSON data.

    pictures: how many the set has when it is complete, how many are there, and how many of these were read. shards:
    the same. checks: by name, the number of faults and the first of them. factors: of numbers, the ends and the mean;
    of words, how often each is there. assets: how often each is used. worth: the figures of `Worth`.
    """
    manifest = dataset.manifest
    numbers = {name: {"low": v.low, "high": v.high, "mean": v.total / v.seen} for name, v in tally.numbers.items()}
    return {
        "folder": str(dataset.folder),
        "pictures": {"of": manifest.count, "there": read[1], "read": read[0]},
        "shards": {"of": manifest.shard_count, "there": len(present)},
        "sizes": dict(tally.sizes),
        "config": manifest.config_hash,
        "seed": manifest.seed,
        "device": manifest.device,
        "versions": dict(manifest.versions),
        "classes": list(manifest.classes),
        "main_objects": dict(tally.pictures),
        "objects": dict(tally.objects),
        "purposes": dict(tally.purposes),
        "not_seen": tally.unseen,
        "damaged": damaged,
        "worth": tally.worth.plain(),
        "checks": {name: {"faults": found.seen, "first": found.first} for name, found in tally.faults.items()},
        "factors": {**numbers, **{name: dict(counts) for name, counts in tally.names.items()}},
        "assets": dict(tally.assets),
    }


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
        yield f"  {'FAILED' if faults.seen else 'ok':<7}{check}{f': {faults.seen} faults' if faults.seen else ''}"
        yield from (f"         {fault}" for fault in faults.first)


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
        if values and not math.isclose(values.low, values.high):
            yield f"  {name:<{width}}  {_histogram(values)}"
        elif len(counts) > 1:
            yield f"  {name:<{width}}  {_listed(counts)}"
        else:
            fixed.append(f"{name} {values.low:g}" if values else f"{name} {''.join(counts) or '(none)'}")
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


def _histogram(values: _Numbers, bins: int = 24) -> str:
    """Ends, mean and shape of some numbers on a line."""
    counts, _ = np.histogram(values.kept, bins, (values.low, values.high))
    heights = np.ceil(counts / counts.max() * 8).astype(int)
    bars = "".join(" ▁▂▃▄▅▆▇█"[height] for height in heights)
    return f"{values.low:>9.4g} │{bars}│ {values.high:<9.4g} mean {values.total / values.seen:.4g}"
