"""What the data are worth: how runs that learned from them do on photographs, where they fail, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.columns import LOOK, Columns
from gallery.judging import Judged, ious
from gallery.sets import Chosen
from gallery.track import history
from scenes.errors import InputError
from training.gaps import DISTANCE, MIDDLE, ClassGaps, class_gaps, distances, nearest
from training.looks import LOOKS

_BINS, _LEAST = 4, 8
"""Bins of a measure, of about as many photographs each; with fewer photographs a measure has none."""
_MISTAKES, _NEAR = 24, 6

Groups = Mapping[str, Sequence[Judged]]


def add_columns(columns: Columns, judged: Judged, sets: Sequence[Chosen]) -> None:
    """Make what the network of a run says of each picture into factors, with its distance to the nearest render."""
    photos = _photos(sets)
    away = distances(judged.features, np.flatnonzero(photos), np.flatnonzero(~photos))
    said: dict[str, list[float | str | None]] = {
        LOOK + DISTANCE: [float(value) if np.isfinite(value) else None for value in away]
    }
    columns.put(0, said | judged.columns())


def worth(judged: Sequence[Judged], columns: Columns, sets: Sequence[Chosen]) -> dict[str, Any]:
    """What the page tells of runs as JSON data. judged: by all runs, of which the first has seen all pictures.

    versions: figures of each version of the data, by run. classes, looks: mean scores by class and by measure of the
    photographs, for each version. mistakes: the photographs that the runs are most wrong about. gaps: `class_gaps`.
    """
    first, groups = judged[0], _groups(judged)
    return {
        "unit": first.unit,
        "mean": "mean recall" if first.pixels is None else "mean IoU of the classes",
        "run": first.run,
        "tested": int(first.tested.sum()),
        "middle": MIDDLE,
        "versions": [_version(name, runs) for name, runs in groups.items()],
        "classes": list(_by_class(groups, first)),
        "looks": list(_by_look(groups, first, columns.looks())),
        "mistakes": list(_mistakes(judged, np.flatnonzero(~_photos(sets)))),
        "gaps": [_told(one) for one in _gaps(first, columns, _photos(sets))],
    }


def followed(file: Path) -> list[dict[str, Any]]:
    """The lines of a file of `blendmill track`. Raises InputError where there is none."""
    versions = history(file)
    if not versions:
        raise InputError(f"{file}: holds no scores; `blendmill track` adds them")
    return [one.model_dump() for one in versions]


def _groups(judged: Sequence[Judged]) -> Groups:
    """Runs that differ by their seeds only, by the name of their data. Method and network are named if they differ."""
    kinds: dict[tuple[str, str, str], list[Judged]] = {}
    for one in judged:
        kinds.setdefault(one.trained, []).append(one)
    differing = [k for k in range(1, 3) if len({kind[k] for kind in kinds}) > 1]
    return {", ".join([kind[0], *(kind[k] for k in differing)]): runs for kind, runs in kinds.items()}


def _version(name: str, runs: Sequence[Judged]) -> dict[str, Any]:
    scores = [float(np.nanmean(one.score[one.tested])) if _known(one).any() else None for one in runs]
    means = [_mean_over_classes(one) for one in runs]
    return {"name": name, "runs": [one.run for one in runs], "scores": scores, "means": means}


def _known(one: Judged) -> NDArray[np.bool_]:
    return one.tested & np.isfinite(one.score)


def _mean_over_classes(one: Judged) -> float | None:
    """The mean of the accuracies of the classes, or of their IoU over all test pictures; None with one class."""
    if one.pixels is not None:
        each = _class_ious(one)
        return float(np.nanmean(each)) if np.isfinite(each).any() else None
    there = _known(one)
    means = [float(one.score[there & (one.truth == code)].mean()) for code in np.unique(one.truth[there])]
    return mean(means) if len(one.classes) > 1 and means else None


def _class_ious(one: Judged) -> NDArray[np.float64]:
    """(k,) IoU of each class, all test pictures together, as `blendmill evaluate` tells it."""
    assert one.pixels is not None
    return ious(one.pixels[one.tested].sum(axis=0))


def _by_class(groups: Groups, first: Judged) -> Iterator[dict[str, Any]]:
    if first.pixels is not None:
        counts = (first.pixels[first.tested, :, 2] > 0).sum(axis=0)
        each = [[_class_ious(one) for one in runs] for runs in groups.values()]
        for code, name in enumerate(first.classes):
            yield {
                "name": name,
                "count": int(counts[code]),
                "scores": [_over_runs(one[code] for one in v) for v in each],
            }
        return
    for code, name in enumerate(first.classes):
        chosen = first.tested & (first.truth == code)
        if chosen.any():
            yield {"name": name, "count": int(chosen.sum()), "scores": _scores(groups, chosen)}


def _by_look(groups: Groups, first: Judged, looks: Mapping[str, NDArray[np.float32]]) -> Iterator[dict[str, Any]]:
    for name, values in looks.items():
        there = first.tested & np.isfinite(values)
        if there.sum() < _LEAST:
            continue
        edges = np.unique(np.quantile(values[there], np.linspace(0, 1, _BINS + 1)))
        if len(edges) < 3:
            continue
        bins = np.clip(np.searchsorted(edges, values, "right") - 1, 0, len(edges) - 2)
        meaning = LOOKS[name].meaning if name in LOOKS else "1 is usual among renders"
        told = [
            {
                "low": float(f"{edges[k]:.4g}"),
                "high": float(f"{edges[k + 1]:.4g}"),
                "count": int((there & (bins == k)).sum()),
                "scores": _scores(groups, there & (bins == k)),
            }
            for k in range(len(edges) - 1)
        ]
        yield {"name": name, "meaning": meaning, "bins": [one for one in told if one["count"]]}


def _scores(groups: Groups, chosen: NDArray[np.bool_]) -> list[dict[str, float | None]]:
    """For each version the mean score of some photographs over its runs, and its standard deviation over them."""
    means = [[one.score[chosen][np.isfinite(one.score[chosen])] for one in runs] for runs in groups.values()]
    return [_over_runs(float(known.mean()) for known in one if len(known)) for one in means]


def _over_runs(values: Iterable[float]) -> dict[str, float | None]:
    """The mean of the values of runs, and their standard deviation. Runs whose value is NaN are left out."""
    known = [float(value) for value in values if np.isfinite(value)]
    return {"value": mean(known) if known else None, "spread": stdev(known) if len(known) > 1 else None}


def _mistakes(judged: Sequence[Judged], renders: NDArray[np.int64]) -> Iterator[dict[str, Any]]:
    """The photographs with the largest mean mistake over all runs, with what the first network finds most like them."""
    first = judged[0]
    places = np.flatnonzero(first.tested)
    bad = np.mean([one.mistake[places] for one in judged], axis=0)
    order = np.argsort(-bad, kind="stable")
    for place in places[order[bad[order] > 0][:_MISTAKES]].tolist():
        if not np.isfinite(first.features[place, 0]):
            continue
        wrong = sum(bool(one.mistake[place] > 0) for one in judged)
        near = nearest(first.features, renders, place, _NEAR)
        yield {"place": place, "said": first.said(place), "wrong": wrong, "runs": len(judged), "near": near}


def _gaps(first: Judged, columns: Columns, photos: NDArray[np.bool_]) -> list[ClassGaps]:
    """By the classes of the test photographs; where there are none, by the class that the network says of each.

    A picture for a segmenter of many classes has no class, so all are taken together.
    """
    chosen = first.tested if first.tested.any() else photos
    if first.pixels is not None:
        together = np.zeros(len(first.score), np.int64)
        return class_gaps(columns.looks(), ("all classes",), together, chosen, ~photos, first.score, first.features)
    label = np.where(first.truth >= 0, first.truth, first.predicted)
    return class_gaps(columns.looks(), first.classes, label, chosen, ~photos, first.score, first.features)


def _told(one: ClassGaps) -> dict[str, Any]:
    return {"name": one.name, "count": one.pictures, "score": one.score, "gaps": [gap.told() for gap in one.gaps]}


def _photos(sets: Sequence[Chosen]) -> NDArray[np.bool_]:
    return np.concatenate([np.full(len(one.indices), one.photos) for one in sets])
