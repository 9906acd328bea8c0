"""Does what a plan asks for: renders the sets, trains and tests the networks. What is there is not made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from classify.ablation import origin
from classify.ablation.plan import Plan, RenderSet, Run
from render.dataset.manifest import MANIFEST, Manifest
from scenes.errors import InputError
from scenes.machine import cores
from scenes.outputs import written
from scenes.plain_yaml import read_yaml, yaml_text
from training.config import TrainConfig
from training.progress import RunCount
from training.studies import Job, Screen, ended_by_sigterm, results, run_chains, studied

STUDY = "study.yaml"


@dataclass(frozen=True)
class How:
    """How the jobs of a study run.

    jobs: trainings at a time. workers: processes that render; None for one a core. ray: address of a Ray cluster that
    renders; None for this machine. device: to draw on. reuse: folders of other studies, whose equal pictures are taken.
    """

    jobs: int = 1
    workers: int | None = None
    ray: str | None = None
    device: str = "auto"
    reuse: tuple[Path, ...] = ()


def claim(plan: Plan) -> None:
    """Make the folder that of this study, and keep the study in it. Raises InputError if it is another one's."""
    path = plan.out / STUDY
    if path.exists():
        name = read_yaml(path).get("name")
        if name != plan.study.name:
            raise InputError(
                f"{plan.out}: holds the study '{name}', asked is '{plan.study.name}': choose another --out"
            )
    elif plan.out.is_dir() and any(not entry.name.startswith(".") for entry in plan.out.iterdir()):
        raise InputError(f"{plan.out}: not empty, and not the folder of a study: choose another --out")
    with written(path) as temporary:
        temporary.write_text(yaml_text(plan.study.model_dump(mode="json")))


def perform(plan: Plan, how: How) -> dict[str, str]:
    """Make all that is missing. Returns why a job ended without its result: by the name of the set or run."""
    missing = [each for each in plan.sets if not finished(plan, each)]
    for number, each in enumerate(missing, start=1):
        origin.note(plan.out, each.where)
        job = _rendering(plan, each, how)
        click.echo(f"set {number} of {len(missing)}: {each.where} (log: {plan.out / job.log})", err=True)
        with suppress(click.ClickException), ended_by_sigterm():  # the table tells; other sets are still drawn
            job.run(plan.out)
    lacking = {each.name for each in plan.sets if not finished(plan, each)}
    tested_on = {test.renders.name for test in plan.tests.values() if test.renders is not None}
    ready = [run for run in plan.runs if run.renders is None or run.renders.name not in lacking]
    test, task = not lacking & tested_on, studied(plan.study.task)
    screens = [(run, screen) for run in ready if (screen := task.screened(_located(plan, run)))]
    if test:
        _screen(plan, [(run, screen) for run, screen in screens if not plan.tested(run).exists()])
    threads, quick = max(1, cores() // how.jobs), {run.name for run, _ in screens}
    chains = [list(_chain(plan, run, threads, test)) for run in ready if run.name not in quick]
    with suppress(click.ClickException):
        run_chains([chain for chain in chains if chain], plan.out, how.jobs)
    return dict(_failures(plan, lacking))


def finished(plan: Plan, each: RenderSet) -> bool:
    """Whether a set is there, whole."""
    folder = plan.out / each.where
    return (folder / MANIFEST).exists() and bool(Manifest.load(folder).shards)


def _rendering(plan: Plan, each: RenderSet, how: How) -> Job:
    path = plan.out / "configs" / f"{each.name}.yaml"
    _write(path, each.config.plain())
    words = ["render", str(path), "--images", str(each.images), "--seed", str(each.seed), "--device", how.device]
    words += ["--workers", "auto" if how.workers is None else str(how.workers)]
    words += ["--ray", how.ray] if how.ray is not None else []
    others = [plan.out / other.where for other in plan.sets if other != each and finished(plan, other)]
    others += [path.parent for folder in how.reuse for path in sorted(folder.glob(f"renders/*/{MANIFEST}"))]
    return Job(each.where, (*words, *(word for other in others for word in ("--reuse", str(other)))), place=Path.cwd())


def _chain(plan: Plan, run: Run, threads: int, test: bool) -> Iterator[Job]:
    """The jobs of a run that are still to be done."""
    place, task = Path.cwd(), studied(plan.study.task)
    if results(plan.out / run.where) is None:
        origin.note(plan.out, run.where)
        path = plan.out / "configs" / f"{run.name}.yaml"
        _write(path, _located(plan, run).model_dump(mode="json"))
        yield Job(run.where, (*task.train, str(path)), threads, place)
    tested = plan.tested(run)
    if test and not tested.exists():
        sets = [f"{each.where}@{each.split}" for each in plan.tests.values()]
        out = str(tested.relative_to(plan.out))
        words = (*task.evaluate, str(plan.out / run.where), *sets, "--device", run.config.device)
        yield Job(out, words, threads, place)


def _screen(plan: Plan, runs: Sequence[tuple[Run, Screen]]) -> None:
    """Write the figures of runs that need no process of their own."""
    count, tests = RunCount(len(runs)), [(str(each.where), each.split) for each in plan.tests.values()]
    for run, screen in runs:
        count.begin(run.name)
        origin.note(plan.out, run.where)
        try:
            figures = screen(tests, plan.out / "features")
        except InputError as error:
            (plan.out / Job(run.where, ()).log).write_text(f"{error}\n", encoding="utf-8")
            continue
        with written(plan.tested(run)) as temporary:
            temporary.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _located(plan: Plan, run: Run) -> TrainConfig:
    """The config of a run, with the folder of its renders."""
    if run.renders is None:
        return run.config
    source = (type(run.config.data.source[0])(where=str(plan.out / run.renders.where)),)
    data = run.config.data.model_copy(update={"source": source})
    return run.config.model_copy(update={"data": data})


def _write(path: Path, data: dict[str, object]) -> None:
    with written(path) as temporary:
        temporary.write_text(yaml_text(data), encoding="utf-8")


def _failures(plan: Plan, lacking: set[str]) -> Iterator[tuple[str, str]]:
    for each in plan.sets:
        if each.name in lacking:
            yield each.name, _last_line(plan.out, [each.where])
    for run in plan.runs:
        if run.renders is not None and run.renders.name in lacking:
            yield run.name, f"its renders are missing: {run.renders.name}"
        elif not plan.tested(run).exists():
            yield run.name, _last_line(plan.out, [run.where, str(plan.tested(run).relative_to(plan.out))])


def _last_line(out: Path, jobs: Sequence[str]) -> str:
    """The last line that one of the jobs has logged, the last job first."""
    for job in reversed(jobs):
        path = out / Job(job, ()).log
        if path.exists() and (lines := path.read_text(errors="replace").strip().splitlines()):
            return lines[-1]
    return "it was not begun"
