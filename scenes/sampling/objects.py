"""The objects of a scene: which, how turned, where, of what; and what is put in their way."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from scenes.assets.info import AssetInfo
from scenes.materials.roles import draw_role
from scenes.record.scene import Camera, Item, Material, Quaternion, rotation_matrix
from scenes.sampling.draw import Draw, center_of
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

Purpose = Literal["main", "member", "clutter", "occluder"]
# Cosine of the angle to the vertical up to which a pose is still upright.
_UPRIGHT = 0.985


class ItemDraw(Draw):
    """The part of a scene's draw that concerns its objects."""

    def members(self) -> list[Item]:
        objects = self.config.objects
        count = self.count("objects.count", objects.count)
        clutter = self.count("objects.clutter.count", objects.clutter.count)
        items = [
            self.member(k, "main" if k == 0 else "member" if k < count else "clutter") for k in range(count + clutter)
        ]
        if len(items) == 1:
            return items
        footprints = [self.footprint(item, f"objects.{k}") for k, item in enumerate(items)]
        placed = arrange(footprints, self.streams.generator("objects.arrangement"))
        shifts = [(new.x - old.x, new.y - old.y) for new, old in zip(placed, footprints, strict=True)]
        return [
            replace(item, location=(item.location[0] + dx, item.location[1] + dy, item.location[2]))
            for item, (dx, dy) in zip(items, shifts, strict=True)
        ]

    def member(self, k: int, purpose: Purpose) -> Item:
        objects, key = self.config.objects, f"objects.{k}" if k else "objects"
        if purpose == "main" and self.asset is not None:
            info = self.catalogue.info(self.asset)
        else:
            category = self.named(f"{key}.category", objects.category, self.classes)
            info = self.catalogue.info(self.pick(f"{key}.instance", self.catalogue.assets(category)))
        scale = self.value(f"{key}.scale", objects.scale)
        if purpose == "clutter":
            scale *= self.value(f"{key}.clutter.scale", objects.clutter.scale)
        return self.placed(key, info, purpose, scale)

    def placed(self, key: str, info: AssetInfo, purpose: Purpose, scale: float) -> Item:
        """An item turned and resting (or floating) over the origin."""
        if self.config.objects.size == "metric" and info.meters is not None:
            scale *= info.meters
        rotation = self.rotation(key, info)
        lowest = scale * float((info.hull @ rotation_matrix(rotation)[2]).min())
        height = -lowest
        if self.value(f"{key}.support", self.config.objects.support) == "floating":
            height += scale * self.value(f"{key}.lift", self.config.objects.lift)
        return Item(
            info.id,
            info.category,
            purpose,
            (0.0, 0.0, height),
            rotation,
            scale,
            self.materials(key, info),  # type: ignore[arg-type]
        )

    def rotation(self, key: str, info: AssetInfo) -> Quaternion:
        objects = self.config.objects
        mode = self.value(f"{key}.rotation", objects.rotation)
        if mode == "free":
            return free_quaternion(*(self.streams.quantile(f"{key}.rotation.{axis}") for axis in "uvw"))
        turn = yaw_quaternion(self.value(f"{key}.yaw", objects.yaw))
        if mode == "upright" or not info.stable or (mode == "standing" and _stands(info)):
            return turn
        # The likeliest pose is the last resort of a quantile next to 1.
        pose = info.stable[0][0]
        u = self.streams.quantile(f"{key}.rotation.side")
        for candidate, probability in info.stable:
            if u < probability:
                pose = candidate
                break
            u -= probability
        return quaternion_product(turn, pose)

    def footprint(self, item: Item, key: str) -> Footprint:
        """The item's rectangle on the ground, turned with it where it stands upright, with its free room."""
        info = self.catalogue.info(item.asset)
        w, x, y, z = item.rotation
        upright = abs(x) < 1e-9 and abs(y) < 1e-9
        matrix = rotation_matrix(IDENTITY if upright else item.rotation)[:2]
        flat = item.scale * (info.hull @ matrix.T)
        low, high = extent(flat)
        cosine, sine = (w * w - z * z, 2 * w * z) if upright else (1.0, 0.0)
        cx, cy = (low + high) / 2
        room = 1 + self.value(f"{key}.spacing", self.config.objects.spacing)
        half_x, half_y = (high - low) / 2 * room
        return Footprint(
            item.location[0] + cosine * cx - sine * cy,
            item.location[1] + sine * cx + cosine * cy,
            float(half_x),
            float(half_y),
            cosine,
            sine,
        )

    def materials(self, key: str, info: AssetInfo) -> dict[str, Material]:
        factor = self.config.material
        base = f"material{key.removeprefix('objects')}"
        mode = self.value(f"{base}.mode", factor.mode)
        if mode == "whole":
            return {"*": self.replacement(base)}
        roles = info.distinct_roles
        if mode == "per_part":
            return {role: self.replacement(f"{base}.{role}") for role in roles}
        return {role: draw_role(role, self.streams, f"{base}.{role}") for role in roles}

    def occluder(self, items: list[Item], camera: Camera) -> list[Item]:
        """One item between the camera and the main one, moved sideways until it hides the share asked for."""
        settings = self.config.objects.occluder
        if not self.value("objects.occluder.present", settings.present):
            return []
        wanted = 1 - self.value("objects.occluder.visibility", settings.visibility)
        key = "objects.occluder"
        category = self.pick(f"{key}.category", self.classes)
        info = self.catalogue.info(self.pick(f"{key}.instance", self.catalogue.assets(category)))
        main = items[0]
        item = self.placed(key, info, "occluder", main.scale * (0.5 + 0.5 * self.streams.quantile(f"{key}.scale")))
        behind = self.world_points([main])
        eye, center = np.array(camera.location), center_of(behind)
        view = center - eye
        size = float(np.linalg.norm(view))
        # Half way, but clear of both: of the main object by the two radii, of the camera by its own.
        gap = (main.scale + item.scale) / 2
        share = min(0.55, max(0.25, 1 - gap / max(size, 1e-9)))
        at = eye + view * share
        sideways = cross(view / size, (0.0, 0.0, 1.0))
        sideways /= max(float(np.linalg.norm(sideways)), 1e-9)
        if self.streams.quantile(f"{key}.side") < 0.5:
            sideways = -sideways
        own = self.world_points([item])
        base = np.array([at[0] - item.location[0], at[1] - item.location[1], 0.0])
        if float(np.ptp(own[:, 2])) + own[:, 2].min() < at[2]:
            # A thing on the ground that ends below the line of sight hides nothing: let it float into the way.
            base[2] = at[2] - center_of(own)[2]
        low, high = 0.0, main.scale + item.scale
        for _ in range(12):
            middle = (low + high) / 2
            hides = hidden_share(camera, behind, own + base + sideways * middle) > wanted
            low, high = (middle, high) if hides else (low, middle)
        shift = base + sideways * high
        x, y, z = item.location
        return [replace(item, location=(x + float(shift[0]), y + float(shift[1]), z + float(shift[2])))]


def _stands(info: AssetInfo) -> bool:
    """Whether the model stays upright: one of its resting poses is hardly turned."""
    return any(rotation_matrix(pose)[2, 2] > _UPRIGHT for pose, _ in info.stable)
