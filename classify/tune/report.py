"""The report of a tuning: in words, as a figure, and as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from classify import figures
from classify.tune.evidence import Evidence
from classify.tune.judging import LEVEL, SIGNIFICANT
from classify.tune.outcome import SCREENED, Moved, Outcome, worth_text
from classify.tune.rounds import Rounds
from scenes.pieces import piece_text
from training.data.pictures import ImageDataset
from training.report import filled

_SHOWN, _ROWS, _SIDE = 10, 2, 96
_COLUMNS = 3
_GRAY = 235


def told(outcome: Outcome, evidence: Evidence) -> list[str]:
    """The outcome in words, a line each."""
    held = int(evidence.held.sum())
    lines = [
        f"{len(evidence.pilot.pictures):,} renders, {len(evidence.photographs):,} photographs of which {held:,} are "
        f"held back; features: {evidence.sight}",
        f"classes that are matched: {', '.join(evidence.matched)}",
    ]
    rounds = outcome.rounds
    lines += [] if rounds is None else list(_rounds_told(rounds))
    if outcome.worth is None:
        lines.append(f"nothing moved: no factor surely {outcome.measure.helps}")
    elif rounds is not None and rounds.best is None:
        lines.append("nothing moved: the pictures of no round are surely nearer to the photographs held back")
    elif outcome.worth.change >= 0:
        lines.append(
            f"nothing moved: together, the factors do not help the photographs held back: {worth_text(outcome.worth)}"
        )
    else:
        lines += [
            f"moved: {len(outcome.moved)} of {len(evidence.table.places)} distributions",
            f"photographs held back: {worth_text(outcome.worth)}",
        ]
        lines += [f"  {one.place.name}: {'; '.join(one.most(2))}" for one in outcome.moved]
    if outcome.refused:
        names = ", ".join(one.place.name for one in outcome.refused)
        lines.append(f"not moved, because the photographs held back do not confirm it: {names}")
    if outcome.moved:
        name, least = min(zip(evidence.classes, outcome.effective.values(), strict=True), key=lambda pair: pair[1])
        bounded = (
            "" if outcome.strength == 1 else f"; the places move {outcome.strength:.0%} of the way to keep so many"
        )
        of = "of each class" if rounds is None else "of the pilot's of each class, in all rounds together"
        lines.append(f"effective renders: at least {least:.0%} {of} ({name}){bounded}")
    return lines


def _rounds_told(rounds: Rounds) -> Iterator[str]:
    """The rounds in words, a line each."""
    for number, one in enumerate(rounds.rounds, 1):
        yield (
            f"round {number}: {len(one.drawn.labels):,} pictures, distance from the photographs to learn from "
            f"{one.measured:.4f}, promised {one.promised:.4f}; held back: {worth_text(one.worth)}"
        )
    if rounds.adopted:
        last = rounds.adopted == len(rounds.rounds)
        yield f"taken: the shares of round {rounds.adopted}{'' if last else ', because the last one is not nearer'}"


def html(outcome: Outcome, evidence: Evidence, name: str) -> str:
    """The report as one HTML document. name: of the config."""
    return filled(
        "classify",
        "tune.html",
        name=f"{name}, tuned",
        told=told(outcome, evidence),
        measure=outcome.measure.name,
        note=outcome.measure.note,
        level=LEVEL,
        screened=SCREENED,
        significant=SIGNIFICANT,
        figure=figures.png(draw(outcome.moved)) if outcome.moved else None,
        moved=[
            {
                "name": one.place.name,
                "mean": "—" if (means := one.means()) is None else f"{means[0]:.4g} → {means[1]:.4g}",
                "most": one.most(),
                "p": f"{one.holm:.2g}",
                "worth": worth_text(one.worth),
                "sure": one.worth.sure,
            }
            for one in outcome.moved
        ],
        refused=[
            {"name": one.place.name, "p": f"{one.holm:.2g}", "worth": worth_text(one.worth)} for one in outcome.refused
        ],
        stayed=[
            {"name": place.name, "change": f"{gain.mean:+.5f} ± {gain.error:.5f}", "p": f"{gain.p:.2g}"}
            for place, gain in sorted(outcome.stayed, key=lambda pair: pair[1].p)
        ],
        rounds=[
            {
                "name": f"{number}, taken" if number == outcome.rounds.adopted else str(number),
                "pictures": len(one.drawn.labels),
                "promised": f"{one.promised:.4f}",
                "measured": f"{one.measured:.4f}",
                "worth": worth_text(one.worth),
                "sure": one.worth.sure,
            }
            for number, one in enumerate(outcome.rounds.rounds, 1)
        ]
        if outcome.rounds
        else [],
        rows=list(_rows(outcome, evidence)),
        classes=[
            {
                "name": evidence.classes[label],
                "photographs": f"{count:.1f}",
                "matched": label in evidence.learned.groups,
                "effective": outcome.effective.get(label),
            }
            for label, count in enumerate(evidence.beliefs.sum(axis=0).tolist())
        ],
    )


def draw(moved: Sequence[Moved]) -> Figure:
    """The shares of the pieces before and after, a panel for each place that moved."""
    columns = min(_COLUMNS, len(moved))
    rows = -(-len(moved) // columns)
    figure = Figure(figsize=(4.2 * columns, 2.6 * rows), layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, one in zip(panels, moved, strict=False):
        _bars(axes, one)
    for axes in panels[len(moved) :]:
        axes.set_axis_off()
    # Beside the panels: inside one it would lie over bars.
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=7)
    return figure


def _bars(axes: Axes, one: Moved) -> None:
    places = np.arange(len(one.after))
    error = np.maximum([one.after - one.low, one.high - one.after], 0)
    axes.bar(places - 0.2, 100 * one.place.pieces.shares, 0.4, color="#aaaaaa", label="untuned")
    axes.bar(places + 0.2, 100 * one.after, 0.4, yerr=100 * error, color=figures.SOURCE, ecolor="black", label="tuned")
    names = [piece_text(piece) for piece in one.place.pieces.pieces]
    axes.set_xticks(places, names, rotation=35, ha="right", fontsize=7)
    axes.set_ylabel("share, %", fontsize=8)
    axes.set_title(one.place.name, fontsize=9)
    axes.tick_params(axis="y", labelsize=7)


def _rows(outcome: Outcome, evidence: Evidence) -> Iterator[dict[str, object]]:
    """Photographs, renders, and renders in the shares in which the tuned config would draw such pictures."""
    rng, count = np.random.default_rng(0), _SHOWN * _ROWS
    photographs = rng.permutation(len(evidence.photographs))[:count]
    yield {"shows": "photographs", "png": _sheet(evidence.photographs, photographs)}
    labels, renders = evidence.pilot.pictures.labels, evidence.pilot.pictures
    # Each class as often as among the photographs shown, and the same quantiles for both, so that the rows compare.
    believed = evidence.beliefs[photographs].argmax(axis=1)
    quantiles = rng.random(len(believed))
    for shows, weights in (("untuned", np.ones(len(labels))), ("tuned", outcome.weights)):
        drawn = [_drawn(labels, weights, label, q) for label, q in zip(believed.tolist(), quantiles, strict=True)]
        yield {"shows": shows, "png": _sheet(renders, np.array([place for place in drawn if place is not None]))}


def _drawn(labels: NDArray[np.int64], weights: NDArray[np.float64], label: int, quantile: float) -> int | None:
    """A render of a class, drawn by the weights; None where the class has none."""
    members = np.flatnonzero(labels == label)
    if not len(members):
        return None
    total = np.cumsum(weights[members])
    return int(members[min(np.searchsorted(total, quantile * total[-1]), len(members) - 1)])


def _sheet(pictures: ImageDataset, places: NDArray[np.int64]) -> bytes:
    sheet = np.full((_ROWS * _SIDE, _SHOWN * _SIDE, 3), _GRAY, np.uint8)
    for number, place in enumerate(places.tolist()):
        picture = Image.fromarray(pictures.read(place))
        picture.thumbnail((_SIDE, _SIDE))
        row, column = divmod(number, _SHOWN)
        top, left = row * _SIDE + (_SIDE - picture.height) // 2, column * _SIDE + (_SIDE - picture.width) // 2
        sheet[top : top + picture.height, left : left + picture.width] = np.asarray(picture)
    return figures.picture(sheet)
