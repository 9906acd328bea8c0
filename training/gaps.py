"""What the photographs have that the renders have not: measures of looks that lie outside of what was rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.looks import LOOKS

DISTANCE = "feature distance"
"""The name of a measure: from a picture to the nearest render, by the features of a network."""

MIDDLE = (2.5, 97.5)
"""Percentiles of the renders between which a photograph is inside of what was rendered."""

_LEAST, _MOST = 0.1, 3
"""A gap is told from this share of the photographs on, four times the usual one; and at most so many of a group."""
_FEW, _SHOWN = 3, 6
_TOO_FEW = 20
"""With fewer renders of a class, its photographs are compared with all renders."""
_SAMPLE, _AT_ONCE = 2000, 256
"""Renders that tell the usual distance; pictures that are compared with all renders at a time."""


@dataclass(frozen=True)
class Gap:
    """Photographs that lie on one side of what was rendered, by one measure.

    name: of the measure, in `LOOKS` or `DISTANCE`. how: what these photographs are more than renders, in words. share:
    of the photographs that lie there; by chance it would be 0.025. photos, renders: 10th, 50th and 90th percentile of
    all photographs and all renders. outside, inside: mean score of the photographs that lie there, and of the others;
    None where nobody knows. worst: places of those that are farthest outside. nearest: places of the renders that are
    nearest to them by this measure.
    """

    name: str
    how: str
    share: float
    photos: tuple[float, float, float]
    renders: tuple[float, float, float]
    outside: float | None
    inside: float | None
    worst: tuple[int, ...]
    nearest: tuple[int, ...]

    @property
    def gain(self) -> float:
        """By how much the score of all would rise if the photographs there had the score of the others: an upper bound.

        Where nobody knows the score of the others it counts as 1, and that of those there as 0.
        """
        inside, outside = (1.0 if self.inside is None else self.inside), (self.outside or 0.0)
        return self.share * max(inside - outside, 0.0)

    def told(self) -> dict[str, Any]:
        """As JSON data, with four digits."""
        data = dict(self.__dict__)
        for name in ("photos", "renders"):
            data[name] = [float(f"{value:.4g}") for value in data[name]]
        return data

    def sentence(self) -> str:
        """The gap in words, on one line."""
        text = f"{self.share:.0%} are {self.how} than 97.5 % of the renders"
        middle = f"{self.name}: {_span(self.photos)}; renders {_span(self.renders)}"
        scores = [f"score there {self.outside:.0%}"] if self.outside is not None else []
        scores += [f"else {self.inside:.0%}"] if self.inside is not None and scores else []
        return f"{text} ({middle}){'; ' * bool(scores)}{', '.join(scores)}"


def gaps(
    measures: Mapping[str, NDArray[np.floating]],
    photos: NDArray[np.int64],
    renders: NDArray[np.int64],
    score: NDArray[np.floating] | None = None,
    features: NDArray[np.floating] | None = None,
) -> list[Gap]:
    """The gaps between some photographs and renders, the one with the largest gain first; at most three.

    measures: columns (N,) by name, NaN where a picture has none. photos, renders: places in them. score: (N,), 1 where
    a network is right, NaN where nobody knows. features: (N, d), with which `DISTANCE` was measured.
    """
    found = []
    for name, values in measures.items():
        theirs, ours = photos[np.isfinite(values[photos])], renders[np.isfinite(values[renders])]
        if len(theirs) < _FEW or len(ours) < _FEW:
            continue
        low, high = np.percentile(values[ours], MIDDLE)
        for sign, end, how in zip((-1, 1), (low, high), _words(name), strict=True):
            out = sign * (values[theirs] - end) > 0
            if how and out.mean() >= _LEAST and out.sum() >= _FEW:
                found.append(_gap(name, how, theirs, ours, sign * (values - end), values, score, features))
    return sorted(found, key=lambda gap: (-gap.gain, -gap.share))[:_MOST]


def _gap(
    name: str,
    how: str,
    photos: NDArray[np.int64],
    renders: NDArray[np.int64],
    away: NDArray[np.floating],
    values: NDArray[np.floating],
    score: NDArray[np.floating] | None,
    features: NDArray[np.floating] | None,
) -> Gap:
    """away: (N,), how far the measure of a picture lies outside; not more than 0 inside."""
    out, within = photos[away[photos] > 0], photos[away[photos] <= 0]
    worst = out[np.argsort(-away[out], kind="stable")][:_SHOWN].tolist()
    near = renders[np.argsort(-away[renders], kind="stable")][:_SHOWN].tolist()
    if name == DISTANCE and features is not None:
        near = [nearest(features, renders, place, 1)[0] for place in worst]
    return Gap(
        name=name,
        how=how,
        share=len(out) / len(photos),
        photos=_percentiles(values[photos]),
        renders=_percentiles(values[renders]),
        outside=_mean(score, out),
        inside=_mean(score, within),
        worst=tuple(worst),
        nearest=tuple(near),
    )


@dataclass(frozen=True)
class ClassGaps:
    """name: of a class. pictures: its photographs. score: their mean, None where nobody knows."""

    name: str
    pictures: int
    score: float | None
    gaps: tuple[Gap, ...]


def class_gaps(
    measures: Mapping[str, NDArray[np.floating]],
    classes: Sequence[str],
    label: NDArray[np.int64],
    photos: NDArray[np.bool_],
    renders: NDArray[np.bool_],
    score: NDArray[np.floating],
    features: NDArray[np.floating] | None = None,
) -> list[ClassGaps]:
    """The gaps of each class, the class that fails most first; without scores, the one with the largest gap.

    label: (N,), the class of a picture: for photographs without labels the one that a network says; -1 for none.
    photos, renders: (N,), which pictures are which.
    """
    found = []
    for code, name in enumerate(classes):
        ours, theirs = np.flatnonzero(renders & (label == code)), np.flatnonzero(photos & (label == code))
        if not len(theirs):
            continue
        told = gaps(measures, theirs, ours if len(ours) >= _TOO_FEW else np.flatnonzero(renders), score, features)
        found.append(ClassGaps(name, len(theirs), _mean(score, theirs, 1), tuple(told)))

    def urgency(one: ClassGaps) -> tuple[float, float]:
        return (2.0 if one.score is None else one.score), -max((gap.share for gap in one.gaps), default=0.0)

    return sorted(found, key=urgency)


def distances(
    features: NDArray[np.floating], asked: NDArray[np.int64], renders: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The distance (N,) of some pictures to the nearest render, as a multiple of the usual one; NaN for all others.

    features: (N, d), NaN for a picture without any. They are brought to length 1 first: the direction counts. asked,
    renders: places of pictures. The usual distance is the median of that of up to 2,000 renders, evenly among all.
    Those are measured too, each to the nearest other one. All is NaN with fewer than two renders.
    """
    found = np.full(len(features), np.nan, np.float32)
    renders = renders[np.isfinite(features[renders, 0])]
    sample = renders[:: max(1, -(-len(renders) // _SAMPLE))]
    asked = asked[np.isfinite(features[asked, 0])]
    if len(renders) < 2:
        return found
    ours = _unit(features[renders])
    for places in np.array_split(np.concatenate([sample, asked]), -(-(len(sample) + len(asked)) // _AT_ONCE)):
        likeness = _unit(features[places]) @ ours.T
        likeness[places[:, None] == renders] = -1  # a picture is not near itself
        found[places] = np.sqrt(np.maximum(2 - 2 * likeness.max(axis=1), 0))
    return found / max(float(np.median(found[sample])), 1e-9)


def nearest(features: NDArray[np.floating], renders: NDArray[np.int64], place: int, count: int) -> list[int]:
    """Places of the renders whose features have most nearly the direction of those of a picture, the nearest first."""
    likeness = _unit(features[renders]) @ _unit(features[[place]])[0]
    return renders[np.argsort(-np.nan_to_num(likeness, nan=-2), kind="stable")[:count]].tolist()


def _unit(features: NDArray[np.floating]) -> NDArray[np.float32]:
    wide = features.astype(np.float32)
    return wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9)


def _words(name: str) -> tuple[str, str]:
    return ("", "farther from the nearest render") if name == DISTANCE else LOOKS[name].words


def _percentiles(values: NDArray[np.floating]) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (10, 50, 90)).tolist()
    return low, middle, high


def _mean(score: NDArray[np.floating] | None, places: NDArray[np.int64], least: int = _FEW) -> float | None:
    known = score[places][np.isfinite(score[places])] if score is not None else np.zeros(0)
    return float(known.mean()) if len(known) >= least else None


def _span(values: tuple[float, float, float]) -> str:
    low, middle, high = (f"{value:.3g}" for value in values)
    return f"{middle} [{low} to {high}]"
