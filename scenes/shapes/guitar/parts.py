"""Fittings of the guitars, built lying on the back: x to the viewer's right, y to the head, z to the strings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.mesh import Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    bar,
    box,
    circle,
    cylinder,
    ellipsoid,
    inset_outline,
    loft,
    merge,
    part,
    prism,
    spline,
    superellipse,
    tube,
)

GUARDS = {
    "strat": [
        (30, 66), (66, 62), (108, 92), (122, 120), (98, 152), (92, 200), (88, 250), (100, 296), (114, 334),
        (104, 348), (88, 342), (64, 316), (40, 298), (0, 298), (-38, 304), (-60, 330), (-80, 364), (-100, 376),
        (-108, 344), (-92, 280), (-80, 236), (-72, 190), (-56, 150), (-44, 122), (0, 106), (24, 88),
    ],
    "tele": [
        (58, 168), (92, 178), (108, 206), (98, 244), (104, 282), (112, 312), (102, 330), (74, 312), (34, 296),
        (0, 300), (-30, 330), (-58, 366), (-92, 360), (-110, 328), (-106, 280), (-84, 236), (-68, 196), (-44, 178),
        (0, 166),
    ],
    "les_paul": [(38, 175), (52, 172), (70, 205), (66, 250), (62, 290), (54, 300), (40, 298), (38, 240)],
    "sg": [
        (34, 160), (56, 140), (92, 160), (90, 200), (78, 236), (82, 270), (74, 296), (34, 300), (0, 296), (-30, 296),
        (-34, 284), (0, 280), (30, 276),
    ],
    "teardrop": [(58, -40), (80, -72), (118, -92), (128, -60), (104, -10), (80, 30), (58, 44), (50, 30), (62, 0)],
}  # fmt: skip
HEADS = {
    "inline": [
        (21, 0), (24, 14), (34, 24), (38, 44), (33, 70), (27, 110), (22, 148), (18, 172), (2, 186), (-22, 186),
        (-38, 174), (-36, 160), (-26, 154), (-27, 130), (-27, 80), (-27, 34), (-24, 12), (-21, 0),
    ],
    "pointed": [
        (21, 0), (23, 16), (14, 60), (-2, 120), (-22, 172), (-50, 204), (-56, 200), (-48, 160), (-38, 110), (-33, 60),
        (-34, 30), (-27, 14), (-21, 0),
    ],
    "open_book": [
        (21, 0), (23, 12), (35, 30), (37, 70), (41, 120), (43, 158), (36, 168), (18, 172), (6, 164), (0, 160),
        (-6, 164), (-18, 172), (-36, 168), (-43, 158), (-41, 120), (-37, 70), (-35, 30), (-23, 12), (-21, 0),
    ],
    "pointed_v": [
        (21, 0), (24, 14), (38, 36), (34, 90), (28, 150), (10, 196), (0, 200), (-10, 196), (-28, 150), (-34, 90),
        (-38, 36), (-24, 14), (-21, 0),
    ],
    "slab": [
        (21, 0), (24, 12), (33, 24), (34, 60), (35, 120), (37, 168), (30, 176), (0, 178), (-30, 176), (-37, 168),
        (-35, 120), (-34, 60), (-33, 24), (-24, 12), (-21, 0),
    ],
    "slotted": [
        (25, 0), (26, 10), (34, 22), (35, 90), (36, 160), (34, 172), (14, 176), (0, 182), (-14, 176), (-34, 172),
        (-36, 160), (-35, 90), (-34, 22), (-26, 10), (-25, 0),
    ],
}  # fmt: skip
GAUGES = np.array([0.7, 0.6, 0.5, 0.42, 0.36, 0.32]) / 1000


@dataclass(frozen=True)
class Neck:
    """joint: where it meets the body; nut and scale as usual; top: height of the fretboard's surface."""

    joint: float
    nut: float
    scale: float
    top: float
    frets: int
    acoustic: bool
    style: str

    def fret(self, n: float) -> float:
        return self.nut - self.scale * (1 - 2 ** (-n / 12))

    @property
    def board_end(self) -> float:
        return self.fret(self.frets) - 0.008

    def width(self, y: Array | float) -> Array:
        narrow, wide = (0.051, 0.062) if self.style == "classical" else (0.042, 0.056)
        return np.asarray(np.interp(y, [self.board_end, self.nut], [wide, narrow]))


