"""Data sets that somebody changed: each entry changes one thing in a folder that holds a sound data set.

`REFUSED`: every reader must refuse. `UNSEEN`: all must refuse but a training, which reads only pictures, labels and
objects, and exports that do not have the label. `RIGHT`: every reader reads it, and finds the set as it was.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib

from render.dataset.chunks import create_pictures, deflated
from render.frame import LABELS, PICTURES, VALUES
from tests.frames import ABSENT

SECRET = b"root:x:0:0:the secret of this machine:/root:/bin/sh\n"
SHARD, PICTURE_COUNT = "00001.h5", 2

Change = Callable[[Path], Any]
PATHS = [label.path for label in LABELS.values() if label.path not in ABSENT]
REQUIRED = [label.path for label in LABELS.values() if not label.optional]


def shard_of(folder: Path) -> Path:
    return folder / "shards" / SHARD


def in_shard(change: Callable[[h5py.File], Any]) -> Change:
    def changed(folder: Path) -> None:
        with h5py.File(shard_of(folder), "r+") as file:
            change(file)

    return changed


def instead(path: str, make: Callable[[h5py.File, str], Any]) -> Change:
    """The dataset at a path goes, and `make` puts something there."""

    def changed(file: h5py.File) -> None:
        del file[path]
        make(file, path)

    return in_shard(changed)


def data(path: str, change: Callable[[Any], Any], **options: Any) -> Change:
    """Other content at a path, stored in the way of the old: pictures a chunk each, all else as one piece."""

    def changed(file: h5py.File) -> None:
        text = h5py.check_string_dtype(file[path].dtype)
        new = change(file[path].asstr()[:] if text else file[path][:])
        dtype = h5py.string_dtype() if np.asarray(new).dtype.kind == "O" else None
        picture = path in PICTURES and np.ndim(new) > 1
        stored = {"chunks": (1, *new.shape[1:]), "compression": "gzip"} if picture else {}
        del file[path]
        file.create_dataset(path, data=new, dtype=dtype, **{**stored, **options})

    return in_shard(changed)


def value(path: str, place: Any, new: Any) -> Change:
    def changed(array: Any) -> Any:
        array[place] = new
        return array

    return data(path, changed)


def attribute(name: str, new: Any) -> Change:
    def changed(file: h5py.File) -> None:
        del file.attrs[name]
        if new is not None:
            file.attrs[name] = new

    return in_shard(changed)


def text(path: str, new: str | bytes) -> Change:
    def changed(file: h5py.File) -> None:
        file[path][0] = new

    return in_shard(changed)


def facts(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Another dataset.json."""

    def changed(folder: Path) -> None:
        path = folder / "dataset.json"
        found = json.loads(path.read_text())
        change(found)
        path.write_text(json.dumps(found))

    return changed


def fact(name: str, new: Any) -> Change:
    return facts(lambda found: found.update({name: new}))


def placed(name: str, put: Callable[[Path], Any]) -> Change:
    """Something else under the name of a file or folder of the set."""

    def changed(folder: Path) -> None:
        path = folder / name
        path.rename(path.with_name("kept"))
        put(path)

    return changed


def bound(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        kept = Path.cwd()
        os.chdir(path.parent)  # the address of a socket has at most 107 characters
        listener.bind(path.name)
        os.chdir(kept)


def secret_beside(path: Path) -> Path:
    secret = path.with_name("secret")
    secret.write_bytes(SECRET * 2000)
    return secret


OTHER_FILES: dict[str, Callable[[Path], Any]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "no end": lambda path: path.symlink_to("/dev/full"),
    "folder": Path.mkdir,
    "loop of links": lambda path: path.symlink_to(path.name),
    "link to nothing": lambda path: path.symlink_to("nowhere"),
    "link to a secret": lambda path: path.symlink_to(secret_beside(path)),
    "socket": bound,
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(10_000)),
    "hole": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40),
}


def external(file: h5py.File, path: str) -> None:
    secret = secret_beside(Path(file.filename))
    label = next(label for label in LABELS.values() if label.path == path)
    shape = (PICTURE_COUNT, *label.shape_at(32, 40))
    element = np.dtype("S64") if label.text else label.element
    file.create_dataset(path, shape, element, external=[(str(secret), 0, h5py.h5f.UNLIMITED)])


