"""Surfaces with an opacity: labels against rays that pass where the surface is not there (`tests.rays`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from render.frame import Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.assets.info import AssetInfo
from scenes.assets.normalize import describe, unit_model
from scenes.assets.sources import ModelFolder
from scenes.assets.texture_sets import TextureSet
from scenes.distributions import Fixed
from scenes.materials.roles import draw_family
from scenes.mesh import Appearance, Model, Part
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.record.scene import Background, Item, Scene, Sensor, World
from scenes.streams import Streams
from tests.rays import Hits, hits, iou

pytest.importorskip("bpy", reason="needs Blender's module")
pytest.importorskip("embreex", reason="needs embree to cast rays with")

SIZE = 96
OWN = {"*": Material("own")}


class Few:
    """A catalogue of models that a test makes, and of one texture set."""

    def __init__(self, models: dict[str, Model], textures: TextureSet | None = None):
        self._models = {name: unit_model(model)[0] for name, model in models.items()}
        self._infos = {name: describe(model, id=name, category="card") for name, model in self._models.items()}
        self._textures = textures

    def model(self, asset: str) -> Model:
        return self._models[asset]

    def info(self, asset: str) -> AssetInfo:
        return self._infos[asset]

    def path(self, asset: str) -> Path:
        raise AssertionError(asset)

    def texture_set(self, asset: str) -> TextureSet:
        assert self._textures is not None
        return self._textures


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray picture: a star of opacity 1, a bar of opacity 0.3 across it, nothing elsewhere."""
    path = tmp_path_factory.mktemp("maps") / "star.png"
    image = Image.new("L", (128, 128), 0)
    ends = [(60 if k % 2 else 24, k * math.pi / 6) for k in range(12)]
    draw = ImageDraw.Draw(image)
    draw.polygon([(64 + r * math.cos(a), 64 + r * math.sin(a)) for r, a in ends], fill=255)
    draw.rectangle((0, 58, 127, 70), fill=76)
    image.save(path)
    return path


def cards(look: Appearance, count: int = 1, apart: float = 0.05) -> Model:
    """Square cards behind one another, that face along -y."""
    corners = np.array([(-1, 0, -1), (1, 0, -1), (1, 0, 1), (-1, 0, 1)], np.float32) / 2
    vertices = np.concatenate([corners + (0, k * apart, 0) for k in range(count)]).astype(np.float32)
    faces = np.concatenate([np.array([(0, 1, 2), (0, 2, 3)]) + 4 * k for k in range(count)]).astype(np.int32)
    uvs = np.tile(np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32), (count, 1))[faces]
    normals = np.tile(np.float32([0, -1, 0]), (len(faces), 3, 1))
    return Model((Part("card", vertices, faces, normals, uvs, "own:card", look),))


def scene(*items: Item, background: Background | None = None, **camera: Any) -> Scene:
    seen_from = replace(Camera((0.5, -1.7, 0.6), (0.05, 0.3, 0), 4, 40, SIZE, SIZE), **camera)
    return Scene(0, 0, items, World("", 0, 1), (), seen_from, background or Background("none"), Sensor())


def item(asset: str, y: float = 0.0, x: float = 0.0, materials: dict[str, Material] | None = None) -> Item:
    return Item(asset, "card", "member", (x, y, 0.0), (1.0, 0.0, 0.0, 0.0), 1.0, materials or OWN)


def draw(catalogue: Any, drawn: Scene, samples: int = 4) -> Frame:
    from render.blender.stage import Stage

    return Stage(DrawSettings(samples, True, 2, threads=1), catalogue, ("card",)).draw(drawn)


def assert_labels(frame: Frame, truth: Hits) -> None:
    """Every label says what the rays say."""
    for number in range(1, len(frame.objects) + 1):
        assert iou(frame.instance == number, truth.instance == number) >= 0.995
    same = (frame.instance == truth.instance) & (truth.instance > 0)
    assert np.array_equal(frame.category > 0, frame.instance > 0)
    assert (frame.part[same] == truth.part[same]).all()
    # At the rim of a hole, a ray that is off by a thousandth of a pixel meets the next layer.
    assert (np.abs(frame.depth[same] / truth.depth[same] - 1) < 1e-4).mean() > 0.998
    assert np.isinf(frame.depth[(frame.instance == 0) & (truth.instance == 0)]).all()
    ours = frame.normals[same].astype(float)
    aside = np.linalg.norm(np.cross(ours, truth.normal[same]), axis=-1)
    angle = np.degrees(np.arctan2(aside, (ours * truth.normal[same]).sum(axis=-1)))
    assert (angle < 1).mean() >= 0.999


