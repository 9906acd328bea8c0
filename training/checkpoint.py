"""Checkpoints: tensors by name in a safetensors file, and in its metadata, as JSON, what else is to be known.

By hand and not by torch.save or accelerate: a checkpoint of strangers runs no code of theirs when it is read, and
buffers that grow during training are restored.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from scenes.errors import InputError
from scenes.files import replacing

FORMAT = 1
_KEY = "blendmill"


@dataclass(frozen=True)
class Checkpoint:
    """tensors: by dotted name, on the CPU. facts: JSON data: config, classes, digests of the data, step, …"""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors below `name.`, without it."""
        return {key.removeprefix(f"{name}."): t for key, t in self.tensors.items() if key.startswith(f"{name}.")}


def join(**parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of several parts, each name with its part's in front: the inverse of `Checkpoint.part`."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint, at once and durably: a process that dies leaves the one before it."""
    # Copies: safetensors refuses tensors that share memory, as tied weights and views do.
    apart = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        save_file(apart, temporary, metadata={_KEY: json.dumps({"format": FORMAT, **facts}, sort_keys=True)})


def read(path: Path) -> Checkpoint:
    """A checkpoint that `write` wrote. Raises InputError where it is none."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            facts = _facts(path, file.metadata())
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, facts)  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not a checkpoint that can be read: {' '.join(str(error).split())[:160]}") from None


def _facts(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        facts = json.loads((metadata or {})[_KEY])
    except (KeyError, ValueError):
        raise InputError(f"{path}: a safetensors file, but no checkpoint of blendmill") from None
    if facts.get("format") != FORMAT:
        raise InputError(f"{path}: checkpoint format {facts.get('format')}, but this version reads {FORMAT}")
    return facts


def fit_buffers(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give the buffers of a module that are None or of another shape than in a state_dict room for what is there.

    Methods keep what they know of each picture in buffers, which have their size only once training is under way.
    """
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    for prefix, owner in module.named_modules():
        for name, there in owner._buffers.items():
            wanted = tensors.get(f"{prefix}.{name}" if prefix else name)
            if wanted is not None and (there is None or there.shape != wanted.shape):
                owner._buffers[name] = torch.empty_like(wanted, device=device)


def load(module: nn.Module, tensors: Mapping[str, Tensor], where: str | Path = "checkpoint") -> None:
    """Put a state_dict's tensors into a module. Raises InputError, with `where` in front, if they do not fit."""
    fit_buffers(module, tensors)
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise InputError(f"{where}: does not fit the model: {' '.join(str(error).split())[:200]}") from None


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state that an optimizer has gathered (moments, counts), by "parameter's number.name"."""
    return {
        f"{number}.{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`; rates and other settings stay the optimizer's own."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        parameter = parameters[int(number)]
        if tensor.shape == parameter.shape:
            # Fused optimizers go through memory: a moment lies there in its parameter's order, channels last for one.
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        state[int(number)][name] = tensor
    optimizer.load_state_dict({"state": dict(state), "param_groups": optimizer.state_dict()["param_groups"]})
