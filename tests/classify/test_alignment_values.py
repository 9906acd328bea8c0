"""What methods that align domains share, in numbers worked out by hand: values and gradients."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from classify.methods.alignment import (
    FACTORS,
    Aligning,
    Contested,
    certainty_weights,
    discriminator,
    gaussians,
    mean_discrepancy,
    outputs,
    ramp,
    reverse,
    squared_distances,
)
from classify.network import Output
from tests.moons import mlp

# Kernels -----------------------------------------------------------------------------------------------------------


def test_squared_distances_and_their_gradient() -> None:
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]], requires_grad=True)
    found = squared_distances(rows)
    torch.testing.assert_close(found, torch.tensor([[0.0, 25, 1], [25, 0, 18], [1, 18, 0]]), rtol=1e-6, atol=1e-5)
    # Of |a - b|² the gradient is 2 (a - b) for a, and its opposite for b.
    (gradient,) = torch.autograd.grad(found[0, 1], rows)
    torch.testing.assert_close(gradient, torch.tensor([[-6.0, -8], [6, 8], [0, 0]]), rtol=1e-5, atol=1e-5)


def test_distances_far_from_the_origin_are_those_near_it() -> None:
    near = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    torch.testing.assert_close(squared_distances(near + 2.0**14), squared_distances(near), rtol=1e-5, atol=1e-4)


def test_no_distance_is_negative() -> None:
    rows = 1e3 * torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert squared_distances(torch.cat([rows, rows])).min() == 0


def test_a_kernel_by_hand() -> None:
    """Of two points 2 apart the mean squared distance is (0 + 4 + 4 + 0) / 4 = 2, the exponent 4 / (2 a 2) = 1 / a."""
    kernel = gaussians(torch.tensor([[0.0], [2.0]]), (1.0, 0.5))
    near, far = 2.0, math.exp(-1) + math.exp(-2)
    torch.testing.assert_close(kernel, torch.tensor([[near, far], [far, near]]))
    # The five usual widths.
    assert FACTORS == (0.125, 0.25, 0.5, 1.0, 2.0)
    usual = gaussians(torch.tensor([[0.0], [2.0]]))
    assert usual[0, 1].item() == pytest.approx(sum(math.exp(-1 / factor) for factor in FACTORS), rel=1e-5)
    assert usual[0, 0].item() == 5


def test_the_kernels_width_follows_the_batch_but_has_no_gradient() -> None:
    rows = torch.tensor([[0.0], [2.0]], requires_grad=True)
    for scale in (1.0, 100.0):
        torch.testing.assert_close(gaussians(scale * rows), gaussians(rows))
    # d/dx of exp(-(x - y)² / 4) at x = 0, y = 2 is exp(-1) (y - x) / 2; with the width's own gradient it would be 0.
    (gradient,) = torch.autograd.grad(gaussians(rows, (1.0,))[0, 1], rows)
    torch.testing.assert_close(gradient, math.exp(-1) * torch.tensor([[1.0], [-1.0]]))
    assert gaussians(torch.zeros(3, 2)).tolist() == [[5.0] * 3] * 3


def test_the_discrepancy_of_a_kernel_by_hand() -> None:
    kernel = torch.tensor(
        [
            [9.0, 1, 2, 3, 4],
            [1, 9, 5, 6, 7],
            [2, 5, 9, 8, 10],
            [3, 6, 8, 9, 12],
            [4, 7, 10, 12, 9],
        ]
    )
    ours, theirs, between = 1.0, (8 + 10 + 12) / 3, (2 + 3 + 4 + 5 + 6 + 7) / 6
    assert mean_discrepancy(kernel, 2).item() == pytest.approx(ours + theirs - 2 * between)


def test_the_discrepancys_gradient_brings_domains_together() -> None:
    source = torch.tensor([[0.0], [1.0]])
    for shift in (2.0, -2.0):
        target = (source + shift).requires_grad_()
        loss = mean_discrepancy(gaussians(torch.cat([source, target])), 2)
        loss.backward()
        assert loss > 0.2
        assert target.grad is not None and target.grad.sum() * shift > 1


# Weights, ramp, reversal -------------------------------------------------------------------------------------------


def test_certainty_weights_by_hand() -> None:
    """One plus exp(-entropy): 2 for what is sure, 1.5 between two classes; scaled to mean one, without gradient."""
    given = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.9, 0.1]], requires_grad=True)
    doubt = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
    raw = torch.tensor([2.0, 1.5, 1 + math.exp(-doubt)])
    found = certainty_weights(given)
    torch.testing.assert_close(found, raw / raw.mean(), rtol=1e-4, atol=1e-5)
    assert found.mean().item() == pytest.approx(1) and not found.requires_grad
    # What a class without any probability adds is small, not infinite.
    exact = -(1 * math.log(1 + 1e-5) + 0 * math.log(1e-5))
    two = 1 + math.exp(-exact) + 1 + math.exp(math.log(0.5 + 1e-5))
    assert found[:2].sum().item() / found[0].item() == pytest.approx(two / (1 + math.exp(-exact)), rel=1e-6)


@pytest.mark.parametrize(
    ("progress", "high", "steepness", "wanted"),
    [(0.0, 1.0, 10.0, 0.0), (0.1, 1.0, 10.0, math.tanh(0.5)), (0.5, 1.0, 10.0, math.tanh(2.5)),
     (0.5, 0.3, 4.0, 0.3 * math.tanh(1.0)), (1.0, 2.0, 1.0, 2 * math.tanh(0.5))],
)  # fmt: skip
def test_the_ramp_is_a_hyperbolic_tangent(progress: float, high: float, steepness: float, wanted: float) -> None:
    """high (2 / (1 + exp(-s p)) - 1) = high tanh(s p / 2)."""
    assert ramp(progress, high, steepness) == pytest.approx(wanted)
    if (high, steepness) == (1.0, 10.0):
        assert ramp(progress) == pytest.approx(wanted)


def test_the_reversal_is_of_the_gradient_alone() -> None:
    features = torch.tensor([1.0, -2.0, 3.0], requires_grad=True)
    turned = reverse(features, 0.5)
    assert torch.equal(turned, features)
    (gradient,) = torch.autograd.grad((turned * torch.tensor([1.0, 2, 3])).sum(), features)
    assert gradient.tolist() == [-0.5, -1.0, -1.5]


# Modules -----------------------------------------------------------------------------------------------------------


def test_the_discriminator_has_three_layers_normalized_between() -> None:
    network = discriminator(6, 4)
    assert [type(layer).__name__ for layer in network] == [
        "Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear",
    ]  # fmt: skip
    assert [tuple(layer.weight.shape) for layer in network if isinstance(layer, nn.Linear)] == [(4, 6), (4, 4), (1, 4)]
    assert network(torch.randn(5, 6)).shape == (5, 1)


class Gap(Aligning):
    """The distance between the domains' mean features, and a note of what it was given."""

    def transfer(self, source: Output, target: Output, progress: float) -> Tensor:
        self.given = (source, target, progress)
        return (source.features.mean(0) - target.features.mean(0)).square().sum()