@dataclass(frozen=True)
class Headstock:
    """Its parts, the (6, 3) points the strings end at (bass first) and its tip."""

    parts: list[Part]
    posts: Array
    tip: Array


def solid_body(outline: Array, depth: float, edge: float, role: str, binding: bool) -> list[Part]:
    pieces = [part("body", prism(outline, depth, edge).moved(z=depth / 2), role, 50)]
    return [*pieces, _binding(outline, depth, 0.5 * edge + 0.006)] if binding else pieces


def hollow_body(outline: Array, depth: float, hole: float, role: str, side_role: str, binding: bool) -> list[Part]:
    """Top with a sound hole, back, sides half a millimeter in, and a rosette."""
    opening = np.add(circle(0.05, 48), (0, hole))
    top = prism(outline, 0.004, 0.001, [opening]).moved(z=depth - 0.002)
    back = prism(outline, 0.004, 0.001).moved(z=0.002)
    rim = inset_outline(outline, 0.0006)
    sides = prism(rim, depth - 0.005, holes=[inset_outline(outline, 0.004)]).moved(z=depth / 2)
    rosette = merge(_ring(r, w).moved(0, hole, depth) for r, w in ((0.0525, 0.002), (0.058, 0.005), (0.063, 0.0015)))
    pieces = [part("top", top, role), part("back", back, side_role), part("sides", sides, side_role, 50)]
    pieces.append(part("rosette", rosette, "dark_wood:rosette"))
    return [*pieces, _binding(outline, depth, 0.006)] if binding else pieces


def _ring(radius: float, width: float) -> Geometry:
    return prism(circle(radius + width / 2, 64), 0.0006, holes=[circle(radius - width / 2, 64)])


def _binding(outline: Array, depth: float, height: float) -> Part:
    ring = prism(inset_outline(outline, -0.0004), height, 0.001, [inset_outline(outline, 0.004)])
    return part("binding", ring.moved(z=depth + 0.0004 - height / 2), "ivory:binding", 50)


def f_holes(bridge: float, depth: float) -> Part:
    """Dark inlays in the shape of an f."""
    stem = np.array([(-12, 62), (0, 68), (6, 52), (-4, 20), (4, -20), (-6, -52), (0, -68), (12, -62)]) / 1000
    path = spline(stem, 30)
    width = 0.0016 + 0.0032 * np.sin(np.linspace(0, np.pi, 30)) + 0.003 * (np.abs(np.linspace(-1, 1, 30)) > 0.9)
    ahead = np.gradient(path, axis=0)
    side = np.column_stack([ahead[:, 1], -ahead[:, 0]]) / np.linalg.norm(ahead, axis=1, keepdims=True)
    loop = np.concatenate([path + side * width[:, None], (path - side * width[:, None])[::-1]])
    hole = prism(loop, 0.001).rotated("z", -8).moved(0.105, bridge + 0.01, depth)
    return part("f_holes", merge([hole, hole.mirrored("x")]), "dark_plastic:hole")


def pickguard(kind: str, width: float, length: float, depth: float, hole: float, role: str) -> Part:
    points = np.array(GUARDS[kind], dtype=float) * (width, length) / 1000 + (0, hole)
    lift = 0.006 if kind == "les_paul" else 0.0
    guard = prism(spline(points, 110, closed=True), 0.0035 + lift, 0.0008).moved(z=depth + 0.0004 + lift / 2)
    return part("pickguard", guard, role, 50)


