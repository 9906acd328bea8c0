"""Methods that align domains: their losses against the reference's, their traps, and two moons."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from classify.methods import afn, alignment, cdan, coral, dan, dann, jan, mcc, mcd, mdd
from classify.methods.adabn import AdaBN
from classify.methods.alignment import Aligning, ramp, reverse
from classify.methods.base import Method
from classify.methods.catalogue import METHODS
from classify.network import Network, Output
from scenes.errors import InputError
from tests.moons import OptimizerStep, accuracy, mlp, moons, passes_over, train
from training.method import Batch, FullPass, Unlabeled
from training.norms import adopt_statistics, drawn, normalizations

GOLDEN = json.loads((Path(__file__).parent / "golden_losses.json").read_text())
INPUTS = {name: torch.tensor(rows) for name, rows in GOLDEN["inputs"].items()}
ALIGNING = ["dann", "cdan", "cdan+e", "mcd", "mdd", "dan", "jan", "afn", "mcc", "coral"]
SMALL: dict[str, dict[str, Any]] = {
    "dann": {"hidden": 16},
    "cdan": {"hidden": 16},
    "cdan+e": {"hidden": 16},
    "mcd": {"hidden": 16},
    "mdd": {"hidden": 16},
}
Given = dict[str, Tensor]


def small(name: str, **changes: Any) -> Method:
    """A method on a small network with a batch-normalized bottleneck, in `train` mode."""
    torch.manual_seed(5)
    kind = METHODS[name]
    return kind(mlp(16, bottleneck=8), 2, kind.Settings(**{**SMALL.get(name, {}), **changes})).train()


def batch(n: int = 8, m: int = 8, seed: int = 0) -> tuple[Batch, Unlabeled]:
    points, labels = moons(seed, points=n)
    turned, _ = moons(seed + 1, 35.0, points=m)
    return Batch(points, labels, torch.arange(n)), Unlabeled(turned, turned, torch.arange(m))


# The losses, and the reference's numbers.


def judged(x: Given, joined: Tensor, weight: str) -> Tensor:
    return joined @ INPUTS[weight].T + INPUTS["bias"]


def features(x: Given) -> Tensor:
    return torch.cat([x["source_features"], x["target_features"]])


def probabilities(x: Given) -> Tensor:
    return torch.cat([x["source_logits"], x["target_logits"]]).softmax(1).detach()


def dann_loss(x: Given) -> Tensor:
    verdicts = judged(x, features(x), "discriminator_weight")
    return dann.domain_loss(verdicts[:6], verdicts[6:])


def cdan_loss(x: Given, entropy: bool = False) -> Tensor:
    weights = alignment.certainty_weights(probabilities(x)) if entropy else None
    verdicts = judged(x, cdan.product(features(x), probabilities(x)), "joint_weight")
    return cdan.conditional_loss(verdicts, 6, weights)


def random_loss(x: Given) -> Tensor:
    randomized = cdan.Randomized(5, 4, 3)
    randomized.of_features, randomized.of_classes = INPUTS["of_features"], INPUTS["of_classes"]
    return cdan.conditional_loss(judged(x, randomized(features(x), probabilities(x)), "random_weight"), 6)


def jan_loss(x: Given) -> Tensor:
    outputs = (Output(x[f"{domain}_features"], x[f"{domain}_logits"]) for domain in ("source", "target"))
    return jan.joint_discrepancy(*outputs, alignment.FACTORS, 0.92)


# The reference adds 2 / (n - 1) to its discrepancies, which makes them no estimate of what they are named after.
EXTRA = 2 / 5
LOSSES: dict[str, Callable[[Given], Tensor]] = {
    "dann": dann_loss,
    "cdan": cdan_loss,
    "cdan+e": lambda x: cdan_loss(x, entropy=True),
    "cdan randomized": random_loss,
    "mcd discrepancy": lambda x: mcd.classifier_discrepancy(
        x["target_logits"].softmax(1), x["target_rival"].softmax(1)
    ),
    "mcd balance": lambda x: mcd.imbalance(x["target_logits"].softmax(1)),
    "mdd": lambda x: mdd.margin_disparity(
        x["source_logits"], x["source_rival"], x["target_logits"], x["target_rival"], 4.0
    ),
    "dan": lambda x: dan.discrepancy(x["source_features"], x["target_features"]) + EXTRA,
    "jan": lambda x: jan_loss(x) + EXTRA,
    "afn": lambda x: afn.norm_step(x["source_features"], 1.0) + afn.norm_step(x["target_features"], 1.0),
    "mcc": lambda x: mcc.class_confusion(x["target_logits"], 2.5),
    "coral": lambda x: coral.moment_distance(x["source_features"], x["target_features"]),
}


def test_every_golden_loss_is_compared() -> None:
    assert set(LOSSES) == set(GOLDEN["losses"])


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_are_the_references(name: str) -> None:
    given = {key: value.clone().requires_grad_() for key, value in INPUTS.items()}
    loss = LOSSES[name](given)
    loss.backward()
    golden = GOLDEN["losses"][name]
    assert loss.item() == pytest.approx(golden["value"], rel=2e-6, abs=1e-6)
    gradients = {key: value.grad for key, value in given.items() if value.grad is not None}
    assert set(gradients) == set(golden["gradients"])
    for key, expected in golden["gradients"].items():
        torch.testing.assert_close(gradients[key], torch.tensor(expected), rtol=2e-5, atol=2e-7)


# Kernels.


def test_discrepancy_of_one_distribution_is_zero_on_average() -> None:
    generator = torch.Generator().manual_seed(1)
    same = [dan.discrepancy(*torch.randn(2, 24, 3, generator=generator)).item() for _ in range(200)]
    apart = torch.randn(2, 24, 3, generator=generator)
    apart[0] += 1.0
    assert abs(fmean(same)) < 0.02
    assert min(same) < 0 < max(same)
    assert dan.discrepancy(*apart) > 0.3


def test_distances_far_from_the_origin_are_exact() -> None:
    points = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    expected = torch.cdist(points.double(), points.double()).square()
    far = alignment.squared_distances(points + 100.0)
    torch.testing.assert_close(far.double(), expected, rtol=0, atol=2e-4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(alignment.squared_distances(points), alignment.squared_distances(points.clone()))
        torch.testing.assert_close(alignment.squared_distances(points).double(), expected, rtol=0, atol=1e-5)


def test_equal_features_give_finite_gradients() -> None:
    same = torch.ones(4, 3, requires_grad=True)
    loss = dan.discrepancy(same, same) + afn.norm_step(same * 0, 1.0) + coral.moment_distance(same, same)
    loss.backward()
    assert same.grad is not None and torch.isfinite(same.grad).all()


# The gradient's reversal.


def test_ramp_starts_at_zero_rises_each_iteration_and_reaches_one() -> None:
    iterations = 1000
    strengths = [ramp(step / (iterations - 1)) for step in range(iterations)]
    assert strengths[0] == 0.0
    assert all(later > earlier for earlier, later in pairwise(strengths))
    assert strengths[-1] == pytest.approx(1.0, abs=1e-4)


def test_ramp_is_the_references() -> None:
    for iteration, strength in GOLDEN["reversal"]:
        assert ramp(iteration / 5000, high=0.1, steepness=5.0) == pytest.approx(strength, rel=1e-6, abs=1e-9)


def test_reversal_keeps_the_value_and_turns_the_gradient() -> None:
    features = torch.randn(3, 2, requires_grad=True)
    turned = reverse(features, 0.25)
    assert torch.equal(turned, features)
    turned.backward(torch.ones(3, 2))
    assert torch.equal(features.grad, torch.full((3, 2), -0.25))


def gradient(method: Aligning, progress: float, of: nn.Module) -> Tensor:
    """Of the transfer term alone."""
    source, target = batch()
    method.zero_grad()
    method.losses(source, target, progress)["transfer"].backward()
    return torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in of.parameters()])


@pytest.mark.parametrize("name", ["dann", "cdan", "mdd"])
def test_adversary_learns_at_full_strength_and_features_by_progress(name: str) -> None:
    method = small(name, **({"dropout": 0.0} if name == "mdd" else {}))
    adversary = method.rival if name == "mdd" else method.discriminator
    high = 0.1 if name == "mdd" else 1.0
    if name == "mdd":
        # Its first weights are so small that what they send back would drown in rounding.
        nn.utils.vector_to_parameters(
            20 * nn.utils.parameters_to_vector(adversary.parameters()), adversary.parameters()
        )
    backbone = method.network.backbone
    full = gradient(method, 1.0, backbone)
    assert full.norm() > 1e-3
    assert gradient(method, 0.0, backbone).norm() == 0
    for progress in (0.0, 0.5, 1.0):
        torch.testing.assert_close(gradient(method, progress, adversary), gradient(method, 1.0, adversary))
        expected = full * ramp(progress, high) / ramp(1.0, high)
        torch.testing.assert_close(gradient(method, progress, backbone), expected, rtol=1e-4, atol=1e-6)
    # The unreversed term's gradient, to tell a reversal from a factor.
    source, target = batch()
    for step, sign in ((1e-3, 1), (-1e-3, -1)):
        method.zero_grad()
        before = method.losses(source, target, 1.0)["transfer"]
        direction = full / full.norm()
        vector = nn.utils.parameters_to_vector(backbone.parameters()).detach()
        nn.utils.vector_to_parameters(vector - step * direction, backbone.parameters())
        after = method.losses(source, target, 1.0)["transfer"]
        nn.utils.vector_to_parameters(vector, backbone.parameters())
        assert sign * (after - before) > 0, "features move against the adversary"


def test_mdd_leaves_the_classifier_alone() -> None:
    method = small("mdd")
    assert gradient(method, 1.0, method.network.head).norm() == 0
    assert gradient(method, 1.0, method.rival).norm() > 0


# Batch normalization.


class Counting(nn.Module):
    """FullPass on, and keeps the sizes of the batches it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return images


