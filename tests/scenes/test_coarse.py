"""Coarse copies of models."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.assets.catalogue import Catalogue
from scenes.assets.coarse import coarse
from scenes.mesh import Model, Part
from scenes.projection import seen_triangles, silhouette
from scenes.record.camera import Camera
from scenes.record.scene import Item


def part(vertices: list[list[float]], faces: list[list[int]]) -> Part:
    normals = np.tile(np.float32([0, 0, 1]), (len(faces), 3, 1))
    return Part("part", np.array(vertices, np.float32), np.array(faces, np.int32), normals)


def test_corners_go_to_the_nearest_of_128_places_and_what_becomes_nothing_is_left_out() -> None:
    step = 1 / 128
    square = part([[0, 0, 0], [0.1 * step, 0, 0], [0.5, 0, 0], [0.5, 0.5, 0]], [[0, 2, 3], [1, 3, 2], [0, 1, 2]])
    aside = part([[0, -0.4 * step, 0], [0, -0.6 * step, 0], [-0.5, 0.25, 0.25]], [[0, 1, 2]])
    copy = coarse(Model((square, aside)))
    corners = {frozenset(map(tuple, copy.vertices[face].tolist())) for face in copy.faces}
    assert len(copy.faces) == 2, "the square's second triangle equals the first, and its third has no area"
    assert corners == {
        frozenset({(0, 0, 0), (0.5, 0, 0), (0.5, 0.5, 0)}),
        frozenset({(0, 0, 0), (0, -step, 0), (-0.5, 0.25, 0.25)}),
    }


@pytest.mark.parametrize("category", ["chair", "laptop", "mug"])
def test_a_coarse_copy_takes_about_as_much_of_a_picture(small_catalogue: Catalogue, category: str) -> None:
    camera = Camera((1, -3, 1), (0, 0, 0), 0, 50, 128, 128)
    for asset in small_catalogue.assets(category):
        item = Item(asset, category, "main", (0, 0, 0), (1, 0, 0, 0), 1.0, {})
        whole, copy = (
            silhouette(seen_triangles(camera, item, model), (128, 128)).sum()
            for model in (small_catalogue.model(asset), small_catalogue.coarse(asset))
        )
        assert 0.97 * whole < copy < 1.15 * whole
