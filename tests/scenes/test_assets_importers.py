"""FBX, USD and .blend files are read by Blender in another process, and their scripts never run."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bpy", reason="needs Blender's module")

from render.blender.importers import IMPORTERS, convert
from scenes.assets.cache import Cache
from scenes.assets.file_source import settle
from scenes.assets.formats import IMPORTED
from scenes.assets.references import References, references
from scenes.assets.sources import FileAsset
from scenes.errors import LoadError

# A cone in front of a tall box, one red, one with a picture; a driver and a script that would leave files behind.
_MAKE = """
import bpy, sys
from pathlib import Path
folder = Path(sys.argv[1])
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.mesh.primitive_cube_add(size=1)
box = bpy.context.object
box.scale = (1, 1, 3)
bpy.ops.mesh.primitive_cone_add(location=(0, -2, 0))
cone = bpy.context.object
image = bpy.data.images.new("pic", 8, 8)
image.filepath_raw, image.file_format = str(folder / "pic.png"), "PNG"
image.save()
for item, name in ((box, "WoodTop"), (cone, "red")):
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Base Color"].default_value = (0.8, 0.1, 0.1, 1)
    surface.inputs["Roughness"].default_value = 0.25
    if item is box:
        node = material.node_tree.nodes.new("ShaderNodeTexImage")
        node.image = image
        material.node_tree.links.new(node.outputs[0], surface.inputs["Base Color"])
    item.data.materials.append(material)
bpy.ops.export_scene.fbx(filepath=str(folder / "a.fbx"), path_mode="RELATIVE", use_visible=True)
bpy.ops.mesh.primitive_cube_add(size=50)
bpy.context.object.hide_render = True
bpy.ops.wm.usd_export(filepath=str(folder / "a.usdc"), evaluation_mode="RENDER")
driver = cone.driver_add("location", 0).driver
driver.expression = f"__import__('pathlib').Path('{folder}/DRIVER').write_text('x') and 0"
text = bpy.data.texts.new("evil.py")
text.write(f"open('{folder}/SCRIPT', 'w')")
text.use_module = True
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "a.blend"), relative_remap=True)
bpy.ops.wm.read_factory_settings(use_empty=True)
with bpy.data.libraries.load(str(folder / "a.blend"), link=True) as (held, wanted):
    wanted.meshes = held.meshes
bpy.context.scene.collection.objects.link(bpy.data.objects.new("linked", wanted.meshes[0]))
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "linked.blend"))
(folder / "DRIVER").unlink(missing_ok=True)
"""

# Eight cubes of side 1, at x = 0, 10, 20 and so on. A render draws those at 0, 40, 50 and 70.
_HIDDEN = """
import bpy, sys
from pathlib import Path
bpy.ops.wm.read_factory_settings(use_empty=True)
root, layer = bpy.context.scene.collection, bpy.context.view_layer.layer_collection
cubes = []
for k in range(8):
    bpy.ops.mesh.primitive_cube_add(size=1, location=(10 * k, 0, 0))
    cubes.append(bpy.context.object)
for k, name in ((2, "excluded"), (3, "dark"), (4, "unseen"), (6, "model")):
    bpy.data.collections.new(name)
    root.children.link(bpy.data.collections[name])
    root.objects.unlink(cubes[k])
    bpy.data.collections[name].objects.link(cubes[k])
cubes[1].hide_render = True
cubes[5].hide_viewport = True
bpy.data.collections["dark"].hide_render = True
bpy.data.collections["unseen"].hide_viewport = True
layer.children["excluded"].exclude = True
layer.children["model"].exclude = True
copy = bpy.data.objects.new("copy", None)
copy.instance_type, copy.instance_collection, copy.location = "COLLECTION", bpy.data.collections["model"], (10, 0, 0)
root.objects.link(copy)
bpy.data.objects.remove(cubes[7])
bpy.ops.wm.save_as_mainfile(filepath=str(Path(sys.argv[1]) / "hidden.blend"))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    # Blender's USD library may not return from its own clearing up: leave without, after a fault as well.
    script = f"import os\ntry:\n{textwrap.indent(_MAKE, '    ')}\nfinally:\n    os._exit(0)"
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True, capture_output=True, timeout=120)
    assert (folder / "linked.blend").exists()
    return folder