def assert_objects(frame: Frame, model: Callable[[str], Model]) -> None:
    """Visibility and boxes are those of the rays at each item alone."""
    for label, one in zip(frame.objects, frame.scene.items, strict=True):
        alone = hits(replace(frame.scene, items=(one,)), model).instance > 0
        rows, columns = np.nonzero(alone)
        assert label.visibility == pytest.approx(label.pixels / alone.sum(), abs=0.005)
        around = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert np.abs(np.subtract(label.amodal_box, around)).max() <= 1


@pytest.mark.parametrize(
    ("mode", "alpha", "cutoff"), [("OPAQUE", 0.1, 0.5), ("MASK", 1.0, 0.2), ("MASK", 0.6, 0.5), ("BLEND", 1.0, 0.5)]
)
def test_labels_follow_the_shape_and_what_is_seen_through_it(
    star: Path, mode: str, alpha: float, cutoff: float
) -> None:
    look = Appearance(alpha=alpha, mode=mode, cutoff=cutoff, opacity=star)
    catalogue = Few({"star": cards(look), "wall": cards(Appearance())})
    drawn = scene(item("star"), item("star", y=0.5, x=0.1), item("wall", y=1.0))
    frame, truth = draw(catalogue, drawn), hits(drawn, catalogue.model)
    # The opaque picture hides more than the one that is cut out.
    assert (truth.instance == 3).any() == (mode != "OPAQUE" or (truth.instance == 1).sum() < 3000)
    assert_labels(frame, truth)
    assert_objects(frame, catalogue.model)


def test_a_plain_opacity_is_hit_from_one_half_on(star: Path) -> None:
    looks = {f"{alpha}": cards(Appearance(alpha=alpha, mode="BLEND")) for alpha in (0.45, 0.55)}
    catalogue = Few({**looks, "wall": cards(Appearance())})
    through = draw(catalogue, scene(item("0.45"), item("wall", y=0.5)))
    hidden = draw(catalogue, scene(item("0.55"), item("wall", y=0.5)))
    assert through.objects[0].pixels == 0 and through.objects[1].visibility == 1
    assert hidden.objects[0].visibility == 1 and hidden.objects[1].visibility < 0.5


def test_alpha_is_coverage_times_opacity() -> None:
    """Two cards of opacity 0.4 and 0.7 let 0.6 * 0.3 of the light from behind through, before any background."""
    looks = {name: cards(Appearance(alpha=float(name), mode="BLEND")) for name in ("0.4", "0.7")}
    for background in (Background("none"), Background("ground", material=Material("own"))):
        frame = draw(Few(looks), scene(item("0.4"), item("0.7", y=0.02), background=background), samples=64)
        # The ground hides the lower half of the cards.
        inside = frame.alpha[36:44, 40:56] / 255
        assert inside.mean() == pytest.approx(1 - 0.6 * 0.3, abs=0.01)
        single = draw(Few(looks), scene(item("0.4"), background=background))
        assert np.abs(single.alpha[36:44, 40:56] / 255 - 0.4).max() < 0.003


def test_glass_stays_an_object_and_is_named() -> None:
    """Solid glass bends what is behind and hides the clean plate. A pane lets 0.95 of its tint pass."""
    clean = {"saturation": Fixed(0.0), "dirt": Fixed(0.0), "value": Fixed(0.9)}
    materials = {name: {"*": draw_family(name, Streams(0, 0), "x", clean)} for name in ("pane", "glass")}
    materials["plain"] = OWN
    straight = {"location": (0.0, -1.9, 0.0), "target": (0.0, 0.0, 0.0), "roll": 0.0}
    middle = (slice(44, 52), slice(44, 52))
    frames = {
        name: draw(Few({"card": cards(Appearance())}), scene(item("card", materials=chosen), **straight), samples=32)
        for name, chosen in materials.items()
    }
    for name, frame in frames.items():
        assert frame.objects[0].glass == (() if name == "plain" else ("card",))
        assert (frame.instance[middle] == 1).all() and np.isfinite(frame.depth[middle]).all()
    assert (frames["glass"].alpha[middle] == 255).all() and (frames["plain"].alpha[middle] == 255).all()
    assert np.abs(frames["pane"].alpha[middle] / 255 - (1 - 0.95 * 0.9**2.2)).max() < 0.01


