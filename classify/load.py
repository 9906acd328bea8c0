"""Create networks and methods from a config, or load them from a checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from classify.config import ClassifyConfig
from classify.methods.base import Method
from classify.methods.catalogue import methods
from classify.models import build
from classify.network import Network
from training import checkpoint
from training.run_folder import Folder, checked, find_checkpoint

TASK = "classify"
"""The name of the task in checkpoints."""


def make_method(config: ClassifyConfig, classes: int, network: Network) -> Method:
    """Create the method of the config with a network."""
    return methods()[config.method](network, classes, config.chosen())


def make_network(config: ClassifyConfig, classes: tuple[str, ...]) -> Network:
    """Create the network of the config with its weights: a run, a checkpoint of blendmill, or weights for `build`.

    From a run or checkpoint, backbone and bottleneck are loaded, and also the head if the classes are the same.
    """
    start = Path(config.weights) if config.weights else None
    ours = start is not None and (start.suffix == ".safetensors" or Folder(start).selected.exists())
    weights = None if ours else config.weights
    network = build(config.model, len(classes), weights=weights, size=config.size, bottleneck=config.bottleneck)
    if ours and start is not None:
        saved = find_checkpoint(start, TASK)
        own = network.state_dict()
        taken = {name: tensor for name, tensor in saved.part("method.network").items() if name in own}
        if tuple(saved.facts["classes"]) != classes:
            taken |= {name: tensor for name, tensor in own.items() if name.startswith("head.")}
        checkpoint.load(network, taken, f"field weights: {start}")
    return network


def load_method(where: Path, device: torch.device) -> tuple[Method, ClassifyConfig, tuple[str, ...]]:
    """Load the method of a run or a checkpoint, in evaluation mode, with its config and classes. Raises InputError."""
    saved = find_checkpoint(where, TASK)
    config = checked(ClassifyConfig, saved.facts["config"], f"{where}: field config")
    classes = tuple(saved.facts["classes"])
    bare = config.model_copy(update={"weights": None})
    method = checkpoint.restored(
        lambda: make_method(config, len(classes), make_network(bare, classes)), saved.part("method"), where
    )
    return method.to(device).eval(), config, classes
