"""Hostile and damaged files give either a model or an error of one line."""

from __future__ import annotations

import importlib.util
import json
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from render.catalogue import IMPORTERS
from scenes.assets.cache import Cache
from scenes.assets.file_source import settle
from scenes.assets.sources import FileAsset, axes

BLENDER = importlib.util.find_spec("bpy") is not None
SUFFIXES = (".obj", ".stl", ".off", ".ply", *((".glb", ".gltf") if BLENDER else ()))
_FUZZ = settings(max_examples=8, suppress_health_check=list(HealthCheck), derandomize=True)


def judge(suffix: str, data: bytes) -> bool:
    """Whether the bytes make a model; fails on anything but a model or a reason."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(data)
        cache = Cache(Path(folder) / "cache")
        settled = settle(FileAsset("x", "c", path, path.parent, *axes(suffix, "auto", "auto")), cache, IMPORTERS)
        if settled.reason:
            assert "\n" not in settled.reason and len(settled.reason) < 400
            return False
        info, model = cache.info(settled.entry), cache.model(settled.entry)
        assert info is not None and model is not None and model.triangles > 0
        for part in model.parts:
            assert np.isfinite(part.vertices).all() and np.isfinite(part.normals).all()
            assert part.faces.min() >= 0 and part.faces.max() < len(part.vertices)
        assert np.isfinite(info.hull).all() and sum(p for _, p in info.stable) == pytest.approx(1)
        assert np.linalg.norm(np.diff(info.bounds, axis=0)) == pytest.approx(1, abs=1e-4)
        return True


def valid(suffix: str) -> bytes:
    ball = trimesh.creation.icosphere(1)
    ball.visual = trimesh.visual.TextureVisuals(uv=ball.vertices[:, :2])
    if suffix == ".gltf":
        files = trimesh.Scene([ball]).export(file_type="gltf", embed_buffers=True)
        return files["model.gltf"]
    data = ball.export(file_type=suffix[1:])
    if isinstance(data, tuple):
        data = data[0]
    return data.encode() if isinstance(data, str) else data


VALID = {suffix: valid(suffix) for suffix in SUFFIXES}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_unharmed_files_are_models(suffix: str) -> None:
    assert judge(suffix, VALID[suffix])


@_FUZZ
@given(st.sampled_from(SUFFIXES), st.binary(max_size=300))
def test_random_bytes(suffix: str, data: bytes) -> None:
    judge(suffix, data)


@_FUZZ
@given(st.sampled_from(SUFFIXES), st.data())
def test_mutated_files(suffix: str, data: st.DataObject) -> None:
    mutated = bytearray(VALID[suffix])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(mutated) - 1))
        kind = data.draw(st.sampled_from(["flip", "cut", "double", "word"]))
        if kind == "flip":
            mutated[place] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del mutated[place : place + data.draw(st.integers(1, 200))]
        elif kind == "double":
            mutated[place:place] = mutated[place : place + data.draw(st.integers(1, 200))]
        else:
            mutated[place : place + 8] = data.draw(
                st.sampled_from([b" nan inf ", b" -1 99999999 ", b"\0\0\x80\x7f", b"1e999"])
            )
        if not mutated:
            break
    judge(suffix, bytes(mutated))


_TOKENS = [
    *("v", "vt", "vn", "f", "l", "p", "g", "o", "s", "usemtl", "mtllib", "../x.mtl", "ü", "#"),
    *("1", "2", "3", "-1", "0", "1/1", "1//1", "2/2/2", "3/9/9", "nan", "inf", "1e308", "-0.5", "0.25"),
    *("\n", "\n", "\n", "\\\n"),
]


@_FUZZ
@given(st.lists(st.sampled_from(_TOKENS), max_size=80))
def test_obj_grammar(tokens: list[str]) -> None:
    judge(".obj", ("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n" + " ".join(tokens)).encode())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**10) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
_KEYS = ("scenes", "nodes", "meshes", "accessors", "bufferViews", "buffers", "materials", "images", "textures", "scene")


@pytest.mark.skipif(not BLENDER, reason="needs Blender's module")
@settings(_FUZZ, max_examples=6)  # each file goes through Blender
@given(st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=5))
@example({"nodes": [{"children": [0]}], "scenes": [{"nodes": [0]}], "scene": 0})
@example({"nodes": [{"children": [1]}, {"children": [0]}], "scenes": [{"nodes": [0]}], "scene": 0})
def test_gltf_trees(changes: dict[str, object]) -> None:
    tree = json.loads(VALID[".gltf"]) | changes
    judge(".gltf", json.dumps(tree).encode())
    text = json.dumps(tree).encode()
    judge(".glb", struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text)
