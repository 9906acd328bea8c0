"""What a probe found: accuracy over a factor, predictions that flip, and the smallest changes that flip one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classify.probe.sweep import Axis, Probed
from scenes.outputs import written


@dataclass(frozen=True)
class Flip:
    """A picture whose prediction turns. point: of the sweep. change: its distance in quantiles, summed over factors."""

    picture: int
    point: int
    change: float


@dataclass(frozen=True)
class Findings:
    """The answers of a network.

    probed: n pictures. probabilities: (n, 1 + points, k), of each picture as it is, then at each point. labels: (n,)
    places of the true classes among the network's `classes`.
    """

    axes: tuple[Axis, ...]
    probed: Sequence[Probed]
    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """(n, 1 + points)."""
        return self.probabilities.argmax(2)

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n, points): whether each picture is recognized at each point."""
        return self.predicted[:, 1:] == self.labels[:, None]

    @property
    def points(self) -> list[tuple[Any, ...]]:
        """The values of the factors at each point."""
        if len(self.axes) == 1:
            return [(value,) for value in self.axes[0].values]
        return [(first, second) for first in self.axes[0].values for second in self.axes[1].values]

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(points,) share of the pictures that are recognized."""
        return self.right.mean(axis=0)

    def by_class(self) -> dict[str, NDArray[np.float64]]:
        """(points,) for each class that is shown."""
        shown = sorted(set(self.labels.tolist()))
        return {self.classes[label]: self.right[self.labels == label].mean(axis=0) for label in shown}

    @property
    def flipped(self) -> float:
        """The share of pictures whose prediction is not the same at all points."""
        return float((self.predicted[:, 1:] != self.predicted[:, 1:2]).any(axis=1).mean())

    def flipped_at(self) -> NDArray[np.float64]:
        """(points,) share of pictures that are predicted otherwise than as they are."""
        return (self.predicted[:, 1:] != self.predicted[:, :1]).mean(axis=0)

    def worst(self, count: int = 3) -> list[int]:
        """The points with the lowest accuracy, the lowest first."""
        return np.argsort(self.accuracy, kind="stable")[:count].tolist()

    def smallest(self, count: int = 5) -> list[Flip]:
        """The pictures that turn with the smallest change, each once.

        Between names there is no distance, so each change of a name counts alike.
        """
        steps = [np.array(one.quantiles) for one in self.axes]
        at = np.stack([grid.ravel() for grid in np.meshgrid(*steps, indexing="ij")], axis=1)
        numeric = np.array([one.numeric for one in self.axes])
        found = []
        for number, one in enumerate(self.probed):
            away = np.abs(at - np.array(one.quantiles))
            change = np.where(numeric, away, 1.0).sum(axis=1)
            turned = np.flatnonzero(self.predicted[number, 1:] != self.predicted[number, 0])
            if len(turned):
                point = int(turned[np.argmin(change[turned])])
                found.append(Flip(number, point, float(change[point])))
        return sorted(found, key=lambda flip: (flip.change, flip.picture))[:count]


def save_csv(found: Findings, path: Path) -> None:
    """Write a line for each picture and point. point: empty for the picture as it is."""
    fields = [*(one.field for one in found.axes), *(f"{one.field} quantile" for one in found.axes)]
    with written(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["index", "class", "point", *fields, "predicted", "probability", "right"])
        out.writerows(_rows(found))


def _rows(found: Findings) -> Iterator[list[Any]]:
    quantiles = [(a,) for a in found.axes[0].quantiles]
    if len(found.axes) == 2:
        quantiles = [(a, b) for a in found.axes[0].quantiles for b in found.axes[1].quantiles]  # type: ignore[misc]
    at = [("", *("" for _ in found.axes)), *((point, *values) for point, values in enumerate(found.points))]
    for number, one in enumerate(found.probed):
        label = int(found.labels[number])
        for point, where in enumerate(at):
            said = int(found.predicted[number, point])
            sure = found.probabilities[number, point, label]
            place = one.quantiles if point == 0 else quantiles[point - 1]
            yield [one.index, found.classes[label], *where, *place, found.classes[said], f"{sure:.6f}", said == label]


def told(found: Findings) -> str:
    """The findings in words, a line each."""
    names = " and ".join(one.field for one in found.axes)
    natural = float((found.predicted[:, 0] == found.labels).mean())
    lines = [
        f"{names}: {len(found.probed)} pictures at {len(found.points)} points",
        f"accuracy as they are {natural:.1%}, over the sweep {found.accuracy.mean():.1%} "
        f"({found.accuracy.min():.1%} to {found.accuracy.max():.1%})",
        f"pictures whose prediction flips: {found.flipped:.1%}",
    ]
    worst = ", ".join(f"{value_text(found.points[point])} ({found.accuracy[point]:.1%})" for point in found.worst())
    return "\n".join([*lines, f"worst values: {worst}"])


def value_text(values: Sequence[Any]) -> str:
    """The values at a point for people."""
    return ", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in values)
