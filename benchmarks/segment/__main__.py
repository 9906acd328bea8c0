"""From composed cracks to photographs: what adaptation with unlabeled photographs gives. One command runs all.

    python -m benchmarks.segment --surfaces DIR --unlabeled DIR --labeled DIR --work DIR

It composes cracks over --surfaces, trains a small U-Net on them, and adapts it with the photographs in --unlabeled by
each method. The photographs in --labeled are only evaluated on, once for each network, at the end. The reference is
trained on half of them and evaluated on the other half, in turn. Sets and runs stay in --work, and the same command,
run again, goes on with what is missing. The table goes to benchmarks/segment.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.common import record, spread
from benchmarks.common import table as markdown
from scenes.errors import choices
from segment.methods.catalogue import METHODS
from training.studies import Chain, Job, results, run_chains, settings

HERE = Path(__file__).parent
STUDIED = ("supervised", "adabn", "mean-teacher", "dacs", "hrda")
"""The methods of the table. `supervised` is the longer training without adaptation that they are compared with."""
FOLDS = {"adapt": "test", "test": "adapt"}
"""The halves of the labeled photographs: what the reference learns from, and what it is evaluated on."""
SOURCE, REFERENCE = "source", "reference"
LABELS = {
    SOURCE: "composed cracks alone",
    "supervised": "composed cracks alone, as long as the methods",
    REFERENCE: "reference: half of the labeled photographs",
}
THRESHOLDS = {"source": "held-out source", "target": "expected on target"}
"""How a threshold is chosen without labels of photographs, with its heading."""


def composing(images: int) -> Job:
    """The job that composes the source."""
    return Job("cracks", ("crack", "compose", "--textures", "surfaces", "--images", str(images), "--seed", "7"))


def training(seed: int) -> Job:
    """The job that trains on composed cracks alone."""
    return Job(f"runs/{SOURCE}-{seed}", ("segment", "train", str(HERE / "source.yaml"), *settings(f"seed={seed}")), 1)


def adapting(method: str, seed: int) -> Job:
    """The job that adapts the seed's network."""
    start = ("--method", method, "--weights", f"runs/{SOURCE}-{seed}")
    command = ("segment", "adapt", str(HERE / "adapt.yaml"), *start, *settings(f"seed={seed}"))
    return Job(f"runs/{method}-{seed}", command, 1)


def referring(fold: str, seed: int) -> Job:
    """The job that trains the reference on one half of the labeled photographs."""
    values = settings(f"data.source=[{{where: labeled, split: {fold}}}]", f"seed={seed}")
    return Job(f"runs/{REFERENCE}-{fold}-{seed}", ("segment", "train", str(HERE / "source.yaml"), *values), 1)


def judging(run: str, split: str = "all") -> Job:
    """The job that evaluates a run on the labeled photographs."""
    return Job(f"figures/{run}.json", ("segment", "evaluate", f"runs/{run}", "labeled", "--split", split), 1)


def chains(images: int, methods: Iterable[str], seeds: Sequence[int], reference: bool = True) -> list[Chain]:
    """The whole study. Every network is trained before the first one is evaluated on labels of photographs."""
    trained: list[Job] = [composing(images)]
    for seed in seeds:
        trained += [training(seed), *(adapting(method, seed) for method in methods)]
    trained += [referring(fold, seeds[0]) for fold in FOLDS if reference]
    names = [job.out.removeprefix("runs/") for job in trained[1:]]
    return [[*trained, *(judging(name, _half(name)) for name in names)]]


def _half(name: str) -> str:
    """The part of the labeled photographs on which a run is evaluated."""
    return next((rest for fold, rest in FOLDS.items() if name.startswith(f"{REFERENCE}-{fold}-")), "all")


def at(figures: Mapping[str, Any], threshold: float, name: str = "iou") -> float:
    """A figure in percent at the nearest of the evaluated thresholds."""
    curves = figures["curves"]
    nearest = min(range(len(curves["threshold"])), key=lambda k: abs(curves["threshold"][k] - threshold))
    return 100 * float(curves[name][nearest])


def thresholds(run: Mapping[str, Any]) -> dict[str, float]:
    """The thresholds that a run chose without labels of photographs."""
    last = run["history"][-1]
    found = {name: last.get(f"test_threshold_{name}") for name in THRESHOLDS}
    return {name: value for name, value in found.items() if value is not None}


