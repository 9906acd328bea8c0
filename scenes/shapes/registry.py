"""The built-in classes by name. Each is a generator of one random model in meters.

Each package in this folder is a class. Its module of the same name holds the generator, `<name>_rand`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import partial

import numpy as np

import scenes.shapes
from scenes.mesh import Model


def _generate(name: str, rng: np.random.Generator) -> Model:
    # A class is imported when it is first used. A worker that draws mugs does not import pianos.
    model: Model = getattr(importlib.import_module(f"scenes.shapes.{name}.{name}"), f"{name}_rand")(rng)
    return model


def _classes() -> list[str]:
    """The names of the classes, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(scenes.shapes.__path__) if module.ispkg)


GENERATORS: dict[str, Callable[[np.random.Generator], Model]] = {name: partial(_generate, name) for name in _classes()}