@pytest.mark.parametrize("name", ALIGNING)
@pytest.mark.parametrize("how", ["together", "apart"])
def test_domains_are_normalized_as_set(name: str, how: str) -> None:
    method = small(name, batch_norm=how)
    seen = Counting()
    method.network.backbone = nn.Sequential(seen, method.network.backbone)
    source, target = batch(8, 6)
    terms = method.losses(source, target, 0.5) if name != "mcd" else method.terms(source, target)
    assert seen.sizes == ([14] if how == "together" else [8, 6])
    assert all(torch.isfinite(term) for term in terms.values())


def test_statistics_are_of_both_domains_or_of_each() -> None:
    network = mlp(16, bottleneck=8).train()
    source, target = batch()
    shifted = target.images + 5.0
    moved = {}
    for how in ("together", "apart"):
        alone = network(source.images).features
        ours, theirs = alignment.outputs(network, source.images, shifted, how)
        moved[how] = (ours.features - alone).abs().max().item()
        assert ours.features.shape == theirs.features.shape == (8, 8)
    assert moved["together"] > 0.1
    assert moved["apart"] < 1e-6


# CDAN at random.


def test_random_product_has_the_full_products_scale_and_resumes() -> None:
    torch.manual_seed(0)
    randomized = cdan.Randomized(6, 3, 4096)
    features, chances = torch.randn(2, 4, 6)[0], torch.rand(4, 3).softmax(1)
    full, random = cdan.product(features, chances), randomized(features, chances)
    assert full.shape == (4, 18) and random.shape == (4, 4096)
    # Inner products are kept in expectation.
    torch.testing.assert_close(random @ random.T, full @ full.T, rtol=0.2, atol=0.25)
    method = small("cdan", randomized=True, randomized_size=32)
    assert {"randomized.of_features", "randomized.of_classes"} <= set(method.state_dict())
    assert not any("of_" in name for name, _ in method.named_parameters())
    assert method.discriminator[0].in_features == 32


