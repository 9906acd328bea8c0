"""Exports: the data set in the layouts that other tools read. One short file for each."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from render.catalogue import open_catalogue
from render.dataset.dataset import Dataset
from render.dataset.export.bop import write_bop
from render.dataset.export.coco import write_coco
from render.dataset.export.folder import write_folder
from render.dataset.export.masks import write_masks
from render.dataset.export.per_image import write_per_image
from render.dataset.export.s2rda import write_s2rda
from render.dataset.export.webdataset import write_webdataset
from render.dataset.export.yolo import write_yolo, write_yolo_pose, write_yolo_segment
from render.dataset.limits import NO_LIMITS, Limits
from scenes.config.loading import validate
from scenes.config.objects import Config
from scenes.errors import InputError, choices
from scenes.files import unfinished
from scenes.leftovers import sweep_unfinished
from scenes.mesh import Model
from scenes.outputs import told

FORMATS: Mapping[str, Callable[..., None]] = {
    "folder": write_folder,
    "coco": write_coco,
    "webdataset": write_webdataset,
    "s2rda": write_s2rda,
    "hdf5-per-image": write_per_image,
    "masks": write_masks,
    "yolo": write_yolo,
    "yolo-segment": write_yolo_segment,
    "yolo-pose": write_yolo_pose,
    "bop": write_bop,
}
"""Each writes frames, given the class names, into an empty folder. "bop" also takes a function that gives models."""

RECEIPT = "blendmill-export.json"


def export_dataset(
    dataset: Dataset, out: Path, kind: str, samples_per_tar: int = 1000, limits: Limits = NO_LIMITS
) -> bool:
    """Write a complete data set to a folder in a layout that other tools read.

    The folder appears when it is complete: it is filled under another name and renamed at the end.

    Parameters
    ----------
    dataset : Dataset
        The data set to export.
    out : Path
        A folder that does not exist or is empty.
    kind : str
        "folder", "coco", "webdataset", "s2rda", "hdf5-per-image", "masks", "yolo", "yolo-segment", "yolo-pose" or
        "bop".
    samples_per_tar : int
        Samples in one tar file of a "webdataset".
    limits : Limits
        Pictures outside of them are left out.

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
    >>> dataset = blendmill.Dataset.open(Path("set"))
    >>> blendmill.export_dataset(dataset, Path("export"), "masks")
    True
    >>> sorted(path.name for path in Path("export").iterdir())
    ['blendmill-export.json', 'img', 'mask']
    """
    if kind not in FORMATS:
        raise InputError(f"unknown export format '{kind}', {choices(kind, FORMATS)}")
    writer, receipt = FORMATS[kind], _receipt(dataset, kind)
    if kind == "webdataset":
        writer = partial(write_webdataset, samples_per_tar=samples_per_tar)
        receipt["samples_per_tar"] = samples_per_tar
    if kind == "bop":
        writer = partial(write_bop, model=_models(dataset))
    if limits != NO_LIMITS:
        receipt["limits"] = str(limits)
    if _is_there(out, receipt):
        return False
    missing = set(range(dataset.manifest.shard_count)) - set(dataset.present())
    if missing:
        path = dataset.shard_path(min(missing))
        raise InputError(f"{path}: not there, {len(missing)} shards are missing; rerun the render command to draw them")
    count = dataset.count(limits)
    if not count:
        raise InputError(f"{dataset.folder}: no picture is within {limits}; allow a smaller share or more clutter")
    console = Console(stderr=True)
    frames = track(
        dataset.frames(limits=limits), f"{kind} → {out}", count, console=console, disable=not console.is_terminal
    )
    with told(out), _new_folder(out) as folder:
        writer(frames, dataset.manifest.classes, folder)
        (folder / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    return True


def _models(dataset: Dataset) -> Callable[[str], Model]:
    """The models of the set's objects, read from where they were when the set was drawn."""
    config = validate(dataset.manifest.config, str(dataset.folder))
    if not isinstance(config, Config):
        raise InputError(f"{dataset.folder}: has no objects, bop needs some; use --format masks")
    return open_catalogue(config).model


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


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    out.parent.mkdir(parents=True, exist_ok=True)
    sweep_unfinished(out)
    temporary = unfinished(out)
    try:
        temporary.mkdir()
        yield temporary
        os.sync()  # an export is many small files: one call for all of them
        temporary.replace(out)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
