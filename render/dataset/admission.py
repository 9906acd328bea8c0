"""What a shard's file must be before any of it is read: whole in itself, of this layout, and no larger than it says.

HDF5 can point to other files: by external links, by external storage, by virtual datasets. It can also promise arrays
that a few bytes inflate to terabytes. A shard may come from anywhere, so all of this is refused here, once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from render.frame import LABELS, PICTURES
from render.label import Label
from scenes.errors import InputError, shortened

LARGEST = 1 << 26
"""Pixels of a picture."""

LONGEST = 1 << 24
"""Bytes of a JSON text. The labels of a thousand objects take about half a million."""

_LONGEST = 1000
_REFERENCE = np.dtype([("length", "<u4"), ("heap", "<u8"), ("index", "<u4")])
"""A text in HDF5: its bytes lie elsewhere in the file."""

_TEXTS = {label.path for label in LABELS.values() if label.text}
_FILTERS = {h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE}
_REMEDY = "delete the file and rerun the render command"


def admitted(file: h5py.File, where: str) -> dict[str, h5py.Dataset]:
    """The datasets of a shard by path. Raises InputError, which begins with `where`, for one that is not as written."""
    try:
        found = dict(_datasets(file, where))
        held = sum(dataset.id.get_storage_size() for dataset in found.values())
        held += sum(_texts(file, dataset) for path, dataset in found.items() if path in _TEXTS)
        if held > file.id.get_filesize():
            raise InputError(f"{where}: says that it holds {held:,} bytes, and has fewer; {_REMEDY}")
        return found
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise InputError(f"{where}: is damaged: {shortened(str(error), 200)}; {_REMEDY}") from error


def attribute(file: h5py.File, name: str, where: str) -> str | int | None:
    """A text or whole number among the attributes of a file, None where there is none of that name."""
    try:
        if not h5py.h5a.exists(file.id, name.encode()):
            return None
        stored = h5py.h5a.open(file.id, name.encode())
        text = h5py.check_string_dtype(stored.dtype)
        if stored.shape != () or not (text or stored.dtype.kind in "iu"):
            raise ValueError(f"attribute {name} is neither a text nor a whole number")
        value = file.attrs[name]
        if text and len(value) > _LONGEST:
            raise ValueError(f"attribute {name} has {len(value)} characters")
        return str(value) if isinstance(value, str) else int(value)
    except (OSError, RuntimeError, ValueError, TypeError, MemoryError) as error:
        raise InputError(f"{where}: is damaged: {shortened(str(error), 200)}; {_REMEDY}") from error


def _datasets(file: h5py.File, where: str) -> Iterator[tuple[str, h5py.Dataset]]:
    count = height = width = 0
    # The picture comes first: it tells the number and the size that all others must have.
    for name, label in sorted(LABELS.items(), key=lambda entry: entry[0] != "rgb"):
        dataset = _own(file, label.path, where)
        if dataset is None:
            if label.optional:
                continue
            raise InputError(f"{where}: no dataset '{label.path}'; {_REMEDY}")
        if name == "rgb":
            if dataset.ndim != 4 or not 0 < dataset.shape[1] * dataset.shape[2] <= LARGEST:
                raise InputError(f"{where}: rgb has the shape {dataset.shape}, not (N, H, W, 3); {_REMEDY}")
            count, height, width = dataset.shape[:3]
        wrong = _wrong(dataset, label, (count, *label.shape_at(height, width)))
        if wrong:
            raise InputError(f"{where}: {label.path} {wrong}; {_REMEDY}")
        yield label.path, dataset


def _own(file: h5py.File, path: str, where: str) -> h5py.Dataset | None:
    """The dataset at a path, if each step to it lies in the file itself."""
    place: h5py.h5g.GroupID | h5py.h5d.DatasetID = file.id
    *groups, last = path.split("/")
    for step in (*groups, last):
        name = step.encode()
        if not place.links.exists(name):
            return None
        if place.links.get_info(name).type != h5py.h5l.TYPE_HARD:
            raise InputError(f"{where}: {path} is a link to somewhere else; {_REMEDY}")
        place = h5py.h5o.open(place, name)  # the lower of h5py's two levels: half the time
        if not isinstance(place, h5py.h5g.GroupID if step is not last else h5py.h5d.DatasetID):
            raise InputError(f"{where}: {path} is not a dataset; {_REMEDY}")
    return h5py.Dataset(place)


def _wrong(dataset: h5py.Dataset, label: Label, shape: tuple[int, ...]) -> str:
    """What about a dataset is not as `write_shard` makes it; empty if nothing."""
    made = dataset.id.get_create_plist()
    layout, filters = made.get_layout(), {made.get_filter(k)[0] for k in range(made.get_nfilters())}
    if layout == h5py.h5d.VIRTUAL or made.get_external_count():
        return "lies in another file"
    if dataset.shape != shape:
        return f"has the shape {dataset.shape}, not {shape}"
    if label.text:
        text = h5py.check_string_dtype(dataset.dtype)
        if text is None or text.length is not None:
            return f"is {dataset.dtype}, not text"
    elif dataset.dtype != label.element:
        return f"is {dataset.dtype}, not {label.element}"
    if label in PICTURES.values():
        if layout != h5py.h5d.CHUNKED or dataset.chunks != (1, *shape[1:]) or not filters <= _FILTERS:
            return "is not stored in chunks of one picture"
        if dataset.id.get_num_chunks() != len(dataset):
            return f"holds {dataset.id.get_num_chunks()} pictures, not {len(dataset)}"
    elif layout != h5py.h5d.CONTIGUOUS or not _stored(dataset):
        return "is not stored as one piece"
    return ""


def _texts(file: h5py.File, dataset: h5py.Dataset) -> int:
    """The bytes of all texts of a dataset. Rows that share a text count it again, as it is read again."""
    with Path(file.filename).open("rb") as raw:
        raw.seek(dataset.id.get_offset())
        stored = raw.read(_REFERENCE.itemsize * len(dataset))
    lengths = np.frombuffer(stored, _REFERENCE)["length"]
    if lengths.max(initial=0) > LONGEST:
        raise ValueError(f"a text has {lengths.max():,} bytes")
    return int(lengths.sum(dtype=np.int64))


def _stored(dataset: h5py.Dataset) -> bool:
    """Whether all elements are in the file. Otherwise a few bytes could stand for any number of fill values."""
    # A text takes 16 bytes in the file, and 8 in the type that memory has of it.
    return bool(dataset.id.get_storage_size() >= math.prod(dataset.shape) * dataset.id.get_type().get_size())
