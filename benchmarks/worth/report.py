"""The tables and the figure of what pictures and seconds of the processor are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.common import spread, table
from benchmarks.worth.law import Law, fit
from benchmarks.worth.learning import SCORES, Exam, Said
from classify.ablation.designs import Arm, Comparison
from classify.ablation.statistics import Answers, Effect, effects
from scenes.outputs import written

PHOTOS, HELD_OUT = "photographs", "renders that no classifier learned from"
_COLORS = ("#1b9e77", "#7570b3", "#d95f02", "#1f78b4", "#555555")
_MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Curve:
    """What classifiers said that learned from parts of one set.

    label: for people. seconds: of the processor for a picture, by round. said: by the number of pictures and the seed.
    """

    label: str
    seconds: Sequence[float]
    said: Mapping[int, Mapping[int, Said]]

    @property
    def sizes(self) -> list[int]:
        return list(self.said)

    def accuracy(self, test: str) -> NDArray[np.float64]:
        """(seeds, sizes) float64, shares of 1."""
        return np.array([[_right(one, test).mean() for one in seeds.values()] for seeds in self.said.values()]).T

    def law(self, test: str) -> Law:
        """The power law of the share that is not recognized."""
        return fit(self.sizes, 1 - self.accuracy(test))


def _right(said: Said, test: str) -> NDArray[np.bool_]:
    return said.photos if test == PHOTOS else said.held_out


def differences(curves: Sequence[Curve], base: Curve, tests: Exam, test: str) -> dict[str, Effect]:
    """By label: the difference to the base, mean over all sizes, with pictures and seeds resampled."""
    labels = (tests.photos if test == PHOTOS else tests.held_out).labels
    right = {
        _arm(curve, size): {seed: _right(said, test) for seed, said in seeds.items()}
        for curve in curves
        for size, seeds in curve.said.items()
    }
    share = 1 / len(base.sizes)
    compared = [
        Comparison(
            curve.label,
            "drawn",
            curve.label,
            {_arm(each, size): sign * share for each, sign in ((curve, 1), (base, -1)) for size in base.sizes},
        )
        for curve in curves
        if curve is not base
    ]
    return {effect.comparison.name: effect for effect in effects(Answers(labels, right), compared, "accuracy")}


def _arm(curve: Curve, size: int) -> Arm:
    return (("drawn", curve.label), ("pictures", str(size)))


def report(curves: Sequence[Curve], base: Curve, tests: Exam) -> str:
    """Markdown. base: the curve that all others are compared with."""
    seeds = len(next(iter(base.said.values())))
    parts = [
        f"{seeds} seeds choose the parts of each set. Accuracies are percent, mean [lowest to highest] over the seeds. "
        "Seconds and their ratios are medians [lowest to highest] over the rounds. Other brackets are 95 % bootstrap "
        "intervals."
    ]
    for test in (PHOTOS, HELD_OUT):
        count = len((tests.photos if test == PHOTOS else tests.held_out).labels)
        parts += [f"## Accuracy on {count} {test}", _accuracy(curves, test)]
    parts += ["## Seconds, and differences at equal pictures", _compared(curves, base, tests)]
    half = base.sizes[-2]
    parts += [f"## Scores without labels, on other photographs, after {half} pictures", _scores(curves, half)]
    return "\n\n".join(parts)


def _accuracy(curves: Sequence[Curve], test: str) -> str:
    header = ["drawn", *(f"{size:,} pictures" for size in curves[0].sizes), "a", "b of error = a N^-b"]
    rows = []
    for curve in curves:
        law = curve.law(test)
        cells = [
            f"{100 * values.mean():.1f} [{100 * values.min():.1f} to {100 * values.max():.1f}]"
            for values in curve.accuracy(test).T
        ]
        rows.append([curve.label, *cells, f"{law.a:.2f}", f"{law.b:.3f} [{law.low:.3f} to {law.high:.3f}]"])
    return table(header, rows)


def _compared(curves: Sequence[Curve], base: Curve, tests: Exam) -> str:
    header = ["drawn", "seconds of the processor a picture", f"times {base.label}"]
    header += [f"points against {base.label}, on {what}" for what in ("photographs", "renders")]
    found = [differences(curves, base, tests, test) for test in (PHOTOS, HELD_OUT)]
    rows = []
    for curve in curves:
        ratios = [mine / other for mine, other in zip(curve.seconds, base.seconds, strict=True)]
        cells = [spread(curve.seconds), "" if curve is base else spread(ratios, 2)]
        cells += ["" if curve is base else _points(effect[curve.label]) for effect in found]
        rows.append([curve.label, *cells])
    return table(header, rows)


def _points(effect: Effect) -> str:
    return f"{100 * effect.mean:+.1f} [{100 * effect.low:+.1f} to {100 * effect.high:+.1f}]"


def _scores(curves: Sequence[Curve], size: int) -> str:
    def cell(curve: Curve, name: str) -> str:
        values = [said.scores[name] for said in curve.said[size].values()]
        return f"{mean(values):.4f} [{min(values):.4f} to {max(values):.4f}]"

    return table(["drawn", *SCORES], [[curve.label, *(cell(curve, name) for name in SCORES)] for curve in curves])


def draw(curves: Sequence[Curve], out: Path) -> None:
    """Write the figure: accuracy on each test over pictures, and over seconds of the processor. A PNG file."""
    figure = Figure(figsize=(9, 6.6), layout="constrained", facecolor="white")
    axes = figure.subplots(2, 2, sharey="row", sharex="col")
    for row, test in zip(axes, (PHOTOS, HELD_OUT), strict=True):
        for axis, timed in zip(row, (False, True), strict=True):
            for curve, color, marker in zip(curves, _COLORS, _MARKERS, strict=False):
                _line(axis, curve, test, color, marker, timed)
            axis.set_xscale("log")
            axis.grid(alpha=0.3)
        row[0].set_ylabel(f"accuracy, %, on\n{test}", fontsize=9)
    for axis, label in zip(axes[1], ("pictures", "seconds of one core to draw them"), strict=True):
        axis.set_xlabel(label, fontsize=9)
    axes[1][0].set_xticks(curves[0].sizes, [f"{size:,}" for size in curves[0].sizes])
    axes[1][0].minorticks_off()
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    with written(out) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _line(axis: Axes, curve: Curve, test: str, color: str, marker: str, timed: bool) -> None:
    """One curve with the law through it; bars reach from the lowest seed to the highest."""
    scale = median(curve.seconds) if timed else 1.0
    values, sizes = 100 * curve.accuracy(test), np.array(curve.sizes, np.float64)
    middle = values.mean(axis=0)
    bars = np.array([middle - values.min(axis=0), values.max(axis=0) - middle])
    bars = bars.clip(0)  # a mean of equal values may be off in its last digit
    axis.errorbar(scale * sizes, middle, bars, fmt=marker, color=color, ms=4, lw=0.8, capsize=2, label=curve.label)
    between = np.geomspace(sizes[0], sizes[-1], 50)
    law = curve.law(test)
    axis.plot(scale * between, [100 * (1 - law.error(size)) for size in between], color=color, lw=1.2)
