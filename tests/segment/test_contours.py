"""Matched contours, against a case done by hand and a matching of least cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from segment.contours import Contours, contours, matched
from segment.metrics import THRESHOLDS, score
from segment.statistics.lines import Mask


def least_cost(one: Mask, other: Mask, distance: float) -> int:
    """The benchmark's matching: a pair costs its distance, and a pixel without a partner 100 times the reach."""
    a, b = np.argwhere(one), np.argwhere(other)
    alone = 100 * distance
    far = np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) if len(a) and len(b) else np.zeros((len(a), len(b)))
    table = np.full((len(a) + len(b),) * 2, 1e9)
    table[: len(a), : len(b)] = np.where(far <= distance, far, 1e9)
    table[: len(a), len(b) :][np.diag_indices(len(a))] = alone
    table[len(a) :, : len(b)][np.diag_indices(len(b))] = alone
    table[len(a) :, len(b) :] = 0
    rows, columns = linear_sum_assignment(table)
    return int(np.count_nonzero((rows < len(a)) & (columns < len(b))))


@pytest.mark.parametrize("seed", range(12))
def test_as_many_pairs_as_in_the_matching_of_least_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = (rng.random((14, 18)) < share for share in rng.uniform(0, 0.35, 2))
    for distance in (1.0, 1.5, 2.83, 4.2):
        assert matched(one, other, distance) == least_cost(one, other, distance)


def test_each_pixel_is_matched_once() -> None:
    """Two parallel lines, both within reach of the true one: half of their pixels have a partner."""
    truth, double = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    truth[20, 5:55] = True
    double[[18, 22], 5:55] = True
    assert matched(double, truth, 2.0) == 50 and matched(truth, double, 2.0) == 50
    assert matched(double, truth, 1.9) == 0 and matched(np.zeros_like(truth), truth, 5) == 0


def test_the_figures_of_three_pictures_by_hand() -> None:
    """100 by 75 pixels: the diagonal is 125, and pairs may be 0.9375 pixels apart, which is none but the same place."""
    truth = np.zeros((75, 100), bool)
    truth[30, 10:50] = True
    faint = np.zeros((75, 100), np.float32)
    faint[30, 10:30] = 0.9  # half of the line, sure
    faint[30, 30:50] = 0.3  # the other half, unsure
    faint[60, 10:50] = 0.3  # and as much where no crack is
    empty = np.zeros((75, 100), bool)
    parts = [contours(faint, truth), contours(truth.astype(np.float32), truth), contours(faint * 0, empty)]
    found = sum(parts, Contours.none())
    low, high = (int(np.abs(THRESHOLDS - value).argmin()) for value in (0.2, 0.6))
    assert found.predicted[:, [low, high]].tolist() == [[80, 20], [40, 40], [0, 0]]
    assert found.real[:, 0].tolist() == [40, 40, 0]
    assert found.matched[:, [low, high]].tolist() == [[40, 20], [40, 40], [0, 0]]
    assert found.f1()[[low, high]].tolist() == pytest.approx([2 * 80 / (120 + 80), 2 * 60 / (60 + 80)])
    assert found.ods() == pytest.approx(60 / 70)
    # Of the first picture both thresholds have an F1 of 2/3, and of the second one 1.
    assert found.ois() == pytest.approx((2 / 3 + 1) / 2)
    assert contours(faint * 0, empty).ois() is None


def test_the_average_iou_is_that_of_each_picture() -> None:
    masks = [np.zeros((4, 10), bool) for _ in range(3)]
    masks[0][0], masks[1][:, :5] = True, True
    maps = [np.where(mask, 0.5, 0.0).astype(np.float32) for mask in masks]
    maps[0][1] = 0.25  # as many pixels again
    below, middle = (THRESHOLDS.astype(np.float32) <= 0.25).sum(), (THRESHOLDS.astype(np.float32) <= 0.5).sum()
    wanted = [(below * 0.5 + (middle - below)) / len(THRESHOLDS), middle / len(THRESHOLDS)]
    assert score(zip(maps, masks, strict=True)).picture_aiu() == pytest.approx(np.mean(wanted))
    assert np.isnan(score([(maps[2], masks[2])]).picture_aiu())
