"""Studies of factors: what their files may say, what the designs combine, and what is planned."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.ablation.changes import RenderChange
from classify.ablation.designs import design, named
from classify.ablation.plan import Plan, make_plan, slug
from classify.ablation.study import Study, load_study, shipped
from scenes.config.loading import load_config
from scenes.errors import InputError

RENDER = {"classes": ["mug"], "camera": {"resolution": [32, 32]}}
TRAIN = {"data": {"source": [{"where": "renders"}], "holdout": 0}, "model": "resnet18", "batch": 4, "iterations": 10}


def study(factors: dict[str, Any], **more: Any) -> Study:
    given = {
        "name": "toy",
        "render": {"config": RENDER, "images": 8},
        "train": TRAIN,
        "tests": {"iid": {"images": 4}},
        "seeds": 2,
    }
    return Study.model_validate({**given, "factors": factors, **more})


def planned(factors: dict[str, Any], **more: Any) -> Plan:
    return make_plan(study(factors, **more), Path("out"))


ROLL, YAW, WEAK = ({"fix": {"camera.roll": 0.5}}, {"set": {"objects.yaw": 30}}, {"train": {"augment": "strong"}})
THREE = {"roll": {"level": ROLL}, "yaw": {"30": YAW}, "augmentation": {"strong": WEAK}}


def arms(design_of: str, factors: dict[str, Any] = THREE, **more: Any) -> list[str]:
    return [named(arm) for arm in design(study(factors, design=design_of, **more)).arms]


def test_each_design_combines_what_it_says() -> None:
    assert arms("one_at_a_time") == ["base", "roll level", "yaw 30", "augmentation strong"]
    full = "roll level, yaw 30, augmentation strong"
    assert arms("leave_one_out") == [
        full, "yaw 30, augmentation strong", "roll level, augmentation strong", "roll level, yaw 30",
    ]  # fmt: skip
    assert len(arms("factorial")) == 8 and {"base", full} <= set(arms("factorial"))
    assert arms("grid") == [full]
    crossed = arms("one_at_a_time", crossed=["roll", "augmentation"])
    assert crossed == ["base", "roll level", "yaw 30", "augmentation strong", "roll level, augmentation strong"]


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_a_fraction_separates_factors_from_each_other_and_from_their_pairs(count: int) -> None:
    factors = {f"f{k}": {"on": {"train": {"seed": k + 1}}} for k in range(count)}
    found = design(study(factors, design="fractional"))
    signs = np.array([[1 if name in dict(arm) else -1 for name in factors] for arm in found.arms])
    assert len(found.arms) == 2 * 2 ** math.ceil(math.log2(count)) and len(set(found.arms)) == len(found.arms)
    assert (signs.T @ signs == len(signs) * np.eye(count)).all()
    for one, two in combinations(range(count), 2):
        assert not (signs.T @ (signs[:, one] * signs[:, two])).any()


@pytest.mark.parametrize("kind", ["one_at_a_time", "leave_one_out", "factorial", "fractional"])
def test_comparisons_give_the_effects_of_a_known_sum(kind: str) -> None:
    """Each factor adds its own number, so every design must find it."""
    adds = {"roll": 1.0, "yaw": 10.0, "augmentation": 100.0}
    found = design(study(THREE, design=kind))
    values = {arm: sum(adds[name] for name, _ in arm) for arm in found.arms}
    effects = {c.factor: sum(w * values[arm] for arm, w in c.weights.items()) for c in found.comparisons}
    assert effects == pytest.approx(adds)


def changed(change: dict[str, Any], config: Any = RENDER) -> dict[str, Any]:
    return RenderChange.model_validate(change).fields(load_config(config))


def test_factors_are_fixed_widened_narrowed_and_dropped() -> None:
    config = {
        **RENDER,
        "objects": {"yaw": {"uniform": [0, 100]}},
        "camera": {"focal_length": {"log_uniform": [10, 40]}},
    }
    assert changed({"fix": {"objects.yaw": 0.25}}, config) == {"objects.yaw": 25.0}
    assert changed({"widen": {"objects.yaw": 2}}, config) == {"objects.yaw": {"uniform": [-50.0, 150.0]}}
    narrow = changed({"narrow": {"camera.focal_length": 0.5}}, config)["camera.focal_length"]["log_uniform"]
    assert narrow == pytest.approx([20 / math.sqrt(2), 20 * math.sqrt(2)])
    # The field accepts 0 to 1.
    assert changed({"widen": {"sensor.vignette": 8}})["sensor.vignette"] == {"uniform": [0, 1]}
    kinds = {"background": {"kind": {"choice": {"hdri": 0.5, "ground": 0.3, "room": 0.2}}}}
    left = changed({"drop": {"background.kind": ["hdri"]}}, kinds)["background.kind"]["choice"]
    assert left == pytest.approx({"ground": 0.6, "room": 0.4})


def test_what_classes_have_of_their_own_is_stretched_too() -> None:
    own = {"by_class": {"mug": {"camera": {"roll": {"uniform": [10, 30]}}}}}
    found = changed({"narrow": {"camera.roll": 0.5}}, {**RENDER, **own})
    assert found["by_class.mug.camera.roll"] == {"uniform": [15.0, 25.0]}
    assert found["camera.roll"]["normal"]["std"] == 1.5
    config = load_config({**RENDER, **own}, found)
    assert config.by_class["mug"]["camera"]["roll"] == {"uniform": [15.0, 25.0]}  # type: ignore[union-attr]
    # What is set later holds for all classes again.
    plan = planned({"roll": {"both": {"narrow": {"camera.roll": 0.5}}}, "level": {"0": {"set": {"camera.roll": 0}}}},
                   design="grid", render={"config": {**RENDER, **own}, "images": 8})  # fmt: skip
    assert plan.runs[0].renders and not plan.runs[0].renders.config.by_class.get("mug", {}).get("camera")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fix": {"camera.rol": 0.5}}, "factor camera.rol: there is no 'rol' in camera, did you mean 'roll'?"),
        ({"fix": {"camra.roll": 0.5}}, "there is no 'camra', did you mean 'camera'?"),
        ({"fix": {"camera.roll": 1}}, "1 is not a quantile"),
        ({"fix": {"camera.resolution": 0.5}}, "the config gives it no distribution; use `set`"),
        ({"set": {"camera.rol": 3}}, "field camera.rol: unknown key, did you mean 'roll'?"),
        ({"set": {"camera.roll": 4000}}, "outside the accepted"),
        ({"widen": {"camera.roll": 0.5}}, "0.5 is not above 1"),
        ({"widen": {"background.kind": 2}}, "nothing changes, it has no range; use `set`"),
        ({"narrow": {"camera.fstop": 0.5}}, "it has no range"),
        ({"drop": {"background.kind": ["color"]}}, "it is no choice that has them"),
        ({"train": {"itertions": 3}}, "field itertions: unknown key, did you mean 'iterations'?"),
        ({"train": {"augment": "none", "model": "resnet19"}}, None),
    ],
)  # fmt: skip
def test_a_variant_that_cannot_be_is_one_line(change: dict[str, Any], words: str | None) -> None:
    if words is None:  # networks are built when the plan is checked
        assert planned({"x": {"y": change}})
        return
    with pytest.raises(InputError) as error:
        planned({"x": {"y": change}})
    assert str(error.value).startswith("study toy: x y: ") and words in str(error.value)


def test_a_study_in_which_nothing_varies_is_refused(tmp_path: Path) -> None:
    for factors, words in (
        ({}, "at least 1 item"),
        ({"x": {}}, "'x' has no variant"),
        ({"x": {"y": {}}}, "variant 'y' of 'x' changes nothing"),
    ):
        (tmp_path / "s.yaml").write_text(yaml.safe_dump({"train": TRAIN, "factors": factors}))
        with pytest.raises(InputError, match=words):
            load_study(str(tmp_path / "s.yaml"))
    same = {"set": {"objects.yaw": {"uniform": [0, 360]}}}
    for factors in ({"x": {"y": same}}, {"x": {"y": {"pictures": "fixed"}}}):
        with pytest.raises(InputError, match="'x y' is the same as 'base', so nothing varies"):
            planned(factors)
    with pytest.raises(InputError, match="'x z' is the same as 'x y'"):
        planned({"x": {"y": YAW, "z": YAW}})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"design": "fractional", "factors": {"x": {"a": YAW, "b": ROLL}}}, "takes one variant of each factor, 'x'"),
        ({"crossed": ["yaw", "rol"]}, "no factor is called 'rol', did you mean 'roll'?"),
        ({"crossed": ["yaw"]}, "at least two factors"),
        ({"render": None}, "variants change the renders"),
        ({"tests": {"again": {"seed": 0}}}, "0 would test on the pictures to learn from"),
        ({"tests": {}}, "nothing to test on"),
        ({"tests": {"bare": {"set": {"background.knd": "none"}}}}, "test bare: .*did you mean 'kind'"),
        ({"desing": "grid"}, "did you mean 'design'"),
        ({"name": "../x"}, "field name"),
    ],
)
def test_a_study_that_contradicts_itself_is_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    given = {**study(THREE).model_dump(mode="json"), **change}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(given))
    with pytest.raises(InputError, match=words):
        make_plan(load_study(str(tmp_path / "s.yaml")), tmp_path / "out")


def test_each_set_is_planned_once_and_a_longer_one_begins_with_the_shorter() -> None:
    plan = planned({"yaw": {"30": YAW}, "augmentation": {"strong": WEAK}, "pictures": {"fresh": {"pictures": "fresh"}}})
    assert [(each.shows, each.images, each.seed) for each in plan.sets] == [
        ("base", 8, 0), ("yaw 30", 8, 0), ("base, fresh", 40, 0), ("test iid", 4, 1),
    ]  # fmt: skip
    assert len(plan.runs) == 4 * 2 and {run.seed for run in plan.runs} == {0, 1}
    strong = [run for run in plan.runs if run.arm == (("augmentation", "strong"),)]
    assert strong[0].renders == plan.runs[0].renders and strong[0].name != plan.runs[0].name


def test_a_share_of_a_study_is_another_plan() -> None:
    whole, part = (make_plan(study(THREE), Path("out"), share) for share in (1.0, 0.5))
    assert {run.config.iterations for run in part.runs} == {5} and {each.images for each in part.sets} == {4, 2}
    assert not {run.name for run in whole.runs} & {run.name for run in part.runs}


@pytest.mark.parametrize(
    ("text", "name"),
    [("[{where: mine}]", "where-mine"), ("dann", "dann"), ("5.0e-4", "5.0e-4"), ("-0.5", "0.5"), ("a/b_c", "a-b-c")],
)
def test_folders_have_names_that_a_shell_likes(text: str, name: str) -> None:
    assert slug(text) == name


def test_no_two_combinations_share_a_folder() -> None:
    rolls = {"0.5": {"set": {"camera.roll": 0.5}}, "-0.5": {"set": {"camera.roll": -0.5}}}
    plan = planned({"roll": rolls})
    assert [slug(named(arm)) for arm in plan.design.arms] == ["base", "roll-0.5", "roll-0.5"]
    assert len({run.name for run in plan.runs}) == len(plan.runs) and len({each.name for each in plan.sets}) == 4


ROWS = {
    "scale": ("1", "1.5", "2", "mix"),
    "material": ("metal", "plastic", "fingerprints", "moss"),
    "light": ("location 1", "location 2", "radius", "elevation"),
    "camera": ("location 1", "location 2", "location 3", "location 4"),
    "background": ("none",),
}
"""The rows of S2RDA's table of factors."""


