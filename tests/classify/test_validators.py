"""Validators: the values of other implementations, and what each makes of networks that have collapsed."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from torch import Tensor  # noqa: E402

from classify import validators  # noqa: E402
from classify.evaluation import validate  # noqa: E402
from classify.validators import (  # noqa: E402
    VALIDATORS,
    collapse,
    density_ratio,
    embedded_risk,
    entropy,
    information,
    neighborhood_density,
    nuclear_norm,
    source_accuracy,
)
from training.selection import COLLAPSED, best  # noqa: E402

K = 5


def fixed() -> Tensor:
    n = np.arange(200, dtype=np.float64)
    return torch.from_numpy((3 * np.sin(n * 1.7) + np.cos(n * n * 0.3)).reshape(40, K))


def sure(classes: Tensor, count: int = K) -> Tensor:
    return 30 * torch.eye(count, dtype=torch.float64)[classes]


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (entropy, -0.686429583062573),
        (information, 0.8843309151294475),
        (nuclear_norm, 0.26317650780220914),
        (neighborhood_density, 1.726808453355332),
    ],
)
def test_values_are_those_of_pytorch_adapt(validator: object, value: float) -> None:
    """pytorch-adapt at 1366df7c: EntropyLoss, DiversityLoss, BNMLoss, SNDValidator, run on the same tensor."""
    assert validator(fixed()) == pytest.approx(value, rel=1e-9)


def test_the_risk_is_that_of_pytorch_adapt() -> None:
    """get_dev_risk of deep_embedded_validator.py at 1366df7c, without normalization."""
    n = np.arange(30)
    assert embedded_risk(1.1 + np.sin(n * 0.9), 0.5 + 0.5 * np.cos(n * 1.3)) == pytest.approx(0.5182292964482496)


def test_density_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = neighborhood_density(fixed())
    monkeypatch.setattr(validators, "_ROWS", 7)
    assert neighborhood_density(fixed()) == pytest.approx(whole)


def test_density_and_entropy_reward_total_collapse_and_the_others_do_not() -> None:
    """All pictures surely of one class, against what is right of most and sure of it: the trap."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % K
    good = sure(labels) / 6 + torch.randn(200, K, generator=generator, dtype=torch.float64)
    collapsed = sure(torch.zeros(200, dtype=torch.int64))
    assert (good.argmax(1) == labels).double().mean() > 0.9 and (collapsed.argmax(1) == labels).double().mean() == 0.2
    assert neighborhood_density(collapsed) > neighborhood_density(good)
    assert entropy(collapsed) > entropy(good)
    assert information(collapsed) < information(good)
    assert nuclear_norm(collapsed) < nuclear_norm(good)
    # Collapse is the very highest that the two can give, and the very lowest of the others for sure predictions.
    assert neighborhood_density(collapsed) == pytest.approx(np.log(199))
    assert entropy(collapsed) == pytest.approx(0, abs=1e-9)
    assert information(collapsed) == pytest.approx(0, abs=1e-9)
    assert nuclear_norm(collapsed) == pytest.approx(200**-0.5)


def test_the_best_that_information_and_nuclear_norm_give() -> None:
    spread = sure(torch.arange(200) % K)
    assert information(spread) == pytest.approx(np.log(K), abs=1e-6)
    assert nuclear_norm(spread) == pytest.approx((K / 200) ** 0.5, rel=1e-6)


def test_source_accuracy() -> None:
    assert source_accuracy(sure(torch.tensor([0, 1, 2, 2])), torch.tensor([0, 1, 2, 3])) == 0.75


def test_density_ratio_weighs_by_the_target() -> None:
    """Normal densities a step apart: the ratio is known, and its mean over the source is 1."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (2000, 1)), rng.normal(1, 1, (3000, 1))
    weights = density_ratio(source, target)
    true = np.exp(source[:, 0] - 0.5)
    assert np.corrcoef(np.log(weights), np.log(true))[0, 1] > 0.99
    assert np.median(np.abs(np.log(weights) - np.log(true))) < 0.15
    assert weights.mean() == pytest.approx(1, abs=0.15)
    assert density_ratio(source[:1], target).tolist() == [1]


def outputs(features: np.ndarray, logits: Tensor, labels: Tensor) -> SimpleNamespace:
    return SimpleNamespace(features=torch.from_numpy(features).float(), logits=logits, labels=labels)


def test_dev_tells_the_risk_where_the_target_lies() -> None:
    """Two checkpoints alike on the source; the one that errs where the target is is the worse, and the risk is near
    the target's own."""
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (1500, 2)), rng.normal([1, 0], 1, (1500, 2))
    labels = torch.zeros(1500, dtype=torch.int64)

    def scored(side: float) -> tuple[float, float, float]:
        def logits(x: np.ndarray) -> Tensor:
            wrong = torch.from_numpy(side * x[:, 0] > 0).double()
            return torch.stack([-2 * wrong, torch.zeros_like(wrong)], 1)

        seen = outputs(source, logits(source), labels)
        blind = outputs(target, logits(target), torch.full((1500,), -1))
        truth = float(torch.nn.functional.cross_entropy(logits(target), labels))
        return VALIDATORS["dev"](seen, blind), -truth, -float(torch.nn.functional.cross_entropy(logits(source), labels))

    (right, right_truth, plain), (left, left_truth, _) = scored(1.0), scored(-1.0)
    assert right < left
    assert right == pytest.approx(right_truth, abs=0.1) and left == pytest.approx(left_truth, abs=0.1)
    assert abs(right - right_truth) < abs(plain - right_truth)


