"""Calibrations in files, as OpenCV's FileStorage and ROS write them in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_yaml import parse_yaml
from scenes.record.distortion import NAMES

_LARGEST = 1 << 20
_MATRIX = ("camera_matrix", "cameraMatrix", "K", "M1", "mtx")
_COEFFICIENTS = ("distortion_coefficients", "distCoeffs", "dist_coeffs", "D", "D1", "dist")
_FISHEYES = ("equidistant", "fisheye")


def read_calibration(path: Path, resolution: tuple[int, int]) -> dict[str, Any]:
    """The fields `intrinsics` and `distortion` of the config of a camera, for pictures of a size.

    The file has the matrix under a name such as camera_matrix or K, and the coefficients under one such as
    distortion_coefficients or D. If it tells the size of its pictures, it serves for all sizes of the same shape.
    Raises InputError for a file that holds something else.
    """
    # OpenCV's first line and its tag are no YAML 1.1.
    lines = read_regular(path, _LARGEST).decode("utf-8", "replace").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("%YAML")).replace("!!opencv-matrix", "")
    data = parse_yaml(text, str(path))
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: is no calibration; OpenCV writes camera_matrix and distortion_coefficients")
    matrix = _numbers(data, _MATRIX, path)
    if len(matrix) != 9 or [matrix[1], matrix[3], *matrix[6:]] != [0, 0, 0, 0, 1] or min(matrix[0], matrix[4]) <= 0:
        raise InputError(f"{path}: gives no camera_matrix of [fx, 0, cx, 0, fy, cy, 0, 0, 1]; there is no skew")
    across, down = _scales(data, resolution, path)
    # The first pixel's center is at 0 there, so a picture of another size is not only scaled.
    intrinsics = {
        "fx": matrix[0] * across,
        "fy": matrix[4] * down,
        "cx": (matrix[2] + 0.5) * across,
        "cy": (matrix[5] + 0.5) * down,
    }
    return {"intrinsics": intrinsics, "distortion": _distortion(data, path)}


def _distortion(data: Mapping[str, Any], path: Path) -> dict[str, Any] | None:
    fisheye = bool(data.get("fisheye_model")) or data.get("distortion_model") in _FISHEYES
    known = NAMES["fisheye" if fisheye else "brown"]
    found = _numbers(data, _COEFFICIENTS, path)
    if any(found[len(known) :]):
        raise InputError(f"{path}: has {len(found)} coefficients; thin prisms and tilted sensors are not drawn")
    if not any(found):
        return None
    return {"model": "fisheye" if fisheye else "brown", **dict(zip(known, found, strict=False))}


def _numbers(data: Mapping[str, Any], names: tuple[str, ...], path: Path) -> list[float]:
    """The numbers of a matrix that has one of some names, row by row; empty where there is none."""
    value: Any = next((data[name] for name in names if name in data), [])
    rows = value.get("data", []) if isinstance(value, Mapping) else value
    rows = rows if isinstance(rows, list) else [rows]
    flat = [number for row in rows for number in (row if isinstance(row, list) else [row])]
    if not all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in flat):
        raise InputError(f"{path}: {shortened(str(value))} is no matrix of numbers")
    return [float(number) for number in flat]


def _scales(data: Mapping[str, Any], resolution: tuple[int, int], path: Path) -> tuple[float, float]:
    """By which factors the pictures of a size are larger than those of the calibration."""
    width, height = data.get("image_width"), data.get("image_height")
    if width is None and height is None:
        return 1.0, 1.0
    if not isinstance(width, int) or not isinstance(height, int) or min(width, height) <= 0:
        told = shortened(f"{width} and {height}")
        raise InputError(f"{path}: image_width and image_height are {told}, not two whole numbers")
    across, down = resolution[0] / width, resolution[1] / height
    if abs(across - down) > 1e-3 * across:
        raise InputError(f"{path}: is for pictures of {width} x {height}; set camera.resolution to the same shape")
    return across, down
