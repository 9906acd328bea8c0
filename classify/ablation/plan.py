"""The plan of a study: the sets to render, the networks to train, and the pictures to test them on."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from classify.ablation.changes import RenderChange, Variant
from classify.ablation.designs import BASE, Arm, Design, design, named
from classify.ablation.study import Study
from scenes.config.loading import AnyConfig, load, load_config
from scenes.errors import InputError
from training.config import TrainConfig
from training.studies import studied

_ROUNDED = 50
"""Pictures by which holding out a share of each class may differ from the share: half a picture of 100 classes."""


@dataclass(frozen=True)
class RenderSet:
    """A set of renders. name: with a digest of all that decides its pictures. shows: the combination or test."""

    name: str
    shows: str
    config: AnyConfig
    seed: int
    images: int

    @property
    def where(self) -> str:
        """Its folder in that of the study."""
        return f"renders/{self.name}"


@dataclass(frozen=True)
class Run:
    """A training run. name: with a digest of its config and its pictures. renders: the set it learns from."""

    name: str
    arm: Arm
    seed: int
    config: TrainConfig
    renders: RenderSet | None

    @property
    def model(self) -> str:
        """The name of the network. Each task's config has one."""
        return str(dict(self.config)["model"])

    @property
    def where(self) -> str:
        """Its folder in that of the study."""
        return f"runs/{self.name}"


@dataclass(frozen=True)
class TestSet:
    """Pictures to test on. where: folder, absolute. renders: the set, if it is rendered."""

    where: Path
    split: str = "all"
    renders: RenderSet | None = None


@dataclass(frozen=True)
class Plan:
    """All jobs of a study in the folder `out`."""

    study: Study
    out: Path
    design: Design
    runs: tuple[Run, ...]
    tests: dict[str, TestSet]

    @cached_property
    def sets(self) -> tuple[RenderSet, ...]:
        """The sets to render, each once: those to learn from in the order of the combinations, then those to test."""
        learned = (run.renders for run in self.runs)
        tested = (test.renders for test in self.tests.values())
        return tuple({each.name: each for each in (*learned, *tested) if each is not None}.values())

    def tested(self, run: Run) -> Path:
        """The file of a run's figures on all test sets. Its name has a digest of these."""
        sets = {name: (str(test.where), test.split) for name, test in self.tests.items()}
        return self.out / "tests" / f"{run.name}-{_digest(sets)}.json"

    def runs_of(self, arm: Arm) -> tuple[Run, ...]:
        """The runs of a combination, one for each seed."""
        return tuple(run for run in self.runs if run.arm == arm)


def make_plan(study: Study, out: Path, share: float = 1.0) -> Plan:
    """The plan of a study in a folder. share: of the pictures and the steps, for a trial. Raises InputError.

    A combination that equals another one in all that counts is an error, because it would say that nothing varies.
    """
    out = out.resolve()
    made = design(study)
    runs, seen = [], dict[str, str]()
    for arm in made.arms:
        try:
            ours = [_run(study, arm, seed, share) for seed in range(study.seeds)]
        except InputError as error:
            raise InputError(f"study {study.name}: {named(arm)}: {error}") from None
        same = seen.setdefault(_essence(ours[0]), named(arm))
        if same != named(arm):
            raise InputError(
                f"study {study.name}: '{named(arm)}' is the same as '{same}', so nothing varies; leave one of them out"
            )
        runs += ours
    return Plan(study, out, made, tuple(runs), _tests(study, out, runs[0].config, share))


def _run(study: Study, arm: Arm, seed: int, share: float) -> Run:
    changes = [study.factors[factor][variant] for factor, variant in arm]
    config = _training(study, changes, share)
    config = config.model_copy(update={"seed": config.seed + seed})
    rendered = _rendered(study, arm, changes, config, share)
    digest = _digest(rendered and rendered.name, config.model_dump(mode="json"))
    return Run(f"{slug(named(arm))}-{config.seed}-{digest}", arm, config.seed, config, rendered)


