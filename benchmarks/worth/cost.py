"""Seconds of the processor that a picture costs, measured for several configs in turns, picture by picture."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack

import click
import psutil

from render.studio import Studio
from scenes.config.loading import AnyConfig

ROUNDS, PICTURES = 5, 8
"""Rounds, and the pictures of each."""


def measured(configs: Mapping[str, AnyConfig], seed: int) -> dict[str, list[float]]:
    """By name, the mean seconds of a picture in each round: to sample the scene, draw it and hand over all labels.

    Each config draws in a process of its own, on one core at a time. They take turns with each picture, and the first
    one goes last with the next. The start of the processes and one picture of each before are not counted, nor is
    writing to disk.
    """
    found: dict[str, list[float]] = {name: [] for name in configs}
    with ExitStack() as stack:
        studios = {name: stack.enter_context(Studio(config, seed, device="cpu")) for name, config in configs.items()}
        workers = {name: _started(studio) for name, studio in studios.items()}
        order = list(studios)
        for turn in range(ROUNDS):
            click.echo(f"cost of a picture: round {turn + 1} of {ROUNDS}", err=True)
            spent = dict.fromkeys(order, 0.0)
            for index in range(1 + turn * PICTURES, 1 + (turn + 1) * PICTURES):
                for name in order:
                    before = time.process_time() + _seconds(workers[name])
                    studios[name].draw(index)
                    spent[name] += time.process_time() + _seconds(workers[name]) - before
                order.append(order.pop(0))
            for name, seconds in spent.items():
                found[name].append(seconds / PICTURES)
    return found


def _started(studio: Studio) -> list[psutil.Process]:
    """The processes that a studio draws in."""
    before = psutil.Process().children(recursive=True)
    studio.draw(0)
    return [process for process in psutil.Process().children(recursive=True) if process not in before]


def _seconds(processes: list[psutil.Process]) -> float:
    used = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in used)
