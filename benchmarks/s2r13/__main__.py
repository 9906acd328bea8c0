"""S2R-13: learn thirteen classes from our renders, recognize them in photographs. One command runs every method.

    python -m benchmarks.s2r13 --photos DIR --work DIR

The folder --photos has a folder for each class. Half of the photographs are for adaptation, without their labels; the
other half is for the test. Renders and runs stay in --work. The same command, run again, goes on with what is missing.
The table goes to benchmarks/s2r13.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.common import record, spread
from benchmarks.common import table as markdown
from classify.methods.catalogue import METHODS
from classify.validators import VALIDATORS
from scenes.errors import choices
from training.selection import COLLAPSED
from training.studies import Chain, Job, results, run_chains, settings
from training.tables import at_selected

HERE = Path(__file__).parent
SETS = {"full": 5200, "visda": 4680}
"""The sets of renders: config and number of pictures of each."""
BASELINES = {
    "visda": "camera and light vary",
    "full": "all factors vary: source only",
    "real": "reference: the labels of the photographs",
}
LONGER = "source only, trained for as many more steps as the methods"
_SOURCES = {
    "visda": ("data.source=[{where: s2r13/visda}]",),
    "full": (),
    "real": ("data.source=[{where: photos, split: adapt}]",),
}
"""What each baseline changes in source.yaml."""


def rendering(share: float, workers: int) -> list[Job]:
    """Jobs that render `share` of the pictures of every set."""
    how = ("--seed", "13", "--workers", str(workers))
    return [
        Job(f"s2r13/{name}", ("render", str(HERE / f"{name}.yaml"), "--images", str(round(share * count)), *how))
        for name, count in SETS.items()
    ]


def training(seed: int) -> list[Job]:
    """Jobs that train on labeled pictures: on each set of renders, and on the photographs."""
    command = ("train", str(HERE / "source.yaml"))
    return [
        Job(f"runs/{name}-{seed}", (*command, *settings(*changes, f"seed={seed}")), threads=1)
        for name, changes in _SOURCES.items()
    ]


def adapting(methods: Iterable[str], seed: int) -> list[Job]:
    """Jobs that adapt the network that the seed's training on renders made."""
    command = ("adapt", str(HERE / "adapt.yaml"))
    values = settings(f"weights=runs/full-{seed}", f"seed={seed}")
    return [Job(f"runs/{method}-{seed}", (*command, "--method", method, *values), threads=1) for method in methods]


def chains(share: float, workers: int, methods: Iterable[str], seeds: Iterable[int]) -> list[Chain]:
    """The whole study: the renders, the networks trained on them and on photographs, then what is adapted from them."""
    renders, numbers, names = rendering(share, workers), list(seeds), list(methods)
    trained = {seed: training(seed) for seed in numbers}
    adapted = [
        [*renders, *(job for job in trained[seed] if job.out == f"runs/full-{seed}"), job]
        for seed in numbers
        for job in adapting(names, seed)
    ]
    return [*([*renders, job] for seed in numbers for job in trained[seed]), *adapted]


def recall(run: dict[str, Any]) -> float:
    return 100 * run["test"]["mean_recall"]


def line(label: str, found: dict[int, dict[str, Any]], source: dict[int, dict[str, Any]]) -> list[str]:
    """The table's line for a method. found: its runs by seed. source: the runs without adaptation to compare with."""
    runs = found.values()
    chosen = [at_selected(run) for run in runs]
    return [
        label,
        str(len(found)),
        spread([100 * run["test"]["accuracy"] for run in runs], 1),
        spread([recall(run) for run in runs], 1),
        f"{mean(recall(run) - recall(source[seed]) for seed, run in found.items()):+.1f}",
        f"{mean(figures['bnm'] for figures in chosen):.4f}",
        f"{mean(figures['snd'] for figures in chosen):.3f}",
        f"{mean(figures['dev'] for figures in chosen):.2f}",
        ", ".join(str(figures["step"]) for figures in chosen),
        f"{mean(run['seconds'] for run in runs) / 60:.1f}",
    ]