def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def check(path: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    settled = settle(FileAsset("a", "c", path, path.parent, "z", "-y"), cache, IMPORTERS)
    assert not settled.reason and not settled.warnings
    model, info = cache.model(settled.entry), cache.info(settled.entry)
    assert model is not None and info is not None
    parts = {part.name: part for part in model.parts}
    assert set(parts) == {"WoodTop", "red"} and parts["WoodTop"].role == "own:WoodTop"
    look, wood = parts["red"].appearance, parts["WoodTop"].appearance
    assert look is not None and look.color == pytest.approx((0.8, 0.1, 0.1), abs=1e-3)
    assert look.roughness == pytest.approx(0.25, abs=0.02)
    assert wood is not None and wood.texture is not None and wood.texture.is_relative_to(cache.folder)
    assert parts["red"].vertices[:, 1].max() < parts["WoodTop"].vertices[:, 1].min() + 0.2, "the cone is in front"
    tall = np.ptp(parts["WoodTop"].vertices, axis=0)
    assert tall[2] == pytest.approx(3 * tall[0], rel=1e-3), "z is up"


def test_blend_is_read_and_none_of_its_scripts_runs(made: Path, tmp_path: Path) -> None:
    before = {p.name for p in made.iterdir()}
    check(made / "a.blend", tmp_path)
    assert {p.name for p in made.iterdir()} == before and not before & {"DRIVER", "SCRIPT"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.fbx", "a.usdc"])
def test_exchange_files(made: Path, tmp_path: Path, name: str) -> None:
    check(made / name, tmp_path)


_MOVED = """#usda 1.0
(upAxis = "Z")
def Mesh "card" (prepend apiSchemas = ["MaterialBindingAPI"]) {
    int[] faceVertexCounts = [4]
    int[] faceVertexIndices = [0, 1, 2, 3]
    point3f[] points = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]
    texCoord2f[] primvars:st = [(0, 0), (1, 0), (1, 1), (0, 1)] (interpolation = "vertex")
    rel material:binding = </m>
}
def Material "m" {
    token outputs:surface.connect = </m/s.outputs:surface>
    def Shader "s" {
        uniform token info:id = "UsdPreviewSurface"
        color3f inputs:diffuseColor.connect = </m/t.outputs:rgb>
        token outputs:surface
    }
    def Shader "t" {
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @pic.png@
        float2 inputs:st.connect = </m/x.outputs:result>
        float3 outputs:rgb
    }
    def Shader "x" {
        uniform token info:id = "UsdTransform2d"
        float inputs:rotation = 90
        float2 inputs:scale = (2, 3)
        float2 inputs:translation = (0.25, 0.5)
        float2 inputs:in.connect = </m/r.outputs:result>
        float2 outputs:result
    }
    def Shader "r" {
        uniform token info:id = "UsdPrimvarReader_float2"
        string inputs:varname = "st"
        float2 outputs:result
    }
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("named", ["st", "second"])
def test_a_texture_lies_where_its_transform_puts_it(tmp_path: Path, named: str) -> None:
    """UsdTransform2d scales, turns by degrees counterclockwise, then shifts. Of two layers of UVs, the reader tells."""
    other = "second" if named == "st" else "st"
    layer = f'texCoord2f[] primvars:{other} = [(0, 0), (0, 0), (0, 0), (0, 0)] (interpolation = "vertex")\n    rel'
    text = _MOVED.replace("primvars:st", f"primvars:{named}").replace('varname = "st"', f'varname = "{named}"')
    (tmp_path / "card.usda").write_text(text.replace("rel", layer, 1))
    Image.new("RGB", (4, 4), "red").save(tmp_path / "pic.png")
    (part,) = convert(tmp_path / "card.usda", References(), scratch(tmp_path)).model.parts
    assert part.uvs is not None
    flat = part.vertices[part.faces].reshape(-1, 3)
    flat = (flat - flat.min(axis=0)) / np.ptp(flat, axis=0).max()
    wanted = np.stack([0.25 - 3 * flat[:, 2], 0.5 + 2 * flat[:, 0]], axis=1)
    np.testing.assert_allclose(part.uvs.reshape(-1, 2), wanted, atol=1e-4)


_MAPPED = _MOVED.replace(
    "color3f inputs:diffuseColor.connect = </m/t.outputs:rgb>",
    """color3f inputs:diffuseColor = (0.2, 0.4, 0.6)
        float inputs:roughness.connect = </m/rough.outputs:g>
        normal3f inputs:normal.connect = </m/t.outputs:rgb>
        color3f inputs:emissiveColor = (0, 0.5, 0)
        float inputs:clearcoat = 0.75""",
).replace(
    'def Shader "x"',
    """def Shader "rough" {
        uniform token info:id = "UsdUVTexture"
        asset inputs:file = @rough.tga@
        token inputs:wrapS = "clamp"
        token inputs:wrapT = "clamp"
        float outputs:g
    }
    def Shader "x\"""",
)


@pytest.mark.slow
def test_maps_and_numbers_of_other_inputs_are_kept(tmp_path: Path) -> None:
    """Roughness from the green of a TGA file that does not repeat, a normal map on moved UVs, light and a coat."""
    (tmp_path / "card.usda").write_text(_MAPPED)
    Image.new("RGB", (4, 4), "blue").save(tmp_path / "pic.png")
    Image.new("RGB", (4, 4), "green").save(tmp_path / "rough.tga")
    loaded = convert(tmp_path / "card.usda", References(), scratch(tmp_path))
    (part,) = loaded.model.parts
    look = part.appearance
    assert not loaded.lost and not loaded.notes and look is not None and look.texture is None
    assert look.color == pytest.approx((0.2, 0.4, 0.6))
    assert look.inputs["emission_color"] == pytest.approx((0, 0.5, 0)) and look.inputs["emission_strength"] == 1
    assert look.inputs["coat_weight"] == pytest.approx(0.75)
    rough, normal = look.pictures["roughness"], look.pictures["normal"]
    assert (rough.channel, rough.wrap) == ("G", ("CLAMP", "CLAMP")) and normal.channel == "NORMAL"
    assert set(look.pictures) == {"roughness", "normal"} and rough.layer != normal.layer != normal.tangents
    assert part.uvs is not None
    plain, moved = (part.uvs[..., 2 * k : 2 * k + 2] for k in (normal.tangents, normal.layer))
    turned = np.stack([0.25 - 3 * plain[..., 1], 0.5 + 2 * plain[..., 0]], axis=-1)
    np.testing.assert_allclose(moved, turned, atol=1e-4)


@pytest.mark.slow
def test_what_has_no_material_shows_its_own_colors(tmp_path: Path) -> None:
    text = _MOVED.replace("rel material:binding = </m>", "color3f[] primvars:displayColor = [(0.1, 0.2, 0.3)]")
    (tmp_path / "card.usda").write_text(text)
    (part,) = convert(tmp_path / "card.usda", References(), scratch(tmp_path)).model.parts
    assert part.appearance is not None and part.appearance.color == (1, 1, 1) and part.colors is not None
    np.testing.assert_allclose(part.colors.reshape(-1, 4), np.tile([0.1, 0.2, 0.3, 1], (6, 1)), atol=1e-5)


@pytest.mark.slow
def test_a_model_may_refer_to_what_lies_below_the_root(tmp_path: Path) -> None:
    """A layer in ../, and a picture beside that layer. One that is not there is told."""
    (tmp_path / "root/one").mkdir(parents=True)
    (tmp_path / "root/textures").mkdir()
    (tmp_path / "root/card.usda").write_text(_MOVED.replace("@pic.png@", "@./textures/pic.png@"))
    layer = tmp_path / "root/one/a.usda"
    layer.write_text('#usda 1.0\n(\n    subLayers = [@../card.usda@]\n    upAxis = "Z"\n)\n')
    Image.new("RGB", (4, 4), "red").save(tmp_path / "root/textures/pic.png")
    (part,) = convert(layer, references(layer, tmp_path / "root"), scratch(tmp_path)).model.parts
    assert part.appearance is not None and part.appearance.texture is not None
    (tmp_path / "scratch").rename(tmp_path / "first")
    (tmp_path / "root/textures/pic.png").unlink()
    loaded = convert(layer, references(layer, tmp_path / "root"), scratch(tmp_path))
    assert loaded.lost == ("the color map of the material 'm' is missing",)
    (tmp_path / "scratch").rename(tmp_path / "second")
    with pytest.raises(LoadError, match="outside its folder"):
        convert(layer, References(), scratch(tmp_path))


@pytest.mark.slow
def test_a_lost_picture_is_told(made: Path, tmp_path: Path) -> None:
    (tmp_path / "a.blend").write_bytes((made / "a.blend").read_bytes())
    assert convert(tmp_path / "a.blend", References(), scratch(tmp_path)).lost == ("'pic.png' is missing",)


@pytest.mark.slow
def test_a_blend_shows_what_a_render_shows(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _HIDDEN, str(tmp_path)], check=True, capture_output=True, timeout=120)
    (part,) = convert(tmp_path / "hidden.blend", References(), scratch(tmp_path)).model.parts
    assert sorted({round(float(x)) for x in part.vertices[part.faces].mean(axis=1)[:, 0] / 10}) == [0, 4, 5, 7]
    assert len(part.faces) == 4 * 12