def test_weights_without_spread_leave_the_plain_risk() -> None:
    errors = np.array([1.0, 2.0, 6.0])
    assert embedded_risk(np.ones(3), errors) == pytest.approx(3) and embedded_risk(np.ones(1), errors[:1]) == 1


def test_no_validator_reads_labels_of_the_target() -> None:
    class Blind:
        features, logits = torch.randn(30, 4), fixed()[:30]

        @property
        def labels(self) -> Tensor:
            raise AssertionError("labels of the target were read")

    source = outputs(np.random.default_rng(0).normal(size=(40, 4)), fixed(), torch.arange(40) % K)
    assert set(VALIDATORS) == {"source", "im", "bnm", "snd", "dev", "entropy"}
    for name, validator in VALIDATORS.items():
        first, second = validator(source, Blind()), validator(source, Blind())
        assert isinstance(first, float) and np.isfinite(first) and first == second, name


def test_which_domains_each_needs() -> None:
    target = outputs(np.zeros((40, 4)), fixed(), torch.full((40,), -1))
    for name in ("im", "bnm", "snd", "entropy"):
        assert np.isfinite(VALIDATORS[name](None, target))
    assert VALIDATORS["source"](outputs(np.zeros((40, 4)), fixed(), torch.zeros(40)), None) >= 0
    assert all(len(inspect.signature(validator).parameters) == 2 for validator in VALIDATORS.values())


def test_a_network_of_one_class_is_told_collapsed_and_others_are_not() -> None:
    names = [f"c{k}" for k in range(13)]
    labels = torch.arange(260) % 13
    assert collapse(sure(labels, 13), names) == ""
    # 98 % in one class, as an effective number: exp(0.98 ln 1/0.98 + 0.02 ln 1/0.02) = 1.10 < 1 + 0.1 * 12.
    mostly = torch.zeros(250, dtype=torch.int64)
    mostly[:5] = 4
    assert collapse(sure(mostly, 13), names) == "98% of the pictures are assigned to 'c0'"
    # Three classes alike have the effective number 3: few, but a target may have no more.
    assert collapse(sure(torch.arange(261) % 3, 13), names) == ""
    assert collapse(torch.randn(260, 13, generator=torch.Generator().manual_seed(0)) / 1000, names) == (
        "the predictions are almost equal for all pictures"
    )
    # A target of two classes, one of them rare: exp(H(0.9, 0.1)) = 1.38 > 1 + 0.1.
    assert collapse(sure(torch.arange(100) % 10 // 9, 2), names[:2]) == ""
    # Nothing can be said of one picture, or of one class.
    assert collapse(sure(labels[:1], 13), names) == "" == collapse(torch.ones(5, 1), names[:1])


def test_no_validator_chooses_a_collapsed_checkpoint_unless_all_are() -> None:
    """The figures of the two kinds in the trap above: SND is highest for the collapsed one."""
    kinds = [sure(torch.zeros(200, dtype=torch.int64)), sure(torch.arange(200) % K) / 6]
    none = torch.full((200,), -1)
    history = [
        {"step": step, **validate(None, outputs(np.zeros((200, 2)), logits, none)), "oracle": 0.5 - step / 10}
        | {COLLAPSED: float(bool(collapse(logits, ["a"] * K)))}
        for step, logits in enumerate(kinds)
    ]
    assert history[0]["snd"] > history[1]["snd"] and history[0]["entropy"] > history[1]["entropy"]
    for name in ("im", "bnm", "snd", "entropy"):
        assert best(history, name) == 1
    assert best(history, "oracle") == 0  # it knows the labels
    assert best([history[0], {**history[0], "snd": 9.0}], "snd") == 1
    assert best([{"snd": 1.0}, {"snd": 2.0}], "snd") == 1  # of runs before collapse was told
