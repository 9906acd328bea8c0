"""The figure and the report of a probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from classify import figures
from classify.probe.findings import Findings, told, value_text
from scenes.config.factors import field_of
from scenes.distributions import parse
from training.report import filled

_DRAWS = 2000


def html(
    found: Findings,
    shown: Sequence[Sequence[NDArray[np.uint8]]],
    source: Mapping[str, Any] | None,
    learned: bool = False,
) -> str:
    """The report as one HTML document.

    shown: (H, W, 3) of each picture, as it is and at each point. source: the render config that the network learned
    from, if it is known. learned: whether it learned from these very pictures.
    """
    flips = [
        {
            "said": [_said(found, flip.picture, 0), _said(found, flip.picture, flip.point + 1)],
            "pictures": [figures.picture(shown[flip.picture][place]) for place in (0, flip.point + 1)],
            "class": found.classes[int(found.labels[flip.picture])],
            "index": found.probed[flip.picture].index,
            "value": value_text(found.points[flip.point]),
            "change": f"{flip.change:.3f}",
        }
        for flip in found.smallest()
    ]
    return filled(
        "classify",
        "probe.html",
        name=" and ".join(axis.field for axis in found.axes),
        told=told(found).splitlines(),
        plot=figures.png(draw(found, source)),
        rows=[
            {"value": value_text(point), "accuracy": accuracy, "flipped": flipped}
            for point, accuracy, flipped in zip(found.points, found.accuracy, found.flipped_at(), strict=True)
        ],
        flips=flips,
        density=len(found.axes) == 1 and found.axes[0].numeric and bool(_learned(source, found.axes[0].field)),
        learned=learned,
        own=sorted({name for axis in found.axes for name in axis.own}),
    )


def _said(found: Findings, picture: int, place: int) -> str:
    label = int(found.predicted[picture, place])
    return f"{found.classes[label]} {found.probabilities[picture, place, label]:.0%}"


def draw(found: Findings, source: Mapping[str, Any] | None) -> Figure:
    """Accuracy over one factor, a line for each class; or a heat map over two."""
    return _curves(found, source) if len(found.axes) == 1 else _heat_map(found)


def _curves(found: Findings, source: Mapping[str, Any] | None) -> Figure:
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes, (axis,) = figure.subplots(), found.axes
    places = list(axis.values) if axis.numeric else list(range(len(axis.values)))
    for name, accuracy in found.by_class().items():
        own = list(axis.own[name]) if axis.numeric and name in axis.own else places
        axes.plot(own, 100 * accuracy, marker=".", lw=1, alpha=0.7, label=name)
    axes.plot(places, 100 * found.accuracy, color="black", lw=2.5, marker="o", ms=4, label="all")
    if not axis.numeric:
        axes.set_xticks(places, [str(value) for value in axis.values], rotation=30)
    elif values := _learned(source, axis.field):
        _density(axes, values)
    axes.set_xlabel(axis.field)
    axes.set_ylabel("accuracy, %")
    axes.set_ylim(-3, 103)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.08, 0.5), frameon=False)
    return figure


def _learned(source: Mapping[str, Any] | None, field: str) -> list[float]:
    """Values of a factor, as often as the training pictures have them; empty if that is unknown."""
    value: Any = source
    for part in field_of(field).split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return []
    distribution = parse(value)
    return [float(distribution.at((k + 0.5) / _DRAWS)) for k in range(_DRAWS)]


def _density(axes: Axes, values: list[float]) -> None:
    behind = axes.twinx()
    behind.hist(values, bins=40, density=True, color="#1f77b4", alpha=0.15)
    behind.set_yticks([])
    behind.set_ylabel("density of the training pictures", fontsize=8, color="#1f77b4")


def _heat_map(found: Findings) -> Figure:
    first, second = found.axes
    figure = Figure(figsize=(3 + 0.7 * len(second.values), 2 + 0.5 * len(first.values)), layout="constrained")
    axes = figure.subplots()
    values = 100 * found.accuracy.reshape(len(first.values), len(second.values))
    image = axes.imshow(values, vmin=0, vmax=100, cmap="viridis", aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=8, color="white" if value < 60 else "black")
    axes.set_yticks(range(len(first.values)), [value_text([value]) for value in first.values])
    axes.set_xticks(range(len(second.values)), [value_text([value]) for value in second.values], rotation=30)
    axes.set_ylabel(first.field)
    axes.set_xlabel(second.field)
    figure.colorbar(image, ax=axes, label="accuracy, %")
    return figure
