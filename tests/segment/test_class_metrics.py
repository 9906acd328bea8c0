"""Metrics of classes, against cases done by hand and slow references."""

from __future__ import annotations

import numpy as np
import pytest

from segment.classes.metrics import ClassScores, score_classes
from segment.classes.unlabeled import judged
from segment.ignored import IGNORED


def test_confusion_and_iou_by_hand() -> None:
    truth = np.array([[0, 0, 1], [1, 2, IGNORED]], np.uint8)
    found = np.array([[0, 1, 1], [1, 1, 0]], np.uint8)
    scores = score_classes(found, truth, 4)
    assert scores.confusion.tolist() == [[1, 1, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert scores.iou()[:3].tolist() == pytest.approx([1 / 2, 2 / 4, 0]) and np.isnan(scores.iou()[3])
    assert scores.mean_iou() == pytest.approx(1 / 3) and scores.accuracy() == pytest.approx(3 / 5)
    assert scores.recall()[:3].tolist() == [0.5, 1, 0]
    two = scores + scores
    assert two.pictures == 2 and two.confusion.sum() == 10 and two.mean_iou() == scores.mean_iou()
    assert np.isnan(ClassScores.none(3).mean_iou()) and np.isnan(ClassScores.none(3).accuracy())


def border(mask: np.ndarray, width: int) -> set[tuple[int, int]]:
    """The pixels of a mask within `width` king's moves of a pixel that is not in it, or of the outside."""
    height, wide = mask.shape
    found = set()
    for row, column in np.argwhere(mask):
        near = [
            (r, c)
            for r in range(row - width, row + width + 1)
            for c in range(column - width, column + width + 1)
        ]  # fmt: skip
        if any(not (0 <= r < height and 0 <= c < wide) or not mask[r, c] for r, c in near):
            found.add((int(row), int(column)))
    return found


@pytest.mark.parametrize("dilation", [0.02, 0.1])
def test_boundary_iou_is_that_of_the_pixels_near_the_outlines(dilation: float) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:30, :40]
    truth, found = (
        np.where(x > edge, 2, (x - cx) ** 2 + (y - cy) ** 2 < 110).astype(np.uint8)
        for cx, cy, edge in ((14, 14, 30), (17, 15, 31))
    )
    found[rng.random(found.shape) < 0.02] = 0
    truth[:3] = IGNORED
    scores = score_classes(found, truth, 3, dilation)
    width = max(1, round(dilation * 50))
    counts = {(int(r), int(c)) for r, c in np.argwhere(truth != IGNORED)}
    for k in range(3):
        theirs, ours = (border(ids == k, width) & counts for ids in (truth, found))
        assert scores.boundary_iou()[k] == len(theirs & ours) / len(theirs | ours)


def test_the_boundary_iou_of_a_shifted_square_by_hand() -> None:
    """A square of 10 pixels has an outline of 36. Shifted by one, both outlines share 2 pixels and two sides of 9."""
    truth, found = np.zeros((50, 50), np.uint8), np.zeros((50, 50), np.uint8)
    truth[20:30, 20:30] = 1
    found[20:30, 21:31] = 1
    scores = score_classes(found, truth, 2)
    assert scores.iou()[1] == pytest.approx(90 / 110)
    assert scores.border[1].tolist() == [18, 36 + 36 - 18]


def test_what_a_network_promises_without_labels() -> None:
    first = np.array([[[0.8, 0.4]], [[0.2, 0.6]]], np.float32)
    second = np.array([[[0.6, 0.4]], [[0.4, 0.6]]], np.float32)
    found = judged([(first, second)])
    assert found.expected == pytest.approx((0.8 / (1 + 1.2 - 0.8) + 0.6 / (1 + 0.8 - 0.6)) / 2)
    assert found.stable == pytest.approx((1.0 / 1.2 + 0.8 / 1.0) / 2) and found.single is None
    alone = judged([(first[::-1].clip(0.6, 1) * [[[1]], [[0]]], second)])
    assert alone.single == 0 and judged([]).expected == 0
