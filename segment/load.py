"""Create a segmenter from a config, or load it from a checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch

from segment.config import SegmentConfig
from segment.methods.catalogue import METHODS
from segment.methods.supervised import Supervised
from segment.models import build
from training import checkpoint
from training.run_folder import checked, find_checkpoint

TASK = "segment"
"""The name of the task in checkpoints."""


def make_method(config: SegmentConfig) -> Supervised:
    """Create the method of the config with a network with random weights."""
    return METHODS[config.method](build(config.model, config.width, config.depth), config.chosen())


def load_method(where: Path, device: torch.device) -> Supervised:
    """Load the method of a run's folder or a checkpoint, in evaluation mode. Raises InputError."""
    saved = find_checkpoint(where, TASK)
    config = checked(SegmentConfig, saved.facts["config"], f"{where}: field config")
    method = checkpoint.restored(lambda: make_method(config), saved.part("method"), where)
    return method.to(device).eval()
