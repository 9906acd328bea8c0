"""Tuning on fabricated features, where it is known what moved."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.domain_distance import SCALES, squared_distances
from classify.tune.domains import Domains, Kernel
from classify.tune.evidence import Evidence
from classify.tune.factors import Place, Table
from classify.tune.inputs import Pilot
from classify.tune.matching import Match, bounded, effective, gains, ratio_of, together
from classify.tune.outcome import Outcome, as_json, decide
from classify.tune.report import html, told
from render.renderer import Sampler
from scenes.distributions import parse
from scenes.pieces import cut

CLASSES = ("a", "b", "c")
PIECES = cut(parse({"uniform": [0, 1]}), 6)


def world(seed: int, renders: int = 900, photos: int = 800) -> tuple[Domains, Domains, Table, NDArray[np.float64]]:
    """Renders, and photographs of which four of five have the first factor in its upper third.

    The first factor shows and moved, the second shows and did not, the third does not show. There is a gap between the
    domains that no factor explains. Returned are the domains to learn from and to judge by, the table, and the true
    ratio of the first factor.
    """
    rng = np.random.default_rng(seed)

    def drawn(count: int, moved: bool) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        labels, u = rng.integers(3, size=count), rng.random((3, count))
        if moved:
            u[0] = np.where(rng.random(count) < 0.8, (2 + u[0]) / 3, u[0])
        features = rng.normal(size=(count, 8))
        features[:, 0] += 3 * labels
        features[:, 1] += 4 * u[0]
        features[:, 2] += 3 * u[1]
        features[:, 3] += 1.5 * moved
        return labels, u, features

    labels, u, ours = drawn(renders, False)
    theirs_labels, theirs_u, theirs = drawn(photos, True)
    kernel = Kernel.between(ours, theirs)
    vectors, there = kernel.vectors(ours), kernel.vectors(theirs)
    beliefs = 0.9 * np.eye(3)[theirs_labels] + 0.1 / 3
    half = np.arange(photos) < photos // 2
    learned, held = (Domains(vectors, labels, there[part], beliefs[part]) for part in (half, ~half))
    places = tuple(Place(name, CLASSES, "", PIECES) for name in ("moved", "still", "idle"))
    pieces = np.array([[PIECES.at(x) for x in row] for row in u], np.int16)
    truth = np.bincount([PIECES.at(x) for x in theirs_u[0]], minlength=6) / photos * 6
    return learned, held, Table(places, pieces), truth


def test_the_factor_that_moved_is_found_and_the_others_stay() -> None:
    *_, outcome = decided()
    assert [one.place.name for one in outcome.moved] == ["moved"]
    (moved,) = outcome.moved
    upper = float(moved.after[4:].sum())
    assert 0.5 < upper <= 0.3 / 3 + 0.7  # of the true 0.87, with the floor in it
    assert moved.means() is not None and moved.means()[1] > 0.6  # type: ignore[index]
    assert outcome.worth is not None and outcome.worth.sure
    assert (moved.low <= moved.after + 0.02).all() and (moved.after <= moved.high + 0.02).all()
    found = as_json(outcome, CLASSES)
    assert found["moved"][0]["factor"] == "moved" and set(found["effective"]) == set(CLASSES)


@cache
def decided() -> tuple[Domains, Domains, Table, Outcome]:
    """The world of seed 0, and what tuning makes of it."""
    learned, held, table, _ = world(0)
    return learned, held, table, decide(learned, held, table, 0.3, 0.3)


class Gray:
    """Pictures that are all the same."""

    name = digest = "gray"
    classes = CLASSES

    def __init__(self, labels: NDArray[np.int64]):
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        return np.full((6, 8, 3), 128, np.uint8)

    def where(self, i: int) -> str:
        return f"gray {i}"

    def key(self, i: int) -> str:
        return str(i)


def evidence_of(learned: Domains, held: Domains, table: Table, classes: tuple[str, ...] = CLASSES) -> Evidence:
    """Evidence for a report: all pictures are gray."""
    labels = np.full(len(learned.photos) + len(held.photos), -1, np.int64)
    return Evidence(
        classes=classes,
        pilot=Pilot(Gray(learned.labels), np.arange(len(learned.labels)), 0, cast(Sampler, None)),
        photographs=Gray(labels),
        beliefs=np.concatenate([learned.beliefs, held.beliefs]),
        held=np.arange(len(labels)) >= len(learned.photos),
        kernel=cast(Kernel, None),
        learned=learned,
        judging=held,
        table=table,
        sight="fabricated",
        left_out=0,
        features=(np.zeros((len(learned.labels), 1), np.float32), np.zeros((len(labels), 1), np.float32)),
    )


def test_the_report_tells_what_moved_and_what_did_not() -> None:
    learned, held, table, outcome = decided()
    evidence = evidence_of(learned, held, table)
    lines = told(outcome, evidence)
    assert "moved: 1 of 3 distributions" in lines and "800 photographs of which 400 are held back" in lines[0]
    page = html(outcome, evidence, "base")
    for text in ("base, tuned", "<td>moved</td>", "<td>still</td>", "<td>idle</td>", "effective renders"):
        assert text in page
    nothing = replace(outcome, moved=(), worth=None, weights=np.ones(900))
    assert any(line.startswith("nothing moved") for line in told(nothing, evidence))
    assert "<p>Nothing.</p>" in html(nothing, evidence, "base")


def test_nothing_moves_where_photographs_are_like_renders() -> None:
    learned, _, table, _ = world(1)
    rng = np.random.default_rng(0)
    same = rng.random(len(learned.renders)) < 0.5
    photos, labels = learned.renders[~same], learned.labels[~same]
    half = np.arange(len(photos)) % 2 == 0
    renders = learned.part(same, np.ones(len(learned.photos), bool))
    ours, theirs = (replace(renders, photos=photos[part], beliefs=np.eye(3)[labels[part]]) for part in (half, ~half))
    outcome = decide(ours, theirs, table.of(same), 0.3, 0.3)
    assert outcome.moved == () and (outcome.weights == 1).all()
    assert len(outcome.stayed) + len(outcome.refused) == 3


def test_a_factor_without_effect_is_seldom_a_candidate() -> None:
    chance = [gain.p for seed in range(6) for gain in gains(*_quick(seed), 0.3)[1:]]
    assert sum(p < 0.05 for p in chance) <= 2


def _quick(seed: int) -> tuple[Domains, Table]:
    learned, _, table, _ = world(seed, 300, 240)
    return learned, table


def test_ratios_follow_the_truth() -> None:
    learned, _, table, truth = world(2, 1200, 1600)
    ratio = ratio_of(learned, np.ones(len(learned.renders)), table.pieces[0], PIECES)
    assert PIECES.shares @ ratio == pytest.approx(1)
    assert ratio.min() >= 0
    assert np.corrcoef(ratio, truth)[0, 1] > 0.85
    idle = ratio_of(learned, np.ones(len(learned.renders)), table.pieces[2], PIECES)
    assert np.abs(idle - 1).max() < np.abs(ratio - 1).max()


def test_renders_that_a_place_does_not_touch_keep_their_weight() -> None:
    learned, _, table, _ = world(3, 300, 200)
    pieces = np.where(learned.labels == 1, table.pieces[0], -1).astype(np.int16)
    match = together(learned, Table(table.places[:1], pieces[None]), [0], 0.3)
    weights = match.weights(Table(table.places[:1], pieces[None]))
    assert (weights[learned.labels != 1] == 1).all() and (weights[learned.labels == 1] != 1).any()
    nowhere = np.full(len(pieces), -1, np.int16)
    assert (ratio_of(learned, np.ones(len(pieces)), nowhere, PIECES) == 1).all()


def test_a_part_of_each_distribution_stays_and_renders_enough_count() -> None:
    _, _, table, _ = world(4, 300, 100)
    labels = np.zeros(300, np.int64)
    ratio = np.array([0, 0, 0, 0, 0, 6.0])
    match = Match((0,), (ratio,), 0.3)
    assert match.tilts()[0].tolist() == pytest.approx([0.3] * 5 + [4.5])
    free = effective(match.weights(table), labels)[0]
    held = bounded(match, table, labels, 0.6)
    assert free < 0.6 <= effective(held.weights(table), labels)[0] < 0.62
    assert held.strength < 1 and bounded(match, table, labels, 0.1) == match


def test_the_distance_is_that_of_the_kernel() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(60, 5)), rng.normal(size=(50, 5)) + 0.5
    kernel = Kernel.between(ours, theirs)
    vectors, there = kernel.vectors(ours), kernel.vectors(theirs)
    domains = Domains(vectors, np.zeros(60, np.int64), there, np.ones((50, 1)))
    weights = rng.random(60) + 0.5
    inner, outer, across = vectors @ vectors.T, there @ there.T, vectors @ there.T
    pairs = np.outer(weights, weights)
    np.fill_diagonal(pairs, 0)
    within = (pairs * inner).sum() / pairs.sum()
    own = (outer.sum() - np.trace(outer)) / (50 * 49)
    expected = within + own - 2 * (weights @ across).mean() / weights.sum()
    assert domains.distance(weights) == pytest.approx(expected)
    width = np.median(squared_distances(*[np.concatenate([ours, theirs])] * 2)[np.triu_indices(110, 1)])
    exact = np.mean([np.exp(squared_distances(ours, theirs) / (-scale * width)) for scale in SCALES], axis=0)
    assert np.abs(across - exact).max() < 0.25 and abs((across - exact).mean()) < 0.02


def test_a_class_without_photographs_is_not_matched() -> None:
    learned, _, _, _ = world(5, 300, 200)
    beliefs = learned.beliefs.copy()
    beliefs[:, 2] = 0.001
    assert list(replace(learned, beliefs=beliefs).groups) == [0, 1]
