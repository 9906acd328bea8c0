"""Read network weights from files."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scenes.errors import InputError


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file by name. Raises InputError if it cannot be read."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: not weights in safetensors format: {error}") from error