def test_certain_pictures_weigh_more() -> None:
    weights = alignment.certainty_weights(torch.tensor([[1.0, 0.0], [0.5, 0.5]]))
    assert weights[0] / weights[1] == pytest.approx(2.0 / 1.5, rel=1e-3)
    assert weights.mean() == pytest.approx(1.0)


# MCD's three steps.


def test_mcd_moves_each_part_in_its_steps_and_no_other() -> None:
    method = small("mcd", dropout=0.0, balance=0.01)
    source, target = batch(32, 32)
    descend, taken = OptimizerStep(method, 1e-3), []

    def watched(loss: Tensor, only: Collection[str] | None = None) -> None:
        before = {name: [p.detach().clone() for p in group] for name, group in method.groups().items()}
        distance = method.terms(source, target)["discrepancy"].item()
        descend(loss, only)
        moved = {
            name
            for name, group in method.groups().items()
            if any(not torch.equal(p, q) for p, q in zip(group, before[name], strict=True))
        }
        taken.append((moved, method.terms(source, target)["discrepancy"].item() - distance))

    terms = method.update(source, target, 0.0, watched)
    heads, features = {"head"}, {"backbone", "bottleneck"}
    assert [moved for moved, _ in taken] == [heads | features, heads, *[features] * 4]
    assert taken[1][1] > 0, "B drives the heads apart"
    assert all(change < 0 for _, change in taken[2:]), "C draws them together"
    assert set(terms) == {"source", "balance", "discrepancy"}
    assert not any(term.requires_grad for term in terms.values())