def found(work: Path, names: Sequence[str]) -> dict[str, float]:
    """The mean figures, in percent, of some runs that belong together: one, or the two folds of the reference."""
    rows = []
    for name in names:
        figures = json.loads((work / "figures" / f"{name}.json").read_text())
        run = results(work / "runs" / name)
        assert run is not None
        own = thresholds(run)
        row = {f"iou {how}": at(figures, value) for how, value in own.items()}
        row["f1"] = at(figures, own["source"], "tolerant_f1")
        row |= {"ap": 100 * figures["average_precision"], "oracle": 100 * figures["oracle_iou"]}
        row |= {name: 100 * run["history"][-1][name] for name in ("expected", "stable") if name in run["history"][-1]}
        rows.append(row)
    return {name: mean(row[name] for row in rows) for name in rows[0]}


COLUMNS = {
    "iou source": "IoU, threshold of held-out source",
    "iou target": "IoU, threshold expected on target",
    "f1": "F1 within 2 px",
    "ap": "average precision",
    "oracle": "oracle IoU",
    "stable": "stable",
}


def table(work: Path, methods: Sequence[str], seeds: Sequence[int], reference: bool = True) -> str:
    """Markdown: the source alone, the methods, the reference; then the gain over the longer training."""
    of = {name: [found(work, [f"{name}-{seed}"]) for seed in seeds] for name in (SOURCE, *methods)}
    if reference:
        of[REFERENCE] = [found(work, [f"{REFERENCE}-{fold}-{seeds[0]}" for fold in FOLDS])]
    base = of["supervised"]
    rows = []
    for name, runs in of.items():
        cells = [spread([run[column] for run in runs], 1) if column in runs[0] else "" for column in COLUMNS]
        rows.append([LABELS.get(name, name), *cells, *(gain(runs, base, f"iou {how}") for how in THRESHOLDS)])
    told = (
        f"Figures are percent: the median over {len(seeds)} seeds [lowest to highest]; a reference has one. IoU is "
        "that of the crack pixels of all photographs together, at the threshold that is best on held-out composed "
        "pictures, or at the one that the network itself expects to be best on the unlabeled photographs. A gain is "
        "the mean over the seeds of the relative gain in this IoU over the network of the same seed that was trained "
        "as long on composed cracks alone. Nothing but the oracle's threshold was chosen on labeled photographs. "
        "`stable` is the validator of that name, which needs no labels."
    )
    header = ["trained on", *COLUMNS.values(), *(f"gain, threshold: {name}" for name in THRESHOLDS.values())]
    return f"{told}\n\n{markdown(header, rows)}"


def gain(runs: Sequence[Mapping[str, float]], base: Sequence[Mapping[str, float]], column: str) -> str:
    """The mean relative gain of some runs over those of the same seeds. Empty where a figure does not exist."""
    if any(column not in run for run in runs):
        return ""
    gains = [run[column] / start[column] - 1 for run, start in zip(runs, base, strict=False)]
    return f"{100 * mean(gains):+.0f} %"


_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--surfaces", type=_FOLDER, required=True, help="Pictures of surfaces without cracks.")
@click.option("--unlabeled", type=_FOLDER, required=True, help="Photographs with cracks, without masks.")
@click.option("--labeled", type=_FOLDER, required=True, help="Photographs with masks.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--images", type=click.IntRange(10), default=400, show_default=True, help="Composed pictures.")
@click.option("--methods", default=",".join(STUDIED), show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=2, show_default=True)
@click.option("--reference/--no-reference", default=True, help="Whether to train on labeled photographs, too.")
def main(
    surfaces: Path,
    unlabeled: Path,
    labeled: Path,
    work: Path,
    images: int,
    methods: str,
    seeds: int,
    reference: bool,
) -> None:
    names = list(dict.fromkeys(["supervised", *methods.split(",")]))
    for name in names:
        if name not in METHODS:
            raise click.BadParameter(f"unknown method '{name}', {choices(name, METHODS)}", param_hint="--methods")
    for folder in ("runs", "figures"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    for link, place in (("surfaces", surfaces), ("unlabeled", unlabeled), ("labeled", labeled)):
        if not (work / link).exists():
            (work / link).symlink_to(place.resolve())
    run_chains(chains(images, names, range(seeds), reference), work)
    record("segment", "From composed cracks to photographs", table(work, names, range(seeds), reference))


if __name__ == "__main__":
    main()
