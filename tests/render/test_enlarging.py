"""Pictures of surfaces at several scales: what is enlarged is blurred, and lies where its labels are."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from render.image.enlarging import enlarged
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config
from scenes.record.scene import Scene
from scenes.sampling.scene import Sampler


def drawn(catalogue: Catalogue, zoom: float, index: int) -> Scene:
    given = {"camera.resolution": [64, 48], "surface.zoom": zoom, "surface.crack.present": True}
    return Sampler(load_config("cracks", given), catalogue).sample(0, index)


@pytest.mark.parametrize("zoom", [0.5, 2.0])
def test_all_is_as_many_times_as_large(small_catalogue: Catalogue, zoom: float) -> None:
    for index in range(3):
        plain, other = (drawn(small_catalogue, factor, index).surface for factor in (1.0, zoom))
        assert plain is not None and other is not None and plain.crack is not None and other.crack is not None
        assert other.pixel == pytest.approx(plain.pixel / zoom)
        assert other.crack.width == plain.crack.width  # in mm, so it covers zoom times as many pixels
        assert other.size == pytest.approx(np.divide(plain.size, zoom), rel=0.05)


@pytest.mark.parametrize("zoom", [1.37, 2.6])
def test_an_enlarged_picture_is_blurred_and_nothing_moves(zoom: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.uniform(0.2, 1, (90, 121, 3)).astype(np.float32)
    soft = enlarged(noise, zoom)
    assert soft.shape == noise.shape and soft.min() >= 0
    assert soft.mean() == pytest.approx(noise.mean(), rel=0.01) and soft.std() < 0.85 / zoom**0.5 * noise.std()
    spot = np.zeros((90, 121, 3), np.float32)
    cv2.circle(spot, (70, 30), 9, (1.0, 1.0, 1.0), -1)
    rows, columns = np.mgrid[:90, :121]
    for places in (rows, columns):
        middle = [(image[..., 0] * places).sum() / image[..., 0].sum() for image in (spot, enlarged(spot, zoom))]
        assert middle[1] == pytest.approx(middle[0], abs=0.1)


@pytest.mark.parametrize("zoom", [0.5, 1.0])
def test_a_shrunk_picture_keeps_its_detail(zoom: float) -> None:
    noise = np.random.default_rng(0).uniform(0, 1, (20, 30, 3)).astype(np.float32)
    assert np.array_equal(enlarged(noise, zoom), noise)
