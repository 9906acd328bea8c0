"""Components that telephones are put together from: slabs, keypads, displays, lids, handsets.

Each takes the parameters of `telephone.telephone` as a namespace. Faces look along z, the earpiece is towards y.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from scenes.shapes.primitives import (
    Array,
    Geometry,
    around,
    both_sides,
    box,
    cylinder,
    lathe,
    merge,
    prism,
    rotation,
    rounded_rectangle,
    sheet,
    spline,
    superellipse,
    sweep,
    tube,
)

Pieces = list[tuple[str, Geometry, str]]
Points = dict[str, Array]

# Of the seven-segment digits 1 to 9, then of rough *, 0 and #.
SEGMENTS = ("bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg", "abfg", "abcdef", "bcefg")


def slab_outline(width: float, length: float, waist: float, top: float, power: float) -> Array:
    """(96, 2) outline from y = 0 to length, evenly spaced, with its width eased through 1, waist, top."""
    dense = superellipse(1.0, 1.0, power, 720)
    closed = np.concatenate([dense, dense[:1]]) * (width, length) + (0, length / 2)
    closed[:, 0] *= _eased(waist, top)(closed[:, 1] / length)
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, chord[-1], 97)[:-1]
    return np.column_stack([np.interp(at, chord, closed[:, k]) for k in (0, 1)])


def _eased(waist: float, top: float) -> Callable[[Array], Array]:
    """The width at a fraction of the length: a parabola through 1, waist and top."""
    fit: Callable[..., Callable[[Array], Array]] = np.polynomial.Polynomial.fit
    return fit([0, 0.45, 1], [1.0, waist, top], 2)


def shrunk(outline: Array, distance: float) -> Array:
    """The outline scaled to lie `distance` inside its box; unlike an inset it keeps tight corners simple."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    middle = (low + high) / 2
    return np.asarray(middle + (outline - middle) * (1 - 2 * distance / (high - low)))


def pillow(outline: Array, depth: float, front: float, back: float) -> Geometry:
    """A slab from z = 0 to depth with round rims; its faces run from the rim to the middle line, so they can bow."""
    t = np.linspace(0, np.pi / 2, 6)
    levels = [(back * (1 - np.sin(a)), back * (1 - np.cos(a))) for a in t]
    levels += [(front * (1 - np.cos(a)), depth - front * (1 - np.sin(a))) for a in t]
    rings = [np.column_stack([shrunk(outline, inset), np.full(len(outline), z)]) for inset, z in levels]
    shrink = [np.array([f, 1, 1]) for f in (0.66, 0.33, 0.0)]
    return sheet([*(rings[0] * f for f in shrink[::-1]), *rings, *(rings[-1] * f for f in shrink)], close_columns=True)


def bow(v: Array, curve: float, length: float) -> Array:
    """Ends come forward by `curve`; along the antenna the bow stays straight."""
    along = np.clip(2 * v[:, 1] / length - 1, -1, 1)
    return v + np.column_stack([0 * v[:, :2], curve * along**2])


def keypad(p: SimpleNamespace, width: float, low: float, high: float, face: float) -> tuple[Pieces, Points]:
    """Twelve keys with their digits between y = low and high."""
    pitch_x, pitch_y = width / 3, (high - low) / 4
    size = np.array([pitch_x, pitch_y]) * p.key_fill
    key = prism(superellipse(size[0], size[1], p.key_power, 32), 0.0026, 0.0006)
    keys, legends = [], []
    for k, segments in enumerate(SEGMENTS):
        column, row = k % 3 - 1, k // 3
        at = (column * pitch_x, high - (row + 0.5) * pitch_y + p.smile * abs(column), face)
        tilt = 40.0 * column * p.smile / pitch_x
        keys.append(key.rotated("z", tilt).moved(*at))
        legends.append(_digit(segments, 0.5 * min(size)).rotated("z", tilt).moved(*at).moved(z=0.0013))
    top = face + 0.0013
    points = {
        "key_1": np.array([-pitch_x, high - 0.5 * pitch_y + p.smile, top]),
        "keypad_center": np.array([0, (low + high) / 2, face]),
        "key_hash": np.array([pitch_x, low + 0.5 * pitch_y + p.smile, top]),
    }
    return [("keys", merge(keys), p.key_role), ("digits", merge(legends), p.legend_role)], points


def _digit(segments: str, height: float) -> Geometry:
    """A seven-segment digit about the origin, a hair thick."""
    w, h, t = 0.55 * height, height, 0.16 * height
    places = {"a": (0, h / 2), "g": (0, 0), "d": (0, -h / 2), "b": (w / 2, h / 4), "c": (w / 2, -h / 4)}
    places |= {"f": (-w / 2, h / 4), "e": (-w / 2, -h / 4)}
    across, upright = box(w + t, t, 0.0002), box(t, h / 2 + t, 0.00024)
    return merge((across if s in "agd" else upright).moved(*places[s]) for s in segments)


