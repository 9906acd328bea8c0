"""The look of painted cracks, their edges and their surfaces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from numpy.typing import NDArray

from render.composite import background, camera, color, edges
from render.composite.contrast import grain, standing_out
from render.composite.noise import noise, normals
from render.composite.texture_synthesis import continued, unevenness
from scenes.cracks import raster
from scenes.cracks.strips import Pixels
from segment.statistics.measure import of_background
from tests.walls import SIDE, straight, surface


def cracked(picture: NDArray[np.float32], width: float, **changes: float) -> tuple[NDArray, NDArray]:
    """The picture with a straight crack, and the crack's coverage."""
    covered = raster.coverage(straight(width), Pixels(picture.shape[:2], 1.0))
    return colored(picture, covered, width, **changes), covered


def colored(picture: NDArray[np.float32], covered: NDArray, width: float, **changes: float) -> NDArray:
    values = {
        "darkness": 0.4, "adaptive": 1.0, "reach": 4.0, "texture": 0.3, "hue": 0.08, "tint": 0.1, "noise": 0.0,
        "noise_scale": 20.0, "grain": 0.0, "deepening": 0.3, "crumbs": 0.0, "crumb_size": 3.0, "visible": 0.0,
        **changes,
    }  # fmt: skip
    around = grain(picture, covered, np.where(covered > 0, np.float32(width), np.float32(0)))
    return color.colored(picture, covered, around, np.random.default_rng(0), **values)


