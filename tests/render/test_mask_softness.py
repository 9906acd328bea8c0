"""Softness of the edges of masks and drawn cracks, in pixels: it follows the parameters at every scale."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from render.composite.edges import smoothed
from render.composite.geometry import rasterized
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.cracks import raster
from scenes.cracks.contour import Contour, Spall, Stroke
from scenes.cracks.strips import Pixels
from scenes.record.material import Material
from scenes.sampling.distractors import MARKS
from scenes.sampling.scene import Sampler
from tests.walls import SIDE, draw, make_painter, make_walls


def step() -> NDArray[np.float32]:
    """(H, W) nothing on the left, all on the right, the edge between two columns."""
    image = np.zeros((SIDE, SIDE), np.float32)
    image[:, SIDE // 2 :] = 1
    return image


def spread(profile: NDArray[np.floating]) -> float:
    """The variance, in pixels, of an edge's slope: 0 for a hard one."""
    slope = np.diff(profile.astype(float))
    place = np.arange(len(slope))
    middle = slope @ place / slope.sum()
    return float(slope @ (place - middle) ** 2 / slope.sum())


@pytest.mark.parametrize("sigma", [0.6, 1.5, 3.0])
def test_smoothing_has_its_sigma_in_pixels(sigma: float) -> None:
    soft = smoothed(step(), gaussian=sigma, motion=0, motion_angle=0)
    assert spread(soft[SIDE // 2]) == pytest.approx(sigma**2, rel=0.05, abs=0.02)
    turned = smoothed(step().T, gaussian=sigma, motion=0, motion_angle=0)
    assert turned == pytest.approx(soft.T, abs=1e-5)


@pytest.mark.parametrize("length", [5.0, 9.0, 15.0])
def test_motion_streaks_over_its_length_along_its_angle(length: float) -> None:
    """A line of length L has the variance L² / 12; whole pixels add a part of one."""
    along = smoothed(step(), gaussian=0, motion=length, motion_angle=0)[SIDE // 2]
    across = smoothed(step(), gaussian=0, motion=length, motion_angle=90)[SIDE // 2]
    assert spread(along) == pytest.approx(length**2 / 12 + 0.2, rel=0.05, abs=0.25)
    assert spread(across) == pytest.approx(0, abs=1e-9)
    slanted = smoothed(step(), gaussian=0, motion=length, motion_angle=60)[SIDE // 2]
    assert spread(slanted) == pytest.approx((length * math.cos(math.pi / 3)) ** 2 / 12 + 0.1, rel=0.15, abs=0.1)


def test_what_is_hardly_soft_stays_hard() -> None:
    assert np.array_equal(smoothed(step(), gaussian=0.05, motion=1.0, motion_angle=30), step())


def line(width: float, x: float, height: float = SIDE) -> Contour:
    """A straight crack from above the picture to below it, `width` mm wide around x."""
    points = np.array([[x, -10.0], [x, height + 10.0]])
    return Contour((Stroke(points, np.full(2, width)),), (), (float(SIDE), float(height)))


@pytest.mark.parametrize("mm_per_pixel", [0.25, 1.0, 2.0])
@pytest.mark.parametrize("margin", [0.0, 0.8])
def test_a_label_is_soft_over_one_pixel_whatever_the_scale(mm_per_pixel: float, margin: float) -> None:
    """Each pixel has the share of its area that is covered: at a straight edge one column is partly covered."""
    crack = line(10.3 * mm_per_pixel, 20.45 * mm_per_pixel)
    reach = rasterized(crack, Pixels((8, SIDE), mm_per_pixel), margin).reach
    left, right = 20.45 - 5.15 - margin, 20.45 + 5.15 + margin
    edges = np.arange(SIDE)
    wanted = np.clip(np.minimum(edges + 1, right) - np.maximum(edges, left), 0, 1)
    assert reach == pytest.approx(np.tile(wanted, (8, 1)), abs=2e-3)


def test_the_stored_mask_is_the_coverage_in_255_steps(tmp_path: Path) -> None:
    painter = make_painter(make_walls(tmp_path / "walls"))
    frame = draw(painter, margin=0)
    partly = (frame.alpha > 0) & (frame.alpha < 255)
    assert partly.sum() > 50 and len(np.unique(frame.alpha)) > 40
    # The mask is where half of a pixel, or the share the recipe names, is covered.
    threshold = frame.scene.threshold  # type: ignore[union-attr]
    assert np.abs(frame.alpha[frame.category > 0] / 255.0).min() >= threshold - 1 / 255
    assert np.abs(frame.alpha[frame.category == 0] / 255.0).max() <= threshold + 1 / 255


@pytest.mark.parametrize("turn", [0.0, 20.0, 45.0])
@pytest.mark.parametrize("mm_per_pixel", [0.5, 2.0])
def test_the_edge_of_a_chip_is_one_pixel_soft(turn: float, mm_per_pixel: float) -> None:
    """Against sixteen by sixteen places in each pixel."""
    angle = np.radians(turn) + np.arange(4) * np.pi / 2
    outline = (np.stack([np.cos(angle), np.sin(angle)], axis=1) * 13.3 + (20.2, 19.6)) * mm_per_pixel
    contour = Contour((), (Spall(outline, 3.0),), (40.0 * mm_per_pixel,) * 2)
    found = raster.spall_depth(contour, Pixels((40, 40), mm_per_pixel)) / 3
    fine = (np.arange(640) + 0.5) / 16
    x, y = np.meshgrid(fine - 20.2, fine - 19.6)
    turned = np.radians(turn + 45)
    u, v = x * np.cos(turned) + y * np.sin(turned), y * np.cos(turned) - x * np.sin(turned)
    half = 13.3 / math.sqrt(2)
    inside = (np.abs(u) <= half) & (np.abs(v) <= half)
    wanted = inside.reshape(40, 16, 40, 16).mean(axis=(1, 3))
    assert np.abs(found - wanted).max() < 0.3 and np.abs(found - wanted).mean() < 0.005
    assert found.sum() == pytest.approx(2 * 13.3**2, rel=0.01)


# Marks -------------------------------------------------------------------------------------------------------------


def marks(catalogue: Catalogue, kind: str, size: float, resolution: int = 128) -> list[tuple[float, Material]]:
    """mm a pixel covers, and the mark, in thirty pictures."""
    config = validate(
        {
            "surface": {"marks": {"count": 1, "kind": kind, "size": size}},
            "camera": {"resolution": [resolution, resolution]},
            "background": {"kind": "none", "shadow": False},
        },
        "marks",
    )
    sampler = Sampler(config, catalogue)
    surfaces = [sampler.sample(3, index).surface for index in range(30)]
    return [(surface.pixel, surface.marks[0]) for surface in surfaces if surface is not None]


@pytest.mark.parametrize("kind", ["paint", "scratch", "tyre", "stain"])
def test_a_marks_fading_edge_is_in_pixels_as_its_width_is(small_catalogue: Catalogue, kind: str) -> None:
    """Parameters are mm: pixels of the kind, times the factor on its size, times the mm of a pixel."""
    for size in (1.0, 3.0):
        for pixel, mark in marks(small_catalogue, kind, size):
            for name in ("width", "soft", "length"):
                low, high = min(MARKS[kind][name].support()), max(MARKS[kind][name].support())
                value = float(mark.parameters[name])  # type: ignore[arg-type]
                assert low - 1e-9 <= value / (size * pixel) <= high + 1e-9, name


def test_a_mark_twice_as_large_is_twice_as_soft(small_catalogue: Catalogue) -> None:
    for (_, one), (_, two) in zip(
        marks(small_catalogue, "tyre", 1.0), marks(small_catalogue, "tyre", 2.0), strict=True
    ):
        for name, value in one.parameters.items():
            factor = 2 if name in ("width", "soft", "length") else 1
            assert two.parameters[name] == pytest.approx(factor * value), name  # type: ignore[operator]
