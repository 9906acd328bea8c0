"""The light on the objects, against integrals done by hand, and what the camera makes of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from render.image.camera_response import apply_camera_response, metered_gain
from render.image.clean_plate import plate
from render.image.color import from_srgb
from render.image.illumination import matte_white
from scenes.record.camera import Camera
from scenes.record.scene import Background, Light, Scene, Sensor, World

SCENE = Scene(
    0, 0, (), World("", 0, 2.0), (), Camera((0, -3, 0), (0, 0, 0), 0, 50, 8, 8),
    Background("color", color=(1.0, 1.0, 1.0)), Sensor(),
)  # fmt: skip


def nowhere(asset: str) -> Path:
    raise AssertionError(f"{asset} was asked for")


def lit(*lamps: Light) -> float:
    return matte_white(replace(SCENE, world=World("", 0, 0.0), lights=lamps), nowhere)


def test_a_meter_of_the_whole_picture_does_not_know_the_objects() -> None:
    light = np.full((20, 20, 3), 0.5, np.float32)
    light[:4] = 5
    weight, subject = np.ones((20, 20), np.float32), light[..., 0] > 1
    whole, average = Sensor(metering="whole"), Sensor(metering="average")
    assert metered_gain(light, weight, whole, subject) == metered_gain(light, weight, average) == pytest.approx(0.18)
    assert metered_gain(light, weight, average, subject) == pytest.approx(0.9 / 5)


def test_a_white_surface_under_an_even_sky_is_as_bright_as_the_sky() -> None:
    assert matte_white(SCENE, nowhere) == pytest.approx(2.0)


def test_a_lamp_lights_a_ball_on_one_side() -> None:
    """A surface facing irradiance E sends E / pi back. Over the ball, the mean of max(cosine, 0) is a quarter."""
    at, target = (0.0, 0.0, 3.0), (0.0, 0.0, 1.0)
    assert lit(Light("sun", at, target, 3.0, 1.0, 6500)) == pytest.approx(3.0 / math.pi / 4)
    # 100 W through a ball of 2 m radius, whose area is 16 pi.
    assert lit(Light("point", at, target, 100.0, 0.1, 6500)) == pytest.approx(100 / (16 * math.pi) / math.pi / 4)
    # A flat lamp sends four times as much straight ahead as on average over all directions.
    assert lit(Light("area", at, target, 100.0, 0.1, 6500)) == pytest.approx(400 / (16 * math.pi) / math.pi / 4)


def test_an_environment_counts_by_solid_angle(tmp_path: Path) -> None:
    """Light 8 from the cap above 60 degrees of elevation, whose share of the sphere is (1 - sin 60 deg) / 2."""
    path = tmp_path / "cap.hdr"
    sky = np.zeros((96, 192, 3), np.float32)
    sky[:16] = 8.0
    assert cv2.imwrite(str(path), sky)
    scene = replace(SCENE, world=World("cap", 0, 0.5))
    assert matte_white(scene, lambda asset: path) == pytest.approx(4 * (1 - math.sin(math.pi / 3)) / 2, rel=1e-3)


def test_a_white_backdrop_is_as_bright_as_the_light_on_it() -> None:
    assert np.allclose(plate(SCENE, nowhere, lit=2.5), 2.5)
    gray = replace(SCENE, background=Background("color", color=(0.5, 0.5, 0.5)))
    assert np.allclose(plate(gray, nowhere, lit=2.0), 2 * ((0.5 + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("tone", ["standard", "filmic"])
@pytest.mark.parametrize("exposure", [-0.6, 0.0, 1.0])
def test_a_white_ground_is_white_however_it_is_taken(tone: Any, exposure: float) -> None:
    dark = plate(replace(SCENE, background=Background("white")), nowhere, lit=2.0)
    sensor = Sensor(tone=tone, vignette=0.25, exposure=exposure, white_balance=3000.0, balance=1.0, noise=0.01)
    taken = apply_camera_response(dark, sensor, 1.0, np.random.default_rng(0), np.ones(dark.shape[:2], np.float32))
    assert (taken == 255).all()


@pytest.mark.parametrize("gain", [0.5, 1.0, 4.0])
def test_a_white_ground_burns_away_neither_thin_parts_nor_shadows(gain: float) -> None:
    """A black wire over half of a pixel and a shadow that takes half of the light are middle gray at every exposure."""
    black = np.zeros((8, 8, 3), np.float32)
    taken = apply_camera_response(black, Sensor(), gain, np.random.default_rng(0), np.full((8, 8), 0.5, np.float32))
    assert np.allclose(from_srgb(taken / 255), 0.55, atol=0.005)


def test_the_edge_before_a_white_ground_is_blurred_with_the_object() -> None:
    """A gray plane over the left half: object and ground are smoothed by one kernel, so no rim is dark or bright."""
    light, white = np.zeros((9, 40, 3), np.float32), np.zeros((9, 40), np.float32)
    light[:, :20], white[:, 20:] = 0.3, 1.0
    taken = apply_camera_response(light, Sensor(blur=1.5), 1.0, np.random.default_rng(0), white)
    row = taken[4, :, 1].astype(int)
    assert (np.diff(row) >= 0).all() and row[0] < 160 and row[-1] == 255


def test_a_small_bright_subject_does_not_burn_out() -> None:
    """A twentieth of the picture at 2, all else at 0.1: the dark ground alone would be metered to 0.18 and burn it."""
    light = np.full((20, 20, 3), 0.1, np.float32)
    light[0] = 2.0
    weight, sensor = np.ones((20, 20), np.float32), Sensor(metering="average")
    assert metered_gain(light, weight, sensor) > 1.3
    assert metered_gain(light, weight, sensor, light[..., 0] > 1) == pytest.approx(0.45)
    assert metered_gain(light, weight, sensor, np.zeros((20, 20), bool)) == metered_gain(light, weight, sensor)


def test_a_subject_against_the_light_is_no_black_outline() -> None:
    """Its mean is brought to a sixth of middle gray, by hand, whatever burns out."""
    light = np.full((20, 20, 3), 0.8, np.float32)
    light[5:10, 5:15] = 0.0019
    weight, sensor, subject = np.ones((20, 20), np.float32), Sensor(metering="average"), light[..., 0] < 0.1
    assert metered_gain(light, weight, sensor) * 0.0019 < 0.001
    assert metered_gain(light, weight, sensor, subject) == pytest.approx(0.03 / 0.002)
    # A fifth of the subject is a lamp: the rest is still seen.
    light[5, 5:15] = 0.5
    assert metered_gain(light, weight, sensor, subject) == pytest.approx(0.03 / (0.002**0.8 * 0.5001**0.2))
    # A subject that is bright enough leaves the meter as it is.
    light[5:10, 5:15] = 0.2
    assert metered_gain(light, weight, sensor, subject) == metered_gain(light, weight, sensor)
