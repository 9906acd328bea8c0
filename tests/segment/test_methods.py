"""The adaptation methods of crack segmenters: each term in numbers, against a slow and obvious reference."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scenes.errors import InputError
from segment.config import SegmentConfig
from segment.load import make_method
from segment.losses import LOSSES
from segment.methods.adabn import AdaBN
from segment.methods.catalogue import METHODS
from segment.methods.dacs import DACS, pasted, surroundings
from segment.methods.daformer import feature_distance
from segment.methods.fda import charbonnier_entropy, low_frequencies
from segment.methods.fixmatch import FixMatch
from segment.methods.hrda import HRDA
from segment.methods.mean_teacher import disagreement
from segment.methods.mic import MIC
from segment.methods.pseudo import cut_mix, pseudo_labels
from segment.methods.rounds import Rounds
from segment.methods.sense import SENSE, assigned
from segment.methods.supervised import Supervised
from segment.methods.teacher import TeacherStudent
from segment.multiscale import MultiScale, random_window
from segment.unet import UNet
from training.method import Batch, FullPass, Unlabeled
from training.optimizer import OptimizerStep, optimizer

MIXED = ("mixed", "masked")
"""The terms of `mic` that need the labels of a teacher."""
ADAPTING = [name for name in METHODS if name != "supervised"]


def batch(seed: int = 0, count: int = 4, side: int = 32) -> tuple[Batch, Unlabeled]:
    """Dark lines on a noisy ground, and brighter ones without labels."""
    generator = torch.Generator().manual_seed(seed)
    masks = torch.zeros(count, side, side)
    for k in range(count):
        masks[k, :, 5 + 5 * k : 8 + 5 * k] = 1
    images = torch.randn(count, 3, side, side, generator=generator) * 0.2 - 2 * masks[:, None]
    places = torch.arange(count)
    return Batch(images, masks, places), Unlabeled(images.flip(3) + 1, images.flip(3) + 0.8, places)


def method_of(name: str, **settings: Any) -> Supervised:
    torch.manual_seed(0)
    config = SegmentConfig(
        data={"source": [{"where": "cracks"}]}, width=4, depth=2, size=32, method=name, settings={name: settings}
    )
    return make_method(config)


def stepped(method: Supervised, steps: int, lr: float = 1e-2) -> list[dict[str, float]]:
    descend = OptimizerStep(optimizer(method.groups(), "adamw", lr=lr))
    told = []
    for step in range(steps):
        torch.manual_seed(step)
        method.train()
        terms = method.update(*batch(step), step / max(1, steps - 1), descend)
        told.append({name: term.item() for name, term in terms.items()})
    return told


@pytest.mark.parametrize("name", ADAPTING)
def test_each_method_learns_from_both_domains_and_resumes_from_its_state(name: str) -> None:
    method = method_of(name)
    told = stepped(method, 12)
    assert told[-1]["source"] < told[0]["source"] and all(math.isfinite(v) for terms in told for v in terms.values())
    assert not any(p.requires_grad and p.grad is None for group in method.groups().values() for p in group)
    again = method_of(name)
    again.load_state_dict(method.state_dict())
    images = batch(5)[1].images
    with torch.no_grad():
        assert torch.equal(method.eval().predict(images), again.eval().predict(images))
        assert method.predict(images).shape == (4, 32, 32)


def test_a_pixel_is_labeled_by_its_likelier_class_and_counts_if_that_is_sure() -> None:
    chances = torch.tensor([[0.01, 0.2, 0.5001, 0.7, 0.95, 0.999]])
    logits = torch.log(chances / (1 - chances))[None]
    labels, weights = pseudo_labels(logits, 0.9)
    assert labels[0, 0].tolist() == [0, 0, 1, 1, 1, 1] and weights[0, 0].tolist() == [1, 0, 0, 0, 1, 1]
    assert pseudo_labels(logits, 0.9, "batch").weights[0, 0].tolist() == [0.5] * 6


@pytest.mark.parametrize("classes", [1, 4])
def test_the_surest_pixels_of_each_class_are_labeled_as_in_the_authors_code(classes: int) -> None:
    """`kc_parameters` and `label_selection` of CBST, in numpy, with the batch for all pictures of the target."""
    shape = (3, 6, 7) if classes == 1 else (3, classes, 6, 7)
    logits = 2 * torch.randn(shape, generator=torch.Generator().manual_seed(0)) - float(classes == 1)
    chances = logits.double().sigmoid().numpy() if classes == 1 else logits.double().softmax(1).numpy()
    chances = np.stack([1 - chances, chances], 1) if classes == 1 else chances
    predicted, confidences = chances.argmax(1), chances.max(1)
    thresholds = np.ones(chances.shape[1])
    for k in range(len(thresholds)):
        own = sorted(confidences[predicted == k], reverse=True)
        if count := math.floor(len(own) * 0.4):
            thresholds[k] = own[count - 1]
    weighted = chances / thresholds[:, None, None]
    labels, weights = pseudo_labels(logits, 0.99, portion=0.4)
    assert np.array_equal(labels.numpy(), weighted.argmax(1))
    assert np.array_equal(weights.numpy(), weighted.max(1) >= 1 - 1e-6)
    assert 0.35 < weights.mean() < 0.45 and len(set(thresholds)) > 1


@pytest.mark.parametrize("value", [40.0, -40.0])
def test_the_surest_pixels_of_a_batch_of_one_class_are_of_this_class(value: float) -> None:
    labels, weights = pseudo_labels(torch.full((1, 4, 4), value), 0.9, portion=0.5)
    assert (labels == float(value > 0)).all() and weights.all()


def test_disagreement_is_the_mean_squared_difference_of_probabilities() -> None:
    student, teacher = torch.randn(2, 3, 5), torch.randn(2, 3, 5)
    wanted = np.mean((1 / (1 + np.exp(-student.numpy())) - 1 / (1 + np.exp(-teacher.numpy()))) ** 2)
    assert disagreement(student, teacher).item() == pytest.approx(float(wanted), rel=1e-5)


def test_cracks_are_pasted_with_their_surroundings_at_the_level_of_the_target() -> None:
    masks = torch.zeros(2, 12, 12)
    masks[0, 5, 5] = 1
    source, target = torch.full((2, 3, 12, 12), 10.0), torch.full((2, 3, 12, 12), 3.0)
    source[0, :, 5, 5] = 4
    images, area = pasted(source, masks, target, 2)
    assert area[0].nonzero().tolist() == [[r, c] for r in range(3, 8) for c in range(3, 8)] and not area[1].any()
    wanted = target.clone()
    wanted[0, :, 5, 5] = 3 - 6  # as much darker than its surroundings as it was
    assert torch.allclose(images, wanted)
    assert torch.equal(surroundings(masks, 2), area)


def test_a_crop_is_labeled_alike_whatever_the_rest_of_the_batch_shows() -> None:
    method = method_of("dacs", scales=[0.5, 1])
    assert isinstance(method, TeacherStudent)
    stepped(method, 3)
    images = batch(2)[1].images
    matching = method_of("fixmatch")
    assert isinstance(matching, FixMatch)
    stepped(matching, 3)
    for labels in (method.taught, matching._labeling):
        assert torch.allclose(labels(images[:1]), labels(torch.cat([images[:1], 9 * images[1:]]))[:1], atol=1e-5)
    assert matching.network.training


def test_the_mixed_term_is_entropy_and_dice_of_pasted_and_teachers_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    method = method_of("dacs", margin=1, threshold=0.8)
    assert isinstance(method, DACS)
    source, target = batch()
    logits = 4 * torch.randn(4, 32, 32, generator=torch.Generator().manual_seed(3))
    monkeypatch.setattr(method, "taught", lambda images: logits)
    given: dict[str, Tensor] = {}

    class Seen(nn.Module):
        segmenting = False

        def forward(self, images: Tensor) -> Tensor:
            given["images"] = images
            return images.mean(1)

    method.network = Seen()  # type: ignore[assignment]
    found = method.adapting(source, target, pseudo_labels(logits, 0.8))["mixed"].item()
    total = both = either = 0.0
    for place in np.ndindex(4, 32, 32):
        k, row, column = place
        rows, columns = slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2)
        chance = 1 / (1 + math.exp(-logits[place].item()))
        pasted_here = bool(source.targets[k, rows, columns].any())
        label = source.targets[place].item() if pasted_here else float(chance > 0.5)
        weight = 1.0 if pasted_here else float(max(chance, 1 - chance) >= 0.8)
        p = 1 / (1 + math.exp(-given["images"][k, :, row, column].mean().item()))
        total -= weight * math.log(p if label else 1 - p)
        both, either = both + weight * p * label, either + weight * (p + label)
    assert found == pytest.approx(total / (4 * 32 * 32) + 1 - (2 * both + 1) / (either + 1), rel=1e-4)


def test_terms_with_labels_of_a_teacher_rise_during_the_warm_up() -> None:
    """exp(-5 (1 - t)^2) after the share t of the warm-up, as in mean teachers."""
    method, pictures = method_of("mic", warm_up=0.5, threshold=0.5), batch()
    told = []
    for progress in (0.0, 0.25, 0.5, 1.0):
        torch.manual_seed(0)
        told.append(method.losses(*pictures, progress))
    for name, shares in (("source", [1, 1, 1, 1]), *((k, [math.exp(-5), math.exp(-1.25), 1, 1]) for k in MIXED)):
        assert [(terms[name] / told[-1][name]).item() for terms in told] == pytest.approx(shares, rel=1e-4), name


@pytest.mark.parametrize("loss", LOSSES)
def test_pixels_without_weight_change_no_loss_of_cracks(loss: str) -> None:
    method = method_of("supervised")
    method.loss = LOSSES[loss]
    logits, labels, weights = torch.randn(2, 8, 8), (torch.rand(2, 8, 8) > 0.8).float(), torch.ones(2, 8, 8)
    assert method.cost_of(logits, labels, weights).item() == pytest.approx(method.loss(logits, labels).item())
    weights[:, :, 5:] = 0
    changed = torch.where(weights > 0, logits, 9 * torch.randn(2, 8, 8)).requires_grad_()
    costs = [method.cost_of(changed, torch.where(weights > 0, labels, other), weights) for other in (0.0, 1.0)]
    assert costs[0].item() == pytest.approx(method.cost_of(logits, labels, weights).item()) and costs[0] == costs[1]
    costs[0].backward()
    assert changed.grad is not None and not changed.grad[weights == 0].any() and changed.grad.any()
    halved = method.cost_of(logits, labels, weights / 2)
    assert halved.item() == pytest.approx(costs[0].item() / 2)
    assert math.isfinite(method.cost_of(logits, labels, 0 * weights).item())


def test_the_distance_of_features_counts_places_with_enough_crack() -> None:
    features, initial = torch.randn(1, 5, 2, 2), torch.randn(1, 5, 2, 2)
    masks = torch.zeros(1, 8, 8)
    masks[0, :2, :2] = 1  # a quarter of the first place
    masks[0, 7, 7] = 1  # a sixteenth of the last one
    apart = (features - initial).norm(dim=1)[0]
    assert feature_distance(features, initial, masks, 0.2).item() == pytest.approx(apart[0, 0].item())
    assert feature_distance(features, initial, masks, 0.05).item() == pytest.approx(
        (apart[0, 0].item() + apart[1, 1].item()) / 2
    )
    assert feature_distance(features, initial, torch.zeros(1, 8, 8), 0.2).item() == 0


def test_low_frequencies_are_those_of_the_target_as_in_the_authors_code() -> None:
    """`low_freq_mutate_np` and `FDA_source_to_target_np` of the authors, in numpy with shifted spectra."""
    rng = np.random.default_rng(0)
    source, target, reach = rng.random((1, 3, 20, 24)), rng.random((1, 3, 20, 24)), 0.1
    here, there = np.fft.fft2(source), np.fft.fft2(target)
    shifted, other = np.fft.fftshift(np.abs(here), axes=(-2, -1)), np.fft.fftshift(np.abs(there), axes=(-2, -1))
    side, rows, columns = math.floor(20 * reach), 10, 12
    window = (..., slice(rows - side, rows + side + 1), slice(columns - side, columns + side + 1))
    shifted[window] = other[window]
    wanted = np.fft.ifft2(np.fft.ifftshift(shifted, axes=(-2, -1)) * np.exp(1j * np.angle(here))).real
    found = low_frequencies(torch.from_numpy(source), torch.from_numpy(target), reach)
    assert np.abs(found.numpy() - wanted).max() < 1e-12
    assert torch.allclose(low_frequencies(found, found, reach), found)


def test_the_entropy_of_a_coin_is_one_bit_and_small_entropies_count_less() -> None:
    assert charbonnier_entropy(torch.zeros(1, 2, 2)).item() == pytest.approx(1, rel=1e-4)
    p = 0.9
    bits = -(p * math.log2(p) + (1 - p) * math.log2(1 - p))
    assert charbonnier_entropy(torch.full((1, 2, 2), math.log(9))).item() == pytest.approx(bits**4, rel=1e-4)


def test_boxes_come_from_the_mirrored_place_of_the_batch_with_their_labels() -> None:
    torch.manual_seed(1)
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, 16, 20).clone()
    labels = images[:, 0] + 10
    mixed, taken = cut_mix(images, labels)
    assert torch.equal(taken, mixed[:, 0] + 10)
    for k in range(4):
        inside = mixed[k, 0] == 3 - k
        assert (inside | (mixed[k, 0] == k)).all() and 0.01 < inside.float().mean() < 0.5
        rows, columns = inside.any(1).nonzero(), inside.any(0).nonzero()
        assert inside.sum() == (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)


def sinkhorn(logits: list[float], share: float, temperature: float, rounds: int) -> list[float]:
    """SENSE's `distributed_sinkhorn` on the log-softmax of two classes in plain arithmetic, with sums of its rows."""
    log_p = [[-math.log1p(math.exp(z)) for z in logits], [-math.log1p(math.exp(-z)) for z in logits]]
    table = [[math.exp(v / temperature) for v in row] for row in log_p]
    total = sum(map(sum, table))
    table = [[v / total for v in row] for row in table]
    wanted, count = [1 - share, share], len(logits)
    for _ in range(rounds):
        table = [[v / sum(row) * w for v in row] for row, w in zip(table, wanted, strict=True)]
        sums = [table[0][k] + table[1][k] for k in range(count)]
        table = [[row[k] / sums[k] / count for k in range(count)] for row in table]
    return [v * count for v in table[1]]


