"""How a checkpoint is chosen among the evaluations of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.config import ORACLE

COLLAPSED = "collapsed"
"""The figure that is 1 if predictions are almost the same for all pictures, and else 0 or missing."""


def best(history: Sequence[Mapping[str, float]], by: str) -> int:
    """Index of the first evaluation with the highest figure `by`.

    A validator's figure says nothing about a collapsed checkpoint, and some are then even highest. So such a checkpoint
    is chosen only if all are collapsed. The oracle knows the labels and needs no such rule.
    """

    def rank(i: int) -> tuple[bool, float, int]:
        sound = by == ORACLE or not history[i].get(COLLAPSED)
        return sound, history[i].get(by, float("-inf")), -i

    return max(range(len(history)), key=rank)
