"""The command `blendmill stream`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress

import click
from rich.console import Console

from render.cli.options import CONFIG, DEVICE, SEED, SET, WORKERS, opened
from render.farm.devices import choose, worker_slots
from render.farm.progress import asset_lines
from render.farm.stream import Stats, Stream
from render.renderer import device_for
from scenes.config.loading import load_config

# Seconds between two lines of figures.
_EVERY = 5.0


@click.command()
@CONFIG
@SEED
@click.option("--start", type=click.IntRange(0), default=0, show_default=True, help="Index of the first picture.")
@click.option("--count", type=click.IntRange(1), help="Number of pictures. Default: until Ctrl-C.")
@SET
@WORKERS
@DEVICE
@click.option("--ahead", type=click.IntRange(1), help="Pictures to keep ready, in addition to one per worker.")
@click.option(
    "--consume",
    type=click.FloatRange(0),
    default=0,
    show_default=True,
    metavar="MS",
    help="Simulate a trainer that needs this many milliseconds per picture.",
)
@click.option("--stats", is_flag=True, help=f"Print rates and waiting times every {_EVERY:g} s.")
def stream(
    config: str,
    seed: int,
    start: int,
    count: int | None,
    overrides: tuple[str, ...],
    workers: int | None,
    device: str,
    ahead: int | None,
    consume: float,
    stats: bool,
) -> None:
    """Test whether live drawing is fast enough for a training.

    Draws pictures of CONFIG, passes them on as `Stream` does, and stores none. "trainer waits" is the share of time
    in which the trainer had no picture. If it is large, use more workers or a faster device. "workers wait" is the
    share of time in which the workers had no free slot. If it is large, drawing is faster than training.

    \b
    Example:
      blendmill stream s2rda13 --count 500 --consume 20 --stats
    """
    settings = load_config(config, overrides)
    device = device_for(settings, device)
    listed = opened(settings).catalogue.left_out  # bad input is told before anything starts
    taken = worker_slots(choose(device), workers, pictures=count or 1 << 30)
    used: set[str] = set()
    pictures = Stream(settings, seed, start, count, worker_slots=taken, ahead=ahead)
    with pictures, figures(pictures, stats), suppress(KeyboardInterrupt):
        for frame in pictures:
            used.update(frame.scene.assets())
            time.sleep(consume / 1000)
    for told in asset_lines(pictures.warnings, {**listed, **pictures.left_out}, len(used)):
        click.echo(told, err=True)
    click.echo(line(Stats(), pictures.stats))


@contextmanager
def figures(stream: Stream, shown: bool) -> Iterator[None]:
    """Tell the stream's figures while the block runs: one line that changes on a terminal, else line after line."""
    done = threading.Event()
    console = Console()

    def tell() -> None:
        before = stream.stats
        with console.status("starting workers") if console.is_terminal else nullcontext() as status:
            while not done.wait(_EVERY):
                now = stream.stats
                text = line(before, now)
                if status is None:
                    click.echo(text)
                else:
                    status.update(text)
                before = now

    thread = threading.Thread(target=tell, daemon=True)
    if shown:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if shown:
            thread.join()


def line(before: Stats, now: Stats) -> str:
    """The figures of the time between two moments, and what there is at the second."""
    seconds = max(now.seconds - before.seconds, 1e-9)
    return (
        f"{now.seconds:.0f} s: {now.taken} pictures, drawn {(now.drawn - before.drawn) / seconds:.2f}/s, "
        f"trained on {(now.taken - before.taken) / seconds:.2f}/s, {now.ready} of {now.slots} slots full; "
        f"trainer waits {(now.starved - before.starved) / seconds:.0%}, "
        f"workers wait {(now.idle - before.idle) / seconds:.0%}"
    )