@pytest.mark.slow
def test_a_blend_that_links_to_another_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="links to another file"):
        convert(made / "linked.blend", References(), scratch(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", IMPORTED)
def test_damaged_files_are_refused(made: Path, tmp_path: Path, suffix: str) -> None:
    whole = made / f"a{suffix}"
    (tmp_path / f"x{suffix}").write_bytes(whole.read_bytes()[:2000] if whole.exists() else b"nonsense" * 50)
    with pytest.raises(LoadError) as error:
        convert(tmp_path / f"x{suffix}", References(), scratch(tmp_path))
    assert "\n" not in str(error.value) and len(str(error.value)) < 250


def _card(number: int, seen: int) -> str:
    return f"""
    Geometry: {number}, "Geometry::", "Mesh" {{
        Vertices: *12 {{ a: {number},0,0,{number + 1},0,0,{number + 1},0,1,{number},0,1 }}
        PolygonVertexIndex: *4 {{ a: 0,1,2,-4 }}
    }}
    Model: {number + 1}, "Model::card{number}", "Mesh" {{
        Properties70: {{ P: "Visibility", "Visibility", "", "A",{seen} }}
    }}"""


@pytest.mark.slow
@pytest.mark.parametrize(("seen", "drawn"), [((1, 0), [0]), ((0, 0), [0, 1])])
def test_hidden_objects_of_an_fbx_are_left_out_unless_all_are(
    tmp_path: Path, seen: tuple[int, int], drawn: list[int]
) -> None:
    """Files of 3ds Max of version 5000 say of all that they hide it."""
    cards = "".join(_card(10 * k + 10, shown) for k, shown in enumerate(seen))
    links = "".join(f'C: "OO",{n},{n + 1}\nC: "OO",{n + 1},0\n' for n in (10, 20))
    (tmp_path / "a.fbx").write_text(
        "; FBX 7.4.0 project file\nFBXHeaderExtension: {\n    FBXVersion: 7400\n}\n"
        f"Objects: {{{cards}\n}}\nConnections: {{\n{links}}}\n"
    )
    (part,) = convert(tmp_path / "a.fbx", References(), scratch(tmp_path)).model.parts
    # The unit of an FBX file is a centimeter.
    lefts = {round(float(x) * 10) for x in part.vertices[part.faces].min(axis=1)[:, 0]}
    assert sorted(lefts) == [1 + k for k in drawn]
