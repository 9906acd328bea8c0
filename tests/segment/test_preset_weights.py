"""The presets that name weights of the hub: each starts from a local folder of such weights, trains and predicts.

The folders have what the hub has, saved by the same classes of transformers, but are small and random. Nothing may open
a connection.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner
from PIL import Image
from transformers import (
    Dinov2Config,
    Dinov2Model,
    PretrainedConfig,
    PreTrainedModel,
    SegformerConfig,
    SegformerForImageClassification,
    SegformerForSemanticSegmentation,
)

from segment import backbones
from segment.cli import segment
from segment.load import load_method
from segment.presets import located, preset_names
from tests.segment.shapes_of_classes import shapes
from tests.segment.test_task import lines


def _mit() -> SegformerConfig:
    return SegformerConfig(
        hidden_sizes=[4, 8, 8, 16], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=8
    )


def _dino() -> Dinov2Config:
    return Dinov2Config(
        hidden_size=16, num_attention_heads=2, num_hidden_layers=4, image_size=56, use_mask_token=False,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip


def _decoder() -> PreTrainedModel:
    config = _mit()
    config.num_labels = 150
    return SegformerForSemanticSegmentation(config)


KINDS: dict[str, tuple[Callable[[], PretrainedConfig], Callable[[], PreTrainedModel]]] = {
    "nvidia/mit-b5": (_mit, lambda: SegformerForImageClassification(_mit())),
    "nvidia/segformer-b3-finetuned-ade-512-512": (_mit, _decoder),
    "facebook/dinov2-base": (_dino, lambda: Dinov2Model(Dinov2Config(**{**_dino().to_dict(), "use_mask_token": True}))),
}
"""What lies behind each name of the hub: the small shape, and a model of the class that saved it."""


def settings(preset: str) -> dict[str, str]:
    """The fields of a preset's file, with those of the preset that it extends."""
    given = yaml.safe_load(located(preset, True).read_text())
    return {**(settings(Path(given["extends"]).stem) if "extends" in given else {}), **given}


NAMING = [preset for preset in preset_names() if "/" in settings(preset).get("weights", "")]


def test_the_presets_that_name_weights_of_the_hub() -> None:
    assert NAMING == ["hrda", "segformer", "sense", "sense-scenes"]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)


@pytest.mark.parametrize("preset", NAMING)
def test_a_preset_starts_from_a_local_folder_trains_and_predicts(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = settings(preset)
    shape, model = KINDS[given["weights"]]
    monkeypatch.setitem(backbones.CONFIGS, given["model"], shape)
    torch.manual_seed(0)
    saved = model()
    saved.save_pretrained(tmp_path / "weights")
    make = shapes if given.get("classes") == "all" else lines
    make(tmp_path / "source", 4, 0)
    make(tmp_path / "target", 4, 1, masks=False)
    side = 70 if given["model"].startswith("dpt") else 64
    changes = [f"weights={tmp_path / 'weights'}", f"size={side}", f"window={side}", "batch=2", "iterations=1",
               "report=false", "precision=fp32", "data.workers=0", "data.holdout=0.25"]  # fmt: skip
    words = ["train", preset, "--source", str(tmp_path / "source"), "--out", str(tmp_path / "run")]
    if given.get("method", "supervised") != "supervised":
        words = ["adapt", *words[1:], "--target", str(tmp_path / "target")]
    told = CliRunner().invoke(segment, [*words, *(word for change in changes for word in ("--set", change))])
    assert told.exit_code == 0, (told.output, told.exception)
    # One step of warm-up moves the backbone little, so it still is the one of the folder.
    started = dict(saved.base_model.named_parameters())
    network = load_method(tmp_path / "run", torch.device("cpu")).network
    learned = list(getattr(network, "network", network).backbone())
    assert len(learned) > 20
    near = [
        any(one.shape == two.shape and torch.allclose(one, two, atol=1e-2) for two in started.values())
        for one in learned
    ]
    assert all(near)
    told = CliRunner().invoke(
        segment, ["predict", str(tmp_path / "run"), str(tmp_path / "target" / "img"), "--out", str(tmp_path / "found")]
    )
    assert told.exit_code == 0, (told.output, told.exception)
    masks = sorted((tmp_path / "found" / "mask").glob("*.png"))
    pictures = sorted((tmp_path / "target" / "img").glob("*.png"))
    assert [path.stem for path in masks] == [path.stem for path in pictures]
    for mask, picture in zip(masks, pictures, strict=True):
        assert np.asarray(Image.open(mask)).shape == np.asarray(Image.open(picture)).shape[:2]
