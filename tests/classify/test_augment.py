"""Augmentations against Pillow, and what their draws depend on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageFilter

from classify import augment
from classify.augment import MEAN, STD, Augment
from scenes.errors import InputError

SIDE = 48


def photos(count: int, height: int = SIDE, width: int = SIDE, seed: int = 0) -> np.ndarray:
    """(count, height, width, 3) uint8: soft shapes under noise, all levels from 0 to 255 among them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 7, 3), dtype=np.uint8)
    soft = [np.asarray(Image.fromarray(c).resize((width, height), Image.Resampling.BICUBIC)) for c in coarse]
    return (np.stack(soft).astype(int) + rng.integers(-25, 26, (count, height, width, 3))).clip(0, 255).astype(np.uint8)


def planes(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()


def levels(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).numpy()


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def undone(images: torch.Tensor) -> torch.Tensor:
    """Levels 0 to 255 of normalized images."""
    mean, std = (torch.tensor(c).view(3, 1, 1) for c in (MEAN, STD))
    return (images * std + mean) * 255


def each(pictures: np.ndarray, amounts: torch.Tensor, change) -> np.ndarray:
    made = [np.asarray(change(Image.fromarray(p), float(a))) for p, a in zip(pictures, amounts.flatten(), strict=True)]
    return np.stack(made).astype(float)


def turned(image: Image.Image, shift: float) -> Image.Image:
    """torchvision's adjust_hue for Pillow images."""
    hue, saturation, value = image.convert("HSV").split()
    steps = ((np.asarray(hue).astype(int) + int(shift * 255)) % 256).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(steps), saturation, value)).convert("RGB")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (augment.brightness, ImageEnhance.Brightness),
        (augment.contrast, ImageEnhance.Contrast),
        (augment.saturation, ImageEnhance.Color),
    ],
)
def test_enhancements_are_pillows_to_the_level(ours, theirs):
    pictures = photos(9)
    factors = torch.linspace(0.6, 1.4, 9).view(-1, 1, 1, 1)
    made = levels(ours(planes(pictures).float(), factors))
    wanted = each(pictures, factors, lambda image, factor: theirs(image).enhance(factor))
    assert np.array_equal(made, wanted)
    assert not np.array_equal(made, pictures)


def test_grayscale_is_pillows_to_the_level():
    pictures = photos(4)
    wanted = each(pictures, torch.zeros(4), lambda image, _: image.convert("L"))
    assert np.array_equal(augment.grayscale(planes(pictures).float())[:, 0].numpy(), wanted)


def test_hue_is_pillows_in_nearly_all_pixels():
    pictures = np.random.default_rng(1).integers(0, 256, (6, 100, 100, 3), dtype=np.uint8)
    shifts = torch.linspace(-0.1, 0.1, 6).view(-1, 1, 1, 1)
    off = np.abs(levels(augment.hue(planes(pictures).float(), shifts)) - each(pictures, shifts, turned))
    assert (off > 1).any(-1).mean() < 3e-3
    assert off.max() <= 6
    assert np.abs(each(pictures, shifts, turned) - pictures).max() > 50


def test_blur_is_pillows():
    pictures = photos(12)
    radii = torch.linspace(0.1, 2.0, 12)
    off = levels(augment.blur(planes(pictures).float(), radii)) - each(
        pictures, radii, lambda image, radius: image.filter(ImageFilter.GaussianBlur(radius))
    )
    inner = off[:, 7:-7, 7:-7]
    assert (np.abs(inner) > 1).mean() < 0.03 and np.abs(inner).max() <= 3 and abs(inner.mean()) < 0.02
    assert np.abs(off).max() <= 8


@given(st.floats(0.01, 8.0))
def test_blur_kernels_keep_levels_and_have_the_radius(radius):
    kernel = augment.blur_kernels(torch.tensor([radius]))[0]
    places = torch.arange(len(kernel)) - len(kernel) // 2
    assert torch.allclose(kernel.sum(), torch.tensor(1.0, dtype=torch.float64))
    assert torch.allclose(kernel, kernel.flip(0))
    assert math.isclose(float((kernel * places**2).sum()), radius**2, rel_tol=1e-6)


@pytest.mark.parametrize("sides", [(30, 30), (61, 45), (45, 80)])
@pytest.mark.parametrize("short", [20, 45, 96])
def test_resize_is_torchvisions_of_pillow_images(sides, short):
    pictures = photos(2, *sides)
    made = augment.resize(planes(pictures), short)
    scale = short / min(sides)
    wide, high = (int(s * scale + 1e-9) if s != min(sides) else short for s in (sides[1], sides[0]))
    wanted = each(pictures, torch.zeros(2), lambda image, _: image.resize((wide, high), Image.Resampling.BILINEAR))
    assert made.shape == (2, 3, high, wide)
    assert np.abs(levels(made) - wanted).max() <= 1


def test_none_is_resize_and_center_crop():
    pictures = photos(3, 90, 70)
    images = Augment("none", 56)(planes(pictures), seeded(0))

    def change(image: Image.Image, _: float) -> Image.Image:
        resized = image.resize((64, int(64 * 90 / 70)), Image.Resampling.BILINEAR)
        top, left = round((resized.height - 56) / 2), round((resized.width - 56) / 2)
        return resized.crop((left, top, left + 56, top + 56))

    wanted = each(pictures, torch.zeros(3), change)
    assert images.shape == (3, 3, 56, 56) and images.dtype == torch.float32
    assert np.abs(levels(undone(images)) - wanted).max() < 1.01


def test_the_sizes_of_the_facts():
    assert [Augment("weak", size).resized for size in (224, 96, 64)] == [256, 110, 73]


