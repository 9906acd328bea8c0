"""OBJ files: concave polygons, relative indices, comments, libraries, tiling, colors and normals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from scenes.assets.loading import Loaded, load
from scenes.assets.normalize import from_file
from scenes.assets.polygons import triangles
from scenes.assets.references import libraries, references, tiling
from scenes.assets.soup import normals
from scenes.errors import LoadError
from scenes.mesh import Part, face_crosses
from tests.scenes.test_decimation import plain_soup

U = "v 0 0 0\nv 3 0 0\nv 3 3 0\nv 2 3 0\nv 2 1 0\nv 1 1 0\nv 1 3 0\nv 0 3 0\n"
SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


def read(folder: Path, text: str, name: str = "m.obj") -> Loaded:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    (folder / "scratch").mkdir(exist_ok=True)
    return load(folder / name, references(folder / name, folder), folder / "scratch", {})


def area(part: Part) -> float:
    return float(np.linalg.norm(face_crosses(part.vertices, part.faces), axis=1).sum() / 2)


@pytest.mark.parametrize(
    "face", ["f 1 2 3 4 5 6 7 8", "f 5 6 7 8 1 2 3 4", "f 8 7 6 5 4 3 2 1", "f -8 -7 -6 -5 -4 -3 -2 -1"]
)
def test_a_concave_polygon_covers_what_it_encloses(tmp_path: Path, face: str) -> None:
    (part,) = read(tmp_path, f"{U}{face}\n").model.parts
    crosses = face_crosses(part.vertices, part.faces)
    assert area(part) == pytest.approx(7) and len(part.faces) == 6
    assert (np.sign(crosses[:, 2]) == (-1 if face.startswith("f 8") else 1)).all(), "all turn as the polygon does"
    # Nothing lies in the gap of the U, whose middle is at (1.5, 2).
    assert np.abs(part.vertices[part.faces].mean(axis=1) - (1.5, 2, 0)).max(axis=1).min() > 0.5


def test_a_concave_quad_is_cut_at_its_inner_corner() -> None:
    dart = np.array([[0, 0, 0], [2, 0, 0], [0.5, 0.5, 0], [0, 2, 0]])
    for first in range(4):
        cut, _ = triangles(dart, np.roll(np.arange(4), first), np.array([4]))
        faces = np.roll(np.arange(4), first)[cut]
        crosses = face_crosses(dart, faces)
        assert (crosses[:, 2] > 0).all() and crosses[:, 2].sum() / 2 == pytest.approx(1)


def test_polygons_of_all_sizes_in_one_list() -> None:
    random = np.random.default_rng(0)
    points, corners, counts, areas = [], [], [], []
    for count in (3, 7, 4, 2, 30, 3, 11):
        turn = np.sort(random.uniform(0, 2 * np.pi, count))
        far = random.uniform(0.2, 1, count)
        star = np.stack([far * np.cos(turn), far * np.sin(turn), 0 * turn], axis=1)
        corners += range(len(points), len(points) + count)
        points += list(star)
        counts.append(count)
        # The shoelace formula.
        areas.append(abs((star[:, 0] * np.roll(star[:, 1], -1) - np.roll(star[:, 0], -1) * star[:, 1]).sum() / 2))
    cut, polygon = triangles(np.array(points), np.array(corners), np.array(counts))
    found = np.bincount(polygon, np.linalg.norm(face_crosses(np.array(points), np.array(corners)[cut]), axis=1) / 2, 7)
    assert found == pytest.approx(areas)
    assert (np.diff(polygon) >= 0).all()


def test_a_folded_polygon_keeps_all_its_sides() -> None:
    """A floor of 100 and a wall of 25 that stands on its far side: its shadow crosses itself."""
    points = np.array([[-5, 0, 5], [5, 0, 5], [5, 0, -5], [-5, 0, -5], [0, 5, -5]], float)
    cut, _ = triangles(points, np.arange(5), np.array([5]))
    assert set(cut.ravel()) == set(range(5)) and len(cut) == 3


def test_a_polygon_of_many_corners() -> None:
    turn = np.linspace(0, 2 * np.pi, 40_000, endpoint=False)
    far = 1 + 0.3 * np.cos(50 * turn)
    gear = np.stack([far * np.cos(turn), 0 * turn, far * np.sin(turn)], axis=1)
    cut, _ = triangles(gear, np.arange(40_000), np.array([40_000]))
    # The area inside r = 1 + 0.3 cos(50 t): half the mean of r² times 2 pi.
    assert np.linalg.norm(face_crosses(gear, cut), axis=1).sum() / 2 == pytest.approx(np.pi * 1.045, rel=1e-4)


def test_relative_indices_count_from_their_line(tmp_path: Path) -> None:
    square = "v {0} 0 0\nv {1} 0 0\nv {1} 1 0\nv {0} 1 0\nf -4 -3 -2 -1\n"
    (part,) = read(tmp_path, "".join(f"o {k}\n" + square.format(5 * k, 5 * k + 1) for k in range(3))).model.parts
    assert area(part) == pytest.approx(3)
    assert sorted({round(float(x)) for x in part.vertices[:, 0]}) == [0, 1, 5, 6, 10, 11]


def test_comments_and_continued_lines(tmp_path: Path) -> None:
    text = SQUARE.replace("v 1 0 0", "v 1 0 0 # corner") + "f 1 2 \\\n 3 4 # all\n#f 1 2 3\n"
    (part,) = read(tmp_path, text).model.parts
    assert area(part) == pytest.approx(1)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "ü.mtl").write_text("newmtl a\nKd 1 0 0\n")
    (tmp_path / "m.obj").write_bytes("v 0 0 0\nv 1 0 0\nv 0 1 0\nmtllib ü.mtl\nusemtl a\nf 1 2 3\n".encode(encoding))
    loaded = load(tmp_path / "m.obj", references(tmp_path / "m.obj", tmp_path), tmp_path, {})
    assert loaded.model.parts[0].appearance is not None and loaded.model.parts[0].appearance.color == (1, 0, 0)


def test_every_library_counts(tmp_path: Path) -> None:
    for name, color in (("a.mtl", "1 0 0"), ("b c.mtl", "0 0 1"), ("d.mtl", "0 1 0")):
        (tmp_path / name).write_text(f"newmtl {name[0]}\nKd {color}\n")
    faces = "".join(f"usemtl {name}\nf 1 2 3 4\n" for name in "abd")
    loaded = read(tmp_path, f"mtllib a.mtl d.mtl\nmtllib b c.mtl\n{SQUARE}{faces}")
    found = {part.name: part.appearance.color for part in loaded.model.parts if part.appearance}
    assert found == {"a": (1, 0, 0), "b": (0, 0, 1), "d": (0, 1, 0)} and not loaded.lost
    assert libraries(b"mtllib my things.mtl other.MTL\nmtllib ./x\n") == ["my things.mtl", "other.MTL", "./x"]
    assert libraries(rb"mtllib a.mtl my\ own\ things.mtl") == ["a.mtl", "my own things.mtl"]


@pytest.mark.parametrize(
    ("written", "scale", "offset"),
    [
        ("wood.png", (1, 1), (0, 0)),
        ("-s 3 3 1 -o 0 0 0 wood.png", (3, 3), (0, 0)),
        ("-s 2 0.5 wood.png", (2, 0.5), (0, 0)),
        ("-clamp on -o -.25 1e-1 0 -s 4 2 1 my wood-s 9 9.png", (4, 2), (-0.25, 0.1)),
        ("-bm 2 -s 2 wood.png", (2, 1), (0, 0)),
        ("-type sphere -colorspace sRGB -o 0.1 wood.png", (1, 1), (0.1, 0)),
    ],
)
def test_tiling_scales_the_uvs(
    tmp_path: Path, written: str, scale: tuple[float, ...], offset: tuple[float, ...]
) -> None:
    assert tiling(written) == (scale, offset)
    name = "my wood-s 9 9.png" if "my wood" in written else "wood.png"
    Image.new("RGB", (4, 4), (200, 30, 30)).save(tmp_path / name)
    (tmp_path / "m.mtl").write_text(f"newmtl a\n\tmap_Kd {written}  \n")
    (part,) = read(tmp_path, f"mtllib m.mtl\n{SQUARE}usemtl a\nf 1/1 2/2 3/3 4/4\n").model.parts
    assert part.appearance is not None and part.appearance.texture is not None and part.uvs is not None
    corners = part.vertices[part.faces][..., :2]
    assert part.uvs == pytest.approx(corners * scale + offset)


@pytest.mark.parametrize("place", ["lib/wood.png", "wood.png", None])
def test_maps_lie_beside_their_library_or_beside_the_model(tmp_path: Path, place: str | None) -> None:
    (tmp_path / "lib").mkdir()
    if place:
        Image.new("RGB", (4, 4), (200, 30, 30)).save(tmp_path / place)
    (tmp_path / "lib/m.mtl").write_text("newmtl a\nKd 1 0 0\nmap_Kd wood.png\n")
    loaded = read(tmp_path, f"mtllib lib/m.mtl\n{SQUARE}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    look = loaded.model.parts[0].appearance
    assert look is not None and (look.texture is not None) == bool(place)
    assert loaded.lost == (() if place else ("'wood.png' is missing",))


def test_folders_in_other_letters(tmp_path: Path) -> None:
    (tmp_path / "Textures/Wood").mkdir(parents=True)
    Image.new("RGB", (4, 4), (200, 30, 30)).save(tmp_path / "Textures/Wood/Oak.PNG")
    (tmp_path / "M.mtl").write_text("newmtl a\nmap_Kd textures\\wood\\oak.png\n")
    loaded = read(tmp_path, f"mtllib m.MTL\n{SQUARE}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    assert loaded.lost == () and loaded.model.parts[0].appearance is not None
    assert loaded.model.parts[0].appearance.texture is not None


def test_colors_of_vertices_stay_where_they_are(tmp_path: Path) -> None:
    text = "v 0 0 0 1 0 0\nv 1 0 0 0 0.5 0\nv 1 1 0 0 0 1\nv 0 1 0\nf 1 2 3 4\n"
    for scale in (1, 255):
        lines = (
            text
            if scale == 1
            else text.replace("1 0 0\nv 1 0", "255 0 0\nv 1 0")
            .replace("0.5", "127.5")
            .replace("0 0 1\nv 0", "0 0 255\nv 0")
        )
        (part,) = read(tmp_path, lines).model.parts
        assert part.colors is not None and part.appearance is not None and part.appearance.color == (1, 1, 1)
        places = part.vertices[part.faces]
        # 0.5 of a display is 0.214 in linear light (IEC 61966-2-1).
        wanted = {(0, 0): (1, 0, 0, 1), (1, 0): (0, 0.21404, 0, 1), (1, 1): (0, 0, 1, 1)}
        for place, color in wanted.items():
            at = (places[..., :2] == place).all(axis=-1)
            assert at.any() and part.colors[at] == pytest.approx(np.tile(color, (at.sum(), 1)), abs=1e-4)


def test_colors_as_zbrush_writes_them(tmp_path: Path) -> None:
    places = "".join(f"v {p}\n" for p in ("0 0 0", "1 0 0", "0 1 0"))
    (part,) = read(tmp_path, f"{places}#MRGB ffff0000ff00ff00\n#MRGB 000000ff\nf 1 2 3\n").model.parts
    assert part.colors is not None
    np.testing.assert_array_equal(part.colors[0], [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]])
    # They stay where the color map is missing, which is white then.
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 1 1\nmap_Kd gone.png\n")
    text = f"mtllib a.mtl\n{places}vt 0 0\n#MRGB ffff0000ff00ff00000000ff\nusemtl m\nf 1/1 2/1 3/1\n"
    loaded = read(tmp_path, text)
    (part,) = loaded.model.parts
    assert loaded.lost == ("'gone.png' is missing",) and part.appearance is not None and part.colors is not None


def test_white_and_broken_colors_are_none(tmp_path: Path) -> None:
    for color in ("1 1 1", "nan nan nan", "-1 0 0"):
        text = "".join(f"v {p} {color}\n" for p in ("0 0 0", "1 0 0", "0 1 0"))
        (part,) = read(tmp_path, text + "f 1 2 3\n").model.parts
        assert part.colors is None and part.appearance is None


def test_normals_come_along(tmp_path: Path) -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvn 0 0 2\nvn 1 0 1\n"
    (part,) = read(tmp_path, text + "f 1//1 2//2 3//1\n").model.parts
    at = (part.vertices[part.faces][0] == (1, 0, 0)).all(axis=-1)
    assert (part.normals[0][at] == (1, 0, 1)).all() and (part.normals[0][~at] == (0, 0, 2)).all()


def cylinder(normals: str) -> str:
    """Eight sides of 45 degrees, more than the crease angle, with normals of their own."""
    turn = np.arange(8) * np.pi / 4
    lines = [f"v {np.cos(t)} {h} {-np.sin(t)}" for h in (0, 1) for t in turn]
    given = {
        "smooth": [f"vn {np.cos(t)} 0 {-np.sin(t)}" for t in turn],
        "inward": [f"vn {-np.cos(t)} 0 {np.sin(t)}" for t in turn],
        "zero": ["vn 0 0 0"] * 8,
        "nan": ["vn nan 0 0"] * 8,
    }
    lines += given[normals]
    for k in range(8):
        n = (k + 1) % 8
        lines.append(f"f {k + 1}//{k + 1} {n + 1}//{n + 1} {n + 9}//{n + 1} {k + 9}//{k + 1}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", ["smooth", "inward", "zero", "nan"])
def test_the_normals_of_the_file_count_where_they_make_sense(tmp_path: Path, kind: str) -> None:
    loaded = read(tmp_path, cylinder(kind))
    model, _, _ = from_file(loaded.model, "y", "z")
    (part,) = model.parts
    flat = face_crosses(part.vertices, part.faces)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    outward = part.vertices[part.faces] * (1, 1, 0)
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    # A side's corners lie 22.5 degrees from its middle.
    wanted = outward if kind == "smooth" else np.repeat(flat[:, None], 3, axis=1)
    assert part.normals == pytest.approx(wanted, abs=1e-5)


def test_turned_faces_turn_their_normals() -> None:
    vertices, faces = np.eye(3), np.array([[0, 1, 2]])
    given = np.array([[[1.0, 2, 3], [3, 2, 1], [2, 2, 2]]])
    soup = replace(plain_soup(vertices, faces), given=given).flipped(np.array([True]))
    assert soup.given is not None and (soup.given == -given[:, ::-1]).all()
    lengths = np.linalg.norm(given[:, ::-1], axis=-1, keepdims=True)
    assert normals(soup) == pytest.approx(-given[:, ::-1] / lengths, abs=1e-6)


@pytest.mark.parametrize(
    ("face", "words"),
    [
        ("f 1 2 9", "refers to vertex 9 of 3"),
        ("f 1 2 -4", "refers to vertex -4 of 3"),
        ("f 0 1 2", "refers to vertex 0 of 3"),
        ("f 1 2 x", "it has 'x' where a whole number belongs"),
        ("v 3.1+e2 0 0\nf 1 2 3", "it has '3.1\\+e2' where a number belongs"),
        ("f", "only points"),
    ],
)
def test_faces_without_a_vertex_are_refused(tmp_path: Path, face: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        read(tmp_path, f"v 0 0 0\nv 1 0 0\nv 0 1 0\n{face}\n")


def test_maps_of_the_physically_based_extension_drive_their_inputs(tmp_path: Path) -> None:
    for name, color in (("wood", (200, 30, 30)), ("rough", (90, 90, 90)), ("bent", (128, 140, 250))):
        Image.new("RGB", (4, 4), color).save(tmp_path / f"{name}.png")
    Image.new("L", (4, 4), 130).save(tmp_path / "heights.png")
    lines = (
        "map_Kd -s 2 2 wood.png", "Pr 0.2", "map_Pr -s 2 2 rough.png", "map_Pm rough.png", "Ke 0.1 0 0",
        "map_Bump -bm 0.5 -s 2 2 bent.png", "bump -s 2 2 heights.png", "norm gone.png",
    )  # fmt: skip
    (tmp_path / "m.mtl").write_text("newmtl a\n" + "\n".join(lines))
    loaded = read(tmp_path, f"mtllib m.mtl\n{SQUARE}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    (look,) = (part.appearance for part in loaded.model.parts)
    assert look is not None and look.texture is not None
    assert {name: one.channel for name, one in look.pictures.items()} == {"roughness": "R", "normal": "NORMAL"}
    assert (look.roughness, look.metallic) == (1.0, 0.0)
    assert look.inputs == {"emission_color": (0.1, 0.0, 0.0), "emission_strength": 1.0, "normal": 0.5}
    assert loaded.lost == (
        "'gone.png' is missing",
        "'rough.png' (map_pm) is scaled or shifted unlike the color map",
        "'heights.png' (bump) is a map of heights, which is not drawn",
    )


def test_a_bump_map_of_high_dynamic_range_does_not_cost_the_model(tmp_path: Path) -> None:
    pixels = np.broadcast_to(np.float32([0.5, 0.5, 1.0]), (4, 4, 3))
    OpenEXR.File({}, {"RGB": np.ascontiguousarray(pixels)}).write(str(tmp_path / "bent.exr"))
    (tmp_path / "m.mtl").write_text("newmtl a\nKd 1 0 0\nmap_Bump bent.exr\n")
    loaded = read(tmp_path, f"mtllib m.mtl\n{SQUARE}usemtl a\nf 1/1 2/2 3/3 4/4\n")
    assert loaded.model.parts[0].appearance is not None
    assert loaded.lost == ("'bent.exr' (map_bump) is a high dynamic range picture: convert it to JPEG or PNG",)
