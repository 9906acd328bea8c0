"""Runs of the method `linear` in this process. What their network sees in a set is computed once for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from classify.config import ClassifyConfig, ImagesConfig
from classify.datasets import open_datasets, open_part
from classify.evaluation import Outputs, answers, outputs
from classify.load import make_method, make_network
from classify.methods.base import Method
from classify.methods.linear import Linear
from classify.network import Network
from classify.task import pipeline
from training.batches import BEGIN, key, plain
from training.data.kept import Arrays, kept
from training.data.loader import Loader
from training.data.pictures import ImageDataset
from training.devices import device_of
from training.progress import counted


def screen(config: ClassifyConfig, tests: Sequence[tuple[str, str]], folder: Path) -> list[dict[str, Any]]:
    """The figures on test sets that `train` and then `evaluate` give with the method `linear`. Raises InputError.

    tests: the sets, each with its split. folder: keeps the features of each set, for other runs.
    """
    data = open_datasets(config)
    torch.manual_seed(key(config.seed, 0, BEGIN))  # as a run does
    method = make_method(config, len(data.classes), make_network(config, data.classes)).to(device_of(config.device))
    assert isinstance(method, Linear)
    learned = [_seen(method.eval(), config, part.pictures, folder) for part in data.source]
    method.learn(torch.cat([one.features for one in learned]), torch.cat([one.labels for one in learned]))
    found = []
    for where, split in tests:
        pictures = open_part(ImagesConfig(where=where, split=split), data.classes)
        seen = _seen(method, config, pictures, folder)
        with torch.no_grad():
            logits = method.network.head(seen.features.to(device_of(config.device))).cpu()
        given = Outputs(seen.features, logits, seen.labels)
        found.append(answers(given, data.classes) | {"data": where, "split": split, "fit": config.fit})
    return found


def _seen(method: Method, config: ClassifyConfig, pictures: ImageDataset, folder: Path) -> Outputs:
    """What the network sees in pictures, in their order, without logits. A few that cannot be read are left out."""
    made = pipeline(config)

    def look() -> Arrays:
        loader = Loader(pictures, config.batch, made.collate, workers=config.data.workers, order="sequential", cache=0)
        parts = []
        with counted(f"features of {pictures.name}", len(pictures)) as advance:
            for batch in plain(loader, made.plain, device_of(config.device)):
                parts.append(outputs(method, [batch]))
                advance(len(batch.targets))
        return {name: torch.cat([getattr(p, name) for p in parts]).numpy() for name in ("features", "labels")}

    decided = (pictures.digest, weights_digest(method.network), config.model, config.size, config.fit)
    there = kept(folder, "features", decided, look)
    features, labels = (torch.from_numpy(there[name]) for name in ("features", "labels"))
    return Outputs(features, features.new_empty(len(features), 0), labels)


def weights_digest(network: Network) -> str:
    """A hash of all weights and statistics before the head."""
    found = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        if not name.startswith("head."):
            found.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
