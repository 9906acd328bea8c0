"""Finds the files that a model file refers to, without reading the model. They must lie in the model's folder."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from scenes.assets.mirror import Mirror
from scenes.errors import LoadError, shortened
from scenes.files import POINTER, inside, is_pointer

MAX_BYTES = 512 << 20
# A hostile file can announce more numbers than it holds, and reading would then fill the memory with zeros.
MAX_COUNT = 30_000_000
MAX_NAMES = 1000
"""Other files that one file may name."""
MAX_PARTS = 4096
"""Materials, each of which is a part. The part mask would hold up to 65520 (`render/blender/parts.py`)."""
# Models of Gazebo, such as Google's scanned objects, name their textures by the last part of the path alone.
TEXTURE_FOLDERS = ("", "textures/", "../textures/", "../materials/textures/")
# Map options of MTL files: "-s 1 1 1 -clamp on -type sphere wood.png".
_OPTIONS = re.compile(r"^(?:-(?:(?:type|colorspace)\s+\S+\s+|\w+\s+(?:(?:on|off|[lrgbmz]|[-+.\deE]+)\s+)+))+")


@dataclass(frozen=True)
class References:
    """found: name as written to the file it means. lacking: name to where a picture or library ought to be. root: the
    folder that holds all that the model may refer to; None is the model's own."""

    found: dict[str, Path] = field(default_factory=dict)
    lacking: dict[str, Path] = field(default_factory=dict)
    root: Path | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of pictures and libraries that are not there."""
        return tuple(self.lacking)

    @property
    def watched(self) -> list[Path]:
        """All files that change the model if they are added, removed or edited."""
        return sorted({*self.found.values(), *self.lacking.values()})

    def file(self, written: str) -> Path | None:
        """The file that a name means, as a line of an MTL, OBJ or PLY file has it."""
        return self.found.get(written) or self.found.get(clean(written))

    def digest(self, path: Path) -> str:
        """sha256 over the model file and all it refers to. Raises LoadError."""
        try:
            digest = hashlib.sha256(path.read_bytes())
            for name in sorted(self.found):
                digest.update(name.encode(errors="replace") + b"\0" + self.found[name].read_bytes())
        except OSError as error:
            raise LoadError(f"cannot be read: {error.strerror or error}") from None
        for name in self.missing:
            digest.update(b"missing " + name.encode(errors="replace"))
        return digest.hexdigest()


def references(path: Path, root: Path, mirror: Mirror | None = None) -> References:
    """The files that a model file names. Of the formats that Blender reads, only USD as text is looked into.

    mirror: what the root is a mirror of, if it is one; the files are fetched then.

    Raises LoadError if the file cannot be read, is empty or over MAX_BYTES, or names one outside of `root`.
    """
    suffix = path.suffix.lower()
    finder = {
        ".obj": _of_obj, ".gltf": _of_gltf, ".glb": _of_gltf, ".ply": _of_ply, ".stl": _of_stl, ".usda": _of_usd,
        ".usd": _of_usd,
    }.get(suffix)  # fmt: skip
    try:
        size = path.stat().st_size
        if size == 0:
            raise LoadError("is empty")
        if size > MAX_BYTES:
            raise LoadError(f"has {size >> 20} MiB, the limit is {MAX_BYTES >> 20}")
        if is_pointer(path):
            raise LoadError(POINTER)
        names = finder(path.read_bytes()) if finder else ()
        return _Finder(path, root, mirror).resolved(names)
    except OSError as error:
        raise LoadError(f"cannot be read: {error.strerror or error}") from None


def clean(name: str) -> str:
    """A file name as written in an MTL or OBJ file, without its map options, its quotes and what escapes its spaces."""
    return _OPTIONS.sub("", name.strip()).strip("\"'").replace("\\ ", " ")


class _Finder:
    def __init__(self, path: Path, root: Path, mirror: Mirror | None, layers: set[Path] | None = None):
        self._mirror = mirror
        self._folder = path.resolve().parent
        self._layers = {path.resolve()} if layers is None else layers
        # A folder linked into the root keeps to itself.
        self._root = root if self._folder.is_relative_to(root.resolve()) else self._folder

    def resolved(self, names: Iterable[tuple[str, str]]) -> References:
        """From (name, purpose): buffers and layers must be there, pictures and libraries may miss. Libraries and layers
        name more."""
        found: dict[str, Path] = {}
        lacking: dict[str, Path] = {}
        names = list(dict.fromkeys(names))
        if len(names) > MAX_NAMES:
            raise LoadError(f"names {len(names)} other files, the limit is {MAX_NAMES}")
        for name, purpose in names:
            if "://" in name and purpose in ("picture", "library"):
                lacking[name] = self._folder / re.sub(r"\W+", "_", name)
                continue
            if purpose == "layer" and _absolute(name):
                raise LoadError(f"refers to a file outside its folder: '{shortened(name)}'")
            path = self._picture(name) if purpose == "picture" else self._locate(name)
            if self._is_there(path):
                found[name] = path
                if purpose in ("buffer", "layer") and is_pointer(path):
                    raise LoadError(f"needs '{shortened(name)}', which {POINTER}")
                if purpose == "library":
                    # Names in a library are relative to it; some exporters write them relative to the model.
                    below = _Finder(path, self._root, self._mirror, self._layers).resolved(_of_mtl(path.read_bytes()))
                    other = self.resolved((picture, "picture") for picture in below.lacking)
                    found |= below.found | other.found
                    lacking |= {picture: below.lacking[picture] for picture in other.lacking}
                if purpose == "layer" and path not in self._layers:
                    self._layers.add(path)
                    below = _Finder(path, self._root, self._mirror, self._layers).resolved(_of_usd(path.read_bytes()))
                    found |= {str(inner): inner for inner in below.found.values()}
            elif purpose in ("buffer", "layer"):
                raise LoadError(f"needs '{shortened(name)}', which is not there")
            else:
                lacking[name] = path
        return References(found, lacking, self._root.resolve())

    def _is_there(self, path: Path) -> bool:
        return path.is_file() if self._mirror is None else self._mirror.bring(path)

    def _picture(self, name: str) -> Path:
        """Where a picture lies. If it is not where its name says, the folders that others look into are tried."""
        path = self._locate(name)
        if self._is_there(path):
            return path
        for folder in TEXTURE_FOLDERS:
            try:
                other = self._locate(folder + PureWindowsPath(name).name)
            except LoadError:  # leads out of the root
                continue
            if self._is_there(other):
                return other
        return path

    def _locate(self, name: str) -> Path:
        if "://" in name:
            raise LoadError(f"refers to '{shortened(name)}' on the network")
        try:
            # An absolute path is that of the machine it was made on: only a file of that name beside the model counts.
            path = inside(self._root, PureWindowsPath(name).name if _absolute(name) else name, self._folder)
        except ValueError as error:
            raise LoadError(f"refers to a file outside its folder: {error}") from None
        if self._mirror is not None:
            return path if self._mirror.bring(path) else self._mirror.otherwise(path)
        return path if path.exists() else _same_but_case(path)


def _same_but_case(path: Path) -> Path:
    """The file or folder of that name in other letters, for names from a system that does not tell upper from lower
    case; else the path itself."""
    folder = path.parent if path.parent.exists() or path.parent == path else _same_but_case(path.parent)
    if not folder.is_dir():
        return path
    same = [other for other in folder.iterdir() if other.name.casefold() == path.name.casefold()]
    return min(same, default=folder / path.name)


def _absolute(name: str) -> bool:
    return name.startswith(("/", "\\")) or name[1:2] == ":"


def decoded(data: bytes) -> str:
    """The text of an OBJ or MTL file."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _of_obj(data: bytes) -> list[tuple[str, str]]:
    return [(name, "library") for name in libraries(data)]