@pytest.mark.parametrize("name", ["s2rda", "s2rda-small"])
def test_every_row_of_the_published_tables_is_planned(name: str) -> None:
    assert name in shipped()
    plan = make_plan(load_study(name), Path("out"))
    there = {named(arm) for arm in plan.design.arms}
    factors = {f"{factor} {variant}" for factor, variants in ROWS.items() for variant in variants}
    # Backbone, augmentation and fixed set against non-repetitive samples: 3 x 3 x 2, of which the base is one.
    backbones = ("", "backbone ViT-B", "backbone Mixer-B")
    cells = {
        ", ".join(filter(None, (backbone, augmentation, pictures))) or "base"
        for backbone in backbones
        for augmentation in ("", "augmentation weak", "augmentation strong")
        for pictures in ("", "pictures fresh")
    }
    assert len(cells) == 18 and there == factors | cells == set(plan.study.published)
    assert plan.study.published["base"] == {"iid": 87.63, "iid without background": 78.55, "ood": 23.35}
    assert set(plan.tests) == {"iid", "iid without background"}
    for run in plan.runs:
        config, drawn = run.config, run.renders
        assert drawn is not None
        fresh = dict(run.arm).get("pictures") == "fresh"
        assert drawn.images == (config.iterations * config.batch if fresh else plan.study.render.images)  # type: ignore[union-attr]
    if name == "s2rda":
        assert {run.config.model for run in plan.runs} == {"resnet50", "vit-b", "mixer-b"}
        assert plan.runs[0].config.iterations * plan.runs[0].config.batch == 12_800_000


def test_a_factor_or_a_variant_of_an_extended_study_is_dropped_by_null() -> None:
    kept = study({"roll": {"level": ROLL, "upright": None}, "yaw": None})
    assert {factor: list(variants) for factor, variants in kept.factors.items()} == {"roll": ["level"]}
