"""Networks of transformers at tiny sizes: any picture size, weights from a folder, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    ConvNextConfig,
    Dinov2Config,
    Dinov2Model,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    SegformerModel,
    UperNetConfig,
    UperNetForSemanticSegmentation,
)

from scenes.errors import InputError
from segment import backbones, mask2former
from segment.config import SegmentConfig
from segment.load import make_method
from segment.models import build
from segment.network import MATCHING, NAMES, UNET, UNET_LITE0, Segmenter

_TINY: dict[str, Any] = {
    "segformer-b0": lambda: SegformerConfig(
        hidden_sizes=[4, 8, 8, 16], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=8
    ),
    "dpt-dinov2-s": lambda: Dinov2Config(
        hidden_size=16, num_attention_heads=2, num_hidden_layers=4, image_size=56, use_mask_token=False,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    ),
    "upernet-convnext-t": lambda: UperNetConfig(
        backbone_config=ConvNextConfig(
            hidden_sizes=[4, 8, 8, 16], depths=[1, 1, 1, 1], out_features=["stage1", "stage2", "stage3", "stage4"]
        ),
        hidden_size=8, use_auxiliary_head=False,
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, config in _TINY.items():
        monkeypatch.setitem(backbones.CONFIGS, name, config)
    torch.manual_seed(0)


def test_all_names_are_built() -> None:
    assert (
        set(NAMES) == {UNET, UNET_LITE0, *backbones.CONFIGS, *MATCHING} and set(MATCHING) == mask2former.CONFIGS.keys()
    )


@pytest.mark.parametrize("name", _TINY)
def test_a_network_takes_pictures_of_any_size_and_learns(name: str) -> None:
    network = build(name, 4, 2)
    assert isinstance(network, Segmenter)
    with torch.no_grad():
        assert network.eval()(torch.randn(1, 3, 50, 71)).shape == (1, 50, 71)
    network.train()(torch.randn(2, 3, 64, 64)).mean().backward()
    assert all(p.grad is not None for p in network.head.parameters())
    assert any(p.grad is not None and p.grad.any() for p in network.backbone())


@pytest.mark.parametrize("name", _TINY)
@pytest.mark.parametrize("method", ["supervised", "hrda"])
def test_backbone_and_head_are_groups_that_hold_each_parameter_once(
    name: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {"source": [{"where": "c"}]}
    size = 64 if name != "dpt-dinov2-s" else 56
    trained = make_method(SegmentConfig(data=data, model=name, method=method, size=size))
    groups = trained.groups()
    assert set(groups) == {"backbone", "head"} and groups["backbone"] and groups["head"]
    together = [id(p) for group in groups.values() for p in group]
    wanted = {id(p) for p in trained.network.parameters()}
    assert len(together) == len(set(together)) and set(together) == wanted
    images = torch.randn(2, 3, size, size)
    assert trained.eval().predict(images).shape == (2, size, size)


def saved(name: str, folder: Path) -> Path:
    config = _TINY[name]()
    if name.startswith("segformer"):
        config.num_labels = 150
        SegformerForSemanticSegmentation(config).save_pretrained(folder)
    elif name.startswith("dpt"):
        Dinov2Model(config).save_pretrained(folder)
    else:
        config.num_labels = 150
        UperNetForSemanticSegmentation(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", _TINY)
def test_the_backbone_starts_from_a_folder_of_transformers(name: str, tmp_path: Path) -> None:
    folder = saved(name, tmp_path / "model")
    first, again = (build(name, 4, 2, str(folder)) for _ in range(2))
    random = build(name, 4, 2)
    pairs = list(zip(first.backbone(), again.backbone(), random.backbone(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs) and not all(torch.equal(a, c) for a, _, c in pairs)
    if not name.startswith("dpt"):  # the decoder too, apart from what tells the 150 classes of the file
        decoders = [dict(network.decoder.named_parameters()) for network in (first, again)]  # type: ignore[union-attr]
        assert all(torch.equal(decoders[0][key], decoders[1][key]) for key in decoders[0])


def test_a_mit_encoder_alone_is_enough(tmp_path: Path) -> None:
    SegformerModel(_TINY["segformer-b0"]()).save_pretrained(tmp_path / "mit")
    assert isinstance(build("segformer-b0", 4, 2, str(tmp_path / "mit")), Segmenter)


def test_weights_of_another_shape_and_pickles_are_refused(tmp_path: Path) -> None:
    other = SegformerConfig(hidden_sizes=[8, 8, 8, 16], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2])
    SegformerModel(other).save_pretrained(tmp_path / "other")
    with pytest.raises(InputError, match="its hidden_sizes is"):
        build("segformer-b0", 4, 2, str(tmp_path / "other"))
    folder = saved("segformer-b0", tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="transformers cannot load it"):
        build("segformer-b0", 4, 2, str(folder))


def test_the_sizes_of_the_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Table 1 of SegFormer gives the encoders of B3 and B5 45.2 and 81.4 million parameters, with the class head."""
    with torch.device("meta"):
        sizes = {
            name: sum(p.numel() for p in SegformerModel(backbones.CONFIGS[f"segformer-{name}"]()).parameters())
            for name in ("b3", "b5")
        }
    assert sizes["b3"] / 1e6 == pytest.approx(44.1, abs=1.5) and sizes["b5"] / 1e6 == pytest.approx(81.4, abs=1.5)
