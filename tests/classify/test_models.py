"""Networks by name: their sizes, and what they can be loaded from."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    ConvNextConfig,
    ConvNextModel,
    Dinov2Config,
    Dinov2Model,
    ResNetConfig,
    ResNetForImageClassification,
    ResNetModel,
    ViTConfig,
    ViTForImageClassification,
    ViTModel,
)

from classify import backbones
from classify.mixer import Mixer
from classify.models import NAMES, build
from scenes.errors import InputError
from training import checkpoint
from training.efficientnet import EfficientNetLite0

TINY_RESNET = {"layer_type": "basic", "depths": [1, 1], "hidden_sizes": [8, 12], "embedding_size": 8}
TINY_VIT = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """resnet18, vit-s, convnext-t and dinov2-s of a few layers."""
    wide = {**TINY_VIT, "intermediate_size": 48, "qkv_bias": False}
    small = {
        "resnet18": lambda size: ResNetConfig(**TINY_RESNET),
        "vit-s": lambda size: ViTConfig(image_size=size, **wide),
        "convnext-t": lambda size: ConvNextConfig(depths=[1, 1, 1, 1], hidden_sizes=[4, 6, 8, 10]),
        "dinov2-s": lambda size: Dinov2Config(image_size=size, use_mask_token=False, **TINY_VIT),
    }
    for name, config in small.items():
        monkeypatch.setitem(backbones._CONFIGS, name, config)


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def images(size: int, number: int = 2) -> torch.Tensor:
    return torch.randn(number, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "parameters", "millions"),
    [("resnet50", 23_528_522, "23.53"), ("vit-b", 85_778_698, "85.78"), ("mixer-b", 59_119_162, "59.12")],
)
def test_parameters_are_those_of_s2rda_to_the_digit(name, parameters, millions):
    with torch.device("meta"):
        network = build(name, 10)
    assert count(network) == parameters
    assert f"{count(network) / 1e6:.2f}" == millions


@pytest.mark.parametrize(
    ("name", "parameters", "width"),
    [
        ("resnet18", 11_176_512, 512),
        ("resnet101", 42_500_160, 2048),
        ("vit-s", 21_651_840, 384),
        ("mixer-s", 18_528_264 - 1000 * 513, 512),
        ("convnext-t", 27_820_128, 768),
        # 4,652,008 with the 1,000 classes of ImageNet.
        ("efficientnet-lite0", 4_652_008 - 1000 * 1281, 1280),
        ("dinov2-s", 22_056_192 - 384 * (1369 - 256), 384),
        ("dinov2-b", 86_579_712 - 768 * (1369 - 256), 768),
    ],
)
def test_the_other_backbones_have_their_published_sizes(name, parameters, width):
    with torch.device("meta"):
        network = build(name, 7)
    assert network.backbone.width == network.width == width
    assert count(network.backbone) == parameters
    assert count(network.head) == 7 * (width + 1)


@pytest.mark.parametrize(
    ("name", "size"),
    [("resnet18", 40), ("vit-s", 32), ("convnext-t", 64), ("dinov2-s", 28), ("efficientnet-lite0", 33)],
)
def test_networks_map_images_to_features_and_logits(tiny, name, size):
    network = build(name, 5, size=size, bottleneck=6)
    assert all(module.training for module in network.modules())
    output = network(images(size))
    assert output.features.shape == (2, 6) and output.logits.shape == (2, 5)
    output.logits.square().sum().backward()
    idle = [name for name, parameter in network.backbone.named_parameters() if parameter.grad is None]
    assert not idle


def test_mixer_mixes_both_places_and_channels():
    with torch.device("meta"):
        whole = Mixer(48)
    assert len(whole.blocks) == 12 and whole.blocks[0].token_mlp[0].in_features == 9
    torch.manual_seed(0)
    mixer = Mixer(48, depth=1, token_hidden=5, hidden=7)
    given = images(48, 1)
    moved = given.roll(16, -1)
    assert mixer(given).shape == (1, 768)
    assert not torch.allclose(mixer(given), mixer(moved), atol=1e-4)


def test_lite0_pads_as_tensorflow_does():
    """Of an even side, a kernel of 3 with stride 2 begins at the first pixel, and reaches one beyond the last."""
    first = EfficientNetLite0().layers[0]
    torch.nn.init.ones_(first.weight)
    seen = first(torch.arange(4.0).expand(1, 3, 4, 4))
    assert seen[0, 0].tolist() == [[3 * 3 * (0 + 1 + 2), 3 * 3 * (2 + 3)], [3 * 2 * (0 + 1 + 2), 3 * 2 * (2 + 3)]]


def test_the_seed_of_torch_decides_the_weights(tiny):
    made = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        made.append(build("vit-s", 4, size=16).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(made[0].values(), made[1].values(), strict=True))
    assert not torch.equal(made[0]["head.weight"], made[2]["head.weight"])
    first = "backbone.model.layers.0.mlp.fc1.weight"
    assert not torch.equal(made[0][first], made[2][first])


@pytest.mark.parametrize("name", ["resnet18", "vit-s", "convnext-t", "dinov2-s"])
def test_folders_of_transformers_load(tiny, tmp_path, name):
    config = backbones._CONFIGS[name](28 if name == "dinov2-s" else 32)
    config.use_mask_token = True
    kind = {"resnet": ResNetForImageClassification, "vit": ViTForImageClassification}.get(config.model_type)
    kind = kind or {"convnext": ConvNextModel, "dinov2": Dinov2Model}[config.model_type]
    saved = kind(config).eval()
    saved.save_pretrained(tmp_path)
    size = getattr(config, "image_size", 32) if name != "convnext-t" else 32
    network = build(name, 3, weights=str(tmp_path), size=size)
    assert all(module.training for module in network.modules())
    base = getattr(saved, saved.base_model_prefix, saved)
    given = images(size)
    with torch.no_grad():
        wanted = base(given)
        features = network.eval()(given).features
    expected = wanted.last_hidden_state[:, 0] if name in ("vit-s", "dinov2-s") else wanted.pooler_output.flatten(1)
    torch.testing.assert_close(features, expected)


@pytest.mark.parametrize(("name", "patch"), [("vit-s", 16), ("dinov2-s", 14)])
def test_position_embeddings_serve_other_sizes(tiny, tmp_path, name, patch):
    model, _ = backbones._MODELS[backbones._CONFIGS[name](32).model_type]
    model(backbones._CONFIGS[name](4 * patch)).save_pretrained(tmp_path)
    network = build(name, 3, weights=str(tmp_path), size=2 * patch).eval()
    assert network(images(2 * patch)).logits.shape == (2, 3)


def test_half_precision_weights_are_widened(tiny, tmp_path):
    ResNetModel(ResNetConfig(**TINY_RESNET)).half().save_pretrained(tmp_path)
    network = build("resnet18", 3, weights=str(tmp_path))
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def write_checkpoint(path: Path, averaged: bool) -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    trained = build("resnet18", 9, size=32).state_dict()
    plain = {f"method.network.{name}": tensor for name, tensor in trained.items()}
    mean = {f"average.module.network.{name}": tensor * 2 for name, tensor in trained.items()} if averaged else {}
    checkpoint.write(path, plain | mean, {"step": 5})
    return trained


@pytest.mark.parametrize("averaged", [False, True])
def test_checkpoints_of_ours_give_their_backbone(tiny, tmp_path, averaged):
    trained = write_checkpoint(tmp_path / "1.safetensors", averaged)
    network = build("resnet18", 3, weights=str(tmp_path / "1.safetensors"))
    for name, tensor in network.backbone.state_dict().items():
        assert torch.equal(tensor, trained[f"backbone.{name}"] * (2 if averaged else 1))


def test_checkpoints_of_another_model_are_refused(tiny, tmp_path):
    write_checkpoint(tmp_path / "1.safetensors", False)
    with pytest.raises(InputError, match=r"1\.safetensors: does not fit the model"):
        build("vit-s", 3, weights=str(tmp_path / "1.safetensors"), size=32)


def refused(match: str, name: str = "resnet18", **settings) -> None:
    with pytest.raises(InputError, match=match) as caught:
        build(name, 3, **settings)
    assert "\n" not in str(caught.value)


def test_unknown_names_and_sizes_are_refused_with_what_would_do():
    refused("'resnet-18' is not known, did you mean 'resnet18'?", "resnet-18")
    refused("size: 100, but vit-b needs a multiple of 16, for example 96", "vit-b", size=100)
    refused("size: 96, but dinov2-s needs a multiple of 14, for example 98", "dinov2-s", size=96)
    refused("mixer-b needs a multiple of 16", "mixer-b", size=8)
    refused("mixer-b can only start from a checkpoint file", "mixer-b", weights="google/mixer")
    assert set(NAMES) == {*backbones._CONFIGS, "mixer-s", "mixer-b", "efficientnet-lite0"}


def test_weights_that_are_not_there_are_refused(tmp_path, monkeypatch):
    refused("not a folder, not a file", weights="./runs/none")
    refused("not a folder, not a file", weights="/nowhere")
    refused("a folder without config.json", weights=str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refused("'nobody/nothing': transformers cannot load it: ", weights="nobody/nothing")


def test_weights_of_another_shape_are_refused(tiny, tmp_path):
    ResNetModel(ResNetConfig(**TINY_RESNET)).save_pretrained(tmp_path)
    refused("its model_type is resnet, but vit-s has vit", "vit-s", weights=str(tmp_path), size=32)
    refused("its layer_type is basic, but resnet50 has bottleneck", "resnet50", weights=str(tmp_path))
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(settings | {"depths": [1, 2]}))
    refused(r"its depths is \[1, 2\], but resnet18 has \[1, 1\]", weights=str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps(settings | {"depths": "deep"}))
    refused("transformers cannot load it: .*'depths' with value 'deep'", weights=str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": ')
    refused("transformers cannot load it", weights=str(tmp_path))


def test_weights_that_lack_tensors_are_refused(tiny, tmp_path):
    ViTModel(backbones._CONFIGS["vit-s"](32), add_pooling_layer=False).save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    left = {name: tensor for name, tensor in tensors.items() if "layernorm.weight" not in name}
    assert len(left) == len(tensors) - 1
    save_file(left, file, metadata={"format": "pt"})
    refused("1 of vit-s's tensors are missing in it, such as layernorm.weight", "vit-s", weights=str(tmp_path), size=32)
    file.write_bytes(file.read_bytes()[:200])
    refused("transformers cannot load it", "vit-s", weights=str(tmp_path), size=32)


class Bomb:
    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_pickled_weights_are_never_read(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ResNetModel(ResNetConfig(**TINY_RESNET)).save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb()))
    refused("transformers cannot load it", weights=str(tmp_path))
    assert not Path("exploded").exists()
