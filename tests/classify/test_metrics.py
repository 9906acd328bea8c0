"""Figures of a classifier: against counting by hand, another implementation's calibration error, and resampling."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classify.metrics import Evaluation, accuracy, bootstrap, confusion, ece, mean_recall, over_chance, reliability
from scenes.errors import InputError

NAMES = tuple("abcde")


def fixed() -> tuple[np.ndarray, np.ndarray]:
    n = np.arange(200, dtype=np.float64)
    return (3 * np.sin(n * 1.7) + np.cos(n * n * 0.3)).reshape(40, 5), np.arange(40) * 7 % 11 % 5


def test_counts_by_hand() -> None:
    matrix = confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0], 4)
    assert matrix.tolist() == [[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0]]
    assert accuracy(matrix) == pytest.approx(4 / 6)
    assert mean_recall(matrix) == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)


def test_mean_recall_counts_classes_alike_and_accuracy_pictures() -> None:
    labels = np.array([0] * 90 + [1] * 10)
    matrix = confusion(np.zeros(100, dtype=int), labels, 2)
    assert accuracy(matrix) == 0.9 and mean_recall(matrix) == 0.5


def test_guessing_is_zero_over_chance() -> None:
    assert over_chance(1 / 13, 13) == pytest.approx(0) and over_chance(1, 13) == 1
    assert over_chance(0.5, 2) == 0 and over_chance(1.0, 1) == 0


def test_the_calibration_error_is_that_of_torchmetrics() -> None:
    """torchmetrics 1.9.0, multiclass_calibration_error(…, n_bins=15, norm="l1"), in single precision."""
    logits, labels = fixed()
    found = Evaluation.from_logits(logits, labels, NAMES).as_json()
    assert found["ece"] == pytest.approx(0.5581146478652954, abs=1e-6)
    assert found["accuracy"] == pytest.approx(np.mean(logits.argmax(1) == labels))


def test_a_confidence_at_the_edge_of_a_bin_is_in_the_lower_one() -> None:
    bins = reliability(np.array([0.0, 0.2, 0.21, 1.0]), np.array([False, True, True, True]), bins=5)
    assert [b["pictures"] for b in bins] == [2, 1, 1] and [b["to"] for b in bins] == [0.2, 0.4, 1.0]
    assert ece(bins) == pytest.approx((2 * 0.4 + 0.79) / 4)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_figures_agree_with_each_other(pairs: list[tuple[int, int]]) -> None:
    said, labels = np.array(pairs).T
    found = Evaluation.from_logits(np.eye(5)[said] * 4, labels, NAMES).as_json()
    table = found["table"]
    right = sum((row["recall"] or 0) * row["support"] for row in table)
    assert right / len(pairs) == pytest.approx(found["accuracy"])
    assert np.mean([row["recall"] for row in table if row["support"]]) == pytest.approx(found["mean_recall"])
    assert [row["precision"] is None for row in table] == [not (said == i).any() for i in range(5)]
    assert [row["recall"] is None for row in table] == [not (labels == i).any() for i in range(5)]
    assert 0 <= found["ece"] <= 1
    for name in ("accuracy", "mean_recall"):
        low, high = found["intervals"][name]
        assert 0 <= low <= high <= 1
    json.dumps(found, allow_nan=False)


def test_the_bootstrap_is_that_of_pictures_drawn_within_classes() -> None:
    """Against the plain way: draw pictures again and again, and count."""
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [60, 25, 15])
    said = np.where(rng.random(100) < 0.7, labels, (labels + 1) % 3)
    matrix = confusion(said, labels, 4)
    drawn = []
    for _ in range(1000):
        places = np.concatenate([rng.choice(np.flatnonzero(labels == c), (labels == c).sum()) for c in range(3)])
        again = confusion(said[places], labels[places], 4)
        drawn.append((accuracy(again), mean_recall(again)))
    wanted = np.quantile(drawn, [0.025, 0.975], axis=0)
    found = bootstrap(matrix, draws=20_000)
    assert found["accuracy"] == pytest.approx(wanted[:, 0], abs=0.02)
    assert found["mean_recall"] == pytest.approx(wanted[:, 1], abs=0.025)
    assert bootstrap(matrix) == bootstrap(matrix) != bootstrap(matrix, seed=1)


def test_intervals_cover_what_is_true() -> None:
    """Of 300 samples of a classifier that is right four times in five, about 95 % have .8 within their interval."""
    rng = np.random.default_rng(0)
    covered = 0
    for right in rng.binomial(100, 0.8, (300, 2)):
        matrix = np.array([[right[0], 100 - right[0]], [100 - right[1], right[1]]])
        low, high = bootstrap(matrix, draws=400)["mean_recall"]
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 300 <= 0.99


def test_s2rda_calls_it_otherwise() -> None:
    names = Evaluation.from_logits(*fixed(), NAMES).as_json()["names"]
    assert (
        "class precision" in names["mean_recall"] and "recall" in names["mean_recall"] and "Acc." in names["accuracy"]
    )


def test_pictures_without_a_label_do_not_count() -> None:
    logits, labels = fixed()
    some = np.where(np.arange(40) < 10, -1, labels)
    ours = Evaluation.from_logits(logits, some, NAMES).as_json()
    assert ours == Evaluation.from_logits(logits[10:], labels[10:], NAMES).as_json()


@pytest.mark.parametrize(
    ("logits", "labels", "words"),
    [
        (np.zeros((2, 5)), [-1, -1], "no picture has a label"),
        (np.zeros((2, 5)), [0, 5], "label 5, but there are 5 classes"),
        (np.array([[0.0] * 5, [np.nan] * 5]), [0, 1], "picture 1 has logits that are not finite"),
    ],
)
def test_bad_input(logits: np.ndarray, labels: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Evaluation.from_logits(logits, labels, NAMES)
