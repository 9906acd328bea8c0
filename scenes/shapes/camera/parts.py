"""Components that cameras are put together from: shells, lenses, finders, knobs, straps, bellows.

Each takes the parameters of `camera.camera` as a namespace, with the lens axis added as x and z in meters.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.shapes.primitives import (
    Array,
    Geometry,
    both_sides,
    box,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    merge,
    prism,
    rounded_rectangle,
    sheet,
    spline,
    superellipse,
    torus,
    tube,
)

Pieces = list[tuple[str, Geometry, str]]
Points = dict[str, Array]


def facing(geometry: Geometry) -> Geometry:
    """What was drawn in x and y stood up in x and z, facing the front."""
    return geometry.rotated("x", 90.0)


def shell(p: SimpleNamespace) -> Geometry:
    """A compact's body, its ends round in plan or its corners round in front view."""
    bevel = min(0.6 * p.edge * p.depth, 0.85 * p.roundness)
    if p.round_ends:
        plan = rounded_rectangle(p.width, p.depth, max(p.edge * p.depth, bevel / 0.85), 12)
        return prism(plan, p.height, bevel).moved(z=p.height / 2)
    return facing(prism(rounded_rectangle(p.width, p.height, p.roundness, 12), p.depth, bevel)).moved(z=p.height / 2)


def rounded(corners: Array, radius: float, steps: int = 6) -> Array:
    """A polygon with every corner replaced by a quadratic curve."""
    before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
    cut = [radius / np.maximum(np.linalg.norm(side, axis=1), 2.05 * radius) for side in (before, after)]
    t = np.linspace(0, 1, steps)[:, None]
    arcs = [
        (1 - t) ** 2 * (c + a * i) + 2 * t * (1 - t) * c + t**2 * (c + b * j)
        for c, a, b, i, j in zip(corners, before, after, *cut, strict=True)
    ]
    return np.concatenate(arcs)


def points(p: SimpleNamespace, tip: float, face: float, top: float, grip_x: float) -> Points:
    return {
        "lens_center": np.array((p.x, tip, p.z)),
        "lens_mount": np.array((p.x, face, p.z)),
        "top_center": np.array((p.x, 0.0, top)),
        "grip": np.array((grip_x, face - p.grip, 0.5 * p.height)),
        "base_center": np.array((0.0, 0.0, -p.battery_grip)),
        "back_center": np.array((0.0, p.depth / 2, 0.5 * p.height)),
    }


def column(width: float, depth: float, height: float) -> Geometry:
    """An upright grip, slightly slimmer at mid height, on z = 0."""
    z = np.linspace(0, 1, 12)
    ease = 1 - 0.1 * np.sin(np.pi * z) ** 2
    ease[[0, -1]], ease[[1, -2]] = 0.86, ease[[1, -2]] * 0.985
    plan = superellipse(width, depth, 3.0, 48)
    return loft([np.column_stack([plan * e, np.full(48, f * height)]) for e, f in zip(ease, z, strict=True)])


def _cup(radius: float, length: float, mouth: float, sink: float) -> Geometry:
    """A barrel along -y from y = 0 whose front is sunk inside its rim, in steps."""
    b = min(0.0012, 0.2 * length)
    steps = [
        (mouth, length - b),
        (0.93 * mouth, length - 0.4 * sink),
        (0.8 * mouth, length - 0.45 * sink),
        (0.7 * mouth, length - sink),
        (0, length - sink),
    ]
    outline = [(0, 0), (radius, 0), (radius, length - b), (radius - b, length), (mouth + b, length), *steps]
    return lathe(outline, 72).rotated("x", 90.0)


def _glass(radius: float, bulge: float) -> Geometry:
    return ellipsoid(2 * radius, 2 * bulge, 2 * radius, 40, 24)


def _ribbed(radius: float, length: float, ribs: int) -> Geometry:
    """A knurled ring along -y from y = 0."""
    angle = np.arange(4 * ribs) / (4 * ribs) * 2 * np.pi
    r = radius * np.where(np.arange(4 * ribs) % 4 < 2, 1.0, 0.965)
    return facing(prism(np.column_stack([r * np.cos(angle), r * np.sin(angle)]), length)).moved(y=-length / 2)


def _eye(p: SimpleNamespace, radius: float, at: float, length: float) -> tuple[Pieces, float]:
    """The front of any lens: rim, sunk steps and glass; `at` is y where it begins. Also where the glass ends."""
    mouth, sink = 0.84 * radius, min(0.35 * radius, 0.7 * length)
    cup = _cup(radius, length, mouth, sink).moved(p.x, at, p.z)
    bottom = at - length + sink
    glass = _glass(0.74 * mouth, 0.55 * sink).moved(p.x, bottom, p.z)
    return [("lens_front", cup, p.lens_role), ("lens_glass", glass, "tinted_glass")], bottom - 0.55 * sink


