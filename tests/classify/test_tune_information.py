"""Tuning by what a classifier tells of photographs, on fabricated features where it is known what teaches."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from classify.tune.command import Asked
from classify.tune.command import decided as decided_by
from classify.tune.domains import Domains
from classify.tune.factors import Place, Table
from classify.tune.information import Influence, decide
from classify.tune.lesson import Lesson
from classify.tune.matching import tilted
from classify.tune.outcome import Outcome, as_json
from classify.tune.report import html, told
from classify.validators import information
from scenes.distributions import parse
from scenes.pieces import cut
from tests.classify.test_tune_matching import evidence_of

CLASSES = ("a", "b", "c")
PIECES = cut(parse({"uniform": [0, 1]}), 6)


def drawn(seed: int, count: int = 900) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Features, classes and factors (3, n) of renders. They show their class by one sign in the lower half of the first
    factor, and by another one in the upper half. The other two factors teach nothing, but one of them shows."""
    rng = np.random.default_rng(seed)
    labels, u = rng.integers(3, size=count), rng.random((3, count))
    features, signs = rng.normal(size=(count, 9)), np.eye(3)[labels] * 2
    features[:, :3] += signs * (u[0] < 0.5)[:, None]
    features[:, 3:6] += signs * (u[0] >= 0.5)[:, None]
    features[:, 6] += 4 * u[1]
    return features, labels, u


def photographed(count: int, seed: int = 99) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features of photographs, which have the second sign alone, and their classes, which tuning does not see."""
    rng = np.random.default_rng(seed)
    truth, features = rng.integers(3, size=count), rng.normal(size=(count, 9))
    features[:, 3:6] += np.eye(3)[truth] * 2
    return features, truth


def world(seed: int, renders: int = 900, photos: int = 600) -> tuple[Lesson, Table]:
    features, labels, u = drawn(seed, renders)
    places = tuple(Place(name, CLASSES, "", PIECES) for name in ("teaches", "shows", "idle"))
    pieces = np.array([[PIECES.at(x) for x in row] for row in u], np.int16)
    return Lesson.of(features, labels, photographed(photos, seed + 50)[0], 3), Table(places, pieces)


@cache
def decided(seed: int = 0) -> Outcome:
    lesson, table = world(seed)
    return decide(lesson, np.arange(len(lesson.photos)) % 2 == 0, table, 0.3, 0.3)


def test_what_teaches_moves_and_nothing_else() -> None:
    outcome = decided()
    assert [one.place.name for one in outcome.moved] == ["teaches"]
    (moved,) = outcome.moved
    assert 0.6 < moved.after[3:].sum() <= 0.85 and (moved.after >= 0.3 / 6 - 1e-9).all()
    assert moved.worth.sure and outcome.worth is not None and outcome.worth.sure
    assert "missing information 0." in moved.comment()[-1]
    assert as_json(outcome, CLASSES)["moved"][0]["factor"] == "teaches"


def test_the_report_names_what_was_measured() -> None:
    _, table = world(0)
    features, labels, _ = drawn(0)
    photos = photographed(600, 50)[0]
    half, beliefs = np.arange(600) % 2 == 1, np.full((600, 3), 1 / 3)
    learned, held = (Domains(features, labels, photos[part], beliefs[part]) for part in (half, ~half))
    evidence = replace(evidence_of(learned, held, table), held=~half, features=(features, photos))
    outcome = decided_by(evidence, Asked("photos", by="information"))
    assert [one.place.name for one in outcome.moved] == ["teaches"]
    assert outcome.weights == pytest.approx(decided().weights)
    assert any("photographs held back: missing information 0." in line for line in told(outcome, evidence))
    page = html(outcome, evidence, "base")
    assert "A linear classifier learns from the renders." in page and "change of the missing information" in page
    still = replace(outcome, moved=(), worth=None)
    assert "nothing moved: no factor surely lets a classifier tell more of the photographs" in told(still, evidence)


def test_a_classifier_of_the_tuned_renders_names_photographs_better() -> None:
    gained = []
    for seed in range(3):
        features, labels, _ = drawn(seed)
        photos, truth = photographed(2000)
        lesson = Lesson.of(features, labels, photos, 3)
        weights = (np.ones(len(labels)), decided(seed).weights)
        before, after = (((lesson.photos @ lesson.learned(each).T).argmax(1) == truth).mean() for each in weights)
        gained.append(after - before)
    assert np.mean(gained) > 0.01


def test_of_many_photographs_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.tune.information.MOST_PHOTOS", 100)
    lesson, table = world(0)
    looked, influence = list[int](), Lesson.influence

    def watched(self: Lesson, *given: NDArray[np.float64]) -> NDArray[np.float64]:
        looked.append(len(self.photos))
        return influence(self, *given)

    monkeypatch.setattr(Lesson, "influence", watched)
    outcome = decide(lesson, np.arange(600) % 2 == 0, table, 0.3, 0.3)
    assert looked == [100, 100] and [one.place.name for one in outcome.moved] == ["teaches"]


def test_pieces_without_effect_seldom_move() -> None:
    """Of 24 places that teach nothing, at p 0.05 after a correction for each world's candidates."""
    moved = []
    for seed in range(8):
        lesson, table = world(seed, 300, 200)
        rng = np.random.default_rng(100 + seed)
        noise = Table(table.places, np.array([rng.permutation(row) for row in table.pieces]))
        moved += decide(lesson, np.arange(200) % 2 == 0, noise, 0.3, 0.3).moved
    assert len(moved) <= 1