def test_one_sees_through_many_layers(star: Path) -> None:
    """Through the holes of forty cards one sees the light wall behind, and no black."""
    look = Appearance(mode="MASK", opacity=star)
    catalogue = Few({"stack": cards(look, count=40, apart=0.01), "wall": cards(Appearance(color=(0.9, 0.9, 0.9)))})
    straight = {"location": (0.0, -1.7, 0.0), "target": (0.0, 0.0, 0.0), "roll": 0.0}
    drawn = scene(item("stack"), item("wall", y=0.5), **straight)
    frame, truth = draw(catalogue, drawn), hits(drawn, catalogue.model)
    assert_labels(frame, truth)
    behind = (frame.instance == 2) & (truth.instance == 2)
    assert behind.sum() > 500
    # Only what lies in the shade of the cards is darker.
    assert np.median(frame.rgb[behind].max(axis=-1)) > 100


def test_a_texture_set_with_an_opacity_cuts_an_object(tmp_path: Path) -> None:
    """Stripes: the left half of each tile is there. The tile lies on the card as scale and rotation say."""
    opacity, color = tmp_path / "opacity.png", tmp_path / "color.png"
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, :32] = 255
    Image.fromarray(stripes).save(opacity)
    Image.new("RGB", (8, 8), (200, 90, 40)).save(color)
    catalogue = Few({"card": cards(Appearance())}, TextureSet("net", {"color": color, "opacity": opacity}))
    net = Material("pbr", {"texture": "net", "scale": 2.0, "rotation": 0.0})
    straight = {"location": (0.0, -2.0, 0.0), "target": (0.0, 0.0, 0.0), "roll": 0.0}
    frame = draw(catalogue, scene(item("card", materials={"*": net}), **straight))
    # The unit model is 0.7071 wide: two tiles a unit, and x runs with the columns.
    k = frame.intrinsics
    x = (np.arange(SIZE) + 0.5 - k[0, 2]) / k[0, 0] * 2.0
    there = (np.abs(x) < 0.5 / math.sqrt(2)) & ((x * 2.0) % 1.0 < 0.5)
    row = frame.instance[SIZE // 2] == 1
    assert there.sum() > 15 and np.array_equal(row, there)


def test_a_crack_on_a_cut_out_ends_with_it(star: Path) -> None:
    """What an overlay draws is cut with its surface."""
    from render.blender import engine
    from render.blender.materials.palette import Palette

    engine.start(DrawSettings(1, False, 0))
    palette = Palette(lambda asset: TextureSet(asset, {}))
    look = Appearance(mode="MASK", opacity=star)
    over = Material("mark", {name: 1.0 for name in _parameters("mark")})
    material = palette.checkout(Material("own"), pass_index=1, appearance=look, overlays=(over,))
    (output,) = (node for node in material.node_tree.nodes if node.type == "OUTPUT_MATERIAL")
    last = output.inputs["Surface"].links[0].from_node
    assert last.node_tree == palette.labels.cut
    assert last.inputs["surface"].links[0].from_node.node_tree.name.startswith("blendmill.mark")


def _parameters(overlay: str) -> list[str]:
    from render.blender.materials.nodes import Nodes
    from render.blender.materials.palette import OVERLAYS

    nodes = Nodes("parameters")
    OVERLAYS[overlay](nodes, nodes.shader_input("under"))
    return [socket.name for socket in nodes.tree.interface.items_tree if socket.socket_type == "NodeSocketFloat"]


@pytest.mark.parametrize(
    "name", ["A1_leaf_mask.glb", "A1b_leaf_blend.glb", "A2_opaque_alpha0.glb", "A2b_mask_cut.glb", "R7_20_layers.glb",
             "O6/leaf.obj"],
)  # fmt: skip
def test_cases(shared: Path, tmp_path: Path, name: str) -> None:
    from render.blender.importers import IMPORTERS

    case = shared / "cases" / name
    folder = ModelFolder(case.parent, layout="flat", category="card")
    catalogue = Catalogue(models=[folder], cache=tmp_path, importers=IMPORTERS)
    asset = f"{case.parent.name}/{case.name}"
    drawn = scene(item(asset), item(asset, y=0.8, x=0.1))
    frame = draw(catalogue, drawn)
    assert_labels(frame, hits(drawn, catalogue.model))
    assert_objects(frame, catalogue.model)
