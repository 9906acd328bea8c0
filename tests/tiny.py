"""What tests of training train: a network of some hundred weights, on pictures whose class is a color."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from classify.config import ClassifyConfig
from classify.datasets import open_datasets
from classify.methods.catalogue import methods
from classify.network import Network
from classify.task import pipeline
from training.batches import DomainBatches
from training.distributed import ProcessInfo
from training.trainer import Trainer

CPU = torch.device("cpu")
CLASSES = ("blue", "green", "red")


def stepping() -> list[str]:
    """The methods that train step by step: all but "linear", which fits its head at once."""
    return sorted(methods().keys() - {"linear"})


def photos(root: Path, each: int = 8, shade: int = 0, seed: int = 0) -> Path:
    """Class folders of noise in the class's color; a domain is its `shade`."""
    rng = np.random.default_rng((seed, shade))
    for place, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for number in range(each):
            picture = rng.integers(0, 120, (18, 18, 3))
            picture[..., 2 - place] += 100
            Image.fromarray((picture + shade).astype(np.uint8)).save(root / name / f"{number}.png")
    return root


def build(name: str, classes: int, **options: Any) -> Network:
    """In place of `classify.models.build`."""
    norm = [nn.BatchNorm2d(8)] if name == "resnet18" else []
    backbone = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2), *norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2 * bool(norm))
    )
    return Network(backbone, 8, classes, options.get("bottleneck", 0))


def config(root: Path, **changes: Any) -> ClassifyConfig:
    """Training on root/source, adapting to root/target."""
    data = {"source": [{"where": str(root / "source")}], "target": {"where": str(root / "target")}, "workers": 0}
    data |= changes.pop("data", {})
    given = {"data": data, "model": "resnet18", "size": 16, "batch": 6, "iterations": 10, "bottleneck": 8}
    given["report"] = False
    return ClassifyConfig.model_validate(given | changes)


def domains(root: Path) -> Path:
    """A source and a target in `root`."""
    photos(root / "source")
    photos(root / "target", shade=30)
    return root


def trainer(settings: ClassifyConfig, process: ProcessInfo = ProcessInfo()) -> Trainer:  # noqa: B008
    data = open_datasets(settings)
    torch.manual_seed(settings.seed)
    network = build(settings.model, len(data.classes), bottleneck=settings.bottleneck)
    method = methods()[settings.method](network, len(data.classes), settings.chosen())
    return Trainer(settings, method, DomainBatches(settings, data, pipeline(settings), process, CPU), CPU, process)


def nothing(_: Trainer) -> None:
    """Where nothing is to be done after a step."""
