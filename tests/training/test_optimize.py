"""Rates, steps and running averages."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import distributed, multiprocessing, nn

from classify.methods.base import Method
from classify.network import Network
from training.ema import EMA
from training.optimizer import NotFinite, OptimizerStep, factor, optimizer


def network() -> Network:
    torch.manual_seed(0)
    return Network(nn.Sequential(nn.Linear(5, 8), nn.ReLU()), 8, 3)


def descent(model: nn.Module, clip: float = 0.0, name: str = "sgd", **settings) -> OptimizerStep:
    groups = Method(model, 3).groups()
    return OptimizerStep(optimizer(groups, name, **{"lr": 0.1, "weight_decay": 1e-2, **settings}), clip)


def loss_of(model: Network, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(6, 5, generator=generator)
    return nn.functional.cross_entropy(model(images).logits, torch.arange(6) % 3)


def state(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def test_schedules_at_known_places():
    assert factor("constant", 70, 100) == 1
    assert [factor("cosine", i, 100) for i in (0, 50)] == pytest.approx([1, 0.5])
    assert factor("cosine", 99, 100) == pytest.approx((1 + math.cos(math.pi * 0.99)) / 2)
    assert factor("inverse", 1000, 5, gamma=1e-3) == pytest.approx(2**-0.75)
    assert factor("inverse", 10, 5, gamma=0.3, power=2) == pytest.approx(1 / 16)
    assert [factor("s2rda", i, 20) for i in (0, 10)] == pytest.approx([1, 6**-0.75])
    assert [factor("poly", i, 20, power=0.9) for i in (0, 10)] == pytest.approx([1, 0.5**0.9])
    assert [factor("step", i, 20, milestone=0.8) for i in (0, 15, 16, 19)] == [1, 1, 0.1, 0.1]


def test_warmup_rises_to_the_full_rate_and_the_schedule_begins_there():
    rates = [factor("cosine", i, 100, warmup=4) for i in range(100)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[52] == pytest.approx(0.5)


@given(
    st.sampled_from(["constant", "cosine", "inverse", "s2rda", "poly", "step"]),
    st.integers(1, 500),
    st.integers(0, 600),
)
def test_rates_are_positive_and_fall_after_the_warmup(schedule, iterations, warmup):
    rates = [factor(schedule, i, iterations, warmup=warmup) for i in range(iterations)]
    assert all(0 < rate <= 1 for rate in rates)
    after = rates[warmup:]
    assert after == sorted(after, reverse=True)


def test_the_backbone_learns_at_its_own_rate():
    model = network()
    steps = descent(model, backbone=0.1)
    steps.rates(0.5)
    assert {g["name"]: g["lr"] for g in steps.optimizer.param_groups} == pytest.approx(
        {"backbone": 0.005, "head": 0.05}
    )


@pytest.mark.parametrize(("name", "nesterov"), [("sgd", False), ("sgd", True), ("adam", False), ("adamw", False)])
@pytest.mark.parametrize("clip", [0.0, 0.05])
def test_steps_are_those_of_torch(name, nesterov, clip):
    model, plain = network(), network()
    steps = descent(model, clip, name, nesterov=nesterov)
    settings = {"weight_decay": 1e-2, "foreach": False, "fused": False}
    theirs = {
        "sgd": lambda: torch.optim.SGD(plain.parameters(), 0.1, 0.9, nesterov=nesterov, **settings),
        "adam": lambda: torch.optim.Adam(plain.parameters(), 0.1, (0.9, 0.999), **settings),
        "adamw": lambda: torch.optim.AdamW(plain.parameters(), 0.1, (0.9, 0.999), **settings),
    }[name]()
    for seed in range(4):
        steps(loss_of(model, seed))
        theirs.zero_grad()
        loss_of(plain, seed).backward()
        if clip:
            assert nn.utils.clip_grad_norm_(plain.parameters(), clip) > clip
        theirs.step()
    for ours, expected in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


def test_nesterov_without_momentum_is_the_plain_step():
    descent(network(), momentum=0.0, nesterov=True)


def test_only_the_named_groups_move_and_none_of_their_momentum():
    model = network()
    steps = descent(model)
    steps(loss_of(model))
    before = state(model)
    moments = {id(p): s["momentum_buffer"].clone() for p, s in steps.optimizer.state.items()}
    steps(loss_of(model, 1), only=["head"])
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]) == name.startswith("backbone")
    for parameter in model.backbone.parameters():
        assert torch.equal(steps.optimizer.state[parameter]["momentum_buffer"], moments[id(parameter)])
    with pytest.raises(KeyError):
        steps(loss_of(model), only=["heads"])


def test_no_gradient_is_computed_for_what_does_not_move():
    model = network()
    seen: list[str] = []
    for name, parameter in model.named_parameters():
        parameter.register_hook(lambda gradient, name=name: seen.append(name))
    descent(model)(loss_of(model), only=["head"])
    assert sorted(seen) == ["head.bias", "head.weight"]


def test_parameters_without_part_in_the_loss_stay():
    model = network()
    model.register_parameter("idle", nn.Parameter(torch.ones(2)))
    descent(model)(loss_of(model))
    assert torch.equal(model.idle, torch.ones(2))


def test_a_loss_that_is_not_finite_changes_nothing():
    model = network()
    steps = descent(model, clip=1.0)
    steps(loss_of(model))
    before, moments = state(model), copy.deepcopy(steps.optimizer.state_dict())
    with pytest.raises(NotFinite, match="the loss is nan"):
        steps(loss_of(model) * math.nan)
    root = (loss_of(model) * 0).abs().sqrt()
    with pytest.raises(NotFinite, match="the loss is 0, the norm of its gradient nan"):
        steps(root)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert str(steps.optimizer.state_dict()) == str(moments)
    assert all(p.grad is None for p in model.parameters())


def test_with_a_scaler_the_steps_are_the_same_and_overflow_leaves_one_out():
    model, plain = network(), network()
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    steps, theirs = descent(model, clip=0.05), descent(plain, clip=0.05)
    steps.scaler = scaler
    for seed in range(3):
        steps(loss_of(model, seed))
        theirs(loss_of(plain, seed))
    for ours, expected in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)
    before, scale = state(model), scaler.get_scale()
    steps(loss_of(model) * 1e37 * 10)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert scaler.get_scale() < scale
    with pytest.raises(NotFinite):
        steps(loss_of(model) * math.inf)


def _process(rank: int, folder: str, answers) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model = network()
    steps = descent(model, clip=0.05)
    steps(loss_of(model, rank))
    try:
        steps(loss_of(model, rank) * (math.nan if rank else 1.0))
    except NotFinite:
        answers.put((rank, {name: tensor.tolist() for name, tensor in model.state_dict().items()}))
    distributed.destroy_process_group()


@pytest.mark.slow
def test_processes_follow_the_mean_of_their_gradients_and_stop_together(tmp_path):
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    workers = [context.Process(target=_process, args=(rank, str(tmp_path), answers)) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    weights = dict(answers.get() for _ in range(2))
    alone = network()
    descent(alone, clip=0.05)((loss_of(alone, 0) + loss_of(alone, 1)) / 2)
    for name, tensor in alone.state_dict().items():
        assert weights[0][name] == weights[1][name]
        torch.testing.assert_close(torch.tensor(weights[0][name]), tensor)


def test_average_is_the_mean_at_first_and_exponential_later():
    module = nn.Linear(1, 1, bias=False)
    average = EMA(module, decay=0.75)
    values = [3.0, 5.0, 10.0, 2.0, 8.0, 1.0]
    expected: list[float] = []
    for number, value in enumerate(values, 1):
        nn.init.constant_(module.weight, value)
        average.update_parameters(module)
        share = max(1 / number, 0.25)
        expected.append(value if number == 1 else expected[-1] * (1 - share) + value * share)
        assert average.module.weight.item() == pytest.approx(expected[-1])
    assert expected[2] == pytest.approx(6.0)


def test_average_has_averaged_statistics_copies_other_buffers_and_does_not_train():
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    average = EMA(module, decay=0.6)
    average.train()
    mean, variance = torch.zeros(4), torch.zeros(4)
    for number in range(1, 5):
        module(torch.randn(8, 3, generator=torch.Generator().manual_seed(number)))
        nn.init.normal_(module[0].weight)
        average.update_parameters(module)
        share = max(1 / number, 0.4)
        mean, variance = (
            (1 - share) * before + share * now
            for before, now in ((mean, module[1].running_mean), (variance, module[1].running_var))
        )
    ours, theirs = average.module[1], module[1]
    assert ours.num_batches_tracked == theirs.num_batches_tracked == 4
    torch.testing.assert_close(ours.running_mean, mean)
    torch.testing.assert_close(ours.running_var, variance)
    assert not torch.equal(average.module[0].weight, module[0].weight)
    assert not average.module[1].training and not any(p.requires_grad for p in average.parameters())


def test_average_resumes_to_the_bit():
    module = network()
    average = EMA(module, decay=0.9)

    def advance(averages: list[EMA], seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for each in averages:
            each.update_parameters(module)

    for seed in range(4):
        advance([average], seed)
    resumed = EMA(network(), decay=0.9)
    resumed.load_state_dict(average.state_dict())
    for seed in range(4, 20):
        advance([average, resumed], seed)
    for ours, theirs in zip(average.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
