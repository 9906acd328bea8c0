"""What `blendmill ablate` does: a study from a file or from options, its plan, its jobs, its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from classify import figures
from classify.ablation.changes import Variant
from classify.ablation.checking import check
from classify.ablation.plan import Plan, make_plan
from classify.ablation.report import check_readable, html
from classify.ablation.results import collect, differences_of, draw, save_csv, table
from classify.ablation.running import How, claim, perform
from classify.ablation.study import Study, is_study, load_study, shipped
from classify.config import load_training
from render.dataset.local import Folder
from scenes.errors import InputError, shortened
from scenes.outputs import written
from scenes.plain_yaml import parse_yaml


def ablate(
    where: str,
    overrides: Sequence[str],
    vary: Sequence[str],
    seeds: int | None,
    share: float,
    out: Path,
    dry_run: bool,
    against: Path | None,
    how: Mapping[str, Any],
) -> bool:
    """Plan a study, run it and report it. Returns whether each job has its result.

    against: the folder of another study, such as a screening, with which the differences are compared. how: the fields
    of `How`.
    """
    if against is not None:
        differences_of(against)  # what is wrong with it is told before an hour is spent
    study = _study(where, overrides, vary)
    study = study if seeds is None else study.model_copy(update={"seeds": seeds})
    plan, wanted = make_plan(study, out, share), How(**how)
    click.echo("\n".join(_planned(plan)))
    estimate = check(plan, wanted.jobs, wanted.workers, wanted.device)
    click.echo("\n".join(estimate.lines()))
    if dry_run:
        return True
    claim(plan)
    with Folder(out).hold("study"):
        failures = perform(plan, wanted)
        for name, reason in failures.items():
            click.echo(f"no result: {name}: {reason}", err=True)
        _conclude(plan, failures, against)
    return not failures


def _study(where: str, overrides: Sequence[str], vary: Sequence[str]) -> Study:
    if not vary:
        if not is_study(where):
            raise InputError(
                f"{where}: a training config and no study, so nothing varies: add --vary KEY=A,B, or write `factors`; "
                f"or give one of the studies {', '.join(shipped())}"
            )
        return load_study(where, overrides)
    factors = dict(_factor(text) for text in vary)
    if len(factors) < len(vary):
        raise InputError("--vary: a key is given twice; write all its values in one")
    train = load_training(Path(where), overrides).model_dump(mode="json")
    return Study(name=Path(where).stem, train=train, factors=factors, design="grid", seeds=1)


def _factor(text: str) -> tuple[str, dict[str, Variant]]:
    """An option of the training with its values: "method=source,dann"."""
    key, equals, values = text.partition("=")
    if not equals or not key or not all(values.split(",")):
        raise InputError(f"--vary {shortened(text)}: write key=a,b,c, for example method=source,dann")
    parsed = {value: parse_yaml(value, f"--vary {shortened(text)}") for value in values.split(",")}
    return key, {value: Variant(train={key: given}) for value, given in parsed.items()}


def _planned(plan: Plan) -> list[str]:
    """The plan in words: a line for each set and each run of the first seed."""
    lines = [f"study {plan.study.name}, {plan.study.design.replace('_', ' ')}: {len(plan.design.arms)} combinations"]
    lines += [f"  set {each.shows}: {each.images:,} pictures of seed {each.seed}" for each in plan.sets]
    for run in plan.runs:
        if run.seed == plan.runs[0].seed:
            config = run.config
            learned = f" on {run.renders.shows}" if run.renders else ""
            lines.append(f"  run {run.name.rpartition('-')[0].rpartition('-')[0]}: {run.model}{learned}, "
                         f"{config.iterations:,} steps of {config.batch}, {plan.study.seeds} seeds")  # fmt: skip
    return lines


def _conclude(plan: Plan, failures: Mapping[str, str], against: Path | None) -> None:
    results = collect(plan, against)
    check_readable(results)
    text = table(results)
    save_csv(results, plan.out / "results.csv")
    for name, content in (
        ("table.md", text.encode()),
        ("figure.png", figures.png(draw(results))),
        ("report.html", html(results, failures).encode()),
    ):
        with written(plan.out / name) as temporary:
            temporary.write_bytes(content)
    click.echo(text)
    click.echo(f"wrote {plan.out / 'report.html'}")
