"""Model files that are damaged or hostile: each is refused in one line or read right, at little cost, and none has
other files quoted."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import trimesh  # noqa: F401, before the clock runs

from render.catalogue import IMPORTERS
from scenes.assets.cache import Cache
from scenes.assets.file_source import read_now, settle
from scenes.assets.loading import Loaded
from scenes.assets.references import References
from scenes.assets.sources import FileAsset, axes
from scenes.errors import InputError
from tests.attacks.arena import bad, outcomes
from tests.attacks.made_models import SECRET, Case, gltf, plain, surround

BLENDER = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs Blender's module")


def read_model(path: str) -> None:
    """Reads a model as the process for it does. Fails if the result shows what it must not."""
    model = Path(path)
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        asset = FileAsset("a", "c", model, model.parent, *axes(model.suffix, "auto", "auto"))
        note = read_now(asset, cache, {})
        check(note, cache)
    if note["reason"]:
        raise InputError(note["reason"])


def check(note: dict, cache: Cache) -> None:
    """No word of a foreign file in the messages, the names and the pictures; and the model is one."""
    told = [note["reason"], *note["warnings"]]
    assert not any(word in line for line in told for word in (SECRET, "root:")), told
    assert not any("\n" in line or len(line) > 400 for line in told), told
    if note["reason"]:
        return
    model = cache.model(note["entry"])
    assert model is not None and model.triangles > 0
    for part in model.parts:
        assert SECRET not in part.name and np.isfinite(part.vertices).all() and np.isfinite(part.normals).all()
        assert part.faces.min() >= 0 and part.faces.max() < len(part.vertices)
    assert not any(SECRET.encode() in file.read_bytes() for file in cache.folder.rglob("textures/*"))


def written(cases: dict[str, Case], folder: Path) -> dict[str, str]:
    """The path of the model of each case, in a folder of its own."""
    paths = {}
    for number, (name, make) in enumerate(cases.items()):
        inside = folder / str(number) / "models"
        inside.mkdir(parents=True)
        surround(inside)
        paths[name] = str(make(inside))
    return paths


def told(paths: dict[str, str], found: list) -> list[tuple[str, str, str]]:
    names = {path: name for name, path in paths.items()}
    return [(names[one.case], one.kind, one.said) for one in found]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return written(plain(), tmp_path_factory.mktemp("models"))


def test_plain_formats(paths: dict[str, str]) -> None:
    found = outcomes("tests.attacks.test_models:read_model", list(paths.values()))
    assert len(found) >= 150
    assert told(paths, bad(found)) == []
    accepted = {name for name, kind, _ in told(paths, found) if kind == "accepted"}
    # What is whole in itself, with what it names lost, is used.
    assert accepted >= {"map that is a bomb", "map of 20000 x 20000", "map http address", "polygon round obj"}
    assert not accepted & {"index 99 obj", "index -9 off", "place nan ply", "stl of 4e9 triangles", ".obj at pipe"}


def crash(path: Path, refers: References, scratch: Path) -> Loaded:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def test_a_file_that_crashes_its_reader_costs_one_asset(tmp_path: Path) -> None:
    """Whatever reads it, and the next one is read."""
    made = plain()
    bad_one = made["map of garbage"](tmp_path).rename(tmp_path / "bad.fbx")
    good = made["map of garbage"](tmp_path)
    cache = Cache(tmp_path / "cache")
    settled = settle(FileAsset("a", "c", bad_one, tmp_path, "z", "-y"), cache, {".fbx": crash})
    assert settled.reason == "ends the process that reads it: crashed (SIGSEGV)"
    assert not settle(FileAsset("b", "c", good, tmp_path, "z", "-y"), cache, {}).reason


@BLENDER
@pytest.mark.slow
def test_gltf(tmp_path: Path) -> None:
    """One process of Blender reads all; a file that ends it would be told."""
    cache, used = Cache(tmp_path / "cache"), set()
    for name, path in written(gltf(), tmp_path / "cases").items():
        settled = settle(FileAsset("a", "c", Path(path), Path(path).parent, "y", "z"), cache, IMPORTERS)
        note = {"reason": settled.reason, "warnings": settled.warnings, "entry": settled.entry}
        check(note, cache)
        assert "ends the process" not in settled.reason and "takes more" not in settled.reason, (name, settled.reason)
        used |= set() if settled.reason else {name}
    assert {"image absolute", "image pipe", "image http address", "bad address"} <= used
    assert not used & {"deep", "many", "circle", "itself", "huger count", "buffer absolute", "buffer pipe", "no view"}


_USD = """
import bpy, os, sys, zipfile
from pathlib import Path
try:
    folder = Path(sys.argv[1])
    bpy.utils.expose_bundled_modules()
    from pxr import Sdf, Usd
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.mesh.primitive_cube_add(size=1)
    bpy.ops.wm.usd_export(filepath=str(folder / "secret.usdc"))
    models = folder / "models"
    models.mkdir()
    (models / "inside.usdc").write_bytes((folder / "secret.usdc").read_bytes())
    for name, target in (("out", "../secret.usdc"), ("absolute", str(folder / "secret.usdc")), ("in", "inside.usdc")):
        for kind in ("reference", "payload", "sublayer"):
            layer = Sdf.Layer.CreateNew(str(models / f"{name}-{kind}.usdc"))
            stage = Usd.Stage.Open(layer)
            prim = stage.DefinePrim("/root", "Xform")
            stage.SetDefaultPrim(prim)
            if kind == "reference":
                prim.GetReferences().AddReference(target, "/root")
            elif kind == "payload":
                prim.GetPayloads().AddPayload(target, "/root")
            else:
                layer.subLayerPaths.append(target)
            stage.Save()
    with zipfile.ZipFile(models / "package.usdz", "w") as package:
        package.write(models / "out-reference.usdc", "a.usdc")
    with zipfile.ZipFile(models / "climbing.usdz", "w") as package:
        package.write(models / "inside.usdc", "../a.usdc")
    with zipfile.ZipFile(models / "good.usdz", "w") as package:
        package.write(models / "inside.usdc", "a.usdc")
    (folder / "done").touch()
finally:
    os._exit(0)
"""


@BLENDER
@pytest.mark.slow
def test_no_packed_usd_reaches_out_of_its_folder(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _USD, str(tmp_path)], capture_output=True, timeout=120, check=True)
    assert (tmp_path / "done").exists()
    cache = Cache(tmp_path / "cache")
    for path in sorted((tmp_path / "models").iterdir()):
        settled = settle(FileAsset("a", "c", path, path.parent, "z", "-y"), cache, IMPORTERS)
        if path.stem in ("inside", "good") or path.stem.startswith("in-"):
            assert not settled.reason, (path.name, settled.reason)
        else:
            assert "outside its folder" in settled.reason or "leads out" in settled.reason, (path.name, settled.reason)
