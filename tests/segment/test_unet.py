"""U-Nets: the one on EfficientNet-Lite0 starts from a classifier's weights, whatever file they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from classify.config import ClassifyConfig
from classify.models import build as classifier
from scenes.errors import InputError
from segment.cli import segment
from segment.config import SegmentConfig
from segment.load import load, make_method, make_network
from segment.methods.dacs import DACS
from segment.network import UNET_LITE0
from segment.unet import LITE0, UNetLite0
from tests.segment.test_task import lines
from training import checkpoint
from training.efficientnet import STAGES, EfficientNetLite0, Pyramid


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a classifier, with weights and statistics that no new network has."""
    torch.manual_seed(7)
    network = classifier(LITE0, 3, size=32)
    for _ in range(2):
        network(torch.randn(4, 3, 64, 64))
    return saved(network, LITE0, tmp_path_factory.mktemp("classifier") / "lite0.safetensors")


def saved(network: torch.nn.Module, model: str, path: Path) -> Path:
    config = ClassifyConfig.model_validate({"data": {"source": [{"where": "photos"}]}, "model": model})
    facts = {"task": "classify", "config": config.model_dump(mode="json"), "classes": ["a", "b", "c"], "data": {}}
    facts |= {"history": [], "seconds": 0.0, "step": 0}
    checkpoint.write(path, checkpoint.join(**{"method.network": network.state_dict()}), facts)
    return path


def config(**fields: object) -> SegmentConfig:
    return SegmentConfig.model_validate(
        {"data": {"source": [{"where": "cracks"}]}, "model": UNET_LITE0, "width": 4, **fields}
    )


def test_a_pyramid_has_the_last_map_of_each_resolution() -> None:
    assert STAGES == ((4, 16), (6, 24), (8, 40), (14, 112), (19, 320))
    torch.manual_seed(0)
    whole, pyramid = EfficientNetLite0().eval(), Pyramid(5).eval()
    images = torch.randn(1, 3, 64, 96)
    pyramid.load_state_dict({name: whole.state_dict()[name] for name in pyramid.state_dict()})
    found = pyramid(images)
    assert [maps.shape[1:] for maps in found] == [(16, 32, 48), (24, 16, 24), (40, 8, 12), (112, 4, 6), (320, 2, 3)]
    features = whole.layers[19:](found[-1]).mean((2, 3))
    assert torch.equal(features, whole(images))


@pytest.mark.parametrize("depth", [1, 4, 5])
def test_it_labels_pictures_of_any_size_and_all_of_it_learns(depth: int) -> None:
    network = UNetLite0(4, depth, classes=3)
    assert network.eval()(torch.randn(1, 3, 50, 71)).shape == (1, 3, 50, 71)
    network.train()(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert network.eval()(torch.randn(1, 3, 1, 3)).shape == (1, 3, 1, 3)


def test_the_encoder_starts_from_a_classifier_and_sees_levels_as_it_did(weights: Path) -> None:
    theirs = checkpoint.read(weights).part("method.network.backbone")
    network = make_network(config(weights=str(weights))).eval()
    assert isinstance(network, UNetLite0)
    own = network.encoder.state_dict()
    assert len(own) == 198 and all(torch.equal(own[name], theirs[name]) for name in own)
    # The public weights take levels of 0 to 1 as -1 to 1; ours are normalized to -2 to 2.
    levels = torch.rand(1, 3, 32, 32)
    seen = network.encode((levels - 0.5) / 0.25)[1:]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(seen, network.encoder(2 * levels - 1), strict=True))


def test_encoder_and_decoder_learn_at_rates_of_their_own(weights: Path) -> None:
    groups = make_method(config(), make_network(config(weights=str(weights)))).groups()
    assert set(groups) == {"backbone", "head"} and len(groups["backbone"]) == 99


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"depth": 6}, "field depth: 6, but unet-lite0 halves at most 5 times"),
        ({"weights": "gone.safetensors"}, "field weights: gone.safetensors: there is no such file"),
        ({"weights": "nvidia/mit-b5"}, "nvidia/mit-b5: not a checkpoint that can be read"),
        ({"weights": "OTHER"}, "of mixer-s; unet-lite0 needs those of efficientnet-lite0"),
        ({"weights": "WRONG"}, "does not fit the model: it has no tensor layers.0.weight"),
    ],
)
def test_what_it_cannot_start_from(change: dict[str, object], words: str, tmp_path: Path) -> None:
    places = {"OTHER": "mixer-s", "WRONG": LITE0}
    if (name := str(change.get("weights"))) in places:
        change = {"weights": str(saved(torch.nn.Linear(1, 1), places[name], tmp_path / "other.safetensors"))}
    with pytest.raises(InputError, match=words):
        make_network(config(**change))


@pytest.mark.parametrize("adapting", [False, True])
def test_the_preset_starts_from_a_classifier_trains_and_predicts(adapting: bool, weights: Path, tmp_path: Path) -> None:
    lines(tmp_path / "source", 4, 0, side=41)
    changes = [f"weights={weights}", "size=32", "batch=2", "iterations=1", "report=false", "data.workers=0"]
    how = ["adapt", "lite0", "--method", "dacs", "--target", str(tmp_path / "source" / "img")]
    words = [*(how if adapting else ["train", "lite0"]), "--source", str(tmp_path / "source")]
    words += ["--out", str(tmp_path / "run")]
    told = CliRunner().invoke(segment, [*words, *(word for change in changes for word in ("--set", change))])
    assert told.exit_code == 0, (told.output, told.exception)
    taught = load(tmp_path / "run", torch.device("cpu")).config
    if adapting:
        settings = taught.chosen()
        assert isinstance(settings, DACS.Settings)
        assert (settings.portion, settings.scales, settings.warm_up) == (0.5, (0.5, 0.7, 1), 0.3)
    assert taught.augment.zoom == 2
    found = ["predict", str(tmp_path / "run"), str(tmp_path / "source" / "img"), "--out", str(tmp_path / "found")]
    told = CliRunner().invoke(segment, found)
    assert told.exit_code == 0, (told.output, told.exception)
    masks = sorted((tmp_path / "found" / "mask").glob("*.png"))
    assert len(masks) == 4 and all(Image.open(mask).size == (41, 41) for mask in masks)
    # One step of warm-up moves the encoder little.
    learned = make_network(config(weights=str(tmp_path / "run"), width=8)).encoder.state_dict()  # type: ignore[operator]
    theirs = checkpoint.read(weights).part("method.network.backbone")
    names = [name for name in learned if name.endswith("weight")]
    assert all(torch.allclose(learned[name], theirs[name], atol=1e-2) for name in names)
