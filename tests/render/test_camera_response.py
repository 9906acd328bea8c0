"""The camera response in numbers: a known amount of light gives a known pixel value, step by step."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from render.image.camera_response import MID_GRAY, apply_camera_response, metered_gain, neutralizing, sharpened
from render.image.color import blackbody, filmic, from_srgb, luminance, to_srgb
from scenes.record.scene import Sensor

PLAIN = Sensor()
METERED = Sensor(metering="average")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def even(value: float | tuple[float, float, float], size: tuple[int, int] = (16, 24)) -> NDArray[np.float32]:
    return np.full((*size, 3), value, dtype=np.float32)


def pixel(light: float | tuple[float, float, float], sensor: Sensor = PLAIN, gain: float = 1.0) -> list[int]:
    pixels = apply_camera_response(even(light), sensor, gain, rng())
    assert (pixels == pixels[0, 0]).all()
    return pixels[0, 0].tolist()


def linear(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(from_srgb(pixels / 255), dtype=np.float64)


# Curves ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("light", "wanted"),
    [(0.0, 0), (0.002, 7), (0.01, 25), (0.18, 118), (0.2159, 128), (0.5, 188), (0.9, 243), (1.0, 255), (4.0, 255)],
)
def test_the_standard_curve_is_srgb(light: float, wanted: int) -> None:
    assert pixel(light) == [wanted] * 3


@pytest.mark.parametrize("light", [0.0, 0.01, 0.05, 0.18, 0.4, 1.0, 3.0, 10.0])
def test_the_filmic_curve_is_narkowiczs_at_his_exposure(light: float) -> None:
    """x (2.51 x + 0.03) / (x (2.43 x + 0.59) + 0.14) of 0.6 times the light."""
    x = 0.6 * light
    wanted = min(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 1.0)
    assert filmic(np.array([light]))[0] == pytest.approx(wanted, abs=1e-12)
    assert pixel(light, replace(PLAIN, tone="filmic")) == [round(255 * float(to_srgb(np.array([wanted]))[0]))] * 3


def test_the_filmic_curve_in_numbers() -> None:
    """A grey card, a white wall and a lamp, worked out by hand."""
    assert filmic(np.array([0.18, 1.0, 10.0])) == pytest.approx([0.14012, 0.67329, 0.99320], abs=1e-5)
    assert [pixel(light, replace(PLAIN, tone="filmic"))[0] for light in (0.18, 1.0, 10.0)] == [105, 214, 254]


def test_gain_and_colors_are_applied_to_light() -> None:
    assert pixel(0.1, gain=5.0) == pixel(0.5) == [188] * 3
    assert pixel((0.0, 0.18, 1.0)) == [0, 118, 255]


# Metering ----------------------------------------------------------------------------------------------------------


def test_the_meter_takes_the_mean_of_the_logarithm() -> None:
    """Half 0.02, half 0.5: the geometric mean is 0.1."""
    light = even(0.02)
    light[:8] = 0.5
    weight = np.ones(light.shape[:2], np.float32)
    wanted = min(MID_GRAY / (math.sqrt(0.0201 * 0.5001)), 0.9 / 0.5)
    assert metered_gain(light, weight, METERED) == pytest.approx(wanted, rel=1e-5)
    dim = even(0.1)
    dim[:8] = 0.2
    assert metered_gain(dim, weight, METERED) == pytest.approx(MID_GRAY / math.sqrt(0.1001 * 0.2001), rel=1e-5)
    assert metered_gain(dim, weight, replace(METERED, exposure=2)) == pytest.approx(4 * 1.2718, rel=1e-3)


def test_the_meter_weighs_colors_by_luminance() -> None:
    weight = np.ones((16, 24), np.float32)
    color = (0.1, 0.2, 0.3)
    wanted = MID_GRAY / (0.2126 * 0.1 + 0.7152 * 0.2 + 0.0722 * 0.3 + 1e-4)
    assert metered_gain(even(color), weight, METERED) == pytest.approx(wanted, rel=1e-5)


def test_the_meter_keeps_a_tenth_from_burning_out() -> None:
    """The 90th percentile stays at 0.9, however dark the rest is."""
    light = even(0.001, (10, 10))
    light[:2] = 4.0
    weight = np.ones((10, 10), np.float32)
    assert metered_gain(light, weight, METERED) == pytest.approx(0.9 / 4.0)
    # A single bright pixel in a hundred is let burn.
    light[:] = 0.001
    light[0, 0] = 4.0
    assert metered_gain(light, weight, METERED) > 100


def test_the_meters_gain_is_held_within_eight_stops() -> None:
    weight = np.ones((16, 24), np.float32)
    assert metered_gain(even(0.0), weight, METERED) == 256
    assert metered_gain(even(1e-6), weight, METERED) == 256
    assert metered_gain(even(1e5), weight, METERED) == 1 / 256
    # Exposure comes on top of that.
    assert metered_gain(even(1e5), weight, replace(METERED, exposure=-1)) == 1 / 512


def test_light_below_nothing_is_metered_as_none() -> None:
    weight = np.ones((16, 24), np.float32)
    light = even(0.2)
    light[0] = -5.0
    dark = even(0.2)
    dark[0] = 0.0
    assert metered_gain(light, weight, METERED) == metered_gain(dark, weight, METERED)


# Color -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kelvin", [2500.0, 4000.0, 6500.0, 12000.0])
def test_white_balance_divides_by_the_color_of_its_light(kelvin: float) -> None:
    wanted = 0.2 * blackbody(6500.0) / np.maximum(blackbody(kelvin), 1e-3)
    found = pixel(0.2, replace(PLAIN, white_balance=kelvin))
    assert found == np.round(255 * to_srgb(wanted)).astype(int).tolist()


def test_balance_takes_away_its_share_of_the_cast() -> None:
    """Light with exp(0.4) more blue than red and no tint, by hand."""
    color = (0.2 * math.exp(-0.2), 0.2, 0.2 * math.exp(0.2))
    factors = neutralizing(even(color))
    assert factors[0] / factors[2] == pytest.approx(math.exp(0.4), rel=1e-5)
    assert factors[1] == pytest.approx(math.sqrt(factors[0] * factors[2]), rel=1e-5)
    assert luminance(factors) == pytest.approx(1)
    half = np.array(color) * factors**0.5
    assert pixel(color, replace(PLAIN, balance=0.5)) == np.round(255 * to_srgb(half)).astype(int).tolist()
    assert pixel(color, replace(PLAIN, balance=1.0)) == [pixel(color, replace(PLAIN, balance=1.0))[0]] * 3


@pytest.mark.parametrize(
    ("color", "left"),
    [
        # log blue over red beyond what daylight has stays: 1.5 - 0.9, -1 + 0.25.
        ((math.exp(-0.75), 1, math.exp(0.75)), (0.6, 0.0)),
        ((math.exp(0.5), 1, math.exp(-0.5)), (-0.75, 0.0)),
        # Of a tint, green over the mean of the others, 0.1 goes.
        ((1, math.exp(0.3), 1), (0.0, 0.2)),
        ((1, math.exp(-0.25), 1), (0.0, -0.15)),
        ((math.exp(-0.1), math.exp(0.05), math.exp(0.1)), (0.0, 0.0)),
    ],
)
def test_balance_goes_as_far_as_daylight_is_colored(
    color: tuple[float, float, float], left: tuple[float, float]
) -> None:
    red, green, blue = np.log(np.array(color) * neutralizing(even(color)))
    assert blue - red == pytest.approx(left[0], abs=1e-4)
    assert green - (red + blue) / 2 == pytest.approx(left[1], abs=1e-4)


def test_the_cast_is_that_of_the_mean_light() -> None:
    light = even((0.1, 0.2, 0.3))
    light[:8] = (0.5, 0.2, 0.1)
    assert neutralizing(light) == pytest.approx(neutralizing(even((0.3, 0.2, 0.2))), rel=1e-5)


# Lens --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(20, 20), (12, 30), (31, 16)])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_the_vignette_falls_with_the_square_of_the_radius(shape: tuple[int, int], share: float) -> None:
    seen = linear(apply_camera_response(even(0.6, shape), replace(PLAIN, vignette=share), 1.0, rng()))
    for row, column in np.ndindex(shape):
        y, x = (2 * (row + 0.5) / shape[0] - 1), (2 * (column + 0.5) / shape[1] - 1)
        assert seen[row, column] == pytest.approx(0.6 * (1 - share * (x * x + y * y) / 2), abs=0.006)


@pytest.mark.parametrize("sigma", [0.8, 1.5, 3.0])
def test_blur_has_its_sigma(sigma: float) -> None:
    """The variance of a blurred point's light, along both axes."""
    light = even(0.0, (41, 41))
    light[20, 20] = 30.0
    seen = linear(apply_camera_response(light, replace(PLAIN, blur=sigma), 0.9 * 2 * math.pi * sigma**2 / 30, rng()))[
        ..., 1
    ]
    away = np.arange(41) - 20
    for profile in (seen.sum(axis=0), seen.sum(axis=1)):
        assert profile @ away / profile.sum() == pytest.approx(0, abs=1e-6)
        assert profile @ away**2 / profile.sum() == pytest.approx(sigma**2, rel=0.08)


