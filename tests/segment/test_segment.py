"""Crack segmentation: the network, its crops, its loss and the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segment.config import AugmentConfig
from segment.crops import Colors, Crops, Plain
from segment.datasets import LabeledPictures
from segment.levels import MEAN, SPREAD
from segment.losses import dice_and_entropy
from segment.metrics import THRESHOLDS, score
from segment.sets import Picture, PictureSet
from segment.unet import UNet
from training.data.loader import Loader


def _line(seed: int, side: int = 64) -> Picture:
    """A dark line on a gray noisy ground."""
    rng = np.random.default_rng(seed)
    rows = np.arange(side)
    at = rng.uniform(20, 44) + np.cumsum(rng.normal(0, 0.5, side))
    mask = np.abs(np.arange(side)[None] - at[rows][:, None]) < 2
    gray = np.where(mask, 60, 150) + rng.normal(0, 8, (side, side))
    return Picture(str(seed), np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, 2), mask)


@pytest.mark.parametrize("size", [(64, 64), (50, 71)])
def test_the_network_takes_any_size(size: tuple[int, int]) -> None:
    assert UNet(width=4, depth=3)(torch.rand(2, 3, *size)).shape == (2, *size)


def _loader(pictures: list[Picture], size: int, batch: int, seed: int) -> Loader[LabeledPictures]:
    drawn = PictureSet("lines", True, tuple(p.name for p in pictures), (), lambda k: pictures[k], "")
    entries = tuple((drawn, k) for k in range(len(pictures)))
    return Loader(LabeledPictures("lines", entries), batch, Crops(size, 1.4), seed=seed, workers=0)


def _batch(pictures: list[Picture], size: int, batch: int, seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    raw = next(_loader(pictures, size, batch, seed).batches(step))
    return Colors(AugmentConfig())(raw, torch.Generator().manual_seed(seed + step))


def test_crops_are_decided_by_seed_and_step() -> None:
    pictures = [_line(k) for k in range(3)]
    images, masks = _batch(pictures, 32, 4, 1, 7)
    again, other, next_one = (_batch(pictures, 32, 4, seed, step) for seed, step in ((1, 7), (2, 7), (1, 8)))
    assert images.shape == (4, 3, 32, 32) and masks.shape == (4, 32, 32) and set(masks.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(images, again[0]) and torch.equal(masks, again[1])
    assert not torch.equal(images, other[0]) and not torch.equal(images, next_one[0])


def test_the_mask_stays_on_the_crack_in_every_crop() -> None:
    images, masks = _batch([_line(k) for k in range(3)], 48, 64, 0, 0)
    for image, mask in zip(images.mean(1), masks, strict=True):
        if mask.any() and not mask.all():
            assert image[mask > 0].mean() < image[mask == 0].mean()
    assert masks.any(2).any(1).float().mean() > 0.8


def test_a_crop_without_chance_is_the_middle_as_it_is() -> None:
    picture = _line(0)
    (raw,) = _loader([picture], 32, 1, 0).once()
    assert np.array_equal(raw.images[0].permute(1, 2, 0).numpy(), picture.rgb[16:48, 16:48])
    assert np.array_equal(raw.targets[0].numpy() > 0, picture.mask[16:48, 16:48])
    images, _ = Plain()(raw, torch.Generator())
    assert torch.allclose(images, (raw.images / 255 - MEAN) / SPREAD)
    still = AugmentConfig(brightness=0, contrast=0, gray=0, gamma=0)
    assert torch.allclose(Colors(still)(raw, torch.Generator())[0], images, atol=1e-5)


def test_a_perfect_answer_costs_nothing_and_the_opposite_much() -> None:
    masks = (torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    assert dice_and_entropy((masks - 0.5) * 60, masks) < 1e-3 < 1.5 < dice_and_entropy((0.5 - masks) * 60, masks)


def test_metrics_count_pixels_as_by_hand() -> None:
    mask = np.zeros((20, 20), bool)
    mask[:, 10] = True
    probability = np.zeros((20, 20), np.float32)
    probability[:, 12] = 0.6  # two pixels beside: within tolerance, not exact
    probability[:10, 10] = 0.9
    scores = score([(probability, mask)])
    half = int(np.abs(THRESHOLDS - 0.5).argmin())
    high = int(np.abs(THRESHOLDS - 0.8).argmin())
    assert scores.iou()[half] == pytest.approx(10 / 40) and scores.iou()[high] == pytest.approx(10 / 20)
    assert scores.f1()[half] == pytest.approx(20 / 50)
    assert scores.tolerant_f1()[half] == 1
    recall = (10 + 2) / 20  # two more rows lie within 2 px of the line's end
    assert scores.tolerant_f1()[high] == pytest.approx(2 * recall / (1 + recall))
    assert scores.ois() == 1


def test_nothing_found_and_nothing_there_are_zero_not_errors() -> None:
    empty, full = np.zeros((8, 8), bool), np.ones((8, 8), bool)
    scores = score([(np.zeros((8, 8), np.float32), full), (np.zeros((8, 8), np.float32), empty)])
    assert scores.iou().max() == scores.f1().max() == scores.tolerant_f1().max() == 0
    assert scores.ois() == 0
    assert np.isnan(score([(np.zeros((8, 8), np.float32), empty)]).ois())
