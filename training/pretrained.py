"""Load models of transformers from a folder or from the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import logging

from scenes.errors import InputError

# Config fields that must agree between loaded weights and the requested model.
_SHAPE = ("model_type", "layer_type", "depths", "hidden_sizes", "hidden_size", "num_hidden_layers", "patch_size")


def load_pretrained(
    kind: type[PreTrainedModel],
    name: str,
    config: PretrainedConfig,
    weights: str,
    *,
    new: tuple[str, ...] = (),
    **options: Any,
) -> PreTrainedModel:
    """Load a model of transformers with the shape of `config` from a folder or from the Hugging Face Hub.

    name: of the network, for messages. new: beginnings of the names of tensors that may be missing or of another shape;
    they stay random. Only safetensors are read, and no remote code runs. Raises InputError.
    """
    folder = Path(weights).is_dir()
    if folder and not (Path(weights) / "config.json").is_file():
        raise InputError(f"weights: {weights}: a folder without config.json was not saved by transformers")
    if not folder and not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", weights):
        raise InputError(
            f"weights: '{weights}': not a folder, not a file, and not a valid name on the Hugging Face Hub"
        )
    try:
        with _quiet():
            theirs = PretrainedConfig.get_config_dict(weights, local_files_only=folder)[0]
            _check_shape(name, config, theirs, weights)
            model, report = kind.from_pretrained(
                weights,
                local_files_only=folder,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=bool(new),
                **options,
            )
    except (OSError, ValueError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"weights: '{weights}': transformers cannot load it: {reason}") from None
    mismatched = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    lacking = sorted(key for key in [*report["missing_keys"], *mismatched] if not key.startswith(new))
    if lacking:
        raise InputError(
            f"weights: {weights}: {len(lacking)} of {name}'s tensors are missing in it, such as {lacking[0]}"
        )
    return model


def _check_shape(name: str, config: PretrainedConfig, theirs: dict[str, Any], weights: str) -> None:
    kind = theirs.get("model_type")
    known = type(config).from_dict(theirs) if kind == config.model_type else PretrainedConfig(model_type=kind)
    for field in _SHAPE:
        given, wanted = getattr(known, field, None), getattr(config, field, None)
        if given != wanted:
            raise InputError(f"weights: {weights}: its {field} is {given}, but {name} has {wanted}")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers: no progress bars and no load reports. Missing weights are checked elsewhere."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
