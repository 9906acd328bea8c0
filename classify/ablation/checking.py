"""Tries a plan before it runs: samples and draws a few pictures of each set, and says what the study takes."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch

from classify.ablation.plan import Plan, RenderSet
from classify.ablation.running import finished
from render.dataset.shard_writer import write_shard
from render.farm.apart import ApartRenderer
from render.farm.devices import WorkerSlot, choose, worker_slots
from render.frame import Frame
from render.renderer import device_for, open_sampler
from scenes.errors import InputError
from scenes.record.record import Record
from training.config import TrainConfig
from training.devices import device_of
from training.progress import Progress
from training.studies import studied

SAMPLED, DRAWN = 16, 2
"""Pictures of each set that are sampled, and that are drawn."""

_BATCH = 8
"""Pictures in the step that is timed."""


@dataclass(frozen=True)
class Estimate:
    """What a study takes. drawn: pictures to draw, about, without those that are copied from other sets.

    copied: pictures that other sets have, too. seconds: of one worker for a picture. bytes: of a picture in a shard.
    training: seconds of all trainings together. workers: processes that render. jobs: trainings at a time.
    """

    runs: int
    tests: int
    drawn: int
    copied: int
    seconds: float
    bytes: float
    training: float
    workers: int
    jobs: int

    def lines(self) -> list[str]:
        """The estimate in words."""
        rendering = self.drawn * self.seconds / self.workers
        return [
            f"renders: {self.drawn:,} to draw and {self.copied:,} to copy, about {_time(rendering)} "
            f"({self.seconds:.2f} s a picture, {self.workers} workers)",
            f"runs: {self.runs:,}, each tested on {self.tests} sets; training about {_time(self.training / self.jobs)} "
            "without reading pictures and tests",
            f"disk: about {(self.drawn + self.copied) * self.bytes / 1e9:.2f} GB of renders",
        ]


def check(plan: Plan, jobs: int, workers: int | None, device: str) -> Estimate:
    """Sample and draw pictures of each set that is not there, and time a step of each network.

    Raises InputError for a set that cannot be rendered, a network that cannot be built, and test pictures that are not
    there or lack labels.
    """
    missing = [each for each in plan.sets if not finished(plan, each)]
    networks = {(run.model, run.config.size): run.config for run in plan.runs}
    slots = worker_slots(choose(device_for(missing[0].config, device)), workers, pictures=10**6) if missing else []
    with Progress("checking", len(missing) * 2 + len(networks) + len(plan.tests), every=2.0) as progress:
        done = 0

        def advance(text: str) -> None:
            nonlocal done
            done += 1
            progress.update(done, text)

        for name, test in plan.tests.items():
            if test.renders is None:
                _check_photographs(plan, name)
            advance(f"test set {name}")
        records, drawn, copied = _sampled(plan, missing, advance)
        seconds, size = _drawn(plan, missing, records, slots, advance)
        steps = {key: _step_seconds(config, plan, advance) for key, config in networks.items()}
    training = sum(steps[run.model, run.config.size] * run.config.iterations * run.config.batch for run in plan.runs)
    return Estimate(len(plan.runs), len(plan.tests), drawn, copied, seconds, size, training, max(len(slots), 1), jobs)


def _check_photographs(plan: Plan, name: str) -> None:
    test = plan.tests[name]
    try:
        studied(plan.study.task).check(plan.runs[0].config, str(test.where), test.split)
    except InputError as error:
        raise InputError(f"study {plan.study.name}: test {name}: {error}") from None


def _sampled(
    plan: Plan, sets: Iterable[RenderSet], advance: Callable[[str], None]
) -> tuple[dict[str, list[Record]], int, int]:
    """The first records of each set, and about how many pictures have to be drawn, and can be copied.

    A picture can be copied if an earlier set has the same record. What the first pictures say holds for all.
    """
    found: dict[str, list[Record]] = {}
    before: dict[str, list[tuple[str, int]]] = {}
    drawn = copied = 0
    for each in sets:
        try:
            sampler = open_sampler(each.config)
            records = [sampler.sample(each.seed, index) for index in range(min(SAMPLED, each.images))]
        except InputError as error:
            raise InputError(f"study {plan.study.name}: {each.shows}: cannot be rendered: {error}") from None
        way = json.dumps([each.config.plain().get("render"), sampler.classes])
        equal = 0.0
        for record in records:
            known = before.setdefault(f"{way} {record.to_json()}", [])
            equal += max((min(images, each.images) for _, images in known), default=0) / len(records)
            known.append((each.name, each.images))
        copied += round(equal)
        drawn += each.images - round(equal)
        found[each.name] = records
        advance(f"sampled {each.shows}")
    return found, drawn, copied


def _drawn(
    plan: Plan,
    sets: Iterable[RenderSet],
    records: dict[str, list[Record]],
    slots: Sequence[WorkerSlot],
    advance: Callable[[str], None],
) -> tuple[float, float]:
    """Draw the first pictures of each set. Returns the seconds and the bytes of a picture.

    Sets with the same assets and render settings share one process.
    """
    groups: dict[str, list[RenderSet]] = {}
    for each in sets:
        plain = each.config.plain()
        groups.setdefault(json.dumps([plain["renderer"], plain["assets"], plain.get("render")]), []).append(each)
    seconds, sizes = [], []
    for group in groups.values():
        renderer = ApartRenderer(group[0].config, slots[0])
        try:
            renderer.draw(records[group[0].name][0])  # its start is no part of a picture
            for each in group:
                try:
                    began = time.monotonic()
                    frames = [renderer.draw(record) for record in records[each.name][:DRAWN]]
                except InputError as error:
                    raise InputError(f"study {plan.study.name}: {each.shows}: cannot be rendered: {error}") from None
                seconds.append((time.monotonic() - began) / len(frames))
                sizes.append(_bytes(frames))
                advance(f"drew {each.shows}")
        finally:
            renderer.close()
    count = len(seconds) or 1
    return sum(seconds) / count, sum(sizes) / count


def _bytes(frames: list[Frame]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.h5"
        write_shard(path, frames, attributes={})
        return path.stat().st_size / len(frames)


def _step_seconds(config: TrainConfig, plan: Plan, advance: Callable[[str], None]) -> float:
    """Seconds of a training step, for each of its pictures: forward and backward, without the optimizer."""
    device, batch = device_of(config.device), min(_BATCH, config.batch)
    try:
        network = studied(plan.study.task).network(config).to(device)
    except InputError as error:
        raise InputError(f"study {plan.study.name}: {error}") from None
    images = torch.rand(batch, 3, config.size, config.size, device=device)
    times = []
    for _ in range(3):  # the first one warms up, and other work on the machine may disturb one
        began = time.monotonic()
        found = network(images)
        loss = getattr(found, "logits", found).square().mean()
        loss.backward()
        float(loss.detach())
        times.append(time.monotonic() - began)
    advance(f"timed {dict(config)['model']}")
    return min(times) / batch


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
