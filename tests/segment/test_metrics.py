"""The segmenter's metrics against slow, obvious ones: pixels counted one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from scenes.errors import InputError
from segment.metrics import THRESHOLDS, Scores, score

Pair = tuple[NDArray[np.float32], NDArray[np.bool_]]


def pair(seed: int, size: tuple[int, int] = (9, 11), share: float = 0.15) -> Pair:
    rng = np.random.default_rng(seed)
    return rng.random(size).astype(np.float32), rng.random(size) < share


def near(places: NDArray[np.bool_], tolerance: float) -> NDArray[np.bool_]:
    """(h, w) where a pixel's center is within the tolerance of the center of a set one, by trying all."""
    found = np.zeros_like(places)
    for row, column in np.argwhere(np.ones_like(places)):
        distances = np.hypot(*(np.argwhere(places) - (row, column)).T) if places.any() else np.array([np.inf])
        found[row, column] = distances.min() <= tolerance
    return found


def counted(pairs: list[Pair], threshold: float, tolerance: float) -> list[tuple[int, int, int, int, int]]:
    """predicted, hit, real, found, both of each picture."""
    rows = []
    for probability, mask in pairs:
        taken = probability >= np.float32(threshold)
        rows.append(
            (
                int(taken.sum()), int((taken & near(mask, tolerance)).sum()), int(mask.sum()),
                int((mask & near(taken, tolerance)).sum()), int((taken & mask).sum()),
            )
        )  # fmt: skip
    return rows


def f1(hit: int, predicted: int, found: int, real: int) -> float:
    precision, recall = (hit / predicted if predicted else 0.0), (found / real if real else 0.0)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("tolerance", [1.0, 1.5, 2.0, 3.0])
def test_counts_are_those_of_trying_every_pixel(tolerance: float) -> None:
    pairs = [pair(k) for k in range(3)] + [pair(7, share=0.0)]
    scores = score(pairs, tolerance)
    for k in (0, 12, 24, 40, 48):
        table = np.array(counted(pairs, float(THRESHOLDS[k]), tolerance))
        predicted, hit, real, found, both = table.T
        for name, wanted in zip(("predicted", "hit", "real", "found", "both"), table.T, strict=True):
            assert getattr(scores, name)[:, k].tolist() == wanted.tolist(), name
        assert scores.iou()[k] == pytest.approx(both.sum() / (predicted.sum() + real.sum() - both.sum()))
        assert scores.f1()[k] == pytest.approx(2 * both.sum() / (predicted.sum() + real.sum()))
        assert scores.tolerant_f1()[k] == pytest.approx(f1(hit.sum(), predicted.sum(), found.sum(), real.sum()))


def test_the_best_of_each_picture_is_the_mean_over_those_with_a_crack() -> None:
    pairs = [pair(k) for k in range(4)] + [pair(9, share=0.0)]
    best = []
    for one in pairs[:4]:
        rows = [counted([one], float(threshold), 2.0)[0] for threshold in THRESHOLDS]
        best.append(max(f1(hit, predicted, found, real) for predicted, hit, real, found, _ in rows))
    assert score(pairs).ois() == pytest.approx(np.mean(best))


def test_thresholds_are_every_fiftieth() -> None:
    assert len(THRESHOLDS) == 49
    assert THRESHOLDS.tolist() == pytest.approx([k / 50 for k in range(1, 50)])


def test_a_probability_at_a_threshold_is_taken() -> None:
    mask = np.ones((1, 3), bool)
    scores = score([(THRESHOLDS[[10, 20, 20]].astype(np.float32)[None], mask)])
    assert scores.predicted[0, [9, 10, 11, 20, 21]].tolist() == [3, 3, 2, 2, 0]


def test_two_pixels_are_within_two_and_no_more() -> None:
    """By default; along the diagonal one step is within, two are not."""
    for step, reached in (((0, 2), True), ((2, 0), True), ((1, 1), True), ((2, 1), False), ((0, 3), False)):
        probability, mask = np.zeros((9, 9), np.float32), np.zeros((9, 9), bool)
        mask[4, 4] = True
        probability[4 + step[0], 4 + step[1]] = 0.9
        scores = score([(probability, mask)])
        assert (scores.hit[0, 24], scores.found[0, 24]) == (reached, reached), step
        assert scores.tolerant_f1()[24] == float(reached) and scores.f1()[24] == scores.iou()[24] == 0


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0.02, 0.6))
def test_scores_lie_between_nothing_and_all(seed: int, share: float) -> None:
    scores = score([pair(seed, share=share)])
    assert (scores.hit <= scores.predicted).all() and (scores.found <= scores.real).all()
    assert (scores.both <= scores.hit).all() and (scores.both <= scores.found).all()
    assert all((a >= b).all() for a, b in pairwise(scores.predicted.T))
    for figure in (scores.iou(), scores.f1(), scores.tolerant_f1()):
        assert ((figure >= 0) & (figure <= 1)).all()
    assert (scores.tolerant_f1() >= scores.f1() - 1e-12).all()


