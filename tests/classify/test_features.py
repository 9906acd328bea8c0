"""What a network sees in pictures, and which of them could be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

import torch

from classify import features
from classify.features import Eye
from classify.methods.catalogue import methods
from classify.tune.seeing import Sight
from scenes.errors import InputError
from tests import tiny
from training.data.sources import open_pictures


@pytest.fixture
def eye(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Eye:
    """That of a tiny network with random weights."""
    settings = tiny.config(tmp_path)
    torch.manual_seed(0)
    method = methods()["source"](tiny.build("resnet18", 3), 3, settings.chosen()).eval()
    monkeypatch.setattr(features, "load_method", lambda run, device: (method, settings, tiny.CLASSES))
    return Eye(tmp_path)


def test_pictures_that_cannot_be_read_are_left_out_and_named(eye: Eye, tmp_path: Path) -> None:
    pictures = open_pictures(tiny.photos(tmp_path / "photos", each=24), labels=False)
    whole = eye.look(pictures)
    assert whole.places.tolist() == list(range(72)) and whole.features.shape == (72, 8)
    (tmp_path / "photos" / "green" / "3.png").write_bytes(b"no picture")
    gone = next(i for i in range(72) if pictures.where(i).endswith("green/3.png"))
    counted: list[int] = []
    found = eye.look(pictures, counted.append)
    assert found.places.tolist() == [i for i in range(72) if i != gone] and sum(counted) == 71
    np.testing.assert_array_equal(found.features, whole.features[found.places])
    np.testing.assert_allclose(found.probabilities, whole.probabilities[found.places], rtol=1e-6)


def test_tuning_refuses_a_picture_that_is_gone_since_it_was_read(
    eye: Eye, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "Eye", lambda run: eye)
    pictures = open_pictures(tiny.photos(tmp_path / "photos", each=24), labels=False)
    (tmp_path / "run").write_bytes(b"")
    sight = Sight(tiny.CLASSES, tmp_path / "run")
    (tmp_path / "photos" / "blue" / "0.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"0\.png.*could be read before, and cannot now"):
        sight.look(pictures, np.zeros((72, 4), np.float32), "photographs", tmp_path / "cache")
