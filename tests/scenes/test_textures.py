"""Texture folders: which files are recognized, and which are left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scenes.assets.exr import from_chroma
from scenes.assets.image_gate import ImageGate
from scenes.assets.texture_sets import TextureSet, judged
from scenes.assets.texture_sets import find_texture_sets as find


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path_factory.mktemp("cache")))


def find_texture_sets(folder: Path) -> tuple[list[TextureSet], Mapping[Path, str]]:
    """The sets that can be used, with those of their maps that can be, and the files that are not used."""
    found = find(folder)
    sets, rejected = [], dict(found.rejected)
    for one in found.sets:
        maps, useless = judged(one, ImageGate())
        rejected |= useless
        if maps:
            sets.append(TextureSet(one.name, {kind: one.maps[kind] for kind in maps}))
    return sets, rejected


def picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (16, 16)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


def test_ambientcg_names(tmp_path: Path) -> None:
    kinds = {
        "Color": "color", "NormalGL": "normal_gl", "NormalDX": "normal_dx", "Roughness": "roughness",
        "Displacement": "displacement", "Metalness": "metalness", "AmbientOcclusion": "ao", "Opacity": "opacity",
    }  # fmt: skip
    folder = tmp_path / "Metal001_2K-JPG"
    paths = {kind: picture(folder / f"Metal001_2K-JPG_{word}.jpg") for word, kind in kinds.items()}
    preview = picture(folder / "Metal001.png")
    sets, rejected = find_texture_sets(tmp_path)
    assert [one.name for one in sets] == ["Metal001_2K-JPG"]
    assert sets[0].maps == paths
    assert list(rejected) == [preview]


def test_poly_haven_names(tmp_path: Path) -> None:
    words = {
        "diff": "color", "nor_gl": "normal_gl", "nor_dx": "normal_dx", "rough": "roughness",
        "disp": "displacement", "arm": "arm", "metal": "metalness",
    }  # fmt: skip
    paths = {kind: picture(tmp_path / "textures" / f"rusty_metal_{word}_1k.png") for word, kind in words.items()}
    sets, rejected = find_texture_sets(tmp_path)
    assert [one.name for one in sets] == ["textures/rusty_metal_1k"]
    assert sets[0].maps == paths
    assert not rejected


NAMES = {
    "LearnOpenGL": (
        "awesomeface.png background.jpg bricks2.jpg bricks2_disp.jpg bricks2_normal.jpg container2.png metal.png "
        "container2_specular.png toy_box_diffuse.png toy_box_normal.png toys.png pbr/gold/albedo.png pbr/gold/ao.png "
        "pbr/gold/metallic.png pbr/gold/normal.png pbr/gold/roughness.png",
        "awesomeface background bricks2:color,displacement,normal_gl container2 metal toy_box:color,normal_gl toys "
        "pbr/gold:ao,color,metalness,normal_gl,roughness",
        "container2_specular.png",
    ),
    "Babylon": (
        "rockyGround_basecolor.png rockyGround_metalRough.png rockyGround_normal.png floor.png checks_basecolor.png",
        "rockyGround:color,normal_gl floor checks",
        "rockyGround_metalRough.png",
    ),
    "3DTextures": (
        "Brick_011_COLOR.jpg Brick_011_NORM.jpg Brick_011_DISP.png Brick_011_OCC.jpg Brick_011_SPEC.jpg",
        "Brick_011:ao,color,displacement,normal_gl",
        "Brick_011_SPEC.jpg",
    ),
    "FreePBR": (
        "worn-metal-albedo.png worn-metal-Metallic.png worn-metal-Normal-ogl.png worn-metal-ao.png worn-metal-view.jpg",
        "worn-metal:ao,color,metalness,normal_gl",
        "worn-metal-view.jpg",
    ),
    "Poliigon": (
        "Onyx001_COL_2K_METALNESS.jpg Onyx001_NRM_2K_METALNESS.jpg Onyx001_ROUGHNESS_2K_METALNESS.jpg",
        "Onyx001_2K:color,normal_gl,roughness",
        "",
    ),
    "Quixel": (
        "tkyn_2K_Albedo.jpg tkyn_2K_Normal.jpg tkyn_2K_Displacement.exr tkyn_2K_Cavity.jpg tkyn_Preview.png",
        "tkyn_2K:color,displacement,normal_gl",
        "tkyn_2K_Cavity.jpg tkyn_Preview.png",
    ),
    "Substance": (
        "crate_Base_Color.png crate_Normal_OpenGL.png crate_Normal_DirectX.png crate_Mixed_AO.png crate_Height.png",
        "crate:ao,color,displacement,normal_dx,normal_gl",
        "",
    ),
    "TextureCan": (
        "wood_6_color_1k.jpg wood_6_normal_opengl_1k.png wood_6_roughness_1k.jpg wood_6_color_1k.png",
        "wood_6_1k:color,normal_gl,roughness",
        "wood_6_color_1k.png",
    ),
    "Poly Haven": (
        "fabric_07_col_1_1k.png fabric_07_col_2_1k.png fabric_07_nor_gl_1k.exr fabric_07_rough_1k.exr "
        "leather_coll1_1k.jpg leather_arm_1k.jpg leather_spec_1k.png ArmChair_01_diff_1k.jpg ArmChair_01_metal_1k.jpg",
        "fabric_07_1k:color,normal_gl,roughness leather_1k:arm,color ArmChair_01_1k:color,metalness",
        "fabric_07_col_2_1k.png leather_spec_1k.png",
    ),
    "cgbookcase": (
        "Planks02_MR_2K/Planks02_2K_BaseColor.png Planks02_MR_2K/Planks02_2K_AO.png Planks02_MR_2K/Preview.jpg",
        "Planks02_MR_2K/Planks02_2K:ao,color",
        "Preview.jpg",
    ),
    "ShareTextures": (
        "wood_12_basecolor-1K.png wood_12_normal-1K.png wood_12_ambientocclusion-1K.png wood_12_metallic-1K.png",
        "wood_12_1K:ao,color,metalness,normal_gl",
        "",
    ),
    "Megascans": ("vdc_8K_Albedo.jpg vdc_8K_Normal_LOD0.jpg", "vdc_8K:color,normal_gl", ""),
    "sizes in pixels": (
        "brick_basecolor_1024.png brick_normal_1024.png brick_rough_2048x2048.png brick_normal_2048x2048.png "
        "beach_1024.jpg",
        "brick_1024:color,normal_gl beach_1024",
        "brick_rough_2048x2048.png brick_normal_2048x2048.png",
    ),
    "photographs": (
        "a.jpg red_metal.jpg street_color.jpg face_mask.jpg color.jpg b_col_1.jpg b_col_2.jpg preview.jpg",
        "a red_metal street face_mask color b_col_1 b_col_2 preview",
        "",
    ),
    "maps without a color": ("brick_normal.jpg normal.png a.jpg", "a", "brick_normal.jpg normal.png"),
}


@pytest.mark.parametrize("origin", NAMES)
def test_names_of_many_origins(tmp_path: Path, origin: str) -> None:
    """A map of normals or of roughness must never be taken for a picture."""
    files, sets, useless = (words.split() for words in NAMES[origin])
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find(tmp_path)
    wanted = {name: kinds or "color" for name, _, kinds in (one.partition(":") for one in sets)}
    assert {one.name: ",".join(sorted(one.maps)) for one in found.sets} == wanted
    assert sorted(path.name for path in found.rejected) == sorted(useless)
    paths = [path for one in found.sets for path in one.maps.values()] + list(found.rejected)
    assert sorted(paths) == sorted(tmp_path / name for name in files), "each file is used or told, once"


def test_two_sizes_are_two_sets(tmp_path: Path) -> None:
    for size in ("1k", "2k"):
        picture(tmp_path / f"oak_diff_{size}.jpg")
        picture(tmp_path / f"oak_rough_{size}.jpg")
    sets, _ = find_texture_sets(tmp_path)
    assert [one.name for one in sets] == ["oak_1k", "oak_2k"]
    assert all(set(one.maps) == {"color", "roughness"} for one in sets)


def test_plain_pictures(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.png", "a.jpg", "red_metal.jpg", "deep/c.webp"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a picture")
    sets, rejected = find_texture_sets(tmp_path)
    assert [one.name for one in sets] == ["a", "a.png", "b", "deep/c", "red_metal"]
    assert all(set(one.maps) == {"color"} for one in sets)
    assert not rejected


def test_pictures_of_other_programs_are_none(tmp_path: Path) -> None:
    for name in ("a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/b.jpg", ".thumbnails/c.jpg", "._a.jpg"):
        picture(tmp_path / name)
    sets, rejected = find_texture_sets(tmp_path)
    assert [one.name for one in sets] == ["a"] and not rejected


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16", "CMYK"])
def test_uncommon_pictures_are_usable_or_refused_with_a_reason(tmp_path: Path, mode: str) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    if mode == "I;16":
        Image.fromarray(np.full((8, 8), 40000, dtype=np.uint16)).save(tmp_path / "x.png")
    else:
        picture(tmp_path / f"x{suffix}", mode)
    sets, rejected = find_texture_sets(tmp_path)
    assert len(sets) == 1 and not rejected


def test_what_blender_reads_wrong_is_drawn_from_an_rgb_copy(tmp_path: Path) -> None:
    """Blender turns these colors into others, and ignores the orientation."""
    rgb = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "a.tif")
    Image.fromarray(rgb).quantize(8).save(tmp_path / "b.tif")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(rgb).save(tmp_path / "c.png", exif=turned)
    Image.fromarray(rgb).save(tmp_path / "d.png")
    drawn = {one.maps["color"]: judged(one, ImageGate())[0]["color"].path for one in find(tmp_path).sets}
    read = {path.name: np.asarray(Image.open(copy)) for path, copy in drawn.items()}
    np.testing.assert_array_equal(read["a.tif"], rgb)
    np.testing.assert_array_equal(read["b.tif"], np.asarray(Image.fromarray(rgb).quantize(8).convert("RGB")))
    np.testing.assert_array_equal(read["c.png"], np.rot90(rgb, -1))
    assert drawn[tmp_path / "d.png"] == tmp_path / "d.png"


def test_one_pixel(tmp_path: Path) -> None:
    picture(tmp_path / "x.png", size=(1, 1))
    assert len(find_texture_sets(tmp_path)[0]) == 1


def test_a_cut_map_is_left_out_and_a_cut_color_takes_the_set_along(tmp_path: Path) -> None:
    good_color = picture(tmp_path / "a" / "wood_diff.jpg", size=(128, 128))
    cut_rough = picture(tmp_path / "a" / "wood_rough.jpg", size=(128, 128))
    cut_color = picture(tmp_path / "b" / "iron_diff.jpg", size=(128, 128))
    good_rough = picture(tmp_path / "b" / "iron_rough.jpg", size=(128, 128))
    for path in (cut_rough, cut_color):
        path.write_bytes(path.read_bytes()[:-1500])
    sets, rejected = find_texture_sets(tmp_path)
    assert [(one.name, dict(one.maps)) for one in sets] == [("a/wood", {"color": good_color})]
    assert "cannot be decoded" in rejected[cut_rough]
    assert "cannot be decoded" in rejected[cut_color]
    assert "no color map" in rejected[good_rough]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".exr", ".hdr", ".tif"])
def test_rubbish_is_refused(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    sets, rejected = find_texture_sets(tmp_path)
    assert not sets
    assert rejected[path] and "\n" not in rejected[path]


def test_real_sets(shared: Path) -> None:
    sets, rejected = find_texture_sets(shared / "textures" / "pbr")
    assert [one.name for one in sets] == ["Bricks102_1K-JPG", "Metal049A_1K-JPG"]
    assert set(sets[0].maps) == {"color", "normal_gl", "roughness", "displacement"}
    assert set(sets[1].maps) == {"color", "normal_gl", "roughness", "displacement", "metalness"}
    assert not rejected


def test_real_pictures(shared: Path) -> None:
    sets, rejected = find_texture_sets(shared / "textures" / "surfaces")
    assert len(sets) == 43 and not rejected


def test_luminance_and_chroma_of_openexr_are_colors() -> None:
    """RY = (R - Y) / Y and BY = (B - Y) / Y at every second pixel, by the weights of Rec. ITU-R BT.709."""
    y, row, column = np.full((5, 7), 2, np.float32), np.arange(5)[:, None] / 10, np.arange(7) / 10
    red, blue = y * (1 + row), y * (1 - column)
    found = from_chroma(y, (red / y - 1)[::2, ::2], (blue / y - 1)[::2, ::2], {})
    np.testing.assert_allclose(found[..., 0], red, rtol=1e-6)
    np.testing.assert_allclose(found[..., 2], blue, rtol=1e-6)
    np.testing.assert_allclose(found @ [0.2126, 0.7152, 0.0722], y, rtol=1e-4)
