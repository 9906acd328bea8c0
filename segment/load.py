"""Create a segmenter from a config, or load it from a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import ValidationError
from torch import Tensor

from scenes.errors import InputError
from segment.config import SegmentConfig
from segment.losses import weighed
from segment.methods.catalogue import METHODS
from segment.methods.supervised import Supervised
from segment.models import build
from segment.multiscale import MultiScale
from segment.network import UNET_LITE0, Segmenter
from segment.unet import CLASSIFIERS
from training import checkpoint
from training.run_folder import Folder, checked, find_checkpoint, find_task

# Methods that take the labels of the source as they are, and predict with the network itself.
_SEGMENTING = ("supervised", "fixmatch", "rounds", "sense")

TASK = "segment"
"""The name of the task in checkpoints."""

THRESHOLD = "test_threshold"
"""The figure of a checkpoint that says from which probability on a pixel counts as crack."""


def make_method(config: SegmentConfig, network: Segmenter | None = None, classes: int = 1) -> Supervised:
    """Create the method of the config. network: by default one with random weights. classes: their number, 1 for
    cracks. Raises InputError."""
    network = network or build(config.model, config.width, config.depth, classes=classes)
    if network.segmenting and config.method not in _SEGMENTING:
        raise InputError(
            f"field method: '{config.method}' knows no objects, and {config.model} learns them; write "
            f"{' or '.join(_SEGMENTING)}"
        )
    method = METHODS[config.method](network, config.chosen(), weighed(config.loss))
    if isinstance(method.network, MultiScale) and config.size % method.network.stride:
        near = max(1, round(config.size / method.network.stride)) * method.network.stride
        raise InputError(
            f"field size: {config.size}, but '{config.method}' halves crops and needs a multiple of "
            f"{method.network.stride}, for example {near}"
        )
    return method


def make_network(config: SegmentConfig, classes: int = 1) -> Segmenter:
    """Create the network of the config with the weights that its field `weights` names. Raises InputError.

    classes: their number, 1 for cracks.
    """
    start = Path(config.weights) if config.weights else None
    ours = start is not None and (start.suffix == ".safetensors" or Folder(start).selected.exists())
    if ours and start is not None:
        if not start.exists():
            raise InputError(f"field weights: {start}: there is no such file; give one: --set weights=FILE")
        # A classifier has the weights of the encoder alone.
        ours = config.model != UNET_LITE0 or find_task(start) != CLASSIFIERS
    network = build(config.model, config.width, config.depth, None if ours else config.weights, classes)
    if ours and start is not None:
        checkpoint.load(network, network_tensors(find_checkpoint(start, TASK)), f"field weights: {start}")
    return network


def network_tensors(saved: checkpoint.Checkpoint) -> dict[str, Tensor]:
    """The tensors of the network in a checkpoint, also of a method that wraps it in two resolutions."""
    return saved.part("method.network.network") or saved.part("method.network")


class Loaded(NamedTuple):
    """A method in evaluation mode, the config of its run, the threshold that the run chose (0.5 if none), and the names
    of the classes; for cracks a single one."""

    method: Supervised
    config: SegmentConfig
    threshold: float
    classes: tuple[str, ...]

    def seeing(self, scales: Sequence[float] | None) -> Loaded:
        """The same, but pictures are seen at other sizes in prediction. None changes nothing. Raises InputError."""
        if scales is None:
            return self
        try:
            config = SegmentConfig.model_validate({**self.config.model_dump(), "scales": tuple(scales)})
        except ValidationError:
            shown = ",".join(f"{scale:g}" for scale in scales)
            raise InputError(f"scales: '{shown}' are no sizes; give some from 0.1 to 4, such as 0.5,0.7,1") from None
        return self._replace(config=config)


def load(where: Path, device: torch.device) -> Loaded:
    """Load a run's folder or a checkpoint. Raises InputError."""
    saved = find_checkpoint(where, TASK)
    config = checked(SegmentConfig, saved.facts["config"], f"{where}: field config")
    classes = tuple(saved.facts["classes"])
    method = checkpoint.restored(lambda: make_method(config, classes=len(classes)), saved.part("method"), where)
    at = [entry for entry in saved.facts["history"] if entry["step"] == saved.facts["step"]]
    return Loaded(method.to(device).eval(), config, at[-1].get(THRESHOLD, 0.5) if at else 0.5, classes)


def load_method(where: Path, device: torch.device) -> Supervised:
    """The method of a run's folder or a checkpoint, in evaluation mode. Raises InputError."""
    return load(where, device).method
