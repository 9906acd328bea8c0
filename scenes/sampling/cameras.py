"""The cameras of a scene: drawn at random or given, along a path, in pairs."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.distributions import parse
from scenes.record.camera import Camera, cross
from scenes.record.scene import Item
from scenes.sampling.draw import Draw, center_of, vector
from scenes.sampling.placement import direction, framing_distance
from scenes.sampling.viewpoint import turn_and_height
from scenes.section import Drawn

_FRAMING = parse({"uniform": [0.45, 0.9]})
_LENS = ("focal_length", "width", "height", "fstop", "aspect", "center", "distortion")


def camera_of(draw: Draw, items: list[Item]) -> Camera:
    """The camera of a picture."""
    held = draw.config.camera
    eye = draw.place % held.eyes
    left = draw if eye == 0 else draw.at(draw.place - eye)
    camera = _alone(left, items) if held.path is None else _on_path(left, items)
    return camera if eye == 0 or held.stereo is None else _aside(camera, held.stereo.baseline)


def following(draw: Draw) -> Draw | None:
    """The same for the picture of the same eye in the next view of the scene; None after the last view.

    After the last view of a full circle comes the first.
    """
    held = draw.config.camera
    place = draw.place + held.eyes
    if place >= held.pictures:
        if held.path is None or not held.path.closed:
            return None
        place -= held.pictures
    return draw.at(place)


def _alone(draw: Draw, items: list[Item]) -> Camera:
    """The camera that the fields of the config, or a given pose, decide for this picture."""
    drawn, lens, objects = draw.section("camera"), draw.lens(), draw.section("objects")
    group = [item for item in items if item.purpose != "clutter"]
    points = draw.world_points(group)
    # Around a single object, the side that is seen is exact: it is counted from the object's own center.
    alone = "side" in objects and len(group) == 1
    center = np.array(group[0].location) if alone else center_of(points)
    if draw.poses.matrices:
        return _posed(draw.poses.of(draw.view.index // draw.config.camera.eyes), center, lens)
    # The first view sees the side that is asked for. The others look from their own places.
    towards = direction(drawn["azimuth"], turn_and_height(objects, drawn)[1] if draw.place == 0 else drawn["elevation"])
    focal, width, height = lens["focal_length"], lens["width"], lens["height"]
    distance = drawn.get("distance") or _framed(drawn, points, center, towards, lens)
    eye = center + towards * distance
    off = drawn["jitter"] * distance * 18.0 / focal
    angle = 2 * math.pi * drawn.quantile("jitter.angle")
    right = cross(center - eye, (0.0, 0.0, 1.0))
    right /= max(float(np.linalg.norm(right)), 1e-9)
    up = cross(right, (center - eye) / distance)
    target = center + off / max(width, height) * (width * math.cos(angle) * right + height * math.sin(angle) * up)
    return Camera(
        location=vector(eye),
        target=vector(target),
        roll=drawn["roll"],
        **lens,
    )


def _posed(pose: np.ndarray, center: np.ndarray, lens: dict[str, Any]) -> Camera:
    """The camera of a given pose. It is focused on the objects, or is as far as they are if they are behind it."""
    local = pose[:3, :3] @ center + pose[:3, 3]
    focus = float(local[2]) if local[2] > 0 else max(float(np.linalg.norm(local)), 1e-3)
    return Camera.posed(pose, focus, **lens)


def _framed(drawn: Drawn, points: np.ndarray, center: np.ndarray, towards: np.ndarray, lens: dict[str, Any]) -> float:
    """The camera distance in meters at which the objects fill the wanted share of the picture."""
    share = drawn.get("framing") or drawn.of("framing", _FRAMING)
    size = (lens["width"], lens["height"])
    return framing_distance(points, center, towards, lens["focal_length"] / 36.0, size, share, lens.get("aspect", 1.0))


# Paths ---------------------------------------------------------------------------------------------------------


def _on_path(draw: Draw, items: list[Item]) -> Camera:
    held = draw.config.camera
    path, view = held.path, draw.place // held.eyes
    assert path is not None
    if path.kind == "turntable":
        center = center_of(draw.world_points([item for item in items if item.purpose != "clutter"]))
        steps = held.views if path.closed else held.views - 1
        return _turned(_alone(draw.at(0), items), center, path.turn * view / steps)
    # Given poses are all passed. Drawn cameras are those that the first views would have without a path.
    given = len(draw.poses.matrices)
    indices = [k * held.eyes for k in range(given)] or [draw.view.index - draw.place + k for k in range(path.keys)]
    keys = [_alone(replace(draw, view=draw.view.at(index)), items) for index in indices]
    at = (len(keys) - 1) * view / (held.views - 1)
    return _through(keys, at) if given else _around(keys, at)


def _turned(camera: Camera, center: np.ndarray, degrees: float) -> Camera:
    """The camera after a turn about the vertical through a center, counter-clockwise from above."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    eye, target = (turn @ (np.array(point) - center) + center for point in (camera.location, camera.target))
    return replace(camera, location=vector(eye), target=vector(target))


