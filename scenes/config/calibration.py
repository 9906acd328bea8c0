"""Calibrations in files of OpenCV, ROS, Kalibr, EuRoC and Nerfstudio, as `intrinsics` and `distortion` of a config."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_yaml import parse_yaml
from scenes.record.distortion import NAMES, LensModel

_LARGEST = 1 << 20
_MATRIX = ("camera_matrix", "cameramatrix", "intrinsic_matrix", "k", "m1", "mtx")
_COEFFICIENTS = (
    "distortion_coefficients", "distortion_coeffs", "distortion_coeff", "distcoeffs", "dist_coeffs", "dist_coeff",
    "dist_coef", "distortion", "dist", "d", "d1",
)  # fmt: skip
_SIZES = (("image_width", "image_height"), ("width", "height"), ("w", "h"))

_LENS = ("fl_x", "fl_y", "cx", "cy", "camera_angle_x")
_OF_TRANSFORMS = frozenset(("fl_x", "camera_angle_x", "frames"))
"""The names by which transforms.json is known."""

_MODELS: dict[str, LensModel] = {
    **dict.fromkeys(("", "none", "plumb_bob", "rational_polynomial", "radtan", "radial-tangential"), "brown"),
    **dict.fromkeys(("simple_pinhole", "pinhole", "simple_radial", "radial", "opencv"), "brown"),
    **dict.fromkeys(("equidistant", "fisheye", "opencv_fisheye"), "fisheye"),
}
"""By what others call it. A model that is not here, such as omni, bends rays in another way."""

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class _Lens:
    """focal, center: in pixels across and down. edge: where the first pixel's edge is, as the file counts.

    coefficients: in OpenCV's order. size: width and height of the pictures it is for, None if the file tells none.
    """

    focal: tuple[float, float]
    center: tuple[float, float]
    edge: float
    model: LensModel
    coefficients: list[float]
    size: tuple[int, int] | None


def read_calibration(path: Path, resolution: tuple[int, int]) -> dict[str, Any]:
    """The fields `intrinsics` and `distortion` of the config of a camera, for pictures of a size.

    Large and small letters of names are the same. If the file tells the size of its pictures, it serves for all sizes
    of the same shape. Raises InputError for a file that holds something else or a lens that cannot be drawn.

    Files of these kinds are read:

    - OpenCV's FileStorage, YAML or XML: camera_matrix (or K, M1, …), distortion_coefficients (or D, …), fisheye_model;
    - ROS: a file of camera_info, or a message that `ros2 topic echo` or `rostopic echo` printed;
    - Kalibr's camchain of one camera, and EuRoC's sensor.yaml: intrinsics [fx, fy, cx, cy] and resolution;
    - transforms.json of NeRF, instant-ngp and Nerfstudio: fl_x or camera_angle_x, and coefficients by their names.
    """
    data = _one_camera(_read(path), path)
    if not _OF_TRANSFORMS.isdisjoint(data):
        found = lens_of_transforms(data, resolution, path)
        if found is None:
            raise InputError(f"{path}: tells no lens; it needs fl_x or camera_angle_x")
        return found
    lens = _kalibr(data, path) if "intrinsics" in data else _opencv(data, path)
    return _fields(lens, resolution, path)


def lens_of_transforms(data: Plain, resolution: tuple[int, int], path: Path) -> dict[str, Any] | None:
    """The same for what a transforms.json holds; None if it tells no lens.

    Frames may repeat the lens. Raises InputError if they have different ones: one lens is drawn for all.
    """
    data = _of_all_frames(data, path)
    size = _size(data, path)
    if data.get("fl_x") is None and data.get("camera_angle_x") is None:
        _scales(size, resolution, path)
        if bent := [name for name in NAMES["brown"] if data.get(name)]:
            raise InputError(f"{path}: a distortion ({', '.join(bent)}) needs fl_x or camera_angle_x")
        return None
    return _fields(_nerfstudio(data, size or resolution, path), resolution, path)


def _fields(lens: _Lens, resolution: tuple[int, int], path: Path) -> dict[str, Any]:
    if not min(lens.focal) > 0:
        raise InputError(f"{path}: has focal lengths of {lens.focal[0]:g} and {lens.focal[1]:g}; they must be positive")
    across, down = _scales(lens.size, resolution, path)
    # Here the first pixel's edge is at 0. So a picture of another size is not only scaled.
    intrinsics = {
        "fx": lens.focal[0] * across,
        "fy": lens.focal[1] * down,
        "cx": (lens.center[0] - lens.edge) * across,
        "cy": (lens.center[1] - lens.edge) * down,
    }
    return {"intrinsics": intrinsics, "distortion": _distortion(lens, path)}


def _read(path: Path) -> Plain:
    """What the file holds, names in small letters."""
    text = read_regular(path, _LARGEST).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    data = _from_xml(text, path) if text.startswith("<") else _from_yaml(text, path)
    if not isinstance(data, Mapping):
        raise InputError(f"{path}: is no calibration; OpenCV writes camera_matrix and distortion_coefficients")
    return _small(data)


def _from_yaml(text: str, path: Path) -> Any:
    # OpenCV's first line and its tag are no YAML 1.1. Of several messages that ROS printed, the first is taken.
    plain = re.sub(r"^%YAML.*$", "", text, flags=re.MULTILINE).replace("!!opencv-matrix", "")
    documents = re.split(r"^---\s*$", plain, flags=re.MULTILINE)
    return parse_yaml(next((one for one in documents if one.strip()), ""), str(path))


def _from_xml(text: str, path: Path) -> Any:
    if "<!" in re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL):
        raise InputError(f"{path}: declares what a calibration does not need (<!…); remove it")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: not XML: {error}") from None
    return {one.tag: one.findtext("data", "").split() or (one.text or "").strip() for one in root}


def _small(data: Plain) -> Plain:
    return {str(name).lower(): value for name, value in data.items()}


def _one_camera(data: Plain, path: Path) -> Plain:
    """Kalibr's files have a section for each camera."""
    cameras = [name for name, value in data.items() if isinstance(value, Mapping) and "intrinsics" in _small(value)]
    if len(cameras) > 1:
        raise InputError(f"{path}: has {', '.join(cameras[:8])}; leave the section of one camera in a copy of the file")
    return _small(data[cameras[0]]) if cameras else data


