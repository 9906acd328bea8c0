"""The screening of S2RDA's factors: what it varies, and that its photographs are those that S2R-13 tests on."""

from __future__ import annotations

from pathlib import Path

from benchmarks import screening
from classify.ablation.designs import named
from classify.ablation.plan import make_plan
from classify.ablation.study import load_study


def test_the_study_has_each_published_variant_of_the_pictures_once(tmp_path: Path) -> None:
    study = load_study(str(screening.STUDY), screening.overrides(tmp_path / "photos", tmp_path / "w.safetensors"))
    plan = make_plan(study, tmp_path / "study")
    pictures = {name for name in study.published if not any(word in name for word in ("pictures", "augment", "backb"))}
    assert {named(arm) for arm in plan.design.arms} == pictures and len(pictures) == 18
    assert plan.tests[screening.PHOTOGRAPHS].split == "test" and plan.runs[0].config.weights is not None
    assert all(run.config.method == "linear" and run.config.iterations == 1 for run in plan.runs)