def libraries(data: bytes) -> list[str]:
    """The MTL files that an OBJ file names, in their order. One line may name several."""
    lines = re.findall(r"^[ \t]*mtllib[ \t]+([^\r\n]+)", decoded(data), re.MULTILINE)
    found: dict[str, None] = {}
    for line in lines:
        # A name may hold spaces, so only a name that ends inside the line ends there.
        ends = re.findall(r"(\S.*?\.mtl)(?=\s|$)", line, re.IGNORECASE)
        found |= dict.fromkeys(map(clean, ends or [line]))
    return list(found)


def tiling(written: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """The scale and the offset of UVs in a line of an MTL file such as "-s 3 3 1 -o 0 0 0 wood.png"."""

    def pair(option: str, default: float) -> tuple[float, float]:
        found = re.search(rf"(?:^|\s)-{option}((?:\s+[-+]?[\d.]+(?:[eE][-+]?\d+)?(?=\s))+)", written)
        numbers = [float(word) for word in found[1].split()] if found else []
        u = numbers[0] if numbers else default
        return u, numbers[1] if len(numbers) > 1 else default

    return pair("s", 1.0), pair("o", 0.0)


def _of_mtl(data: bytes) -> list[tuple[str, str]]:
    names = re.findall(
        r"^[ \t]*(?:map_(?:Kd|d|Pr|Pm|Ke|Bump)|bump|norm)[ \t]+([^\r\n]+)", decoded(data), re.MULTILINE | re.IGNORECASE
    )
    return [(name, "picture") for name in map(clean, names) if name]


def _of_ply(data: bytes) -> list[tuple[str, str]]:
    head = data[:100_000].split(b"end_header")[0]
    for count in re.findall(rb"^element[ \t]+\S+[ \t]+(\d+)", head, re.MULTILINE):
        # Python converts no number of thousands of digits.
        if len(count) > 12 or int(count) > len(data):
            raise LoadError(f"is truncated: it announces {shortened(count.decode())} elements in {len(data)} bytes")
    found = re.search(rb"^comment[ \t]+TextureFile[ \t]+([^\r\n]+)", head, re.MULTILINE)
    return [(clean(decoded(found[1])), "picture")] if found else []


def _of_stl(data: bytes) -> list[tuple[str, str]]:
    if len(data) >= 84 and b"facet" not in data[:1000]:
        count = struct.unpack_from("<I", data, 80)[0]
        if len(data) < 84 + 50 * count:
            raise LoadError(f"is truncated: it announces {count} triangles in {len(data)} bytes")
    return []


def _of_usd(data: bytes) -> list[tuple[str, str]]:
    """The layers and pictures that USD as text names, such as @./wheel.usda@. Packed USD names none here."""
    if not data.startswith(b"#usda"):
        return []
    # A name in brackets lies inside the package before it.
    names = [(a or b).partition("[")[0] for a, b in re.findall(r"@@@(.+?)@@@|@([^@\n]+)@", decoded(data))]
    layers = (".usd", ".usda", ".usdc", ".usdz", ".abc")
    return [(name, "layer" if Path(name).suffix.lower() in layers else "picture") for name in names if name]


def _of_gltf(data: bytes) -> list[tuple[str, str]]:
    tree = gltf_tree(data)
    for accessor in _objects(tree, "accessors"):
        if isinstance(accessor.get("count"), int) and accessor["count"] > MAX_COUNT:
            raise LoadError(f"announces {accessor['count']} numbers in one array, the limit is {MAX_COUNT}")
    # A copy for programs that do not decompress is not needed, and may have been left out.
    needed = [buffer for buffer in _objects(tree, "buffers") if not _is_fallback(buffer)]
    names = [(b["uri"], "buffer") for b in needed if isinstance(b.get("uri"), str)]
    names += [(i["uri"], "picture") for i in _objects(tree, "images") if isinstance(i.get("uri"), str)]
    return [(unquote(name), purpose) for name, purpose in names if not name.startswith("data:")]


def _is_fallback(buffer: dict[str, Any]) -> bool:
    """Whether an extension that compresses says that a buffer is only for programs that do not know it."""
    extensions = buffer.get("extensions")
    told = extensions.values() if isinstance(extensions, dict) else ()
    return any(isinstance(one, dict) and one.get("fallback") is True for one in told)


def gltf_tree(data: bytes) -> dict[str, Any]:
    """The JSON of a .gltf or .glb file. Raises LoadError."""
    if data[:4] == b"glTF":
        if len(data) < 20:
            raise LoadError("is truncated: its header is cut off")
        total, length = struct.unpack("<8xII", data[:16])
        if len(data) < max(total, 20 + length):
            raise LoadError(f"is truncated: {len(data)} bytes of {max(total, 20 + length)}")
        data = data[20 : 20 + length]
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise LoadError("is not glTF: its JSON cannot be read") from None
    if not isinstance(tree, dict):
        raise LoadError("is not glTF: its JSON is no object")
    return tree


def _objects(tree: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = tree.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