@pytest.mark.parametrize(("share", "rounds"), [(0.5, 3), (0.1, 3), (0.3, 60)])
def test_assignments_are_those_of_sinkhorn_and_knopp(share: float, rounds: int) -> None:
    logits = [-0.4, 0.1, 0.3, -1.2, 0.8, -0.2, -0.6, -0.9, 0.05, -0.1]
    found = assigned(torch.tensor(logits, dtype=torch.float64), share, 0.5, rounds)
    assert found.tolist() == pytest.approx(sinkhorn(logits, share, 0.5, rounds), rel=1e-9)
    if rounds == 60:
        assert found.mean().item() == pytest.approx(share, rel=1e-4)


def test_assignments_of_very_sure_pixels_are_finite() -> None:
    found = assigned(torch.tensor([-300.0, 200.0, 90.0, -1.0]), 0.25)
    assert found.isfinite().all() and found[1] > 0.99 and found[0] < 0.01


def test_sense_counts_half_of_each_loss_and_the_cracks_of_its_source() -> None:
    method = method_of("sense", labels="source")
    assert isinstance(method, SENSE)
    source, target = batch()
    torch.manual_seed(4)
    terms = method.train().losses(source, target, 0.0)
    assert method.share.tolist() == [source.targets.sum().item(), source.targets.numel()]
    assert terms["source"].item() == pytest.approx(method.cost(source.images, source.targets).item() / 2, rel=1e-5)