def _opencv(data: Plain, path: Path) -> _Lens:
    matrix = _numbers(data, _MATRIX, path)
    if len(matrix) != 9 or [matrix[1], matrix[3], *matrix[6:]] != [0, 0, 0, 0, 1]:
        raise InputError(f"{path}: gives no camera_matrix of [fx, 0, cx, 0, fy, cy, 0, 0, 1]; there is no skew")
    named = "fisheye" if _whole(data.get("fisheye_model", 0)) else data.get("distortion_model", "")
    return _Lens(
        (matrix[0], matrix[4]), (matrix[2], matrix[5]), -0.5,
        _model(named, path), _coefficients(data, path), _size(data, path),
    )  # fmt: skip


def _kalibr(data: Plain, path: Path) -> _Lens:
    numbers = _numbers(data, ("intrinsics",), path)
    if data.get("camera_model", "pinhole") != "pinhole" or len(numbers) != 4:
        given = shortened(f"{data.get('camera_model')} with {len(numbers)} intrinsics")
        raise InputError(f"{path}: is a camera of {given}; only pinhole with [fx, fy, cx, cy] is drawn")
    size = data.get("resolution")
    return _Lens(
        (numbers[0], numbers[1]), (numbers[2], numbers[3]), -0.5,
        _model(data.get("distortion_model", ""), path), _coefficients(data, path),
        None if size is None else _whole_size(size, "resolution", path),
    )  # fmt: skip


def _of_all_frames(data: Plain, path: Path) -> Plain:
    """What is told once for all frames, or the same in each."""
    frames = data.get("frames")
    frames = [one for one in frames if isinstance(one, Mapping)] if isinstance(frames, list) else []
    found = dict(data)
    for name in (*_LENS, *NAMES["brown"], "w", "h", "camera_model", "is_fisheye"):
        values = [value for value in (data.get(name), *(one.get(name) for one in frames)) if value is not None]
        if any(value != values[0] for value in values):
            told = shortened(", ".join(str(value) for value in dict.fromkeys(map(str, values))))
            raise InputError(f"{path}: has several lenses ({name} {told}); one is drawn: leave one in the file")
        found[name] = values[0] if values else None
    return found