def controls(p: SimpleNamespace, width: float, at: float, face: float) -> Pieces:
    """A rocker between two pairs of keys."""
    rocker = prism(superellipse(0.34 * width, 0.017 * width / 0.04, 2.4, 40), 0.003, 0.0008).moved(y=at)
    pair = [
        prism(superellipse(0.22 * width, 0.13 * width, p.key_power, 28), 0.0024, 0.0006).moved(y=y)
        for y in (0.09 * width, -0.09 * width)
    ]
    sides = both_sides(merge(pair).rotated("z", 12.0).moved(0.36 * width, at))
    return [("rocker", rocker.moved(z=face), p.panel_role), ("soft_keys", sides.moved(z=face), p.key_role)]


def display(p: SimpleNamespace, at: float, face: float) -> Pieces:
    """A dark window with the screen in it and a few lines of text."""
    w, h = p.screen_width * p.width, p.screen_height * p.length
    window = prism(superellipse(1.22 * w, 1.4 * h, p.window_power, 56), 0.002, 0.0005)
    screen = prism(rounded_rectangle(0.94 * w, 0.94 * h, 0.001, 4), 0.001)
    lines = [(0.8, 0.32), (0.55, 0.08), (0.65, -0.14), (0.3, -0.36)]
    text = [box(f * 0.84 * w, 0.07 * h, 0.0002).moved((f - 1) * 0.42 * w, y * h) for f, y in lines]
    return [
        ("window", window.moved(y=at, z=face), "dark_plastic:window"),
        ("screen", screen.moved(y=at, z=face + 0.0008), p.screen_role),
        ("text", merge(text).moved(y=at, z=face + 0.0013), "ebony"),
    ]


def slot(length: float, height: float) -> Geometry:
    return prism(superellipse(length, height, 3.0, 20), 0.0006)


def earpiece(at: float, width: float, face: float) -> Pieces:
    slots = [slot(width * f, 0.0016).moved(y=at + k * 0.0028, z=face) for k, f in ((-1, 0.75), (0, 1.0), (1, 0.75))]
    return [("earpiece", merge(slots), "dark_plastic")]


def antenna(p: SimpleNamespace, aside: float, length: float) -> Pieces:
    radius = 0.1 * p.width
    x, z = p.antenna_side * aside * 0.92, max(0.42 * p.depth, 0.006)
    collar = cylinder(radius, 0.016, 32, 0.001).rotated("x", -90).moved(x, length - 0.012, z)
    stub = cylinder(0.78 * radius, p.antenna + 0.006, 32, 0.0022, 0.62 * radius).rotated("x", -90).moved(x, length, z)
    return [("antenna_collar", collar, p.body_role), ("antenna", stub, "rubber")]


def back(p: SimpleNamespace, outline: Array) -> Pieces:
    """The battery, proud of the back."""
    inner = shrunk(outline, 0.12 * p.width) * (1, 0.62) + (0, 0.05 * p.length)
    latch = box(0.22 * p.width, 0.006, 0.003, 0.001).moved(y=0.75 * p.length, z=0.0)
    return [
        ("battery", pillow(inner, 0.006, 0.001, 0.0015).moved(z=-0.0018), p.body_role),
        ("latch", latch, p.panel_role),
    ]


def side_keys(p: SimpleNamespace, at: float) -> Pieces:
    """Volume keys in the flank, half sunk at whatever the outline's width is there."""
    flank = _width_at(p, at / p.length) / 2
    pair = [box(0.0024, 0.009, 0.3 * p.depth, 0.0008).moved(y=y) for y in (-0.0055, 0.0055)]
    return [("volume_keys", merge(pair).moved(-p.antenna_side * flank, at, 0.5 * p.depth), "dark_plastic")]


def _width_at(p: SimpleNamespace, along: float) -> float:
    if p.style != "candybar":
        return p.width * (
            1.0 if p.style == "smartphone" else (1 - abs(2 * along - 1) ** p.roundness) ** (1 / p.roundness)
        )
    return float(
        p.width * _eased(p.waist, p.top)(np.array(along)) * (1 - abs(2 * along - 1) ** p.roundness) ** (1 / p.roundness)
    )


def flap(p: SimpleNamespace) -> Pieces:
    """A mouthpiece cover hinged below the keys, let down to the front until it all but touches the table."""
    reach, height = 0.3 * p.length, 0.008
    outline = slab_outline(0.86 * p.width, reach, 1.0, 1.0, max(p.roundness - 1, 3.0))
    drop = 90.0 - float(np.degrees(np.arcsin((height - 0.001) / reach)))
    cover = pillow(outline, 0.004, 0.0015, 0.0015).moved(y=-reach).rotated("x", -drop)
    hinge = cylinder(0.0035, 0.7 * p.width, 24, 0.001).rotated("y", 90).moved(-0.35 * p.width)
    at = (0, height, p.depth + p.curve - 0.002)
    return [("flap", cover.moved(*at), p.body_role), ("flap_hinge", hinge.moved(*at).moved(y=-0.004), p.body_role)]


