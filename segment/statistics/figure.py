"""Plot the distribution of each measured quantity of sets of crack pictures. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FormatStrFormatter

from scenes.outputs import written
from segment.statistics.compare import PHOTOGRAPHS, Measured, Values, distances
from segment.statistics.measure import GROUPS, QUANTITIES, Quantity

_COLORS, _KNOWN, _FAINT = ("#1469be", "#e16e0a"), "#1e8c3c", "#777777"
_COLUMNS, _PANEL, _HEAD = 4, (3.1, 1.75), 0.5
_BINS = 24


def figure(sets: Sequence[Measured]) -> Figure:
    """Draw one panel for each quantity: its normalized histogram in each set, with a line at the median.

    sets: one or two sets. A quantity that none of them has gets no panel.
    """
    rows = [row for group in GROUPS for row in _rows(group, sets)]
    size = _COLUMNS * _PANEL[0], _HEAD + len(rows) * _PANEL[1]
    # The legend gets a strip of fixed height above the panels.
    layout = ConstrainedLayoutEngine(rect=(0, 0, 1, 1 - _HEAD / size[1]), hspace=0.06)
    drawn = Figure(figsize=size, layout=layout)
    axes = drawn.subplots(len(rows), _COLUMNS, squeeze=False)
    apart = distances(sets)
    for across, row in zip(axes, rows, strict=True):
        for axis, quantity in zip(across, row, strict=False):
            _panel(axis, quantity, sets)
            if quantity.key in apart:
                axis.set_title(f"apart {apart[quantity.key]:.2f}", fontsize=8, loc="right", color=_FAINT)
        for axis in across[len(row) :]:
            axis.set_axis_off()
    drawn.legend(handles=_legend(sets), loc="upper left", ncols=3, frameon=False, fontsize=9)
    return drawn


def write_figure(drawn: Figure, path: Path) -> None:
    """Write the figure as a PNG, completely or not at all. Creates its folder."""
    with written(path) as temporary:
        drawn.savefig(temporary, format="png", dpi=110)


def _rows(group: str, sets: Sequence[Measured]) -> list[list[Quantity]]:
    """The quantities of a group that any set has, divided into rows of panels."""
    shown = [q for q in QUANTITIES if q.group == group and any(q.key in each.values for each in sets)]
    return [shown[k : k + _COLUMNS] for k in range(0, len(shown), _COLUMNS)]


def _legend(sets: Sequence[Measured]) -> list[Line2D]:
    # Dollar signs in a folder's name would start a formula in matplotlib.
    names = [f"{each.name} ({each.pictures} pictures)".replace("$", r"\$") for each in sets]
    handles = [Line2D([], [], color=color, label=name) for name, color in zip(names, _COLORS, strict=False)]
    if any(key in each.values for each in sets for key in PHOTOGRAPHS):
        text = "photographs labeled by hand: median, 10th to 90th percentile"
        handles.append(Line2D([], [], color=_KNOWN, marker="o", markersize=5, label=text))
    return handles


def _panel(axis: Axes, quantity: Quantity, sets: Sequence[Measured]) -> None:
    there = [
        (each.values[quantity.key], color)
        for each, color in zip(sets, _COLORS, strict=False)
        if quantity.key in each.values
    ]
    known = PHOTOGRAPHS.get(quantity.key, ())
    low, high = _range([values for values, _ in there], known)
    for values, color in there:
        counts, edges = np.histogram(np.clip(values, low, high), _BINS, (low, high))
        axis.stairs(counts / len(values), edges, color=color, lw=1.6)
        axis.axvline(min(max(float(np.median(values)), low), high), color=color, lw=1)
    if known:
        _mark_known(axis, known)
    unit = f" ({quantity.unit})" if quantity.unit else ""
    axis.set_title(quantity.key.replace(".", ": ") + unit, fontsize=9, loc="left")
    axis.set_xlim(low, high)
    axis.set_ylim(bottom=0)
    axis.set_yticks([])
    axis.spines[["top", "left", "right"]].set_visible(False)
    axis.xaxis.set_major_locator(FixedLocator([low, (low + high) / 2, high]))
    axis.xaxis.set_major_formatter(FormatStrFormatter(f"%.{quantity.digits}f"))
    axis.tick_params(labelsize=8, colors=_FAINT)


def _mark_known(axis: Axes, known: Sequence[float]) -> None:
    """What is known of photographs, just under the axis: a dot at the median, a line from percentile to percentile."""
    middle, *ends = known
    below: dict[str, Any] = {"transform": axis.get_xaxis_transform(), "color": _KNOWN, "clip_on": False}
    if ends:
        axis.plot(ends, (-0.05, -0.05), lw=2, **below)
    axis.plot([middle], [-0.05], marker="o", markersize=6, **below)


def _range(samples: Sequence[Values], known: Sequence[float]) -> tuple[float, float]:
    """What a panel spans: all but the outermost few hundredths, which are drawn at its ends."""
    ends = np.concatenate([np.percentile(values, (2, 97)) for values in samples] + [np.array(known)])
    low, high = float(ends.min()), float(ends.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
