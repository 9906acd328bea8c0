"""glTF files as the format's specification says them: shapes, materials, and what is told of the rest."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

pytest.importorskip("bpy", reason="needs Blender's module")

from render.blender.importers import convert
from scenes.assets.cache import Cache
from scenes.assets.file_source import settle
from scenes.assets.gltf_check import check_parts
from scenes.assets.gltf_materials import Layer
from scenes.assets.loading import Loaded
from scenes.assets.references import gltf_tree, references
from scenes.assets.sources import FileAsset
from scenes.errors import LoadError
from scenes.mesh import Appearance, Part, face_crosses
from tests.scenes.gltf_files import SQUARE, Builder


def loaded(built: Builder, folder: Path, name: str = "x.glb") -> Loaded:
    path = built.write(folder / name)
    (folder / "scratch").mkdir()
    return convert(path, references(path, folder), folder / "scratch")


def part(built: Builder, folder: Path) -> Part:
    (one,) = loaded(built, folder).model.parts
    return one


def look(built: Builder, folder: Path) -> Appearance:
    found = part(built, folder).appearance
    assert found is not None
    return found


def places(found: Part) -> np.ndarray:
    """The corners of a part, each once, sorted."""
    return np.unique(np.round(found.vertices, 5), axis=0)


# Shapes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.glb", "x.gltf"])
def test_a_square_keeps_its_places_uvs_and_normals(tmp_path: Path, name: str) -> None:
    (found,) = loaded(Builder().of({"name": "Paint"}), tmp_path, name).model.parts
    assert found.name == "Paint" and places(found) == pytest.approx(np.unique(SQUARE, axis=0))
    assert found.normals.reshape(-1, 3) == pytest.approx(np.tile([0, 0, 1], (6, 1)), abs=1e-5)
    assert found.uvs is None, "no map of the material needs them"


def test_a_skin_moves_its_vertices(tmp_path: Path) -> None:
    """All weight lies on one joint: its place times the inverse of where it was bound."""
    built = Builder().of(None, JOINTS_0=np.zeros((4, 4), np.uint8), WEIGHTS_0=np.tile(np.float32([1, 0, 0, 0]), (4, 1)))
    bound = np.eye(4, dtype=np.float32)
    bound[:3, 3] = (0, -2, 0)
    built.tree["skins"] = [{"joints": [1], "inverseBindMatrices": built.accessor(bound.T[None].copy())}]
    # The node of the mesh is turned over and small, which the format says not to heed.
    half = float(np.sqrt(0.5))
    built.tree["nodes"] = [
        {"mesh": 0, "skin": 0, "rotation": [half, 0, 0, half], "scale": [0.01] * 3},
        {"translation": [5, 3, 0], "scale": [2, 2, 2]},
    ]
    built.tree["scenes"] = [{"nodes": [0, 1]}]
    assert places(part(built, tmp_path)) == pytest.approx(np.unique(SQUARE * 2 + (5, 3 - 4, 0), axis=0), abs=1e-4)


def test_morphs_have_their_weights(tmp_path: Path) -> None:
    built = Builder().of()
    mesh = built.tree["meshes"][0]
    mesh["primitives"][0]["targets"] = [{"POSITION": built.accessor(np.tile(np.float32([0, 0, 4]), (4, 1)))}]
    mesh["weights"] = [0.25]
    assert places(part(built, tmp_path)) == pytest.approx(np.unique(SQUARE + (0, 0, 1), axis=0), abs=1e-5)


def test_sparse_places_replace_others(tmp_path: Path) -> None:
    built = Builder().of()
    at = built.view(np.array([2], np.uint16).tobytes())
    values = built.view(np.float32([[3, 3, 0]]).tobytes())
    built.tree["accessors"][built.tree["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": at, "componentType": 5123},
        "values": {"bufferView": values},
    }
    assert places(part(built, tmp_path)).max(axis=0) == pytest.approx([3, 3, 0])


@pytest.mark.parametrize(("mode", "area"), [(4, 1.0), (5, 1.0), (6, 1.0)])
def test_strips_and_fans_are_triangles(tmp_path: Path, mode: int, area: float) -> None:
    order = {4: [0, 1, 2, 0, 2, 3], 5: [0, 1, 3, 2], 6: [0, 1, 2, 3]}[mode]
    built = Builder().of()
    primitive = built.tree["meshes"][0]["primitives"][0]
    primitive |= {"mode": mode, "indices": built.accessor(np.array(order, np.uint16))}
    found = part(built, tmp_path)
    sides = np.diff(found.vertices[found.faces], axis=1)
    assert np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1).sum() / 2 == pytest.approx(area)


def test_only_the_scene_of_the_file_is_drawn(tmp_path: Path) -> None:
    built = Builder().of()
    built.tree["nodes"].append({"mesh": 0, "translation": [9, 0, 0]})
    built.tree["scenes"].append({"nodes": [1]})
    assert part(built, tmp_path).vertices[:, 0].max() == pytest.approx(1)


def test_mirrored_nodes_stay_outward(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    scene.add_geometry(trimesh.creation.icosphere(2), transform=np.diag([-1.0, 1, 1, 1]))
    scene.export(tmp_path / "a.glb")
    cache = Cache(tmp_path / "cache")
    settled = settle(FileAsset("a", "c", tmp_path / "a.glb", tmp_path, "y", "z"), cache, {".glb": convert})
    model = cache.model(settled.entry)
    assert model is not None
    (found,) = model.parts
    assert (found.vertices[found.faces].mean(axis=1) * face_crosses(found.vertices, found.faces)).sum(axis=1).min() > 0
    assert (found.vertices[found.faces] * found.normals).sum(axis=-1).min() > 0


def test_a_model_survives_the_cache(tmp_path: Path) -> None:
    """With two layers of UVs, colors, and the map of an input."""
    built = Builder()
    glow = {"index": built.image(), "texCoord": 1}
    plain = {"baseColorTexture": {"index": built.image()}}
    colors = np.tile(np.float32([0.25, 1, 1, 1]), (4, 1))
    material = {"pbrMetallicRoughness": plain, "emissiveFactor": [1, 1, 0.5], "emissiveTexture": glow}
    path = built.of(material, TEXCOORD_1=np.float32(SQUARE[:, :2] / 2), COLOR_0=colors).write(tmp_path / "a.glb")
    cache = Cache(tmp_path / "cache")
    settled = settle(FileAsset("a", "c", path, tmp_path, "y", "z"), cache, {".glb": convert})
    model = cache.model(settled.entry)
    assert model is not None and model.triangles == 2
    (found,) = model.parts
    assert found.uvs is not None and found.uvs.shape == (2, 3, 4) and found.colors is not None
    assert found.colors[..., 0] == pytest.approx(np.full((2, 3), 0.25), abs=0.01)
    appearance = found.appearance
    assert appearance is not None and appearance.inputs["emission_color"] == (1, 1, 0.5)
    assert appearance.wrap == ("REPEAT", "REPEAT") and appearance.pictures["emission_color"].layer == 1
    assert all(file.is_relative_to(cache.folder) and file.is_file() for file in appearance.files)
    appearance.files[0].write_bytes(b"damaged")
    assert cache.model(settled.entry) is None


# Materials -----------------------------------------------------------------------------------------------------


def test_factors_are_linear_and_default_to_one(tmp_path: Path) -> None:
    plain = {"baseColorFactor": [0.5, 0.25, 0.125, 0.5]}
    found = look(Builder().of({"pbrMetallicRoughness": plain}), tmp_path)
    assert found.color == (0.5, 0.25, 0.125) and (found.metallic, found.roughness) == (1, 1)
    assert found.mode == "OPAQUE" and found.texture is None


def test_each_map_drives_its_input(tmp_path: Path) -> None:
    built = Builder()
    base, rough, bumps, glow = (built.image((k, 0, 0)) for k in range(4))
    material = {
        "pbrMetallicRoughness": {"baseColorTexture": {"index": base}, "metallicRoughnessTexture": {"index": rough}},
        "normalTexture": {"index": bumps, "scale": 0.5},
        "emissiveTexture": {"index": glow},
        "emissiveFactor": [1, 0.5, 0],
        "extensions": {
            "KHR_materials_emissive_strength": {"emissiveStrength": 3},
            "KHR_materials_clearcoat": {"clearcoatFactor": 0.7},
            "KHR_materials_transmission": {"transmissionFactor": 0.4},
            "KHR_materials_ior": {"ior": 1.3},
        },
    }
    found = look(built.of(material), tmp_path)
    reds = {name: Image.open(one.path).getpixel((0, 0))[0] for name, one in found.pictures.items()}
    assert found.texture is not None and Image.open(found.texture).getpixel((0, 0)) == (0, 0, 0)
    assert reds == {"metallic": 1, "roughness": 1, "normal": 2, "emission_color": 3}
    channels = {name: one.channel for name, one in found.pictures.items()}
    assert channels == {"metallic": "B", "roughness": "G", "normal": "NORMAL", "emission_color": "RGB"}
    assert (found.metallic, found.roughness, found.inputs["normal"]) == (1, 1, 0.5)
    assert found.inputs["emission_color"] == (1, 0.5, 0) and found.inputs["emission_strength"] == 3
    assert (found.inputs["coat_weight"], found.inputs["transmission_weight"], found.inputs["ior"]) == (0.7, 0.4, 1.3)


def test_specular_and_glossiness_are_no_metal(tmp_path: Path) -> None:
    shiny = {"diffuseFactor": [0.8, 0.1, 0.1, 1], "specularFactor": [0.2, 0.2, 0.2], "glossinessFactor": 0.3}
    found = look(Builder().of({"extensions": {"KHR_materials_pbrSpecularGlossiness": shiny}}), tmp_path)
    assert found.color == (0.8, 0.1, 0.1) and found.metallic == 0 and found.roughness == pytest.approx(0.7)
    assert found.inputs["specular_tint"] == (0.2, 0.2, 0.2)


@pytest.mark.parametrize("mode", ["OPAQUE", "MASK", "BLEND"])
def test_alpha_modes(tmp_path: Path, mode: str) -> None:
    built = Builder()
    plain = {"baseColorTexture": {"index": built.image((9, 9, 9, 77))}, "baseColorFactor": [1, 1, 1, 0.5]}
    found = look(built.of({"pbrMetallicRoughness": plain, "alphaMode": mode, "alphaCutoff": 0.25}), tmp_path)
    assert (found.mode, found.alpha, found.cutoff) == (mode, 1.0 if mode == "OPAQUE" else 0.5, 0.25)
    if mode == "OPAQUE":
        assert found.opacity is None
    else:
        assert found.opacity is not None and Image.open(found.opacity).getpixel((0, 0)) == 77


def test_a_lost_map_makes_no_metal_and_is_told(tmp_path: Path) -> None:
    built = Builder()
    built.texture({"uri": "gone%20away.png"})
    found = loaded(built.of({"pbrMetallicRoughness": {"metallicRoughnessTexture": {"index": 0}}}), tmp_path)
    appearance = found.model.parts[0].appearance
    assert appearance is not None and (appearance.metallic, appearance.roughness) == (0, 0.5)
    assert found.lost == ("'gone away.png' is missing",)


def test_vertex_colors_and_a_default_material(tmp_path: Path) -> None:
    colors = np.array([[255, 0, 0, 255], [0, 255, 0, 128], [0, 0, 255, 255], [255, 255, 255, 255]], np.uint8)
    built = Builder().of(None, COLOR_0=colors)
    built.tree["accessors"][built.tree["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]["normalized"] = True
    found = part(built, tmp_path)
    assert found.colors is not None and found.appearance is not None and found.appearance.color == (1, 1, 1)
    for place, color in zip(SQUARE, colors, strict=True):
        here = np.isclose(found.vertices[found.faces], place, atol=1e-5).all(axis=-1)
        assert here.any() and found.colors[here] == pytest.approx(np.tile(color / 255, (here.sum(), 1)), abs=0.005)


# UVs -----------------------------------------------------------------------------------------------------------


def test_a_transform_of_a_texture_as_the_extension_writes_it() -> None:
    """u and v of the file run right and down; Blender's v runs up. Half a turn about the origin, then an offset."""
    material = {"offset": [0.5, 0.25], "rotation": np.pi / 2, "scale": [2, 1]}
    c, s = 0.0, 1.0
    layer = Layer(0, ((c * 2, s * 1, 0.5), (-s * 2, c * 1, 0.25)))
    u, v = 0.3, 0.1
    # The extension: Translation * Rotation * Scale, with the rotation [[cos, sin], [-sin, cos]].
    wanted = np.array([material["offset"][0] + v, material["offset"][1] - 2 * u])
    moved = layer.of(np.array([[[u, 1 - v]] * 3], np.float32))[0, 0]
    assert (moved[0], 1 - moved[1]) == pytest.approx(tuple(wanted), abs=1e-6)


