"""Predictions at several sizes and from overlapping windows, and crops around cracks."""

from __future__ import annotations

import itertools
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from segment.config import ColorConfig, SegmentConfig
from segment.crops import Colors, Crops, blurred
from segment.inference import Inference, at_scales
from segment.task import Segmentation
from segment.windows import averaged, starts
from training.data.loader import RawBatch


@pytest.mark.parametrize(("length", "side"), [(10, 16), (16, 16), (17, 16), (40, 16), (100, 32), (5, 1)])
def test_windows_cover_everything_and_overlap_by_half(length: int, side: int) -> None:
    begins = starts(length, side)
    covered = {k for begin in begins for k in range(begin, min(begin + side, length))}
    assert covered == set(range(length)) and all(begin + side <= length for begin in begins if length >= side)
    assert all(b - a <= max(1, side // 2) for a, b in itertools.pairwise(begins))


@pytest.mark.parametrize("size", [(40, 70), (16, 90), (9, 8), (64, 64)])
def test_the_mean_over_windows_of_what_each_pixel_gives_is_what_it_gives(size: tuple[int, int]) -> None:
    images = torch.randn(2, 3, *size)
    assert torch.allclose(averaged(lambda x: x.mean(1), images, 16), images.mean(1), atol=1e-6)


@pytest.mark.parametrize(("side", "batches"), [(8, [4]), (256, [2, 2])])
def test_windows_are_averaged_where_they_overlap(side: int, batches: list[int]) -> None:
    """Each window gives its number, and small windows of two pictures are seen together."""
    seen: list[int] = []

    def network(windows: Tensor) -> Tensor:
        seen.append(len(windows))
        return windows.amax((1, 2, 3))[:, None, None].expand(windows[:, 0].shape)

    # The second window alone has the last column.
    images = torch.zeros(2, 3, side, side * 3 // 2)
    images[0, :, 0, 0], images[..., -1] = 1, 3
    images[1, :, 0, 0] = 5
    found = averaged(network, images, side)
    half = side // 2
    for picture, (one, two) in zip(found, ((1, 3), (5, 3)), strict=True):
        wanted = torch.tensor([one, (one + two) / 2, two]).repeat_interleave(half)
        assert torch.equal(picture, wanted.expand(side, -1))
    assert seen == batches


@pytest.mark.parametrize("side", [100, 101, 107, 128])
def test_logits_of_several_sizes_are_averaged_in_the_place_of_the_picture(side: int) -> None:
    sizes: list[int] = []

    def network(images: Tensor) -> Tensor:
        sizes.append(images.shape[-1])
        return images[:, 0] * len(sizes)

    # Each pixel has its own place, from left to right, so a shift shows in pixels.
    ramp = torch.arange(side).float().expand(2, 3, 20, side)
    found = at_scales(network, ramp, (1.0, 0.5, 0.7, 1.25))
    assert sizes == [side, *(round(scale * side) for scale in (0.5, 0.7, 1.25))]
    assert (found - 2.5 * ramp[:, 0])[..., 3:-3].abs().max() < 0.1


def test_windows_cover_each_of_several_sizes_of_many_classes() -> None:
    seen: list[tuple[int, ...]] = []

    def network(images: Tensor) -> Tensor:
        seen.append(tuple(images.shape[-2:]))
        return torch.stack([images.mean(1), images[:, 0], -images[:, 1]], 1)

    ramps = torch.linspace(0, 1, 90).expand(1, 3, 40, 90)
    found = Inference(window=32, scales=(0.5, 1.0)).logits(network, ramps)
    assert max(max(shape) for shape in seen) == 32 and (20, 32) in seen
    wanted = torch.stack([ramps[:, 0], ramps[:, 0], -ramps[:, 0]], 1)
    assert found.shape == (1, 3, 40, 90) and (found - wanted)[..., 3:-3].abs().max() < 0.01


def test_a_picture_of_one_pixel_is_seen_at_a_tenth() -> None:
    assert at_scales(lambda images: images[:, 0], torch.ones(1, 3, 1, 3), (0.1, 1.0)).tolist() == [[[1, 1, 1]]]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_crops_are_placed_around_cracks_as_often_as_asked(share: float) -> None:
    pixels = np.zeros((200, 300, 4), np.uint8)
    pixels[120, 250, 3] = 255
    rng = np.random.default_rng(0)
    crops = [Crops(32, 1.0, share)._crop(pixels, rng)[..., 3].any() for _ in range(60)]
    assert np.mean(crops) == 1 if share else np.mean(crops) < 0.3
    assert not Crops(32, 1.0, share)._crop(np.zeros_like(pixels), rng)[..., 3].any()


def test_without_the_share_the_crops_are_as_before() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 4), np.uint8)
    rng = np.random.default_rng(5)
    zoom, turn = 1.4 ** rng.uniform(-1, 1), int(rng.integers(8))
    side = min(round(32 / zoom), 60)
    top, left = int(rng.integers(60 - side + 1)), int(rng.integers(80 - side + 1))
    import cv2

    method = cv2.INTER_AREA if side > 32 else cv2.INTER_LINEAR
    wanted = cv2.resize(pixels[top : top + side, left : left + side], (32, 32), interpolation=method)
    wanted = np.rot90(wanted, turn % 4)
    wanted = wanted[:, ::-1] if turn >= 4 else wanted
    assert np.array_equal(Crops(32, 1.4)._crop(pixels, np.random.default_rng(5)), wanted)


@pytest.mark.parametrize(("classes", "upright", "turns"), [("crack", None, 8), ("all", None, 2), ("all", False, 8)])
def test_scenes_stay_upright_and_cracks_are_turned(classes: str, upright: bool | None, turns: int) -> None:
    augment = {"zoom": 1, "upright": upright}
    config = SegmentConfig(classes=classes, size=16, augment=augment, data={"source": [{"where": "set"}]})
    crops = cast(Crops, Segmentation().pipeline(config).collate)
    ground = np.zeros((16, 16, 4), np.uint8)
    ground[12:, :8] = 255
    rng = np.random.default_rng(0)
    found = np.unique([crops._crop(ground, rng) for _ in range(100)], axis=0)
    assert len(found) == turns
    assert bool(found[:, :12].any()) == (turns == 8)


def test_each_picture_is_blurred_by_its_own_gaussian() -> None:
    from scipy.ndimage import gaussian_filter

    images, sigmas = torch.rand(3, 3, 20, 24), torch.tensor([[0.0], [0.7], [2.0]])
    found = blurred(images, sigmas)
    assert torch.allclose(found[0], images[0], atol=1e-5)
    for k in (1, 2):
        wanted = gaussian_filter(images[k].numpy(), (0, *sigmas[k].tolist() * 2), mode="nearest", radius=(0, 6, 6))
        assert np.abs(found[k].numpy() - wanted).max() < 1e-4


def test_a_blur_changes_no_other_draw() -> None:
    raw = RawBatch(torch.full((2, 3, 9, 9), 90, dtype=torch.uint8), torch.zeros(2, 9, 9), torch.arange(2))
    plain, soft = (Colors(ColorConfig(blur=blur))(raw, torch.Generator().manual_seed(3))[0] for blur in (0.0, 1.0))
    assert torch.allclose(plain, soft, atol=1e-4)
