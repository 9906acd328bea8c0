"""What a tuning learns from: renders and photographs with features and classes, and the factors of the renders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from classify.tune.domains import Domains, Kernel
from classify.tune.factors import PIECES, Place, Table, table
from classify.tune.inputs import Pilot, check_enough, held_back
from classify.tune.seeing import Seen, Sight, beliefs, readable
from scenes.errors import InputError
from training.data.kept import Arrays, kept
from training.data.pictures import ImageDataset, class_labels
from training.data.sources import open_pictures
from training.parts import split_of
from training.progress import counted


@dataclass(frozen=True)
class Evidence:
    """All that decides the outcome.

    photographs: m of them that can be read, in the order of `beliefs` (m, k). held: (m,) those that judge. kernel: of
    `learned` and `judging`, the renders with the photographs to learn from, and with those that are held back. sight:
    name of the feature space. left_out: number of photographs that cannot be read. features:
    (n, d) of the renders, and (m, d) of the photographs.
    """

    classes: tuple[str, ...]
    pilot: Pilot
    photographs: ImageDataset
    beliefs: NDArray[np.float64]
    held: NDArray[np.bool_]
    kernel: Kernel
    learned: Domains
    judging: Domains
    table: Table
    sight: str
    left_out: int
    features: tuple[NDArray[np.float32], NDArray[np.float32]]

    @property
    def matched(self) -> tuple[str, ...]:
        """The classes that have renders and photographs enough to learn from."""
        return tuple(self.classes[label] for label in self.learned.groups)

    def as_json(self) -> dict[str, Any]:
        """What the tuning learned from, as JSON data."""
        counts = self.beliefs.sum(axis=0).round(1).tolist()
        learned, held = int((~self.held).sum()), int(self.held.sum())
        return {
            "renders": len(self.pilot.pictures),
            "photographs": {"learned": learned, "held_back": held, "left_out": self.left_out},
            "sight": self.sight,
            "believed": dict(zip(self.classes, counts, strict=True)),
            "matched": list(self.matched),
        }


def gather(
    pilot: Pilot,
    photographs: ImageDataset,
    places: tuple[Place, ...],
    sight: Sight,
    cache: Path,
    target: str,
    labeled: str | None,
) -> Evidence:
    """Look at all pictures. What was found is kept in the folder `cache`. Raises InputError.

    labeled: DATA of photographs whose class is known. places: as `places_of` gives them for the pilot.
    """
    classes = pilot.sampler.classes
    photos, plain, broken = readable(photographs, "photographs", cache)
    if broken:
        first = next(iter(broken.values()))
        click.echo(f"left out: {len(broken)} of {len(photographs)} photographs cannot be read; {first}", err=True)
    check_enough(len(photos), target)
    ours = features_of(pilot, "renders", sight, cache)
    theirs = sight.look(photos, plain, "photographs", cache)
    labels = pilot.pictures.labels
    if theirs.beliefs is None or labeled is not None:
        known = None if labeled is None else _labeled(labeled, classes, sight, cache)
        believed = beliefs(ours.features, labels, theirs.features, len(classes), known)
    else:
        believed = theirs.beliefs.astype(np.float64)
    held = held_back(photos)
    kernel = Kernel.between(ours.features, theirs.features)
    vectors, there = kernel.vectors(ours.features), kernel.vectors(theirs.features)
    domains = (Domains(vectors, labels, there[part], believed[part]) for part in (~held, held))
    learned, judging = domains
    _check_matched(learned, judging, classes, target)
    return Evidence(
        classes, pilot, photos, believed, held, kernel, learned, judging, pieces_of(pilot, places, cache).used(),
        sight.name, len(broken), (ours.features, theirs.features),
    )  # fmt: skip


def features_of(pilot: Pilot, title: str, sight: Sight, cache: Path) -> Seen:
    """Look at renders. title: for the progress. Raises InputError where one cannot be read."""
    renders, plain, wrong = readable(pilot.pictures, title, cache)
    if wrong:
        raise InputError(next(iter(wrong.values())))
    return sight.look(renders, plain, title, cache)


def _labeled(
    data: str, classes: tuple[str, ...], sight: Sight, cache: Path
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features and labels of photographs whose class is known."""
    where, split = split_of(data)
    pictures, plain, _ = readable(open_pictures(where, classes, split=split), "labeled photographs", cache)
    return sight.look(pictures, plain, "labeled photographs", cache).features, class_labels(pictures)


def _check_matched(learned: Domains, judging: Domains, classes: tuple[str, ...], target: str) -> None:
    if not set(learned.groups) & set(judging.groups):
        counts = learned.beliefs.sum(axis=0)
        most = int(counts.argmax())
        raise InputError(
            f"--target {target}: no class has photographs enough; most are taken for '{classes[most]}', about "
            f"{counts[most]:.1f} to learn from: give more photographs, a better --model, or --labels"
        )


def pieces_of(pilot: Pilot, places: tuple[Place, ...], cache: Path) -> Table:
    """The pieces of renders. places: as `places_of` gives them, or with other shares."""
    labels = pilot.pictures.labels

    def make() -> Arrays:
        with counted("factors of renders", len(labels)) as advance:
            return {"pieces": table(pilot.sampler, pilot.seed, pilot.indices.tolist(), labels, places, advance).pieces}

    parts = (pilot.pictures.digest, pilot.sampler.config.digest(), PIECES, [place.name for place in places])
    return Table(places, kept(cache, "factors", parts, make)["pieces"].astype(np.int16))