def test_maps_lie_on_the_uvs_that_they_name(tmp_path: Path) -> None:
    built = Builder()
    shift = {"KHR_texture_transform": {"offset": [0.5, 0.25]}}
    material = {
        "pbrMetallicRoughness": {"baseColorTexture": {"index": built.image(), "texCoord": 1}},
        "emissiveFactor": [1, 1, 1],
        "emissiveTexture": {"index": built.image(), "extensions": shift},
        "normalTexture": {"index": built.image(), "texCoord": 1},
    }
    second = np.float32([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]])
    found = part(built.of(material, TEXCOORD_1=second), tmp_path)
    assert found.uvs is not None and found.uvs.shape == (2, 3, 4) and found.appearance is not None
    assert {name: one.layer for name, one in found.appearance.pictures.items()} == {"emission_color": 1, "normal": 0}
    at = np.isclose(found.vertices[found.faces], SQUARE[1], atol=1e-5).all(axis=-1)
    # Corner 1 has (0.2, 0.2) in the second set, and (1, 1) + (0.5, 0.25) in the first; v up is 1 - v.
    assert found.uvs[at] == pytest.approx(np.tile([0.2, 0.8, 1.5, -0.25], (at.sum(), 1)), abs=1e-5)


def test_samplers(tmp_path: Path) -> None:
    built = Builder()
    built.tree["samplers"] = [{"wrapS": 33071, "wrapT": 33648, "magFilter": 9728, "minFilter": 9984}]
    found = look(built.of({"pbrMetallicRoughness": {"baseColorTexture": {"index": built.image(sampler=0)}}}), tmp_path)
    assert found.wrap == ("CLAMP", "MIRROR") and found.nearest