def _training(study: Study, changes: Iterable[Variant], share: float) -> TrainConfig:
    """The training config of a combination. With renders, its source is a place holder."""
    inline = study.train if isinstance(study.train, dict) else {}
    path = None if isinstance(study.train, dict) else Path(study.train)
    given = {**inline, **{key: value for change in changes for key, value in change.train.items()}}
    if study.render is not None:
        given["data.source"] = [{"where": "renders"}]
    config = load(studied(study.task).config, path, given)
    if share == 1:
        return config
    every = config.evaluate_every and max(1, round(config.evaluate_every * share))
    return config.model_copy(update={"iterations": max(1, round(config.iterations * share)), "evaluate_every": every})


def _rendered(
    study: Study, arm: Arm, changes: Iterable[Variant], config: TrainConfig, share: float
) -> RenderSet | None:
    if study.render is None:
        return None
    render, kept = changed(study, changes), study.pictures
    for change in changes:
        kept = change.pictures or kept  # type: ignore[assignment]
    given = next((change.images for change in changes if change.images), study.render.images)
    images = _fresh(config) if kept == "fresh" else _scaled(given, share)
    seen = tuple(pair for pair in arm if study.factors[pair[0]][pair[1]].rendered)
    shows = named(seen) + (", fresh" if kept == "fresh" else "")
    return _set(shows, render, study.render.seed, images)


def changed(study: Study, changes: Iterable[RenderChange]) -> AnyConfig:
    """The render config of the study with some changes, one after the other. Raises InputError."""
    assert study.render is not None
    fields: dict[str, Any] = {}
    config = load_config(study.render.config)
    for change in changes:
        for key, value in change.fields(config).items():
            fields.pop(key, None)  # what comes later also replaces what was said of single classes
            fields[key] = value
        config = load_config(study.render.config, fields)
    return config


def _fresh(config: TrainConfig) -> int:
    """So many pictures that each is seen once at most, where a share of each class is held out."""
    held = 0.0 if config.data.validation else config.data.holdout
    return math.ceil((config.iterations * config.batch + (_ROUNDED if held else 0)) / (1 - held))


def _tests(study: Study, out: Path, config: TrainConfig, share: float) -> dict[str, TestSet]:
    if not study.tests:
        given = config.data.test
        if given is None:
            raise InputError(f"study {study.name}: field tests: nothing to test on; give it, or data.test in `train`")
        if given != type(given)(where=given.where, split=given.split):
            raise InputError(f"study {study.name}: field data.test: only `where` and `split` can be given in a study")
        return {"test": TestSet(Path(given.where).resolve(), given.split)}
    found = {}
    for name, test in study.tests.items():
        if test.photos is not None:
            found[name] = TestSet(Path(test.photos).resolve(), test.split)
            continue
        assert study.render is not None
        try:
            render = changed(study, [test])
        except InputError as error:
            raise InputError(f"study {study.name}: test {name}: {error}") from None
        made = _set(f"test {name}", render, study.render.seed + test.seed, _scaled(test.images, share))
        if made.seed == study.render.seed:
            raise InputError(f"study {study.name}: test {name}: field seed: 0 would test on the pictures to learn from")
        found[name] = TestSet(out / made.where, renders=made)
    return found


def _set(shows: str, config: AnyConfig, seed: int, images: int) -> RenderSet:
    return RenderSet(f"{slug(shows)}-{_digest(config.digest(), seed, images)}", shows, config, seed, images)


def _essence(run: Run) -> str:
    """What two combinations of different names must not have in common."""
    rendered = run.renders and (run.renders.config.digest(), run.renders.images)
    return _digest(rendered, run.config.model_dump(mode="json"))


def _scaled(count: int, share: float) -> int:
    return max(1, round(count * share))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def slug(text: str) -> str:
    """A text as a part of a file's name that no shell takes for an option."""
    return re.sub(r"[^A-Za-z0-9+.]+", "-", text).strip("-.")[:60] or BASE
