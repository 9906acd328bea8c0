"""The network that is probed: a run or checkpoint of blendmill, or a module of the user's own code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from classify.config import ClassifyConfig
from classify.load import load_method
from classify.task import pipeline
from render.dataset.manifest import MANIFEST, Manifest
from scenes.errors import InputError
from training.batches import plain
from training.data.decode import resized
from training.data.loader import Loader

_BATCH = 64


@dataclass(frozen=True)
class Probe:
    """A network with the way in which it sees pictures.

    predict: logits (n, k) of normalized pictures (n, 3, size, size). classes: of the outputs, in their order. source:
    the renders that it learned from, if they are known.
    """

    predict: Callable[[Tensor], Tensor]
    config: ClassifyConfig
    classes: tuple[str, ...]
    device: torch.device
    source: Manifest | None = None

    def probabilities(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64]:
        """(n, k) of pictures (H, W, 3). They are resized as those of the test of a run, and normalized like them."""
        made = pipeline(self.config)
        loader = Loader(_InMemory(pictures), _BATCH, made.collate, workers=0, order="sequential", cache=0)
        with torch.no_grad():
            parts = [self.predict(batch.images).float().cpu() for batch in plain(loader, made.plain, self.device)]
        return torch.cat(parts).softmax(1).double().numpy()


class _InMemory:
    """Pictures without a class; a `training.data.pictures.ImageDataset`."""

    name, digest, classes = "probe", "probe", ("",)

    def __init__(self, pictures: Sequence[NDArray[np.uint8]]):
        self._pictures = pictures
        self.labels = np.full(len(pictures), -1, np.int64)

    def __len__(self) -> int:
        return len(self._pictures)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        return resized(self._pictures[i], short)

    def where(self, i: int) -> str:
        return f"picture {i} of the probe"

    def key(self, i: int) -> str:
        return str(i)


def open_probe(model: str, classes: Sequence[str], size: int, device: torch.device) -> Probe:
    """The network of a run, a checkpoint, or of `module:function`, which returns a torch.nn.Module.

    A module of the user's own is imported from the working folder or from what is installed. classes, size: of its
    outputs, and of the side of its pictures; a run knows its own. Raises InputError.
    """
    module, colon, function = model.partition(":")
    if colon and module.replace(".", "").isidentifier() and function.isidentifier() and not Path(model).exists():
        network = _own(model, module, function).to(device).eval()
        config = ClassifyConfig.model_validate({"data": {"source": [{"where": "-"}]}, "size": size})

        def predict(images: Tensor) -> Tensor:
            return _logits(network(images), model, len(classes))

        return Probe(predict, config, tuple(classes), device)
    method, config, known = load_method(Path(model), device)
    return Probe(method.predict, config, known, device, _learned_from(config))


def _own(model: str, module: str, function: str) -> nn.Module:
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(import_module(module), function)()
    except ModuleNotFoundError as error:
        raise InputError(
            f"{model}: there is no module {error.name} in this folder or among what is installed"
        ) from None
    except AttributeError as error:
        raise InputError(f"{model}: {error}; give module:function, a function without arguments") from None
    finally:
        sys.path.pop(0)
    if not isinstance(found, nn.Module):
        raise InputError(f"{model}: returned a {type(found).__name__}, expected is a torch.nn.Module")
    return found


def _logits(found: Any, model: str, classes: int) -> Tensor:
    """The logits of a module that returns them, or something that has them as `logits`."""
    logits = found if isinstance(found, Tensor) else getattr(found, "logits", None)
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[1] != classes:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(found).__name__
        raise InputError(f"{model}: gave {shape}, expected are logits (n, {classes}); name its classes with --classes")
    return logits


def _learned_from(config: ClassifyConfig) -> Manifest | None:
    """What the first set that a run learned from is, if it is a rendered one that is still there."""
    folder = Path(config.data.source[0].where)
    return Manifest.load(folder) if (folder / MANIFEST).exists() else None