def worth(full: dict[int, dict[str, Any]], visda: dict[int, dict[str, Any]]) -> str:
    """How much more the renders with all factors give than the renders with two. full, visda: their runs by seed."""
    all_factors, two = (
        {seed: 100 * run["test"]["mean_recall_over_chance"] for seed, run in runs.items()} for runs in (full, visda)
    )
    high, low = mean(all_factors.values()), mean(two.values())
    times = [all_factors[seed] / two[seed] for seed in all_factors.keys() & two.keys()]
    return (
        f"The mean recall above chance is {high:.1f} with all factors and {low:.1f} with camera and light alone. "
        f"The ratio is {high / low:.2f} ({min(times):.2f} to {max(times):.2f} for single seeds)."
    )


def picks(found: dict[str, dict[int, dict[str, Any]]]) -> str:
    """The method that each validator would choose, on the seeds that all methods have run. found: runs by seed."""
    seeds = set.intersection(*(set(runs) for runs in found.values()))
    if not seeds:
        return "No seed was run with all methods."
    at = {name: [at_selected(runs[seed]) for seed in seeds] for name, runs in found.items()}
    # A validator's figure of a collapsed network says nothing.
    sound = {name: not any(figures.get(COLLAPSED) for figures in chosen) for name, chosen in at.items()}
    best = {
        validator: max(at, key=lambda name: (sound[name], mean(figures[validator] for figures in at[name])))
        for validator in VALIDATORS
    }
    told = ", ".join(f"{validator} chooses {name}" for validator, name in best.items())
    return f"On the seeds that all methods have run ({', '.join(map(str, sorted(seeds)))}), the validator {told}."


def table(work: Path, methods: Iterable[str], seeds: Iterable[int]) -> str:
    """Markdown: the baselines, then the methods with the largest gain first. A method without a run is left out."""
    numbers = list(seeds)
    runs = {name: {seed: results(work / f"runs/{name}-{seed}") for seed in numbers} for name in (*BASELINES, *methods)}
    found = {
        name: {seed: run for seed, run in each.items() if run} for name, each in runs.items() if any(each.values())
    }
    header = [
        "trained on",
        "seeds",
        "accuracy",
        "mean recall",
        "gain over source only",
        "BNM",
        "SND",
        "DEV",
        "chosen step",
        "minutes",
    ]
    rows = [line(label, found[name], found["full"]) for name, label in BASELINES.items()]
    there = {name: found[name] for name in methods if name in found}
    adapted = [line(LONGER if name == "source" else name, runs, found["full"]) for name, runs in there.items()]
    rows += sorted(adapted, key=lambda cells: -float(cells[4]))
    told = (
        "Figures are percent: the median over the seeds [lowest to highest]. The gain is the mean difference between "
        "each run and the source-only run of its seed. The table gives the mean BNM (batch nuclear norm, which chooses "
        "the checkpoints), SND (soft neighborhood density) and DEV (deep embedded validation); higher is better. "
        f"{worth(found['full'], found['visda'])} Labels of photographs are read only for the figures and the "
        "reference. Minutes are for one thread of this machine, while other work ran; for a method, they do not "
        "include the training of the source network."
    )
    return f"{told}\n\n{markdown(header, rows)}\n\n{picks(there)}"


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the renders to draw, for a trial.",
)
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--seeds", type=int, default=3, show_default=True)
@click.option(
    "--jobs",
    type=int,
    default=os.cpu_count(),
    show_default=True,
    help="Number of runs at a time, with one thread each.",
)
def main(photos: Path, work: Path, share: float, methods: str, seeds: int, jobs: int) -> None:
    names = methods.split(",")
    for name in names:
        if name not in METHODS:
            raise click.BadParameter(f"unknown method '{name}', {choices(name, METHODS)}", param_hint="--methods")
    work.mkdir(parents=True, exist_ok=True)
    (work / "runs").mkdir(exist_ok=True)
    if not (work / "photos").exists():
        (work / "photos").symlink_to(photos.resolve())
    run_chains(chains(share, jobs, names, range(seeds)), work, at_a_time=jobs)
    record("s2r13", "S2R-13: from renders to photographs", table(work, names, range(seeds)))


if __name__ == "__main__":
    main()
