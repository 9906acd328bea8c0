"""A page as a folder that opens from disk, and from any server of files.

    index.html, *.js, *.css     the page, as `gallery/page` has it
    data/index.js               what the page shows first: the sets, the factors with their histograms
    data/column/K.js            a factor of all pictures
    data/map/*.js               where all pictures lie on the map
    data/worth.js               how runs do on photographs
    data/SET/KIND/K.js          some pictures, or one of their labels
    data/SET/config.yaml        the config of a data set

The folder is filled beside its place and appears when it is complete. If the work is interrupted, the same call goes on
with what is missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import training
from gallery.embedding import map_of
from gallery.gathering import Gathered, gathered
from gallery.judging import judged
from gallery.options import PLAIN, PageOptions
from gallery.pieces import Piece
from gallery.scripts import column, script, written
from gallery.sets import SHOWN, Chosen
from gallery.worth import add_columns, followed, worth
from render.dataset.resumable import Told, being_written, write_pieces
from scenes.errors import InputError
from scenes.outputs import told

_STYLE = Path(training.__file__).with_name("templates") / "style.css"
"""The style that the page shares with the reports of runs."""
RECEIPT = "blendmill-gallery.json"
FORMAT = 1
PER = 50
"""Pictures in one script. A filtered view loads the scripts of all that it shows, so these must not be large."""

_FEW, _SMALL, _LARGE = 1000, 96, 512


def page_files() -> list[Path]:
    """The files that make the page, without its data."""
    return [*sorted(Path(__file__).with_name("page").iterdir()), _STYLE]


def side_for(sets: Sequence[Chosen]) -> int:
    """The longest side of pictures on a page in pixels, where nobody asked for one: a small set is shown in full."""
    return _LARGE if sum(len(one.indices) for one in sets) <= _FEW else _SMALL


def pieces(sets: Sequence[Chosen], per: int = PER) -> list[Piece]:
    """The pieces of work on all pictures, in their order on the page."""
    found: list[Piece] = []
    for which, one in enumerate(sets):
        for chunk in range(-(-len(one.indices) // per)):
            found.append((len(found), which, chunk, one.indices[chunk * per : (chunk + 1) * per].tolist()))
    return found


def build(
    sets: Sequence[Chosen],
    out: Path,
    side: int,
    *,
    options: PageOptions = PLAIN,
    workers: int | None = None,
    tell: Told = lambda done, of: None,
) -> bool:
    """Write the page of some sets into a folder.

    out: a folder that is not there, is empty, or holds a page, which is replaced. side: pixels of the longest side of
    a picture. options: what the page shows beyond its sets. workers: processes; None for as many as there are cores.
    tell: is called with the number of pieces that are done, and of all.

    Returns False where `out` is this page already. Raises InputError where `out` holds something else, or a picture is
    damaged.
    """
    receipt = {"gallery": FORMAT, "side": side, "sets": [one.digest() for one in sets], "options": options.about()}
    receipt["page"] = hashlib.sha256(b"".join(path.read_bytes() for path in page_files())).hexdigest()
    if _is_there(out, receipt):
        return False
    with told(out), being_written(out, "gallery", json.dumps(receipt)) as folder:
        todo = pieces(sets)
        setup = {
            "sets": [one.spec() for one in sets],
            "side": side,
            "out": str(folder / "out" / "data"),
            "lines": str(folder / "lines"),
        }
        work(setup, todo, folder / "done", workers, tell)
        found = gathered(sets, todo, folder / "lines")
        scripts = data_scripts(sets, found, side, PER, options, tell)
        _write_data(scripts, folder / "out" / "data", sets)
        for path in page_files():
            shutil.copyfile(path, folder / "out" / path.name)
        (folder / "out" / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
        os.sync()  # a page is many small files: one call for all of them
        _replace(folder / "out", out, folder / "old")
        shutil.rmtree(folder)
    return True


def index_of(sets: Sequence[Chosen], side: int, per: int) -> dict[str, Any]:
    """What data/index.js tells while the factors are not read. per: pictures in one script."""
    told, count = [one.told(side) for one in sets], sum(len(one.indices) for one in sets)
    empty: dict[str, Any] = {"factors": [], "fixed": [], "map": None, "worth": False, "track": []}
    return {"format": FORMAT, "per": per, "count": count, "sets": told, **empty}


def data_scripts(
    sets: Sequence[Chosen], found: Gathered, side: int, per: int, options: PageOptions, tell: Told
) -> dict[str, bytes]:
    """The scripts that tell of all pictures, by name: the index, the factors, the map, and the worth."""
    index, scripts = index_of(sets, side, per), {}
    for one, faults in zip(index["sets"], found.faults, strict=True):
        if one["photos"]:
            one |= {"failed": faults[:SHOWN], "numbers": {**one["numbers"], "failed": len(faults)}}
    runs = judged(options.runs, sets, tell)
    if runs:
        add_columns(found.columns, runs[0], sets)
        scripts["worth"] = script("worth", written(worth(runs, found.columns, sets)))
    index["worth"] = bool(runs)
    index["track"] = followed(options.scores) if options.scores else []
    for number, (factor, values) in enumerate(found.columns.told()):
        index["factors"].append(factor)
        scripts[f"column/{number}"] = script(f"column/{number}", column(values))
    index["fixed"] = found.columns.fixed()
    index["map"], columns = map_of(found, sets, options.method, runs[0] if runs else None)
    scripts |= {name: script(name, column(values)) for name, values in columns.items()}
    return {**scripts, "index": script("index", written(index))}


def _write_data(scripts: Mapping[str, bytes], data: Path, sets: Sequence[Chosen]) -> None:
    """Write all of `data` but the pictures."""
    for name, content in scripts.items():
        path = data / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for number, one in enumerate(sets):
        if (config := one.config()) is not None:
            (data / str(number) / "config.yaml").write_text(config, encoding="utf-8")


def work(setup: dict[str, Any], todo: Sequence[Piece], done: Path, workers: int | None, tell: Told) -> None:
    """Do the pieces that are not noted in the file `done`."""
    write_pieces("gallery.pieces", setup, len(todo), todo.__getitem__, done, workers, tell)


def _is_there(out: Path, receipt: dict[str, Any]) -> bool:
    """Whether `out` holds the page of a receipt. Raises InputError where it holds anything but a page."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        return bool(json.loads((out / RECEIPT).read_text(encoding="utf-8")) == receipt)
    except (OSError, ValueError):
        raise InputError(f"{out}: is there and no gallery of blendmill; choose a folder that is not there") from None


def _replace(new: Path, out: Path, old: Path) -> None:
    """Put a folder in the place of another one. old: where that one is for the moment."""
    if out.exists():
        out.rename(old)
    new.rename(out)
