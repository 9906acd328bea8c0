"""The built-in classes: name to a generator of one random model in metres."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial

import numpy as np

from scenes.mesh import Model

CLASSES = (
    "airplane",
    "camera",
    "car",
    "chair",
    "guitar",
    "lamp",
    "laptop",
    "motorcycle",
    "mug",
    "piano",
    "plant",
    "telephone",
    "watercraft",
)


def _generate(name: str, rng: np.random.Generator) -> Model:
    # Imported when first drawn: a worker that draws mugs need not import pianos.
    model: Model = getattr(importlib.import_module(f"scenes.shapes.{name}.{name}"), f"{name}_rand")(rng)
    return model


GENERATORS: dict[str, Callable[[np.random.Generator], Model]] = {name: partial(_generate, name) for name in CLASSES}
