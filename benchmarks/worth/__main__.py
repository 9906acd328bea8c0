"""What a second of the processor is worth: accuracy on photographs over the pictures drawn and the seconds they took.

    python -m benchmarks.worth --photos DIR --work DIR

The same scenes of `s2rda13` are drawn with 2, 4, 8 and 16 samples for each pixel. As many pictures of the same shapes
are drawn as BlenderProc's loop script draws its models (`peer.yaml`). Classifiers learn from parts of each set
(`learning.py`). Half of the photographs in --photos, a folder for each class, test them; nothing is chosen by them.
Renders and features stay in --work. The same command, run again, goes on with what is missing. The result goes to
benchmarks/worth.md and docs/pictures_needed.png.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.common import record
from benchmarks.lite0 import load_network
from benchmarks.worth.cost import measured
from benchmarks.worth.learning import Described, Exam, Said, described, learned
from benchmarks.worth.report import Curve, draw, report
from scenes.config.loading import load_config
from scenes.outputs import written
from scenes.plain_json import parse_json
from training.data.pictures import ImageDataset
from training.data.sources import open_pictures
from training.studies import Job, settings

HERE = Path(__file__).parent
FIGURE = HERE.parents[1] / "docs" / "pictures_needed.png"
PICTURES, HELD_OUT = 640, 260
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1)
"""Shares of the pictures of each class that a classifier learns from."""
SEED, HELD_OUT_SEED = 29, 30
COST = "cost.json"
BLENDERPROC = 4.99
"""Seconds of one BlenderProc process over those of one worker of ours, for equal pictures (benchmarks/peer.md)."""


@dataclass(frozen=True)
class Way:
    """A way to draw the pictures.

    name: of its folder. label: for people. config, changes: what is drawn. slower: how many times as long the tool
    takes that the way stands for, as measured elsewhere.
    """

    name: str
    label: str
    config: str = "preset.yaml"
    changes: tuple[str, ...] = ()
    slower: float = 1.0


WAYS = (
    *(Way(f"samples-{n}", f"s2rda13, {n} samples", changes=(f"render.samples={n}",)) for n in (2, 4, 8, 16)),
    Way("peer", "BlenderProc's script", "peer.yaml", slower=BLENDERPROC),
)
BASE = WAYS[2]
"""What the preset draws with."""


def rendering(way: Way) -> Job:
    """The job that draws a set to learn from."""
    how = ("--images", str(PICTURES), "--seed", str(SEED), "--workers", "1", "--device", "cpu", "--shard-size", "80")
    return Job(f"renders/{way.name}", ("render", str(HERE / way.config), *how, *settings(*way.changes)))


def held_out() -> Job:
    """The job that draws renders to test on, with more samples than any of the sets to learn from has."""
    how = ("--images", str(HELD_OUT), "--seed", str(HELD_OUT_SEED), "--workers", "1", "--device", "cpu")
    return Job("renders/held-out", ("render", str(HERE / "preset.yaml"), *how, *settings("render.samples=32")))


def costs(work: Path) -> dict[str, list[float]]:
    """By way, the seconds of the processor for a picture in each round. They are measured once."""
    path = work / COST
    if not path.exists():
        found = measured({way.name: load_config(str(HERE / way.config), way.changes) for way in WAYS}, SEED)
        with written(path) as temporary:
            temporary.write_text(json.dumps(found, indent=1))
    kept: dict[str, list[float]] = parse_json(path.read_bytes(), str(path))
    return kept


def curve(way: Way, seconds: Sequence[float], source: Described, tests: Exam, seeds: int) -> Curve:
    """Let a classifier of each seed learn from each part of a set."""
    said: dict[int, dict[int, Said]] = {}
    for share in SHARES:
        click.echo(f"{way.name}: {seeds} classifiers learn from {100 * share:g} % of the pictures", err=True)
        for seed in range(seeds):
            part = source.part(share, seed)
            said.setdefault(int(part.sum()), {})[seed] = learned(source, part, tests)
    return Curve(way.label, [way.slower * one for one in seconds], said)


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--seeds", type=click.IntRange(2), default=10, show_default=True)
def main(photos: Path, work: Path, seeds: int) -> None:
    for name in ("renders", "features"):
        (work / name).mkdir(parents=True, exist_ok=True)
    network = load_network(work / "lite0.safetensors")
    seconds = costs(work)
    jobs = [held_out(), *(rendering(way) for way in WAYS)]
    for number, job in enumerate(jobs, start=1):
        click.echo(f"set {number} of {len(jobs)}: {job.out} (log: {work / job.log})", err=True)
        job.run(work)

    def seen(name: str, pictures: ImageDataset) -> Described:
        return described(pictures, work / "features" / f"{name}.npy", network)

    held_out_set = open_pictures(work / held_out().out)
    adapt, test = (open_pictures(photos, held_out_set.classes, split=half) for half in ("adapt", "test"))
    tests = Exam(seen("photos-test", test), seen("held-out", held_out_set), seen("photos-adapt", adapt))
    sets = {way: seen(way.name, open_pictures(work / "renders" / way.name)) for way in WAYS}
    curves = {way: curve(way, seconds[way.name], source, tests, seeds) for way, source in sets.items()}
    draw(list(curves.values()), FIGURE)
    body = report(list(curves.values()), curves[BASE], tests)
    record("worth", "What a second of the processor is worth", body)


if __name__ == "__main__":
    main()