# What is told, and what is refused -----------------------------------------------------------------------------


def test_what_is_not_drawn_is_told(tmp_path: Path) -> None:
    built = Builder().of({"name": "film", "extensions": {"KHR_materials_iridescence": {}}})
    built.tree["extensionsUsed"] = ["KHR_materials_iridescence", "EXT_something", "KHR_lights_punctual"]
    notes = loaded(built, tmp_path).notes
    assert len(notes) == 2 and "EXT_something" in notes[0] and "film" in notes[1] and "iridescence" in notes[1]


def test_pictures_that_are_not_read_are_told(tmp_path: Path) -> None:
    built = Builder()
    (tmp_path / "a.ktx2").write_bytes(b"\xabKTX 20\xbb\r\n\x1a\n" + b"\0" * 64)
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "huge.png").write_bytes(_announced_png(20000, 20000))
    for name in ("a.ktx2", "b.png", "huge.png"):
        built.texture({"uri": name})
    base = {"baseColorTexture": {"index": 0}, "metallicRoughnessTexture": {"index": 1}}
    found = loaded(built.of({"pbrMetallicRoughness": base, "normalTexture": {"index": 2}}), tmp_path)
    assert found.lost[0] == "'a.ktx2' is KTX2, which is not read: convert it to PNG"
    assert any(line.startswith("'b.png' is not a picture of a known format") for line in found.lost)
    assert "'huge.png' has more than 128 Mi pixels: reduce it" in found.lost


