"""The upright piano."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Part
from scenes.shapes.piano import parts as parts
from scenes.shapes.primitives import Array, both_sides, box, merge, part


def upright(
    depth: float, width: float, height: float, keys: int, desk: str, desk_height: float, tilt: float,
    leg_style: str, role: str, metal_role: str,
) -> tuple[list[Part], dict[str, Array]]:  # fmt: skip
    """A cabinet `depth` deep with the keys standing out of its front on a shelf carried by two legs."""
    half, key, face = width / 2, 0.73, 0.21
    side = box(0.04, depth - face + 0.02, height, 0.004).moved(half - 0.02, (depth + face) / 2 - 0.01, height / 2)
    arm = box(0.046, face + 0.06, 0.14, 0.012).moved(half - 0.021, face / 2 - 0.01, key - 0.02)
    block = box(0.09, 0.17, 0.05, 0.004).moved(half - 0.084, 0.085, key - 0.005)
    toe = box(0.066, 0.30, 0.06, 0.01).moved(half - 0.031, 0.145, 0.03)
    inside = width - 0.07
    bed = box(inside, face + 0.03, 0.05, 0.003).moved(y=face / 2 + 0.012, z=key - 0.05)
    slip = box(inside, 0.02, 0.06, 0.003).moved(y=-0.008, z=key - 0.038)
    lower = box(inside, 0.02, key - 0.2, 0.004).moved(y=face + 0.05, z=(key + 0.03) / 2)
    plinth = box(inside, depth - face - 0.1, 0.12, 0.004).moved(y=(depth + face) / 2, z=0.065)
    back = box(inside, 0.02, height - 0.002, 0.002).moved(y=depth - 0.03, z=height / 2)
    upper_height = height - key - 0.105
    upper = (
        box(inside, 0.02, upper_height, 0.004)
        .moved(z=upper_height / 2)
        .rotated("x", -4)
        .moved(y=face + 0.01, z=key + 0.11)
    )
    panel = (
        box(0.4 * inside, 0.012, 0.6 * upper_height, 0.005)
        .rotated("x", -4)
        .moved(0.25 * inside, face + 0.01, key + 0.12 + 0.5 * upper_height)
    )
    fall = box(inside, 0.02, 0.15, 0.004).rotated("x", -12).moved(y=0.165, z=key + 0.06)
    top = box(width + 0.03, depth - face + 0.05, 0.03, 0.006).moved(y=(depth + face) / 2 - 0.01, z=height + 0.014)
    cabinet = [
        both_sides(side),
        both_sides(arm),
        both_sides(block),
        both_sides(toe),
        bed,
        slip,
        lower,
        plinth,
        back,
        upper,
    ]
    places = np.array([(-half + 0.035, 0.05), (half - 0.035, 0.05)])
    leg = parts.leg("turned" if leg_style == "turned" else "tapered", key - 0.13, 0.066).moved(z=0.05)
    pieces = [
        part("cabinet", merge(cabinet), role),
        part("panels", both_sides(panel), role),
        part("fallboard", fall, role),
        part("lid", top, role),
        *(
            part(name, leg.moved(x, y), role, 30)
            for name, (x, y) in zip(("leg_right", "leg_left"), places, strict=True)
        ),
        part("name", box(0.14, 0.002, 0.018).rotated("x", -12).moved(0, 0.156, key + 0.075), "brass:name"),
        parts.pedals(face + 0.03, 0.09, metal_role),
        *parts.keyboard(key, width - 0.26, keys, 0.15),
    ]
    if desk != "none":
        pieces.append(parts.music_desk(desk, face - 0.035, key + 0.12, 0.6 * width, desk_height, tilt, role))
    return pieces, {
        "keyboard_right": np.array([-half + 0.13, 0.0, key]),
        "keyboard_left": np.array([half - 0.13, 0.0, key]),
        "tail": np.array([0.0, depth, height]),
        "lid_edge": np.array([0.0, face - 0.035, height + 0.014]),
        "cheek_right": np.array([-half + 0.02, -0.02, key + 0.03]),
        "cheek_left": np.array([half - 0.02, -0.02, key + 0.03]),
        "foot_right": np.array([-half + 0.035, 0.05, 0.0]),
        "foot_left": np.array([half - 0.035, 0.05, 0.0]),
        "desk_top": np.array([0.0, face - 0.035, key + 0.12]) + parts.lean(desk_height, tilt),
    }
