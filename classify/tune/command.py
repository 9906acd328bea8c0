"""What `blendmill tune` does: renders a pilot, compares it with photographs, and writes the tuned config."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from classify.tune.domains import FEWEST_RENDERS
from classify.tune.drawing import UNTUNED, Drawing
from classify.tune.evidence import Evidence, gather
from classify.tune.factors import Place, places_of
from classify.tune.information import decide as decide_by_information
from classify.tune.inputs import CACHE, JSON, PILOT, Pilot, claim, open_photographs, open_pilot
from classify.tune.lesson import Lesson
from classify.tune.outcome import Outcome, as_json, decide, go_on
from classify.tune.report import html, told
from classify.tune.search import optimizer
from classify.tune.seeing import Sight, readable
from classify.tune.writing import Change, base_of, write_config
from render.cli.options import opened, progress
from render.dry_run import PICTURES, estimate
from render.farm.devices import choose, worker_slots
from render.render_set import render_set
from render.renderer import Sampler, device_for
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.outputs import written
from scenes.plain_yaml import yaml_text
from training.data.pictures import ImageDataset, chosen

TUNED, REPORT = "tuned.yaml", "report.html"

_TIMED = 16
"""Photographs whose features are timed for a dry run."""


@dataclass(frozen=True)
class Asked:
    """What decides the outcome beside the config.

    target: the photographs, DATA or DATA@SPLIT. pilot: folder of renders of the config; None renders `images` pictures
    of `seed`. model: the folder of a classifier's run, or a checkpoint, that tells the classes of photographs. by: what
    decides, the "distance" from the photographs, or the "information" that a classifier has of them. features: "plain",
    or "network" for those of the model. labels: DATA of photographs whose class is known. only: fields to tune; by
    default all. keep: share of each distribution that stays as it was. effective: least effective number of renders of
    a class, as a share. rounds: number of rounds of new pictures, each of `round_images`.
    """

    target: str
    pilot: Path | None = None
    images: int = 2000
    seed: int = 0
    model: Path | None = None
    by: str = "distance"
    features: str = "plain"
    labels: str | None = None
    only: tuple[str, ...] = ()
    keep: float = 0.3
    effective: float = 0.3
    rounds: int = 0
    round_images: int = 500

    def plan(self, sampler: Sampler) -> dict[str, Any]:
        """The same as JSON data, with the config, and without the rounds: more may follow in the same folder."""
        plain = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        del plain["rounds"], plain["round_images"]
        return {**plain, "only": list(self.only), "config": sampler.config.digest()}


def tune(
    source: str,
    overrides: Sequence[str],
    out: Path,
    asked: Asked,
    *,
    dry_run: bool = False,
    workers: int | None = None,
    device: str = "auto",
) -> None:
    """Tune a config and write tuned.yaml, tune.json and report.html. Raises InputError."""
    sampler = opened(load_config(source, overrides))
    photographs = open_photographs(asked.target)
    sight = Sight(sampler.classes, asked.model, asked.features == "network")
    # What is wrong with a factor or a given pilot is told before an hour is spent.
    pilot = None if asked.pilot is None else open_pilot(asked.pilot, sampler)
    _check(sampler, asked)
    expected = np.arange(asked.images) % len(sampler.classes)
    places = _places(sampler, expected if pilot is None else pilot.pictures.labels, asked)
    if dry_run:
        click.echo("\n".join(_planned(sampler, photographs, places, pilot, sight, asked, workers, device)))
        return
    claim(out, asked.plan(sampler))
    if pilot is None:
        render_set(sampler.config, out / PILOT, asked.images, seed=asked.seed, workers=workers, device=device)
        pilot = open_pilot(out / PILOT, sampler)
    places = _places(sampler, pilot.pictures.labels, asked)
    evidence = gather(pilot, photographs, places, sight, out / CACHE, asked.target, asked.labels)
    outcome = decided(evidence, asked)
    if asked.rounds and outcome.moved:
        places = tuple(one.place for one in outcome.moved)
        drawing = Drawing(out, evidence, places, sight, asked.keep, asked.rounds, asked.round_images, workers, device)
        parts = (evidence.learned, evidence.judging, evidence.table)
        outcome = go_on(outcome, *parts, asked.rounds, asked.effective, asked.seed, drawing.draw)
    _write(source, overrides, sampler, out, evidence, outcome, asked)
    click.echo("\n".join(told(outcome, evidence)))
    click.echo(f"wrote {out / TUNED}")


def decided(evidence: Evidence, asked: Asked) -> Outcome:
    """What moves, by what was asked for."""
    if asked.by == "information":
        lesson = Lesson.of(evidence.features[0], evidence.learned.labels, evidence.features[1], len(evidence.classes))
        return decide_by_information(lesson, evidence.held, evidence.table, asked.keep, asked.effective)
    return decide(evidence.learned, evidence.judging, evidence.table, asked.keep, asked.effective)


def _check(sampler: Sampler, asked: Asked) -> None:
    """Raise InputError where nothing can be told or judged, or where what searches is missing."""
    if asked.by == "information" and len(sampler.classes) < 2:
        raise InputError("--by information: the config has one class, so there is nothing to tell; use --by distance")
    if asked.rounds and asked.by == "information":
        raise InputError("--rounds: rounds are judged by distance; leave out --rounds or --by information")
    if asked.rounds and asked.round_images < (fewest := FEWEST_RENDERS * len(sampler.classes)):
        raise InputError(
            f"--round-images {asked.round_images}: too few to judge a round of {len(sampler.classes)} classes; give at "
            f"least {fewest}"
        )
    if asked.rounds > 1:
        optimizer()


def _places(sampler: Sampler, labels: NDArray[np.int64], asked: Asked) -> tuple[Place, ...]:
    places = places_of(sampler, labels, asked.only)
    if not places:
        raise InputError(
            f"{len(labels)} renders are too few to tell what a factor does; give more --images, or a larger --pilot"
        )
    return places


def _planned(
    sampler: Sampler,
    photographs: ImageDataset,
    places: Sequence[Place],
    pilot: Pilot | None,
    sight: Sight,
    asked: Asked,
    workers: int | None,
    device: str,
) -> list[str]:
    """What a tuning would take, a line each."""
    half = len(photographs) // 2
    lines = [
        f"photographs: {len(photographs):,}, about {half:,} to learn from and as many held back",
        f"distributions that may move: at most {len(places)}: {', '.join(place.name for place in places)}",
    ]
    more = asked.rounds * asked.round_images
    draws = more + (asked.images if pilot is None else 0)
    if pilot is not None:
        lines.append(f"renders: {len(pilot.pictures):,} of {asked.pilot}")
    if asked.rounds:
        lines.append(
            f"rounds: {asked.rounds} of {asked.round_images:,} pictures, if the pilot says that something moves"
        )
    if draws:
        slots = worker_slots(choose(device_for(sampler.config, device)), workers, pictures=draws)
        with progress("drawing a few pictures", min(PICTURES, draws)) as advance:
            lines += estimate(sampler, asked.seed, draws, slots, advance).lines()
    else:
        lines.append("nothing has to be drawn")
    looked = draws if pilot is None else draws + len(pilot.pictures)
    lines.append(_looking(sight, photographs, looked + len(photographs)))
    return lines


def _looking(sight: Sight, photographs: ImageDataset, count: int) -> str:
    """How long it takes to look at so many pictures."""
    timed = chosen(photographs, np.arange(min(_TIMED, len(photographs))), "timed")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found, plain, _ = readable(timed, "photographs", Path(folder))
        sight.look(found, plain, "photographs", Path(folder))
    seconds = (time.monotonic() - began) / len(timed) * count
    return f"features: {count:,} pictures, {sight.name}: about {timedelta(seconds=round(seconds))}"


def _write(
    source: str,
    overrides: Sequence[str],
    sampler: Sampler,
    out: Path,
    evidence: Evidence,
    outcome: Outcome,
    asked: Asked,
) -> None:
    base = base_of(source)
    if overrides:
        base = out / UNTUNED
        with written(base) as temporary:
            temporary.write_text(yaml_text(sampler.config.plain()), encoding="utf-8")
    changes = [Change(one.place, one.distribution, one.comment()) for one in outcome.moved]
    head = [f"Tuned by blendmill to the photographs {asked.target}.", *told(outcome, evidence)]
    write_config(out / TUNED, base, sampler.config, changes, head)
    found = {**asked.plan(sampler), **evidence.as_json(), **as_json(outcome, evidence.classes)}
    for name, text in ((JSON, json.dumps(found, indent=1)), (REPORT, html(outcome, evidence, Path(source).stem))):
        with written(out / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