def neck(n: Neck, role: str, board_role: str, inlay: str) -> list[Part]:
    return [
        part("neck", _neck_shaft(n), role, 50),
        part("fretboard", _board(n), board_role),
        part("frets", _frets(n), "steel:frets", 60),
        part(
            "nut", box(float(n.width(n.nut)) + 0.0005, 0.005, 0.008, 0.0008).moved(y=n.nut, z=n.top - 0.0015), "ivory"
        ),
        *([_inlays(n, inlay)] if inlay != "none" else []),
    ]


def _neck_shaft(n: Neck) -> Geometry:
    """A half-round shaft from inside the body to the nut, thicker toward the heel."""
    start = n.joint - (0.004 if n.acoustic else 0.05)
    y = np.concatenate([np.linspace(start, n.joint + 0.005, 4), np.linspace(n.joint + 0.03, n.nut + 0.004, 16)])
    heel = 0.85 * n.top if n.acoustic else 0.034
    thick = np.interp(y, [start, n.joint + 0.005, n.joint + 0.05, n.nut], [heel, heel, 0.020, 0.016])
    t = np.linspace(np.pi, 2 * np.pi, 22)
    across = np.sign(np.cos(t)) * np.abs(np.cos(t)) ** 0.75
    down = -(np.abs(np.sin(t)) ** 0.9)
    wide = n.width(y)[:, None] / 2 - 0.0003
    x = across * wide
    z = n.top - 0.0055 + down * thick[:, None]
    return loft(np.stack([x, np.repeat(y[:, None], 22, axis=1), z], axis=-1)[:, ::-1])


def _board(n: Neck) -> Geometry:
    low, high = float(n.width(n.board_end)) / 2, float(n.width(n.nut)) / 2
    corners = np.array([(low, n.board_end), (high, n.nut), (-high, n.nut), (-low, n.board_end)])
    return prism(corners, 0.006, 0.0006).moved(z=n.top - 0.003)


def _frets(n: Neck) -> Geometry:
    return merge(
        bar((-w, y, n.top), (w, y, n.top), 0.0011, 8)
        for y, w in ((n.fret(k), float(n.width(n.fret(k))) / 2 - 0.0006) for k in range(1, n.frets + 1))
    )


def _inlays(n: Neck, kind: str) -> Part:
    pieces = []
    for k in (3, 5, 7, 9, 12, 15, 17, 19, 21):
        if k > n.frets:
            continue
        y, gap = (n.fret(k) + n.fret(k - 1)) / 2, n.fret(k - 1) - n.fret(k)
        width = float(n.width(y))
        if kind == "blocks":
            w, h = 0.62 * width, 0.6 * gap
            outline = np.array([(w / 2, -h / 2), (0.4 * w, h / 2), (-0.4 * w, h / 2), (-w / 2, -h / 2)])
            pieces.append(prism(outline, 0.0006).moved(y=y, z=n.top))
        else:
            offsets = (-0.25 * width, 0.25 * width) if k == 12 else (0.0,)
            pieces += [prism(circle(0.0032, 20), 0.0006).moved(x, y, n.top) for x in offsets]
    return part("inlays", merge(pieces), "ivory:inlay")