def test_the_teacher_labels_turned_and_enlarged_pictures_in_the_place_of_the_picture() -> None:
    """Of a network without context, all four predictions of a smooth picture are nearly one."""
    method = method_of("sense")
    assert isinstance(method, SENSE)
    seen: list[tuple[int, ...]] = []

    def without_context(images: Tensor) -> Tensor:
        seen.append((len(images), images.shape[-1]))
        return images.mean(1)

    method.teacher.forward = without_context  # type: ignore[method-assign, assignment]
    ramp = torch.linspace(0, 1, 40).expand(3, 3, 40, 40) * torch.tensor([1.0, -1, 2])[:, None, None, None]
    assert (method._labeling(ramp) - ramp.mean(1)).abs().max() < 0.02
    assert sorted(seen) == [(1, 40), (1, 40), (1, 50), (1, 50), (2, 40)]


@pytest.mark.parametrize("first", ["source", "labels"])
def test_rounds_freeze_the_network_that_labels_until_the_next_round(first: str) -> None:
    method = method_of("rounds", rounds=3, first=first)
    assert isinstance(method, Rounds)
    told = stepped(method, 9)
    assert ["pseudo" in terms for terms in told] == [first == "labels"] * 3 + [True] * 6
    frozen = {name: tensor.clone() for name, tensor in method.labeler.state_dict().items()}
    descend = OptimizerStep(optimizer(method.groups(), "adamw", lr=1e-2))
    method.update(*batch(9), 1.0, descend)
    assert all(torch.equal(frozen[name], tensor) for name, tensor in method.labeler.state_dict().items())


