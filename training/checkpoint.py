"""Checkpoints: a safetensors file with tensors by name. Its metadata holds all other facts as JSON.

torch.save and accelerate are not used, for two reasons. Reading a checkpoint from an unknown source must not run its
code. And buffers that grow during training must be restored.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from scenes.errors import InputError, choices, shortened
from scenes.files import replacing

FORMAT = 1
_KEY = "blendmill"
# The names of the state of each parameter.
_STATE: Mapping[type[torch.optim.Optimizer], tuple[str, ...]] = {
    torch.optim.SGD: ("momentum_buffer",),
    torch.optim.Adam: ("step", "exp_avg", "exp_avg_sq"),
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
}


@dataclass(frozen=True)
class Checkpoint:
    """tensors: by dotted name, on the CPU. facts: JSON data such as config, classes, digests of the data and step."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors whose names begin with `name.`, under their names without it."""
        return {key.removeprefix(f"{name}."): t for key, t in self.tensors.items() if key.startswith(f"{name}.")}

    def backbone(self) -> dict[str, Tensor]:
        """The tensors of a classifier's backbone: the averaged ones if there are some."""
        return self.part("average.module.network.backbone") or self.part("method.network.backbone")


def join(**parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Join the tensors of several parts under names `part.name`: the inverse of `Checkpoint.part`."""
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}


def write(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a checkpoint completely or not at all. If the process dies, the previous checkpoint remains.

    Raises InputError if the disk is full or cannot be written to.
    """
    # Copied because safetensors refuses tensors that share memory, such as tied weights and views.
    apart = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()
    }
    text = json.dumps({"format": FORMAT, **facts}, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file(apart, temporary, metadata={_KEY: text})
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: cannot be written: {' '.join(str(error).split())[:160]}; the checkpoint before it is kept: make "
            "room, then give the same command again"
        ) from None


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises InputError if the file is not a checkpoint of blendmill."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            facts = _facts(path, file.metadata())
            return Checkpoint({name: file.get_tensor(name) for name in file.keys()}, facts)  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def read_facts(path: Path) -> Mapping[str, Any]:
    """The facts of a checkpoint, without its tensors. Raises InputError as `read` does."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return _facts(path, file.metadata())
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a checkpoint that can be read: {' '.join(str(error).split())[:160]}")


def _facts(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    try:
        facts = json.loads((metadata or {})[_KEY])
    except (KeyError, ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise InputError(f"{path}: a safetensors file, but not a checkpoint of blendmill")
    if facts.get("format") != FORMAT:
        raise InputError(f"{path}: checkpoint format {facts.get('format')}, but this version reads {FORMAT}")
    return facts


def require_fit(module: nn.Module, tensors: Mapping[str, Tensor], where: str | Path) -> None:
    """Raise InputError, which names `where`, unless the tensors of a state_dict fit a module.

    The module may lie on the device `meta`. So a checkpoint can be refused before memory is taken for its network.
    """
    own, growing = module.state_dict(), set(_growing(module))
    for name in sorted((own.keys() | tensors.keys()) - growing):
        wanted, found = own.get(name), tensors.get(name)
        if wanted is None or found is None:
            what = "has no" if found is None else "has an unknown"
            raise InputError(f"{where}: does not fit the model: it {what} tensor {shortened(name)}")
        if wanted.shape != found.shape or wanted.is_floating_point() != found.is_floating_point():
            kinds = " instead of ".join(f"{tuple(t.shape)} {t.dtype}".replace("torch.", "") for t in (found, wanted))
            raise InputError(f"{where}: does not fit the model: {name} is {kinds}")


def _growing(module: nn.Module) -> Iterator[str]:
    """The names of the buffers that get their size only during training."""
    for prefix, owner in module.named_modules():
        for name, buffer in owner._buffers.items():
            if buffer is None or not buffer.numel():
                yield f"{prefix}.{name}" if prefix else name


def fit_buffers(module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Resize the buffers of a module to the shapes in a state_dict.

    Some methods keep values for each picture in buffers. These get their size only during training.
    """
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    for prefix, owner in module.named_modules():
        for name, there in owner._buffers.items():
            wanted = tensors.get(f"{prefix}.{name}" if prefix else name)
            if wanted is not None and (there is None or there.shape != wanted.shape):
                owner._buffers[name] = torch.empty_like(wanted, device=device)


def load(module: nn.Module, tensors: Mapping[str, Tensor], where: str | Path = "checkpoint") -> None:
    """Load the tensors of a state_dict into a module. Raises InputError, which names `where`, if they do not fit."""
    require_fit(module, tensors, where)
    fit_buffers(module, tensors)
    try:
        module.load_state_dict(dict(tensors))
    except RuntimeError as error:
        raise InputError(f"{where}: does not fit the model: {' '.join(str(error).split())[:200]}") from None


N = TypeVar("N", bound=nn.Module)


def restored(make: Callable[[], N], tensors: Mapping[str, Tensor], where: str | Path) -> N:
    """The module that `make` returns, with the tensors of a state_dict. Raises InputError if they do not fit.

    It is first made without memory: a config may ask for any size of network.
    """
    try:
        with torch.device("meta"):
            require_fit(make(), tensors, where)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{where}: the network of its config cannot be made: {reason}") from None
    module = make()
    load(module, tensors, where)
    return module


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimizer (moments, counts), by names "number of the parameter.name"."""
    return {
        f"{number}.{name}": value
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }


def load_optimizer(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], where: str | Path = "checkpoint"
) -> None:
    """The inverse of `optimizer_tensors`. Learning rates and other settings stay as they are.

    Raises InputError, which names `where`, if the state is that of another optimizer.
    """
    names = _STATE[type(optimizer)]
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for key, tensor in tensors.items():
        number, _, name = key.partition(".")
        if not number.isdecimal() or int(number) >= len(parameters) or name not in names:
            raise InputError(f"{where}: state {shortened(key)} is of another optimizer: {choices(name, names)}")
        parameter = parameters[int(number)]
        if tensor.shape != (() if name == "step" else parameter.shape) or not tensor.is_floating_point():
            raise InputError(f"{where}: state {shortened(key)} does not fit its parameter: it is {tuple(tensor.shape)}")
        if tensor.shape == parameter.shape:
            # Fused optimizers need moments in the memory format of the parameter, such as channels last.
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        state[int(number)][name] = tensor
    optimizer.load_state_dict({"state": dict(state), "param_groups": optimizer.state_dict()["param_groups"]})
