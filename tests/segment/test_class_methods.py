"""The methods and losses with five classes: each term in numbers, against a slow and obvious reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from segment.config import SegmentConfig
from segment.ignored import IGNORED
from segment.load import make_method
from segment.losses import CLASS_LOSSES, LOSSES
from segment.methods.catalogue import METHODS
from segment.methods.dacs import class_mixed
from segment.methods.daformer import feature_distance
from segment.methods.fda import charbonnier_entropy
from segment.methods.mean_teacher import disagreement
from segment.methods.pseudo import pseudo_labels
from segment.methods.sense import SENSE, assigned, assigned_classes
from segment.methods.supervised import Supervised
from training.method import Batch, Unlabeled
from training.optimizer import OptimizerStep, optimizer

N = 5


def batch(seed: int = 0, count: int = 4, side: int = 32) -> tuple[Batch, Unlabeled]:
    """Stripes in five colors on a noisy ground; some pixels count nowhere. The target is brighter."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.zeros(count, side, side, dtype=torch.int64)
    for k in range(count):
        for number in range(1, N):
            labels[k, :, 6 * number - 2 + k : 6 * number + 1 + k] = number
    colors = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
    images = colors[labels].movedim(3, 1) * 2 + 0.2 * torch.randn(count, 3, side, side, generator=generator)
    labels[:, :2] = IGNORED
    places = torch.arange(count)
    return Batch(images, labels, places), Unlabeled(images.flip(3) + 0.2, images.flip(3) + 0.3, places)


def method_of(name: str, **settings: Any) -> Supervised:
    torch.manual_seed(0)
    config = SegmentConfig(
        data={"source": [{"where": "scenes"}]}, width=4, depth=2, size=32, method=name, classes="all",
        settings={name: settings},
    )  # fmt: skip
    return make_method(config, classes=N)


@pytest.mark.parametrize("name", METHODS)
def test_each_method_learns_five_classes_and_resumes_from_its_state(name: str) -> None:
    method = method_of(name)
    descend = OptimizerStep(optimizer(method.groups(), "adamw", lr=1e-2))
    told = []
    for step in range(8):
        torch.manual_seed(step)
        method.train()
        terms = method.update(*batch(step), step / 7, descend)
        told.append({term: value.item() for term, value in terms.items()})
    assert told[-1]["source"] < told[0]["source"] and all(math.isfinite(v) for terms in told for v in terms.values())
    assert not any(p.requires_grad and p.grad is None for group in method.groups().values() for p in group)
    again = method_of(name)
    again.load_state_dict(method.state_dict())
    images = batch(9)[1].images
    with torch.no_grad():
        found = method.eval().predict(images)
        assert found.shape == (4, N, 32, 32) and torch.equal(found, again.eval().predict(images))


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def test_labels_of_the_network_are_its_likeliest_classes() -> None:
    logits = torch.randn(2, N, 6, 7, generator=torch.Generator().manual_seed(0)) * 2
    chances = softmax(logits.double().numpy())
    labels, weights = pseudo_labels(logits, 0.6)
    assert np.array_equal(labels.numpy(), chances.argmax(1)) and np.array_equal(weights.numpy(), chances.max(1) >= 0.6)
    other = torch.randn(2, N, 6, 7)
    wanted = ((chances - softmax(other.double().numpy())) ** 2).mean()
    assert disagreement(logits, other).item() == pytest.approx(wanted, rel=1e-5)
    shares = -(chances * np.log(chances)).sum(1) / math.log(N)
    assert charbonnier_entropy(logits).item() == pytest.approx(((shares**2 + 1e-8) ** 2).mean(), rel=1e-5)
    assert charbonnier_entropy(torch.zeros(1, N, 2, 2)).item() == pytest.approx(1, rel=1e-5)