def barrel(p: SimpleNamespace, face: float) -> tuple[Pieces, float]:
    """Telescoping tubes, each slimmer than the one behind."""
    radii = np.linspace(1.0, p.flare, p.lens_steps + 1) * p.lens_radius
    step = p.lens_length / (p.lens_steps + 1)
    tubes, roles = [], [p.lens_role + ":tube", p.trim_role]
    for k, radius in enumerate(radii[:-1]):
        tube_ = cylinder(radius, step + 0.003, 72, min(0.001, 0.3 * step)).rotated("x", 90.0)
        tubes.append((f"lens_tube_{k}", tube_.moved(p.x, face + 0.003 - k * step, p.z), roles[k % 2]))
    front, tip = _eye(p, radii[-1], face + 0.002 - (len(radii) - 1) * step, step + 0.002)
    return tubes + front, tip


def long_lens(p: SimpleNamespace, at: float) -> tuple[Pieces, float]:
    """An interchangeable lens: plain and knurled rings in turn, a colored line, a filter rim and maybe a hood."""
    rings = 2 * p.lens_steps
    radii = p.lens_radius * (1 + (p.flare - 1) * np.linspace(0, 1, rings) ** 0.7)
    share = np.where(np.arange(rings) % 2 == 0, 0.7, 1.0)
    lengths = p.lens_length * share / share.sum() * 0.86
    plain, knurled, y = [], [], at
    for k, (radius, length) in enumerate(zip(radii, lengths, strict=True)):
        if k % 2:
            knurled.append(_ribbed(radius, length + 0.001, 48).moved(p.x, y + 0.0005, p.z))
        else:
            plain.append(
                cylinder(0.965 * radius, length + 0.002, 72, 0.0008).rotated("x", 90.0).moved(p.x, y + 0.001, p.z)
            )
        y -= length
    line = cylinder(1.012 * radii[-1] * 0.97, 0.0016, 72, 0.0003).rotated("x", 90.0).moved(p.x, y, p.z)
    front, tip = _eye(p, 0.97 * radii[-1], y + 0.001, 0.14 * p.lens_length + 0.002)
    pieces = [
        ("lens_rings", merge(plain), p.lens_role),
        ("lens_grips", merge(knurled), "rubber:lens"),
        ("lens_line", line, "painted:line"),
    ]
    if p.hood:
        r, y = radii[-1], y - 0.1 * p.lens_length
        shade = lathe([(1.0 * r, 0), (1.18 * r, p.hood), (1.14 * r, p.hood), (0.95 * r, 0), (1.0 * r, 0)], 72)
        pieces.append(("hood", shade.rotated("x", 90.0).moved(p.x, y, p.z), "dark_plastic"))
    return pieces + front, tip


def hump(p: SimpleNamespace, top: float) -> Pieces:
    """The pentaprism: a tapering block above the lens with a hot shoe, or a flash popped up."""
    levels = [(-0.25, 1.0), (0.1, 0.97), (0.45, 0.84), (0.8, 0.62), (0.95, 0.54), (1.0, 0.48)]
    w, d = (0.44 if p.style == "slr" else 0.36) * p.width, 0.98 * p.depth
    block = loft(
        [
            np.column_stack(
                [rounded_rectangle(w * f, d * (0.35 + 0.65 * f), 0.16 * w * f, 8), np.full(32, top + z * p.hump)]
            )
            for z, f in levels
        ]
    )
    role = p.cover_role if p.style == "slr" else p.trim_role
    pieces = [("hump", block.moved(p.x), role)]
    crown = top + p.hump
    if p.flash and p.style == "slr":
        arm = box(0.3 * w, 0.4 * d, 0.005, 0.0015).moved(y=-0.2 * d)
        head = box(0.66 * w, 0.012, 0.02, 0.003).moved(y=-0.42 * d)
        lamp = box(0.5 * w, 0.004, 0.012, 0.001).moved(y=-0.42 * d - 0.0055)
        for name, geometry, r in (("flash", merge([arm, head]), role), ("flash_lamp", lamp, "glass")):
            pieces.append((name, geometry.rotated("x", -p.flash / 2).moved(p.x, 0.2 * d, crown), r))
    else:
        rails = both_sides(box(0.003, 0.018, 0.003, 0.0005).moved(0.008))
        pieces.append(
            ("hot_shoe", merge([rails, box(0.018, 0.018, 0.001)]).moved(p.x, 0.1 * d, crown + 0.0004), "metal")
        )
    return pieces + eyepiece(p, p.x, top + 0.2 * p.hump)


