"""The method `linear`: its regression, what it leaves alone, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from classify.methods.linear import fitted
from classify.task import Classification
from scenes.errors import InputError
from tests.tiny import build, config, domains
from training.run import execute


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 2], [1, 2]])
def test_the_head_says_what_scikit_learns_pipeline_says(labels: list[int]) -> None:
    """Also with two classes, of which scikit-learn keeps one row, and with a class that no picture has."""
    rng = np.random.default_rng(0)
    known = np.resize(labels, 60)
    features = rng.normal(size=(60, 5)) * [1, 10, 0.1, 1, 1] + known[:, None]
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000)).fit(features, known)
    weight, bias = fitted(features, known, 4, 0.3)
    found = torch.from_numpy(features @ weight.T + bias).softmax(1).numpy()
    np.testing.assert_allclose(found[:, labels], model.predict_proba(features), atol=1e-9)
    assert not found[:, 3].any()


def test_a_balanced_head_does_not_say_which_class_has_more_pictures() -> None:
    """Nine pictures of one class for each of the other, all alike: only the shares tell them apart."""
    labels = np.repeat([0, 1], [90, 10])
    features = np.random.default_rng(0).normal(size=(100, 1)) * 1e-9
    for balanced, share in ((False, 0.9), (True, 0.5)):
        _, bias = fitted(features, labels, 2, 1e-6, balanced)
        assert torch.from_numpy(bias).softmax(0)[0].item() == pytest.approx(share, abs=0.01)


def test_one_class_is_refused() -> None:
    with pytest.raises(InputError, match="linear needs pictures of two classes"):
        fitted(np.zeros((3, 2)), np.ones(3, np.int64), 2, 1.0)


def test_a_run_is_one_step_and_leaves_all_but_the_head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.load.build", build)
    given = config(domains(tmp_path), method="linear", iterations=1, data={"test": {"where": str(tmp_path / "source")}})
    task = Classification()
    found = execute(task, given, tmp_path / "run")
    method = task.load(tmp_path / "run", torch.device("cpu"))
    assert found["test"]["accuracy"] > 0.9 and method.network.head.weight.abs().sum() > 0
    norms = [layer for layer in method.modules() if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm)]
    assert norms and all(layer.num_batches_tracked == 0 and (layer.running_var == 1).all() for layer in norms)
    with pytest.raises(ValueError, match="linear learns in one step; write iterations: 1"):
        config(tmp_path, method="linear", iterations=2)
    with pytest.raises(ValueError, match=r"draws no pictures; write settings: {linear: {balanced: true}}"):
        config(tmp_path, method="linear", iterations=1, data={"balanced": True})
    assert config(tmp_path, method="linear", iterations=1, settings={"linear": {"balanced": True}})
