"""The device that a config names."""

from __future__ import annotations

import torch

from scenes.errors import InputError


def device_of(name: str, local: int = 0) -> torch.device:
    """The device for a name: `auto` takes a GPU if there is one, `cuda` takes GPU number `local`.

    Raises InputError if the device does not exist.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name, local) if name == "cuda" else torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device: '{name}': {str(error).splitlines()[0]}; write auto, cpu or cuda") from None
    return device