def batches(n: int = 5, m: int = 3) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(2)
    source = SimpleNamespace(images=torch.randn(n, 2, generator=generator), targets=torch.arange(n) % 2)
    return source, SimpleNamespace(images=torch.randn(m, 2, generator=generator))


def test_losses_are_cross_entropy_on_the_source_and_the_term_times_its_weight() -> None:
    torch.manual_seed(0)
    network = mlp(8).eval()
    source, target = batches()
    for settings, weight in (({}, 1.0), ({"trade_off": 0.25}, 0.25)):
        method = Gap(network, 2, Gap.Settings(**settings))
        losses = method.losses(source, target, 0.7)
        ours, theirs = network(source.images), network(target.images)
        log = ours.logits.log_softmax(1)
        wanted = -sum(log[k, label] for k, label in enumerate(source.targets.tolist())) / 5
        gap = (ours.features.mean(0) - theirs.features.mean(0)).square().sum()
        assert set(losses) == {"source", "transfer"}
        torch.testing.assert_close(losses["source"], wanted)
        torch.testing.assert_close(losses["transfer"], weight * gap)
        assert method.given[2] == 0.7
        torch.testing.assert_close(method.given[0].features, ours.features)
        torch.testing.assert_close(method.given[1].logits, theirs.logits)


@pytest.mark.parametrize("how", ["together", "apart"])
def test_each_domain_gets_its_own_rows(how: Any) -> None:
    torch.manual_seed(0)
    network = mlp(8).eval()
    source, target = batches(4, 7)
    ours, theirs = outputs(network, source.images, target.images, how)
    for found, images in ((ours, source.images), (theirs, target.images)):
        torch.testing.assert_close(found.features, network(images).features)
        torch.testing.assert_close(found.logits, network(images).logits)


@pytest.mark.parametrize("how", ["together", "apart"])
def test_a_batch_is_normalized_over_both_domains_or_over_each(how: Any) -> None:
    torch.manual_seed(0)
    layer = nn.BatchNorm1d(2, affine=False)
    source, target = torch.randn(40, 2) - 5, torch.randn(40, 2) + 5

    def network(images: Tensor) -> Output:
        features = layer(images)
        return Output(features, features)

    ours, theirs = outputs(network, source, target, how)  # type: ignore[arg-type]
    means = [float(found.features.mean()) for found in (ours, theirs)]
    assert means == pytest.approx([0, 0] if how == "apart" else [-1, 1], abs=0.05)


class Rivals(Contested):
    """Heads that tell what they were made of."""

    @staticmethod
    def layers(width: int, hidden: int, classes: int, dropout: float) -> nn.Module:
        head = nn.Linear(width, classes)
        head.made_of = (width, hidden, classes, dropout)  # type: ignore[assignment]
        return head


def test_both_heads_are_of_the_same_layers() -> None:
    network = mlp(8)
    width = network.width
    method = Rivals(network, 3, Rivals.Settings())
    assert network.head.made_of == method.rival.made_of == (width, 1024, 3, 0.5)
    assert network.head is not method.rival
    method = Rivals(mlp(8), 3, Rivals.Settings(hidden=7, dropout=0.0))
    assert method.rival.made_of == (width, 7, 3, 0.0)


def test_without_hidden_layers_the_rival_is_linear_and_the_head_stays() -> None:
    network = mlp(8)
    head = network.head
    method = Rivals(network, 3, Rivals.Settings(hidden=0))
    assert network.head is head
    assert type(method.rival) is nn.Linear and not hasattr(method.rival, "made_of")
    assert (method.rival.in_features, method.rival.out_features) == (network.width, 3)


@pytest.mark.parametrize(("field", "value"), [("dropout", 1.0), ("dropout", -0.1), ("hidden", -1), ("trade_off", -1.0)])
def test_settings_have_limits(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        Rivals.Settings(**{field: value})