def headstock(n: Neck, kind: str, tilt: float, neck_role: str, face_role: str, metal_role: str) -> Headstock:
    """The head with its tuners; it starts at the nut and leans back by `tilt` degrees."""
    outline = _head_outline(n, kind)
    drop = 0.006 if tilt == 0 else 0.003
    slots = (
        [np.add(superellipse(0.011, 0.11, 6, 40), (s * 0.0165, 0.088)) for s in (1, -1)] if kind == "slotted" else []
    )
    posts, sides = _tuner_places(kind)
    slab = prism(outline, 0.015, 0.0015, slots).moved(z=-0.0075)
    pieces = {"headstock": (slab, neck_role), "tuners": (_tuners(posts, sides, kind), metal_role)}
    if kind not in ("inline", "slotted"):
        face = prism(inset_outline(outline, 0.0005), 0.002).moved(z=0.0004)
        face_role = face_role if kind == "pointed" else "lacquer:head"
        pieces["headstock_face"] = (face, face_role)
    if kind == "slotted":
        rollers = merge(bar((-0.026, y, -0.007), (0.026, y, -0.007), 0.0045, 12) for y in np.unique(posts[:, 1]))
        pieces["rollers"] = (rollers, "ivory:roller")

    def placed(geometry: Geometry) -> Geometry:
        return geometry.rotated("x", -tilt).moved(y=n.nut + 0.001, z=n.top - drop)

    ends = Geometry(
        np.column_stack([posts, np.full(6, 0.006 if kind != "slotted" else -0.002)]),
        np.zeros((0, 3), int),
        np.zeros((0, 3, 2)),
    )
    tip = np.array([[outline[outline[:, 1].argmax(), 0], outline[:, 1].max(), -0.007]])
    tip_point = placed(Geometry(tip, ends.faces, ends.uvs)).vertices[0]
    made = [part(name, placed(geometry), role, 40) for name, (geometry, role) in pieces.items()]
    return Headstock(made, placed(ends).vertices, tip_point)


def _head_outline(n: Neck, kind: str) -> Array:
    points = np.array(HEADS[kind], dtype=float) / 1000
    points[[0, -1], 0] = np.array([0.5, -0.5]) * float(n.width(n.nut))
    return spline(points, 120)


def _tuner_places(kind: str) -> tuple[Array, Array]:
    """Where the six string posts stand, bass first, and to which side (x, y) their pegs point."""
    if kind in ("inline", "pointed"):
        y = np.linspace(0.034, 0.148, 6)
        x = np.full(6, -0.0135) if kind == "inline" else np.linspace(-0.019, -0.030, 6)
        return np.column_stack([x, y]), np.full(6, -1.0)
    y = np.array([0.040, 0.084, 0.128])
    x = {"pointed_v": np.array([0.025, 0.021, 0.017])}.get(kind, np.full(3, 0.0235))
    if kind == "slotted":
        x = np.full(3, 0.0165)
    places = np.concatenate([np.column_stack([-x, y]), np.column_stack([x[::-1], y[::-1]])])
    return places, np.repeat([-1.0, 1.0], 3)


def _tuners(posts: Array, sides: Array, kind: str) -> Geometry:
    """A post through the head, a shaft out of its edge behind the face, and a flat button to turn."""
    button = ellipsoid(0.011, 0.017, 0.008, 16, 8)
    post = merge([cylinder(0.0031, 0.024, 16, 0.0006).moved(z=-0.016), cylinder(0.0052, 0.002, 18, 0.0005)])
    case = box(0.013, 0.016, 0.009, 0.002, 3).moved(z=-0.018)
    reach = {"slotted": 0.034}.get(kind, 0.032)
    pieces = []
    for (x, y), side in zip(posts, sides, strict=True):
        end = side * (abs(x) + reach) if kind != "slotted" else side * 0.05
        if kind == "inline":
            end = x - 0.028
        pieces.append(bar((x, y, -0.018), (end, y, -0.018), 0.0022, 10))
        pieces.append(button.moved(end, y, -0.018))
        pieces += [] if kind == "slotted" else [post.moved(x, y), case.moved(x, y)]
    return merge(pieces)


def strings(n: Neck, start: Array, posts: Array) -> Geometry:
    """Six strings from (6, 3) anchors over saddle and nut to the posts."""
    spread = np.linspace(-0.5, 0.5, 6)
    saddle = n.nut - n.scale
    pieces = []
    for k in range(6):
        over = (spread[k] * (0.058 if n.style == "classical" else 0.052), saddle, n.top + 0.0042)
        at_nut = (spread[k] * (float(n.width(n.nut)) - 0.008), n.nut, n.top + 0.0018)
        ends = [tuple(start[k])] if start[k][1] < saddle - 0.004 else []
        pieces.append(tube(np.array([*ends, over, at_nut, tuple(posts[k])]), GAUGES[k], 6))
    return merge(pieces)