def test_groups_hold_every_parameter_once() -> None:
    for name in METHODS:
        method = METHODS[name](mlp(8, batch_norm=True, bottleneck=4), 2)
        grouped = [id(p) for group in method.groups().values() for p in group]
        trained = {id(p) for p in method.parameters() if p.requires_grad}
        assert len(grouped) == len(set(grouped))
        assert trained <= set(grouped), name


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("dann", {"hidden": 0}),
        ("dann", {"batch_norm": "alone"}),
        ("mcc", {"temperature": 0.0}),
        ("mcd", {"dropout": 1.0}),
        ("dan", {"factors": ()}),
        ("mdd", {"margn": 4}),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        METHODS[name].Settings(**wrong)


def test_linear_heads_keep_the_networks_own() -> None:
    network = mlp(8)
    head = network.head
    for name in ("mdd", "mcd"):
        METHODS[name](network, 2, METHODS[name].Settings(hidden=0))
        assert network.head is head


# AdaBN.


def test_adabn_takes_on_the_targets_statistics_though_its_classes_are_sorted() -> None:
    torch.manual_seed(0)
    network = mlp(16, batch_norm=True, bottleneck=8).train()
    points, labels = moons(3, 35.0)
    points = (points * 3 + 1)[labels.argsort()]
    # One batch of everything normalizes by that batch: what the statistics should become.
    with torch.no_grad():
        whole = network(points).features
    off = {}
    for how in ("mixed", "sorted"):
        adopt_statistics(network, drawn(points.split(50), 1000) if how == "mixed" else points)
        with torch.no_grad():
            off[how] = ((network.eval()(points).features - whole).norm() / whole.norm()).item()
    assert len(normalizations(network)) == 2
    assert all(layer.momentum == 0.1 for layer in normalizations(network))
    assert off["mixed"] < 0.05 < off["sorted"]


def test_adabn_draws_evenly_and_the_same_again() -> None:
    rows = torch.arange(400.0)[:, None]
    some = drawn(rows.split(30), 100)
    assert torch.equal(some, drawn(rows.split(7), 100))
    assert len(some.unique()) == 100
    assert some.mean() == pytest.approx(200, abs=30)
    assert torch.equal(drawn(rows.split(30), 1000).sort(0).values, rows)