def test_the_influence_is_the_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson, _ = world(1, 120, 40)
    weights = lesson.balanced(np.ones(120))
    monkeypatch.setattr(Lesson, "balanced", lambda self, weights: weights)  # each weight alone, without the balance
    influence = lesson.influence(lesson.learned(weights), weights).mean(axis=1)
    for place in (0, 7, 50):
        step = np.eye(120)[place] * 0.01
        ends = [lesson.missing(lesson.learned(weights + sign * step)).mean() for sign in (1, -1)]
        assert influence[place] == pytest.approx((ends[0] - ends[1]) / 0.02, rel=1e-3)


def test_what_is_missing_is_the_rest_of_the_validators_information() -> None:
    """Also where a class has no render, which then counts nowhere."""
    lesson, _ = world(2, 120, 40)
    given = Lesson(lesson.renders, np.where(lesson.labels == 1, 2, lesson.labels), lesson.photos, 4)
    head = given.learned(np.ones(120))
    logits = torch.from_numpy(given.photos @ head[[0, 2]].T)
    assert given.missing(head).mean() == pytest.approx(np.log(2) - information(logits))
    known = LogisticRegression(C=0.05, max_iter=1000, tol=1e-6, class_weight="balanced")
    known.fit(given.renders[:, :-1], given.labels)
    chances = known.predict_proba(given.photos[:, :-1])
    np.testing.assert_allclose(torch.softmax(logits, 1).numpy(), chances, atol=2e-3)


def test_a_place_moves_weight_between_its_own_renders_alone() -> None:
    lesson, table = world(3, 300, 100)
    influence = Influence.of(lesson, lesson.learned(np.ones(300)))
    rows = np.where(np.arange(300) % 3, table.pieces[0], -1).astype(np.int16)
    values = influence.centered(np.arange(300.0), rows)
    assert not values[rows < 0].any()
    for label in range(3):
        assert values[(rows >= 0) & (lesson.labels == label)].sum() == pytest.approx(0, abs=1e-9)
    ratio = influence.ratio(rows, PIECES)
    assert ratio.min() >= 0 and PIECES.shares @ ratio == pytest.approx(1)
    assert (tilted(rows, ratio)[rows < 0] == 1).all()
