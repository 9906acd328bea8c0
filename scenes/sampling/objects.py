"""Draws the objects of a scene: asset, rotation, position and materials, and the occluder."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from scenes.assets.info import AssetInfo
from scenes.materials.roles import draw_role
from scenes.record.material import Material
from scenes.record.scene import Camera, Item, Quaternion, rotation_matrix
from scenes.sampling.draw import Draw, center_of, vector
from scenes.sampling.placement import (
    IDENTITY,
    Footprint,
    arrange,
    cross,
    extent,
    free_quaternion,
    hidden_share,
    quaternion_product,
    yaw_quaternion,
)
from scenes.section import Drawn

Purpose = Literal["main", "member", "clutter", "occluder"]
# Cosine of the angle to the vertical up to which a pose is still upright.
_UPRIGHT = 0.985


def members(draw: Draw) -> list[Item]:
    """The main object, the other members and the clutter, side by side on the ground."""
    objects = draw.section("objects")
    count, clutter = objects["count"], objects.section("clutter")["count"]
    # The keys of members and clutter are apart, so that a member more leaves the clutter as it is.
    keys = ["objects", *(f"objects.{k}" for k in range(1, count)), *(f"objects.clutter.{k}" for k in range(clutter))]
    items = [
        _member(draw, key, "main" if k == 0 else "member" if k < count else "clutter") for k, key in enumerate(keys)
    ]
    if len(items) == 1:
        return items
    footprints = [_footprint(draw, item, key) for key, item in zip(keys, items, strict=True)]
    placed = arrange(footprints, [draw.streams.generator(f"{key}.place") for key in keys])
    shifts = [(new.x - old.x, new.y - old.y) for new, old in zip(placed, footprints, strict=True)]
    return [
        replace(item, location=(item.location[0] + dx, item.location[1] + dy, item.location[2]))
        for item, (dx, dy) in zip(items, shifts, strict=True)
    ]


def _member(draw: Draw, key: str, purpose: Purpose) -> Item:
    objects = draw.config.objects.draw(draw.streams, key)
    if purpose == "main" and draw.asset is not None:
        info = draw.catalogue.info(draw.asset)
    else:
        info = _instance(draw, objects, objects.one_of("category", draw.classes))
    scale = objects["scale"]
    if purpose == "clutter":
        scale *= objects.section("clutter")["scale"]
    return _placed(draw, objects, info, purpose, scale)


def _instance(draw: Draw, objects: Drawn, category: str) -> AssetInfo:
    return draw.catalogue.info(objects.choose("instance", draw.catalogue.assets(category)))


def _placed(draw: Draw, objects: Drawn, info: AssetInfo, purpose: Purpose, scale: float) -> Item:
    """An item turned and resting (or floating) over the origin."""
    if draw.config.objects.size == "metric" and info.meters is not None:
        scale *= info.meters
    rotation = _rotation(objects, info)
    lowest = scale * float((info.hull @ rotation_matrix(rotation)[2]).min())
    height = -lowest
    if objects["support"] == "floating":
        height += scale * objects["lift"]
    materials = _materials(draw, objects.key, info)
    return Item(info.id, info.category, purpose, (0.0, 0.0, height), rotation, scale, materials)


def _rotation(objects: Drawn, info: AssetInfo) -> Quaternion:
    mode = objects["rotation"]
    if mode == "free":
        u, v, w = (objects.quantile(f"rotation.{axis}") for axis in "uvw")
        return free_quaternion(u, v, w)
    turn = yaw_quaternion(objects["yaw"])
    if mode == "upright" or not info.stable or (mode == "standing" and _stands(info)):
        return turn
    # If rounding leaves no pose for a quantile close to 1, take the most likely one.
    pose = info.stable[0][0]
    u = objects.quantile("rotation.side")
    for candidate, probability in info.stable:
        if u < probability:
            pose = candidate
            break
        u -= probability
    return quaternion_product(turn, pose)


def _stands(info: AssetInfo) -> bool:
    """Whether the model stays upright: one of its resting poses is hardly turned."""
    return any(rotation_matrix(pose)[2, 2] > _UPRIGHT for pose, _ in info.stable)


def _footprint(draw: Draw, item: Item, key: str) -> Footprint:
    """The item's rectangle on the ground, turned with it where it stands upright, with its free room."""
    info = draw.catalogue.info(item.asset)
    w, x, y, z = item.rotation
    upright = abs(x) < 1e-9 and abs(y) < 1e-9
    matrix = rotation_matrix(IDENTITY if upright else item.rotation)[:2]
    flat = item.scale * (info.hull @ matrix.T)
    low, high = extent(flat)
    cosine, sine = (w * w - z * z, 2 * w * z) if upright else (1.0, 0.0)
    cx, cy = (low + high) / 2
    room = 1 + draw.config.objects.draw(draw.streams, key)["spacing"]
    half_x, half_y = (high - low) / 2 * room
    return Footprint(
        item.location[0] + cosine * cx - sine * cy,
        item.location[1] + sine * cx + cosine * cy,
        float(half_x),
        float(half_y),
        cosine,
        sine,
    )