def _around(keys: list[Camera], at: float) -> Camera:
    """The camera at a place of the curve through cameras around an object; number k is at place k.

    Azimuth, elevation and distance are interpolated, so that the curve goes around the object and not through it. Lens
    and aperture are those of the first camera.
    """
    targets = np.array([key.target for key in keys])
    away = np.array([key.location for key in keys]) - targets
    distance = np.linalg.norm(away, axis=1)
    azimuth = np.unwrap(np.arctan2(away[:, 1], away[:, 0]))
    elevation = np.arcsin(np.clip(away[:, 2] / distance, -1, 1))
    roll = np.array([key.roll for key in keys])
    found = _smooth(np.column_stack([targets, azimuth, elevation, np.log(distance), roll]), at)
    flat = math.cos(found[4])
    way = np.array([flat * math.cos(found[3]), flat * math.sin(found[3]), math.sin(found[4])])
    eye = found[:3] + math.exp(found[5]) * way
    return replace(keys[0], location=vector(eye), target=vector(found[:3]), roll=float(found[6]))


def _through(keys: list[Camera], at: float) -> Camera:
    """The camera at a place of the curve through given poses; number k is at place k."""
    if len(keys) == 1:
        return keys[0]
    eyes = np.array([key.location for key in keys])
    focus = np.log(np.linalg.norm(np.array([key.target for key in keys]) - eyes, axis=1))
    found = _smooth(np.column_stack([eyes, focus]), at)
    turns = scipy.spatial.transform.Rotation.from_matrix([key.world_to_camera()[:3, :3] for key in keys])
    pose = np.eye(4)
    pose[:3, :3] = scipy.spatial.transform.RotationSpline(np.arange(len(keys)), turns)(at).as_matrix()
    pose[:3, 3] = -pose[:3, :3] @ found[:3]
    lens = {name: getattr(keys[0], name) for name in _LENS}
    return Camera.posed(pose, math.exp(found[3]), **lens)


def _smooth(values: NDArray[np.float64], at: float) -> NDArray[np.float64]:
    """The row (d,) at a place of a smooth curve through rows (n, d).

    Between two rows it never goes beyond both (Fritsch and Butland, "A method for constructing local monotone piecewise
    cubic interpolants", 1984). So a camera does not dive under the ground between two that are above it.
    """
    if len(values) == 1:
        return values[0]
    return np.asarray(scipy.interpolate.PchipInterpolator(np.arange(len(values)), values)(at))


def _aside(camera: Camera, baseline: float) -> Camera:
    """The right camera of a pair: the same axes and lens, a baseline farther along x."""
    shift = baseline * camera.world_to_camera()[0, :3]
    eye, target = (np.array(point) + shift for point in (camera.location, camera.target))
    return replace(camera, location=vector(eye), target=vector(target))
