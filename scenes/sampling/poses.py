"""Poses of the camera that a file gives."""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import ValidationError

from scenes.config.camera import DistortionConfig, IntrinsicsConfig, PosesConfig
from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from scenes.record.distortion import NAMES, LensModel

_LARGEST = 1 << 28
"""Bytes of a file of poses."""

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""Between Blender's camera axes and OpenCV's."""

_SKEW = 1e-3
"""How far an axis of a pose may be from unit length, and two of them from a right angle."""


@dataclass(frozen=True)
class Poses:
    """matrices: (4, 4) each, from the world to OpenCV camera axes. lens, distortion: as the file has them, or None."""

    matrices: tuple[NDArray[np.float64], ...] = ()
    lens: IntrinsicsConfig | None = None
    distortion: DistortionConfig | None = None

    def of(self, index: int) -> NDArray[np.float64]:
        """The pose of a picture. After the last pose comes the first."""
        return self.matrices[index % len(self.matrices)]


def read_poses(config: PosesConfig | None, resolution: tuple[int, int]) -> Poses:
    """Read the poses that a config names. Raises InputError for a file that holds something else."""
    if config is None:
        return Poses()
    path, lens, bent = config.file, None, None
    content = read_regular(path, _LARGEST)
    if config.sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise InputError(f"{path}: has changed since the config was read; restore the file, or begin another data set")
    if path.suffix == ".json":
        data = parse_json(content, str(path))
        frames = data.get("frames") if isinstance(data, dict) else None
        if not isinstance(frames, list) or not all(isinstance(one, dict) for one in frames):
            raise InputError(f"{path}: has no list 'frames', as NeRF's transforms.json has")
        stack = _matrices([one.get("transform_matrix") for one in frames], path)
        lens = _lens(data, resolution, path)
        bent = _distortion(data, lens, resolution, path)
    elif path.suffix == ".npy":
        stack = _matrices(_array(content, path), path)
    elif path.suffix == ".txt":
        stack = _lines(content, path)
    else:
        raise InputError(f"{path}: field camera.poses.file: give a .json, .npy or .txt file")
    return Poses(tuple(_checked(matrix, config, path, number) for number, matrix in enumerate(stack)), lens, bent)


def _array(content: bytes, path: Path) -> Any:
    try:
        return np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise InputError(f"{path}: is no .npy file of numbers; write it with numpy.save") from None


def _matrices(given: Any, path: Path) -> NDArray[np.float64]:
    try:
        stack = np.asarray(given, dtype=np.float64)
    except (ValueError, TypeError):
        stack = np.zeros(0)
    if stack.ndim != 3 or stack.shape[1:] not in ((4, 4), (3, 4)) or not len(stack):
        raise InputError(f"{path}: holds {shortened(stack.shape)} numbers, not (n, 4, 4) with n of 1 at least")
    return np.concatenate([stack[:, :3], np.broadcast_to([[[0.0, 0.0, 0.0, 1.0]]], (len(stack), 1, 4))], axis=1)


def _lines(content: bytes, path: Path) -> NDArray[np.float64]:
    try:
        rows = np.loadtxt(io.BytesIO(content), ndmin=2)
    except (ValueError, UnicodeDecodeError):
        raise InputError(f"{path}: a line is not six or sixteen numbers") from None
    if not len(rows) or rows.shape[1] not in (6, 16):
        raise InputError(f"{path}: has {rows.shape[1]} numbers in a line, not six or sixteen")
    if rows.shape[1] == 16:
        return _matrices(rows.reshape(-1, 4, 4), path)
    stack = np.tile(np.eye(4), (len(rows), 1, 1))
    stack[:, :3, :3] = scipy.spatial.transform.Rotation.from_euler("xyz", rows[:, 3:]).as_matrix()
    stack[:, :3, 3] = rows[:, :3]
    return stack


def _checked(matrix: NDArray[np.float64], config: PosesConfig, path: Path, number: int) -> NDArray[np.float64]:
    """The pose from the world to OpenCV's axes, of one from the camera to the world."""
    turn = matrix[:3, :3]
    if not np.isfinite(matrix).all() or np.abs(turn.T @ turn - np.eye(3)).max() > _SKEW or np.linalg.det(turn) < 0:
        raise InputError(f"{path}: pose {number}: its axes must be unit vectors at right angles, without mirroring")
    moved = matrix if config.axes == "opencv" else matrix @ _FLIP
    # What rounding in the file left over goes: the nearest rotation.
    u, _, v = np.linalg.svd(moved[:3, :3])
    pose = np.eye(4)
    pose[:3, :3] = (u @ v).T
    pose[:3, 3] = -pose[:3, :3] @ (moved[:3, 3] * config.scale)
    return pose


def _lens(data: dict[str, Any], resolution: tuple[int, int], path: Path) -> IntrinsicsConfig | None:
    """The lens of a transforms.json, for pictures of another size but the same shape."""
    numbers = _numbers(data)
    width, height = resolution
    w, h = numbers.get("w", width), numbers.get("h", height)
    if w <= 0 or h <= 0 or abs(w * height - h * width) > 1e-3 * w * height:
        raise InputError(f"{path}: is for pictures of {w:g} x {h:g}; set camera.resolution to the same shape")
    if "fl_x" not in numbers and "camera_angle_x" not in numbers:
        return None
    fx = numbers.get("fl_x") or w / 2 / math.tan(numbers["camera_angle_x"] / 2)
    scale = width / w
    return IntrinsicsConfig(
        fx=fx * scale,
        fy=numbers.get("fl_y", fx) * scale,
        cx=numbers.get("cx", w / 2) * scale,
        cy=numbers.get("cy", h / 2) * scale,
    )


def _numbers(data: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in data.items() if isinstance(value, (int, float)) and math.isfinite(value)}


def _distortion(
    data: dict[str, Any], lens: IntrinsicsConfig | None, resolution: tuple[int, int], path: Path
) -> DistortionConfig | None:
    """The distortion of a transforms.json; `camera_model` names the model, as in nerfstudio."""
    model: LensModel = "fisheye" if data.get("camera_model") == "OPENCV_FISHEYE" else "brown"
    found = {name: value for name, value in _numbers(data).items() if name in NAMES["brown"] and value}
    if not found:
        return None
    try:
        bent = DistortionConfig(model=model, **found)
        if lens is None:
            raise ValueError(f"a distortion ({', '.join(found)}) needs fl_x or camera_angle_x")
        bent.fitted(lens, resolution)
    except ValidationError as error:
        raise InputError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return bent
