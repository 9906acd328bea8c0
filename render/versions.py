"""The versions of what draws. A process that only compares them need load neither renderers nor configs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np


def versions(renderer: str) -> dict[str, str]:
    """The versions of the programs and libraries that the pixels of a renderer depend on, by name."""
    common = {"blendmill": version("blendmill"), "python": platform.python_version(), "numpy": np.__version__}
    if renderer == "composite":
        import cv2

        return {**common, "opencv": cv2.__version__}
    try:
        physics = {"mujoco": version("mujoco-core")}
    except PackageNotFoundError:
        physics = {}  # only piles need it
    return {**common, "blender": version("bpy"), **physics}