def virtual(file: h5py.File, path: str) -> None:
    with h5py.File(Path(file.filename).with_name("00000.h5")) as other:
        source = h5py.VirtualSource(other[path])
        layout = h5py.VirtualLayout(other[path].shape, other[path].dtype)
    layout[:] = source
    file.create_virtual_dataset(path, layout)


def hollow(path: str, shape: tuple[int, ...]) -> Change:
    """A dataset of this shape with nothing in it."""
    label = next(label for label in LABELS.values() if label.path == path)
    element = h5py.string_dtype() if label.text else label.element
    chunks = {"chunks": (1, *shape[1:]), "compression": "gzip"} if path in PICTURES else {}
    return instead(path, lambda file, path: file.create_dataset(path, shape, element, **chunks))


def grown(file: h5py.File) -> None:
    for path in PICTURES:
        if path in file:
            file[path].resize(10**11, axis=0)


def twice_deflated(file: h5py.File) -> None:
    """A chunk of zeros under two filters is a million times as large as in the file."""
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk((1, 8192, 8192, 3))
    made.set_deflate(9)
    made.set_deflate(9)
    del file["rgb"]
    space = h5py.h5s.create_simple((PICTURE_COUNT, 8192, 8192, 3))
    dataset = h5py.h5d.create(file.id, b"rgb", h5py.h5t.STD_U8LE, space, made)
    chunk = isal_zlib.compress(isal_zlib.compress(bytes(3 << 26)))
    for i in range(PICTURE_COUNT):
        dataset.write_direct_chunk((i, 0, 0, 0), chunk)


def bomb(folder: Path) -> None:
    """4 GB of pixels in 200 KB: twenty pictures of 8192 x 8192 pixels are all the bytes of one."""
    chunk = isal_zlib.compress(bytes(3 << 26), 1)
    _repeat(folder, 20, 8192, {"rgb": chunk})
    path = folder / "shards" / "00000.h5"
    with h5py.File(path) as file:
        rgb = file["rgb"].id
        places = [rgb.get_chunk_info(i).byte_offset for i in range(20)]
    content = bytearray(path.read_bytes())
    for place in places[1:]:
        # The tree of chunks has the size, a mask and the offsets of each, then its place.
        at = content.index(place.to_bytes(8, "little"))
        content[at : at + 8] = places[0].to_bytes(8, "little")
        content[at - 48 : at - 44] = len(chunk).to_bytes(4, "little")
    path.write_bytes(content)


def crowd(folder: Path) -> None:
    """3 GB of text in 1 MB: the object labels of three thousand pictures are the bytes of one."""
    count = 3000
    _repeat(folder, count, 8, {})
    path = folder / "shards" / "00000.h5"
    with h5py.File(path, "r+") as file:
        file["objects"][0] = "[" + " " * 1_000_000 + "]"
        places = [file[name].id.get_offset() for name in ("objects", "scene")]
    content = bytearray(path.read_bytes())
    for place in places:
        content[place : place + 16 * count] = bytes(content[place : place + 16]) * count
    path.write_bytes(content)


def _repeat(folder: Path, count: int, side: int, chunks: Mapping[str, bytes]) -> None:
    """One shard of equal pictures. The first of them has the given chunks, if any, and the others a byte."""
    facts(lambda found: found.update(count=count, shard_size=count, shards={}))(folder)
    shard_of(folder).unlink()
    path = folder / "shards" / "00000.h5"
    with h5py.File(path) as old:
        attributes, scene = dict(old.attrs), old["scene"].asstr()[0]
    with h5py.File(path, "w", libver=("earliest", "v110")) as file:
        file.attrs.update(attributes)
        for label in (label for label in PICTURES.values() if not label.optional):
            shape = label.shape_at(side, side)
            pictures = create_pictures(file, label.path, shape, label.element).id
            pictures.set_extent((count, *shape))
            usual = deflated(np.ones(shape, label.element)) if side < 100 else b"x"
            for i in range(count):
                chunk = chunks.get(label.path, usual) if i == 0 else b"x" if label.path in chunks else usual
                pictures.write_direct_chunk((i,) + (0,) * len(shape), chunk)
        for name, label in VALUES.items():
            rows = np.zeros((count, *label.shape), label.element) if not label.text else None
            if name == "index":
                rows = np.arange(count)
            elif rows is not None and label.shape:
                rows[:] = np.eye(*label.shape)
            dtype = h5py.string_dtype() if label.text else label.element
            file.create_dataset(label.path, (count,) if rows is None else None, dtype, data=rows)
        file["scene"][0], file["objects"][0] = scene, "[]"


