"""Runs of the method `linear` in this process. What their network sees in a set is computed once for all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from classify.config import ClassifyConfig, ImagesConfig
from classify.datasets import open_datasets, open_part
from classify.evaluation import Outputs, answers
from classify.load import make_method, make_network
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
    network = method.eval().network
    learned = [seen(network, config, part.pictures, folder) for part in data.source]
    method.learn(torch.cat([one.features for one in learned]), torch.cat([one.labels for one in learned]))
    found = []
    for where, split in tests:
        pictures = open_part(ImagesConfig(where=where, split=split), data.classes)
        there = seen(network, config, pictures, folder)
        with torch.no_grad():
            logits = network.head(there.features.to(device_of(config.device))).cpu()
        given = there._replace(logits=logits)
        found.append(answers(given, data.classes) | {"data": where, "split": split, "fit": config.fit})
    return found


def seen(network: Network, config: ClassifyConfig, pictures: ImageDataset, folder: Path) -> Outputs:
    """What a network in evaluation mode sees in pictures, in their order, without logits.

    A few that cannot be read are left out. folder: keeps what was found.
    """
    made = pipeline(config)

    def look() -> Arrays:
        loader = Loader(pictures, config.batch, made.collate, workers=config.data.workers, order="sequential", cache=0)
        parts = []
        with counted(f"features of {pictures.name}", len(pictures)) as advance:
            for batch in plain(loader, made.plain, device_of(config.device)):
                with torch.no_grad():
                    parts.append((network.features(batch.images).float().cpu(), batch.targets.cpu()))
                advance(len(batch.targets))
        features, labels = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
        return {"features": features, "labels": labels}

    decided = (pictures.digest, _digest(network), config.model, config.size, config.fit)
    there = kept(folder, "features", decided, look)
    features, labels = (torch.from_numpy(there[name]) for name in ("features", "labels"))
    return Outputs(features, features.new_empty(len(features), 0), labels)


def _digest(network: Network) -> str:
    """A hash of all weights and statistics before the head."""
    found = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        if not name.startswith("head."):
            found.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
