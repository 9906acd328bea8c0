"""PLY files of text and of bytes: mixed and concave polygons, colors, UVs, normals."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scenes.assets.loading import Loaded, load
from scenes.assets.references import references
from scenes.errors import LoadError
from scenes.mesh import face_crosses

# A square of area 1, a triangle of area 0.5 on top of it, and a U of area 7 beside them.
PLACES = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1), (0.5, 0, 2)]
PLACES += [(10, 0, 0), (13, 0, 0), (13, 0, 3), (12, 0, 3), (12, 0, 1), (11, 0, 1), (11, 0, 3), (10, 0, 3)]
LOOPS = [(0, 1, 2, 3), (3, 2, 4), (5, 6, 7, 8, 9, 10, 11, 12), (0, 3, 4)]
AREA = 1 + 0.5 + 7 + 0.25


def head(form: str, vertex: str = "", face: str = "", comment: str = "") -> str:
    more = "".join(f"property {line}\n" for line in vertex.split(", ") if line)
    own = "".join(f"property {line}\n" for line in face.split(", ") if line)
    return (
        f"ply\nformat {form} 1.0\n{comment}element vertex {len(PLACES)}\nproperty float x\nproperty double y\n"
        f"property float z\n{more}element face {len(LOOPS)}\nproperty list uchar int vertex_indices\n{own}end_header\n"
    )


def in_bytes(order: str) -> bytes:
    body = b"".join(struct.pack(f"{order}fdf3B", *place, 255 * (place[0] < 10), 0, 128) for place in PLACES)
    body += b"".join(struct.pack(f"{order}B{len(loop)}i", len(loop), *loop) for loop in LOOPS)
    form = "binary_little_endian" if order == "<" else "binary_big_endian"
    return head(form, "uchar red, uchar green, uchar blue").encode() + body


def in_text() -> bytes:
    rows = [f"{x} {y} {z} {255 * (x < 10)} 0 128" for x, y, z in PLACES]
    rows += [" ".join(map(str, (len(loop), *loop))) for loop in LOOPS]
    return (head("ascii", "uchar red, uchar green, uchar blue") + "\n".join(rows) + "\n").encode()


def read(folder: Path, data: bytes) -> Loaded:
    (folder / "a.ply").write_bytes(data)
    (folder / "scratch").mkdir(exist_ok=True)
    return load(folder / "a.ply", references(folder / "a.ply", folder), folder / "scratch", {})


@pytest.mark.parametrize("form", ["text", "<", ">"])
def test_mixed_and_concave_polygons_with_colors(tmp_path: Path, form: str) -> None:
    (part,) = read(tmp_path, in_text() if form == "text" else in_bytes(form)).model.parts
    assert len(part.faces) == 2 + 1 + 6 + 1
    assert np.linalg.norm(face_crosses(part.vertices, part.faces), axis=1).sum() / 2 == pytest.approx(AREA)
    assert part.colors is not None and part.appearance is not None and part.appearance.color == (1, 1, 1)
    near = part.vertices[part.faces][..., 0] < 10
    # 128 of 255 is 0.21586 in linear light.
    assert part.colors[near] == pytest.approx(np.tile((1, 0, 0.21586, 1), (near.sum(), 1)), abs=1e-5)
    assert (part.colors[~near][:, 0] == 0).all()


def test_what_follows_the_declared_words_of_a_line_is_no_row(tmp_path: Path) -> None:
    """MeshLab declared a color of the face, and wrote UVs and colors of its corners."""
    uvs = [" ".join(f"{k / 8} 0.25" for k in range(len(loop))) for loop in LOOPS]
    rows = [f"{x} {y} {z}" for x, y, z in PLACES]
    rows += [
        f"{len(loop)} {' '.join(map(str, loop))} {2 * len(loop)} {uv} 9 1 1 1 1 1 1 1 1 1"
        for loop, uv in zip(LOOPS, uvs, strict=True)
    ]
    face = "list uchar float texcoord, uchar red, uchar green, uchar blue"
    (part,) = read(tmp_path, (head("ascii", face=face) + "\n".join(rows) + "\n").encode()).model.parts
    assert np.linalg.norm(face_crosses(part.vertices, part.faces), axis=1).sum() / 2 == pytest.approx(AREA)
    assert part.uvs is not None and part.uvs[..., 0].max() == pytest.approx(7 / 8)


def test_colors_of_faces(tmp_path: Path) -> None:
    rows = [f"{x} {y} {z}" for x, y, z in PLACES]
    rows += [" ".join(map(str, (len(loop), *loop, 0, int(len(loop) == 8), 0))) for loop in LOOPS]
    data = head("ascii", face="float red, float green, float blue") + "\n".join(rows) + "\n"
    (part,) = read(tmp_path, data.encode()).model.parts
    assert part.colors is not None
    far = part.vertices[part.faces][..., 0] >= 10
    assert (part.colors[far] == (0, 1, 0, 1)).all() and (part.colors[~far] == (0, 0, 0, 1)).all()


@pytest.mark.parametrize("there", [True, False])
def test_uvs_normals_and_the_color_map(tmp_path: Path, there: bool) -> None:
    if there:
        Image.new("RGB", (4, 4), (200, 30, 30)).save(tmp_path / "wood.png")
    rows = [f"{x} {y} {z} 0 -2 0 {x / 2} {z / 4}" for x, y, z in PLACES]
    rows += [" ".join(map(str, (len(loop), *loop))) for loop in LOOPS]
    names = "float nx, float ny, float nz, float s, float t"
    text = head("ascii", names, comment="comment TextureFile wood.png\n") + "\n".join(rows) + "\n"
    loaded = read(tmp_path, text.encode())
    (part,) = loaded.model.parts
    assert part.uvs is not None and part.uvs == pytest.approx(part.vertices[part.faces][..., [0, 2]] / (2, 4))
    assert (part.normals == (0, -2, 0)).all()
    assert loaded.lost == (() if there else ("'wood.png' is missing",))
    assert (part.appearance is not None and part.appearance.texture is not None) == there


def test_uvs_of_corners_divide_vertices(tmp_path: Path) -> None:
    rows = [f"{x} {y} {z}" for x, y, z in PLACES]
    for k, loop in enumerate(LOOPS):
        uvs = [value for vertex in loop for value in (k + PLACES[vertex][0], k + PLACES[vertex][2])]
        rows.append(" ".join(map(str, (len(loop), *loop, len(uvs), *uvs))))
    data = head("ascii", face="list uchar float texcoord") + "\n".join(rows) + "\n"
    (part,) = read(tmp_path, data.encode()).model.parts
    assert part.uvs is not None and len(part.faces) == 10
    shift = part.uvs - part.vertices[part.faces][..., [0, 2]]
    assert shift == pytest.approx(np.round(shift[:, :1, :1]) * np.ones((1, 3, 2)), abs=1e-5)
    assert sorted(np.bincount(np.round(shift[:, 0, 0]).astype(int))) == [1, 1, 2, 6]


def test_many_polygons_of_changing_size_are_read_in_time(tmp_path: Path) -> None:
    loops = LOOPS[:2] * 20_000
    text = head("binary_little_endian").replace(f"face {len(LOOPS)}", f"face {len(loops)}")
    body = b"".join(struct.pack("<fdf", *place) for place in PLACES)
    body += b"".join(struct.pack(f"<B{len(loop)}i", len(loop), *loop) for loop in loops)
    (part,) = read(tmp_path, text.encode() + body).model.parts
    assert len(part.faces) == 3 * 20_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (in_bytes("<")[:-1], "truncated"),
        (in_text()[:-20], "truncated|cannot be parsed"),
        (in_text().replace(b"3 3 2 4", b"3 3 2 99"), "refers to vertex 99 of 13"),
        (b"ply\nformat ascii 1.0\n", "header"),
        (b"ply\nformat zip 1.0\nend_header\n", "its format is 'zip'"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        read(tmp_path, data)