def _nerfstudio(data: Plain, size: tuple[int, int], path: Path) -> _Lens:
    """The pixels' edges are counted from 0. size: of the pictures; the center is there by default."""
    model = _model("fisheye" if data.get("is_fisheye") else data.get("camera_model", ""), path)
    named = {name: _numbers(data, (name,), path) for name in (*_LENS, *NAMES["brown"])}
    one = {name: values[0] for name, values in named.items() if values}
    if model == "brown" and any(one.get(name) for name in ("k4", "k5", "k6")):
        raise InputError(f"{path}: has k4, k5 or k6, which Nerfstudio does not use as OpenCV does; set them to 0")
    fx = one["fl_x"] if "fl_x" in one else size[0] / 2 / math.tan(one["camera_angle_x"] / 2)
    return _Lens(
        (fx, one.get("fl_y", fx)), (one.get("cx", size[0] / 2), one.get("cy", size[1] / 2)), 0.0,
        model, [one.get(name, 0.0) for name in NAMES[model]], size,
    )  # fmt: skip


def _model(named: Any, path: Path) -> LensModel:
    model = _MODELS.get(str(named or "").lower())
    if model is None:
        raise InputError(
            f"{path}: has the lens model {shortened(str(named))}; drawn are plumb_bob, rational_polynomial, radtan, "
            "OPENCV, and equidistant, OPENCV_FISHEYE"
        )
    return model


def _distortion(lens: _Lens, path: Path) -> dict[str, Any] | None:
    known = NAMES[lens.model]
    if any(lens.coefficients[len(known) :]):
        raise InputError(
            f"{path}: has {len(lens.coefficients)} coefficients; thin prisms and tilted sensors are not drawn"
        )
    if not any(lens.coefficients) and lens.model == "brown":
        return None
    return {"model": lens.model, **dict(zip(known, lens.coefficients, strict=False))}


def _coefficients(data: Plain, path: Path) -> list[float]:
    """None where the file has none. A name that we do not know must not make a lens without distortion."""
    found = next((name for name in _COEFFICIENTS if data.get(name) is not None), None)
    unknown = [name for name in data if name.startswith("dist") and name != "distortion_model"]
    if found is None and unknown:
        raise InputError(f"{path}: {shortened(unknown[0])} is no name we know; call it distortion_coefficients")
    return [] if found is None else _numbers(data, (found,), path)


def _numbers(data: Plain, names: tuple[str, ...], path: Path) -> list[float]:
    """The numbers of a matrix that has one of some names, row by row; empty where there is none."""
    value: Any = next((data[name] for name in names if data.get(name) is not None), [])
    rows = value.get("data", []) if isinstance(value, Mapping) else value
    rows = rows if isinstance(rows, list) else [rows]
    flat = [number for row in rows for number in (row if isinstance(row, list) else [row])]
    try:
        # XML has texts alone.
        found = [float(number) for number in flat if not isinstance(number, bool)]
    except (TypeError, ValueError):
        found = []
    if len(found) != len(flat) or not all(math.isfinite(number) for number in found):
        raise InputError(f"{path}: {shortened(str(value))} is no matrix of numbers")
    return found


def _size(data: Plain, path: Path) -> tuple[int, int] | None:
    for names in _SIZES:
        given = [data.get(name) for name in names]
        if given != [None, None]:
            return _whole_size(given, " and ".join(names), path)
    return None


def _whole_size(given: Any, name: str, path: Path) -> tuple[int, int]:
    found = [_whole(one) for one in given] if isinstance(given, list) else []
    if len(found) != 2 or not min(found) > 0:
        raise InputError(f"{path}: {name} {shortened(str(given))}: not two whole numbers of pixels")
    return found[0], found[1]


def _whole(value: Any) -> int:
    """0 for what is no whole number. XML has texts alone, and JSON may say 640.0."""
    try:
        return int(float(value)) if float(value).is_integer() else 0
    except (TypeError, ValueError):
        return 0


def _scales(size: tuple[int, int] | None, resolution: tuple[int, int], path: Path) -> tuple[float, float]:
    """By which factors the pictures of a size are larger than those of the calibration."""
    if size is None:
        return 1.0, 1.0
    across, down = resolution[0] / size[0], resolution[1] / size[1]
    if abs(across - down) > 1e-3 * across:
        raise InputError(f"{path}: is for pictures of {size[0]} x {size[1]}; set camera.resolution to the same shape")
    return across, down
