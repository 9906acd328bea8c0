"""How pictures that are not square become squares: cropped, padded or squashed."""

from __future__ import annotations

import typing

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.cli import FITS  # noqa: E402
from classify.config import ClassifyConfig  # noqa: E402
from classify.task import pipeline  # noqa: E402
from tests.training.test_pictures import Named  # noqa: E402
from training.data.loader import Loader  # noqa: E402
from training.data.windows import Fit, Windows, fitted  # noqa: E402

SIDE = 40


def bar(width: int, height: int) -> np.ndarray:
    """A gray picture with a white disc at each end of its long side and a black one in its middle."""
    y, x = np.mgrid[:height, :width]
    picture = np.full((height, width, 3), 120, np.uint8)
    radius = min(width, height) * 0.3
    for share, level in ((0.0, 255), (0.5, 0), (1.0, 255)):
        at = (
            (radius + share * (width - 2 * radius), height / 2)
            if width > height
            else (width / 2, radius + share * (height - 2 * radius))
        )
        picture[np.hypot(x + 0.5 - at[0], y + 0.5 - at[1]) < radius] = level
    return picture


@pytest.mark.parametrize("shape", [(120, 40), (40, 120)], ids=["long", "tall"])
def test_padded_pictures_show_all_in_its_shape(shape: tuple[int, int]) -> None:
    square = fitted(bar(*shape), SIDE, "pad")
    assert square.shape == (SIDE, SIDE, 3)
    assert (square > 240).any() and (square < 20).any()
    dark = np.argwhere(square[..., 0] < 60)
    high, wide = np.ptp(dark, axis=0) + 1
    assert abs(high - wide) <= 1, "the disc is round"
    assert abs(dark.mean(axis=0) - (SIDE - 1) / 2).max() < 0.6, "the picture is in the middle"
    # What was added repeats the border: gray, as the ground is.
    border = square[: SIDE // 3 - 1] if shape[0] > shape[1] else square[:, : SIDE // 3 - 1]
    assert (border == 120).all()


@pytest.mark.parametrize("shape", [(120, 40), (40, 120)], ids=["long", "tall"])
def test_squashed_pictures_show_all_out_of_shape(shape: tuple[int, int]) -> None:
    square = fitted(bar(*shape), SIDE, "squash")
    assert square.shape == (SIDE, SIDE, 3) and (square > 240).any()
    high, wide = np.ptp(np.argwhere(square[..., 0] < 60), axis=0) + 1
    assert max(high, wide) > 2 * min(high, wide)


@pytest.mark.parametrize("fit", FITS)
def test_squares_stay_as_they_are(fit: Fit) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    assert (fitted(picture, SIDE, fit) == picture).all()


class Bars(Named):
    def read(self, i: int, short: int | None = None) -> np.ndarray:
        return bar(120, 40)


@pytest.mark.parametrize(("fit", "ends"), [("crop", False), ("pad", True), ("squash", True)])
def test_a_run_fits_pictures_as_its_config_says(fit: Fit, ends: bool) -> None:
    config = ClassifyConfig(data={"source": [{"where": "renders"}]}, size=35, fit=fit)  # type: ignore[arg-type]
    (batch,) = Loader(Bars(["a"], [0]), 1, pipeline(config).collate, workers=0).once()
    assert batch.images.shape == (1, 3, 40, 40)
    assert bool((batch.images > 240).any()) == ends


def test_padding_is_the_default_and_the_command_offers_all_ways() -> None:
    assert ClassifyConfig(data={"source": [{"where": "renders"}]}).fit == "pad"  # type: ignore[arg-type]
    assert typing.get_args(Fit) == FITS
    assert Windows(35).fit == "crop"