def in_json(path: str, change: Callable[[Any], Any]) -> Change:
    """Other JSON in the first row of a text."""

    def changed(file: h5py.File) -> None:
        found = json.loads(file[path].asstr()[0])
        change(found)
        file[path][0] = json.dumps(found)

    return in_shard(changed)


NOT_JSON = {
    "empty": "", "null": "null", "number": "3", "text": '"x"', "object": "{}", "list of null": "[null]",
    "open": "[" * 1_000_000, "deep": "[" * 900 + "]" * 900, "deep object": '{"a":' * 100_000, "cut": '[{"instance":1',
    "NaN": "[NaN]", "infinity": "[1e999]", "digits": "9" * 1_000_000, "no Unicode": b"\xff\xfe\xfa",
    "secret": SECRET,
}  # fmt: skip


def _links() -> Iterator[tuple[str, Change]]:
    for path in PATHS:
        yield (
            f"external link {path}",
            instead(path, lambda file, path: file.__setitem__(path, h5py.ExternalLink("00000.h5", path))),
        )
        yield f"soft link {path}", instead(path, lambda file, path: file.__setitem__(path, h5py.SoftLink("/rgb")))
        yield f"external storage {path}", instead(path, external)
        yield f"group {path}", instead(path, lambda file, path: file.create_group(path))
    for path in PATHS:
        if path not in ("objects", "scene"):
            yield f"virtual {path}", instead(path, virtual)
    yield "soft link in a circle", instead("rgb", lambda file, path: file.__setitem__(path, h5py.SoftLink("/rgb")))
    yield "group that holds itself", instead("camera", lambda file, path: file.__setitem__(path, file["/"]))
    yield (
        "external link to the secret",
        instead("camera", lambda file, path: file.__setitem__(path, h5py.ExternalLink("/etc/passwd", "/"))),
    )
    yield "a type for data", instead("index", lambda file, path: file.__setitem__(path, np.dtype("<i8")))


def _kinds() -> Iterator[tuple[str, Change]]:
    for path in REQUIRED:
        yield f"without {path}", in_shard(lambda file, path=path: file.__delitem__(path))
    for path in ("rgb", "depth", "instance", "category", "part", "normals", "alpha", "index", "label"):
        for kind in ("<f8", ">u2", "<i1"):
            yield f"{path} as {kind}", data(path, lambda array, kind=kind: array.astype(kind))
    for path in ("camera/intrinsics", "camera/world_to_camera"):
        yield f"{path} as float", data(path, lambda array: array.astype("<f4"))
    for path in ("index", "label"):
        yield f"{path} as text", data(path, lambda array: np.array([str(k) for k in array], object))
        yield f"{path} as fractions", data(path, lambda array: array + 0.5)
        yield f"{path} in rows", data(path, lambda array: array[:, None])
        yield (
            f"{path} in chunks",
            data(path, lambda array: array, chunks=(1,)),
        )
    for path in PATHS:
        yield f"too long {path}", data(path, lambda array: np.concatenate([array, array]))
        yield f"too short {path}", data(path, lambda array: array[:-1])
        yield f"one of {path}", instead(path, lambda file, path: file.__setitem__(path, 1))
        yield f"nothing in {path}", instead(path, lambda file, path: file.__setitem__(path, h5py.Empty("<f4")))
    for path in ("rgb", "depth", "normals", "background"):
        yield f"cropped {path}", data(path, lambda array: array[:, :20])
        yield f"turned {path}", data(path, lambda array: array.swapaxes(1, 2))
    yield "gray rgb", data("rgb", lambda array: array[..., 0])
    yield "rgb with alpha", data("rgb", lambda array: array.repeat(2, 3)[..., :4])
    yield "rgb in one chunk", data("rgb", lambda array: array, chunks=(2, 32, 40, 3))
    yield "rgb in one piece", data("rgb", lambda array: array, chunks=None, compression=None)
    yield "rgb under another filter", data("rgb", lambda array: array, compression="lzf")
    yield "rgb without pixels", data("rgb", lambda array: array[:, :0], chunks=None, compression=None)
    yield "objects of one length", data("objects", lambda array: np.array([b"[]"] * len(array)))
    for path, shape in {
        "rgb": (10**12, 32, 40, 3), "depth": (10**12, 32, 40), "index": (10**12,), "label": (10**12,),
        "objects": (10**12,), "scene": (10**12,), "camera/intrinsics": (10**11, 3, 3),
    }.items():  # fmt: skip
        yield f"endless {path}", hollow(path, shape)
        yield f"hollow {path}", hollow(path, (PICTURE_COUNT, *shape[1:]))
    for shape in ((2, 10**9, 10**9, 3), (2, 1 << 20, 1 << 20, 3), (2, 1, 1 << 27, 3)):
        yield f"rgb of {shape}", in_shard(
            lambda file, shape=shape: (
                file.__delitem__("rgb"), file.create_dataset("rgb", shape, "<u1", chunks=(1, 1, 1, 3)),
            )
        )  # fmt: skip
    yield "all endless", in_shard(grown)
    yield "deflated twice", in_shard(twice_deflated)
    yield "one chunk for all", bomb
    yield "one text for all", crowd


