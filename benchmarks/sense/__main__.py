"""SENSE on dense scenes: what few labels and synthetic partners without labels give. One command runs all.

    python -m benchmarks.lite0 lite0.safetensors
    python -m benchmarks.sense --work DIR --weights lite0.safetensors

It renders three sets of `tabletop-dense` (13 classes). The first, `scenes`, stands in for real pictures: 5 % of them
have labels. The second, `partners`, are the synthetic partners. Networks are tested on the third, `test`. No shape and
no environment map is in two of the sets. Materials are drawn anew in each picture of all sets. `--partners CONFIG`
takes other partners. `--scenes DIR` takes real pictures in a layout of `segment.classes.layouts`, and tests on half of
them. These networks are compared:

- labels: trained on the labeled pictures alone;
- own: SENSE with the unlabeled pictures of the scenes as partners;
- partners: SENSE with the synthetic partners, whose labels are not read;
- partners-plain: the same, with the teacher's likeliest classes as labels, without Sinkhorn and Knopp's assignment;
- synthetic-labels: trained on the labeled pictures and on the partners with their labels;
- all-labels: trained on all scenes with their labels, as a ceiling.

A seed chooses the labeled pictures, too.

Sets and runs stay in --work, and the same command, run again, goes on with what is missing. The table goes to
benchmarks/sense.md. The defaults are the size of a CPU. On a GPU, give `--base` a config such as the preset
`sense-scenes`, and more pictures and steps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from benchmarks.common import record, spread
from benchmarks.common import table as markdown
from training.studies import Chain, Job, run_chains, settings

HERE = Path(__file__).parent
PRESET = "tabletop-dense"


class Assets(NamedTuple):
    """What a set alone has. shapes: variants of each class. lights: some of Blender's environment maps."""

    shapes: range
    lights: tuple[str, ...]

    @property
    def changes(self) -> tuple[str, ...]:
        """As fields of a render config."""
        lights = ", ".join(f"studio:{light}" for light in self.lights)
        shapes = (f"assets.first_shape={self.shapes.start}", f"assets.shapes={len(self.shapes)}")
        return (*shapes, f"lighting.world.hdri={{choice: [{lights}]}}")


SETS = {
    "scenes": Assets(range(48), ("city", "forest", "night")),
    "partners": Assets(range(48, 96), ("interior", "studio", "sunrise")),
    "test": Assets(range(96, 112), ("courtyard", "sunset")),
}
"""The sets, in the order of their seeds."""


class Parts(NamedTuple):
    """What is learned from and tested on. learned: a split of `scenes`. tested: a set and its split."""

    learned: str
    tested: tuple[str, str]


RENDERED, REAL = Parts("all", ("test", "all")), Parts("adapt", ("scenes", "test"))
VARIANTS = {
    "labels": "{share} of the labels",
    "own": "{share} of the labels, SENSE with the other scenes",
    "partners": "{share} of the labels, SENSE with synthetic partners",
    "partners-plain": "{share} of the labels, SENSE with synthetic partners and plain labels",
    "synthetic-labels": "{share} of the labels, and all labels of the synthetic partners",
    "all-labels": "all labels",
}
"""What is compared, by the names of the runs."""
FIGURES = {"mean_iou": "mean IoU", "mean_boundary_iou": "mean boundary IoU", "pixel_accuracy": "pixel accuracy"}


def rendering(name: str, config: str, images: int, changes: Sequence[str]) -> Job:
    """The job that renders one of the sets. A config other than PRESET keeps its own assets."""
    seed = str(1 + list(SETS).index(name))
    own = SETS[name].changes if config == PRESET else ()
    words = ("render", config, "--images", str(images), "--seed", seed, "--workers", "1", *settings(*changes, *own))
    return Job(name, words, 1)


def training(variant: str, seed: int, share: str, base: Path, changes: Sequence[str], learned: str) -> Job:
    """The job that trains one variant. changes: fields of the config that all variants share."""
    few = f"{{where: scenes, split: {learned}/{share}, split_seed: {seed}}}"
    source = {
        "synthetic-labels": f"[{few}, {{where: partners}}]",
        "all-labels": f"[{{where: scenes, split: {learned}}}]",
    }.get(variant, f"[{few}]")
    partners = "{where: partners}"
    target = {
        "own": f"{{where: scenes, split: {learned}}}",
        "partners": partners,
        "partners-plain": partners,
    }.get(variant)
    adapting = [f"data.target={target}", "method=sense"] if target else []
    plain = ["settings.sense.labels=plain"] if variant == "partners-plain" else []
    words = settings(f"data.source={source}", *adapting, *plain, f"seed={seed}", *changes)
    return Job(f"runs/{variant}-{seed}", ("segment", "train", str(base.resolve()), *words), 1)


def judging(variant: str, seed: int, tested: tuple[str, str]) -> Job:
    """The job that evaluates a run on pictures that no run has learned from."""
    where, split = tested
    words = ("segment", "evaluate", f"runs/{variant}-{seed}", where, "--split", split)
    return Job(f"figures/{variant}-{seed}.json", words, 1)


def chains(
    seeds: Sequence[int],
    share: str,
    base: Path,
    changes: Sequence[str],
    sets: Sequence[Job],
    variants: Sequence[str],
    parts: Parts = RENDERED,
) -> list[Chain]:
    """The whole comparison. Every network is trained before the first one is tested."""
    pairs = [(variant, seed) for seed in seeds for variant in variants]
    trained = [training(variant, seed, share, base, changes, parts.learned) for variant, seed in pairs]
    return [[*sets, *trained, *(judging(variant, seed, parts.tested) for variant, seed in pairs)]]


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
@click.option("--partners", default=PRESET, show_default=True, help="Config of the synthetic partners.")
@click.option("--images", type=click.IntRange(20), default=192, show_default=True, help="Scenes, and as many partners.")
@click.option("--tests", type=click.IntRange(20), default=96, show_default=True, help="Pictures to test on.")
@click.option("--share", default="5%", show_default=True, help="Part of the scenes that has labels.")
@click.option("--weights", type=click.Path(path_type=Path, exists=True), help="What the networks start from.")
@click.option("--iterations", type=click.IntRange(1), default=300, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--base", type=click.Path(path_type=Path, exists=True), default=HERE / "base.yaml")
@click.option("--variants", default=",".join(VARIANTS), show_default=True)
@click.option(
    "--set",
    "changes",
    multiple=True,
    default=("camera.resolution=[128,96]", "render.samples=4"),
    show_default=True,
    help="A field of all render configs.",
)
def main(
    work: Path,
    scenes: Path | None,
    partners: str,
    images: int,
    tests: int,
    share: str,
    weights: Path | None,
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
        sets += [rendering("scenes", PRESET, images, changes), rendering("test", PRESET, tests, changes)]
    elif not (work / "scenes").exists():
        (work / "scenes").symlink_to(scenes.resolve())
    shared = [f"iterations={iterations}", *([f"weights={weights.resolve()}"] if weights else [])]
    parts = RENDERED if scenes is None else REAL
    run_chains(chains(range(seeds), share, base, shared, sets, chosen, parts), work)
    record("sense", "SENSE on dense scenes", table(work, range(seeds), share, chosen))


if __name__ == "__main__":
    main()
