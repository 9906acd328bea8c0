"""Distributions in pieces: all of the distribution, and with other shares one that configs accept."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenes.config.loading import load_config
from scenes.distributions import Distribution, Whole, parse
from scenes.pieces import cut, piece_text

TURNED = {
    "mixture": [
        {"weight": 0.35, "of": {"normal": {"mean": 0, "std": 6, "low": -20, "high": 20}}},
        {"weight": 0.65, "of": {"uniform": [-180, 180]}},
    ]
}


@pytest.mark.parametrize(
    "body",
    [
        {"uniform": [0, 60]},
        {"log_uniform": [0.001, 0.02]},
        {"sine_uniform": [0, 40]},
        {"normal": {"mean": 0.2, "std": 0.4, "low": -0.6, "high": 1.2}},
        {"choice": [0, 0, 0, 1]},
        TURNED,
    ],
)
def test_pieces_with_their_own_shares_are_the_distribution(body: Any) -> None:
    distribution = parse(body)
    pieces = cut(distribution, 6)
    assert pieces.shares.sum() == pytest.approx(1)
    again = pieces.weighted(pieces.shares.tolist())
    quantiles = (np.arange(4000) + 0.5) / 4000
    ours, theirs = (sorted(each.at(u) for u in quantiles) for each in (again, distribution))
    spread = theirs[-1] - theirs[0]
    np.testing.assert_allclose(ours, theirs, atol=0.02 * spread)


def test_a_quantile_falls_into_the_piece_that_holds_its_value() -> None:
    for body in ({"uniform": [0, 60]}, {"choice": [0, 0, 0, 1]}, TURNED):
        distribution = parse(body)
        pieces = cut(distribution, 6)
        for u in np.linspace(0, 0.999, 57):
            low, high = (f(pieces.pieces[pieces.at(u)].of.support()) for f in (min, max))
            assert low - 1e-3 <= distribution.at(u) <= high + 1e-3


def test_equal_values_are_one_piece_and_each_name_has_its_own() -> None:
    counted = cut(parse({"choice": [0, 0, 0, 1]}), 8)
    assert (counted.middles, counted.shares.tolist()) == ((0, 1), [0.75, 0.25])
    named = cut(parse({"choice": {"a": 0.7, "b": 0.3, "never": 0}}), 8)
    assert (named.middles, named.of_value("b"), named.numeric) == (("a", "b"), 1, False)
    assert named.weighted([0.25, 0.75]).plain() == {"choice": {"a": 0.25, "b": 0.75}}


def test_whole_numbers_stay_whole() -> None:
    pieces = cut(Whole(parse({"uniform": [0, 3]})), 8)
    assert pieces.middles == (0, 1, 2, 3)
    assert load_config("smoke", {"objects.clutter.count": pieces.weighted([0.7, 0.1, 0.1, 0.1]).plain()})


@pytest.mark.parametrize(
    "body",
    [
        {"uniform": [60, 95]},
        {"normal": {"mean": 80, "std": 9, "low": 60, "high": 95}},
        {"mixture": [{"weight": 0.2, "of": 99}, {"weight": 0.8, "of": {"uniform": [60, 95]}}]},
    ],
)
def test_ranges_of_many_whole_numbers_end_at_whole_numbers(body: Any) -> None:
    pieces = cut(Whole(parse(body)), 8)
    assert len(pieces) >= 7 and pieces.shares.sum() == pytest.approx(1)
    tuned = load_config("smoke", {"sensor.jpeg": pieces.weighted(pieces.shares.tolist()).plain()}).plain()["sensor"]
    quantiles = (np.arange(2000) + 0.5) / 2000
    ours, theirs = (sorted(Whole(parse(each)).at(u) for u in quantiles) for each in (tuned["jpeg"], body))
    np.testing.assert_allclose(ours, theirs, atol=1)


@pytest.mark.parametrize(
    "body", [{"uniform": [0, 60]}, {"choice": [0, 0, 2, 1]}, TURNED, {"choice": {"a": 0.7, "b": 0.3}}]
)
def test_moved_pieces_are_those_of_what_is_drawn(body: Any) -> None:
    pieces = cut(parse(body), 6)
    shares = np.linspace(1, 3, len(pieces)) * (np.arange(len(pieces)) != 1)
    moved = pieces.moved((shares / shares.sum()).tolist())
    assert moved.whole == pieces.weighted((shares / shares.sum()).tolist()) and len(moved) == len(pieces)
    np.testing.assert_allclose(moved.shares, shares / shares.sum(), atol=1e-4)
    for u in np.linspace(0, 0.999, 97):
        piece, value = moved.pieces[moved.at(u)], moved.whole.at(u)
        if isinstance(value, str):
            assert piece.of.value == value  # type: ignore[union-attr]
        else:
            assert min(piece.of.support()) - 1e-9 <= value <= max(piece.of.support()) + 1e-9


def test_neighbors_are_ranges_that_touch() -> None:
    assert cut(parse({"uniform": [0, 3]}), 3).neighbors == [(0, 1), (1, 2)]
    assert cut(parse({"choice": [1, 2, 3]}), 3).neighbors == []
    assert cut(parse(TURNED), 6).neighbors == [(0, 1), (2, 3), (3, 4), (4, 5)]


def test_shares_are_rounded_to_a_sum_that_configs_accept() -> None:
    rng = np.random.default_rng(0)
    pieces = cut(parse({"uniform": [0, 1]}), 7)
    for _ in range(20):
        made: Distribution = pieces.weighted(rng.dirichlet(np.ones(7)).tolist())
        assert parse(made.plain()) == made


def test_pieces_are_told_by_their_value_or_range() -> None:
    assert [piece_text(piece) for piece in cut(parse({"uniform": [0, 60]}), 2).pieces] == ["0 to 30", "30 to 60"]
    assert [piece_text(piece) for piece in cut(parse({"choice": [True, False]}), 2).pieces] == ["True", "False"]
