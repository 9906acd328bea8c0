"""Every distribution against its analytic quantiles and its analytic cumulative distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from scipy import stats

from scenes.annotations import elevations, flags, names, numbers
from scenes.distributions import (
    Choice,
    Distribution,
    Fixed,
    LogUniform,
    Mixture,
    Normal,
    SineUniform,
    Uniform,
    Whole,
    parse,
    whole,
)

GRID = (np.arange(2000) + 0.5) / 2000
# Each with its cumulative distribution, by another way than the code's.
FORMS: dict[str, tuple[Any, Callable[[np.ndarray], np.ndarray]]] = {
    "uniform": ({"uniform": [-2, 6]}, stats.uniform(-2, 8).cdf),
    "uniform, high": ({"uniform": [100, 101]}, stats.uniform(100, 1).cdf),
    "log_uniform": ({"log_uniform": [0.5, 32]}, stats.loguniform(0.5, 32).cdf),
    "log_uniform, below one": ({"log_uniform": [0.001, 0.1]}, stats.loguniform(0.001, 0.1).cdf),
    "sine_uniform": ({"sine_uniform": [-30, 90]}, lambda x: (np.sin(np.radians(x)) + 0.5) / 1.5),
    "normal": (
        {"normal": {"mean": 3, "std": 2, "low": 0, "high": 9}},
        stats.truncnorm(-1.5, 3.0, loc=3, scale=2).cdf,
    ),
    "normal, its mean outside": (
        {"normal": {"mean": -1, "std": 0.5, "low": 0, "high": 1}},
        stats.truncnorm(2.0, 4.0, loc=-1, scale=0.5).cdf,
    ),
    "mixture": (
        {"mixture": [{"weight": 0.2, "of": {"uniform": [0, 1]}}, {"weight": 0.8, "of": {"log_uniform": [1, 100]}}]},
        lambda x: 0.2 * stats.uniform(0, 1).cdf(x) + 0.8 * stats.loguniform(1, 100).cdf(x),
    ),
    "mixture of mixtures": (
        {
            "mixture": [
                {"weight": 0.3, "of": {"mixture": [{"weight": 0.5, "of": {"uniform": [0, 2]}},
                                                   {"weight": 0.5, "of": {"uniform": [2, 3]}}]}},
                {"weight": 0.0, "of": 77},
                {"weight": 0.7, "of": {"uniform": [5, 6]}},
            ]
        },
        lambda x: 0.15 * stats.uniform(0, 2).cdf(x) + 0.15 * stats.uniform(2, 1).cdf(x)
        + 0.7 * stats.uniform(5, 1).cdf(x),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_the_cumulative_distribution_undoes_the_quantile(name: str) -> None:
    form, cdf = FORMS[name]
    drawn = np.array([parse(form).at(float(u)) for u in GRID])
    assert cdf(drawn) == pytest.approx(GRID, abs=1e-9)
    assert (np.diff(drawn) > 0).all()


@pytest.mark.parametrize("name", FORMS)
def test_random_draws_follow_the_cumulative_distribution(name: str) -> None:
    form, cdf = FORMS[name]
    drawn = np.array([parse(form).at(u) for u in np.random.default_rng(3).random(4000)])
    assert stats.kstest(drawn, cdf).pvalue > 0.01


def test_quantiles_by_hand() -> None:
    assert [Uniform(2, 10).at(u) for u in (0, 0.25, 0.5)] == [2, 4, 6]
    assert [LogUniform(1, 10000).at(u) for u in (0, 0.25, 0.5)] == pytest.approx([1, 10, 100])
    assert [SineUniform(0, 90).at(u) for u in (0, 0.5, 1)] == pytest.approx([0, 30, 90])
    assert Normal(-50, 50, 1, 2).at(stats.norm.cdf(1.5)) == pytest.approx(1 + 2 * 1.5)
    assert [Choice(("a", "b"), (0.25, 0.75)).at(u) for u in (0, 0.2499, 0.25, 0.99)] == ["a", "a", "b", "b"]
    mixed = Mixture((Uniform(0, 1), Uniform(10, 20)), (0.5, 0.5))
    assert [mixed.at(u) for u in (0, 0.25, 0.5, 0.75)] == pytest.approx([0, 0.5, 10, 15])
    assert Fixed("x").at(0.7) == "x"


def test_the_last_quantile_stays_inside() -> None:
    """A number just below one must not reach an entry without weight, or a value beyond the support."""
    last = math.nextafter(1, 0)
    assert Choice(("a", "b", "c"), (0.5, 0.5, 0.0)).at(last) == "b"
    # These sum to a little less than one.
    assert Choice(tuple(range(10)), (0.1,) * 10).at(last) == 9
    assert Mixture((Uniform(0, 1), Uniform(2, 3)), (0.3, 0.7)).at(last) <= 3
    assert Normal(0, 1, 0.5, 0.1).at(last) <= 1 and Normal(0, 1, 0.5, 0.1).at(0) >= 0
    assert SineUniform(-90, 90).at(1.0) == 90 and SineUniform(-90, 90).at(0.0) == -90
    # So wide that the cumulative distribution is 0 and 1 at the ends.
    wide = Normal(-1e9, 1e9, 0, 1)
    assert wide.at(0) == pytest.approx(stats.norm.ppf(1e-15), rel=1e-3)
    assert wide.at(last) == pytest.approx(-stats.norm.ppf(1e-15), rel=0.02)


def test_whole_numbers_are_even_over_the_range_and_rounded_elsewhere() -> None:
    assert [whole(Uniform(0, 2), u) for u in (0, 0.333, 0.334, 0.666, 0.667, 0.999, 1)] == [0, 0, 1, 1, 2, 2, 2]
    assert whole(Fixed(3), 0.9) == 3
    assert [whole(LogUniform(1, 100), u) for u in (0, 0.5, 0.99)] == [1, 10, 95]


@pytest.mark.parametrize("kind", [Uniform, LogUniform, SineUniform])
def test_intervals_have_a_width(kind: Callable[[float, float], Distribution]) -> None:
    assert kind(1, 1.001).support() == [1, 1.001]
    for low, high in ((2, 2), (3, 2)):
        with pytest.raises(ValueError, match="empty"):
            kind(low, high)


def test_what_is_at_the_limit_is_accepted_and_what_is_beyond_is_not() -> None:
    assert LogUniform(1e-9, 1).at(0) == 1e-9
    for low, words in ((0.0, "positive"), (-1.0, "positive")):
        with pytest.raises(ValueError, match=words):
            LogUniform(low, 1)
    SineUniform(-90, 90)
    for low, high in ((-90.1, 0), (0, 90.1)):
        with pytest.raises(ValueError, match="elevations lie in"):
            SineUniform(low, high)
    for std in (0.0, -1.0):
        with pytest.raises(ValueError, match="positive std"):
            Normal(0, 1, 0, std)
    with pytest.raises(ValueError, match="empty"):
        Normal(1, 0, 0.5, 1)
    # Four parts in ten billion lie in the first range, four in a billion in the second.
    with pytest.raises(ValueError, match="almost no probability"):
        Normal(-100, stats.norm.ppf(4e-10), 0, 1)
    assert Normal(-100, stats.norm.ppf(4e-9), 0, 1).at(0.5) < -5.7


@pytest.mark.parametrize(
    ("weights", "words"),
    [((), "nothing to choose"), ((0.5, 0.6), "sum to 1.1"), ((0.5, 0.499), "sum to 0.999"), ((1.1, -0.1), "negative"),
     ((0.5, 0.5 + 1.2e-6), "sum to 1"), ((0.5, 0.5 - 1.2e-6), "sum to 1")],
)  # fmt: skip
def test_weights_sum_to_one(weights: tuple[float, ...], words: str) -> None:
    for make in (lambda: Choice(("a",) * len(weights), weights), lambda: Mixture((Fixed(1),) * len(weights), weights)):
        with pytest.raises(ValueError, match=words):
            make()


def test_rounded_weights_are_accepted() -> None:
    assert Choice(("a", "b"), (0.5, 0.5 + 8e-7)).at(0.5) == "b"
    assert Choice(("a", "b"), (0.0, 1.0)).at(0.0) == "b"


@pytest.mark.parametrize(
    ("form", "plain"),
    [
        (2, 2), ("x", "x"), (True, True), ([1, 2, 3], [1, 2, 3]),
        ({"uniform": [1, 2]}, {"uniform": [1, 2]}),
        ({"log_uniform": (1, 2)}, {"log_uniform": [1, 2]}),
        ({"sine_uniform": [1, 2]}, {"sine_uniform": [1, 2]}),
        ({"normal": {"mean": 0, "std": 1, "low": -1, "high": 2}},
         {"normal": {"mean": 0, "std": 1, "low": -1, "high": 2}}),
        ({"choice": ["a", "b"]}, {"choice": {"a": 0.5, "b": 0.5}}),
        ({"choice": {"a": 0.25, "b": 0.75}}, {"choice": {"a": 0.25, "b": 0.75}}),
        ({"choice": ["a", 1]}, {"mixture": [{"weight": 0.5, "of": "a"}, {"weight": 0.5, "of": 1}]}),
        ({"choice": [1, 2, 3, 4]}, {"mixture": [{"weight": 0.25, "of": k} for k in (1, 2, 3, 4)]}),
        ({"mixture": [{"weight": 1, "of": 3}]}, {"mixture": [{"weight": 1, "of": 3}]}),
    ],
)  # fmt: skip
def test_written_forms(form: Any, plain: Any) -> None:
    assert parse(form).plain() == plain
    assert parse(parse(form)) == parse(form)


@pytest.mark.parametrize(
    ("form", "support"),
    [({"uniform": [1, 2]}, [1, 2]), ({"normal": {"mean": 0, "std": 1, "low": -1, "high": 2}}, [-1, 2]),
     ({"choice": ["a", "b"]}, ["a", "b"]), (7, [7]),
     ({"mixture": [{"weight": 0.5, "of": 9}, {"weight": 0.5, "of": {"log_uniform": [1, 2]}}]}, [9, 1, 2])],
)  # fmt: skip
def test_supports(form: Any, support: list[Any]) -> None:
    assert parse(form).support() == support


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"uniform": [1, 2, 3]}, "two numbers"), ({"uniform": "ab"}, "two numbers"),
        ({"uniform": [1, True]}, "not a finite number"), ({"uniform": [1, "2"]}, "not a finite number"),
        ({"uniform": [1, math.nan]}, "not a finite number"), ({"choice": "abc"}, "takes a list"),
        ({"normal": {"mean": 0, "std": 1, "low": -1}}, "normal takes"), ({"normal": [0, 1]}, "normal takes"),
        ({"mixture": []}, "mixture takes"), ({"mixture": {"weight": 1, "of": 2}}, "mixture takes"),
        ({"mixture": [{"weight": 1, "of": 2}, 3]}, "mixture takes"), ({}, "this has 0"),
        ((1, 2, 3, 4), "three numbers"),
        ((1, 2, "3"), "not a finite number"), ({"choice": {"a": "much"}}, "not a finite number"),
    ],
)  # fmt: skip
def test_malformed_forms_are_named(form: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(form)


class Fields(BaseModel):
    """One field of each kind of check."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    count: Annotated[Any, numbers(1, 5, whole=True, unit="")] = Fixed(1)
    length: Annotated[Any, numbers(0.5, 2.0, unit="m")] = Fixed(1)
    free: Annotated[Any, numbers(unit="")] = Fixed(1)
    height: Annotated[Any, elevations()] = Fixed(0)
    one: Annotated[Any, names("a", "b")] = Fixed("a")
    any_name: Annotated[Any, names()] = Fixed("a")
    flag: Annotated[Any, flags()] = Fixed(False)


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", 1), ("count", 5), ("count", {"uniform": [1, 5]}), ("length", 0.5), ("length", {"uniform": [0.5, 2]}),
     ("free", -1e300), ("height", -90), ("height", 90), ("one", "b"), ("any_name", "z"), ("flag", True),
     ("flag", {"choice": [True, False]})],
)  # fmt: skip
def test_fields_take_what_is_within(field: str, value: Any) -> None:
    wanted = Whole(parse(value)) if value == {"uniform": [1, 5]} else parse(value)
    assert getattr(Fields(**{field: value}), field) == wanted


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("count", 0, "outside the accepted 1 to 5"), ("count", 6, "outside"), ("count", 1.5, "not a whole number"),
     ("count", {"uniform": [1, 5.5]}, "outside"), ("length", 0.49, "outside"),
     ("length", {"uniform": [1, 2.1]}, "outside"),
     ("length", "long", "not a finite number"), ("height", -90.5, "outside -90 to 90"), ("height", 91, "outside"),
     ("one", "c", "unknown 'c'"), ("one", 1, "not a name"), ("any_name", 1, "not a name"), ("flag", 1, "neither true"),
     ("flag", {"choice": [True, "x"]}, "neither true")],
)  # fmt: skip
def test_fields_refuse_what_is_beyond(field: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Fields(**{field: value})


def test_an_even_elevation_is_even_over_the_sphere() -> None:
    assert Fields(height={"uniform": [0, 90]}).height == SineUniform(0, 90)
    both = {"mixture": [{"weight": 0.5, "of": {"uniform": [0, 9]}}, {"weight": 0.5, "of": 20}]}
    assert Fields(height=both).height == Mixture((SineUniform(0, 9), Fixed(20)), (0.5, 0.5))
    assert Fields(length={"uniform": [1, 2]}).length == Uniform(1, 2)
    assert Fields(height={"uniform": [0, 90]}).model_dump()["height"] == {"sine_uniform": [0, 90]}
