"""The scale at which composed pictures are shown: picture and labels at it, and how often each is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from render.composite.geometry import rasterized
from render.composite.renderer import Painter, contour
from render.composite.zoom import frames, shown
from scenes.config.composite import ComposeConfig
from scenes.record.composite import Composition
from scenes.sampling.composite import Composer
from tests.walls import SIDE, composer, draw, make_painter, make_walls, straight

REACH = 0.8


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Painter:
    return make_painter(make_walls(tmp_path_factory.mktemp("photographs") / "walls"))


def zoomed(factor: float, x: float = 0.5) -> Composition:
    steps = {"zoom": {"factor": factor, "x": x, "y": 0.5}}
    return Composition(0, 0, SIDE, SIDE, 1.0, REACH, 0.5, "wall", steps)


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.0, 1.37, 2.6])
def test_labels_reach_equally_far_at_every_zoom(factor: float) -> None:
    """The crack is as many times as wide, and the reach beyond its edges stays 0.8 pixels: it is not resampled."""
    crack = straight(6, SIDE / min(factor, 1))
    finished = frames(zoomed(factor), crack, np.random.default_rng(0))[1]
    labels = rasterized(crack, finished, REACH)
    assert labels.reach[10:-10].sum(axis=1) == pytest.approx(6 * factor + 2 * REACH, abs=1e-3)
    assert labels.coverage[10:-10].sum(axis=1) == pytest.approx(6 * factor, abs=1e-3)
    assert labels.width[labels.width > 0] == pytest.approx(6, abs=1e-3)


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.37, 2.6])
def test_the_picture_lies_where_its_labels_are(factor: float) -> None:
    crack = straight(6, SIDE / min(factor, 1))
    drawn, finished = frames(zoomed(factor, 0.31), crack, np.random.default_rng(0))
    ours = shown(rasterized(crack, drawn, 0).coverage, finished.shape, factor)[10:-10]
    theirs = rasterized(crack, finished, 0).coverage[10:-10]
    columns = np.arange(SIDE) + 0.5
    assert (ours @ columns / ours.sum(axis=1)) == pytest.approx(theirs @ columns / theirs.sum(axis=1), abs=0.05)
    assert ours.sum(axis=1) == pytest.approx(theirs.sum(axis=1), rel=0.03)


@pytest.mark.parametrize("x", [0.0, 0.31, 1.0])
def test_an_enlarged_part_shows_its_place_of_the_crack(x: float) -> None:
    """The crack is in the middle of the picture, and lies where x says in the part that is shown."""
    drawn, finished = frames(zoomed(2.0, x), straight(2), np.random.default_rng(0))
    assert drawn.shape == (SIDE // 2, SIDE // 2) and finished.shape == (SIDE, SIDE)
    assert finished.origin[0] == pytest.approx(SIDE / 2 * (1 - x)) and 0 <= finished.origin[1] <= SIDE / 2


def test_cracks_are_finer_where_the_picture_is_shrunk(painter: Painter) -> None:
    plain, small = (
        contour(
            composer(
                painter, zoom={"use": True, "factor": factor}, warp={"use": False}, crack={"use": True, "width": 6.0}
            ).sample(0, 4)
        )
        for factor in (1, 0.5)
    )
    widest = [max(stroke.widths.max() for stroke in crack.strokes) for crack in (plain, small)]
    assert small.size == (2 * plain.size[0], 2 * plain.size[1])
    # In pixels of the picture that is shrunk. In the finished one it is half as wide.
    assert widest[1] == pytest.approx(widest[0], rel=0.25)


def test_a_zoomed_picture_has_a_crack_and_the_scale_of_its_pixels(painter: Painter) -> None:
    for index in range(6):
        plain, near = (draw(painter, index, zoom={"use": True, "factor": factor}) for factor in (1, 2.5))
        assert near.rgb.shape == plain.rgb.shape and near.category.any()
        assert near.intrinsics[0, 0] == pytest.approx(2.5 * plain.intrinsics[0, 0])


def test_the_shares_of_zooms_are_as_said() -> None:
    sampled = Composer(ComposeConfig(zoom={"use": True}), ("wall",)).sample
    factors = np.array([sampled(0, index).zoom for index in range(600)])
    assert np.mean(factors == 1) == pytest.approx(0.4, abs=0.06)
    assert np.mean((factors >= 1.3) & (factors <= 2.6)) == pytest.approx(0.4, abs=0.06)
    assert np.mean(factors < 1) == pytest.approx(0.2, abs=0.05) and factors.min() >= 0.5
