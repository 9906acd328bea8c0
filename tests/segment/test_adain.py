"""Style transfer by AdaIN, with weights made up: the method's own properties hold for any encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from scenes.errors import InputError
from segment.adain import Encoder, adain, stylized
from segment.cli import stylize


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(Encoder().state_dict(), path)
    return path


def test_adain_has_the_moments_of_the_style_and_the_pattern_of_the_content() -> None:
    generator = torch.Generator().manual_seed(1)
    content = torch.randn(2, 3, 8, 9, generator=generator) * 3 + 1
    style = torch.rand(2, 3, 5, 4, generator=generator) * 7
    made = adain(content, style)
    torch.testing.assert_close(made.mean((2, 3)), style.mean((2, 3)))
    torch.testing.assert_close(made.std((2, 3), correction=0), style.std((2, 3), correction=0), rtol=1e-3, atol=1e-3)
    correlation = torch.corrcoef(torch.stack([made[0, 0].flatten(), content[0, 0].flatten()]))[0, 1]
    assert correlation > 0.9999
    torch.testing.assert_close(adain(content, content), content)


def test_vgg_19_has_its_layers_at_torchvisions_places(weights: Path) -> None:
    assert [name for name in Encoder().state_dict() if name.endswith("weight")] == [
        f"features.{place}.weight" for place in (0, 2, 5, 7, 10, 12, 14, 16, 19)
    ]
    shapes = [tuple(values.shape[1:]) for values in Encoder.load(weights)(torch.rand(1, 3, 64, 48))]
    assert shapes == [(64, 64, 48), (128, 32, 24), (256, 16, 12), (512, 8, 6)]


def test_a_picture_takes_the_style_over_as_far_as_it_is_told(weights: Path) -> None:
    encoder = Encoder.load(weights)
    generator = torch.Generator().manual_seed(2)
    content = torch.rand(1, 3, 32, 32, generator=generator) * 0.2 + 0.7
    style = torch.rand(1, 3, 40, 32, generator=generator) * 0.3
    whole, none = (stylized(content, style, encoder, strength, steps=15) for strength in (1.0, 0.0))
    torch.testing.assert_close(none, content)
    assert abs(whole.mean() - style.mean()) < 0.25 * abs(content.mean() - style.mean())


def test_the_command_keeps_masks_and_what_is_there(tmp_path: Path, weights: Path) -> None:
    rng = np.random.default_rng(3)
    for folder in ("set/img", "set/mask", "photos"):
        (tmp_path / folder).mkdir(parents=True)
    mask = np.where(rng.random((40, 36)) < 0.1, 255, 0).astype(np.uint8)
    Image.fromarray(rng.integers(100, 200, (40, 36, 3)).astype(np.uint8)).save(tmp_path / "set/img/a.png")
    Image.fromarray(mask).save(tmp_path / "set/mask/a.png")
    Image.fromarray(rng.integers(0, 90, (60, 50, 3)).astype(np.uint8)).save(tmp_path / "photos/p.jpg")
    arguments = [str(tmp_path / "set"), "--styles", str(tmp_path / "photos"), "--vgg", str(weights), "--steps", "2"]
    arguments += ["--out", str(tmp_path / "out")]
    assert CliRunner().invoke(stylize, arguments, catch_exceptions=False).exit_code == 0
    made = tmp_path / "out/img/a.png"
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out/mask/a.png")), mask)
    assert not np.array_equal(np.asarray(Image.open(made)), np.asarray(Image.open(tmp_path / "set/img/a.png")))
    before = made.stat().st_mtime_ns
    CliRunner().invoke(stylize, arguments, catch_exceptions=False)
    assert made.stat().st_mtime_ns == before


def test_weights_that_are_not_vggs_are_told(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    save_file({"features.0.weight": torch.zeros(64, 1, 3, 3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"broken\.safetensors: not weights"):
        Encoder.load(tmp_path / "broken.safetensors")
    with pytest.raises(InputError, match=r"features\.0\.weight is \(64, 1, 3, 3\), VGG-19 has \(64, 3, 3, 3\)"):
        Encoder.load(tmp_path / "other.safetensors")
