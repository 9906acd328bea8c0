"""Models with too many triangles get fewer, and keep their size, area, outline, UVs, colors and parts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray

from scenes.assets.decimation import decimated
from scenes.assets.likeness import difference
from scenes.assets.normalize import MAX_TRIANGLES
from scenes.assets.shapes_source import generate
from scenes.assets.soup import Soup, without_dirt
from scenes.errors import LoadError
from scenes.mesh import face_crosses

Mesh = tuple[NDArray[np.float64], NDArray[np.int64]]


def plain_soup(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> Soup:
    count = len(faces)
    return Soup(vertices, faces, np.full((count, 3, 2), np.nan), np.full((count, 3, 4), np.nan), np.zeros(count, int))


def sheet(across: int, height: str) -> Mesh:
    """A square of (across - 1)² cells with heights by a formula in u and v."""
    u, v = np.meshgrid(*[np.linspace(0, 1, across)] * 2, indexing="ij")
    heights = {
        "flat": 0 * u,
        "waves": 0.1 * np.sin(9 * u) * np.cos(7 * v),
        "steps": 0.1 * np.floor(5 * u),
        "noise": np.random.default_rng(0).normal(0, 0.0005, u.shape),
    }
    index = np.arange(across**2).reshape(across, across)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.concatenate([np.stack(corners, -1).reshape(-1, 3) for corners in ((a, b, c), (a, c, d))])
    return np.stack([u, v, heights[height]], -1).reshape(-1, 3), faces


def fins() -> Mesh:
    """Three sheets that meet in one line, which is no manifold."""
    flat, faces = sheet(60, "flat")
    blades = [np.stack([flat[:, 0] * np.cos(k), flat[:, 0] * np.sin(k), flat[:, 1]], -1) for k in (0.0, 2.1, 4.2)]
    return np.concatenate(blades), np.concatenate([faces + k * len(flat) for k in range(3)])


def ball(kind: str) -> Mesh:
    made = trimesh.creation.icosphere(5)
    vertices, faces = np.asarray(made.vertices), np.asarray(made.faces)
    if kind == "rough":
        vertices = vertices * (1 + np.random.default_rng(0).normal(0, 0.003, (len(vertices), 1)))
    if kind == "loose":
        return vertices[faces].reshape(-1, 3), np.arange(faces.size).reshape(-1, 3)
    if kind == "open":
        return vertices, faces[vertices[faces].mean(axis=1)[:, 2] < 0.5]
    if kind == "tiny":
        return vertices * 1e-6 + 1, faces
    return vertices, faces


def dense_box() -> Mesh:
    made = trimesh.creation.box((1, 2, 3))
    vertices, faces = made.vertices, made.faces
    for _ in range(5):
        vertices, faces = trimesh.remesh.subdivide(vertices, faces)
    return np.asarray(vertices), np.asarray(faces)


def extra() -> Mesh:
    """A sheet with further triangles between its vertices: edges with three and more faces."""
    vertices, faces = sheet(70, "waves")
    first = np.random.default_rng(1).integers(0, len(vertices) - 2, 300)
    return vertices, np.concatenate([faces, np.stack([first, first + 1, first + 2], -1)])


def spiked(mesh: Mesh) -> Mesh:
    vertices, faces = mesh
    away = np.append(vertices, [[50.0, 3.0, 1.0]], axis=0)
    return away, np.append(faces, [[*faces[0][:2], len(vertices)]], axis=0)


DENSE = {
    "ball": ball("plain"), "rough ball": ball("rough"), "loose ball": ball("loose"), "open ball": ball("open"),
    "tiny ball": ball("tiny"), "box": dense_box(), "flat": sheet(80, "flat"), "waves": sheet(80, "waves"),
    "steps": sheet(80, "steps"), "noise": sheet(80, "noise"), "fins": fins(), "extra": extra(),
}  # fmt: skip


@pytest.mark.parametrize("charts", ["none", "one", "many"])
@pytest.mark.parametrize("name", DENSE)
def test_dense_models_keep_size_and_area(name: str, charts: str) -> None:
    soup = plain_soup(*DENSE[name])
    places = soup.vertices[soup.faces]
    if charts != "none":
        # Many: charts with borders along two axes, and a part for each side.
        part = (places.mean(axis=1)[:, 0] > np.median(places[..., 0])).astype(np.int64)
        shift = np.floor(places.mean(axis=1)[:, :2] * 3).sum(axis=1)[:, None, None] if charts == "many" else 0.0
        soup = replace(soup, uvs=places[..., :2] + shift, part=part)
    soup = without_dirt(soup)
    small = decimated(soup, len(soup.faces) // 3)
    assert len(small.faces) < 0.75 * len(soup.faces)
    before, after = soup.vertices[soup.faces].reshape(-1, 3), small.vertices[small.faces].reshape(-1, 3)
    size = np.linalg.norm(np.ptp(before, axis=0))
    assert np.abs(after.min(axis=0) - before.min(axis=0)).max() < 0.02 * size
    assert np.abs(after.max(axis=0) - before.max(axis=0)).max() < 0.02 * size
    area = [np.linalg.norm(face_crosses(s.vertices, s.faces), axis=1).sum() for s in (soup, small)]
    assert 0.8 * area[0] < area[1] < 1.03 * area[0]


def test_flat_and_round_parts_grow_no_spikes() -> None:
    """Faces cut into four, many of them in one plane: here a replay of the collapses throws vertices far away."""
    vertices, faces, part = [], [], []
    for number, piece in enumerate(generate("shape:mug:0").parts):
        fine, cut = trimesh.remesh.subdivide(np.asarray(piece.vertices, float), np.asarray(piece.faces))
        faces.append(cut + sum(map(len, vertices)))
        vertices.append(fine)
        part.append(np.full(len(cut), number))
    soup = plain_soup(np.concatenate(vertices), np.concatenate(faces))
    soup = without_dirt(replace(soup, uvs=soup.vertices[soup.faces][..., :2], part=np.concatenate(part)))
    small = decimated(soup, len(soup.faces) // 4)
    before, after = (np.ptp(s.vertices[s.faces].reshape(-1, 3), axis=0) for s in (soup, small))
    assert after == pytest.approx(before, rel=0.01) and len(small.faces) < 0.3 * len(soup.faces)


def test_decimation_keeps_charts_colors_and_parts() -> None:
    vertices, faces = ball("plain")
    places = vertices[faces]
    colors = np.concatenate([places * 0.5 + 0.5, np.ones((len(faces), 3, 1))], axis=2)
    soup = Soup(vertices, faces, places[..., :2], colors, (places.mean(axis=1)[:, 2] > 0).astype(np.int64))
    small = decimated(soup, 2000)
    assert 1000 < len(small.faces) < 2600 and set(small.part) == {0, 1}
    at = small.vertices[small.faces]
    assert np.abs(np.linalg.norm(at, axis=-1) - 1).max() < 0.03
    assert np.abs(at[..., :2] - small.uvs).max() < 0.12, "UVs follow their places"
    assert np.abs(at * 0.5 + 0.5 - small.colors[..., :3]).max() < 0.06, "colors follow their places"
    assert (small.colors[..., 3] == 1).all()
    assert decimated(soup, MAX_TRIANGLES) is soup


def test_a_changed_shape_is_noticed() -> None:
    vertices, faces = ball("plain")
    assert difference((vertices, faces), (vertices, faces)) == ""
    assert "size" in difference((vertices, faces), spiked((vertices, faces)))
    assert "size" in difference((vertices, faces), (vertices * 1.2, faces))
    twice = np.concatenate([faces, faces])
    assert "area becomes 200.0%" in difference((vertices, faces), (vertices, twice))
    # A hole that a hemisphere's two caps leave: same box, little area lost, but the outline opens.
    ring = faces[np.abs(vertices[faces].mean(axis=1)[:, 1]) > 0.25]
    assert "outline" in difference((vertices, faces), (vertices, ring))


def test_a_model_that_fewer_triangles_would_ruin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scenes.assets.decimation.difference", lambda before, after: "its size changes by 300.0%")
    with pytest.raises(LoadError, match=r"has 20480 triangles, and with \d+ its size changes by 300.0%"):
        decimated(plain_soup(*ball("plain")), 3000)
