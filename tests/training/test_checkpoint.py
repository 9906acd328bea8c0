"""Checkpoints: what is written is read, a damaged or foreign file is one line, a writer that dies leaves the last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scenes.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from training import checkpoint  # noqa: E402


def test_what_is_written_is_read(tmp_path: Path) -> None:
    base = torch.arange(6.0)
    tensors = checkpoint.join(method={"a": base[:3], "b": base.view(2, 3).T}, average={"n": torch.tensor(7)})
    checkpoint.write(tmp_path / "sub" / "x.safetensors", tensors, {"step": 3, "config": {"seed": 1}})
    saved = checkpoint.read(tmp_path / "sub" / "x.safetensors")
    assert set(saved.part("method")) == {"a", "b"} and set(saved.part("average")) == {"n"}
    assert all(torch.equal(saved.tensors[name], tensor) for name, tensor in tensors.items())
    assert saved.facts["step"] == 3 and saved.facts["config"] == {"seed": 1}


def test_any_reader_of_safetensors_finds_config_and_data_hash(tmp_path: Path) -> None:
    checkpoint.write(
        tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {"config": {"seed": 1}, "data": {"source": "ab"}}
    )
    with safe_open(tmp_path / "x.safetensors", framework="pt") as file:
        facts = json.loads(file.metadata()["blendmill"])
    assert facts["config"]["seed"] == 1 and facts["data"]["source"] == "ab"


def test_the_same_content_is_the_same_file(tmp_path: Path) -> None:
    for name in ("x", "y"):
        checkpoint.write(tmp_path / name, {"b": torch.ones(2), "a": torch.zeros(3)}, {"step": 1, "more": [1, 2]})
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 60, -1])
def test_a_truncated_file_is_one_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "x.safetensors"
    checkpoint.write(path, {"a": torch.zeros(100)}, {"step": 1})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"x\.safetensors: not a checkpoint that can be read"):
        checkpoint.read(path)


def test_foreign_missing_and_newer_files_are_told(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "newer.safetensors", metadata={"blendmill": '{"format": 99}'})
    for name, words in (
        ("foreign", "not a checkpoint of blendmill"),
        ("newer", "format 99"),
        ("none", "cannot|can be read"),
    ):
        with pytest.raises(InputError, match=words):
            checkpoint.read(tmp_path / f"{name}.safetensors")


def test_a_writer_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    checkpoint.write(path, {"a": torch.zeros(1)}, {"step": 1})
    with pytest.raises(TypeError):
        checkpoint.write(path, {"a": torch.ones(1)}, {"step": object()})
    assert checkpoint.read(path).facts["step"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


class Remembers(nn.Module):
    """A module whose buffers have their size late."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("late", None)
        self.register_buffer("grown", torch.zeros(0))


def test_buffers_are_restored_whatever_size_they_came_to() -> None:
    module, fresh = Remembers(), Remembers()
    module.late, module.grown = torch.arange(3), torch.ones(5)
    checkpoint.load(fresh, module.state_dict())
    assert torch.equal(fresh.late, module.late) and torch.equal(fresh.grown, module.grown)
    with pytest.raises(InputError, match="x: does not fit the model"):
        checkpoint.load(nn.Linear(3, 2), module.layer.state_dict(), "x")


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_an_optimizer_goes_on_as_it_was(kind: str) -> None:
    def steps(optimizer: torch.optim.Optimizer, weight: nn.Parameter, count: int) -> None:
        for _ in range(count):
            weight.grad = weight.detach() * 2 + 1
            optimizer.step()

    def made(value: torch.Tensor) -> tuple[nn.Parameter, torch.optim.Optimizer]:
        weight = nn.Parameter(value.clone())
        make = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[kind]
        return weight, make([weight], lr=0.1, **({"momentum": 0.9} if kind == "sgd" else {}))

    weight, optimizer = made(torch.ones(3))
    steps(optimizer, weight, 4)
    again, other = made(weight.detach())
    state = {name: tensor.clone() for name, tensor in checkpoint.optimizer_tensors(optimizer).items()}
    checkpoint.load_optimizer(other, state)
    steps(optimizer, weight, 3)
    steps(other, again, 3)
    assert torch.equal(weight, again)