def _values() -> Iterator[tuple[str, Change]]:
    for new in (-2, 3, 4, 32767, -32768):
        yield f"label {new}", value("label", 0, new)
    for rows in ([2, 2], [3, 2], [0, 1], [2, 4], [-1, 2], [2, 2**62], [4, 5]):
        yield f"indices {rows}", data("index", lambda array, rows=rows: np.array(rows))
    for path, kinds in {
        "format": (None, 3, -1, 2.0, "two", [2, 2], np.zeros(8000, "u1"), h5py.Empty("i8")),
        "config_hash": (None, 5, "", "other", "x" * 60_000, ["a", "b"], h5py.Empty("S5")),
        "seed": (None, 7, -1, "0", 0.5, [0], np.zeros(8000), h5py.Empty("i8")),
    }.items():  # fmt: skip
        for number, new in enumerate(kinds):
            yield f"attribute {path} {number}", attribute(path, new)


def _unseen() -> Iterator[tuple[str, Change]]:
    """What a training does not read."""
    yield (
        "skeleton of 2",
        in_shard(
            lambda file: file.create_dataset(
                "skeleton", data=np.full((2, 32, 40), 2, "u1"), chunks=(1, 32, 40), compression="gzip"
            )
        ),
    )
    for new in (np.nan, 0.0, -1.0, -np.inf):
        yield f"depth {new}", value("depth", (0, 3, 3), new)
    for new in (np.nan, np.inf):
        yield f"normal {new}", value("normals", (0, 3, 3, 1), new)
        yield f"intrinsics {new}", value("camera/intrinsics", (0, 0, 0), new)
        yield f"pose {new}", value("camera/world_to_camera", (0, 0, 0), new)
    yield "pose of zeros", value("camera/world_to_camera", 0, 0.0)
    yield "category beyond the classes", value("category", (0, 3, 3), 4)
    for name, content in NOT_JSON.items():
        yield f"scene {name}", text("scene", content)
    yield "scene of a list", text("scene", "[]")
    yield "scene of text for numbers", in_json("scene", lambda found: found["camera"].update(width="wide"))
    yield "scene with NaN", in_json("scene", lambda found: found["camera"].update(fstop=float("nan")))
    yield "scene of a huge camera", in_json("scene", lambda found: found["camera"].update(width=10**400))


def _object_texts() -> Iterator[tuple[str, Change]]:
    for name, content in NOT_JSON.items():
        yield f"objects {name}", text("objects", content)
    for name, new in {
        "box": [0, 0, 1], "pixels": "many", "share": float("nan"), "visibility": None, "keypoints": [1],
        "category": 3, "parts": "body", "instance": 10**400, "amodal_box": [float("nan")] * 4,
    }.items():  # fmt: skip
        yield (
            f"objects with the {name} {str(new)[:20]}",
            in_json("objects", lambda found, name=name, new=new: found[0].update({name: new})),
        )
    yield "objects without a box", in_json("objects", lambda found: found[0].pop("box"))


