"""Segmenters in factor studies: the shipped study is planned, jobs have the right words, and differences are paired."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from classify.ablation.command import _planned
from classify.ablation.plan import make_plan
from classify.ablation.results import collect, table
from classify.ablation.running import _chain
from classify.ablation.statistics import effects
from classify.ablation.study import load_study
from scenes.errors import InputError
from segment.studied import STUDIED, Overlaps

OTHER = (("objects", "1"),)


def counts(rng: np.random.Generator, quality: float, pictures: int = 40, classes: int = 3) -> np.ndarray:
    """Made-up pixels of each picture and class: of both, predicted, and true."""
    real = rng.integers(50, 200, (pictures, classes))
    both = (real * np.clip(rng.normal(quality, 0.05, real.shape), 0, 1)).astype(np.int64)
    return np.stack([both, both + rng.integers(0, 20, real.shape), real], axis=-1)


@pytest.mark.parametrize(("name", "model"), [("worth", "segformer-b2"), ("worth-small", "unet-lite0")])
def test_a_shipped_study_varies_each_factor_alone_at_about_as_many_labeled_pixels(name: str, model: str) -> None:
    study = load_study(name)
    plan = make_plan(study, Path("out"))
    assert (
        study.task == "segment"
        and study.compared == "mean_iou"
        and len(plan.design.arms) == 1 + sum(len(variants) for variants in study.factors.values())
    )
    by_arm = {run.arm: run for run in plan.runs}
    images = {variant: by_arm[("objects", variant),].renders.images for variant in study.factors["objects"]}
    assert images["1"] < images["2"] < images["4"] < study.render.images < images["16"]
    assert all(
        run.renders.images == study.render.images for arm, run in by_arm.items() if arm and arm[0][0] != "objects"
    )
    assert sum(model in line for line in _planned(plan)) == len(plan.design.arms)
    (lights,) = {tuple(run.renders.config.lighting.world.hdri.support()) for run in plan.runs}
    for test in plan.tests.values():
        config = test.renders.config
        assert config.assets.first_shape >= plan.runs[0].renders.config.assets.shapes
        assert not {*lights} & set(config.lighting.world.hdri.support())


def test_the_jobs_are_commands_of_segment(tmp_path: Path) -> None:
    plan = make_plan(load_study("worth", ["seeds=2"]), tmp_path)
    train, test = _chain(plan, plan.runs[0], 1, test=True)
    assert train.words[:2] == ("segment", "train") and test.words[:2] == ("segment", "evaluate")
    assert len([word for word in test.words if word.endswith("@all")]) == len(plan.tests) == 2
    written = (tmp_path / "configs" / f"{plan.runs[0].name}.yaml").read_text()
    assert str(tmp_path / plan.runs[0].renders.where) in written and "segformer-b2" in written


def test_a_figure_of_another_task_is_refused() -> None:
    with pytest.raises(InputError, match="segment has no mean_recall"):
        load_study("worth", ["figure=mean_recall"])
    with pytest.raises(InputError, match="classify has no mean_iou"):
        load_study("s2rda-small", ["figure=mean_iou"])


def test_the_mean_iou_counts_classes_that_are_there_or_predicted() -> None:
    found = np.array([[[4, 8, 8], [0, 0, 0], [0, 3, 0]], [[4, 4, 4], [0, 0, 0], [0, 0, 0]]], np.float64)
    tested = Overlaps({(): {7: found}})
    assert tested.seeds(()) == [7] and tested.seeds(OTHER) == []
    assert tested.figure((), "mean_iou") == {7: pytest.approx((8 / 16 + 0) / 2)}


def test_resampled_pictures_are_the_same_for_all_and_vary_as_a_plain_bootstrap() -> None:
    rng = np.random.default_rng(0)
    one, other = (counts(rng, quality).astype(np.float64) for quality in (0.6, 0.7))
    tested = Overlaps({(): {0: one}, OTHER: {0: other, 1: one}})
    names = [((), 0), (OTHER, 0), (OTHER, 1)]
    found = tested.resampled(names, "mean_iou", 1000, np.random.default_rng(1))
    assert found.shape == (3, 1000) and np.array_equal(found[0], found[2])
    again = []
    for _ in range(1000):
        sums = one[rng.integers(len(one), size=len(one))].sum(0)
        again.append(np.mean(sums[:, 0] / (sums[:, 1] + sums[:, 2] - sums[:, 0])))
    assert found[0].mean() == pytest.approx(np.mean(again), abs=2e-3)
    assert found[0].std() == pytest.approx(np.std(again), rel=0.2)
    comparison = next(c for c in make_plan(load_study("worth"), Path("out")).design.comparisons if c.variant == "1")
    (effect,) = effects(tested, [comparison], "mean_iou")
    assert effect.low > 0 and effect.mean == pytest.approx(tested.figure(OTHER, "")[0] - tested.figure((), "")[0])


def test_results_are_collected_from_the_files_of_evaluate(tmp_path: Path) -> None:
    plan = make_plan(load_study("worth", ["seeds=2"]), tmp_path)
    rng = np.random.default_rng(0)
    truth = counts(rng, 0.5)[..., 2]

    def figures(quality: float) -> Iterator[dict[str, object]]:
        for _ in plan.tests:
            made = counts(rng, quality)
            made[..., 0] = truth * made[..., 0] // made[..., 2]
            yield {"counts": np.stack([made[..., 0], made[..., 0] + 9, truth], axis=-1).tolist(), "mean_iou": 0.5}

    (tmp_path / "tests").mkdir()
    for run in plan.runs:
        plan.tested(run).write_text(json.dumps(list(figures(0.5 if run.arm == OTHER else 0.7))))
    results = collect(plan)
    assert "mean iou, percent" in table(results)
    effect = next(
        e for e in results.effects["dense"] if e.comparison.factor == "objects" and e.comparison.variant == "1"
    )
    assert effect.mean < -0.1 and effect.high < 0
    plan.tested(plan.runs[0]).write_text(json.dumps([{"mean_iou": 0.5}] * 2))
    with pytest.raises(InputError, match="is damaged; delete it and give the same command again"):
        collect(plan)
    broken = [{"counts": (np.ones((40, 3, 3)) * 5).tolist()}] * 2
    plan.tested(plan.runs[0]).write_text(json.dumps(broken))
    with pytest.raises(InputError, match="has other pictures than the other runs"):
        collect(plan)


def test_a_network_of_the_study_is_built_for_its_estimate() -> None:
    from segment.config import SegmentConfig

    config = SegmentConfig(data={"source": [{"where": "s"}]}, width=2, depth=1, classes="all")
    assert STUDIED.network(config).classes == 10
    with pytest.raises(InputError, match="does not exist"):
        STUDIED.check(config.model_copy(update={"classes": ("a", "b")}), "gone", "all")