def test_pictures_count_by_their_pixels() -> None:
    """Over all pictures at once, not the mean of each one's figure."""
    counts = {
        "predicted": [[10], [90]], "hit": [[10], [30]], "real": [[20], [40]], "found": [[5], [40]], "both": [[5], [25]],
        "pixels": [[400], [400]],
    }  # fmt: skip
    scores = Scores(np.array([0.5]), **{name: np.array(rows) for name, rows in counts.items()})
    assert scores.iou() == pytest.approx([30 / (100 + 60 - 30)])
    assert scores.f1() == pytest.approx([60 / 160])
    precision, recall = 40 / 100, 45 / 60
    assert scores.tolerant_f1() == pytest.approx([2 * precision * recall / (precision + recall)])
    each = (2 * 1.0 * 0.25 / 1.25, 2 * (1 / 3) * 1.0 / (4 / 3))
    assert scores.ois() == pytest.approx(sum(each) / 2)


def test_without_pictures_there_are_no_scores() -> None:
    scores = score([])
    assert scores.predicted.shape == (0, 49) and scores.iou().tolist() == [0] * 49 and math.isnan(scores.ois())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, 1.5])
def test_what_is_no_probability_is_refused(value: float) -> None:
    """NaN sorts above 1, so it would be counted as crack at every threshold."""
    good, mask = pair(1)
    bad = good.copy()
    bad[2, 3] = value
    with pytest.raises(InputError, match=r"^pair 1: the probability at row 2, column 3 is .*; 1 of 99 pixels are so$"):
        score([(good, mask), (bad, mask)])


def test_a_map_of_another_shape_is_refused() -> None:
    probability, mask = pair(1)
    with pytest.raises(InputError, match=r"pair 0: the map has the shape \(8, 11\), its mask \(9, 11\)"):
        score([(probability[1:], mask)])


def test_figures_over_all_thresholds_in_numbers() -> None:
    """Two crack pixels of probability 0.9 and 0.5, and two others of 0.7 and 0.01; a second picture without a crack."""
    probability = np.array([[0.9, 0.5, 0.7, 0.01]], np.float32)
    clear = np.array([[0.6, 0.01, 0.01, 0.01]], np.float32)
    scores = score([(probability, np.array([[1, 1, 0, 0]], bool)), (clear, np.zeros((1, 4), bool))])
    at = {t: int(np.abs(THRESHOLDS - t).argmin()) for t in (0.3, 0.6, 0.8, 0.96)}
    assert [scores.precision()[at[t]] for t in (0.3, 0.6, 0.8, 0.96)] == pytest.approx([2 / 4, 1 / 3, 1, 1])
    assert [scores.recall()[at[t]] for t in (0.3, 0.6, 0.8, 0.96)] == [1, 0.5, 0.5, 0]
    # Recall falls from 1 to a half at 0.5, where half of the predicted pixels are crack, and to 0 at 0.9.
    assert scores.average_precision() == pytest.approx(0.5 * 2 / 4 + 0.5 * 1)
    assert scores.aiu() == pytest.approx(float(scores.iou().mean()))
    # At 0.3: cracks 2 of 4, background 4 of 6.
    assert scores.mean_iou()[at[0.3]] == pytest.approx((2 / 4 + 4 / 6) / 2)
    assert scores.false_share()[at[0.3]] == 1 / 4 and scores.false_share()[at[0.8]] == 0
    assert scores.picture_iou()[:, at[0.3]].tolist() == pytest.approx([2 / 3])
    assert np.isnan(score([(probability, np.ones((1, 4), bool))]).false_share()).all()


def test_average_precision_is_that_of_scikit_learn_for_probabilities_on_the_thresholds() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(3)
    mask = rng.random((40, 40)) < 0.2
    probability = (rng.choice(THRESHOLDS, (40, 40)) * 0.7 + 0.3 * mask).astype(np.float32)
    probability = THRESHOLDS[np.abs(THRESHOLDS[:, None, None] - probability).argmin(0)].astype(np.float32)
    wanted = average_precision_score(mask.ravel(), probability.ravel())
    assert score([(probability, mask)]).average_precision() == pytest.approx(wanted, rel=1e-6)
