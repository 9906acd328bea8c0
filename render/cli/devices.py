"""The command `blendmill warm`."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click

from render.farm.devices import ASKED, Device, choose
from render.renderer import open_renderer
from scenes.config.loading import load_config

# One model under Blender's own skies: every kind of GPU compiles or loads its kernels whole, whatever they are to draw.
_PICTURE = ("classes=[mug]", "assets.shapes=1")


@click.command()
@click.option("--device", type=click.Choice(ASKED), default="auto", show_default=True, help="What to draw on.")
def warm(device: str) -> None:
    """Compile and cache the GPU kernels: draw two tiny pictures.

    Blender ships no kernels for some GPUs (A100, H100, H200). Their driver compiles them at the first picture, which
    takes minutes. Run this once when a node starts. deploy/README.md lists the caches.

    \b
    Example:
      blendmill warm --device auto
    """
    devices = choose(device)
    for name, seconds in zip(("first picture", "second picture"), time_pictures(devices), strict=True):
        click.echo(f"{devices[0].kind} ({', '.join(each.name for each in devices)}): {name} in {seconds:.2f} s")


def time_pictures(devices: Sequence[Device]) -> tuple[float, float]:
    """Seconds for the first picture, with all of Blender's start, and for a second one, on all of the devices."""
    begun = time.monotonic()
    sampler, renderer = open_renderer(load_config("smoke", _PICTURE), devices[0].kind)
    renderer.draw(sampler.sample(0, 0))
    started = time.monotonic()
    renderer.draw(sampler.sample(0, 1))
    return started - begun, time.monotonic() - started