def test_weak_cuts_out_windows_and_mirrors_half_of_them():
    grid = torch.arange(64 * 64).view(64, 64)
    coded = torch.stack([grid // 64 * 3, grid % 64 * 3, torch.zeros_like(grid)]).to(torch.uint8)
    images = undone(Augment("weak", 56)(coded.expand(600, -1, -1, -1), seeded(3))).round().int() // 3
    tops, lefts, rights = images[:, 0, 0, 0], images[:, 1, 0, 0], images[:, 1, 0, -1]
    mirrored = lefts > rights
    corners = torch.where(mirrored, rights, lefts)
    assert 0.42 < mirrored.float().mean() < 0.58
    for starts in (tops, corners):
        assert set(starts.tolist()) == set(range(9))
    straight = images[~mirrored][0]
    assert torch.equal(straight[1, 0], torch.arange(56) + straight[1, 0, 0])


def test_random_resized_crops_have_torchvisions_distribution():
    boxes = augment.resized_crops(augment._draw(20_000, seeded(0)), 256, 256).double()
    top, left, height, width = boxes.unbind(1)
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 256).all() and (left + width <= 256).all()
    area, ratio = height * width / 256**2, width / height
    assert 0.075 < area.min() < 0.1 and area.max() > 0.97
    assert 0.72 < ratio.min() < 0.78 and 1.28 < ratio.max() < 1.4
    # Uniform areas in [0.08, 1], of which those near 1 are refused when the ratio is far from 1.
    assert abs(area[area < 0.5].mean() - 0.29) < 0.01
    assert abs(ratio.log().mean()) < 0.01


def test_a_picture_too_long_for_any_try_gives_its_middle():
    boxes = augment.resized_crops(augment._draw(50, seeded(0)), 10, 1000)
    whole = (boxes[:, 2] == 10) & (boxes[:, 3] == round(10 * 4 / 3))
    assert whole.any()
    assert (boxes[whole][:, 1] == (1000 - 13) // 2).any()


def test_strong_does_what_it_says_as_often_as_it_says():
    count = 1500
    pictures = planes(photos(1, 40, 40)).expand(count, -1, -1, -1)
    images = undone(Augment("strong", 32)(pictures, seeded(1))).round()
    assert images.min() >= 0 and images.max() <= 255
    gray = (images.amax(1) - images.amin(1)).flatten(1).amax(1) < 1e-3
    assert abs(gray.float().mean() - 0.2) < 0.03
    draws = augment._draw(count, seeded(1))
    plain = (draws.jitter >= 0.8).flatten() & (draws.gray >= 0.2).flatten() & (draws.blur >= 0.5).flatten()
    assert abs(plain.float().mean() - 0.2 * 0.8 * 0.5) < 0.02
    boxes = augment.resized_crops(draws, 40, 40)
    cut = augment.cut(pictures, boxes, 32, draws.flip < 0.5)
    same = (images - cut).abs().flatten(1).amax(1) < 0.01
    assert same[plain].all()
    assert same[(draws.jitter < 0.8).flatten()].float().mean() < 0.02


def test_jitter_takes_its_turns_in_the_drawn_order():
    pictures = photos(40)
    images, draws = planes(pictures).float(), augment._draw(40, seeded(5))
    augment._color(images, draws._replace(gray=torch.ones(40, 1)))
    for number in range(40):
        image = Image.fromarray(pictures[number])
        b, c, s, h = (2 * draws.factors[number] - 1).tolist()
        changes = [
            lambda i, b=b: ImageEnhance.Brightness(i).enhance(1 + 0.4 * b),
            lambda i, c=c: ImageEnhance.Contrast(i).enhance(1 + 0.4 * c),
            lambda i, s=s: ImageEnhance.Color(i).enhance(1 + 0.2 * s),
            lambda i, h=h: turned(i, 0.1 * h),
        ]
        if draws.jitter[number] < 0.8:
            for kind in draws.order[number].argsort().tolist():
                image = changes[kind](image)
        # A hue that is a step off is spread by what comes after it.
        assert (np.abs(levels(images[number][None])[0] - np.asarray(image)) <= 2).mean() > 0.98


@pytest.mark.parametrize("kind", ["none", "weak", "strong"])
def test_the_generator_alone_decides(kind):
    pictures = planes(photos(7))
    made = Augment(kind, 32)
    first, again, other = (made(pictures, seeded(s)) for s in (4, 4, 5))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (kind == "none")
    # A picture's draws do not depend on the pictures after it.
    assert torch.allclose(made(pictures[:3], seeded(4)), first[:3], atol=1e-6)


@pytest.mark.parametrize("kind", ["none", "weak", "strong"])
def test_the_pictures_given_are_left_alone(kind):
    pictures = planes(photos(3))
    before = pictures.clone()
    Augment(kind, 32, resized=SIDE)(pictures, seeded(0))
    assert torch.equal(pictures, before)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["none", "weak", "strong"])
def test_an_accelerator_makes_the_same_pictures(kind):
    pictures = planes(photos(16))
    made = Augment(kind, 32)
    off = (undone(made(pictures.cuda(), seeded(0)).cpu()) - undone(made(pictures, seeded(0)))).abs()
    assert off.max() < 8 and (off > 1.01).float().mean() < 0.01


def test_bad_settings_are_refused():
    with pytest.raises(InputError, match="resized: 50 is less than the size, 64"):
        Augment("weak", 64, resized=50)
    with pytest.raises(ValueError, match="no augmentation is called 'stong'"):
        Augment("stong", 64)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["none", "weak", "strong"])
def test_mixed_precision_around_it_changes_nothing(kind: str) -> None:
    pictures = planes(photos(24))
    plain = Augment(kind, 42)(pictures, seeded(3))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Augment(kind, 42)(pictures, seeded(3)), plain)
