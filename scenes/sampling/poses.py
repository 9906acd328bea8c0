"""Poses of the camera that a file gives."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import ValidationError

from scenes.config.calibration import lens_of_transforms
from scenes.config.camera import DistortionConfig, IntrinsicsConfig, PosesConfig
from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json

_LARGEST = 1 << 28
"""Bytes of a file of poses."""

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])
"""Between Blender's camera axes and OpenCV's."""

_SKEW = 1e-3
"""How far the axes of a pose may be from one length, and two of them from a right angle."""


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
        lens, bent = _lens(data, resolution, path)
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
    size = np.cbrt(np.linalg.det(matrix[:3, :3])) if np.isfinite(matrix).all() else 0.0
    # Some tools scale a whole scene, and with it the axes of its cameras. They show the same.
    turn = matrix[:3, :3] / size if size > 0 else np.zeros((3, 3))
    if np.abs(turn.T @ turn - np.eye(3)).max() > _SKEW:
        raise InputError(f"{path}: pose {number}: its axes must be equally long and at right angles, without mirroring")
    moved = matrix if config.axes == "opencv" else matrix @ _FLIP
    # What rounding in the file left over goes: the nearest rotation.
    u, _, v = np.linalg.svd(moved[:3, :3])
    pose = np.eye(4)
    pose[:3, :3] = (u @ v).T
    pose[:3, 3] = -pose[:3, :3] @ (moved[:3, 3] * config.scale)
    return pose


def _lens(
    data: dict[str, Any], resolution: tuple[int, int], path: Path
) -> tuple[IntrinsicsConfig | None, DistortionConfig | None]:
    """The lens and the distortion of a transforms.json, for pictures of another size but the same shape."""
    found = lens_of_transforms(data, resolution, path)
    if found is None:
        return None, None
    try:
        lens = IntrinsicsConfig(**found["intrinsics"])
        bent = None if found["distortion"] is None else DistortionConfig(**found["distortion"])
        if bent is not None:
            bent.fitted(lens, resolution)
    except ValidationError as error:
        raise InputError(f"{path}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
    return lens, bent
