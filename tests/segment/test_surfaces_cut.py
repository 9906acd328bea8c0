"""Surfaces without cracks, cut out of photographs with cracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from safetensors.torch import save_file

from scenes.errors import InputError
from segment.clear_patches import clear_piece
from segment.cli import surfaces
from segment.config import SegmentConfig
from segment.load import load_method
from segment.unet import UNet
from training import checkpoint


def _brute(free: np.ndarray, smallest: int) -> int:
    """Pixels of the largest rectangle of True, of all rectangles there are."""
    taken = np.pad(np.cumsum(np.cumsum(~free, axis=0, dtype=np.int32), axis=1), ((1, 0), (1, 0)))
    top, bottom = np.triu_indices(len(taken), smallest)
    left, right = np.triu_indices(taken.shape[1], smallest)
    rows = taken[bottom] - taken[top]
    clear = rows[:, right] == rows[:, left]
    return int(np.outer(bottom - top, right - left)[clear].max(initial=0))


@given(arrays(bool, (7, 9), elements=st.sampled_from([False, False, False, True])), st.integers(1, 4))
def test_the_piece_is_the_largest_that_is_clear(cells: np.ndarray, smallest: int) -> None:
    crack = np.kron(cells, np.ones((40, 40), bool))  # squares of 40 px, far apart against the distance that is kept
    piece = clear_piece(crack, 40 * smallest)
    near = np.zeros_like(crack)
    for row, column in np.argwhere(cells):
        near[max(40 * row - 8, 0) : 40 * row + 48, max(40 * column - 8, 0) : 40 * column + 48] = True
    best = _brute(~near[::8, ::8], 5 * smallest)
    if piece is None:
        assert best == 0
    else:
        assert not near[piece].any()
        height, width = (part.stop - part.start for part in piece)
        assert min(height, width) >= 40 * smallest and height * width == 64 * best


def test_specks_do_not_count() -> None:
    crack = np.zeros((128, 96), bool)
    crack[60:68, 50:54] = True
    assert clear_piece(crack, 96) == np.s_[0:128, 0:96]
    crack[56:70, 50:54] = True
    assert clear_piece(crack, 96) is None


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A light picture with a dark stripe, a wholly dark one, and one that is broken."""
    folder = tmp_path / "photos"
    folder.mkdir()
    gray = np.full((160, 200), 200, np.uint8)
    gray[:, 40:60] = 0
    for name, values in (("striped", gray), ("dark", np.zeros_like(gray))):
        Image.fromarray(np.repeat(values[..., None], 3, 2)).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A checkpoint of a network that takes what is dark for crack, whatever is around."""
    network = UNet(width=2, depth=1)
    state = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    for name in state:
        if name.endswith(("running_var", "1.weight", "4.weight")):
            state[name] = torch.ones_like(state[name])
    # The first channel goes past the deeper level to the head.
    state["down.0.0.weight"][0, 0, 1, 1] = 1
    state["down.0.3.weight"][0, 0, 1, 1] = 1
    state["up.0.0.weight"][0, 0, 1, 1] = 1
    state["up.0.3.weight"][0, 0, 1, 1] = 1
    state["head.weight"][0, 0] = -20
    state["head.bias"][0] = 5
    config = SegmentConfig.model_validate({"data": {"source": [{"where": "x"}]}, "width": 2, "depth": 1})
    path = tmp_path / "weights.safetensors"
    tensors = {f"method.network.{name}": tensor for name, tensor in state.items()}
    facts = {"task": "segment", "config": config.model_dump(mode="json"), "classes": ["crack"], "data": {},
             "history": [], "seconds": 0.0, "step": 1}  # fmt: skip
    checkpoint.write(path, tensors, facts)
    return path


def test_the_command_cuts_what_the_network_finds_clear(photos: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "surfaces"
    arguments = [str(photos), "--weights", str(weights), "--out", str(out)]
    result = CliRunner().invoke(surfaces, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "1 surfaces" in result.output and "1 photographs have no piece" in result.output
    assert "broken.png" in result.output
    assert [path.name for path in out.iterdir()] == ["striped.png"]
    with Image.open(out / "striped.png") as image:
        assert image.size == (132, 160) and np.asarray(image).min() == 200
    before = (out / "striped.png").stat().st_mtime_ns
    (photos / "striped.png").write_bytes(b"not read again")
    result = CliRunner().invoke(surfaces, arguments, catch_exceptions=False)
    assert "1 surfaces" in result.output and "striped.png: " not in result.output
    assert (out / "striped.png").stat().st_mtime_ns == before


def test_pictures_are_seen_at_the_sizes_of_the_run(photos: Path, weights: Path, tmp_path: Path) -> None:
    gray = np.full((160, 200, 3), 200, np.uint8)
    gray[:, 50:52] = 0  # gone where it is averaged over ten pixels
    Image.fromarray(gray).save(photos / "striped.png")
    saved = checkpoint.read(weights)
    for sizes, width in (([1.0], 140), ([0.1], 200)):
        facts = {**saved.facts, "config": {**saved.facts["config"], "scales": sizes}}
        checkpoint.write(weights, saved.tensors, facts)
        out = tmp_path / str(width)
        result = CliRunner().invoke(surfaces, [str(photos), "--weights", str(weights), "--out", str(out)])
        assert result.exit_code == 0, result.output
        with Image.open(out / "striped.png") as image:
            assert image.size == (width, 160)


def test_a_network_of_classes_finds_no_cracks(photos: Path, weights: Path, tmp_path: Path) -> None:
    facts = {**checkpoint.read(weights).facts, "classes": ["a", "b", "c"]}
    facts["config"] = {**facts["config"], "classes": ["a", "b", "c"]}
    tensors = {f"method.network.{name}": tensor for name, tensor in UNet(2, 1, 3).state_dict().items()}
    checkpoint.write(weights, tensors, facts)
    error = (
        CliRunner().invoke(surfaces, [str(photos), "--weights", str(weights), "--out", str(tmp_path / "out")]).exception
    )
    assert isinstance(error, InputError) and "weights.safetensors: tells 3 classes apart" in str(error)


def test_weights_of_something_else_are_refused(photos: Path, weights: Path, tmp_path: Path) -> None:
    save_file({"fc.weight": torch.zeros(3, 3)}, tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    saved = checkpoint.read(weights)
    checkpoint.write(tmp_path / "classifier.safetensors", saved.tensors, {**saved.facts, "task": "classify"})
    wider = {**saved.facts["config"], "width": 4}
    checkpoint.write(tmp_path / "wider.safetensors", saved.tensors, {**saved.facts, "config": wider})
    for name, told in (
        ("other", "not a checkpoint of blendmill"),
        ("text", "not a checkpoint that can be read"),
        ("gone", "not a checkpoint that can be read"),
        ("classifier", "a checkpoint of the task 'classify', give one of 'segment'"),
        ("wider", "does not fit the model"),
    ):
        with pytest.raises(InputError, match=f"{name}.*{told}"):
            load_method(tmp_path / f"{name}.safetensors", torch.device("cpu"))