def _announced_png(width: int, height: int) -> bytes:
    """The start of a PNG file of that size."""
    chunks = (b"IHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0", b"IDAT" + b"\0" * 9)
    rows = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(rows)


def _change(**changes: Any) -> Builder:
    built = Builder().of()
    built.tree |= changes
    return built


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extensionsRequired": ["ABC_other"]}, "needs the extension ABC_other"),
        ({"asset": {"version": "1.0"}}, "is glTF 1.0"),
        ({"nodes": [{"mesh": 0}, {"children": [2]}, {"children": [1]}]}, "round in a circle"),
        ({"nodes": [{"mesh": 0, "children": [2]}, {"children": [2]}, {}]}, "two parents"),
        ({"nodes": [{"mesh": 0, "children": [7]}]}, "node that is not there"),
        ({"meshes": []}, r"node 0 refers to meshes\[0\], and the file has 0 meshes"),
        ({"nodes": [{}]}, "holds no triangles"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(LoadError, match=words) as error:
        loaded(_change(**changes), tmp_path)
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (("scene",), 5, "the file refers to scenes[5], and the file has 1 scenes"),
        (("scenes", 0, "nodes"), [7], "scene 0 refers to nodes[7]"),
        (("nodes", 0, "skin"), 4, "node 0 refers to skins[4]"),
        (("nodes", 0, "matrix"), [1, 2], "the matrix of node 0 is not 16 numbers"),
        (("meshes", 0, "primitives", 0, "attributes"), None, "has triangles without attributes"),
        (("meshes", 0, "primitives", 0, "indices"), 99, "mesh 0 refers to accessors[99]"),
        (("meshes", 0, "primitives", 0, "mode"), 17, "has the mode 17"),
        (("accessors", 0, "count"), 500, "accessor 0 needs 1000 bytes, and its buffer view has 12"),
        (("accessors", 0, "count"), None, "a count is missing"),
        (("accessors", 1, "type"), "VEC9", "the type of accessor 1 is VEC9"),
        (("bufferViews", 0, "buffer"), 7, "buffer view 0 refers to buffers[7]"),
        (("bufferViews", 0, "byteLength"), None, "a byteLength is missing"),
    ],
)
def test_damage_is_told_by_its_place(tmp_path: Path, where: tuple[Any, ...], value: Any, words: str) -> None:
    path = Builder().of().write(tmp_path / "a.glb")
    tree = gltf_tree(path.read_bytes())
    check_parts(tree)
    target: Any = tree
    for key in where[:-1]:
        target = target[key]
    target[where[-1]] = value
    with pytest.raises(LoadError, match=re.escape(words)):
        check_parts(tree)


