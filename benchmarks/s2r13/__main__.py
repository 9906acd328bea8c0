"""S2R-13: thirteen classes from our renders to photographs, every method, in one command.

    python -m benchmarks.s2r13 --photos DIR --work DIR

DIR of --photos has a folder for each class. Half of it is adapted to without labels, half tested on. Renders and runs
stay in --work, and the same command run again goes on with what is missing; the table goes to benchmarks/s2r13.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.common import record, spread
from benchmarks.common import table as markdown
from benchmarks.jobs import Job, results, settings
from classify.methods.catalogue import METHODS

HERE = Path(__file__).parent
SETS = ("full", "visda")
BASELINES = {
    "visda-weak": "camera and light vary; weak augmentation",
    "full-weak": "all factors vary; weak augmentation",
    "visda": "camera and light vary; strong augmentation",
    "full": "all factors vary; strong augmentation: source only",
    "real": "reference: the labels of the photographs",
}
_SOURCES = {
    "full": ("data.source=[{where: s2r13/full}]",),
    "visda": ("data.source=[{where: s2r13/visda}]",),
    "full-weak": ("data.source=[{where: s2r13/full}]", "augment=weak"),
    "visda-weak": ("data.source=[{where: s2r13/visda}]", "augment=weak"),
    "real": ("data.source=[{where: photos, split: adapt}]",),
}


def rendering(images: int, jobs: int) -> list[Job]:
    size = ("--images", str(images), "--seed", "13", "--workers", str(jobs))
    return [Job(f"s2r13/{name}", ("render", str(HERE / f"{name}.yaml"), *size)) for name in SETS]


def training(seeds: Sequence[int]) -> list[Job]:
    """On labelled pictures: of each set of renders, and of the photographs."""
    return [
        Job(f"runs/{name}-{seed}", ("train", str(HERE / "source.yaml"), *settings(*values, f"seed={seed}")), threads=1)
        for seed in seeds
        for name, values in _SOURCES.items()
    ]


def adapting(methods: Iterable[str], seeds: Sequence[int]) -> list[Job]:
    """From each seed's network trained on the renders."""
    config = ("adapt", str(HERE / "adapt.yaml"))
    return [
        Job(
            f"runs/{method}-{seed}",
            (*config, "--method", method, *settings(f"weights=runs/full-{seed}", f"seed={seed}")),
            threads=1,
        )
        for seed in seeds
        for method in methods
    ]


def line(label: str, found: list[dict[str, Any]], source: float) -> list[str]:
    """A table's line of a method's runs, one a seed; source: mean recall without adaptation."""
    recall = [100 * each["test"]["mean_recall"] for each in found]
    accuracy = [100 * each["test"]["accuracy"] for each in found]
    chosen = [next(h for h in r["history"] if h["step"] == r["selected"]["step"]) for r in found]
    return [
        label,
        spread(accuracy, 1),
        spread(recall, 1),
        f"{mean(recall) - source:+.1f}",
        f"{mean(figures['bnm'] for figures in chosen):.4f}",
        ", ".join(str(figures["step"]) for figures in chosen),
        f"{mean(each['seconds'] for each in found) / 60:.1f}",
    ]


def table(work: Path, methods: Sequence[str], seeds: Sequence[int]) -> str:
    """Markdown: the baselines, then all methods from the best mean recall down."""
    every = {name: [results(work / f"runs/{name}-{seed}") for seed in seeds] for name in (*BASELINES, *methods)}
    found = {name: [each for each in runs if each is not None] for name, runs in every.items()}
    recall = {name: mean(100 * each["test"]["mean_recall"] for each in runs) for name, runs in found.items()}
    over = {name: mean(100 * each["test"]["mean_recall_over_chance"] for each in found[name]) for name in BASELINES}
    ratios = ", ".join(
        f"{over[full]:.1f} to {over[visda]:.1f}, {over[full] / over[visda]:.1f} times, with {augmentation} augmentation"
        for full, visda, augmentation in (("full-weak", "visda-weak", "weak"), ("full", "visda", "strong"))
    )
    header = ["trained on", "accuracy", "mean recall", "to source only", "BNM", "at step", "minutes"]
    rows = [line(label, found[name], recall["full"]) for name, label in BASELINES.items()]
    rows += [line(name, found[name], recall["full"]) for name in sorted(methods, key=lambda name: -recall[name])]
    told = (
        f"Percent over {len(seeds)} seeds, median [lowest to highest], differences and BNM of means. Mean recall over "
        f"chance of all factors against camera and light alone: {ratios}. Checkpoints, and BNM, by batch nuclear norm: "
        "no label of a photograph is read but for the figures and the reference. Minutes are of one thread of this "
        "machine with others beside, after the source's training."
    )
    return f"{told}\n\n{markdown(header, rows)}"


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--images", type=int, default=2600, show_default=True, help="Renders of each set.")
@click.option("--methods", default=",".join(METHODS), show_default=True)
@click.option("--seeds", type=int, default=3, show_default=True)
@click.option("--jobs", type=int, default=os.cpu_count(), show_default=True, help="Runs at a time, a thread each.")
def main(photos: Path, work: Path, images: int, methods: str, seeds: int, jobs: int) -> None:
    names, numbers = [name for name in methods.split(",") if name != "source"], range(seeds)
    work.mkdir(parents=True, exist_ok=True)
    (work / "runs").mkdir(exist_ok=True)
    if not (work / "photos").exists():
        (work / "photos").symlink_to(photos.resolve())
    for job in rendering(images, jobs):
        job.run(work)
    for stage in (training(numbers), adapting(names, numbers)):
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lambda job: job.run(work), stage))
    record("s2r13", "S2R-13: from renders to photographs", table(work, names, numbers))


if __name__ == "__main__":
    main()
