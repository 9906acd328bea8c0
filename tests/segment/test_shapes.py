"""Middle lines and widths of predicted cracks, and what can be judged without labels, in cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from segment.metrics import THRESHOLDS
from segment.shapes import Shapes, shapes
from segment.unlabeled import judged


def bar(top: int, width: int, left: int = 0, right: int = 60) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[top : top + width, left:right] = True
    return mask


def test_a_perfect_prediction_is_perfect() -> None:
    found = shapes(bar(10, 5), bar(10, 5))
    assert found.cl_dice() == found.skeleton_recall() == 1 and found.width_error() == found.width_excess() == 0


def test_a_crack_found_too_wide_has_all_of_its_line_and_a_wrong_width() -> None:
    found = shapes(bar(8, 9), bar(10, 5))
    assert found.skeleton_recall() == 1 and found.cl_dice() == 1
    assert found.width_excess() == pytest.approx(4, abs=0.3) == found.width_error()


def test_half_of_a_crack_is_half_of_its_line() -> None:
    found = shapes(bar(10, 3, right=30), bar(10, 3))
    assert found.skeleton_recall() == pytest.approx(0.5, abs=0.05)
    recall = found.skeleton_recall()
    assert recall is not None and found.cl_dice() == pytest.approx(2 * recall / (1 + recall))


def test_nothing_there_is_none_and_nothing_found_is_zero() -> None:
    empty = np.zeros((40, 60), bool)
    assert shapes(empty, empty).cl_dice() is None and shapes(empty, empty).skeleton_recall() is None
    missed = shapes(empty, bar(10, 3))
    assert missed.cl_dice() == 0 and missed.skeleton_recall() == 0 and missed.width_error() is None


def test_pictures_are_summed() -> None:
    total = shapes(bar(10, 3), bar(10, 3)) + shapes(np.zeros((40, 60), bool), bar(10, 3))
    assert total.skeleton_recall() == 0.5 and Shapes() + total == total


def test_the_expected_iou_takes_probabilities_as_the_truth() -> None:
    first = np.array([[0.9, 0.6, 0.3, 0.01]], np.float32)
    found = judged([(first, first)])
    total = float(first.sum())
    for threshold, taken in ((0.5, [0.9, 0.6]), (0.8, [0.9]), (0.1, [0.9, 0.6, 0.3])):
        k = int(np.abs(THRESHOLDS - threshold).argmin())
        assert found.expected[k] == pytest.approx(sum(taken) / (len(taken) + total - sum(taken)), rel=1e-5)
    assert found.threshold == pytest.approx(THRESHOLDS[int(found.expected.argmax())]) and found.stable == 1


def test_where_probabilities_are_right_the_expected_threshold_is_the_best_one() -> None:
    rng = np.random.default_rng(0)
    chance = (rng.random((300, 300)) ** 3).astype(np.float32)
    truth = rng.random(chance.shape) < chance
    real = [float((truth & (chance >= t)).sum() / (truth | (chance >= t)).sum()) for t in THRESHOLDS]
    found = judged([(chance, chance)])
    assert np.abs(found.expected - real).max() < 0.02
    assert real[int(found.expected.argmax())] == pytest.approx(max(real), abs=0.005)


def test_what_changes_with_the_picture_is_not_stable() -> None:
    first, second = np.array([[0.8, 0.2]], np.float32), np.array([[0.4, 0.2]], np.float32)
    assert judged([(first, second)]).stable == pytest.approx((0.4 + 0.2) / (0.8 + 0.2))


@pytest.mark.parametrize(
    ("value", "words"), [(0.01, "no crack in 3 of 3"), (0.99, "100% of the pixels"), (0.6, "100%")]
)
def test_a_collapse_is_told(value: float, words: str) -> None:
    flat = np.full((4, 4), value, np.float32)
    assert words in judged([(flat, flat)] * 3).collapse
    mixed = np.array([[0.9, 0.1]], np.float32)
    assert judged([(mixed, mixed)] * 3).collapse == ""
