"""What `blendmill probe` does: draws the pictures of a sweep, asks the network, and writes what it found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from classify import figures
from classify.probe.findings import Findings, save_csv, told
from classify.probe.networks import Probe, open_probe
from classify.probe.report import draw, html
from classify.probe.sweep import axis, drawn, pictures
from render.cli.options import opened
from render.farm.devices import choose, worker_slots
from render.renderer import device_for
from scenes.config.loading import load_config
from scenes.errors import InputError, choices
from scenes.outputs import written
from training.devices import device_of
from training.progress import Progress


def probe(
    model: str,
    config: str,
    overrides: Sequence[str],
    vary: Sequence[str],
    out: Path,
    *,
    images: int,
    steps: int,
    seed: int,
    classes: str | None,
    size: int,
    workers: int | None,
    device: str,
) -> None:
    """Probe a network with one or two factors. Raises InputError."""
    if not 1 <= len(vary) <= 2 or len(set(vary)) < len(vary):
        raise InputError(f"--vary: give one factor, or two different ones, not {len(vary)}")
    if out.exists() and any(out.iterdir()) and not (out / "probe.csv").exists():
        raise InputError(f"{out}: not empty, and not the folder of a probe: choose another --out")
    sampler = opened(load_config(config, overrides))
    axes = tuple(axis(sampler, field, steps) for field in vary)
    network = open_probe(model, classes.split(",") if classes else sampler.classes, size, device_of("auto"))
    _check_classes(sampler.classes, network)
    learned_from = network.source
    source = None if learned_from is None else learned_from.config
    learned = learned_from is not None and (learned_from.seed, source) == (seed, sampler.config.plain())
    if learned:
        click.echo(f"--seed {seed}: the network learned from these very pictures; take another seed", err=True)
    probed = pictures(sampler, seed, images, axes)
    total = sum(len(one.records) for one in probed)
    slots = worker_slots(choose(device_for(sampler.config, device)), workers, pictures=total)
    with Progress("drawing", total, every=2.0) as progress:
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            progress.update(done, "pictures")

        shown = drawn(sampler.config, probed, slots, advance)
    probabilities = network.probabilities([picture for row in shown for picture in row])
    labels = np.array([network.classes.index(sampler.classes[one.label]) for one in probed], np.int64)
    found = Findings(
        axes, probed, probabilities.reshape(len(probed), -1, len(network.classes)), labels, network.classes
    )
    save_csv(found, out / "probe.csv")
    for name, content in (
        ("figure.png", figures.png(draw(found, source))),
        ("report.html", html(found, shown, source, learned).encode()),
    ):
        with written(out / name) as temporary:
            temporary.write_bytes(content)
    click.echo(told(found))
    click.echo(f"wrote {out / 'report.html'}")


def _check_classes(rendered: Sequence[str], network: Probe) -> None:
    """Raise InputError if the config shows a class that the network does not know."""
    for name in rendered:
        if name not in network.classes:
            raise InputError(
                f"class '{name}': the network does not know it, {choices(name, network.classes)}; leave it out of the "
                "config's `classes`"
            )
