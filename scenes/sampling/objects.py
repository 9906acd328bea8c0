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
    items = [
        _member(draw, k, "main" if k == 0 else "member" if k < count else "clutter") for k in range(count + clutter)
    ]
    if len(items) == 1:
        return items
    footprints = [_footprint(draw, item, f"objects.{k}") for k, item in enumerate(items)]
    placed = arrange(footprints, draw.streams.generator("objects.arrangement"))
    shifts = [(new.x - old.x, new.y - old.y) for new, old in zip(placed, footprints, strict=True)]
    return [
        replace(item, location=(item.location[0] + dx, item.location[1] + dy, item.location[2]))
        for item, (dx, dy) in zip(items, shifts, strict=True)
    ]


def _member(draw: Draw, k: int, purpose: Purpose) -> Item:
    objects = draw.config.objects.draw(draw.streams, f"objects.{k}" if k else "objects")
    if purpose == "main" and draw.asset is not None:
        info = draw.catalogue.info(draw.asset)
    else:
        info = _instance(draw, objects, objects.one_of("category", draw.classes))
    scale = objects["scale"]
    if purpose == "clutter":
        scale *= objects.section("clutter")["scale"]
    return _placed(draw, objects, info, purpose, scale)


def _instance(draw: Draw, objects: Drawn, category: str) -> AssetInfo:
    assets = draw.catalogue.assets(category)
    return draw.catalogue.info(assets[int(objects.quantile("instance") * len(assets))])


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


def occluder(draw: Draw, items: list[Item], camera: Camera) -> list[Item]:
    """One object between the camera and the main object, moved sideways until it hides the wanted share."""
    settings = draw.section("objects").section("occluder")
    if not settings["present"]:
        return []
    objects = draw.config.objects.draw(draw.streams, settings.key)
    category = draw.classes[int(objects.quantile("category") * len(draw.classes))]
    main = items[0]
    scale = main.scale * (0.5 + 0.5 * objects.quantile("scale"))
    item = _placed(draw, objects, _instance(draw, objects, category), "occluder", scale)
    return [_in_the_way(draw, settings, item, main, camera)]


def _in_the_way(draw: Draw, settings: Drawn, item: Item, main: Item, camera: Camera) -> Item:
    """The occluder where it hides as much of the main object as is wanted."""
    wanted = 1 - settings["visibility"]
    behind = draw.world_points([main])
    eye, center = np.array(camera.location), center_of(behind)
    view = center - eye
    size = float(np.linalg.norm(view))
    # Half way, but clear of both: of the main object by the two radii, of the camera by its own.
    gap = (main.scale + item.scale) / 2
    share = min(0.55, max(0.25, 1 - gap / max(size, 1e-9)))
    at = eye + view * share
    sideways = cross(view / size, (0.0, 0.0, 1.0))
    sideways /= max(float(np.linalg.norm(sideways)), 1e-9)
    if settings.quantile("side") < 0.5:
        sideways = -sideways
    own = draw.world_points([item])
    base = np.array([at[0] - item.location[0], at[1] - item.location[1], 0.0])
    if float(np.ptp(own[:, 2])) + own[:, 2].min() < at[2]:
        # A thing on the ground that ends below the line of sight hides nothing: let it float into the way.
        base[2] = at[2] - center_of(own)[2]
    low, high = 0.0, main.scale + item.scale
    for _ in range(12):
        middle = (low + high) / 2
        hides = hidden_share(camera, behind, own + base + sideways * middle) > wanted
        low, high = (middle, high) if hides else (low, middle)
    return replace(item, location=vector(np.array(item.location) + (base + sideways * high)))
