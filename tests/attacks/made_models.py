"""Model files as attackers make them. Each case is a function that writes files into a folder and returns the model."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from tests.scenes.gltf_files import Builder

Case = Callable[[Path], Path]

SECRET = "SECRETWORD"
"""Stands in the file `secret` beside the folder of the model, as text that every reader of lines understands."""

_TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\n"
_FACE = "f 1/1 2/2 3/3\n"
# Where a name in a file may lead.
PLACES = {
    "absolute": "/etc/passwd",
    "above": "../secret",
    "far above": "../" * 40 + "etc/passwd",
    "drive": "C:\\Windows\\win.ini",
    "share": "\\\\server\\share\\secret",
    "file address": "file:///etc/passwd",
    "http address": "http://127.0.0.1:1/secret",
    "link": "link",
    "folder": "folder",
    "pipe": "pipe",
    "device": "device",
    "loop": "loop",
    "itself": "x.obj",
    "NUL": "a\0b",
    "long": "n" * 5000,
    "deep": "d/" * 3000 + "x",
    "dots": ".",
}


def surround(folder: Path) -> None:
    """What the names in PLACES mean."""
    text = f"newmtl {SECRET}\nKd 1 0 0\nmap_Kd {SECRET}.png\n# {SECRET}\nv {SECRET}\n"
    (folder.parent / "secret").write_text(text)
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    for name, target in (("link", "../secret"), ("device", "/dev/zero"), ("loop", "loop")):
        (folder / name).symlink_to(target)


def content(suffix: str, data: bytes | str) -> Case:
    def make(folder: Path) -> Path:
        path = folder / f"x{suffix}"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return make


def placed(suffix: str, place: str) -> Case:
    """The model itself is a link to a place."""

    def make(folder: Path) -> Path:
        path = folder / f"x{suffix}"
        path.symlink_to(place)
        return path

    return make


def dressed(library: str, picture: bytes | None = None) -> Case:
    """An OBJ file with a library of materials, and perhaps a picture."""

    def make(folder: Path) -> Path:
        (folder / "x.mtl").write_text(library)
        if picture is not None:
            (folder / "x.png").write_bytes(picture)
        return content(".obj", f"mtllib x.mtl\n{_TRIANGLE}usemtl m\n{_FACE}")(folder)

    return make


def whole() -> dict[str, bytes]:
    """A file of each format that is read without Blender."""
    ball = trimesh.creation.icosphere(1)
    ball.visual = trimesh.visual.TextureVisuals(uv=ball.vertices[:, :2])
    named = {
        ".obj": {}, ".stl": {}, ".off": {}, ".ply": {}, "-text.ply": {"encoding": "ascii"}, "-text.stl": {}
    }  # fmt: skip
    found = {}
    for name, options in named.items():
        kind = "stl_ascii" if name == "-text.stl" else name.rpartition(".")[2]
        data = ball.export(file_type=kind, **options)
        data = data[0] if isinstance(data, tuple) else data
        found[name] = data.encode() if isinstance(data, str) else data
    return found


def mutated(data: bytes, seed: int) -> bytes:
    """Bytes flipped, cut out, doubled, or replaced by words that readers trip over."""
    rng, changed = np.random.default_rng(seed), bytearray(data)
    for _ in range(rng.integers(1, 7)):
        at, length = int(rng.integers(len(changed))), int(rng.integers(1, 200))
        kind = rng.integers(4)
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            del changed[at : at + length]
        elif kind == 2:
            changed[at:at] = changed[at : at + length]
        else:
            changed[at : at + 8] = rng.choice(
                [b" nan inf ", b" -1 9999999999 ", b"\0\0\x80\x7f", b"\xff" * 8, b" 1e999 "]
            )
    return bytes(changed or b"x")


def announced_png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG file that says it has so many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def png(size: int = 8) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size, size, 3), dtype=np.uint8)).save(data, "PNG")
    return data.getvalue()


def polygon(kind: str, corners: int) -> np.ndarray:
    """(n, 2) one polygon: round, a star, a spiral, or without any order."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    if kind == "wild":
        return np.random.default_rng(0).uniform(-1, 1, (corners, 2))
    if kind == "spiral":
        half = np.linspace(0, 40 * np.pi, corners // 2)
        turn = np.concatenate([half, half[::-1]])
        size = np.concatenate([half + 4, half[::-1] + 2])
    else:
        size = 1 + 0.5 * (kind == "star") * (np.arange(corners) % 2)
    return np.stack([size * np.cos(turn), size * np.sin(turn)], axis=1)


def _polygons() -> dict[str, Case]:
    found = {}
    # To cut what crosses itself takes time that grows with the square of the corners.
    for kind, corners in (("round", 40_000), ("star", 40_000), ("spiral", 10_000), ("wild", 10_000)):
        points = [f"{x:.6f} {y:.6f} 0" for x, y in polygon(kind, corners)]
        numbers = range(len(points))
        found[f"polygon {kind} obj"] = content(
            ".obj", "".join(f"v {p}\n" for p in points) + "f " + " ".join(str(k + 1) for k in numbers)
        )
        found[f"polygon {kind} off"] = content(
            ".off", f"OFF\n{corners} 1 0\n" + "\n".join(points) + f"\n{corners} " + " ".join(map(str, numbers))
        )
    return found


def _ply(vertices: str, faces: str, count: str = "4", polygons: str = "1", kind: str = "uchar") -> str:
    return (
        f"ply\nformat ascii 1.0\nelement vertex {count}\nproperty float x\nproperty float y\nproperty float z\n"
        f"element face {polygons}\nproperty list {kind} int vertex_indices\nend_header\n{vertices}\n{faces}\n"
    )


def _numbers() -> dict[str, Case]:
    """Places and indices that are no such thing, in each format."""
    found = {}
    for word in ("nan", "inf", "1e308", "1e-320", "9" * 5000, "x", "0x10", "1_0", "١"):
        name = word[:8]
        found[f"place {name} obj"] = content(".obj", f"v {word} 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
        found[f"place {name} off"] = content(".off", f"OFF\n3 1 0\n{word} 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
        found[f"place {name} ply"] = content(".ply", _ply(f"{word} 0 0\n1 0 0\n0 1 0\n0 0 1", "3 0 1 2"))
    for word in ("99", "-9", "99999999999999999999", "2147483648", "1.5", "9" * 5000):
        name = word[:8]
        found[f"index {name} obj"] = content(".obj", f"{_TRIANGLE}f 1 2 {word}\n")
        found[f"index {name} off"] = content(".off", f"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 {word}\n")
        found[f"index {name} ply"] = content(".ply", _ply("0 0 0\n1 0 0\n0 1 0\n0 0 1", f"3 0 1 {word}"))
    for word in ("4000000000", "-1", "1e9", "9" * 5000, "0"):
        name = word[:8]
        found[f"count {name} off"] = content(".off", f"OFF\n{word} 1 0\n0 0 0\n3 0 1 2\n")
        found[f"polygons {name} off"] = content(".off", f"OFF\n3 {word} 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
        found[f"corners {name} off"] = content(".off", f"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n{word} 0 1 2\n")
        found[f"count {name} ply"] = content(".ply", _ply("0 0 0\n1 0 0\n0 1 0\n0 0 1", "3 0 1 2", count=word))
        found[f"polygons {name} ply"] = content(".ply", _ply("0 0 0\n1 0 0\n0 1 0\n0 0 1", "3 0 1 2", polygons=word))
        found[f"corners {name} ply"] = content(".ply", _ply("0 0 0\n1 0 0\n0 1 0\n0 0 1", f"{word} 0 1 2", kind="int"))
    return found


def _binary() -> dict[str, Case]:
    head = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face {}\nproperty list uint int vertex_indices\nend_header\n"
    )
    places = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()

    def ply(count: int, corners: int, announced: int = 1) -> bytes:
        return head.format(announced).encode() + places + struct.pack("<I", corners) + b"\0\0\0\0" * count

    nothing = (
        b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
        b"property float z\nelement face 20000\nproperty list uchar int vertex_indices\nend_header\n"
    )
    mixed = b"".join(bytes([3 + k % 2]) + struct.pack("<4i", 0, 1, 2, 0)[: 4 * (3 + k % 2)] for k in range(20_000))
    return {
        "binary ply, a list of 4e9": content(".ply", ply(3, 0xFFFFFFFF)),
        "binary ply, 4e9 faces": content(".ply", ply(3, 3, 4_000_000_000)),
        "binary ply, empty lists": content(".ply", nothing + places + b"\0" * 20_000),
        "binary ply, mixed lists": content(".ply", nothing + places + mixed),
        "binary ply without properties": content(
            ".ply", b"ply\nformat binary_big_endian 1.0\nelement x 9\nend_header\n"
        ),
        "stl of 4e9 triangles": content(".stl", b"\0" * 80 + b"\xff" * 4 + b"\0" * 500),
        "stl of nan": content(".stl", b"\0" * 80 + struct.pack("<I", 2) + b"\xff\xff\xff\x7f" * 24 + b"\0\0\0\0"),
        "stl text without end": content(".stl", "solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 0\n" * 1000),
    }


def _many() -> dict[str, Case]:
    count = 100_000
    return {
        "million materials obj": content(
            ".obj", _TRIANGLE + "".join(f"usemtl m{k}\n{_FACE}" for k in range(10 * count))
        ),
        "thousand materials obj": content(".obj", _TRIANGLE + "".join(f"usemtl m{k}\n{_FACE}" for k in range(1000))),
        "groups obj": content(".obj", _TRIANGLE + "".join(f"o o{k}\ng g{k}\n" for k in range(2 * count)) + _FACE),
        "library lines obj": dressed("newmtl m\n" + "Kd 1 0 0\n" * count),
        "library materials obj": dressed("".join(f"newmtl m{k}\n" for k in range(count))),
        "library maps obj": dressed("newmtl m\n" + "".join(f"map_Kd {k}.png\n" for k in range(count))),
        "libraries obj": content(".obj", "".join(f"mtllib {k}.mtl\n" for k in range(count)) + _TRIANGLE + _FACE),
        "long line obj": content(".obj", f"# {'x' * 20_000_000}\n{_TRIANGLE}{_FACE}"),
        "joined lines obj": content(".obj", f"{_TRIANGLE}{_FACE}" + "\\\n" * 1_000_000),
        "blanks obj": content(".obj", f"mtllib {' ' * 100_000}x\n{_TRIANGLE}{_FACE}"),
        "option words obj": dressed("newmtl m\nmap_Kd " + "-s 1 1 1 " * 3000 + "x\n"),
        "option dashes obj": dressed("newmtl m\nmap_Kd " + "-s " * 3000 + "1" * 3000 + "\n"),
        "elements ply": content(".ply", "ply\nformat ascii 1.0\n" + "element x 0\n" * 10_000 + "end_header\n"),
        "properties ply": content(
            ".ply", "ply\nformat ascii 1.0\nelement vertex 1\n" + "property float x\n" * 10_000 + "end_header\n"
        ),
        "one point stl": content(".stl", b"\0" * 80 + struct.pack("<I", count) + b"\0" * 50 * count),
        "one point obj": content(".obj", "v 0 0 0\n" * 3 + "f 1 2 3\n" * 20_000),
    }


def _pictures() -> dict[str, Case]:
    library = "newmtl m\nKd 1 0 0\nmap_Kd x.png\nmap_d x.png\n"
    return {
        "map of 20000 x 20000": dressed(library, announced_png(20_000, 20_000)),
        "map that is a bomb": dressed(library, announced_png(60_000, 60_000, b"\0" * (1 << 26))),
        "map with too little": dressed(library, announced_png(9_000, 9_000, b"\0" * 100)),
        "map that is cut off": dressed(library, png(64)[:2000]),
        "map of garbage": dressed(library, bytes(range(256)) * 20),
        "map that is empty": dressed(library, b""),
        "map that is a program": dressed(library, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    }


def plain() -> dict[str, Case]:
    """Cases that need no Blender."""
    found: dict[str, Case] = {}
    for name, data in whole().items():
        suffix = Path("x" + name).suffix
        found |= {f"mutated {seed} {name}": content(suffix, mutated(data, seed)) for seed in range(8)}
        found |= {f"cut {share} {name}": content(suffix, data[: int(len(data) * share)]) for share in (0.1, 0.6, 0.97)}
    found |= _numbers() | _binary() | _polygons() | _many() | _pictures()
    for name, place in PLACES.items():
        found[f"library {name}"] = content(".obj", f"mtllib {place}\n{_TRIANGLE}{_FACE}")
        found[f"map {name}"] = dressed(f"newmtl m\nKd 1 0 0\nmap_Kd {place}\nmap_d {place}\n")
        found[f"ply map {name}"] = content(
            ".ply",
            _ply("0 0 0\n1 0 0\n0 1 0\n0 0 1", "3 0 1 2").replace(
                "element", f"comment TextureFile {place}\nelement", 1
            ),
        )
    for suffix in (".obj", ".stl", ".off", ".ply"):
        for place in ("../secret", "/etc/passwd", "/dev/zero", "pipe", "folder", f"x{suffix}"):
            found[f"{suffix} at {place}"] = placed(suffix, place)
    return found


def _tree(path: Path, **changes: object) -> Path:
    """A square as glTF, its tree changed."""
    built = Builder().of({"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}})
    built.image()
    built.tree |= changes
    return built.write(path)


def _gltf(**changes: object) -> Case:
    return lambda folder: _tree(folder / "x.glb", **changes)


def _rewritten(key: str, value: object) -> Case:
    """A .gltf file of which the first buffer or image is somewhere else."""

    def make(folder: Path) -> Path:
        path = _tree(folder / "x.gltf")
        tree = json.loads(path.read_text())
        tree[key][0] = {**tree[key][0], **value} if key == "accessors" else value  # type: ignore[dict-item]
        path.write_text(json.dumps(tree))
        return path

    return make


def gltf() -> dict[str, Case]:
    """Cases that Blender reads, of glTF."""

    def damaged(change: Callable[[bytes], bytes]) -> Case:
        def make(folder: Path) -> Path:
            path = _tree(folder / "x.glb")
            path.write_bytes(change(path.read_bytes()))
            return path

        return make

    chain = [{"children": [k + 1]} for k in range(50_000)] + [{"mesh": 0}]
    found = {f"mutated {seed}": damaged(partial(mutated, seed=seed)) for seed in range(15)}
    found |= {f"cut {share}": damaged(lambda data, s=share: data[: int(len(data) * s)]) for share in (0.01, 0.5, 0.9)}
    found |= {
        "deep": _gltf(nodes=chain),
        "many": _gltf(nodes=[{}] * 1_000_000),
        "circle": _gltf(nodes=[{"children": [1]}, {"children": [0]}]),
        "itself": _gltf(nodes=[{"children": [0], "mesh": 0}]),
        "huge count": _rewritten("accessors", {"count": 29_000_000}),
        "huger count": _rewritten("accessors", {"count": 4_000_000_000}),
        "before the buffer": _rewritten("accessors", {"byteOffset": -8}),
        "beyond the buffer": _rewritten("accessors", {"byteOffset": 1 << 40}),
        "no view": _rewritten("accessors", {"bufferView": 99}),
        "long address": _rewritten("images", {"uri": "data:image/png;base64," + "A" * 30_000_000}),
        "bad address": _rewritten("images", {"uri": "data:image/png;base64,=!"}),
    }
    for name, place in PLACES.items():
        found[f"buffer {name}"] = _rewritten("buffers", {"uri": place, "byteLength": 200})
        found[f"image {name}"] = _rewritten("images", {"uri": place})
    return found