def _manifests() -> Iterator[tuple[str, Change]]:
    for name, content in NOT_JSON.items():
        raw = content if isinstance(content, bytes) else content.encode()
        yield f"dataset.json {name}", lambda folder, raw=raw: (folder / "dataset.json").write_bytes(raw)
    for name, values in {
        "format": (1, 3, True, "2", None, [2]),
        "count": (10**12, 0, -1, 1.5, "many", None, 10**400, 10**9, float("nan"), [4]),
        "shard_size": (0, -1, 10**12, "two", None, 1e400),
        "classes": (None, "mug", ["mug", "mug", "car"], [1, 2, 3], ["x" * 10_000] * 3, [["mug"]], {"mug": 1},
                    ["mug\n", "car", "van"], ["\x1b[2J", "car", "van"], ["a"] * 10**6,
                    [f"c{k}" for k in range(10**5)]),
        "config": (None, [], 3, {"a": float("nan")}, json.loads('{"a":' * 300 + "1" + "}" * 300)),
        "config_hash": (None, 3, ["a"], "x" * 100_000),
        "seed": (None, "zero", 1.5, [0], 10**400),
        "versions": ([], {"a": 1}, {"a": "x" * 10**6}),
        "device": (None, 3, "x" * 10**6),
        "shards": ([], {"../../x.h5": "0" * 64}, {"00001.h5": ""}, {"00001.h5": "0" * 63}, {"00001.h5": "G" * 64},
                   {"00001.h5": "0" * 65}, {"00001.h5": 5}, {"/etc/passwd": "0" * 64}, {"00001.h5\n": "0" * 64}),
        "skipped": (5, ["a"], [-1], [4], [10**30], [0.5], [0, 0], [1, 0]),
        "assets": ([], {"a": 1}, {"a": {"sha256": "0" * 64}}, {"a": {"sha256": "", "license": "", "spy": 1}}),
        "warnings": ([], {"a": 1}), "left_out": ([], {"a": 1}), "spy": (1,),
    }.items():  # fmt: skip
        for number, new in enumerate(values):
            yield f"{name} {number} {str(new)[:12]!r}", fact(name, new)
    for name in ("count", "config", "classes", "seed", "device", "shard_size", "config_hash", "versions"):
        yield f"without {name}", facts(lambda found, name=name: found.pop(name))


def _files() -> Iterator[tuple[str, Change]]:
    for kind, put in OTHER_FILES.items():
        yield f"dataset.json is a {kind}", placed("dataset.json", put)
        yield f"shard is a {kind}", placed(f"shards/{SHARD}", put)
        if kind not in ("folder", "link to nothing"):  # of a set whose first picture is not there yet
            yield f"shards is a {kind}", placed("shards", put)


REFUSED = dict((*_links(), *_kinds(), *_values(), *_object_texts(), *_manifests(), *_files()))
UNSEEN = dict(_unseen())
RIGHT: dict[str, Change] = {
    "as it is": lambda folder: None,
    "a device that a terminal would obey": fact("device", "\x1b]0;title\x07\n"),
    "a version that a terminal would obey": fact("versions", {"a": "\x1b[2J"}),
    "more facts of an object": in_json("objects", lambda found: found[0].update(spy=1)),
    "more facts of a scene": in_json("scene", lambda found: found.update(spy=1)),
    "dataset.json in 16 bits": lambda folder: (folder / "dataset.json").write_text(
        (folder / "dataset.json").read_text(), encoding="utf-16-le"
    ),
    "more datasets": in_shard(lambda file: file.create_dataset("spy", (10**12,), "<f8")),
    "more links": in_shard(lambda file: file.__setitem__("spy", h5py.ExternalLink("/etc/passwd", "/"))),
    "more attributes": in_shard(lambda file: file.attrs.update(spy=SECRET)),
    "link to the shard": lambda folder: (
        shard_of(folder).rename(folder / "other.h5"), shard_of(folder).symlink_to("../other.h5")
    ),
}  # fmt: skip


def flipped(folder: Path, number: int) -> None:
    """A byte of the shard has another value, or the shard ends early. No sum tells it."""
    rng = np.random.default_rng(number)
    path = shard_of(folder)
    content = bytearray(path.read_bytes())
    # Half of the places are in the first 20 KB, where the tables of HDF5 are.
    place = int(rng.integers(min(len(content), 20_000) if number % 2 else len(content)))
    if number % 5 == 4:
        content = content[:place]
    else:
        content[place] ^= 1 << int(rng.integers(8)) if number % 3 else int(rng.integers(1, 256))
    path.write_bytes(content)