def test_blur_mirrors_the_picture_at_its_border() -> None:
    """The border row itself is not doubled: a line in it spreads as one in the middle does."""
    light = even(0.0, (24, 24))
    light[1] = 0.9
    seen = linear(apply_camera_response(light, replace(PLAIN, blur=1.0), 1.0, rng()))[:, 12, 1]
    assert seen[0] == pytest.approx(2 * 0.9 * math.exp(-0.5) / math.sqrt(2 * math.pi), rel=0.03)


# Noise -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "noise", "shot", "variance"),
    [
        (0.4, 0.02, 0.0, 0.0004),
        (0.4, 0.0, 0.05, 0.0025 * 0.4),
        (0.4, 0.02, 0.05, 0.0004 + 0.0025 * 0.4),
        (0.2, 0.03, 0.04, 0.0009 + 0.0016 * 0.2),
    ],
)
def test_the_variance_of_noise_is_that_of_reading_and_of_counting(
    level: float, noise: float, shot: float, variance: float
) -> None:
    sensor = replace(PLAIN, noise=noise, shot=shot)
    seen = linear(apply_camera_response(even(level, (200, 200)), sensor, 1.0, rng(4)))
    # Rounding to whole steps of the sRGB curve adds a twelfth of a squared step.
    step = float(from_srgb((to_srgb(np.array([level])) * 255 + 1) / 255)[0] - level)
    assert seen.var() == pytest.approx(variance + step**2 / 12, rel=0.03)
    assert seen.mean() == pytest.approx(level, abs=0.001)