def test_a_crack_is_as_dark_as_its_surroundings_allow() -> None:
    picture = np.full((SIDE, SIDE, 3), 200, np.float32)
    picture[SIDE // 2 :] = 80
    adaptive, covered = cracked(picture, 5.0)
    ink = color.ink(picture, covered)
    rows = np.r_[5 : SIDE // 2 - 16], np.r_[SIDE // 2 + 16 : SIDE - 5]
    inside = [adaptive[where, SIDE // 2].mean() for where in rows]
    assert inside[0] > 1.8 * inside[1]  # a share of the light, not a colour
    assert 0.03 < inside[0] / 200 < 0.6
    assert np.allclose(ink[rows[0], SIDE // 2], ink[rows[1], SIDE // 2], atol=1)
    assert np.array_equal(adaptive[covered == 0], picture[covered == 0])


@given(st.integers(0, 50), st.floats(0.05, 0.9), st.floats(0.5, 12))
def test_a_crack_is_never_lighter_than_the_surface(seed: int, darkness: float, width: float) -> None:
    picture = surface(seed, (SIDE, SIDE)).astype(np.float32)
    drawn, covered = cracked(picture, width, darkness=darkness)
    assert (drawn <= picture + 1e-3).all() and (drawn >= 0).all()
    assert drawn[covered > 0.9].mean() < picture[covered > 0.9].mean() if (covered > 0.9).any() else True


def test_a_crack_of_which_nothing_is_left_changes_nothing() -> None:
    picture, nothing = surface(1, (SIDE, SIDE)).astype(np.float32), np.zeros((SIDE, SIDE), np.float32)
    assert np.array_equal(colored(picture, nothing, 5.0), picture)


def test_texture_goes_on_inside_a_crack() -> None:
    picture = surface(1, (SIDE, SIDE)).astype(np.float32)
    kept, covered = cracked(picture, 9.0, texture=0.9, darkness=0.3, deepening=0.0)
    flat, _ = cracked(picture, 9.0, texture=0.0, darkness=0.3, deepening=0.0)
    inside = covered > 0.99
    correlation = np.corrcoef(kept[inside].mean(axis=1), picture[inside].mean(axis=1))[0, 1]
    assert correlation > 0.8 and kept[inside].mean(axis=1).std() > 2 * flat[inside].mean(axis=1).std()


def test_smoothing_keeps_the_amount_of_crack() -> None:
    covered = raster.coverage(straight(4), Pixels((SIDE, SIDE), 1.0))
    for values in ({"gaussian": 1.5, "motion": 0.0}, {"gaussian": 0.0, "motion": 7.0}):
        soft = edges.smoothed(covered, **values, motion_angle=20.0)
        assert soft.sum() == pytest.approx(covered.sum(), rel=0.02) and soft.max() <= 1 + 1e-5
        assert not np.allclose(soft, covered)


def test_dissolving_spares_the_middle_of_a_wide_crack() -> None:
    rng = np.random.default_rng(0)
    wide, hair = (raster.coverage(straight(width), Pixels((SIDE, SIDE), 1.0)) for width in (14.0, 1.0))
    kept, broken = (edges.dissolved(image, rng, amount=0.5, depth=1.0, scale=4.0) for image in (wide, hair))
    assert np.allclose(kept[:, SIDE // 2], 1)
    assert 0.2 < broken.sum() / hair.sum() < 0.8
    assert (kept <= wide + 1e-6).all() and (broken <= hair + 1e-6).all()


def test_the_lip_that_faces_the_light_is_bright() -> None:
    gray, crack = np.full((SIDE, SIDE, 3), 128, np.float32), raster.coverage(straight(6), Pixels((SIDE, SIDE), 1.0))
    values = {"strength": 0.5, "size": 1.5, "chipped": 0.0, "fresh": 0.0}
    lit = color.lit_lips(gray, crack, None, np.random.default_rng(0), light=0.0, **values)
    turned = color.lit_lips(gray, crack, None, np.random.default_rng(0), light=180.0, **values)
    left, right = lit[:, SIDE // 2 - 4].mean(), lit[:, SIDE // 2 + 3].mean()
    assert left > 130 > 126 > right
    assert turned[:, SIDE // 2 - 4].mean() < 126


def test_a_crack_is_seen_on_gravel() -> None:
    """However pale it is meant to be: a mask is of what can be seen."""
    rng = np.random.default_rng(0)
    gravel = np.repeat(150 + 35 * noise(rng, (SIDE, SIDE), 4.0)[..., None], 3, axis=2)
    plaster = np.repeat(150 + 2 * noise(rng, (SIDE, SIDE), 4.0)[..., None], 3, axis=2)

    def contrast(picture: NDArray[np.float32], visible: float) -> float:
        drawn, covered = cracked(picture, 5.0, darkness=0.05, deepening=0.0, texture=0.7, visible=visible)
        return float((picture - drawn)[covered > 0.9].mean())

    assert contrast(gravel, 1.0) > 20 and contrast(gravel, 1.0) > contrast(gravel, 0.0) + 8
    assert contrast(plaster, 1.0) == pytest.approx(contrast(plaster, 0.0), abs=3)


def ground(size: float, rms: float = 20.0) -> NDArray[np.float32]:
    """(256, 256, 3) a plain surface with grain of one size."""
    return np.repeat(150 + rms * noise(np.random.default_rng(1), (256, 256), size)[..., None], 3, axis=2)


def test_grain_is_measured_at_the_width_of_the_crack() -> None:
    """Fine grain is averaged away in a wide crack, and does not hide it. Hills wider than a crack do not, either."""

    def around(picture: NDArray[np.float32], width: float) -> float:
        covered = raster.coverage(straight(width, 256.0), Pixels((256, 256), 1.0))
        return float(grain(picture, covered, np.where(covered > 0, np.float32(width), 0))[:, 118:138].mean())

    fine, coarse, hills = ground(1.0), ground(6.0), ground(60.0)
    assert around(fine, 1.0) == pytest.approx(20, rel=0.15)
    assert around(fine, 4.0) < 0.35 * around(fine, 1.0)
    assert around(coarse, 4.0) > 0.6 * 20 and around(coarse, 1.0) < around(coarse, 4.0)
    assert around(hills, 1.0) < 3 and around(hills, 4.0) < 8
    assert around(ground(1.0, rms=5.0), 1.0) == pytest.approx(around(fine, 1.0) / 4, rel=0.05)


def test_a_crack_stands_out_by_its_contrast_over_the_grain() -> None:
    """As dark a crack is seen on fine plaster, and is lost on gravel, whose mean brightness is the same."""
    covered = raster.coverage(straight(3.0, 256.0), Pixels((256, 256), 1.0))
    width = np.where(covered > 0, np.float32(3), np.float32(0))
    found = {}
    for name, plain in (("plaster", ground(3.0, 6.0)), ("gravel", ground(3.0, 60.0))):
        drawn = plain - 20 * covered[..., None]
        contrast = standing_out(plain, drawn, covered, grain(plain, covered, width))
        found[name] = contrast[60:-60, 128].mean()
    assert found["plaster"] > 2 and found["gravel"] < 0.4
    assert found["plaster"] == pytest.approx(10 * found["gravel"], rel=0.1)


def test_the_core_of_a_wide_crack_is_nearly_black_and_its_rim_is_not() -> None:
    picture = np.full((SIDE, SIDE, 3), 200, np.float32)
    drawn, _ = cracked(picture, 12.0, darkness=0.15, deepening=0.6)
    across = drawn[10:-10].mean(axis=(0, 2))[SIDE // 2 - 6 : SIDE // 2]
    assert (np.diff(across) < 0).all() and across[0] > 90 and across[-1] < 20


def test_crumbs_are_pale_spots_in_a_dark_crack() -> None:
    picture = np.full((SIDE, SIDE, 3), 200, np.float32)
    without, some = (cracked(picture, 14.0, deepening=0.8, crumbs=share)[0][:, SIDE // 2] for share in (0.0, 0.3))
    paler = (some > without + 15).any(axis=-1).mean()
    assert 0.1 < paler < 0.5


@given(st.floats(1, 30), st.integers(20, 120), st.integers(0, 99))
def test_noise_has_unit_variance(scale: float, side: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert noise(rng, (side, 2 * side), scale).shape == (side, 2 * side)
    many = np.concatenate([noise(rng, (128, 128), scale).ravel() for _ in range(6)])
    assert abs(many.mean()) < 0.5 and 0.6 < many.std() < 1.4
    exact = normals(rng, 100, 200)
    assert abs(exact.mean()) < 0.05 and abs(exact.std() - 1) < 0.05


@given(st.floats(0.06, 15), st.floats(-360, 360), st.booleans(), st.floats(0, 1), st.integers(16, 900))
def test_a_piece_of_any_photograph_fills_the_picture(
    zoom: float, angle: float, mirrored: bool, x: float, side: int
) -> None:
    photograph = np.full((side, 16 + side // 3, 3), 90, np.uint8)
    piece = background.cut(photograph, (64, 80), x=x, y=1 - x, zoom=zoom, angle=angle, mirrored=mirrored)
    assert piece.shape == (64, 80, 3) and (piece == 90).all()


def relit(picture: NDArray[np.float32], **changes: float) -> NDArray[np.float32]:
    values = {"brightness": 1.0, "contrast": 1.0, "evening": 0.0, "chroma": 200.0, "slope": 0.0, "slope_angle": 0.0}
    return background.relit(picture, **{**values, **changes})


def lab(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.clip(picture, 0, 255) / np.float32(255), cv2.COLOR_RGB2LAB))


@given(st.floats(0, 60), st.integers(90, 190), st.integers(90, 190), st.integers(90, 190))
def test_colors_are_no_stronger_than_wanted(chroma: float, red: int, green: int, blue: int) -> None:
    picture = np.full((64, 64, 3), (red, green, blue), np.float32)
    before, after = (
        float(np.hypot(*lab(image)[0, 0, 1:])) for image in (relit(picture), relit(picture, chroma=chroma))
    )
    assert after <= 1.4 * chroma + 1 and after <= before + 1
    assert after >= 0.6 * min(chroma, before) - 1


def test_broad_changes_of_light_are_evened() -> None:
    rng = np.random.default_rng(0)
    fine = 8 * noise(rng, (256, 256), 3.0)
    blot = 60 * np.exp(-((np.mgrid[:256, :256] - 128) ** 2).sum(axis=0) / 2000).astype(np.float32)
    picture = np.repeat((120 + fine + blot)[..., None], 3, axis=2)

    def bands(image: NDArray[np.float32]) -> tuple[float, float]:
        broad = cv2.GaussianBlur(image[..., 0], (0, 0), 10)
        return float(broad.std()), float((image[..., 0] - broad).std())

    kept, evened = bands(relit(picture)), bands(relit(picture, evening=1.0))
    assert evened[0] < 0.35 * kept[0] and evened[1] > 0.8 * kept[1]


def test_sharpening_is_of_what_is_fine() -> None:
    picture = np.repeat((128 + 6 * noise(np.random.default_rng(0), (128, 128), 2.0))[..., None], 3, axis=2)
    still = {"exposure": 0.0, "white_balance": 6500.0, "vignette": 0.0, "blur": 0.0, "noise": 0.0, "jpeg": 0}
    soft, sharp = (
        camera.photographed(picture, np.random.default_rng(0), sharpening=share, **still) for share in (0.0, 1.0)
    )
    assert sharp.std() > 1.3 * soft.std() and sharp.mean() == pytest.approx(soft.mean(), abs=0.5)
    assert np.abs(soft - picture).max() <= 0.5 + 1e-3


# Photographs continued ---------------------------------------------------------------------------------------------


def grainy(side: int, size: float, seed: int = 0) -> NDArray[np.uint8]:
    grain = 130 + 25 * noise(np.random.default_rng(seed), (side, side), size)
    return np.clip(np.repeat(grain[..., None], 3, axis=2), 0, 255).astype(np.uint8)


def test_what_is_even_is_continued_at_its_own_scale() -> None:
    photograph = grainy(128, 4.0)
    assert unevenness(photograph.astype(np.float32)) < 0.2
    larger = continued(photograph, 384, np.random.default_rng(0))
    blown = cv2.resize(photograph, (384, 384), interpolation=cv2.INTER_CUBIC)
    fine, want, lost = (
        of_background(image[..., 0].astype(np.float32))["fine"] for image in (larger, photograph, blown)
    )
    assert larger.shape == (384, 384, 3) and larger.std() == pytest.approx(photograph.std(), rel=0.15)
    assert abs(fine - want) < 0.25 * want and lost < 0.5 * want


def test_seams_do_not_show() -> None:
    """Steps from pixel to pixel are no larger than the photograph's own."""
    photograph = grainy(128, 6.0)
    larger = continued(photograph, 384, np.random.default_rng(0)).astype(int)
    for axis in (0, 1):
        own = np.quantile(np.abs(np.diff(photograph.astype(int), axis=axis)), 0.99)
        # Patches begin at the same rows and columns: a seam would be a line of large steps.
        lines = np.abs(np.diff(larger[..., 0], axis=axis)).mean(axis=1 - axis)
        assert np.quantile(np.abs(np.diff(larger, axis=axis)), 0.99) < 1.4 * own
        assert lines.max() < 2 * np.median(lines)


def test_nothing_is_mirrored() -> None:
    larger = continued(grainy(128, 4.0), 384, np.random.default_rng(0))[..., 0].astype(float)
    for axis in (0, 1):
        for middle in range(96, 289, 4):
            near, far = (np.take(larger, range(*ends), axis) for ends in ((middle - 32, middle), (middle, middle + 32)))
            assert abs(np.corrcoef(near.ravel(), np.flip(far, axis).ravel())[0, 1]) < 0.6


def stony(side: int, seed: int = 0) -> NDArray[np.float32]:
    """(side, side) stones, light on dark ground."""
    rng = np.random.default_rng(seed)
    gray = 90 + 25 * normals(rng, side, side)
    for y, x in rng.integers(0, side, (side * side // 150, 2)):
        cv2.circle(gray, (int(x), int(y)), int(rng.integers(1, 5)), float(rng.uniform(110, 220)), -1, cv2.LINE_AA)
    return gray


def gray_photograph(gray: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.repeat(gray[..., None], 3, axis=2), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_stones_do_not_come_in_rows(seed: int) -> None:
    """A piece of it is there again not as often as it would be if the photograph were laid side by side with itself."""
    larger = continued(gray_photograph(stony(128, seed)), 512, np.random.default_rng(seed))[..., 0]
    again = []
    for y, x in np.random.default_rng(seed).integers(0, 512 - 24, (30, 2)):
        alike = cv2.matchTemplate(larger, larger[y : y + 24, x : x + 24], cv2.TM_CCOEFF_NORMED)
        peaks = (alike == cv2.dilate(alike, np.ones((15, 15)))) & (alike > 0.7)
        again.append(int(peaks.sum()) - 1)
    assert np.mean(again) < 0.75 * (512 / 128) ** 2


@pytest.mark.parametrize("quarters", range(4))
def test_light_falls_as_it_did(quarters: int) -> None:
    """Hills in raking light are bright on the same side of all patches."""

    def fall(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
        slopes = (cv2.Sobel(picture[..., 0].astype(np.float32), cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
        return np.array([(slope**3).mean() / (slope**2).mean() ** 1.5 for slope in slopes])

    hills = cv2.GaussianBlur(stony(128), (0, 0), 2)
    photograph = gray_photograph(np.rot90(130 + cv2.Sobel(hills, cv2.CV_32F, 1, 0), quarters))
    before, after = fall(photograph), fall(continued(photograph, 384, np.random.default_rng(0)))
    assert np.abs(before).max() > 0.4 and np.abs(before - after).max() < 0.25


def test_what_is_uneven_is_enlarged() -> None:
    """A painted line stays one line."""
    photograph = grainy(128, 2.0).astype(int) // 4
    photograph[:, 56:72] += 150
    larger = continued(photograph.astype(np.uint8), 384, np.random.default_rng(0))[..., 0]
    line = larger.mean(axis=0) > 100
    assert line[172:212].all() and not line[:160].any() and not line[224:].any()


@given(st.integers(16, 90), st.integers(16, 300), st.integers(32, 200))
@examples(max_examples=15)
def test_any_photograph_is_continued(rows: int, columns: int, side: int) -> None:
    photograph = surface(rows, (rows, columns))
    larger = continued(photograph, side, np.random.default_rng(1))
    short = min(rows, columns)
    assert abs(min(larger.shape[:2]) - min(side, 8 * short)) <= 1 and max(larger.shape) <= 2.1 * min(larger.shape[:2])
    assert np.array_equal(larger, continued(photograph, side, np.random.default_rng(1)))
    assert larger.mean() == pytest.approx(photograph.mean(), abs=6)


@pytest.mark.parametrize(("kelvin", "warmer"), [(5000.0, False), (6500.0, None), (9000.0, True)])
def test_white_balance_is_in_kelvin(kelvin: float, warmer: bool | None) -> None:
    still = {"exposure": 0.0, "vignette": 0.0, "blur": 0.0, "noise": 0.0, "sharpening": 0.0, "jpeg": 0}
    gray = np.full((8, 8, 3), 128, np.float32)
    pixels = camera.photographed(gray, np.random.default_rng(0), white_balance=kelvin, **still)  # type: ignore[arg-type]
    red, green, blue = pixels[0, 0].astype(int)
    assert abs(green - 128) <= 2
    assert red == blue == 128 if warmer is None else (red > green > blue if warmer else red < green < blue)
