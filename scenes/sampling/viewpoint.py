"""From the side that is seen to the turn of an object and the height of the camera."""

from __future__ import annotations

import math

from scenes.record.scene import Quaternion
from scenes.section import Drawn

LYING: Quaternion = (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)
"""The rotation that lays an object on its back: its front points up, and its top along y."""


def turn_and_height(objects: Drawn, camera: Drawn) -> tuple[float, float]:
    """The yaw of an object and the elevation of the camera above the ground, in degrees.

    An object with a `side` is turned so that the camera of the scene's first view sees that side. The camera looks at a
    lying one from the same direction as at a standing one, as counted from the object, but from its foot's end. It
    cannot see the side that the object lies on, and sees the opposite one.
    """
    side = objects.get("side")
    if side is None:
        return objects["yaw"], camera["elevation"]
    if objects["rotation"] != "lying":
        return camera["azimuth"] - side, camera["elevation"]
    s, e = math.radians(side), math.radians(camera["elevation"])
    x, y, z = math.sin(s) * math.cos(e), -math.sin(e), abs(math.cos(s) * math.cos(e))
    return camera["azimuth"] - math.degrees(math.atan2(x, -y)), math.degrees(math.asin(min(z, 1.0)))
