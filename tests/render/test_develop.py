"""Development of a picture: color curves, exposure, white balance, lens and sensor faults, JPEG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from render.image.camera_response import MID_GRAY, apply_camera_response, metered_gain, neutralizing
from render.image.color import blackbody, filmic, from_srgb, luminance, to_srgb
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.record.scene import Sensor

PLAIN = Sensor()


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def even(value: float | tuple[float, float, float], size: tuple[int, int] = (32, 48)) -> NDArray[np.float32]:
    return np.full((*size, 3), value, dtype=np.float32)


def ramp() -> NDArray[np.float32]:
    """(32, 64, 3) light from nothing to beyond full scale, with colour in it."""
    x = np.linspace(0, 1.2, 64, dtype=np.float32)
    y = np.linspace(0.2, 1, 32, dtype=np.float32)
    return np.stack([x[None] * y[:, None], x[None] ** 2 + 0 * y[:, None], 0.5 * y[:, None] + 0 * x[None]], axis=-1)


def linear(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(from_srgb(pixels / 255), dtype=np.float64)


# Colour --------------------------------------------------------------------------------------------------------


@given(st.floats(0, 1))
def test_srgb_there_and_back(value: float) -> None:
    x = np.array([value])
    assert from_srgb(to_srgb(x)) == pytest.approx(x, abs=1e-6)
    assert to_srgb(from_srgb(x)) == pytest.approx(x, abs=1e-6)


def test_srgb_known_values_and_limits() -> None:
    assert to_srgb(np.array([0.0, 0.0031308, 0.214041, 1.0])) == pytest.approx([0, 0.04045, 0.5, 1], abs=2e-5)
    assert to_srgb(np.array([-1.0, 7.0])).tolist() == [0, pytest.approx(1)]
    assert (np.diff(to_srgb(np.linspace(0, 1, 4001))) > 0).all()
    levels = np.arange(256) / 255
    assert np.array_equal(np.round(to_srgb(from_srgb(levels)) * 255), np.arange(256))


def test_black_bodies_are_white_by_day_red_below_and_blue_above() -> None:
    assert blackbody(6500) == pytest.approx([1, 1, 1], abs=0.06)
    temperatures = [1700, 2200, 3000, 4000, 5500, 6500, 8000, 12000, 20000]
    colors = np.array([blackbody(kelvin) for kelvin in temperatures])
    assert (np.diff(colors[:, 0]) < 0).all()
    assert (np.diff(colors[:, 2]) >= 0).all()
    assert colors[0, 2] < 0.05 < colors[-1, 2] - colors[-1, 0]
    assert (colors >= 0).all()


@given(st.floats(2200, 25000))
def test_black_bodies_have_luminance_one(kelvin: float) -> None:
    """Down to where their blue leaves sRGB and is cut off."""
    assert luminance(blackbody(kelvin)) == pytest.approx(1, abs=0.02)


def test_black_bodies_have_no_jumps_and_are_held_at_the_ends() -> None:
    colors = np.array([blackbody(kelvin) for kelvin in np.arange(1667, 25000, 5)])
    assert np.abs(np.diff(colors, axis=0)).max() < 0.02
    assert np.array_equal(blackbody(500), blackbody(1667))
    assert np.array_equal(blackbody(90000), blackbody(25000))


def test_luminance_weighs_to_one_and_green_most() -> None:
    assert luminance(np.ones((2, 3))) == pytest.approx([1, 1])
    red, green, blue = luminance(np.eye(3))
    assert green > red > blue > 0
    assert luminance(np.ones(3, dtype=np.float32)).dtype == np.float32


def test_filmic_rises_and_holds_back_highlights() -> None:
    x = np.linspace(0, 20, 2001)
    y = filmic(x)
    assert y[0] == 0
    assert (np.diff(y) >= 0).all()
    assert y.max() <= 1
    assert y[-1] > 0.95
    assert filmic(np.array([1.0]))[0] < 0.9
    assert filmic(np.array([-3.0])) == 0


# Metering ------------------------------------------------------------------------------------------------------


@given(st.floats(-5, 5), st.floats(-3, 3))
def test_the_meter_brings_an_even_field_to_mid_gray_plus_exposure(stops: float, exposure: float) -> None:
    light = even(2.0**stops)
    gain = metered_gain(light, np.ones(light.shape[:2], np.float32), Sensor(metering="average", exposure=exposure))
    assert gain * 2.0**stops == pytest.approx(MID_GRAY * 2.0**exposure, rel=0.01)


def test_a_metered_gray_card_comes_out_as_one() -> None:
    for level in (0.01, 0.18, 6.0):
        light = even(level)
        gain = metered_gain(light, np.ones(light.shape[:2], np.float32), replace(PLAIN, metering="average"))
        assert np.abs(apply_camera_response(light, PLAIN, gain, rng()).astype(int) - 118).max() <= 1


def test_the_meter_looks_only_where_it_is_told() -> None:
    light = even(0.1)
    light[:, 24:] = 50.0
    weight = np.zeros(light.shape[:2], np.float32)
    weight[:, :24] = 1
    sensor = replace(PLAIN, metering="average")
    assert metered_gain(light, weight, sensor) == pytest.approx(MID_GRAY / 0.1, rel=0.01)
    assert metered_gain(light, np.ones_like(weight), sensor) < 0.1
    assert metered_gain(light, np.zeros_like(weight), sensor) == 1


def test_the_meter_holds_back_before_highlights_burn_out() -> None:
    light = even(1e-4)
    light[:, :12] = 5.0
    gain = metered_gain(light, np.ones(light.shape[:2], np.float32), replace(PLAIN, metering="average"))
    assert gain * 5.0 == pytest.approx(0.9)


def test_without_metering_only_exposure_counts() -> None:
    weight = np.ones((32, 48), np.float32)
    for level in (0.01, 3.0):
        assert metered_gain(even(level), weight, PLAIN) == 1
        assert metered_gain(even(level), weight, replace(PLAIN, exposure=-2.0)) == 0.25


def test_one_stop_doubles_the_light() -> None:
    light = even((0.05, 0.1, 0.2))
    weight = np.ones(light.shape[:2], np.float32)
    dark, bright = (
        linear(apply_camera_response(light, PLAIN, metered_gain(light, weight, replace(PLAIN, exposure=e)), rng()))
        for e in (0, 1)
    )
    assert bright == pytest.approx(2 * dark, rel=0.03)


# Development ---------------------------------------------------------------------------------------------------


def test_a_faultless_camera_only_encodes() -> None:
    """Nothing but the curve at white balance 6500, quality 0 and no faults; light is not touched."""
    light = ramp()
    before = light.copy()
    pixels = apply_camera_response(light, PLAIN, 1.0, rng())
    assert pixels.dtype == np.uint8
    assert pixels.shape == light.shape
    assert np.array_equal(pixels, np.round(to_srgb(light) * 255).astype(np.uint8))
    assert np.array_equal(light, before)
    assert len(np.unique(pixels)) > 100


def test_white_balance_removes_the_color_of_its_light() -> None:
    day, lamp = even(0.4), (0.4 * blackbody(3000)[None, None] * np.ones((8, 8, 1))).astype(np.float32)
    assert np.ptp(apply_camera_response(day, PLAIN, 1.0, rng())[0, 0].astype(int)) == 0
    assert np.ptp(apply_camera_response(lamp, PLAIN, 1.0, rng())[0, 0].astype(int)) > 60
    assert np.ptp(apply_camera_response(lamp, replace(PLAIN, white_balance=3000.0), 0.5, rng())[0, 0].astype(int)) <= 14
    red, _, blue = apply_camera_response(day, replace(PLAIN, white_balance=4000.0), 1.0, rng())[0, 0].astype(int)
    assert blue > red + 10, "set for a lamp, daylight is blue"
    red, _, blue = apply_camera_response(day, replace(PLAIN, white_balance=10000.0), 1.0, rng())[0, 0].astype(int)
    assert red > blue + 10


@pytest.mark.parametrize("kelvin", [5600, 7500, 11000])
def test_automatic_balance_takes_its_share_of_daylights_color(kelvin: int) -> None:
    light = (0.3 * blackbody(kelvin)[None, None] * np.ones((8, 8, 1))).astype(np.float32)
    casts = [
        np.ptp(apply_camera_response(light, replace(PLAIN, balance=share), 1.0, rng())[0, 0].astype(int))
        for share in (0, 0.6, 1)
    ]
    assert casts[0] > 10
    assert casts[0] > casts[1] + 3 > casts[2] + 3
    assert casts[2] <= 2


@given(st.tuples(*[st.floats(0.01, 1)] * 3))
def test_balance_keeps_brightness_and_only_calms_colors(color: tuple[float, float, float]) -> None:
    factors = neutralizing(even(color))
    assert luminance(factors) == pytest.approx(1)
    after = np.array(color) * factors
    assert np.ptp(np.log(after)) <= np.ptp(np.log(color)) + 1e-6


def test_balance_lets_paint_be_paint() -> None:
    ochre = even((0.5, 0.3, 0.06))
    red, green, blue = apply_camera_response(ochre, replace(PLAIN, balance=1.0), 1.0, rng())[0, 0].astype(int)
    assert red - blue > 80 and red > green > blue
    assert np.isfinite(neutralizing(even(0.0))).all()


def test_balance_and_plate_exclude_each_other() -> None:
    load_config("matting", ["render.plate=true"])
    with pytest.raises(InputError, match=r"sensor\.balance must be 0 where render\.plate is true"):
        load_config("matting", ["render.plate=true", "sensor.balance={uniform: [0, 1]}"])


def test_sharpening_steepens_edges_in_brightness_alone() -> None:
    light = even((0.1, 0.12, 0.1))
    light[:, 24:] = (0.3, 0.32, 0.3)
    plain, sharp = (
        apply_camera_response(light, replace(PLAIN, sharpening=amount), 1.0, rng()).astype(int) for amount in (0.0, 1.0)
    )
    assert sharp[16, 24].min() > plain[16, 24].max() + 5 and sharp[16, 23].max() < plain[16, 23].min() - 5
    assert np.array_equal(sharp[:, :8], plain[:, :8]) and np.array_equal(sharp[:, -8:], plain[:, -8:])
    assert np.ptp(sharp - plain, axis=-1).max() <= 1


@pytest.mark.parametrize("shape", [(32, 32), (24, 48), (31, 17)])
def test_vignette_darkens_towards_the_corners_alone(shape: tuple[int, int]) -> None:
    light = even(0.5, shape)
    shaded = linear(apply_camera_response(light, replace(PLAIN, vignette=0.6), 1.0, rng()))[..., 1]
    assert shaded.max() <= 0.5 + 0.01
    assert shaded[shape[0] // 2, shape[1] // 2] == pytest.approx(0.5, abs=0.01)
    corners = shaded[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert np.ptp(corners) == 0
    assert corners[0] == shaded.min()
    assert corners[0] == pytest.approx(0.5 * 0.4, abs=0.03)
    assert (np.diff(shaded[: shape[0] // 2 + 1, : shape[1] // 2 + 1].diagonal()) >= 0).all()


@pytest.mark.parametrize("sigma", [0.01, 0.05])
@pytest.mark.parametrize("level", [0.3, 0.5])
def test_read_noise_has_its_sigma(sigma: float, level: float) -> None:
    seen = linear(apply_camera_response(even(level, (160, 160)), replace(PLAIN, noise=sigma), 1.0, rng()))
    assert seen.mean() == pytest.approx(level, abs=0.002)
    assert seen.std() == pytest.approx(sigma, rel=0.04)
    red, green = (seen[..., k].ravel() - level for k in (0, 1))
    assert abs(np.corrcoef(red, green)[0, 1]) < 0.03


def test_shot_noise_grows_with_the_root_of_the_light() -> None:
    spreads = [
        linear(apply_camera_response(even(v, (160, 160)), replace(PLAIN, shot=0.05), 1.0, rng())).std()
        for v in (0.1, 0.4)
    ]
    assert spreads == pytest.approx([0.05 * np.sqrt(0.1), 0.05 * np.sqrt(0.4)], rel=0.04)


def test_noise_is_a_function_of_the_generator() -> None:
    sensor = replace(PLAIN, noise=0.03, shot=0.02)
    first, second, other = (apply_camera_response(ramp(), sensor, 1.0, rng(seed)) for seed in (7, 7, 8))
    assert np.array_equal(first, second)
    assert (first != other).mean() > 0.3
    assert np.array_equal(
        apply_camera_response(ramp(), PLAIN, 1.0, rng(7)), apply_camera_response(ramp(), PLAIN, 1.0, rng(8))
    )


def test_blur_spreads_a_point_and_keeps_its_light() -> None:
    light = even(0.0, (33, 33))
    light[16, 16] = 20.0
    seen = linear(apply_camera_response(light, replace(PLAIN, blur=2.0), 1.0, rng()))[..., 0]
    assert seen.sum() == pytest.approx(20.0, rel=0.02)
    assert seen[16, 16] == pytest.approx(20 / (2 * np.pi * 4), rel=0.03)
    assert seen[16, 18] == pytest.approx(seen[16, 16] * np.exp(-0.5), rel=0.03)
    assert np.array_equal(
        apply_camera_response(even(0.3), replace(PLAIN, blur=2.0), 1.0, rng()),
        apply_camera_response(even(0.3), PLAIN, 1, rng()),
    )


def test_filmic_tone_is_the_curve_before_the_encoding() -> None:
    pixels = apply_camera_response(ramp(), replace(PLAIN, tone="filmic"), 1.0, rng())
    assert np.array_equal(pixels, np.round(to_srgb(filmic(ramp())) * 255).astype(np.uint8))
    assert not np.array_equal(pixels, apply_camera_response(ramp(), PLAIN, 1.0, rng()))


def test_jpeg_loses_more_at_lower_quality_and_nothing_at_none() -> None:
    light = ramp() + np.float32(0.2) * rng(3).random((32, 64, 3), dtype=np.float32)
    clean = apply_camera_response(light, PLAIN, 1.0, rng()).astype(int)
    errors = [
        np.abs(apply_camera_response(light, replace(PLAIN, jpeg=q), 1.0, rng()).astype(int) - clean).mean()
        for q in (95, 60, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]
    assert np.array_equal(clean, np.round(to_srgb(light) * 255))
    red = apply_camera_response(even((0.8, 0.0, 0.0)), replace(PLAIN, jpeg=90), 1.0, rng())
    assert red[0, 0, 0] > 200 > 30 > red[0, 0, 2], "channels keep their order"


def test_light_below_zero_and_beyond_white_is_cut() -> None:
    assert (apply_camera_response(even(-2.0), PLAIN, 1.0, rng()) == 0).all()
    assert (apply_camera_response(even(900.0), PLAIN, 1.0, rng()) == 255).all()
