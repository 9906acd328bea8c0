"""Draws the objects of a scene: asset, rotation, position and materials."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from scenes.assets.info import AssetInfo
from scenes.materials.roles import draw_role
from scenes.record.material import Material
from scenes.record.scene import Item, Quaternion, rotation_matrix
from scenes.sampling.draw import Draw
from scenes.sampling.pile import Body, piled
from scenes.sampling.placement import (
    IDENTITY,
    Footprint,
    arrange,
    extent,
    free_quaternion,
    quaternion_product,
    yaw_quaternion,
)
from scenes.sampling.viewpoint import LYING, turn_and_height
from scenes.section import Drawn

Purpose = Literal["main", "member", "clutter", "occluder"]
# Cosine of the angle to the vertical up to which a pose is still upright.
_UPRIGHT = 0.985


def members(draw: Draw) -> tuple[list[Item], list[list[Item]]]:
    """The main object, the other members and the clutter, side by side on the ground or in a pile.

    With them what each view of a film of their fall shows; nothing if there is none.
    """
    objects = draw.section("objects")
    count, clutter = objects["count"], objects.section("clutter")["count"]
    # The keys of members and clutter are apart, so that a member more leaves the clutter as it is.
    keys = ["objects", *(f"objects.{k}" for k in range(1, count)), *(f"objects.clutter.{k}" for k in range(clutter))]
    items = [
        _member(draw, key, "main" if k == 0 else "member" if k < count else "clutter") for k, key in enumerate(keys)
    ]
    pile = objects.section("pile")
    if pile["present"]:
        bodies = [Body(item, draw.catalogue.pieces(item.asset)) for item in items]
        generators = [draw.streams.generator(f"{key}.fall") for key in keys]
        moving = piled(bodies, pile["spread"], generators, pile.get("film") or 0.0, draw.config.camera.views)
        return moving[-1], moving if "film" in pile else []
    if len(items) == 1:
        return items, []
    footprints = [_footprint(draw, item, key) for key, item in zip(keys, items, strict=True)]
    crowding = [_own(draw, item.category, key)["crowding"] for key, item in zip(keys, items, strict=True)]
    placed = arrange(footprints, [draw.streams.generator(f"{key}.place") for key in keys], crowding)
    shifts = [(new.x - old.x, new.y - old.y) for new, old in zip(placed, footprints, strict=True)]
    moved = [
        replace(item, location=(item.location[0] + dx, item.location[1] + dy, item.location[2]))
        for item, (dx, dy) in zip(items, shifts, strict=True)
    ]
    return moved, []


def main_class(draw: Draw) -> str:
    """The class of the main object."""
    if draw.asset is not None:
        return draw.catalogue.info(draw.asset).category
    return draw.section("objects").one_of("category", draw.classes)


def _member(draw: Draw, key: str, purpose: Purpose) -> Item:
    objects = draw.config.objects.draw(draw.streams, key)
    if purpose == "main" and draw.asset is not None:
        info = draw.catalogue.info(draw.asset)
    else:
        info = instance_of(draw, objects, objects.one_of("category", draw.classes))
    scale = _own(draw, info.category, key)["scale"]
    if purpose == "clutter":
        scale *= objects.section("clutter")["scale"]
    return placed(draw, key, info, purpose, scale)


def _own(draw: Draw, category: str, key: str) -> Drawn:
    """The fields of an object as its class has them. key: of its factors."""
    return draw.of_class(category).config.objects.draw(draw.streams, key)


def instance_of(draw: Draw, objects: Drawn, category: str) -> AssetInfo:
    """The facts of one of the assets of a class."""
    return draw.catalogue.info(objects.choose("instance", draw.catalogue.assets(category)))


def placed(draw: Draw, key: str, info: AssetInfo, purpose: Purpose, scale: float) -> Item:
    """An item turned and resting (or floating) over the origin. key: of its factors."""
    own = draw.of_class(info.category)
    objects = own.config.objects.draw(draw.streams, key)
    if own.config.objects.size == "metric" and info.meters is not None:
        scale *= info.meters
    rotation = _rotation(objects, info, draw.first_camera)
    lowest = scale * float((info.hull @ rotation_matrix(rotation)[2]).min())
    height = -lowest
    if objects["support"] == "floating":
        height += scale * objects["lift"]
    materials = _materials(own, key, info)
    return Item(info.id, info.category, purpose, (0.0, 0.0, height), rotation, scale, materials)


def _rotation(objects: Drawn, info: AssetInfo, camera: Drawn) -> Quaternion:
    mode = objects["rotation"]
    if mode == "free":
        u, v, w = (objects.quantile(f"rotation.{axis}") for axis in "uvw")
        return free_quaternion(u, v, w)
    turn = yaw_quaternion(turn_and_height(objects, camera)[0])
    if mode == "lying":
        return quaternion_product(turn, LYING)
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
    room = 1 + _own(draw, item.category, key)["spacing"]
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
        return {"*": draw.replacement(base, info.category)}
    roles = info.distinct_roles
    if mode == "per_part":
        return {role: draw.replacement(f"{base}.{role}", role, role.partition(":")[0], info.category) for role in roles}
    return {role: draw_role(role, draw.streams, f"{base}.{role}") for role in roles}
