"""The report of a study: one HTML file with its table, its figure and the pictures of every variant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from classify import figures
from classify.ablation import origin
from classify.ablation.results import SIGNIFICANT, Results, arm_rows, difference, draw
from classify.ablation.running import finished
from classify.ablation.statistics import LEVEL, Effect
from render.dataset.dataset import Dataset
from scenes.errors import InputError
from scenes.plain_yaml import yaml_text
from training.report import filled

SHOWN = 6
"""Pictures of each variant."""

_WIDTH = 128


def html(results: Results, failures: Mapping[str, str]) -> str:
    """The report as one HTML document. failures: why jobs ended without a result, by the name of the set or run."""
    plan, tests = results.plan, list(results.plan.tests)
    made, left = _origins(results)
    runs = sum(plan.tested(run).exists() for run in plan.runs)
    return filled(
        "classify",
        "ablation.html",
        name=plan.study.name,
        summary=f"{plan.study.design.replace('_', ' ')}: {runs} of {len(plan.runs)} runs are tested on "
        f"{len(tests)} sets; they learned from {len(plan.sets)} sets of renders and tests.",
        failures=failures,
        mixed=len(made) > 1,
        figure=results.figure,
        level=LEVEL,
        seeds=plan.study.seeds,
        significant=SIGNIFICANT,
        tests=tests,
        comparisons=list(_comparisons(results, tests)),
        plot=figures.png(draw(results)),
        orders=list(_orders(results, tests)),
        others=bool(results.others),
        arms=list(arm_rows(results, tests)),
        sheets=list(_sheets(results)),
        made=[{"code": code, "names": ", ".join(names)} for code, names in made.items()],
        left=", ".join(left),
        study=yaml_text(plan.study.model_dump(mode="json")),
    )


def _comparisons(results: Results, tests: Sequence[str]) -> Iterator[dict[str, Any]]:
    by_test = {test: {e.comparison.name: e for e in results.effects.get(test, ())} for test in tests}
    for comparison in results.plan.design.comparisons:
        found = [by_test[test].get(comparison.name) for test in tests]
        yield {"name": comparison.name, "cells": [{"text": difference(e), "kind": _kind(e)} for e in found]}


def _kind(effect: Effect | None) -> str:
    if effect is None or effect.holm >= SIGNIFICANT:
        return ""
    return "worse" if effect.mean < 0 else "better"


def _orders(results: Results, tests: Sequence[str]) -> Iterator[dict[str, str]]:
    for test in tests:
        order = ", ".join(f"{factor} {100 * size:.1f}" for factor, size in results.order(test).items())
        yield {
            "test": test,
            "order": order or "—",
            "agreement": _correlation(results.agreement(test)),
            "predicted": _correlation(results.predicted(test)),
        }


def _correlation(found: tuple[float, int] | None) -> str:
    if found is None:
        return "—"
    figure = "not defined, as they are all equal," if math.isnan(found[0]) else f"{found[0]:+.2f}"
    return f"{figure} over {found[1]} differences"


def _sheets(results: Results) -> Iterator[dict[str, Any]]:
    """The first pictures of each set to learn from."""
    plan = results.plan
    learned = {run.renders.name: run.renders for run in plan.runs if run.renders is not None}
    for each in learned.values():
        if not finished(plan, each):
            continue
        dataset = Dataset.open(plan.out / each.where)
        pictures = [Image.fromarray(dataset.frame(index).rgb) for index in _indices(dataset)]
        height = round(_WIDTH * pictures[0].height / pictures[0].width)
        row = np.hstack([np.asarray(picture.resize((_WIDTH, height))) for picture in pictures])
        yield {"shows": each.shows, "png": figures.picture(row)}


def _indices(dataset: Dataset) -> list[int]:
    """The first pictures that were not given up. Others are shown at the same place only if none of them was."""
    skipped = set(dataset.manifest.skipped)
    return [index for index in range(dataset.manifest.count) if index not in skipped][:SHOWN]


def _origins(results: Results) -> tuple[dict[str, list[str]], list[str]]:
    """The sets and runs by the code that made them, and those of an earlier state of the study."""
    plan, made = results.plan, dict[str, list[str]]()
    names = [*(each.name for each in plan.sets), *(run.name for run in plan.runs)]
    for name in names:
        if codes := origin.made_with(plan.out, name):
            made.setdefault(", then ".join(codes), []).append(name)
    there = [path.stem for path in sorted((plan.out / "made").glob("*.json"))]
    return made, [name for name in there if name not in names]


def check_readable(results: Results) -> None:
    """Raise InputError if nothing was tested, so that there is nothing to report."""
    if not results.tested:
        raise InputError(f"{results.plan.out}: no run was tested; the reasons stand above, and in the .log files there")