def test_adabn_leaves_weights_and_affine_part_alone() -> None:
    method = AdaBN(mlp(16, batch_norm=True), 2).train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    source, labels = moons(1)
    target, _ = moons(2, 35.0)
    method.finish(passes_over(source, labels, target + 2))
    changed = {name for name, value in method.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {
        f"network.backbone.1.{which}" for which in ("running_mean", "running_var", "num_batches_tracked")
    }
    assert method.training


def test_adabn_refuses_a_network_without_batch_norm() -> None:
    with pytest.raises(InputError, match=r"adabn.*resnet"):
        AdaBN(mlp(8), 2)


# What holds of all.


def tiny_cnn() -> Network:
    layers = [nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return Network(nn.Sequential(*layers), 8, 3, bottleneck=8)


@pytest.mark.parametrize("name", ["source", *ALIGNING, "adabn"])
def test_one_epoch_on_pictures_then_resume(name: str) -> None:
    """Two steps, a round trip of the state, two steps: the same weights as four steps."""
    kind = METHODS[name]
    settings = kind.Settings(**{**SMALL.get(name, {}), **({"dropout": 0.0} if name in ("mcd", "mdd") else {})})
    pictures = torch.randn(32, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(16) % 3

    def step(method: Method, descend: OptimizerStep, number: int) -> None:
        some = torch.arange(4 * number, 4 * number + 4)
        theirs = pictures[16:][some]
        terms = method.update(
            Batch(pictures[some], labels[some], some), Unlabeled(theirs, theirs, some), number / 3, descend
        )
        assert all(torch.isfinite(term) and not term.requires_grad for term in terms.values())

    torch.manual_seed(0)
    straight = kind(tiny_cnn(), 3, settings).train()
    descend = OptimizerStep(straight)
    for number in range(2):
        step(straight, descend, number)
    torch.manual_seed(99)
    resumed = kind(tiny_cnn(), 3, settings).train()
    resumed.load_state_dict(straight.state_dict())
    descended = OptimizerStep(resumed)
    for group in descend.optimizers:
        descended.optimizers[group].load_state_dict(deepcopy(descend.optimizers[group].state_dict()))
    for number in (2, 3):
        step(straight, descend, number)
        step(resumed, descended, number)
    passes = FullPass(
        lambda: [Batch(pictures[:16], labels, torch.arange(16))],
        lambda: [Unlabeled(pictures[16:], pictures[16:], torch.arange(16))],
    )
    for method in (straight, resumed):
        method.finish(passes)
        method.eval()
    assert torch.equal(straight.predict(pictures), resumed.predict(pictures))
    assert straight.predict(pictures).shape == (32, 3)


# Two moons.


def test_dan_turns_the_moons() -> None:
    """One seed; what the mean over five must reach is asked below. Without adapting it is 0.72."""
    assert accuracy(train(METHODS["dan"], 0)) > 0.9


def test_adabn_undoes_what_scales_and_shifts() -> None:
    method = train(Method, 0, degrees=0.0, iterations=300, network=mlp(batch_norm=True))
    points, labels = moons(9)
    moved = points * 2 + 3

    def share_right() -> float:
        return float((method.predict(moved).argmax(1) == labels).float().mean())

    before = share_right()
    adopt_statistics(method.network, drawn(moved.split(50), 1000))
    assert before < 0.8
    assert share_right() > 0.94


def test_coral_brings_moments_and_afn_norms_together() -> None:
    source, target = (moons(seed, degrees)[0] for seed, degrees in ((11, 0.0), (12, 35.0)))
    apart, norms = {}, {}
    for name in ("source", "coral", "afn"):
        settings = coral.CORAL.Settings(trade_off=30.0) if name == "coral" else None
        network = train(METHODS[name], 0, settings, iterations=250).network
        with torch.no_grad():
            ours, theirs = network(source).features, network(target).features
        apart[name] = coral.moment_distance(ours, theirs).item()
        norms[name] = min(ours.norm(dim=1).mean().item(), theirs.norm(dim=1).mean().item())
    assert apart["coral"] < 0.1 * apart["source"]
    assert norms["afn"] > 2 * norms["source"]


# Sizes for 64 features in place of the images' thousands; dropout hides what so few points say.
MOONS: dict[str, dict[str, Any]] = {
    "dann": {"hidden": 64},
    "cdan": {"hidden": 64},
    "cdan+e": {"hidden": 64},
    "mcd": {"hidden": 64, "dropout": 0.0},
    "mdd": {"hidden": 64, "dropout": 0.0},
}


def accuracies(name: str, degrees: float, **network: bool) -> list[float]:
    """Of five seeds."""
    kind = METHODS[name]
    settings = kind.Settings(**MOONS.get(name, {}))
    trained = (train(kind, seed, settings, degrees=degrees, network=mlp(**network)) for seed in range(5))
    return [accuracy(method, degrees) for method in trained]


def mean_accuracy(name: str, degrees: float, **network: bool) -> float:
    return fmean(accuracies(name, degrees, **network))


@pytest.fixture(scope="module")
def source_only() -> float:
    return mean_accuracy("source", 35.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dann", "cdan", "cdan+e", "mcd", "mdd", "jan", "mcc"])
def test_mean_over_seeds_is_above_source_only(name: str, source_only: float) -> None:
    """Those whose papers bound the target's error; equal moments (CORAL) and norms (AFN) say nothing of a rotation."""
    assert mean_accuracy(name, 35.0) > source_only


@pytest.mark.slow
def test_dan_turns_with_the_moons(source_only: float) -> None:
    """About one network in five comes to match the wrong ends of the moons, with the reference's discrepancy too: it
    stays where the source alone left it. The others turn."""
    found = accuracies("dan", 35.0)
    assert median(found) > 0.94 and fmean(found) > source_only


@pytest.mark.slow
def test_adabn_is_above_source_only_on_turned_moons() -> None:
    assert mean_accuracy("adabn", 35.0, batch_norm=True) > mean_accuracy("source", 35.0, batch_norm=True)


def test_moons_turn_about_their_center() -> None:
    straight, turned = moons(4)[0], moons(4, 180.0)[0]
    assert moons(4)[0].shape == (500, 2)
    torch.testing.assert_close(straight + turned, torch.tensor([1.0, 0.5]).expand(500, 2))
