"""The tables of what tuned pictures teach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import table
from classify.ablation.designs import Arm, Comparison
from classify.ablation.statistics import Answers, Effect, effects
from scenes.distributions import parse
from scenes.pieces import Piece, piece_text

UNTUNED = "untuned"


@dataclass(frozen=True)
class Tuned:
    """A tuning. way: by what pictures were compared. outcome: its tune.json. weights: (n,) of the pilot's pictures."""

    way: str
    outcome: Mapping[str, Any]
    weights: NDArray[np.float64]


def arm(way: str) -> Arm:
    return (("drawn", way),)


def report(tunings: Sequence[Tuned], answers: Answers, each: int) -> str:
    """Markdown. answers: of the photographs, for the untuned pictures and each tuning."""
    seeds = len(answers.seeds(arm(UNTUNED)))
    told = (
        f"Sets of {each} pictures of each class are drawn {seeds} times from the pilot. Recall is in percent: mean "
        f"[lowest to highest] over the sets, on {len(answers.labels)} photographs. Differences are points, paired by "
        "set, with 95 % bootstrap intervals over sets and photographs. The distance is the unbiased squared kernel "
        "distance of the photographs held back; rows with other features cannot be compared."
    )
    header = ["pictures are compared by", "mean recall", "against untuned", "accuracy against untuned", "moved"]
    header += ["distance, untuned → tuned", "effective share of the pilot"]
    rows = [[UNTUNED, _recall(answers, UNTUNED), "", "", "", "", ""]]
    rows += [
        [one.way, _recall(answers, one.way), *_differences(answers, one.way), *_tuning(one)] for one in tunings
    ]  # fmt: skip
    moved = table(
        ["pictures are compared by", "distribution", "shares", "difference for it alone", "p (Holm)"],
        [row for one in tunings for row in _moved(one)],
    )
    return f"{told}\n\n{table(header, rows)}\n\n## What moved\n\n{moved}"


def _recall(answers: Answers, way: str) -> str:
    values = [100 * value for value in answers.figure(arm(way), "mean_recall").values()]
    return f"{mean(values):.1f} [{min(values):.1f} to {max(values):.1f}]"


def _differences(answers: Answers, way: str) -> list[str]:
    comparison = Comparison(way, "drawn", way, {arm(way): 1.0, arm(UNTUNED): -1.0})
    return [points(effects(answers, [comparison], figure)[0]) for figure in ("mean_recall", "accuracy")]


def points(effect: Effect) -> str:
    """A difference with its interval, in points."""
    return f"{100 * effect.mean:+.1f} [{100 * effect.low:+.1f} to {100 * effect.high:+.1f}]"


def _tuning(one: Tuned) -> list[str]:
    worth, weights = one.outcome["held_back"], one.weights
    distance = "" if worth is None else f"{worth['untuned']:.4f} → {worth['tuned']:.4f}"
    return [str(len(one.outcome["moved"])), distance, f"{weights.sum() ** 2 / (len(weights) * (weights**2).sum()):.2f}"]


def _moved(one: Tuned) -> Iterator[list[str]]:
    for moved in one.outcome["moved"]:
        shares = sorted(moved["shares"], key=lambda share: -abs(share["after"] - share["before"]))[:2]
        told = "; ".join(
            f"{piece_text(Piece(s['before'], parse(s['of'])))}: {s['before']:.0%} → {s['after']:.0%}" for s in shares
        )
        worth = moved["held_back"]
        change = f"{worth['change']:+.4f} ({worth['low']:+.4f} to {worth['high']:+.4f})"
        yield [one.way, f"`{moved['factor']}`", told, change, f"{worth['holm']:.1g}"]