def test_half_of_the_classes_of_each_picture_are_pasted_and_no_ignored_pixel() -> None:
    source, target = batch()
    torch.manual_seed(3)
    images, area = class_mixed(source.images, source.targets, target.strong)
    assert not area[source.targets == IGNORED].any()
    for inside, labels, mixed, old, new in zip(area, source.targets, images, target.strong, source.images, strict=True):
        taken = set(labels[inside].unique().tolist())
        assert len(taken) == 3 and not taken & set(labels[~inside].unique().tolist())
        assert torch.equal(mixed[:, inside], new[:, inside]) and torch.equal(mixed[:, ~inside], old[:, ~inside])
    choices = {tuple(class_mixed(source.images, source.targets, target.strong)[1][0, 9].tolist()) for _ in range(60)}
    assert len(choices) == 10  # all triples of five classes


def test_the_distance_of_features_counts_places_that_one_class_fills() -> None:
    features, initial = torch.randn(1, 3, 2, 2), torch.randn(1, 3, 2, 2)
    masks = torch.zeros(1, 2, 4, 4)
    masks[0, 0, :2, :2] = 1
    masks[0, 0, 2:, 2:3] = 1  # both classes have half of the last place
    masks[0, 1, 2:, 3:] = 1
    apart = (features - initial).norm(dim=1)[0]
    assert feature_distance(features, initial, masks, 0.75).item() == pytest.approx(apart[0, 0].item())


def test_assigned_classes_agree_with_plain_arithmetic_and_with_those_of_cracks() -> None:
    logits = torch.randn(N, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    shares = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.05], dtype=torch.float64)
    table = softmax(logits.numpy().T).T ** (1 / 0.5)
    for _ in range(3):
        table = table / table.sum(1, keepdims=True) * shares.numpy()[:, None]
        table = table / table.sum(0, keepdims=True)
    assert assigned_classes(logits, shares, 0.5, 3).numpy() == pytest.approx(table, rel=1e-9)
    many = assigned_classes(logits, shares, 0.5, 200)
    assert many.mean(1).numpy() == pytest.approx(shares.numpy(), rel=1e-3)
    two = torch.stack([torch.zeros(40, dtype=torch.float64), logits[0]])
    pair = assigned_classes(two, torch.tensor([0.7, 0.3], dtype=torch.float64))
    assert torch.allclose(pair[1], assigned(logits[0], 0.3))
    without = assigned_classes(logits, torch.tensor([0.5, 0.5, 0, 0, 0], dtype=torch.float64))
    assert without.isfinite().all() and (without[2:] < 1e-3).all()


def authors_assignments(scores: Tensor, tau: float = 0.05) -> Tensor:
    """SENSE's assignment of pixels (p, k), rewritten: all classes get the same share (sense_dpt.py)."""
    table = (scores / tau).exp().T
    table = table / table.sum()
    for _ in range(3):
        table = table / table.sum(1, keepdim=True) / len(table)
        table = table / table.sum(0, keepdim=True) / len(scores)
    return (table * len(scores)).T


def test_sense_assigns_all_pixels_so_that_sure_ones_keep_their_class() -> None:
    """Two classes are seen. A third is seen nowhere, and a single pixel that does not count may be of it."""
    chances = torch.full((N, 4, 5), 1e-3, dtype=torch.float64)
    chances[0, :2], chances[1, 2:] = 0.98, 0.97
    chances[:, 0, 0] = torch.tensor([0.4, 0.2, 0.2, 0.1, 0.1])
    taught, ours = chances.log()[None].float(), torch.randn(1, N, 4, 5, generator=torch.Generator().manual_seed(2))
    method = method_of("sense", labels="uniform")
    assert isinstance(method, SENSE)
    found = method._class_costs(ours, taught)[0]
    labels = authors_assignments(taught[0].double().log_softmax(0).flatten(1).T).view(4, 5, N).movedim(2, 0)
    wanted = -(labels * ours[0].double().log_softmax(0)).sum(0)
    assert found.tolist() == [pytest.approx(row, rel=1e-4) for row in wanted.tolist()]
    plain = torch.nn.functional.cross_entropy(ours, taught.argmax(1), reduction="none")[0]
    assert found.flatten()[1:].tolist() == pytest.approx(plain.flatten()[1:].tolist(), rel=1e-3)


