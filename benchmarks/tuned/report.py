"""The tables of what tuned pictures teach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import mean
from typing import Any

from benchmarks.common import table
from classify.ablation.designs import Arm, Comparison
from classify.ablation.statistics import Answers, Effect, effects
from scenes.distributions import parse
from scenes.pieces import Piece, piece_text

UNTUNED = "untuned"


def arm(way: str) -> Arm:
    return (("drawn", way),)


def report(outcomes: Mapping[str, Mapping[str, Any]], answers: Answers, each: int) -> str:
    """Markdown. outcomes: the tune.json of each way to judge pictures. answers: of the photographs, for the untuned
    pictures and each way by which something moved."""
    seeds = len(answers.seeds(arm(UNTUNED)))
    told = (
        f"{each} new pictures of each class are taken {seeds} times. Recall is in percent: mean [lowest to highest] "
        f"over these draws, on {len(answers.labels)} photographs. Differences are points, paired by draw, with 95 % "
        "bootstrap intervals over draws and photographs. The last column is what became less on the photographs held "
        "back: the squared kernel distance, or the missing information in nats."
    )
    header = ["pictures are judged by", "mean recall", "against untuned", "accuracy against untuned", "moved"]
    header += ["held back, untuned → tuned"]
    rows = [[UNTUNED, _recall(answers, UNTUNED), "", "", "", ""]]
    rows += [[way, *_learned(answers, way, outcome), *_tuning(outcome)] for way, outcome in outcomes.items()]
    moved = table(
        ["pictures are judged by", "distribution", "shares", "difference for it alone", "p (Holm)"],
        [row for way, outcome in outcomes.items() for row in _moved(way, outcome)],
    )
    return f"{told}\n\n{table(header, rows)}\n\n## What moved\n\n{moved}"


def _learned(answers: Answers, way: str, outcome: Mapping[str, Any]) -> list[str]:
    if not outcome["moved"]:  # its pictures are the untuned ones
        return ["", "", ""]
    return [_recall(answers, way), *_differences(answers, way)]


def _recall(answers: Answers, way: str) -> str:
    values = [100 * value for value in answers.figure(arm(way), "mean_recall").values()]
    return f"{mean(values):.1f} [{min(values):.1f} to {max(values):.1f}]"


def _differences(answers: Answers, way: str) -> list[str]:
    comparison = Comparison(way, "drawn", way, {arm(way): 1.0, arm(UNTUNED): -1.0})
    return [points(effects(answers, [comparison], figure)[0]) for figure in ("mean_recall", "accuracy")]


def points(effect: Effect) -> str:
    """A difference with its interval, in points."""
    return f"{100 * effect.mean:+.1f} [{100 * effect.low:+.1f} to {100 * effect.high:+.1f}]"


def _tuning(outcome: Mapping[str, Any]) -> list[str]:
    worth = outcome["held_back"]
    return [str(len(outcome["moved"])), "" if worth is None else f"{worth['untuned']:.4f} → {worth['tuned']:.4f}"]


def _moved(way: str, outcome: Mapping[str, Any]) -> Iterator[list[str]]:
    for moved in outcome["moved"]:
        shares = sorted(moved["shares"], key=lambda share: -abs(share["after"] - share["before"]))[:2]
        told = "; ".join(
            f"{piece_text(Piece(s['before'], parse(s['of'])))}: {s['before']:.0%} → {s['after']:.0%}" for s in shares
        )
        worth = moved["held_back"]
        change = f"{worth['change']:+.4f} ({worth['low']:+.4f} to {worth['high']:+.4f})"
        yield [way, f"`{moved['factor']}`", told, change, f"{worth['holm']:.1g}"]
