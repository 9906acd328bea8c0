"""The segmenter's losses in numbers worked out by hand: each term's value, and the gradient."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from segment.losses import (
    LOSSES,
    balanced,
    boundary,
    dice,
    dice_and_entropy,
    entropy,
    focal,
    lovasz,
    ohem,
    weighed,
    weighted_entropy,
)


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


@pytest.mark.parametrize(("chances", "masks"), CASES)
def test_each_entropy_is_that_of_its_formula(chances: list[float], masks: list[int]) -> None:
    logits, truth = logits_of(chances).reshape(1, 2, 2), torch.tensor(masks).double().reshape(1, 2, 2)
    right = [p if m else 1 - p for p, m in zip(chances, masks, strict=True)]
    share = sum(masks) / 4
    assert entropy(logits, truth).item() == pytest.approx(by_hand(chances, masks)[0])
    assert dice(logits, truth).item() == pytest.approx(by_hand(chances, masks)[1])
    weighted = [-(1 - share if m else share) * math.log(p) for p, m in zip(right, masks, strict=True)]
    assert balanced(logits, truth).item() == pytest.approx(sum(weighted) / 4)
    focused = [-(0.25 if m else 0.75) * (1 - p) ** 2 * math.log(p) for p, m in zip(right, masks, strict=True)]
    assert focal(logits, truth).item() == pytest.approx(sum(focused) / 4)
    hard = [-math.log(p) for p in right if p <= 0.7] or [-math.log(min(right))]
    assert ohem(logits, truth).item() == pytest.approx(sum(hard) / len(hard))
    weights = torch.tensor([0.0, 1, 0.5, 0]).double().reshape(1, 2, 2)
    wanted = -(math.log(right[1]) + 0.5 * math.log(right[2])) / 4
    assert weighted_entropy(logits, truth, weights).item() == pytest.approx(wanted)


def test_the_hardest_pixels_are_kept_even_if_all_are_sure() -> None:
    """SENSE's `ProbOhemCrossEntropy2d`: the threshold rises to the probability of the k-th hardest pixel."""
    chances = [0.99 - 0.001 * k for k in range(32)]
    found = ohem(logits_of(chances).reshape(1, 4, 8), torch.ones(1, 4, 8).double(), kept=1 / 8)
    assert found.item() == pytest.approx(-sum(math.log(p) for p in sorted(chances)[:4]) / 4)


def lovasz_by_hand(logits: list[float], masks: list[int]) -> float:
    """The Lovasz extension of 1 - IoU at the hinge errors: each error times what missing its pixel too costs."""
    errors = sorted(((1 - z * (2 * m - 1), m) for z, m in zip(logits, masks, strict=True)), reverse=True)
    cracks = sum(masks)

    def cost(count: int) -> float:
        missed = sum(m for _, m in errors[:count])
        return 1 - (cracks - missed) / (cracks + count - missed) if count else 0.0

    costs = [cost(count) for count in range(len(errors) + 1)]
    return sum(max(0.0, e) * (b - a) for (e, _), (a, b) in zip(errors, pairwise(costs), strict=True))


@pytest.mark.parametrize("masks", [[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]])
def test_lovasz_is_the_extension_of_the_iou(masks: list[int]) -> None:
    logits = [0.3, -1.7, 0.9, 2.1, -0.2, -3.0]
    found = lovasz(torch.tensor(logits).reshape(1, 2, 3), torch.tensor(masks).float().reshape(1, 2, 3))
    assert found.item() == pytest.approx(lovasz_by_hand(logits, masks), rel=1e-5)


def test_the_boundary_loss_is_probability_times_signed_distance() -> None:
    mask = np.zeros((5, 7), bool)
    mask[1:4, 2:4] = True
    p = np.random.default_rng(0).random((5, 7))
    total = 0.0
    for place in np.ndindex(5, 7):
        others = np.argwhere(mask != mask[place])
        distance = float(np.hypot(*(others - place).T).min()) - 0.5
        total += p[place] * (-distance if mask[place] else distance)
    logits = torch.from_numpy(np.log(p / (1 - p)))[None]
    assert boundary(logits, torch.from_numpy(mask)[None].double()).item() == pytest.approx(total / 35, rel=1e-5)
    assert boundary(logits, torch.zeros(1, 5, 7)).item() == pytest.approx(p.mean())


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_each_loss_has_a_finite_gradient_and_falls_along_it(name: str, share: float) -> None:
    torch.manual_seed(0)
    logits, masks = torch.randn(2, 8, 8, requires_grad=True), (torch.rand(2, 8, 8) < share).float()
    before = LOSSES[name](logits, masks)
    (gradient,) = torch.autograd.grad(before, logits)
    assert before.shape == () and gradient.isfinite().all()
    assert LOSSES[name](logits - 1e-2 * gradient, masks) <= before


def test_a_config_weighs_losses_by_name() -> None:
    logits, masks = torch.randn(1, 4, 4), torch.eye(4)[None]
    found = weighed({"dice": 2.0, "focal": 0.5})(logits, masks)
    assert found.item() == pytest.approx((2 * dice(logits, masks) + 0.5 * focal(logits, masks)).item())