def test_adabn_ends_with_the_moments_of_the_target() -> None:
    method = method_of("adabn")
    assert isinstance(method, AdaBN)
    target = batch()[1]
    method.finish(FullPass(lambda: [], lambda: [target]))
    first = method.network.down[0]  # type: ignore[index]
    values = first[0](target.images)
    assert torch.allclose(first[1].running_mean, values.mean((0, 2, 3)), atol=1e-5)


def test_hrda_fuses_context_and_details_inside_the_window_only() -> None:
    torch.manual_seed(0)
    network = MultiScale(UNet(4, 2)).eval()
    images, window = torch.randn(2, 3, 64, 64), (slice(16, 48), slice(32, 64))
    with torch.no_grad():
        fused, detail = network.crops(images, window)
        half = nn.functional.interpolate(images, scale_factor=0.5, mode="bilinear")
        features = network.network.decode(network.network.encode(half))
        attention, context = network.attention(features).sigmoid(), network.head(features)
        inside = torch.zeros(1, 1, 32, 32)
        inside[..., 8:24, 16:32] = 1

        def up(maps: Tensor) -> Tensor:
            return nn.functional.interpolate(maps, (64, 64), mode="bilinear")[:, 0]

        placed = torch.zeros(2, 64, 64)
        placed[:, 16:48, 32:64] = network.network(images[..., 16:48, 32:64])
        wanted = up(attention * inside) * placed + up((1 - attention * inside) * context)
    assert torch.allclose(fused, wanted, atol=1e-6) and torch.equal(detail, placed[:, 16:48, 32:64])