def eyepiece(p: SimpleNamespace, x: float, z: float) -> Pieces:
    cup = facing(prism(rounded_rectangle(0.024, 0.015, 0.004, 6), 0.01, 0.0015)).moved(x, 0.5 * p.depth, z)
    pane = facing(prism(rounded_rectangle(0.015, 0.008, 0.002, 5), 0.001)).moved(x, 0.5 * p.depth + 0.0051, z)
    return [("eyecup", cup, "rubber"), ("eyepiece", pane, "tinted_glass")]


def window(name: str, x: float, z: float, width: float, height: float, face: float) -> Pieces:
    """A dark frame with a pane in it."""
    frame = facing(prism(rounded_rectangle(width + 0.004, height + 0.004, 0.002, 5), 0.003, 0.0006)).moved(x, face, z)
    pane = facing(prism(rounded_rectangle(width, height, 0.0012, 5), 0.001, 0.0003)).moved(x, face - 0.0014, z)
    return [(name + "_frame", frame, "dark_plastic"), (name, pane, "glass" if name == "flash" else "tinted_glass")]


def windows(p: SimpleNamespace, face: float) -> Pieces:
    """Finder above the lens, flash in the upper corner on the far side, a lamp and a name between."""
    z, side = 0.84 * p.height, 1 if p.x < 0.08 * p.width else -1
    flash_x = side * (0.47 * p.width - p.roundness * 0.4 - p.flash / 2 - 0.004)
    finder_x = p.x if side > 0 else p.x + 0.02 * p.width
    high = min(0.011, 0.17 * p.height)
    pieces = window("flash", flash_x, z, p.flash, high, face) + window(
        "finder", finder_x, z + 0.1 * high, 0.012, 0.9 * high, face
    )
    lamp = facing(prism(superellipse(0.006, 0.006, 2.0, 24), 0.003, 0.0008)).moved(finder_x - side * 0.015, face, z)
    name = facing(prism(rounded_rectangle(0.022, 0.006, 0.0005, 3), 0.0008)).moved(
        (0.34 if side > 0 else -0.2) * p.width, face, 0.12 * p.height
    )
    return [*pieces, ("focus_lamp", lamp, "bulb"), ("name", name, "decal")]


def sliding_cover(p: SimpleNamespace, face: float) -> Geometry:
    """A shell over one end of the front, its inner edge a bow around the lens."""
    side = -1 if p.x > -0.02 * p.width else 1
    w, h = p.cover * p.width, 0.66 * p.height
    bow = [(w - 0.3 * w * (2 * t - 1) ** 2, h * (t - 0.5)) for t in np.linspace(0, 1, 14)]
    outline = rounded(np.array([(0.0, 0.5 * h), (0.0, -0.5 * h), *bow]), 0.003)
    panel = facing(prism(outline, 0.006, 0.002)).moved(-0.48 * p.width, face, 0.4 * p.height)
    return panel if side < 0 else panel.mirrored()


def screen_back(p: SimpleNamespace, y: float) -> Pieces:
    """Display and buttons on the back."""
    h = 0.52 * p.height
    frame = facing(prism(rounded_rectangle(1.36 * h + 0.006, h + 0.006, 0.003, 5), 0.003, 0.0008)).moved(
        0.06 * p.width, y, 0.42 * p.height
    )
    screen = facing(prism(rounded_rectangle(1.3 * h, 0.96 * h, 0.001, 3), 0.001)).moved(
        0.06 * p.width, y + 0.0014, 0.42 * p.height
    )
    pad = cylinder(0.0095, 0.003, 40, 0.001).rotated("x", -90.0).moved(-0.37 * p.width, y - 0.001, 0.42 * p.height)
    keys = [
        cylinder(0.003, 0.003, 20, 0.0008).rotated("x", -90.0).moved(-0.37 * p.width, y - 0.001, f * p.height)
        for f in (0.16, 0.66)
    ]
    return [
        ("screen_frame", frame, "dark_plastic"),
        ("screen", screen, "screen"),
        ("back_keys", merge([pad, *keys]), p.trim_role),
    ]


