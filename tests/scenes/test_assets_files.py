"""Model files: every format, the defects of real collections, and which files are refused."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from render.catalogue import IMPORTERS
from scenes.assets.appearance import role_of
from scenes.assets.cache import Cache
from scenes.assets.catalogue import Catalogue
from scenes.assets.file_source import Settled, settle
from scenes.assets.formats import AXES
from scenes.assets.info import AssetInfo
from scenes.assets.references import MAX_BYTES, references
from scenes.assets.soup import outward
from scenes.assets.sources import FileAsset, ModelFolder, axes, discover
from scenes.errors import InputError, LoadError
from scenes.files import POINTER
from scenes.materials.roles import ROLES
from scenes.mesh import Model, face_crosses
from tests.scenes.test_decimation import plain_soup

BLENDER = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs Blender's module")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def read(path: Path, cache: Cache, **fields: object) -> tuple[AssetInfo, Model]:
    settled = settled_of(path, cache, **fields)
    assert not settled.reason, settled.reason
    info, model = cache.info(settled.entry), cache.model(settled.entry)
    assert info is not None and model is not None
    assert np.linalg.norm(np.diff(info.bounds, axis=0)) == pytest.approx(1, abs=1e-5)
    for part in model.parts:
        assert np.isfinite(part.vertices).all() and np.allclose(np.linalg.norm(part.normals, axis=-1), 1, atol=1e-5)
    return info, model


def settled_of(path: Path, cache: Cache, **fields: object) -> Settled:
    up, front = axes(path.suffix, str(fields.pop("up", "auto")), str(fields.pop("front", "auto")))
    asset = FileAsset("id", "class", path, path.parent, up, front, **fields)  # type: ignore[arg-type]
    return settle(asset, cache, IMPORTERS)


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), (200, 30, 30)).save(path)
    return path


SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


def textured(folder: Path, name: str = "wood.png", written: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "m.mtl").write_text(f"newmtl Wood_top\nKd 1 1 1\nNs 50\nmap_Kd {written or name}\n")
    (folder / "m.obj").write_text(f"mtllib m.mtl\n{SQUARE}usemtl Wood_top\nf 1/1 2/2 3/3 4/4\n")
    return folder / "m.obj"


@pytest.mark.parametrize("suffix", [".obj", pytest.param(".glb", marks=BLENDER), ".stl", ".off", ".ply"])
def test_every_format_stands_upright(tmp_path: Path, cache: Cache, suffix: str) -> None:
    # 1 wide, 2 deep, 4 high in our axes; y-up formats have their height along y.
    size = (1, 4, 2) if axes(suffix, "auto", "auto")[0] == "y" else (1, 2, 4)
    path = tmp_path / f"Kasten ü{suffix}"
    trimesh.creation.box(size).export(path)
    info, model = read(path, cache)
    assert np.ptp(info.bounds, axis=0) * np.sqrt(21) == pytest.approx([1, 2, 4], rel=1e-5)
    assert info.triangles == 12 and info.meters == pytest.approx(np.sqrt(21), rel=1e-5)
    part = model.parts[0]
    volume = (part.vertices[part.faces][:, 0] * face_crosses(part.vertices, part.faces)).sum()
    assert volume > 0


@pytest.mark.parametrize(
    ("up", "front", "front_point"),
    [
        ("y", "-z", (0, 0, -1)),
        ("y", "z", (0, 0, 1)),
        ("z", "-y", (0, -1, 0)),
        ("z", "x", (1, 0, 0)),
        ("-y", "z", (0, 0, 1)),
    ],
)
def test_axes_turn_to_ours(
    tmp_path: Path, cache: Cache, up: str, front: str, front_point: tuple[int, int, int]
) -> None:
    arrow = trimesh.util.concatenate(
        [trimesh.creation.box((0.1, 0.1, 0.1)), trimesh.creation.icosphere(1, 0.02).apply_translation(front_point)]
    )
    high = np.zeros(3)
    high["xyz".index(up[-1])] = -0.5 if up[0] == "-" else 0.5
    arrow = trimesh.util.concatenate([arrow, trimesh.creation.icosphere(1, 0.01).apply_translation(high)])
    arrow.export(tmp_path / "a.stl")
    info, model = read(tmp_path / "a.stl", cache, up=up, front=front)
    points = model.parts[0].vertices * info.meters
    center = points[np.argsort(np.linalg.norm(points - points.mean(axis=0), axis=1))[:8]].mean(axis=0)
    assert points[:, 1].min() < center[1] - 0.7 and points[:, 1].max() - center[1] < 0.3, "front is -y"
    assert points[:, 2].max() > center[2] + 0.3 and center[2] - points[:, 2].min() < 0.3, "up is z"


def test_obj_brings_its_texture_and_its_role(tmp_path: Path, cache: Cache) -> None:
    picture(tmp_path / "m/wood.png")
    info, model = read(textured(tmp_path / "m"), cache)
    part = model.parts[0]
    assert part.role == "own:Wood_top" and part.uvs is not None and part.uvs.shape == (2, 3, 2)
    assert part.appearance is not None and part.appearance.color == (1, 1, 1)
    assert part.appearance.roughness == pytest.approx(np.sqrt(2 / 52))
    texture = part.appearance.texture
    assert texture is not None and texture.is_relative_to(cache.folder)
    assert texture.read_bytes() == (tmp_path / "m/wood.png").read_bytes()
    assert info.warnings == ()


@pytest.mark.parametrize(
    "written", ["-s 1 1 1 -clamp on wood.png", '"wood.png"', "WOOD.PNG", ".\\wood.png", "C:\\Users\\me\\wood.png"]
)
def test_names_of_textures_as_exporters_write_them(tmp_path: Path, cache: Cache, written: str) -> None:
    picture(tmp_path / "m/wood.png")
    _, model = read(textured(tmp_path / "m", written=written), cache)
    assert model.parts[0].appearance is not None and model.parts[0].appearance.texture is not None


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("texture.png", "Mug/materials/textures/texture.png"),  # Google Scanned Objects
        ("texture.png", "Mug/textures/texture.png"),
        ("C:\\work\\texture.png", "Mug/meshes/textures/texture.png"),
        ("gone/texture.png", "Mug/meshes/texture.png"),
    ],
)
def test_textures_lie_where_other_programs_look_for_them(tmp_path: Path, written: str, place: str) -> None:
    model = textured(tmp_path / "Mug/meshes", written=written)
    assert references(model, tmp_path / "Mug").missing == (written,)
    picture(tmp_path / place)
    assert references(model, tmp_path / "Mug").found[written] == (tmp_path / place).resolve()


def test_a_missing_texture_is_told_and_comes_in_when_it_is_there(tmp_path: Path, cache: Cache) -> None:
    path = textured(tmp_path / "m")
    info, model = read(path, cache)
    assert info.warnings == ("'wood.png' is missing",)
    assert model.parts[0].appearance is None, "a white material that only had its map is to be replaced"
    assert "wood.png" in settled_of(path, cache, need_textures=True).reason
    picture(tmp_path / "m/wood.png")
    info, model = read(path, cache)
    assert info.warnings == () and model.parts[0].appearance is not None
    assert not settled_of(path, cache, need_textures=True).reason


def test_a_broken_texture_is_told(tmp_path: Path, cache: Cache) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(picture(tmp_path / "m/wood.png"))
    (tmp_path / "m/wood.png").write_bytes((tmp_path / "m/wood.png").read_bytes()[:3000])
    info, _ = read(textured(tmp_path / "m"), cache)
    (warning,) = info.warnings
    assert warning.startswith("'wood.png' cannot be decoded:")


def test_pointers_of_git_lfs_are_told_beside_the_model(tmp_path: Path, cache: Cache) -> None:
    obj = textured(tmp_path / "m")
    (tmp_path / "m/wood.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n")
    assert read(obj, cache)[0].warnings == (f"'wood.png' {POINTER}",)
    shutil.copy(tmp_path / "m/wood.png", tmp_path / "m/a.bin")
    (tmp_path / "m/a.gltf").write_text('{"buffers": [{"uri": "a.bin", "byteLength": 3}]}')
    assert settled_of(tmp_path / "m/a.gltf", cache).reason == f"needs 'a.bin', which {POINTER}"


def test_a_damaged_texture_in_the_cache_is_copied_again(tmp_path: Path) -> None:
    picture(tmp_path / "set/ball/m/wood.png")
    textured(tmp_path / "set/ball/m")
    folder = ModelFolder(tmp_path / "set")
    first = Catalogue(models=[folder], cache=tmp_path / "c").model("set/ball/m/m.obj")
    texture = first.parts[0].appearance.texture  # type: ignore[union-attr]
    assert texture is not None
    texture.write_bytes(b"broken")
    Catalogue(models=[folder], cache=tmp_path / "c").model("set/ball/m/m.obj")
    assert texture.read_bytes() == (tmp_path / "set/ball/m/wood.png").read_bytes()


@pytest.mark.parametrize("name", ["../secret.png", "..\\secret.png", "a/../../secret.png"])
def test_no_reference_leads_out_of_the_folder(tmp_path: Path, cache: Cache, name: str) -> None:
    picture(tmp_path / "secret.png")
    reason = settled_of(textured(tmp_path / "m", written=name), cache).reason
    assert "outside its folder" in reason
    scene = {"asset": {"version": "2.0"}, "images": [{"uri": name.replace("\\", "%5C")}]}
    (tmp_path / "m/g.gltf").write_text(json.dumps(scene))
    with pytest.raises(LoadError, match="outside its folder"):
        references(tmp_path / "m/g.gltf", tmp_path / "m")


@pytest.mark.parametrize("name", ["http://127.0.0.1/x.png", "model://car/a.png", "file:///etc/x.png"])
def test_a_color_map_elsewhere_counts_as_missing(tmp_path: Path, cache: Cache, name: str) -> None:
    path = textured(tmp_path / "m", written=name)
    assert settled_of(path, cache).warnings == (f"'{name}' is missing",)
    assert name in settled_of(path, cache, need_textures=True).reason
    (tmp_path / "m/g.gltf").write_text(json.dumps({"asset": {"version": "2.0"}, "buffers": [{"uri": name}]}))
    with pytest.raises(LoadError, match="on the network"):
        references(tmp_path / "m/g.gltf", tmp_path / "m")


@pytest.mark.parametrize("name", ["../secret.usda", "/etc/secret.usda", "part/../../secret.usda", "part/deep.usda"])
def test_no_layer_of_usd_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "m/part").mkdir(parents=True)
    (tmp_path / "secret.usda").write_text("#usda 1.0\n")
    (tmp_path / "m/part/deep.usda").write_text('#usda 1.0\ndef "a" (references = @@@../../secret.usda@@@) {}\n')
    (tmp_path / "m/part/fine.usda").write_text('#usda 1.0\ndef "a" (references = @../a.usda@) {}\n')
    (tmp_path / "m/a.usda").write_text(f'#usda 1.0\ndef "a" (payload = @{name}@</x>) {{}}\n')
    with pytest.raises(LoadError, match="outside its folder"):
        references(tmp_path / "m/a.usda", tmp_path / "m")
    # One layer may name another that names it.
    (tmp_path / "m/a.usda").write_text("#usda 1.0\n( subLayers = [@./part/fine.usda@] )\nasset a = @gone.png@\n")
    found = references(tmp_path / "m/a.usda", tmp_path / "m")
    assert {path.name for path in found.found.values()} == {"fine.usda", "a.usda"} and found.missing == ("gone.png",)
    (tmp_path / "m/a.usda").write_text("#usda 1.0\n( subLayers = [@gone.usda@] )\n")
    with pytest.raises(LoadError, match=r"needs 'gone\.usda'"):
        references(tmp_path / "m/a.usda", tmp_path / "m")


def test_no_link_leads_out_of_the_folder(tmp_path: Path, cache: Cache) -> None:
    picture(tmp_path / "secret.png")
    path = textured(tmp_path / "m")
    (tmp_path / "m/wood.png").symlink_to(tmp_path / "secret.png")
    assert "outside its folder" in settled_of(path, cache).reason


def test_the_source_folder_is_the_bound(tmp_path: Path) -> None:
    picture(tmp_path / "03001627/abc/images/t.jpg")
    path = textured(tmp_path / "03001627/abc/models", written="../images/t.jpg")
    assert references(path, tmp_path).found["../images/t.jpg"] == (tmp_path / "03001627/abc/images/t.jpg").resolve()


def test_shapenet_dirt(tmp_path: Path, cache: Cache) -> None:
    """Repeated groups, a part without UVs, false normals, a doubled face, a face without area."""
    (tmp_path / "m.obj").write_text(
        "# ü\n" + SQUARE + "v 0 0 1\nv 1 0 1\nv 1 1 1\nvn 0 0 -1\nvn nan nan nan\n"
        "g a\nusemtl x\nf 1/1/1 2/2/1 3/3/2\ng b\nusemtl y\nf 5//1 6//1 7//1\ng a\nusemtl x\nf 1/1/1 3/3/1 4/4/1\n"
        "f 3/3/1 1/1/1 2/2/1\nf 1/1/1 1/1/1 2/2/1\n\n"
    )
    info, model = read(tmp_path / "m.obj", cache)
    assert model.triangles == 3
    assert any("2 faces doubled or without area" in w for w in info.warnings)


@pytest.mark.parametrize(
    "text",
    ["OFF\n# c\n\n3 1 0\n0 0 0\n1 0 0 # x\n  0 1 0\n\n3 0 1 2\n", "OFF3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n",
     "OFF\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3 255 0 0\n"],
)  # fmt: skip
def test_off_with_comments_and_glued_header(tmp_path: Path, cache: Cache, text: str) -> None:
    (tmp_path / "a.off").write_text(text)
    assert read(tmp_path / "a.off", cache)[0].triangles == (2 if "\n4 0" in text else 1)


def glb(tree: dict[str, object]) -> bytes:
    text = json.dumps(tree).encode().ljust(200)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.obj", b"", "is empty"),
        ("a.obj", b"# nothing\n", "is empty"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\n", "only points"),
        ("a.obj", b"v nan 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "not a number"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n", "no area"),
        ("a.obj", b"v 5 5 5\nv 5 5 5\nv 5 5 5\nf 1 2 3\n", "no usable size"),
        ("a.obj", b"v 0 0 0\nv 1e300 0 0\nv 0 1 0\nf 1 2 3\n", "no usable size"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "cannot be parsed|refers to vertex"),
        ("a.stl", b"\0" * 80 + struct.pack("<I", 9) + b"\0" * 50, "truncated"),
        ("a.off", b"OFF\n999999999 1 0\n0 0 0\n", "truncated"),
        ("a.off", b"JPEG", "cannot be parsed"),
        (
            "a.obj",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n",
            "pointer of Git LFS .*`git lfs pull`",
        ),
        (
            "a.ply",
            b"ply\nformat binary_little_endian 1.0\nelement vertex 4000000000\nproperty float x\nend_header\n",
            "truncated",
        ),
        ("a.glb", glb({"asset": {"version": "2.0"}})[:60], "truncated"),
        ("a.glb", glb({"accessors": [{"count": 10**12, "componentType": 5126, "type": "VEC3"}]}), "limit"),
        ("a.gltf", b"{", "not glTF"),
        ("a.gltf", b'{"buffers": [{"uri": "gone.bin", "byteLength": 3}]}', "needs 'gone.bin'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(
    tmp_path: Path, cache: Cache, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    settled = settled_of(tmp_path / name, cache)
    assert re.search(words, settled.reason) and "\n" not in settled.reason
    assert settled_of(tmp_path / name, cache) == settled


def test_what_is_too_large_is_not_read(tmp_path: Path, cache: Cache) -> None:
    with (tmp_path / "a.stl").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "the limit is 512" in settled_of(tmp_path / "a.stl", cache).reason


def test_importers_read_what_they_are_given_for(tmp_path: Path, cache: Cache) -> None:
    from tests.scenes.stand_in_reader import a_box

    (tmp_path / "a.fbx").write_bytes(b"x")
    asset = FileAsset("id", "class", tmp_path / "a.fbx", tmp_path, "z", "-y")
    assert "Blender" in settle(asset, cache, {}).reason
    settled = settle(asset, cache, {".fbx": a_box})
    assert not settled.reason and settled.warnings == ("'t.png' is missing",)


def test_closed_bodies_are_turned_outward_and_open_ones_left() -> None:
    ball, sheet = trimesh.creation.icosphere(2), trimesh.creation.icosphere(2)
    crooked = np.asarray(ball.faces).copy()
    crooked[::3] = crooked[::3, ::-1]
    half = np.asarray(sheet.faces)[sheet.triangles_center[:, 2] > 0][:, ::-1]
    vertices = np.concatenate([ball.vertices, sheet.vertices + (5, 0, 0)])
    for faces in (crooked, np.asarray(ball.faces)[:, ::-1], np.asarray(ball.faces)):
        whole = np.concatenate([faces, half + len(ball.vertices)])
        soup = plain_soup(vertices, whole)
        turned = outward(soup).faces
        body = turned[: len(faces)]
        assert (vertices[body].mean(axis=1) * face_crosses(vertices, body)).sum(axis=1).min() > 0
        assert (turned[len(faces) :] == half + len(ball.vertices)).all()


def test_material_names_speak_for_roles() -> None:
    assert [role_of(n) for n in ("", "WoodDark", "tire_front", "environment", "car-Chrome")] == [
        "plastic", "wood:WoodDark", "tyre:tire_front", "plastic:environment", "chrome:car-Chrome",
    ]  # fmt: skip
    from scenes.assets.appearance import _WORDS

    assert set(_WORDS) <= set(ROLES)


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_versions_of_shapenet_have_their_own_front(tmp_path: Path) -> None:
    put(tmp_path / "v1", "03001627/abc/model.obj")
    put(tmp_path / "v2", "03001627/abc/models/model_normalized.obj")
    for version, front in (("v1", "x"), ("v2", "-z")):
        (asset,) = discover(ModelFolder(tmp_path / version), version).assets
        assert (asset.category, asset.up, asset.front) == ("chair", "y", front)
    (asset,) = discover(ModelFolder(tmp_path / "v1", front="z"), "v1").assets
    assert asset.front == "z", "what the config says counts"


def test_one_file_is_a_folder_of_one(tmp_path: Path) -> None:
    put(tmp_path, "chairs/Mug.obj", "chairs/b.obj", "chairs/note.txt")
    (asset,) = discover(ModelFolder(tmp_path / "chairs/Mug.obj"), "Mug.obj").assets
    assert (asset.id, asset.category, asset.root) == ("Mug.obj", "Mug", tmp_path / "chairs")
    (asset,) = discover(ModelFolder(tmp_path / "chairs/Mug.obj", category="cup"), "Mug.obj").assets
    assert asset.category == "cup" and (asset.up, asset.front) == ("y", "z")
    with pytest.raises(InputError, match=r"note.txt is of no format that is read.*\.obj"):
        discover(ModelFolder(tmp_path / "chairs/note.txt"), "note.txt")


def test_formats_that_nobody_reads_are_named(tmp_path: Path) -> None:
    trimesh.creation.box().export(put(tmp_path / "set", "mug/a.dae", "mug/b.3DS", "mug/read.me") / "mug/c.obj")
    catalogue = Catalogue(models=[ModelFolder(tmp_path / "set")], cache=tmp_path / "cache")
    assert catalogue.assets("mug") == ("set/mug/c.obj",)
    assert {Path(path).name: reason for path, reason in catalogue.left_out.items()} == {
        "a.dae": "is a .dae file, which is not read; convert it to .glb",
        "b.3DS": "is a .3DS file, which is not read; convert it to .glb",
    }
    with pytest.raises(InputError, match=r"holds no model.*; \.dae files are not read, convert them to \.glb"):
        discover(ModelFolder(put(tmp_path / "only", "mug/a.dae"), "flat", category="mug"), "only")


def test_archives_are_to_be_unpacked(tmp_path: Path) -> None:
    put(tmp_path / "kits", "car/kenney_car-kit.zip")
    with pytest.raises(InputError, match=r"kenney_car-kit\.zip is an archive, which is not looked into; unpack it"):
        discover(ModelFolder(tmp_path / "kits"), "kits")
    put(tmp_path / "pbr", "Bricks076C_1K-JPG.zip")
    put(tmp_path / "skies", "sky.7z")
    catalogue = Catalogue(
        textures=[tmp_path / "pbr"], hdris=[tmp_path / "skies"], shapes={"mug": 1}, cache=tmp_path / "cache"
    )
    assert sorted(Path(path).name for path in catalogue.left_out) == ["Bricks076C_1K-JPG.zip", "sky.7z"]


def test_models_of_bop_are_in_millimeters(tmp_path: Path) -> None:
    put(tmp_path / "lm", "models/obj_000001.ply", "models/models_info.json", "other/a.ply")
    for unit, wanted in ((None, {"obj_000001.ply": 0.001, "a.ply": None}), (1.0, {"obj_000001.ply": 1, "a.ply": 1})):
        found = discover(ModelFolder(tmp_path / "lm", "flat", "thing", unit=unit), "lm").assets
        assert {asset.path.name: asset.unit for asset in found} == wanted


def test_layouts_are_told_apart(tmp_path: Path) -> None:
    def found(folder: Path, **fields: str) -> list[tuple[str, str, str]]:
        listed = discover(ModelFolder(folder, **fields), "p").assets  # type: ignore[arg-type]
        return [(a.category, a.path.relative_to(folder).as_posix(), a.up + a.front) for a in listed]

    two = put(
        tmp_path / "v2", "03001627/a/models/model_normalized.obj", "03001627/a/images/t.jpg", "03790512/b/models/x.obj"
    )
    assert found(two) == [("chair", "03001627/a/models/model_normalized.obj", "y-z")]
    one = put(tmp_path / "v1", "03790512/b/model.obj", "03790512/b/model.mtl", "09999999/c/model.obj")
    assert [f[0] for f in found(one)] == ["motorcycle", "09999999"]
    net = put(tmp_path / "net", "night_stand/train/n_1.off", "night_stand/test/n_2.off", "night_stand/readme.txt")
    assert [f[1] for f in found(net)] == ["night_stand/test/n_2.off", "night_stand/train/n_1.off"]
    assert found(net)[0][2] == "z-y"
    tree = put(
        tmp_path / "tree", "motorbike/a/b.GLB", "mug/m.stl", "mug/.hidden.stl", "__MACOSX/mug/m.stl", "notes.txt"
    )
    assert found(tree) == [("motorcycle", "motorbike/a/b.GLB", "yz"), ("mug", "mug/m.stl", "z-y")]
    flat = put(tmp_path / "flat", "x.obj", "y.ply")
    assert [f[0] for f in found(flat, category="toy")] == ["toy", "toy"]
    assert found(flat, category="toy", up="z")[0][2] == "z-y"
    with pytest.raises(InputError, match="field category is needed"):
        found(flat)
    with pytest.raises(InputError, match="holds no model"):
        found(tree, layout="modelnet")
    with pytest.raises(InputError, match="field up"):
        found(flat, category="toy", up="w")
    with pytest.raises(InputError, match="lies along the up axis"):
        found(flat, category="toy", up="z", front="-z")


# From a public collection to its files, of which those with a * are models.
COLLECTIONS = {
    "YCB": (
        "can/google_16k/*textured.obj can/google_16k/nontextured.ply can/google_16k/nontextured.stl "
        "can/google_64k/textured.obj can/poisson/textured.obj can/tsdf/nontextured.ply can/clouds/merged_cloud.ply"
    ),
    "YCB-Video": "003_cracker_box/*textured.obj 003_cracker_box/textured_simple.obj 003_cracker_box/points.xyz",
    "YCB of PyBullet": "YcbBanana/*textured_simple_reoriented.obj YcbBanana/collision_vhacd.obj YcbBanana/model.urdf",
    "Google Scanned Objects": "Mug/meshes/*model.obj Mug/meshes/model.mtl Cup/meshes/*model.obj Cup/collision.obj",
    "PartNet-Mobility": "*whole.obj 148/textured_objs/original-1.obj 148/point_sample/sample.ply",
    "BOP": "models/*obj_000001.ply models_eval/obj_000001.ply models/*obj_000002.ply",
    "Kenney": "Models/OBJ format/car.obj Models/FBX format/car.fbx Models/GLB format/*car.glb Models/OBJ format/*b.obj",
    "Quaternius": "FBX/Car.fbx OBJ/Car.obj glTF/*Car.gltf Blends/Car.blend",
    "Poly Haven": "chair_1k.gltf/*chair_1k.gltf chair_1k.blend/chair_1k.blend chair_1k.blend/textures/c_diff_1k.jpg",
    "Megascans": "rock_LOD1.fbx *rock_LOD0.fbx rock_LOD2.fbx",
    "OmniObject3D": "anise_001/Scan/*Scan.obj anise_001/Scan/Scan.jpg anise_002/Scan/*Scan.obj",
    "names that look alike": "*a.obj b/*a.obj *a_2.obj *Collisionless.obj *model_simple.obj *model.obj",
}


@pytest.mark.parametrize("origin", COLLECTIONS)
def test_each_object_of_a_collection_is_found_once(tmp_path: Path, origin: str) -> None:
    names = re.findall(r"(\S(?:[^*\s]| (?=format))*\S*)", COLLECTIONS[origin])
    put(tmp_path / "thing", *(name.replace("*", "") for name in names))
    listing = discover(ModelFolder(tmp_path / "thing", layout="flat", category="thing"), "p")
    wanted = sorted(name.replace("*", "") for name in names if "*" in name)
    assert sorted(asset.path.relative_to(tmp_path / "thing").as_posix() for asset in listing.assets) == wanted
    models = {name for name in names if "*" not in name and Path(name).suffix in AXES}
    assert {Path(place).relative_to(tmp_path / "thing").as_posix() for place in listing.left_out} == models


FATE = {
    "empty.obj": "empty", "empty.ply": "empty", "empty.stl": "empty", "empty_nodes.glb": "empty",
    "ply_empty_header.ply": "empty", "stl_empty_bin.stl": "empty", "points_emptyface.ply": "only points",
    "obj_points.obj": "only points", "obj_wireframe.obj": "only points or lines",
}  # fmt: skip


def test_without_blender_its_formats_are_refused_in_words(tmp_path: Path, cache: Cache) -> None:
    (tmp_path / "a.glb").write_bytes(glb({"asset": {"version": "2.0"}}))
    settled = settle(FileAsset("a", "c", tmp_path / "a.glb", tmp_path, "y", "z"), cache, {})
    assert settled.reason.startswith("needs Blender to read .glb files")


@BLENDER
def test_all_real_models(shared: Path, cache: Cache) -> None:
    """Each is used, or refused for the reason that its name tells."""
    used = 0
    for asset in discover(ModelFolder(shared / "models", "flat", "thing"), "models").assets:
        settled = settle(asset, cache, IMPORTERS)
        if asset.path.name in FATE:
            assert FATE[asset.path.name] in settled.reason, asset.path
            continue
        assert not settled.reason, (asset.path, settled.reason)
        info, model = cache.info(settled.entry), cache.model(settled.entry)
        assert info is not None and model is not None and info.triangles == model.triangles > 0
        assert ("colormap.png" in str(settled.warnings)) == asset.path.name.startswith("vehicle")
        if "kaykit" in str(asset.path):
            assert model.parts[0].appearance is not None and model.parts[0].appearance.texture is not None
        used += 1
    assert used >= 39


@BLENDER
def test_real_models_face_the_front(shared: Path, cache: Cache) -> None:
    info, _ = read(shared / "models/kaykit_city/gltf/car_sedan.gltf", cache)
    wide, deep, high = np.ptp(info.bounds, axis=0)
    assert deep > wide > high
    assert read(shared / "models/kaykit_furniture/obj/armchair.obj", cache)[0].bounds == pytest.approx(
        read(shared / "models/kaykit_furniture/gltf/armchair.gltf", cache)[0].bounds, abs=1e-3
    )


def test_pictures_beside_files_are_bounded(tmp_path: Path, cache: Cache) -> None:
    Image.new("1", (20_000, 20_000)).save(picture(tmp_path / "m/wood.png"))
    info, _ = read(textured(tmp_path / "m"), cache)
    assert info.warnings == ("'wood.png' has more than 128 Mi pixels: reduce it",)
