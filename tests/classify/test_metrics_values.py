"""A classifier's figures, each worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from classify.metrics import (
    BINS,
    Evaluation,
    accuracy,
    bootstrap,
    confusion,
    ece,
    mean_recall,
    over_chance,
    precisions,
    recalls,
    reliability,
    softmax,
)
from scenes.errors import InputError

# Rows are what is, columns what was said: 6 of class 0, 4 of class 1, none of class 2, which was said once.
MATRIX = np.array([[4, 1, 1], [3, 1, 0], [0, 0, 0]])


def test_softmax_by_hand_and_without_overflow() -> None:
    found = softmax([[0.0, math.log(3)], [1000.0, 1000.0], [-1000.0, 0.0]])
    assert found == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5], [0.0, 1.0]]))
    assert found.dtype == np.float64


def test_rows_are_what_is_and_columns_what_was_said() -> None:
    assert confusion([1, 1, 0], [0, 0, 2], 3).tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_shares_of_a_matrix_by_hand() -> None:
    assert accuracy(MATRIX) == pytest.approx(5 / 10)
    assert recalls(MATRIX)[:2] == pytest.approx([4 / 6, 1 / 4]) and math.isnan(recalls(MATRIX)[2])
    assert precisions(MATRIX) == pytest.approx([4 / 7, 1 / 2, 0])
    assert mean_recall(MATRIX) == pytest.approx((4 / 6 + 1 / 4) / 2)
    with np.errstate(all="raise"):
        recalls(MATRIX)
    unsaid = np.array([[3, 0], [2, 0]])
    assert precisions(unsaid)[0] == pytest.approx(3 / 5) and math.isnan(precisions(unsaid)[1])


@pytest.mark.parametrize(
    ("figure", "classes", "wanted"),
    [(0.5, 2, 0.0), (0.75, 2, 0.5), (0.25, 2, -0.5), (0.4, 5, 0.25), (1.0, 13, 1.0), (0.3, 1, 0.0)],
)
def test_over_chance_by_hand(figure: float, classes: int, wanted: float) -> None:
    assert over_chance(figure, classes) == pytest.approx(wanted)


def test_bins_by_hand() -> None:
    confidence = np.array([0.05, 0.25, 0.15, 0.2, 0.95, 1.0, 0.0])
    right = np.array([True, True, False, True, True, False, False])
    found = reliability(confidence, right, bins=10)
    wanted = [
        (0.0, 0.1, 2, 0.025, 0.5),
        (0.1, 0.2, 2, 0.175, 0.5),
        (0.2, 0.3, 1, 0.25, 1.0),
        (0.9, 1.0, 2, 0.975, 0.5),
    ]
    assert [list(row.values()) for row in found] == [pytest.approx(row) for row in wanted]
    assert list(found[0]) == ["from", "to", "pictures", "confidence", "accuracy"]
    gap = (2 * 0.475 + 2 * 0.325 + 1 * 0.75 + 2 * 0.475) / 7
    assert ece(found) == pytest.approx(gap)
    assert BINS == 15 and [row["to"] for row in reliability(np.array([1e-9, 1.0]), right[:2])] == [
        pytest.approx(1 / 15),
        1.0,
    ]


def test_the_bootstrap_draws_right_ones_within_classes() -> None:
    """Written out: Binomial(6, 4/6) and Binomial(4, 1/4), 2000 times, and the middle 95 %."""
    right = np.random.default_rng(0).binomial([6, 4], [4 / 6, 1 / 4], (2000, 2))
    found = bootstrap(MATRIX)
    assert list(found) == ["accuracy", "mean_recall"]
    assert found["accuracy"] == pytest.approx(np.quantile(right.sum(axis=1) / 10, [0.025, 0.975]).tolist())
    assert found["mean_recall"] == pytest.approx(np.quantile((right / [6, 4]).mean(axis=1), [0.025, 0.975]).tolist())
    other = np.random.default_rng(3).binomial([6, 4], [4 / 6, 1 / 4], (50, 2))
    found = bootstrap(MATRIX, level=0.5, draws=50, seed=3)
    assert found["accuracy"] == pytest.approx(np.quantile(other.sum(axis=1) / 10, [0.25, 0.75]).tolist())


def test_a_class_with_a_single_picture_counts_and_one_with_none_does_not() -> None:
    """Always right where there is one, never right where there are three: of four, one."""
    found = bootstrap(np.array([[1, 0, 0], [3, 0, 0], [0, 0, 0]]))
    assert found == {"accuracy": (0.25, 0.25), "mean_recall": (0.5, 0.5)}


def evaluation() -> Evaluation:
    """Ten pictures that make `MATRIX`, all at a confidence of 1/2 but the last, and one without a label."""
    said = [0] * 4 + [1, 2] + [0] * 3 + [1]
    labels = [0] * 6 + [1] * 4
    logits = np.full((11, 3), -math.log(2))
    for row, column in enumerate(said):
        logits[row, column] = 0.0
    logits[9] = (-math.log(9), 0, -math.log(9))
    return Evaluation.from_logits(logits, [*labels, -1], ("a", "b", "c"))


def test_an_evaluation_by_hand() -> None:
    found = evaluation()
    assert found.confusion.tolist() == MATRIX.tolist()
    assert (found.accuracy, found.mean_recall) == (0.5, pytest.approx(11 / 24))
    # Confidences: 1 / (1 + 1/2 + 1/2) = 1/2 nine times with four right, 9 / 11 once.
    assert [row["pictures"] for row in found.reliability] == [9, 1]
    assert [row["confidence"] for row in found.reliability] == pytest.approx([1 / 2, 9 / 11])
    assert [row["accuracy"] for row in found.reliability] == pytest.approx([4 / 9, 1])
    assert found.table() == [
        {"class": "a", "precision": pytest.approx(4 / 7), "recall": pytest.approx(4 / 6), "support": 6},
        {"class": "b", "precision": 0.5, "recall": 0.25, "support": 4},
        {"class": "c", "precision": 0.0, "recall": None, "support": 0},
    ]


def test_the_figures_as_json() -> None:
    found = evaluation().as_json()
    assert found["accuracy"] == 0.5 and found["mean_recall"] == pytest.approx(11 / 24)
    assert found["accuracy_over_chance"] == pytest.approx((0.5 - 1 / 3) / (2 / 3))
    assert found["mean_recall_over_chance"] == pytest.approx((11 / 24 - 1 / 3) / (2 / 3))
    assert found["ece"] == pytest.approx(0.9 * (1 / 2 - 4 / 9) + 0.1 * (1 - 9 / 11))
    intervals = bootstrap(MATRIX)
    assert found["intervals"] == {
        "level": 0.95, "accuracy": list(intervals["accuracy"]), "mean_recall": list(intervals["mean_recall"]),
    }  # fmt: skip
    assert found["confusion"] == MATRIX.tolist() and len(found["reliability"]) == 2
    assert set(found["names"]) < set(found)


def test_the_largest_label_is_the_last_class() -> None:
    logits = np.eye(3)
    assert Evaluation.from_logits(logits, [0, 1, 2], ("a", "b", "c")).accuracy == 1
    with pytest.raises(InputError, match="label 3, but there are 3 classes"):
        Evaluation.from_logits(logits, [0, 1, 3], ("a", "b", "c"))
    with pytest.raises(InputError, match="picture 1 has logits"):
        Evaluation.from_logits([[0.0, 1], [0, np.inf], [np.nan, 0]], [0, 1, 1], ("a", "b"))
