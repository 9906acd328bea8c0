"""Exports: the data set in the layouts that other tools read. One short file for each.

An export is written piece by piece into a folder beside its place. What is written stays there until the export is
complete, so that the same command, run again, goes on after a fault. Processes share the pieces. The bytes are the same
for any number of them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from render.dataset.dataset import Dataset
from render.dataset.export.pieces import FORMATS, needs
from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.manifest import RECEIPT
from render.dataset.resumable import Told, being_written, write_pieces
from scenes.errors import InputError, choices
from scenes.outputs import told

__all__ = ["FORMATS", "RECEIPT", "export_dataset"]

_LINES = 2
"""Goes up when a format's lines change: what an older blendmill has begun is then begun anew."""


def export_dataset(
    dataset: Dataset,
    out: str | Path,
    kind: str,
    samples_per_tar: int = 1000,
    limits: Limits = NO_LIMITS,
    *,
    workers: int | None = None,
    tell: Told = lambda done, of: None,
) -> bool:
    """Write a complete data set to a folder in a layout that other tools read.

    The folder appears when it is complete: it is filled in `.NAME.export` beside it and renamed at the end. If the
    export is interrupted, the same call goes on with what is missing.

    Parameters
    ----------
    dataset : Dataset
        The data set to export.
    out : str or Path
        A folder that does not exist or is empty.
    kind : str
        "folder", "coco", "webdataset", "s2rda", "hdf5-per-image", "masks", "yolo", "yolo-segment", "yolo-pose" or
        "bop".
    samples_per_tar : int
        Samples in one tar file of a "webdataset".
    limits : Limits
        Pictures outside of them are left out.
    workers : int, optional
        Number of processes. By default as many as there are processors, and one for a small set.
    tell : callable
        Is called with the number of pieces that are written, and of all.

    Returns
    -------
    bool
        False if the same export is in `out` already. Nothing is written then.

    Raises
    ------
    InputError
        `out` holds something else, the data set is not complete, or no picture is within the limits.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import blendmill
    >>> Path("walls").mkdir()
    >>> Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save("walls/wall.png")
    >>> text = "renderer: composite\\nassets: {textures: [walls]}\\nresolution: [32, 32]\\n"
    >>> _ = Path("cracks.yaml").write_text(text)
    >>> config = blendmill.load_config("cracks.yaml")
    >>> sampler = blendmill.open_sampler(config)
    >>> slots = blendmill.worker_slots(blendmill.choose("cpu"), 1, pictures=2)
    >>> job = blendmill.Job(config, seed=0, count=2, out="set")
    >>> manifest = blendmill.run(
    ...     job, sampler, blendmill.Local(slots), blendmill.RetryPolicy(), lambda event, **fields: None
    ... )
    >>> dataset = blendmill.Dataset.open("set")
    >>> blendmill.export_dataset(dataset, "export", "masks")
    True
    >>> sorted(path.name for path in Path("export").iterdir())
    ['blendmill_export.json', 'img', 'mask']
    """
    if kind not in FORMATS:
        raise InputError(f"unknown export format '{kind}', {choices(kind, FORMATS)}")
    out, receipt = Path(out), _receipt(dataset, kind)
    if kind == "webdataset":
        receipt["samples_per_tar"] = samples_per_tar
    if limits != NO_LIMITS:
        receipt["limits"] = str(limits)
    if _is_there(out, receipt):
        return False
    missing = set(range(dataset.manifest.shard_count)) - set(dataset.present())
    if missing:
        path = dataset.shard_path(min(missing))
        raise InputError(f"{path}: not there, {len(missing)} shards are missing; rerun the render command to draw them")
    indices = dataset.indices(limits)
    if not len(indices):
        raise InputError(f"{dataset.folder}: no picture is within {limits}; allow a smaller share or more clutter")
    # A tar is a piece. Elsewhere a shard is one, so that each is read by one process.
    tars, shards = np.arange(len(indices)) // samples_per_tar, indices // dataset.manifest.shard_size
    pieces = np.split(indices, np.flatnonzero(np.diff(tars if kind == "webdataset" else shards)) + 1)
    more = needs(dataset, kind)
    with told(out), being_written(out, "export", f"{receipt} {_sums(dataset)} {_LINES}") as folder:
        places = {name: str(folder / name) for name in ("out", "lines")}
        setup = {"folder": str(dataset.folder), "kind": kind, **places}
        write_pieces(
            "render.dataset.export.pieces",
            setup,
            len(pieces),
            lambda k: (k, pieces[k].tolist()),
            folder / "done",
            workers,
            tell,
        )

        def lines() -> Iterator[str]:
            for path in sorted((folder / "lines").iterdir()):
                with path.open(encoding="utf-8") as file:
                    yield from (line.removesuffix("\n") for line in file)

        FORMATS[kind].finish(lines, dataset.manifest.classes, folder / "out", **more)
        (folder / "out" / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
        os.sync()  # an export is many small files: one call for all of them
        (folder / "out").replace(out)
        shutil.rmtree(folder)
    return True


def _sums(dataset: Dataset) -> str:
    """What tells one drawing of a set from another."""
    manifest = dataset.manifest
    return hashlib.sha256(repr((sorted(manifest.shards.items()), manifest.skipped)).encode()).hexdigest()


def _receipt(dataset: Dataset, kind: str) -> dict[str, str | int]:
    manifest = dataset.manifest
    return {"export": kind, "count": manifest.count, **manifest.attributes()}


def _is_there(out: Path, receipt: Mapping[str, str | int]) -> bool:
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        found = json.loads((out / RECEIPT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{out}: is there and no export of blendmill; choose a folder that is not there") from None
    if found != receipt:
        raise InputError(f"{out}: holds another export ({found}); choose a folder that is not there")
    return True
