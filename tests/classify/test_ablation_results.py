"""Paired differences: their intervals hold what they say, and the correction is Holm's."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.ablation.designs import Comparison, importance
from classify.ablation.plan import make_plan
from classify.ablation.results import Results, _rank_correlation, collect, draw, save_csv, table
from classify.ablation.statistics import Answers, effects, holm
from scenes.errors import InputError
from tests.classify.test_ablation_plan import THREE, study

BASE, OTHER = (), (("yaw", "30"),)
ONE = Comparison("yaw 30", "yaw", "30", {OTHER: 1.0, BASE: -1.0})


def answers(base: float, other: float, spread: float, seeds: int, number: int, pictures: int = 300) -> Answers:
    """Networks that are right with these chances, which vary between the trainings."""
    rng = np.random.default_rng(number)
    labels = np.repeat([0, 1, 2], [pictures // 2, pictures // 3, pictures - pictures // 2 - pictures // 3])
    hard = rng.random(pictures)  # a picture that is hard for one network is so for the other

    def network(chance: float) -> np.ndarray:
        return np.asarray(0.7 * hard + 0.3 * rng.random(pictures) < rng.normal(chance, spread))

    right = {arm: {s: network(chance) for s in range(seeds)} for arm, chance in ((BASE, base), (OTHER, other))}
    return Answers(labels, right)


def test_a_figure_counts_classes_alike_or_pictures_alike() -> None:
    labels = np.array([0, 0, 0, 1])
    found = Answers(labels, {BASE: {5: np.array([True, True, False, False])}})
    assert found.figure(BASE, "accuracy") == {5: 0.5}
    assert found.figure(BASE, "mean_recall") == {5: pytest.approx((2 / 3 + 0) / 2)}
    assert found.figure(OTHER, "accuracy") == {}


@pytest.mark.parametrize(("seeds", "spread"), [(1, 0.0), (5, 0.05)])
def test_intervals_hold_the_truth_as_often_as_they_say(
    seeds: int, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 120 studies without a difference. The level is 95 %; of few seeds, a bootstrap keeps a little less."""
    monkeypatch.setattr("classify.ablation.statistics.DRAWS", 300)
    held = 0
    for number in range(120):
        (effect,) = effects(answers(0.5, 0.5, spread, seeds, number, 120), [ONE], "accuracy")
        assert effect.low <= effect.high and 0 < effect.p <= 1
        held += effect.low <= 0 <= effect.high
    assert 0.84 <= held / 120 <= 1


def test_a_difference_is_found_and_paired_over_seeds() -> None:
    found = answers(0.5, 0.6, 0.02, 4, 0)
    (effect,) = effects(found, [ONE], "mean_recall")
    base, other = (found.figure(arm, "mean_recall") for arm in (BASE, OTHER))
    assert effect.seeds == {s: pytest.approx(other[s] - base[s]) for s in range(4)}
    assert effect.mean == pytest.approx(np.mean(list(effect.seeds.values())))
    assert effect.low < effect.mean < effect.high and effect.low > 0 and effect.p < 0.01


def test_the_variation_between_seeds_widens_the_interval() -> None:
    calm, wild = (effects(answers(0.5, 0.5, spread, 4, 1), [ONE], "accuracy")[0] for spread in (0.0, 0.15))
    assert wild.high - wild.low > 1.5 * (calm.high - calm.low)


def test_seeds_that_a_combination_lacks_are_left_out() -> None:
    whole = answers(0.5, 0.6, 0.0, 3, 2)
    lacking = {BASE: whole.right[BASE], OTHER: {1: whole.right[OTHER][1]}}
    (effect,) = effects(Answers(whole.labels, lacking), [ONE], "accuracy")
    assert list(effect.seeds) == [1]
    assert effects(Answers(whole.labels, {BASE: whole.right[BASE]}), [ONE], "accuracy") == []


def test_holms_correction() -> None:
    """The example of the R manual's kind: sorted p times the number that are left, never falling."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0] and holm([]) == []


def test_the_table_and_the_csv_tell_what_is_missing(tmp_path: Path) -> None:
    plan = make_plan(study(THREE, seeds=3, published={"base": {"iid": 50.0}}), tmp_path)
    found = answers(0.3, 0.7, 0.01, 2, 3)
    results = Results(plan, {"iid": found}, {"iid": effects(found, plan.design.comparisons, "mean_recall")})
    text = table(results)
    assert "; published 50.0 | 2 of 3 |" in text and "| roll level | missing | 0 of 3 |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| yaw 30 | +")]
    assert line.endswith("] * |")
    save_csv(results, tmp_path / "results.csv")
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    (difference,) = [row for row in rows if row["kind"] == "difference"]
    assert float(difference["value"]) == pytest.approx(results.effects["iid"][0].mean)
    assert len([row for row in rows if row["kind"] == "figure"]) == 4
    assert len(draw(results).axes) == 1
    assert results.order("iid") == importance({"yaw": [results.effects["iid"][0].mean]})
    assert results.agreement("iid") is None


def test_test_sets_may_differ_in_size(tmp_path: Path) -> None:
    tests = {"iid": {"images": 4}, "photographs": {"photos": "photos"}}
    plan = make_plan(study({"yaw": THREE["yaw"]}, seeds=1, tests=tests), tmp_path)
    (tmp_path / "tests").mkdir()
    for run in plan.runs:
        told = [{"labels": [0, 1] * count, "predicted": [0, 0] * count} for count in (2, 50)]
        plan.tested(run).write_text(json.dumps(told))
    found = collect(plan).tested
    assert {name: len(found[name].labels) for name in tests} == {"iid": 4, "photographs": 100}
    plan.tested(plan.runs[0]).write_text(json.dumps(told[:1]))
    with pytest.raises(InputError, match="is damaged; delete it"):
        collect(plan)


def test_the_rank_correlation_with_published_figures(tmp_path: Path) -> None:
    factors = {"yaw": {str(k): {"set": {"objects.yaw": k}} for k in range(4)}}
    theirs = {"base": {"iid": 80.0}, **{f"yaw {k}": {"iid": 70.0 - k} for k in range(4)}}
    plan = make_plan(study(factors, published=theirs), tmp_path)
    rng = np.random.default_rng(0)
    chances = {arm: 0.8 if not arm else 0.7 - 0.15 * int(arm[0][1]) for arm in plan.design.arms}
    right = {arm: {0: rng.random(2000) < chance} for arm, chance in chances.items()}
    found = Answers(np.zeros(2000, np.int64), right)
    results = Results(plan, {"iid": found}, {"iid": effects(found, plan.design.comparisons, "accuracy")})
    assert results.agreement("iid") == (pytest.approx(1.0), 4)


@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([(0.1, 1.0), (0.2, 3.0), (0.3, 2.0)], (0.5, 3)),
        ([(0.1, 1.0), (0.2, 3.0)], None),
        ([(0.1, 1.0), (0.1, 3.0), (0.1, 2.0)], (math.nan, 3)),
        ([(0.1, 1.0), (0.2, 1.0), (0.3, 1.0)], (math.nan, 3)),
        ([], None),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_rank_correlation_is_given_where_it_is_defined(
    pairs: list[tuple[float, float]], wanted: tuple[float, int] | None
) -> None:
    assert _rank_correlation(pairs) == (wanted and pytest.approx(wanted, nan_ok=True))
