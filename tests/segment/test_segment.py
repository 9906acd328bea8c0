"""Crack segmentation: the network, its crops, its training and the metrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scenes.errors import InputError
from segment.crops import Crops
from segment.metrics import THRESHOLDS, score
from segment.sets import Picture
from segment.training import Schedule, dice_and_entropy, probabilities, train
from segment.unet import UNet


def _line(seed: int, side: int = 64) -> Picture:
    """A dark line on a grey noisy ground."""
    rng = np.random.default_rng(seed)
    rows = np.arange(side)
    at = rng.uniform(20, 44) + np.cumsum(rng.normal(0, 0.5, side))
    mask = np.abs(np.arange(side)[None] - at[rows][:, None]) < 2
    grey = np.where(mask, 60, 150) + rng.normal(0, 8, (side, side))
    return Picture(str(seed), np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, 2), mask)


@pytest.mark.parametrize("size", [(64, 64), (50, 71)])
def test_the_network_takes_any_size(size: tuple[int, int]) -> None:
    assert UNet(width=4, depth=3)(torch.rand(2, 3, *size)).shape == (2, *size)


def test_crops_are_decided_by_seed_and_step() -> None:
    pictures = [_line(k) for k in range(3)]
    crops, again, other = (Crops(pictures, 32, 4, seed) for seed in (1, 1, 2))
    images, masks = crops(7)
    crops(8)
    assert images.shape == (4, 3, 32, 32) and masks.shape == (4, 32, 32) and set(masks.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(images, again(7)[0]) and torch.equal(masks, again(7)[1])
    assert not torch.equal(images, other(7)[0]) and not torch.equal(images, crops(8)[0])


def test_the_mask_stays_on_the_crack_in_every_crop() -> None:
    images, masks = Crops([_line(k) for k in range(3)], 48, 64, 0)(0)
    for image, mask in zip(images.mean(1), masks, strict=True):
        if mask.any() and not mask.all():
            assert image[mask > 0].mean() < image[mask == 0].mean()
    assert masks.any(2).any(1).float().mean() > 0.8


def test_pictures_without_masks_are_refused() -> None:
    with pytest.raises(InputError, match="picture a: has no mask"):
        Crops([Picture("a", np.zeros((64, 64, 3), np.uint8), None)], 32, 1, 0)


def test_a_perfect_answer_costs_nothing_and_the_opposite_much() -> None:
    masks = (torch.rand(2, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.2).float()
    assert dice_and_entropy((masks - 0.5) * 60, masks) < 1e-3 < 1.5 < dice_and_entropy((0.5 - masks) * 60, masks)


def test_training_finds_lines_it_has_not_seen_and_repeats_itself() -> None:
    def trained() -> UNet:
        torch.manual_seed(0)
        network = UNet(width=4, depth=2)
        train(network, Crops([_line(k) for k in range(6)], 48, 8, 0), Schedule(60, warmup=5))
        return network

    network = trained()
    new = [_line(k) for k in range(100, 104)]
    scores = score((probabilities(network, p.rgb), p.mask) for p in new if p.mask is not None)
    assert scores.iou()[24] > 0.7
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), trained().parameters(), strict=True))


def test_the_rate_warms_up_and_falls_to_zero() -> None:
    schedule = Schedule(iterations=100, warmup=10)
    rates = [schedule.at(step) for step in range(101)]
    assert rates[0] == 0.1 and max(rates) == rates[9] == rates[10] == 1 and rates[100] == 0


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
