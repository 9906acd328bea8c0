"""Materials: how they are drawn, and the Blender materials that are made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scenes.assets.texture_sets import TextureSet
from scenes.distributions import Fixed, Uniform
from scenes.errors import InputError
from scenes.materials.families import FAMILIES, METRIC
from scenes.materials.roles import ROLES, draw_family, draw_role
from scenes.mesh import Appearance
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.streams import Streams

seeds = st.integers(0, 2**32)


def within(value: Any, support: list[Any]) -> bool:
    if isinstance(value, float) and not isinstance(value, bool):
        return min(support) <= value <= max(support)
    return value in support


@given(st.sampled_from(sorted(FAMILIES)), seeds, seeds)
def test_a_draw_spells_out_every_parameter(family: str, seed: int, index: int) -> None:
    material = draw_family(family, Streams(seed, index), "x")
    assert material == draw_family(family, Streams(seed, index), "x")
    assert list(material.parameters) == list(FAMILIES[family])
    for name, value in material.parameters.items():
        assert within(value, FAMILIES[family][name].support()), (name, value)
        assert isinstance(value, (float, str)) or (isinstance(value, tuple) and len(value) == 3)


@given(st.sampled_from(sorted(set(FAMILIES) - {"own"})), seeds, st.data())
def test_an_override_moves_nothing_else(family: str, seed: int, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FAMILIES[family])))
    free = draw_family(family, Streams(seed, 3), "x").parameters
    held = draw_family(family, Streams(seed, 3), "x", {name: Fixed(0.123)}).parameters
    assert held[name] == 0.123
    assert {k: v for k, v in free.items() if k != name} == {k: v for k, v in held.items() if k != name}


def test_keys_draw_apart() -> None:
    streams = Streams(1, 2)
    assert draw_family("wood", streams, "a") != draw_family("wood", streams, "b")
    assert draw_family("wood", Streams(1, 2), "a") != draw_family("wood", Streams(1, 3), "a")


def test_colors_vary_as_made_things_do() -> None:
    drawn = [float(draw_family("plastic", Streams(0, i), "x").parameters["saturation"]) for i in range(400)]  # type: ignore[arg-type]
    gray = np.mean([saturation < 0.1 for saturation in drawn])
    assert 0.3 < gray < 0.5


@pytest.mark.parametrize("role", sorted(ROLES))
def test_roles(role: str) -> None:
    makes = ROLES[role]
    assert sum(make.weight for make in makes) == pytest.approx(1)
    assert all(list(make.parameters) == list(FAMILIES[make.family]) for make in makes)
    drawn = [draw_role(role, Streams(0, i), "x").family for i in range(200)]
    assert set(drawn) == {make.family for make in makes if make.weight > 0.04}
    assert draw_role(f"{role}:trim", Streams(5, 5), "x") == draw_role(role, Streams(5, 5), "x")


def test_ground_parameters_belong_to_their_families() -> None:
    assert METRIC
    for family, parameters in METRIC.items():
        assert draw_family(family, Streams(0, 0), "ground", parameters).family == family


def test_near_misses() -> None:
    streams = Streams(0, 0)
    with pytest.raises(InputError, match="did you mean 'ceramic'"):
        draw_family("ceramics", streams, "x")
    with pytest.raises(InputError, match="did you mean 'roughness'"):
        draw_family("wood", streams, "x", {"roughnes": Uniform(0, 1)})
    with pytest.raises(InputError, match="did you mean 'chrome'"):
        draw_role("crome:rim", streams, "x")


# In Blender ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TextureSet]:
    """A scanned set with every map, and one with nothing but a color."""
    folder = tmp_path_factory.mktemp("maps")
    kinds = ("color", "normal_gl", "roughness", "displacement", "metalness", "ao", "opacity")
    paths = {kind: folder / f"{kind}.png" for kind in kinds}
    for kind, path in paths.items():
        level = {"normal_gl": (128, 128, 255), "color": (200, 90, 40), "opacity": (255, 255, 255)}
        Image.new("RGB", (8, 8), level.get(kind, (120, 120, 120))).save(path)
    return {"full": TextureSet("full", paths), "plain": TextureSet("plain", {"color": paths["color"]})}


@pytest.fixture(scope="module")
def palette(pictures: dict[str, TextureSet]) -> Any:
    pytest.importorskip("bpy")
    from render.blender import engine
    from render.blender.materials.palette import Palette
    from render.settings import DrawSettings

    engine.start(DrawSettings(samples=4, denoise=False, bounces=4))
    return Palette(lambda asset: pictures[asset])


def specs(index: int) -> list[Material]:
    """A draw of every family, in every kind it comes in."""
    drawn = []
    for family, parameters in FAMILIES.items():
        kinds = parameters["kind"].support() if "kind" in parameters else [None]
        for kind in kinds:
            overrides = {"kind": Fixed(kind)} if kind else {}
            if "texture" in parameters:
                overrides["texture"] = Fixed(["full", "plain"][index % 2])
            drawn.append(draw_family(family, Streams(11, index), "x", overrides))
    return drawn


def lend(palette: Any, spec: Material, foreground: bool = True) -> Any:
    return palette.checkout(spec, pass_index=7, foreground=foreground)


def test_inputs_are_the_parameters(palette: Any) -> None:
    for spec in specs(0):
        material = lend(palette, spec)
        group = next(node for node in material.node_tree.nodes if node.type == "GROUP")
        numbers = {name for name, value in spec.parameters.items() if not isinstance(value, str)}
        own = {"color", "metallic", "roughness"} if spec.family == "own" else set()
        assert {socket.name for socket in group.inputs} == numbers | own, spec.family
        for name in numbers:
            value = group.inputs[name].default_value
            assert np.allclose(value, spec.parameters[name], atol=1e-4), (spec.family, name)
        assert all(link.is_valid for link in group.node_tree.links), spec.family
    palette.release()


def test_stepped_colors_begin_where_they_say() -> None:
    pytest.importorskip("bpy")
    from render.blender.materials.nodes import Nodes

    steps = [(0.0, (1.0, 0.0, 0.0)), (0.3, (0.0, 1.0, 0.0)), (0.5, (0.0, 0.0, 1.0)), (0.9, (1.0, 1.0, 1.0))]
    ramp = Nodes("steps").stepped(0.5, steps).socket.node.color_ramp
    for value, color in [(0.1, 0), (0.29, 0), (0.31, 1), (0.6, 2), (0.89, 2), (0.95, 3)]:
        assert tuple(ramp.evaluate(value))[:3] == pytest.approx(steps[color][1], abs=1e-6), value


def test_walls_are_mostly_without_strong_color() -> None:
    drawn = [draw_family("stucco", Streams(0, i), "x").parameters for i in range(1500)]
    strong = [p for p in drawn if float(p["saturation"]) > 0.2]  # type: ignore[arg-type]
    cold = [p for p in strong if not 0.05 < float(p["hue"]) < 0.16]  # type: ignore[arg-type]
    assert 0.05 < len(strong) / 1500 < 0.2
    assert 0 < len(cold) < 0.04 * 1500


def test_label_outputs(palette: Any) -> None:
    for foreground in (True, False):
        for spec in specs(1):
            material = lend(palette, spec, foreground)
            aovs = {node.aov_name: node for node in material.node_tree.nodes if node.type == "OUTPUT_AOV"}
            assert set(aovs) == {"coverage", "normal", "part"}
            assert aovs["coverage"].inputs["Value"].default_value == float(foreground)
            (made,) = {aovs[name].inputs["Color"].links[0].from_node for name in ("normal", "part")}
            assert made.node_tree == palette.labels.center
            assert made.inputs["opacity"].is_linked == (spec.parameters.get("texture") == "full")
            assert material.pass_index == 7
        palette.release()


def test_nothing_piles_up(palette: Any) -> None:
    import bpy

    def counts() -> tuple[int, int, int]:
        return len(bpy.data.materials), len(bpy.data.node_groups), len(bpy.data.images)

    def picture(index: int) -> None:
        lent = [lend(palette, spec) for spec in specs(index)]
        assert len({material.name for material in lent}) == len(lent)
        palette.release()

    for index in range(2):
        picture(index)
    before = counts()
    for index in range(2, 30):
        picture(index)
    assert counts() == before


def test_each_overlay_has_numbers_of_its_own(palette: Any) -> None:
    """The numbers lie inside the group of an overlay, which no other material uses."""
    wood = draw_family("wood", Streams(0, 0), "x")
    names = [
        "x", "y", "angle", "width", "length", "soft", "bend", "wear", "amount", "hue", "saturation", "value", "seed",
    ]  # fmt: skip
    marks = [Material("mark", {name: start + k for k, name in enumerate(names)}) for start in (1.0, 50.0)]
    for overlays in (marks, marks[::-1]):
        material = palette.checkout(wood, pass_index=1, overlays=overlays)
        groups = [n.node_tree for n in material.node_tree.nodes if n.type == "GROUP"]
        shown = [
            sorted(n.outputs[0].default_value for n in group.nodes if n.type == "VALUE")
            for group in groups
            if group.name.startswith("blendmill.mark")
        ]
        assert shown == [list(over.parameters.values()) for over in overlays]
        palette.release()


def test_two_of_a_family_are_two_materials_with_one_tree(palette: Any) -> None:
    first, second = (lend(palette, draw_family("wood", Streams(0, i), "x")) for i in range(2))
    groups = [next(n for n in m.node_tree.nodes if n.type == "GROUP").node_tree for m in (first, second)]
    assert first != second and groups[0] == groups[1]
    palette.release()


def test_the_images_of_a_file_follow_the_spec(palette: Any, tmp_path: Path) -> None:
    for color in ("red", "blue"):
        Image.new("RGB", (4, 4), color).save(tmp_path / f"{color}.png")
        look = Appearance(color=(0.5, 0.6, 0.7), texture=tmp_path / f"{color}.png")
        material = palette.checkout(Material("own"), pass_index=1, appearance=look)
        group = next(n for n in material.node_tree.nodes if n.type == "GROUP")
        shown = [n.image.filepath for n in group.node_tree.nodes if n.type == "TEX_IMAGE"]
        assert [Path(path).stem for path in shown] == [color]
        assert tuple(group.inputs["color"].default_value) == pytest.approx((0.5, 0.6, 0.7, 1.0))
        palette.release()


def test_what_a_file_says_reaches_the_shader_unchanged(palette: Any) -> None:
    material = palette.checkout(Material("own"), appearance=Appearance(roughness=0.3, metallic=0.7))
    group = next(n for n in material.node_tree.nodes if n.type == "GROUP")
    shader = next(n for n in group.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    for name, value in (("roughness", 0.3), ("metallic", 0.7)):
        (link,) = shader.inputs[name.title()].links
        assert link.from_node.type == "GROUP_INPUT" and link.from_socket.name == name
        assert group.inputs[name].default_value == pytest.approx(value)
    palette.release()


def test_image_memory_is_limited(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    from render.blender.materials.images import ImageCache

    paths = [tmp_path / f"{i}.png" for i in range(8)]
    for path in paths:
        Image.new("RGB", (32, 32)).save(path)
    cache = ImageCache(limit=4 * 32 * 32 * 4)
    images = [cache.get(path, False) for path in paths]
    assert cache.get(paths[0], False) == images[0]
    cache.trim()
    assert len(cache) == 4
    assert cache.get(paths[0], False) == images[0], "the last used stays"


def test_cycles_takes_colors_of_eight_bits_from_memory(tmp_path: Path) -> None:
    """Others are read from their files, because packing would change their last bit."""
    pytest.importorskip("bpy")
    from render.blender.materials.images import ImageCache

    cache = ImageCache(1 << 20)
    for mode, packed in (("RGB", True), ("RGBA", True), ("L", False), ("I;16", False)):
        path = tmp_path / f"{mode[0]}{len(mode)}.png"
        picture = np.full((8, 8), 9, np.uint16) if mode == "I;16" else np.full((8, 8, len(mode)), 9, np.uint8).squeeze()
        Image.fromarray(picture).save(path)
        assert (cache.get(path, True).packed_file is not None) == packed, mode


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
def test_uncommon_pictures_load(tmp_path: Path, mode: str) -> None:
    pytest.importorskip("bpy")
    from render.blender.materials.images import ImageCache

    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    if mode == "I;16":
        Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16)).save(path)
    else:
        Image.new("RGB", (8, 8), (160, 160, 160)).convert(mode).save(path)
    image = ImageCache(1 << 20).get(path, is_data=True)
    level = {"I;16": 40000 / 65535, "1": None}.get(mode, 160 / 255)
    assert level is None or image.pixels[0] == pytest.approx(level, abs=0.03)


def test_bad_specs(palette: Any, tmp_path: Path) -> None:
    wood = draw_family("wood", Streams(0, 0), "x").parameters
    cases = [
        (Material("woods", wood), "did you mean 'wood'"),
        (Material("wood", {**wood, "rings": 1.0}), "no parameter 'rings'"),
        (Material("wood", {k: v for k, v in wood.items() if k != "gloss"}), "lacks the parameter 'gloss'"),
        (draw_family("stone", Streams(0, 0), "x", {"kind": Fixed("marbel")}), "did you mean 'marble'"),
    ]
    for spec, message in cases:
        with pytest.raises(InputError, match=message):
            lend(palette, spec)
    gone = Appearance(texture=tmp_path / "gone.png")
    with pytest.raises(InputError, match=r"gone\.png"):
        palette.checkout(Material("own"), pass_index=1, appearance=gone)
    palette.release()


def test_every_family_renders(palette: Any, tmp_path: Path) -> None:
    """One small picture of all families side by side: all lit, all different, labels as asked."""
    import bpy

    scene = bpy.context.scene
    names, columns = specs(0), 7
    rows = -(-len(names) // columns)
    for k, spec in enumerate(names):
        scene.collection.objects.link(_ball(f"ball{k}", k % columns, k // columns, lend(palette, spec, k % 2 == 0)))
    rgb, coverage, normal = _shot(scene, palette, columns, rows, tmp_path / "all.exr")
    palette.release()
    looks = set()
    for k, spec in enumerate(names):
        row, column = rows - 1 - k // columns, k % columns
        middle = (slice(row * 16 + 6, row * 16 + 10), slice(column * 16 + 6, column * 16 + 10))
        assert np.isfinite(rgb[middle]).all() and rgb[middle].mean() > 1e-3, spec.family
        assert np.all(coverage[middle] == (k % 2 == 0)), spec.family
        assert np.allclose(np.linalg.norm(normal[middle], axis=-1), 1, atol=0.05), spec.family
        assert normal[middle][..., 2].min() > 0.8, spec.family
        looks.add(tuple(np.round(rgb[middle].reshape(-1), 4)))
    assert len(looks) == len(names)


def _ball(name: str, x: float, y: float, material: Any) -> Any:
    import bpy

    from scenes.shapes import primitives

    geometry = primitives.part(name, primitives.ellipsoid(0.57, 0.57, 0.57, 24, 12), "plastic")
    assert geometry.uvs is not None
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(geometry.vertices.tolist(), [], geometry.faces.tolist())
    mesh.shade_smooth()
    for layer in ("box", "uv"):
        mesh.uv_layers.new(name=layer).data.foreach_set("uv", geometry.uvs.reshape(-1))
    mesh.materials.append(material)
    ball = bpy.data.objects.new(name, mesh)
    ball.location = (x + 0.5, y + 0.5, 0.0)
    ball.scale = (1.5, 1.5, 1.5)
    return ball


def _shot(scene: Any, palette: Any, columns: int, rows: int, path: Path) -> tuple[np.ndarray, ...]:
    """Linear rgb (h, w, 3), coverage (h, w) and unit normal (h, w, 3), from far above at 16 pixels a unit."""
    import bpy

    from render.blender import engine

    place, wide = (columns / 2, rows / 2, 50.0), max(columns, rows)
    record = Camera(place, (columns / 2, rows / 2, 0.0), 0.0, 36.0 * place[2] / wide, columns * 16, rows * 16)
    palette.labels.aim(record)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.lens, camera.location = record.focal_length, place
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("grey")
    scene.world.color = (0.8, 0.8, 0.8)
    scene.render.resolution_x, scene.render.resolution_y = columns * 16, rows * 16
    passes = engine.draw(scene, path)
    normal = passes["normal"] / np.maximum(np.linalg.norm(passes["normal"], axis=-1, keepdims=True), 1e-9)
    return passes["combined"][..., :3], passes["coverage"], normal