def top_plate(p: SimpleNamespace, top: float) -> Pieces:
    """Shutter release on the grip side, and dials."""
    slr = p.style == "slr"
    x, y = -0.385 * p.width, (-0.5 * p.depth - 0.3 * p.grip) if slr else -0.05 * p.depth
    collar = cylinder(0.0085, 0.006, 36, 0.001).moved(x, y, top - 0.003)
    button = cylinder(0.0055, 0.009, 32, 0.0015).moved(x, y, top - 0.003)
    pieces = [("shutter_collar", collar, p.cover_role), ("shutter_button", button, p.trim_role)]
    places = [(-0.33, 0.16), (0.36, 0.0), (-0.2, 0.2), (0.24, 0.22)] if slr else [(-0.18, 0.08), (0.24, 0.0)]
    radius = min(0.0105, 0.3 * p.depth)
    dials = [_knob(radius, 0.011, 28).moved(fx * p.width, fy * p.depth, top - 0.006) for fx, fy in places[: p.dials]]
    return pieces + ([("dials", merge(dials), p.cover_role if slr else p.trim_role)] if dials else [])


def _knob(radius: float, height: float, ribs: int) -> Geometry:
    """A knurled knob with a smooth, slightly narrower top, on z = 0."""
    ring = _ribbed(radius, height, ribs).rotated("x", -90.0)
    return merge([ring, cylinder(0.9 * radius, height + 0.0012, 40, 0.0008)])


def knobs(p: SimpleNamespace, top: float) -> Pieces:
    """Wind and rewind knobs, speed dial, release and accessory shoe of a camera without electronics."""
    places = [(-0.4, 0.0115, 0.012), (0.4, 0.0105, 0.013), (-0.24, 0.008, 0.008), (0.25, 0.006, 0.007)]
    knobs = [_knob(r, h, 26).moved(x * p.width, 0.0, top - 0.001) for x, r, h in places[: max(p.dials, 2)]]
    release = cylinder(0.004, 0.008, 24, 0.001).moved(-0.31 * p.width, -0.2 * p.depth, top - 0.001)
    pieces = [("knobs", merge(knobs), p.trim_role), ("shutter_button", release, p.trim_role)]
    if not p.hump:
        shoe = merge([box(0.02, 0.019, 0.002), both_sides(box(0.003, 0.019, 0.004, 0.0005).moved(0.0095, 0, 0.001))])
        pieces.append(("hot_shoe", shoe.moved(p.x, 0.0, top + 0.0006), "metal"))
    return pieces


def lugs(p: SimpleNamespace) -> Pieces:
    """Strap rings at the ends."""
    ring = torus(0.0055, 0.001, 28, 8).rotated("x", 90.0).moved(0.5 * p.width + 0.0035, 0.0, 0.8 * p.height)
    eye = (
        cylinder(0.003, 0.006, 20, 0.0008).rotated("y", 90.0).moved(0.5 * p.width - 0.004, 0.0, 0.8 * p.height + 0.004)
    )
    return [("strap_rings", both_sides(merge([ring, eye])), "chrome")]


def wrist_strap(p: SimpleNamespace) -> Pieces:
    """A cord loop hanging from the left flank onto the table."""
    x, z = p.width / 2, 0.55 * p.height
    loop = spline(
        [
            (x - 0.004, 0.002, z),
            (x + 0.012, 0.0, 0.3 * z),
            (x + 0.035, -0.01, 0.0022),
            (x + 0.06, -0.05, 0.0022),
            (x + 0.02, -0.06, 0.0022),
            (x + 0.016, -0.02, 0.0026),
            (x + 0.01, 0.0, 0.32 * z),
            (x - 0.004, -0.002, z),
        ],
        90,
    )
    eye = box(0.006, 0.009, 0.012, 0.002).moved(x, 0.0, z)
    return [("strap", tube(loop, 0.0018, 8), "rope"), ("strap_eye", eye, p.trim_role)]


def bellows(p: SimpleNamespace, front: float, back: float, axis: float) -> Geometry:
    """Square pleats from the back of the box to the lens board, inside out where they end."""
    folds = 11
    t = np.linspace(0, 1, 2 * folds + 1)
    size = (1 - t)[:, None] * (0.76 * p.width, 0.78 * p.height) + t[:, None] * (0.42 * p.width, 0.4 * p.height)
    size = size - 0.05 * p.width * (np.arange(len(t)) % 2)[:, None]
    y = back + (front - back) * t
    rings = [rounded_rectangle(x, z, 0.008, 4) for x, z in size]
    return (
        sheet(
            np.stack([np.column_stack([r, np.full(len(r), -v)]) for r, v in zip(rings, y, strict=True)]),
            close_columns=True,
        )
        .rotated("x", 90.0)
        .moved(z=axis)
    )
