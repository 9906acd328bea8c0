"""The opacity of materials, as each kind of model file says it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from render.catalogue import IMPORTERS
from scenes.assets.cache import Cache
from scenes.assets.file_source import settle
from scenes.assets.sources import FileAsset
from scenes.mesh import Appearance

# Opacities of four texels, as numbers of 8 bits.
LEVELS = np.array([[0, 100], [200, 255]], np.uint8)


def look_of(path: Path) -> Appearance:
    cache = Cache(path.parent / "cache")
    settled = settle(FileAsset("a", "c", path, path.parent, "z", "-y"), cache, IMPORTERS)
    assert not settled.reason and not settled.warnings
    model = cache.model(settled.entry)
    assert model is not None
    (part,) = model.parts
    assert part.appearance is not None
    return part.appearance


def levels(look: Appearance) -> list[list[int]]:
    assert look.opacity is not None
    return np.asarray(Image.open(look.opacity)).tolist()


def rgba(path: Path | None = None, alpha: np.ndarray = LEVELS) -> Image.Image:
    pixels = np.full((2, 2, 4), 90, np.uint8)
    pixels[..., 3] = alpha
    image = Image.fromarray(pixels)
    if path:
        image.save(path)
    return image


def glb(path: Path, image: Image.Image, factor: int = 255, **fields: object) -> Path:
    pytest.importorskip("bpy", reason="needs Blender's module")
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=image, baseColorFactor=[255, 255, 255, factor], **fields
    )
    box = trimesh.creation.box()
    box.visual = trimesh.visual.TextureVisuals(uv=box.vertices[:, :2], material=material)
    trimesh.Scene([box]).export(path)
    return path


@pytest.mark.parametrize(("mode", "cutoff"), [("MASK", 0.3), ("MASK", 0.5), ("BLEND", 0.5)])
def test_gltf_says_its_mode(tmp_path: Path, mode: str, cutoff: float) -> None:
    look = look_of(glb(tmp_path / "a.glb", rgba(), factor=204, alphaMode=mode, alphaCutoff=cutoff))
    assert (look.mode, look.cutoff) == (mode, pytest.approx(cutoff))
    assert look.alpha == pytest.approx(0.8) and levels(look) == LEVELS.tolist()


@pytest.mark.parametrize("fields", [{}, {"alphaMode": "OPAQUE"}])
def test_an_opaque_material_of_gltf_ignores_its_alpha_channel(tmp_path: Path, fields: dict[str, object]) -> None:
    look = look_of(glb(tmp_path / "a.glb", rgba(alpha=np.zeros((2, 2), np.uint8)), factor=51, **fields))
    assert (look.mode, look.alpha, look.opacity) == ("OPAQUE", 1.0, None) and look.texture is not None


def test_a_full_alpha_channel_is_no_map(tmp_path: Path) -> None:
    full = rgba(alpha=np.full((2, 2), 255, np.uint8))
    assert look_of(glb(tmp_path / "a.glb", full, alphaMode="BLEND")).opacity is None


def obj(folder: Path, *lines: str) -> Path:
    (folder / "m.mtl").write_text("\n".join(("newmtl leaf", *lines)) + "\n")
    corners = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    (folder / "m.obj").write_text(f"mtllib m.mtl\n{corners}usemtl leaf\nf 1/1 2/2 3/3 4/4\n")
    return folder / "m.obj"


@pytest.mark.parametrize("kind", ["gray", "16 bits", "alpha channel"])
def test_map_d_is_the_opacity(tmp_path: Path, kind: str) -> None:
    if kind == "gray":
        Image.fromarray(LEVELS).save(tmp_path / "d.png")
    elif kind == "16 bits":
        Image.fromarray(LEVELS.astype(np.uint16) * 257).save(tmp_path / "d.png")
    else:
        rgba(tmp_path / "d.png")
    look = look_of(obj(tmp_path, "Kd 1 1 1", "map_d -clamp on d.png"))
    assert (look.mode, look.alpha) == ("BLEND", 1.0) and levels(look) == LEVELS.tolist()


def test_d_and_tr_are_opacities(tmp_path: Path) -> None:
    assert (look_of(obj(tmp_path, "d 0.3")).alpha, look_of(obj(tmp_path, "d 0.3")).mode) == (0.3, "BLEND")
    assert look_of(obj(tmp_path, "Tr 0.3")).alpha == pytest.approx(0.7)
    assert look_of(obj(tmp_path, "d 1")).mode == "OPAQUE"


def test_a_color_map_of_mtl_has_no_opacity(tmp_path: Path) -> None:
    rgba(tmp_path / "c.png")
    look = look_of(obj(tmp_path, "map_Kd c.png"))
    assert (look.mode, look.opacity) == ("OPAQUE", None) and look.texture is not None


def test_a_lost_map_d_is_told(tmp_path: Path) -> None:
    path = obj(tmp_path, "Kd 0.1 0.5 0.1", "map_d d.png")
    asset = FileAsset("a", "c", path, path.parent, "z", "-y")
    assert settle(asset, Cache(tmp_path / "cache"), {}).warnings == ("'d.png' is missing",)
    rgba(tmp_path / "d.png")
    (tmp_path / "d.png").write_bytes((tmp_path / "d.png").read_bytes()[:60])
    (warning,) = settle(asset, Cache(tmp_path / "cache"), {}).warnings
    assert warning.startswith("'d.png' cannot be decoded:")


_BLEND = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_plane_add()
material = bpy.data.materials.new("leaf")
material.use_nodes = True
tree = material.node_tree
surface = tree.nodes["Principled BSDF"]
image = tree.nodes.new("ShaderNodeTexImage")
image.image = bpy.data.images.load(sys.argv[2])
image.image.pack()
tree.links.new(image.outputs["Color"], surface.inputs["Base Color"])
last = image.outputs["Alpha"]
for operation, number in eval(sys.argv[3]):
    step = tree.nodes.new("ShaderNodeMath")
    step.operation = operation
    step.inputs[0].default_value = step.inputs[1].default_value = number
    tree.links.new(last, step.inputs[1 if operation == "SUBTRACT" else 0])
    last = step.outputs[0]
tree.links.new(last, surface.inputs["Alpha"])
bpy.context.object.data.materials.append(material)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("steps", "mode", "alpha", "cutoff"),
    [
        ([], "BLEND", 1.0, 0.5),
        ([("MULTIPLY", 0.5)], "BLEND", 0.5, 0.5),
        ([("ROUND", 0.0)], "MASK", 1.0, 0.5),
        ([("LESS_THAN", 0.3), ("SUBTRACT", 1.0)], "MASK", 1.0, 0.3),
    ],
)
def test_nodes_of_blender(
    tmp_path: Path, steps: list[tuple[str, float]], mode: str, alpha: float, cutoff: float
) -> None:
    """The nodes are those that Blender's importer makes of a glTF file."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    rgba(tmp_path / "c.png")
    script = f"import os\ntry:\n{textwrap.indent(_BLEND, '    ')}\nfinally:\n    os._exit(0)"
    command = [sys.executable, "-c", script, str(tmp_path / "a.blend"), str(tmp_path / "c.png"), repr(steps)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    look = look_of(tmp_path / "a.blend")
    assert (look.mode, look.alpha, look.cutoff) == (mode, pytest.approx(alpha), pytest.approx(cutoff))
    assert levels(look) == LEVELS.tolist() and look.texture is not None
