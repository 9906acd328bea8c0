"""The command that makes the page, or serves it."""

from __future__ import annotations

import signal
from pathlib import Path

import click

from render.cli.options import WORKERS, counted
from scenes.errors import InputError


@click.command()
@click.argument("sets", metavar="SET...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the page into this folder.")
@click.option(
    "--tile",
    "side",
    type=click.IntRange(16, 2048),
    metavar="PIXELS",
    help="Longest side of the pictures on the page. By default 512 for up to 1000 pictures, else 96.",
)
@click.option("--photos", multiple=True, type=click.Path(path_type=Path), help="A folder of photographs; repeatable.")
@click.option(
    "--run",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A run that learned from such data: how it does on photographs; repeatable.",
)
@click.option("--scores", type=click.Path(path_type=Path), help="A file of `blendmill track`: scores over versions.")
@click.option(
    "--map",
    "method",
    type=click.Choice(("pca", "umap")),
    default="pca",
    show_default=True,
    help="How the map is made. umap needs the package umap-learn.",
)
@click.option("--serve", is_flag=True, help="Show the page from the shards at once, and write nothing.")
@click.option("--host", default="127.0.0.1", show_default=True, help="With --serve: the address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="With --serve: 0 is any.")
@WORKERS
def gallery(
    sets: tuple[Path, ...],
    out: Path | None,
    side: int | None,
    photos: tuple[Path, ...],
    runs: tuple[Path, ...],
    scores: Path | None,
    method: str,
    serve: bool,
    host: str,
    port: int,
    workers: int | None,
) -> None:
    """Make a page that shows sets: pictures, labels, factors.

    SET is the folder of a data set; one that is still being drawn is shown as far as it is. The page opens from disk
    and from any server of files. It needs no network. The same command goes on after an interruption, and brings the
    page up to date. With --serve, a small server reads each picture when the page asks for it; Ctrl-C ends it. Whoever
    can reach the server can see the sets.

    The map puts pictures near each other that look alike. With --photos it also shows where photographs have no render
    near them. Without --run, features tell where which colors are and how edges run; they know nothing of objects.

    With --run, the page also tells how runs do on the photographs that they were tested on: by version of the data,
    class and look; their worst mistakes; and which looks of the photographs no render has. Runs that differ only by
    their seeds count as one version. The map shows what the network of the first one sees.

    \b
    Example:
      blendmill gallery data --photos photos --out page
      blendmill gallery data --run runs/v3-0 --run runs/v3-1 --scores scores.jsonl --out page
    """
    from gallery.build import build, side_for
    from gallery.judging import known_photographs
    from gallery.options import PageOptions
    from gallery.serve import LARGEST, Served, serving
    from gallery.sets import choose

    if serve == (out is not None):
        raise InputError("--out PAGE writes a page, --serve shows one at once; give one of them")
    shown = {path.resolve() for path in (*sets, *photos)}
    chosen = choose(sets, [*photos, *(path for path in known_photographs(runs) if path.resolve() not in shown)])
    options = PageOptions(method, runs, scores)
    count = sum(len(one.indices) for one in chosen)
    if serve:
        with serving(Served(chosen, side or LARGEST, options), host, port, workers) as (address, server):
            # A shell that starts a command in the background has it ignore Ctrl-C.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            click.echo(f"{address}: {count} pictures; Ctrl-C ends it")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                click.echo("ended", err=True)
        return
    assert out is not None
    with counted("reading pictures") as tell:
        new = build(chosen, out, side or side_for(chosen), options=options, workers=workers, tell=tell)
    click.echo(f"{out / 'index.html'}: {count} pictures" + ("" if new else ", there already"))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--version", required=True, metavar="NAME", help="Name of the version of the data that RUNs trained on.")
@click.option("--score", default="mean_recall", show_default=True, help="The test score to follow; more is better.")
@click.pass_context
def track(context: click.Context, file: Path, runs: tuple[Path, ...], version: str, score: str) -> None:
    """Follow a score over versions of the data.

    The mean score of the RUNs is added to FILE, a line of JSON for each version. Exits with 1 if it is lower than that
    of the version before by more than the spread: the standard deviation of the runs, or half of the bootstrap
    interval of a single run, whichever of both versions has the larger one.

    \b
    Example:
      blendmill track scores.jsonl runs/v3-0 runs/v3-1 runs/v3-2 --version v3
    """
    from gallery.track import add, fell, history, scored

    now = scored(version, score, runs)
    before = add(file, now)
    for one in history(file):
        if one.score == score:
            click.echo(f"{one.version}: {score} {one.value:.4f}, spread {one.spread:.4f}, runs {len(one.runs)}")
    if before is not None and fell(before, now):
        click.echo(f"{score} fell from {before.value:.4f} to {now.value:.4f}, by more than the spread", err=True)
        context.exit(1)
