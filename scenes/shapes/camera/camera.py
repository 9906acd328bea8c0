"""Still cameras: compacts, single-lens reflexes, rangefinders with a chrome top, folding cameras with bellows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Model
from scenes.shapes.camera import parts as components
from scenes.shapes.camera.parts import Pieces, Points
from scenes.shapes.primitives import (
    both_sides,
    box,
    cylinder,
    inset_outline,
    merge,
    part,
    prism,
    rounded_rectangle,
    spline,
    superellipse,
    tube,
)


def camera(
    *,
    style: str,
    width: float,
    height: float,
    depth: float,
    roundness: float,
    edge: float,
    round_ends: bool,
    cover: float,
    grip: float,
    lens_radius: float,
    lens_length: float,
    lens_x: float,
    lens_z: float,
    lens_steps: int,
    flare: float,
    hood: float,
    hump: float,
    battery_grip: float,
    flash: float,
    dials: int,
    strap: bool,
    body_role: str,
    trim_role: str,
    cover_role: str,
    lens_role: str,
) -> Model:
    """A camera standing on its base, lens to the front (-y); the grip is at its right (-x).

    style: "compact", "slr", "rangefinder" or "folding".
    width, height, depth: m, of the body alone; 0.09 to 0.16, 0.05 to 0.11, 0.025 to 0.06.
    roundness: m, corner radius of the body's outline, 0.003 to 0.03; edge: rounding of its edges over depth,
        0.08 to 0.4.
    round_ends: compact: round in plan instead of in front view. cover: compact: width of a sliding cover over width,
        0 (none) or 0.2 to 0.4.
    grip: m the grip stands out to the front, 0 to 0.03.
    lens_radius, lens_length: m, 0.012 to 0.042 and 0.004 to 0.15; lens_x, lens_z: its axis, over half the width
        (positive left) and over the height, -0.2 to 0.5 and 0.35 to 0.6. lens_steps: rings of the barrel, 1 to 4.
    flare: the front ring's radius over the mount's, 0.55 to 1.25. hood: m, 0 or 0.01 to 0.04.
    hump: m the pentaprism rises, 0 to 0.035. battery_grip: m added below, 0 to 0.04.
    flash: 0 (none); compact: width of its window, m; slr: degrees a flash on the hump is popped up.
    dials: knobs on top, 0 to 4. strap: a wrist strap (compact) or strap lugs.
    """
    parameters = dict(locals())
    build = {"compact": _compact, "slr": _slr, "rangefinder": _rangefinder, "folding": _folding}[style]
    pieces, points = build(SimpleNamespace(**parameters, x=lens_x * width / 2, z=lens_z * height))
    every = np.concatenate([geometry.vertices for _, geometry, _ in pieces])
    low, high = every.min(axis=0), every.max(axis=0)
    shift = -np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    parts = tuple(part(name, geometry.moved(*shift), role) for name, geometry, role in pieces)
    return Model(parts, {name: point + shift for name, point in points.items()}, parameters)


def camera_rand(rng: np.random.Generator) -> Model:
    """A random camera: mostly compacts and single-lens reflexes."""
    style = str(rng.choice(["compact", "slr", "rangefinder", "folding"], p=[0.46, 0.36, 0.12, 0.06]))
    spans = {  # width, height over width, depth over width, corner over height, lens radius over height
        "compact": ((0.095, 0.13), (0.52, 0.72), (0.3, 0.42), (0.06, 0.28), (0.24, 0.36)),
        "slr": ((0.125, 0.15), (0.55, 0.64), (0.3, 0.38), (0.1, 0.25), (0.4, 0.54)),
        "rangefinder": ((0.128, 0.145), (0.5, 0.56), (0.22, 0.26), (0.03, 0.07), (0.3, 0.4)),
        "folding": ((0.08, 0.105), (1.3, 1.6), (0.28, 0.36), (0.05, 0.1), (0.14, 0.18)),
    }
    width, *ratios = (float(rng.uniform(*span)) for span in spans[style])
    height = ratios[0] * width
    radius = ratios[3] * height
    slr, compact = style == "slr", style == "compact"
    reach = {"compact": (0.3, 1.5), "slr": (1.3, 3.4), "rangefinder": (0.9, 2.6), "folding": (0.5, 0.8)}[style]
    covers = ["aluminium", "metal", "plastic", "painted", "dark_plastic"]
    body = {
        "compact": str(rng.choice(covers, p=[0.33, 0.22, 0.22, 0.08, 0.15])),
        "slr": str(rng.choice(["dark_plastic", "rubber", "aluminium", "plastic"], p=[0.7, 0.1, 0.13, 0.07])),
        "rangefinder": str(rng.choice(["leather", "dark_plastic", "rubber"])),
        "folding": str(rng.choice(["leather", "dark_wood", "dark_plastic"])),
    }[style]
    return camera(
        style=style,
        width=width,
        height=height,
        depth=ratios[1] * width,
        roundness=ratios[2] * height,
        edge=float(rng.uniform(0.12, 0.38)),
        round_ends=bool(rng.random() < 0.4),
        cover=float(rng.uniform(0.22, 0.36)) if compact and rng.random() < 0.25 else 0.0,
        grip=float(rng.uniform(0.012, 0.024) if slr else rng.uniform(0.002, 0.009) * (compact and rng.random() < 0.7)),
        lens_radius=radius,
        lens_length=radius * float(rng.uniform(*reach)),
        lens_x=float(rng.uniform(-0.05, 0.42) if compact else rng.uniform(0.02, 0.16) * (style != "folding")),
        lens_z=float(max(rng.uniform(0.38, 0.52), (1.15 if slr else 1.02) * radius / height)),
        lens_steps=int(rng.integers(1, 4) if compact else rng.integers(2, 5)),
        flare=float(rng.uniform(0.58, 0.85) if compact else rng.uniform(0.85, 1.12)),
        hood=float(rng.uniform(0.012, 0.035)) if slr and rng.random() < 0.2 else 0.0,
        hump=float(rng.uniform(0.018, 0.028)) if slr or (style == "rangefinder" and rng.random() < 0.4) else 0.0,
        battery_grip=float(rng.uniform(0.02, 0.038)) if slr and rng.random() < 0.25 else 0.0,
        flash=float(rng.uniform(0.016, 0.028) if compact else rng.uniform(50, 80) * (rng.random() < 0.2)),
        dials=int(rng.integers(0, 3) if compact else rng.integers(1, 5)),
        strap=bool(rng.random() < (0.15 if compact else 0.5)),
        body_role=body,
        trim_role=str(rng.choice(["chrome", "aluminium:trim", "metal:trim"])),
        cover_role=body if rng.random() < 0.5 else str(rng.choice([c + ":cover" for c in covers])),
        lens_role="dark_plastic:lens" if rng.random() < (0.35 if compact else 0.85) else "aluminium:lens",
    )


# Kinds ---------------------------------------------------------------------------------------------------------


def _compact(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """Rounded body, lens rings, windows of finder and flash in the upper corners, a finger rest at the right."""
    w, h, d = p.width, p.height, p.depth
    face = -d / 2
    across = 2 * min(1.38 * p.lens_radius, 0.97 * p.z, 0.97 * (h - p.z))
    plate = components.facing(prism(superellipse(across, across, 2.0, 72), 0.004, 0.0012))
    pieces = [("body", components.shell(p), p.body_role), ("lens_plate", plate.moved(p.x, face, p.z), p.trim_role)]
    front, tip = components.barrel(p, face)
    pieces += front
    if p.cover:
        pieces.append(("cover", components.sliding_cover(p, face), p.cover_role))
    elif p.grip:
        post = prism(superellipse(0.17 * w, 2 * p.grip + 0.02, 2.6, 40), 0.86 * h, 0.003)
        pieces.append(("grip", post.moved(-0.37 * w, face + 0.01, h / 2), p.cover_role))
    pieces += components.windows(p, face) + components.screen_back(p, d / 2) + components.top_plate(p, h)
    if p.strap:
        pieces += components.wrist_strap(p)
    lift = 0.5 * p.roundness
    return pieces, components.points(p, tip, face, h, -0.3 * w) | {
        "front_top_left": np.array((w / 2 - lift, face, h - lift))
    }


def _slr(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """Body with a deep grip, pentaprism hump, and a long ribbed lens."""
    w, h, d = p.width, p.height, p.depth
    face = -d / 2
    shoulder = [(-0.5, 0.93), (-0.42, 1.0), (-0.2, 1.0), (0.0, 1.02), (0.3, 1.0), (0.45, 0.96), (0.5, 0.86)]
    outline = [(x * w, z * h) for x, z in [(0.5, 0.12), *shoulder[::-1], (-0.5, 0.12), (-0.43, 0.0), (0.43, 0.0)]]
    body = components.facing(prism(components.rounded(np.array(outline), 0.008), d, min(p.edge * 0.5 * d, 0.003)))
    mount = cylinder(1.12 * p.lens_radius, 0.016, 64, 0.002).rotated("x", 90.0).moved(p.x, face + 0.008, p.z)
    grip = components.column(0.24 * w, p.grip + 0.5 * d, 0.98 * h).moved(
        -0.385 * w, face + 0.25 * d - p.grip / 2, 0.005
    )
    pieces = [("body", body, p.body_role), ("mount", mount, p.cover_role), ("grip", grip, "rubber:grip")]
    lens, tip = components.long_lens(p, face - 0.008)
    pieces += lens + components.hump(p, h) + components.screen_back(p, d / 2) + components.top_plate(p, h)
    name = components.facing(prism(rounded_rectangle(0.2 * w, 0.007, 0.001, 3), 0.002)).rotated("x", -13.0)
    pieces.append(("name", name.moved(p.x, -0.455 * d, h + 0.28 * p.hump), "decal"))
    if p.battery_grip:
        foot = prism(rounded_rectangle(0.98 * w, 0.96 * d, 0.012, 8), p.battery_grip + 0.006, 0.005)
        second = components.column(0.24 * w, p.grip + 0.5 * d, p.battery_grip + 0.004).moved(
            -0.385 * w, face + 0.25 * d - p.grip / 2, -p.battery_grip
        )
        pieces += [
            ("battery_grip", foot.moved(z=0.003 - p.battery_grip / 2), p.body_role),
            ("battery_rest", second, "rubber:grip"),
        ]
    if p.strap:
        pieces += components.lugs(p)
    return pieces, components.points(p, tip, face, h + p.hump, -0.385 * w) | {
        "front_top_left": np.array((0.45 * w, face, 0.96 * h))
    }


def _rangefinder(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """Round-ended body in leather between a bright top and base plate, with knurled knobs."""
    w, h, d = p.width, p.height, p.depth
    face = -d / 2
    plan = rounded_rectangle(w, d, 0.48 * d, 16)
    bands = [
        (0.0, 0.1, "base_plate", 0.0, p.trim_role),
        (0.09, 0.77, "body", 0.0008, p.body_role),
        (0.76, 1.0, "top_plate", 0.0, p.trim_role),
    ]
    pieces = [
        (name, prism(inset_outline(plan, inset), (high - low) * h, 0.0016).moved(z=(low + high) / 2 * h), role)
        for low, high, name, inset, role in bands
    ]
    lens, tip = components.long_lens(p, face - 0.004)
    flange = cylinder(1.2 * p.lens_radius, 0.012, 64, 0.0015).rotated("x", 90.0).moved(p.x, face + 0.006, p.z)
    pieces += [("mount", flange, p.trim_role), *lens]
    lever = box(0.005, 0.006, 0.022, 0.002).rotated("y", 20).moved(-0.26 * w, face - 0.002, 0.42 * h)
    pivot = cylinder(0.006, 0.006, 28, 0.001).rotated("x", 90.0).moved(-0.27 * w, face + 0.001, 0.52 * h)
    pieces.append(("lever", merge([lever, pivot]), p.trim_role))
    if p.hump:
        pieces += components.hump(p, h)
    else:
        frames = [(0.33 * w, 0.02, 0.011), (p.x - 0.03 * w, 0.014, 0.008), (-0.31 * w, 0.008, 0.008)]
        pieces += [
            piece
            for k, (x, a, b) in enumerate(frames)
            for piece in components.window(f"finder_{k}", x, 0.885 * h, a, b, face)
        ]
        pieces += components.eyepiece(p, 0.33 * w, 0.885 * h)
    pieces += components.knobs(p, h) + components.lugs(p)
    return pieces, components.points(p, tip, face, h + p.hump, -0.3 * w) | {
        "front_top_left": np.array((0.5 * w - 0.3 * d, face + 0.05 * d, h))
    }


def _folding(p: SimpleNamespace) -> tuple[Pieces, Points]:
    """Upright box with its door let down, bellows, and a lens board on the door's rails."""
    w, h, d = p.width, p.height, p.depth
    face, reach, axis = -d / 2, 0.62 * h, 0.5 * h
    walls = prism(
        rounded_rectangle(w, h, p.roundness, 8), d, 0.003, holes=[rounded_rectangle(0.82 * w, 0.84 * h, 0.004, 5)]
    )
    back = components.facing(prism(rounded_rectangle(0.98 * w, 0.98 * h, p.roundness, 8), 0.006, 0.002)).moved(
        y=d / 2, z=h / 2
    )
    door = prism(rounded_rectangle(0.8 * w, 0.95 * reach, 0.008, 6), 0.005, 0.0015).moved(
        0, face - 0.45 * reach, 0.08 * h
    )
    rails = both_sides(box(0.004, 0.9 * reach, 0.004, 0.001).moved(0.14 * w, face - 0.44 * reach, 0.08 * h + 0.004))
    struts = both_sides(
        tube([(0.41 * w, face + 0.004, 0.55 * h), (0.395 * w, face - 0.5 * reach, 0.08 * h)], 0.0016, 10)
    )
    board_y = face - 0.72 * reach
    board = components.facing(prism(rounded_rectangle(0.56 * w, 0.5 * h, 0.006, 6), 0.006, 0.0015)).moved(
        0, board_y, axis
    )
    post = merge(
        [
            box(0.62 * w, 0.012, 0.006, 0.001),
            both_sides(box(0.005, 0.008, 0.42 * h, 0.001).moved(0.295 * w, 0, 0.2 * h)),
        ]
    )
    pieces = [
        ("body", components.facing(walls).moved(z=h / 2), p.body_role),
        ("back", back, p.body_role),
        ("door", door, p.body_role),
        ("rails", rails, p.trim_role),
        ("struts", struts, p.trim_role),
        ("bellows", components.bellows(p, board_y, d / 2 - 0.006, axis), "leather:bellows"),
        ("lens_board", board, p.cover_role),
        ("standard", post.moved(0, board_y, 0.08 * h + 0.006), p.trim_role),
    ]
    p.x, p.z = 0.0, axis
    shutter = cylinder(1.45 * p.lens_radius, 0.012, 56, 0.0015).rotated("x", 90.0).moved(0, board_y, axis)
    tabs = merge(
        [
            cylinder(0.0018, 0.006, 12, 0.0005)
            .rotated("y", a)
            .moved(0, board_y - 0.007, axis)
            .moved(x=1.4 * p.lens_radius * np.sin(np.radians(a)), z=1.4 * p.lens_radius * np.cos(np.radians(a)))
            for a in (-50, 40, 120)
        ]
    )
    lens, tip = components.barrel(p, board_y - 0.011)
    handle = spline(
        [(-0.2 * w, 0, h - 0.002), (-0.12 * w, 0, h + 0.012), (0.12 * w, 0, h + 0.012), (0.2 * w, 0, h - 0.002)], 40
    )
    finder = box(0.014, 0.02, 0.014, 0.002).moved(0.2 * w, board_y, axis + 0.25 * h + 0.006)
    pieces += [("shutter", shutter, p.trim_role), ("tabs", tabs, "metal"), *lens]
    pieces += [("handle", tube(handle, 0.0032, 12), "leather"), ("finder", finder, p.trim_role)]
    return pieces, components.points(p, tip, face, h, -0.5 * w) | {
        "front_top_left": np.array((w / 2 - 0.002, face, h - 0.002))
    }
