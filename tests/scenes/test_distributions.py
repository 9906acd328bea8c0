"""Distributions: quantile functions within their support, and their YAML forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scenes.distributions import Choice, Uniform, parse, whole

UNIT = st.floats(0, 1, exclude_max=True)
NUMBER = st.floats(-1e6, 1e6)


@st.composite
def forms(draw: st.DrawFn, depth: int = 2) -> object:
    kinds = ["fixed", "uniform", "log_uniform", "normal", "choice"] + (["mixture"] if depth else [])
    kind = draw(st.sampled_from(kinds))
    low = draw(st.floats(0.01, 100))
    high = low + draw(st.floats(0.1, 100))
    if kind == "fixed":
        return low
    if kind == "normal":
        return {"normal": {"mean": (low + high) / 2, "std": high - low, "low": low, "high": high}}
    if kind == "choice":
        return {"choice": draw(st.lists(NUMBER, min_size=1, max_size=5))}
    if kind == "mixture":
        share = draw(st.floats(0, 1))
        return {
            "mixture": [
                {"weight": share, "of": draw(forms(depth - 1))},
                {"weight": 1 - share, "of": draw(forms(depth - 1))},
            ]
        }
    return {kind: [low, high]}


@given(forms(), UNIT)
def test_values_lie_within_the_support(form: object, u: float) -> None:
    distribution = parse(form)
    support = distribution.support()
    assert min(support) - 1e-9 <= distribution.at(u) <= max(support) + 1e-9


@given(forms(), UNIT)
def test_the_written_form_means_the_same(form: object, u: float) -> None:
    distribution = parse(form)
    assert parse(distribution.plain()).at(u) == pytest.approx(distribution.at(u), rel=1e-12)


def test_normal_is_the_truncated_normal_of_scipy() -> None:
    ours = parse({"normal": {"mean": 1.0, "std": 2.0, "low": 0.0, "high": 2.5}})
    theirs = stats.truncnorm(-0.5, 0.75, loc=1.0, scale=2.0)
    for u in np.linspace(0.01, 0.99, 21):
        assert ours.at(u) == pytest.approx(theirs.ppf(u), abs=1e-9)


def test_sine_uniform_is_even_over_the_sphere() -> None:
    elevation = parse({"sine_uniform": [-90, 90]})
    heights = np.sin(np.radians([elevation.at(u) for u in (np.arange(1000) + 0.5) / 1000]))
    assert np.allclose(heights, np.linspace(-1, 1, 2001)[1::2], atol=1e-9)


def test_weights_are_shares_of_the_quantile() -> None:
    choice = parse({"choice": {"a": 0.25, "b": 0.0, "c": 0.75}})
    drawn = [choice.at(u) for u in (np.arange(1000) + 0.5) / 1000]
    assert (drawn.count("a"), drawn.count("b"), drawn.count("c")) == (250, 0, 750)


def test_whole_numbers_cover_both_ends_evenly() -> None:
    drawn = [whole(Uniform(1, 4), u) for u in (np.arange(4000) + 0.5) / 4000]
    assert [drawn.count(k) for k in (1, 2, 3, 4)] == [1000] * 4


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"uniform": [2, 1]}, "empty"),
        ({"uniform": [1, 1]}, "empty"),
        ({"uniform": [1]}, "two numbers"),
        ({"uniform": 3}, "two numbers"),
        ({"unifrom": [1, 2]}, "did you mean 'uniform'"),
        ({"log_uniform": [0, 1]}, "positive"),
        ({"choice": []}, "nothing to choose"),
        ({"choice": {"a": 0.5, "b": 0.4}}, "sum to 0.9"),
        ({"choice": {"a": 1.5, "b": -0.5}}, "negative"),
        ({"normal": {"mean": 0, "std": 0, "low": -1, "high": 1}}, "positive std"),
        ({"normal": {"mean": 0, "std": 1, "low": 50, "high": 51}}, "almost no probability"),
        ({"mixture": [{"weight": 1}]}, "weight"),
        ({"uniform": [0, 1], "choice": [1]}, "one key"),
        ([1, 2], "three numbers"),
        (math.inf, "finite"),
        (None, "neither"),
    ],
)
def test_what_is_wrong_is_said(form: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(form)


def test_number_keys_survive_the_written_form() -> None:
    assert parse(Choice((1.0, 2.0), (0.3, 0.7)).plain()).at(0.5) == 2.0