def _materials(draw: Draw, key: str, info: AssetInfo) -> dict[str, Material]:
    base = f"material{key.removeprefix('objects')}"
    mode = draw.config.material.draw(draw.streams, base)["mode"]
    if mode == "whole":
        return {"*": draw.replacement(base)}
    roles = info.distinct_roles
    if mode == "per_part":
        return {role: draw.replacement(f"{base}.{role}") for role in roles}
    return {role: draw_role(role, draw.streams, f"{base}.{role}") for role in roles}


# Depth of the occluder's center as shares of the main object's depth, the preferred one first.
_SHARES = (0.55, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15)
# Sizes to try where there is too little room, as shares of the drawn size.
_SIZES = tuple(0.8**k for k in range(12))
# The occluder's nearest and farthest depth, as shares of the depth at which the main object begins.
_ROOM = (0.05, 0.98)


def occluder(draw: Draw, items: list[Item], camera: Camera) -> list[Item]:
    """One object between the camera and the main object, moved sideways until it hides the wanted share.

    The list is empty where the config asks for none, and where the main object surrounds the camera.
    """
    settings = draw.section("objects").section("occluder")
    if not settings["present"]:
        return []
    objects = draw.config.objects.draw(draw.streams, settings.key)
    category = objects.choose("category", draw.classes)
    main = items[0]
    scale = main.scale * (0.5 + 0.5 * objects.quantile("scale"))
    item = _placed(draw, objects, _instance(draw, objects, category), "occluder", scale)
    behind = draw.world_points([main])
    wanted = 1 - settings["visibility"]
    found = _in_front(draw, item, camera, behind, wanted)
    return [] if found is None else [_moved_aside(draw, settings, found, main, camera, behind, wanted)]


def _in_front(draw: Draw, item: Item, camera: Camera, behind: np.ndarray, wanted: float) -> Item | None:
    """The occluder in front of the main object's center, wholly between the object and the camera.

    Size and depth are the first ones at which it hides at least the wanted share, otherwise those at which it hides
    most. None where no size fits.
    """
    eye, forward = np.array(camera.location), camera.world_to_camera()[2, :3]
    sight = center_of(behind) - eye
    begins = float(((behind - eye) @ forward).min())
    best, most = None, -1.0
    for size in _SIZES:
        smaller = replace(item, scale=size * item.scale, location=vector(size * np.array(item.location)))
        own = draw.world_points([smaller])
        for share in _SHARES:
            for shift in _shifts(own, eye + share * sight):
                depth = (own + shift - eye) @ forward
                # A camera above the ground also sees the ground: nothing may stick in it.
                sunk = eye[2] > 0 and own[:, 2].min() + shift[2] < -1e-9
                if sunk or depth.min() < _ROOM[0] * begins or depth.max() > _ROOM[1] * begins:
                    continue
                hides = hidden_share(camera, behind, own + shift)
                if hides > most:
                    best, most = replace(smaller, location=vector(np.array(smaller.location) + shift)), hides
                if hides >= wanted:
                    return best
    return best


def _shifts(own: np.ndarray, at: np.ndarray) -> list[np.ndarray]:
    """Moves that bring an item's points (n, 3) to a point on the line of sight: on the ground if it reaches the point
    from there, and centered on it."""
    low, high = extent(own)
    centered = at - (low + high) / 2
    standing = np.array([centered[0], centered[1], 0.0])
    return [standing, centered] if low[2] <= at[2] <= high[2] else [centered]


def _moved_aside(
    draw: Draw, settings: Drawn, item: Item, main: Item, camera: Camera, behind: np.ndarray, wanted: float
) -> Item:
    """The occluder moved horizontally across the view until it hides no more than the wanted share."""
    aside = cross(camera.world_to_camera()[2, :3], (0.0, 0.0, 1.0))
    length = float(np.linalg.norm(aside))
    aside = aside / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    if settings.quantile("side") < 0.5:
        aside = -aside
    own = draw.world_points([item])
    low, high = 0.0, main.scale + item.scale
    for _ in range(12):
        middle = (low + high) / 2
        hides = hidden_share(camera, behind, own + aside * middle) > wanted
        low, high = (middle, high) if hides else (low, middle)
    return replace(item, location=vector(np.array(item.location) + aside * high))