def test_sense_counts_the_classes_of_its_source_and_only_sure_pixels() -> None:
    method = method_of("sense", labels="source", threshold=0.9)
    assert isinstance(method, SENSE)
    source, target = batch()
    torch.manual_seed(4)
    terms = method.train().losses(source, target, 0.0)
    assert method.share.tolist() == [(source.targets == k).sum().item() for k in range(N)]
    assert terms["consistency"].item() == 0  # no pixel of a network that has learned nothing is sure
    taught, ours = (6 * torch.randn(2, N, 4, 4) for _ in range(2))
    found = method._class_costs(ours, taught).flatten()
    labels = assigned_classes(taught.movedim(1, 0).flatten(1), method.share / method.share.sum())
    wanted = -(labels.double().numpy() * np.log(softmax(ours.movedim(1, -1).flatten(0, 2).double().numpy())).T).sum(0)
    assert found.tolist() == pytest.approx(wanted.tolist(), rel=1e-4)


def reference(name: str, logits: Tensor, labels: Tensor) -> float:
    """Each loss pixel by pixel, or class by class."""
    chances = softmax(logits.numpy()).transpose(0, 2, 3, 1)[labels.numpy() != IGNORED]
    truth = labels.numpy()[labels.numpy() != IGNORED]
    right = np.array([chance[k] for chance, k in zip(chances, truth, strict=True)])
    each = -np.log(right)
    there = sorted(set(truth.tolist()))
    if name == "entropy":
        return float(each.mean())
    if name == "balanced":
        return float(np.mean([each[truth == k].mean() for k in there]))
    if name == "focal":
        return float(((1 - right) ** 2 * each).mean())
    if name == "ohem":
        hard = each[right <= 0.7]
        return float((hard if len(hard) >= len(each) // 16 else np.sort(each)[-(len(each) // 16) :]).mean())
    if name == "dice":
        return float(np.mean([
            1 - (2 * chances[truth == k, k].sum() + 1) / (chances[:, k].sum() + (truth == k).sum() + 1) for k in there
        ]))  # fmt: skip
    assert name == "lovasz"
    total = []
    for k in there:
        errors = np.abs((truth == k) - chances[:, k])
        order = np.argsort(-errors)
        before, cost = 0.0, 0.0
        for count in range(1, len(order) + 1):
            wrong = set(order[:count].tolist())
            inside = set(np.flatnonzero(truth == k).tolist())
            jaccard = 1 - len(inside - wrong) / len(inside | wrong)
            cost += errors[order[count - 1]] * (jaccard - before)
            before = jaccard
        total.append(cost)
    return float(np.mean(total))


@pytest.mark.parametrize("name", ["entropy", "balanced", "focal", "ohem", "dice", "lovasz"])
def test_losses_of_classes_agree_with_plain_arithmetic(name: str) -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(2, N, 5, 6, generator=generator, dtype=torch.float64) * 2
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator)  # the last class is not there
    labels[0, 0] = IGNORED
    logits.requires_grad_()
    loss = CLASS_LOSSES[name](logits, labels)
    assert loss.item() == pytest.approx(reference(name, logits.detach(), labels), rel=1e-5)
    loss.backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    assert not logits.grad.movedim(1, -1)[labels == IGNORED].any()


def test_the_boundary_loss_is_lowest_for_the_truth_and_all_losses_have_both_kinds() -> None:
    _, truth = None, batch()[0].targets
    sure = 20.0 * torch.nn.functional.one_hot(truth.where(truth != IGNORED, torch.tensor(0)), N).movedim(-1, 1).float()
    boundary = CLASS_LOSSES["boundary"]
    assert boundary(sure, truth) < boundary(sure.roll(2, 3), truth) < boundary(sure.roll(2, 1), truth)
    assert CLASS_LOSSES.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", CLASS_LOSSES)
def test_a_batch_without_any_label_costs_nothing(name: str) -> None:
    logits = torch.randn(1, N, 8, 8, requires_grad=True)
    loss = CLASS_LOSSES[name](logits, torch.full((1, 8, 8), IGNORED))
    loss.backward()
    assert loss.item() == 0 and logits.grad is not None and not logits.grad.any()