def hinge(p: SimpleNamespace, length: float, face: float) -> Pieces:
    radius = 0.36 * p.depth
    middle = cylinder(radius, 0.5 * p.width, 36, 0.0006).rotated("y", 90).moved(-0.25 * p.width)
    outer = both_sides(cylinder(1.05 * radius, 0.2 * p.width, 36, 0.0012).rotated("y", 90).moved(0.26 * p.width))
    at = (0, length + 0.1 * radius, face - 0.6 * radius)
    return [("hinge", middle.moved(*at), p.panel_role), ("knuckles", outer.moved(*at), p.body_role)]


def lid(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """A flip phone's lid, built flat above the hinge and swung towards the keys."""
    length, thick = 0.97 * p.length, 0.62 * p.depth
    outline = slab_outline(p.width, length, 1.0, 0.97 * p.top, p.roundness)
    pieces = [("lid", pillow(outline, thick, 0.2 * thick, 0.4 * thick), p.body_role)]
    if p.panel:
        plate = shrunk(outline, 0.003 + 0.2 * thick)
        pieces.append(("panel", pillow(plate, 0.002, 0.0004, 0.0004).moved(z=thick - 0.0016), p.panel_role))
    ear = 0.87 if p.screen_in_lid else 0.72
    face = thick + 0.0004 * p.panel
    pieces += earpiece(ear * length, 0.28 * p.width, face)
    points = {"earpiece": np.array([0, ear * length, face])}
    if p.screen_in_lid:
        large = SimpleNamespace(**{**vars(p), "screen_height": 1.6 * p.screen_height})
        pieces += display(large, 0.47 * length, face)
        points["screen_center"] = np.array([0, 0.47 * length, face + 0.001])
    shift, pivot = np.array([0, p.length, p.depth - thick]), np.array([0, p.length, p.depth - 0.2 * p.depth])
    swing = rotation("x", 180.0 - p.opening)

    def swung(v: Array) -> Array:
        return (v + shift - pivot) @ swing.T + pivot

    return [(n, g.bent(swung), r) for n, g, r in pieces], {n: swung(v) for n, v in points.items()}


def rear_camera(radius: float) -> Geometry:
    return cylinder(radius, 0.002, 32, 0.0004).moved(z=-0.0012)


def handset(span: float, aside: float, role: str) -> tuple[Pieces, Points]:
    """A handset along y above z = 0, its ear cup at the back."""
    arch = spline(
        [(0, -0.5 * span, 0.028), (0, -0.25 * span, 0.041), (0, 0.25 * span, 0.041), (0, 0.5 * span, 0.028)], 40
    )
    grip = sweep(arch, superellipse(0.042, 0.022, 3.0, 40), up=(0, 0, 1))
    cup = lathe([(0, 0.034), (0.015, 0.034), (0.0235, 0.029), (0.0255, 0.02), (0.0245, 0.01), (0.0, 0.009)][::-1], 48)
    cups = merge([cup.moved(y=s * 0.5 * span) for s in (-1, 1)])
    holes = around(cylinder(0.0018, 0.002, 10).moved(x=0.009), 6).moved(z=0.0082)
    dots = merge([holes.moved(y=s * 0.5 * span) for s in (-1, 1)])
    pieces = [("handset", merge([grip, cups]).moved(x=-aside), role), ("holes", dots.moved(x=-aside), "dark_plastic")]
    points = {"earpiece": np.array([-aside, 0.5 * span, 0.009]), "mouthpiece": np.array([-aside, -0.5 * span, 0.009])}
    return pieces, points


def cord(p: SimpleNamespace) -> Geometry:
    """A coiled cord from the mouthpiece, over the table, to the base's left flank."""
    x, y = -0.33 * p.width, -0.41 * p.length
    axis = spline(
        [
            (x, y - 0.024, p.depth + 0.02),
            (x - 0.01, y - 0.05, 0.03),
            (x - 0.05, y - 0.03, 0.0065),
            (x - 0.075, y + 0.05, 0.0065),
            (x - 0.055, 0.1 * p.length, 0.0065),
            (-0.49 * p.width, 0.25 * p.length, 0.012),
        ],
        640,
    )
    turn = np.linspace(0, 2 * np.pi * 44, 640)
    across = np.gradient(axis, axis=0)
    across = np.cross(across, (0, 0, 1)) / np.linalg.norm(across, axis=1, keepdims=True)
    coil = axis + 0.0045 * (np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * (0, 0, 1))
    return tube(coil, 0.0015, 6)