def test_a_buffer_that_was_cut_is_told(tmp_path: Path) -> None:
    built = Builder().of()
    path = built.write(tmp_path / "a.gltf")
    whole = path.with_suffix(".bin").read_bytes()
    path.with_suffix(".bin").write_bytes(whole[:50])
    (tmp_path / "scratch").mkdir()
    with pytest.raises(LoadError, match=f"is truncated: buffer 0 has 50 bytes of {len(whole)}"):
        convert(path, references(path, tmp_path), tmp_path / "scratch")


def test_vertices_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    built = Builder().of(None, POSITION=np.where(SQUARE == 1, np.float32(np.nan), SQUARE))
    with pytest.raises(LoadError, match="not a number"):
        loaded(built, tmp_path)


def test_an_outside_buffer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = Builder().of().write(tmp_path / "in/x.gltf")
    (tmp_path / "in/x.bin").rename(tmp_path / "x.bin")
    path.write_text(json.dumps({**json.loads(path.read_text()), "buffers": [{"uri": "../x.bin", "byteLength": 9}]}))
    with pytest.raises(LoadError, match="outside its folder"):
        references(path, tmp_path / "in")


_DRACO = """
import bpy, sys
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cone_add(vertices=200, radius1=1, depth=4)
bpy.ops.export_scene.gltf(filepath=sys.argv[1], export_draco_mesh_compression_enable=True)
"""


@pytest.mark.slow
def test_draco_is_read(tmp_path: Path) -> None:
    """A cone of height 4 over a circle of radius 1."""
    path = tmp_path / "a.glb"
    subprocess.run([sys.executable, "-c", _DRACO, str(path)], capture_output=True, timeout=120, check=True)
    assert "KHR_draco_mesh_compression" in gltf_tree(path.read_bytes())["extensionsRequired"]
    (tmp_path / "scratch").mkdir()
    (one,) = convert(path, references(path, tmp_path), tmp_path / "scratch").model.parts
    assert np.ptp(one.vertices, axis=0) == pytest.approx((2, 4, 2), abs=2e-3)
    assert len(one.faces) == 200 + 198
