"""The segmenter's loss in numbers worked out by hand: each term's value, and the gradient."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from segment.losses import dice_and_entropy


def by_hand(chances: list[float], masks: list[int]) -> tuple[float, float]:
    """Binary cross-entropy and 1 - (2 sum p m + 1) / (sum p + sum m + 1), in plain arithmetic."""
    entropy = -sum(math.log(p) if m else math.log(1 - p) for p, m in zip(chances, masks, strict=True)) / len(chances)
    overlap = sum(p * m for p, m in zip(chances, masks, strict=True))
    return entropy, 1 - (2 * overlap + 1) / (sum(chances) + sum(masks) + 1)


def logits_of(chances: list[float]) -> Tensor:
    p = torch.tensor(chances, dtype=torch.float64)
    return torch.log(p / (1 - p))


CASES = [
    ([0.5, 0.5, 0.5, 0.5], [1, 0, 0, 0]),
    ([0.9, 0.2, 0.1, 0.7], [1, 0, 0, 1]),
    ([0.9, 0.2, 0.1, 0.7], [0, 1, 1, 0]),
    ([0.25, 0.75, 0.5, 0.125], [0, 0, 0, 0]),
    ([0.25, 0.75, 0.5, 0.125], [1, 1, 1, 1]),
]


@pytest.mark.parametrize(("chances", "masks"), CASES)
def test_the_loss_is_entropy_plus_dice(chances: list[float], masks: list[int]) -> None:
    found = dice_and_entropy(logits_of(chances).reshape(1, 2, 2), torch.tensor(masks).double().reshape(1, 2, 2))
    assert found.shape == ()
    assert found.item() == pytest.approx(sum(by_hand(chances, masks)), rel=1e-9)


def test_a_case_in_numbers() -> None:
    """Half a chance everywhere, one of four pixels crack: ln 2, and 1 - (2 * 0.5 + 1) / (2 + 1 + 1) = 0.5."""
    masks = torch.tensor([[[1.0, 0], [0, 0]]])
    assert dice_and_entropy(torch.zeros(1, 2, 2), masks).item() == pytest.approx(math.log(2) + 0.5)
    # An answer that is sure and right where there is no crack costs nothing: the ones keep 0/0 away.
    assert dice_and_entropy(torch.full((1, 2, 2), -50.0), torch.zeros(1, 2, 2)).item() == pytest.approx(0, abs=1e-6)


def test_dice_is_over_the_batch_and_entropy_over_pixels() -> None:
    """Two pictures count as one of twice the size, so one without a crack does not count as much as another."""
    chances, masks = [0.9, 0.2, 0.1, 0.7, 0.3, 0.2, 0.1, 0.1], [1, 0, 0, 1, 0, 0, 0, 0]
    found = dice_and_entropy(logits_of(chances).reshape(2, 2, 2), torch.tensor(masks).double().reshape(2, 2, 2))
    assert found.item() == pytest.approx(sum(by_hand(chances, masks)), rel=1e-9)


@pytest.mark.parametrize(("chances", "masks"), CASES)
def test_the_gradient_is_that_of_both_terms(chances: list[float], masks: list[int]) -> None:
    """d entropy / d logit = (p - m) / n; d dice / d p = (2 overlap + 1 - 2 m total) / total², times p (1 - p)."""
    logits = logits_of(chances).reshape(1, 2, 2).requires_grad_()
    dice_and_entropy(logits, torch.tensor(masks).double().reshape(1, 2, 2)).backward()
    overlap = 2 * sum(p * m for p, m in zip(chances, masks, strict=True)) + 1
    total = sum(chances) + sum(masks) + 1
    wanted = [
        (p - m) / 4 + (overlap - 2 * m * total) / total**2 * p * (1 - p) for p, m in zip(chances, masks, strict=True)
    ]
    assert logits.grad is not None
    assert logits.grad.ravel().tolist() == pytest.approx(wanted, rel=1e-9)
