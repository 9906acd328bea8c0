"""Photographs of all kinds are predicted; broken ones are named and left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from scenes.errors import InputError
from segment.cli import segment
from segment.config import SegmentConfig
from segment.evaluate import evaluated
from segment.inference import Inference
from segment.load import load
from segment.metrics import score
from segment.models import probabilities
from tests.segment.test_task import lines, written


def run(*arguments: object) -> Result:
    return CliRunner().invoke(segment, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trained")
    lines(root / "source", 8, 0)
    config = written(root, root / "c.yaml", data={"test": None}, iterations=80, window=64)
    told = run("train", config, "--out", root / "run")
    assert told.exit_code == 0, told.output
    return root / "run"


def photos(root: Path) -> dict[str, tuple[int, int]]:
    """Pictures of every kind, with the size (rows, columns) that each has when it is seen upright."""
    root.mkdir()
    y, x = np.mgrid[:80, :150]
    gray = np.where(np.abs(x - 60 - y // 4) < 2, 60, 150).astype(np.uint8)
    rgb = np.dstack([gray] * 3)
    Image.fromarray(rgb).save(root / "plain.jpg", quality=95)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.rot90(rgb)).save(root / "turned.png", exif=turned)
    Image.fromarray(rgb).convert("CMYK").save(root / "inks.jpg", quality=95)
    Image.fromarray(gray.astype(np.uint16) * 257).save(root / "deep.png")
    Image.fromarray(np.dstack([rgb, np.full_like(gray, 255)])).save(root / "alpha.png")
    Image.fromarray(gray).convert("P").save(root / "palette.png")
    Image.fromarray(np.tile(rgb, (3, 2, 1))).save(root / "large.webp", lossless=True)
    (root / "cut.png").write_bytes((root / "alpha.png").read_bytes()[:200])
    (root / "empty.jpg").write_bytes(b"")
    return {
        "plain": (80, 150), "turned": (80, 150), "inks": (80, 150), "deep": (80, 150), "alpha": (80, 150),
        "palette": (80, 150), "large": (240, 300),
    }  # fmt: skip


def test_pictures_of_every_kind_get_a_mask_of_their_size(trained: Path, tmp_path: Path) -> None:
    sizes = photos(tmp_path / "photos")
    told = run("predict", trained, tmp_path / "photos", "--out", tmp_path / "out")
    assert told.exit_code == 0, told.output
    assert "7 pictures in" in told.output
    assert {line.split(": ")[1].split("/")[-1] for line in told.output.splitlines() if line.startswith("left out")} == {
        "cut.png", "empty.jpg",
    }  # fmt: skip
    for name, size in sizes.items():
        mask = np.asarray(Image.open(tmp_path / "out" / "mask" / f"{name}.png"))
        assert mask.shape == size and set(np.unique(mask)) == {0, 255}, name
        assert np.asarray(Image.open(tmp_path / "out" / "overlay" / f"{name}.png")).shape == (*size, 3)
        probability = np.asarray(Image.open(tmp_path / "out" / "probability" / f"{name}.png"))
        assert probability[mask > 0].min() >= probability[mask == 0].max() - 1
    y, x = np.mgrid[:80, :150]
    crack = np.abs(x - 60 - y // 4) < 2
    for name in ("plain", "turned", "deep", "alpha"):
        mask = np.asarray(Image.open(tmp_path / "out" / "mask" / f"{name}.png")) > 0
        assert (mask & crack).sum() / (mask | crack).sum() > 0.5, name


def test_what_is_there_stays_and_what_is_missing_is_made(trained: Path, tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    assert run("predict", trained, tmp_path / "photos", "--out", tmp_path / "out").exit_code == 0
    kept, gone = tmp_path / "out" / "mask" / "plain.png", tmp_path / "out" / "mask" / "deep.png"
    kept.write_bytes(b"mine")
    gone.unlink()
    told = run("predict", trained, tmp_path / "photos", "--out", tmp_path / "out", "--threshold", "0.999")
    assert told.exit_code == 0 and kept.read_bytes() == b"mine" and gone.is_file()


def test_pictures_are_seen_at_the_sizes_that_are_asked_for(trained: Path, tmp_path: Path) -> None:
    where, found = lines(tmp_path / "photos", 1, 5, side=80), load(trained, torch.device("cpu"))
    picture = np.asarray(Image.open(where / "img" / "0.png"))
    wanted = probabilities(found.method, picture, Inference(window=64, scales=(0.5, 1.0)))
    assert np.abs(wanted - probabilities(found.method, picture, found.config.inference)).max() > 0.1
    for name, given in (("asked", ("--scales", "0.5,1")), ("own", ())):
        assert run("predict", trained, where / "img", "--out", tmp_path / name, *given).exit_code == 0
    shown = np.asarray(Image.open(tmp_path / "asked" / "probability" / "0.png"))
    assert np.abs(shown - 255 * wanted).max() <= 0.51
    figures = evaluated(trained, str(where), scales=(0.5, 1.0))
    mask = np.asarray(Image.open(where / "mask" / "0.png")) > 0
    assert figures["oracle_iou"] == score([(wanted, mask)]).iou().max()
    assert figures["oracle_iou"] != evaluated(trained, str(where))["oracle_iou"]
    changed = SegmentConfig.model_validate({**found.config.model_dump(), "scales": [0.5, 1]})
    assert changed.inference == Inference(64, (0.5, 1.0))


@pytest.mark.parametrize(
    ("sizes", "told"), [("0.5,x", "0.5,x"), ("0", "scales: '0'"), ("1,9", "scales: '1,9'"), ("nan", "scales: 'nan'")]
)
def test_sizes_that_are_none_are_one_line(trained: Path, tmp_path: Path, sizes: str, told: str) -> None:
    found = run("predict", trained, tmp_path, "--out", tmp_path / "out", "--scales", sizes)
    assert found.exit_code and told in (str(found.exception) + found.output)


def test_a_folder_without_a_picture_that_can_be_used_is_one_line(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(b"nothing")
    error = run("predict", trained, tmp_path / "photos", "--out", tmp_path / "out").exception
    assert isinstance(error, InputError) and "no picture can be used" in str(error) and "\n" not in str(error)


def test_broken_photographs_of_the_target_are_told_and_training_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines(tmp_path / "source", 4, 0)
    lines(tmp_path / "photos", 24, 1, masks=False)
    (tmp_path / "photos" / "img" / "7.png").write_bytes(b"\x89PNG nothing")
    config = written(tmp_path, tmp_path / "c.yaml", data={"test": None}, iterations=6, batch=4)
    told = run("adapt", config, "--method", "dacs", "--target", tmp_path / "photos", "--out", tmp_path / "run")
    assert told.exit_code == 0, told.output
    broken = [line for line in caplog.messages if "7.png" in line]
    assert broken and all("\n" not in line and line.startswith("left out: ") for line in broken)


def test_masks_without_a_crack_train_and_are_evaluated(tmp_path: Path) -> None:
    lines(tmp_path / "source", 4, 0)
    for k in (0, 1):
        Image.new("L", (64, 64)).save(tmp_path / "source" / "mask" / f"{k}.png")
    lines(tmp_path / "clear", 3, 1)
    for k in range(3):
        Image.new("L", (64, 64)).save(tmp_path / "clear" / "mask" / f"{k}.png")
    config = written(tmp_path, tmp_path / "c.yaml", data={"test": None}, iterations=4, batch=4, augment={"crack": 1.0})
    assert run("train", config, "--out", tmp_path / "run").exit_code == 0
    told = run("evaluate", tmp_path / "run", tmp_path / "clear")
    assert told.exit_code == 0, told.output
    assert "cl dice  0.0" in told.output or "cl dice  none" in told.output
    assert "false positive share  0." in told.output or "false positive share  1." in told.output