def test_hrda_weighs_the_loss_of_details_and_predicts_pictures_of_any_size() -> None:
    method = method_of("hrda", detail=0.1)
    assert isinstance(method, HRDA)
    source, _ = batch()
    torch.manual_seed(7)
    found = method.cost(source.images, source.targets)
    torch.manual_seed(7)
    window = random_window(32, 32, method.network.grid)
    fused, detail = method.network.crops(source.images, window)
    inside = source.targets[:, window[0], window[1]]
    wanted = 0.9 * method.loss(fused, source.targets) + 0.1 * method.loss(detail, inside)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)
    assert method.predict(torch.randn(1, 3, 50, 71)).shape == (1, 50, 71)


def test_windows_of_details_lie_on_the_grid_and_reach_all_corners() -> None:
    torch.manual_seed(0)
    found = {tuple((part.start, part.stop) for part in random_window(64, 32, 8)) for _ in range(400)}
    assert found == {((top, top + 32), (left, left + 16)) for top in (0, 8, 16, 24, 32) for left in (0, 8, 16)}


def test_a_size_that_cannot_be_halved_is_one_line() -> None:
    config = SegmentConfig(data={"source": [{"where": "c"}]}, width=2, depth=4, size=100, method="hrda")
    with pytest.raises(InputError, match=r"field size: 100, but 'hrda' .* multiple of 32, for example 96"):
        make_method(config)


def test_masked_pictures_are_labeled_as_the_whole_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    method = method_of("mic", block=8, ratio=0.5)
    assert isinstance(method, MIC)
    source, target = batch()
    seen: list[Tensor] = []
    original = method.network.forward

    def forward(images: Tensor) -> Tensor:
        seen.append(images)
        return original(images)

    monkeypatch.setattr(method.network, "forward", forward)
    terms = method.train().losses(source, target, 0.5)
    assert set(terms) == {"source", "mixed", "masked"}
    # The masked pictures are seen before the mixed ones, and after those of the source.
    masked = next(images for images in seen if (images == 0).any())
    blocks = (masked == 0).all(1).unfold(1, 8, 8).unfold(2, 8, 8).flatten(3)
    whole, none = blocks.all(-1), ~blocks.any(-1)
    assert (whole | none).all() and 0.2 < whole.float().mean() < 0.8
    kept = (masked != 0).all(1, keepdim=True).expand_as(masked)
    assert torch.equal(masked[kept], target.strong[kept])


def test_a_run_may_start_from_another_one(tmp_path: Path) -> None:
    from segment.load import make_network
    from training import checkpoint

    for name in ("supervised", "hrda"):
        method = method_of(name)
        facts = {"task": "segment", "config": {}, "classes": ["crack"], "data": {}, "history": [], "seconds": 0.0}
        path = tmp_path / f"{name}.safetensors"
        checkpoint.write(path, checkpoint.join(method=method.state_dict()), {**facts, "step": 0})
        config = SegmentConfig(data={"source": [{"where": "c"}]}, width=4, depth=2, size=32, weights=str(path))
        taken = make_network(config).state_dict()
        inner = method.network.network if name == "hrda" else method.network  # type: ignore[union-attr]
        assert all(torch.equal(taken[key], tensor) for key, tensor in inner.state_dict().items())  # type: ignore[union-attr]
