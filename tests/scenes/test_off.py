"""OFF files: mixed polygons, concave ones, colors, normals, and the heads that are found in the wild."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenes.assets.loading import load
from scenes.assets.references import References
from scenes.errors import LoadError
from scenes.mesh import Part, face_crosses

# A house: a square wall, a triangle on top of it, and a U of area 7 beside them.
HOUSE = ["0 0 0", "1 0 0", "1 0 1", "0 0 1", "0.5 0 2"]
U = ["10 0 0", "13 0 0", "13 0 3", "12 0 3", "12 0 1", "11 0 1", "11 0 3", "10 0 3"]
FACES = ["4 0 1 2 3", "3 3 2 4", "8 5 6 7 8 9 10 11 12"]


def read(folder: Path, text: str) -> Part:
    (folder / "a.off").write_text(text)
    (part,) = load(folder / "a.off", References(), folder, {}).model.parts
    return part


def off(head: str = "OFF", places: list[str] | None = None, faces: list[str] | None = None) -> str:
    places, faces = places or HOUSE + U, faces or FACES
    return "\n".join([head, f"{len(places)} {len(faces)} 0", *places, *faces]) + "\n"


@pytest.mark.parametrize("head", ["OFF", "# made by hand\n\nOFF # here"])
def test_mixed_and_concave_polygons(tmp_path: Path, head: str) -> None:
    part = read(tmp_path, off(head))
    areas = np.linalg.norm(face_crosses(part.vertices, part.faces), axis=1) / 2
    assert len(part.faces) == 2 + 1 + 6 and areas.sum() == pytest.approx(1 + 0.5 + 7)
    assert part.colors is None and not part.normals.any()


def test_counts_behind_the_head(tmp_path: Path) -> None:
    glued = off().replace("OFF\n", "OFF")
    assert len(read(tmp_path, glued).faces) == len(read(tmp_path, glued.replace("OFF", "OFF ")).faces) == 9


@pytest.mark.parametrize("head", ["OFF", "NOFF"])
def test_lines_may_break_anywhere(tmp_path: Path, head: str) -> None:
    places = [f"{place} 0 1 0" for place in HOUSE + U] if head == "NOFF" else None
    first, counts, *rest = off(head, places).splitlines()
    broken = " ".join([first, counts]) + "\n" + "\n".join(" ".join(rest).split())
    part, whole = read(tmp_path, broken), read(tmp_path, off(head, places))
    np.testing.assert_array_equal(part.vertices[part.faces], whole.vertices[whole.faces])


def test_colors_of_vertices_and_of_faces(tmp_path: Path) -> None:
    places = [f"{place} {255 * (k < 5)} 0 {255 * (k >= 5)} 255" for k, place in enumerate(HOUSE + U)]
    of_faces = [f"{face} {color}" for face, color in zip(FACES, ("1 0 0", "1.0 0 0 1", "0 0 1"), strict=True)]
    for text in (off("COFF", places), off(faces=of_faces)):
        part = read(tmp_path, text)
        assert part.colors is not None and part.appearance is not None and part.appearance.color == (1, 1, 1)
        far = part.vertices[part.faces][..., 0] >= 10
        assert (part.colors[far] == (0, 0, 1, 1)).all() and (part.colors[~far] == (1, 0, 0, 1)).all()


def test_normals(tmp_path: Path) -> None:
    part = read(tmp_path, off("NOFF", [f"{place} 0 -2 0" for place in HOUSE + U]))
    assert (part.normals == (0, -2, 0)).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (off(faces=["3 0 1 99"]), "refers to vertex 99 of 13"),
        (off(faces=["3 0 1 -1"]), "refers to vertex"),
        (off().rsplit("\n", 2)[0], "is truncated: it has 15 of 16 vertices and faces"),
        ("PLY\n", "does not begin with OFF"),
        ("", "does not begin with OFF"),
        ("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n", "only points"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n0\n", "its faces have no corners"),
        ("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0\n1 two\n", "it has 'two' where a whole number belongs"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        read(tmp_path, text)