def test_noise_is_of_the_light_after_gain_and_its_count_ends_at_full_scale() -> None:
    sensor = replace(PLAIN, shot=0.05)
    seen = linear(apply_camera_response(even(0.1, (160, 160)), sensor, 4.0, rng()))
    assert seen.std() == pytest.approx(0.05 * math.sqrt(0.4), rel=0.03)
    # A hundredfold overexposed white has no more noise than white: it stays white.
    assert (apply_camera_response(even(100.0, (60, 60)), sensor, 1.0, rng()) == 255).all()
    assert linear(apply_camera_response(even(1.3, (60, 60)), replace(PLAIN, shot=0.1), 1.0, rng())).min() > 0.85


def test_every_pixel_and_channel_has_noise_of_its_own() -> None:
    seen = linear(apply_camera_response(even(0.4, (80, 80)), replace(PLAIN, noise=0.03), 1.0, rng())) - 0.4
    red, green, blue = (seen[..., k].ravel() for k in range(3))
    for a, b in ((red, green), (green, blue), (red, blue), (red[1:], red[:-1]), (red[80:], red[:-80])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.04


# Sharpening --------------------------------------------------------------------------------------------------------


def test_sharpening_adds_the_difference_to_a_gaussian_of_one_pixel() -> None:
    """At a lone grey point 0.2 above its surroundings: what of it a Gaussian of sigma 1 spreads comes on top."""
    display = np.full((21, 21, 3), 0.4)
    display[10, 10] = 0.6
    kernel = np.exp(-(np.arange(-3, 4) ** 2) / 2)
    middle = float((kernel[3] / kernel.sum()) ** 2)
    for amount in (0.5, 1.0):
        found = sharpened(display, amount)
        assert found[10, 10] == pytest.approx([0.6 + amount * 0.2 * (1 - middle)] * 3, abs=2e-3)
        beside = float(kernel[3] * kernel[2] / kernel.sum() ** 2)
        assert found[10, 11] == pytest.approx([0.4 - amount * 0.2 * beside] * 3, abs=2e-3)
        assert found[0, 0] == pytest.approx([0.4] * 3, abs=1e-6)


def test_sharpening_is_of_brightness_as_the_eye_weighs_it() -> None:
    display = np.full((21, 21, 3), 0.4)
    gains = []
    for channel in range(3):
        point = display.copy()
        point[10, 10, channel] = 0.6
        change = sharpened(point, 1.0)[10, 10] - point[10, 10]
        assert np.ptp(change) == pytest.approx(0, abs=1e-6)
        gains.append(change[0])
    assert np.array(gains) / sum(gains) == pytest.approx([0.299, 0.587, 0.114], abs=1e-3)


def test_sharpening_ends_at_black_and_white() -> None:
    display = np.full((21, 21, 3), 0.02)
    display[:, 10:] = 0.98
    found = sharpened(display, 3.0)
    assert found.min() == 0 and found.max() == 1


def test_the_sharpened_picture_is_the_displayed_one() -> None:
    light = even(0.1)
    light[:, 12:] = 0.4
    wanted = np.round(255 * sharpened(to_srgb(light), 0.7)).astype(np.uint8)
    assert np.array_equal(apply_camera_response(light, replace(PLAIN, sharpening=0.7), 1.0, rng()), wanted)
