"""SENSE on dense scenes: what few labels and synthetic partners without labels give. One command runs all.

    python -m benchmarks.sense --work DIR

It renders two sets of `tabletop-dense` (13 classes) with different seeds. The first, `scenes`, stands in for real
pictures: a half of it is only tested on, and of the other half 5 % have labels. The second, `partners`, are the
synthetic partners. `--partners CONFIG` takes others, and `--scenes DIR` real pictures in a layout of
`segment.classes.layouts`. Five networks are compared:

- labels: trained on the labeled pictures alone;
- own: SENSE with the unlabeled rest of the same half as partners;
- partners: SENSE with the synthetic partners, whose labels are not read;
- synthetic labels: trained on the labeled pictures and on the partners with their labels;
- all labels: trained on all pictures of the half, as a ceiling.

Sets and runs stay in --work, and the same command, run again, goes on with what is missing. The table goes to
benchmarks/sense.md. The defaults are the size of a CPU. On a GPU, give `--base` a config such as the preset
`sense-scenes`, and more pictures and steps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.common import record, spread
from benchmarks.common import table as markdown
from training.studies import Chain, Job, run_chains, settings

HERE = Path(__file__).parent
SETS = ("scenes", "partners")
VARIANTS = {
    "labels": "{share} of the labels",
    "own": "{share} of the labels, SENSE with the other pictures of the same half",
    "partners": "{share} of the labels, SENSE with synthetic partners",
    "synthetic-labels": "{share} of the labels, and all labels of the synthetic partners",
    "all-labels": "all labels",
}
"""What is compared, by the names of the runs."""
FIGURES = {"mean_iou": "mean IoU", "mean_boundary_iou": "mean boundary IoU", "pixel_accuracy": "pixel accuracy"}


def rendering(name: str, config: str, images: int, changes: Sequence[str]) -> Job:
    """The job that renders one of the two sets."""
    seed = str(1 + SETS.index(name))
    words = ("render", config, "--images", str(images), "--seed", seed, "--workers", "1", *settings(*changes))
    return Job(name, words, 1)


def training(variant: str, seed: int, share: str, base: Path, iterations: int) -> Job:
    """The job that trains one variant."""
    few = f"{{where: scenes, split: adapt/{share}}}"
    source = {
        "synthetic-labels": f"[{few}, {{where: partners}}]",
        "all-labels": "[{where: scenes, split: adapt}]",
    }.get(variant, f"[{few}]")
    target = {"own": "{where: scenes, split: adapt}", "partners": "{where: partners}"}.get(variant)
    adapting = (f"data.target={target}", "method=sense") if target else ()
    changes = settings(f"data.source={source}", *adapting, f"seed={seed}", f"iterations={iterations}")
    return Job(f"runs/{variant}-{seed}", ("segment", "train", str(base.resolve()), *changes), 1)


def judging(variant: str, seed: int) -> Job:
    """The job that evaluates a run on the other half of the scenes."""
    run = f"runs/{variant}-{seed}"
    return Job(f"figures/{variant}-{seed}.json", ("segment", "evaluate", run, "scenes", "--split", "test"), 1)


def chains(
    seeds: Sequence[int], share: str, base: Path, iterations: int, sets: Sequence[Job], variants: Sequence[str]
) -> list[Chain]:
    """The whole comparison. Every network is trained before the first one is evaluated on the other half."""
    pairs = [(variant, seed) for seed in seeds for variant in variants]
    trained = [training(variant, seed, share, base, iterations) for variant, seed in pairs]
    return [[*sets, *trained, *(judging(variant, seed) for variant, seed in pairs)]]


def table(work: Path, seeds: Sequence[int], share: str, variants: Sequence[str]) -> str:
    """Markdown: each variant with its figures in percent, and the gain over the labels alone, seed by seed."""
    found: dict[str, list[dict[str, Any]]] = {
        variant: [json.loads((work / "figures" / f"{variant}-{seed}.json").read_text()) for seed in seeds]
        for variant in variants
    }
    rows = []
    for variant, runs in found.items():
        cells = [spread([100 * run[figure] for run in runs], 1) for figure in FIGURES]
        gains = [100 * (run["mean_iou"] - base["mean_iou"]) for run, base in zip(runs, found["labels"], strict=True)]
        rows.append([VARIANTS[variant].format(share=share), *cells, spread(gains, 1)])
    header = ["trained on", *FIGURES.values(), "gain in mean IoU over the labels alone, points"]
    return markdown(header, rows)


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--scenes", type=click.Path(path_type=Path, exists=True), help="Labeled pictures in place of renders.")
@click.option("--partners", default="tabletop-dense", show_default=True, help="Config of the synthetic partners.")
@click.option("--images", type=click.IntRange(20), default=120, show_default=True, help="Pictures of each set.")
@click.option("--share", default="5%", show_default=True, help="Part of the half of the scenes that has labels.")
@click.option("--iterations", type=click.IntRange(1), default=400, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--base", type=click.Path(path_type=Path, exists=True), default=HERE / "base.yaml")
@click.option("--variants", default=",".join(VARIANTS), show_default=True)
@click.option(
    "--set",
    "changes",
    multiple=True,
    default=("camera.resolution=[128,96]", "render.samples=2"),
    show_default=True,
    help="A field of both render configs.",
)
def main(
    work: Path,
    scenes: Path | None,
    partners: str,
    images: int,
    share: str,
    iterations: int,
    seeds: int,
    base: Path,
    variants: str,
    changes: tuple[str, ...],
) -> None:
    chosen = list(dict.fromkeys(["labels", *variants.split(",")]))
    if unknown := [name for name in chosen if name not in VARIANTS]:
        raise click.BadParameter(f"'{unknown[0]}'; there are {', '.join(VARIANTS)}", param_hint="--variants")
    for folder in ("runs", "figures"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    sets = [rendering("partners", partners, images, changes)]
    if scenes is None:
        sets.append(rendering("scenes", "tabletop-dense", images, changes))
    elif not (work / "scenes").exists():
        (work / "scenes").symlink_to(scenes.resolve())
    run_chains(chains(range(seeds), share, base, iterations, sets, chosen), work)
    record("sense", "SENSE on dense scenes", table(work, range(seeds), share, chosen))


if __name__ == "__main__":
    main()
