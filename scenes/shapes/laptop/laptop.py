"""Open laptops: the thick 4:3 machines of around 2000, curvy and early ones, and thin wide ones."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Model
from scenes.shapes.primitives import (
    Array,
    Geometry,
    both_sides,
    box,
    cylinder,
    ellipsoid,
    inset_outline,
    loft,
    merge,
    part,
    prism,
    rotation,
    rounded_rectangle,
    superellipse,
)

Pieces = list[tuple[str, Geometry, str]]

WELL = 0.0035  # depth of the keyboard's well

# Key widths in units of the letter keys, back to front; every row adds up to 15.
ROWS: list[list[float]] = [
    [15 / 14] * 14,
    [1.0] * 13 + [2.0],
    [1.5] + [1] * 12 + [1.5],
    [1.75] + [1] * 11 + [2.25],
    [2.25] + [1] * 10 + [2.75],
    [1, 1, 1, 1, 5.5, 1, 1.5, 1, 1, 1],
]


def laptop(
    *,
    style: str,
    width: float,
    depth: float,
    base_height: float,
    lid_thickness: float,
    corner: float,
    bevel: float,
    taper: float,
    opening: float,
    setback: float,
    bezel: float,
    chin: float,
    keyboard_width: float,
    keyboard_depth: float,
    key_gap: float,
    strip: float,
    pointer: str,
    pad_width: float,
    speakers: str,
    hinges: str,
    latches: int,
    base_role: str,
    deck_role: str,
    lid_role: str,
    bezel_role: str,
    key_role: str,
    screen_role: str,
) -> Model:
    """An open laptop.

    style: "classic" and "early" (rounded rectangles), "curvy" (superellipse outline) or "modern" (flat keys, thin).
    width, depth: m of the base, 0.25 to 0.38 and 0.18 to 0.3; base_height, lid_thickness: m, 0.012 to 0.055 and
        0.005 to 0.025. corner: m, plan radius 0.005 to 0.03; bevel: of the edges over thickness, 0.1 to 0.45.
    taper: how much lower the front is than the back, as a share of base_height, 0 to 0.4.
    opening: degrees between lid and base, 90 to 135. setback: m from the back edge to the hinge, 0.004 to 0.05.
    bezel, chin: m beside (and above) and below the screen, 0.006 to 0.045.
    keyboard_width: over width, 0.8 to 0.97; keyboard_depth: m, 0.085 to 0.115; key_gap: m, 0.0008 to 0.004.
    strip: m between hinge and keyboard, 0.008 to 0.04.
    pointer: "pad", "stick" (with buttons) or "ball"; pad_width: m, 0.05 to 0.12.
    speakers: "none", "palm" or "strip". hinges: "pair" or "barrel". latches: hooks on the lid, 0 to 2.
    """
    parameters = dict(locals())
    p = SimpleNamespace(**parameters)
    p.hinge_y = depth / 2 - setback
    p.keys_y = p.hinge_y - strip - keyboard_depth / 2
    p.palm_y = (p.keys_y - keyboard_depth / 2 - depth / 2) / 2
    p.palm = p.keys_y - keyboard_depth / 2 + depth / 2
    top, spots = _base(p)
    lid, corners = _lid(p)
    feet = both_sides(both_sides(cylinder(0.006, 0.004, 20, 0.001).moved(0.4 * width, 0.4 * depth, -0.002)), "y")
    pieces = [*top, *lid, *_hinge(p), ("feet", feet, "rubber")]
    every = np.concatenate([geometry.vertices for _, geometry, _ in pieces])
    low, high = every.min(axis=0), every.max(axis=0)
    lift = -np.array([0.0, (low[1] + high[1]) / 2, low[2]])
    parts = tuple(part(name, geometry.moved(*lift), role) for name, geometry, role in pieces)
    return Model(parts, {name: point + lift for name, point in (spots | corners).items()}, parameters)


def laptop_rand(rng: np.random.Generator) -> Model:
    """A random laptop, mostly of around 2000."""
    style = str(rng.choice(["classic", "curvy", "early", "modern"], p=[0.6, 0.14, 0.12, 0.14]))
    sizes = {  # width, depth over width, base height, lid thickness, bezel, chin over bezel
        "classic": ((0.285, 0.335), (0.76, 0.86), (0.024, 0.04), (0.010, 0.016), (0.012, 0.026), (1.0, 1.8)),
        "curvy": ((0.29, 0.335), (0.78, 0.86), (0.024, 0.04), (0.011, 0.017), (0.02, 0.032), (1.2, 1.8)),
        "early": ((0.27, 0.31), (0.74, 0.84), (0.036, 0.052), (0.016, 0.024), (0.03, 0.048), (1.0, 1.4)),
        "modern": ((0.29, 0.365), (0.66, 0.72), (0.012, 0.022), (0.005, 0.008), (0.006, 0.016), (1.2, 2.2)),
    }
    width, ratio, base, lid, bezel, chin = (float(rng.uniform(*span)) for span in sizes[style])
    modern, early = style == "modern", style == "early"
    shell = str(rng.choice(["dark_plastic", "plastic", "painted", "aluminium"], p=[0.5, 0.18, 0.17, 0.15]))
    if early:
        shell = str(rng.choice(["plastic", "dark_plastic", "ivory"]))
    if modern:
        shell = str(rng.choice(["aluminium", "dark_plastic", "painted"]))
    deck = shell if rng.random() < 0.65 else str(rng.choice(["aluminium:deck", "plastic:deck", "dark_plastic:deck"]))
    keyboard_depth = float(rng.uniform(0.096, 0.112))
    pointers = {"modern": [1.0, 0.0, 0.0], "early": [0.25, 0.2, 0.55]}
    return laptop(
        style=style,
        width=width,
        depth=ratio * width,
        base_height=base,
        lid_thickness=lid,
        corner=float(rng.uniform(0.005, 0.016)),
        bevel=float(rng.uniform(0.12, 0.4)),
        taper=float(rng.uniform(0.0, 0.3)),
        opening=float(rng.uniform(92, 130)),
        setback=float(rng.uniform(0.02, 0.045)) if early and rng.random() < 0.5 else float(rng.uniform(0.005, 0.01)),
        bezel=bezel,
        chin=bezel * chin,
        keyboard_width=float(rng.uniform(0.88, 0.96) if width < 0.32 else rng.uniform(0.82, 0.92)),
        keyboard_depth=keyboard_depth,
        key_gap=float(rng.uniform(0.002, 0.0035) if modern else rng.uniform(0.0006, 0.0014)),
        strip=float(rng.uniform(0.012, 0.036)),
        pointer=str(rng.choice(["pad", "stick", "ball"], p=pointers.get(style, [0.78, 0.2, 0.02]))),
        pad_width=float(rng.uniform(0.085, 0.12) if modern else rng.uniform(0.055, 0.08)),
        speakers=str(rng.choice(["none", "palm", "strip"])),
        hinges=str(rng.choice(["pair", "barrel"], p=[0.65, 0.35])),
        latches=0 if modern else int(rng.integers(0, 3)),
        base_role=shell,
        deck_role=deck,
        lid_role=shell,
        bezel_role="dark_plastic:bezel" if modern else shell if rng.random() < 0.75 else deck,
        key_role=str(rng.choice(["dark_plastic:keys", "plastic:keys", "ivory"], p=[0.68, 0.2, 0.12])),
        screen_role=str(rng.choice(["screen", "screen_print"], p=[0.4, 0.6])),
    )


# Base ----------------------------------------------------------------------------------------------------------


def _plan(p: SimpleNamespace, width: float, depth: float) -> Array:
    if p.style == "curvy":
        return superellipse(width, depth, 7.0, 120)
    return rounded_rectangle(width, depth, p.corner, 10)


def _base(p: SimpleNamespace) -> tuple[Pieces, dict[str, Array]]:
    """The lower half, built with a level top at z = 0 and then tapered."""
    h, w, d = p.base_height, p.width, p.depth
    plan = _plan(p, w, d)
    well = rounded_rectangle(p.keyboard_width * w, p.keyboard_depth, 0.002, 4) + np.array([0, p.keys_y])
    edge = p.bevel * 0.45 * h
    deck = prism(plan, 0.45 * h, min(edge, 0.2 * h), holes=[well]).moved(z=-0.225 * h)
    tub = prism(inset_outline(plan, 0.0012), 0.62 * h, edge).moved(z=-0.69 * h)
    floor = prism(inset_outline(well, -0.001), 0.002).moved(z=-WELL - 0.001)
    pieces = [("deck", deck, p.deck_role), ("base", tub, p.base_role), ("key_tray", floor, "dark_plastic")]
    pieces += _keys(p) + _pointer(p) + _strip(p) + _speakers(p) + _ports(p)

    def tapered(v: Array) -> Array:
        fall = p.taper * (0.5 - v[:, 1] / d)
        return np.column_stack([v[:, :2], v[:, 2] + h - fall * (h + np.minimum(v[:, 2], 0))])

    inset = p.corner if p.style != "curvy" else 0.04
    spots = {
        "front_left": (w / 2 - inset * 0.3, -d / 2 + inset * 0.3, -0.22 * h),
        "front_right": (-w / 2 + inset * 0.3, -d / 2 + inset * 0.3, -0.22 * h),
        "keyboard_center": (0, p.keys_y, 0.0005),
        "pointer_center": (0, p.palm_y, 0),
        "hinge_left": (0.42 * w, p.hinge_y, 0),
        "hinge_right": (-0.42 * w, p.hinge_y, 0),
    }
    tops = {name: tapered(np.array([spot], dtype=float))[0] for name, spot in spots.items()}
    return [(name, geometry.bent(tapered), role) for name, geometry, role in pieces], tops


def _key(width: float, depth: float, flat: bool) -> Geometry:
    """A key cap standing on z = 0: tapered with a soft rim, or a flat tile."""
    height, slope = (0.0026, 0.0003) if flat else (0.0048, 0.0016)
    rings = [(0.0, 0.0), (slope, height - 0.0004), (slope + 0.0005, height)]
    return loft(
        [np.column_stack([rounded_rectangle(width - 2 * i, depth - 2 * i, 0.001, 3), np.full(12, z)]) for i, z in rings]
    )


def _keys(p: SimpleNamespace) -> Pieces:
    """Six rows of keys; the first is lower, the arrows split the last."""
    flat = p.style == "modern"
    unit = (p.keyboard_width * p.width - 0.002) / 15
    pitch = (p.keyboard_depth - 0.002) / 5.65
    back = p.keys_y + p.keyboard_depth / 2 - 0.001
    shapes: dict[tuple[float, float], Geometry] = {}
    keys = []
    for row, units in enumerate(ROWS):
        tall = pitch * (0.65 if row == 0 else 1.0)
        left = -7.5 * unit
        for u in units:
            key = shapes.setdefault((u, tall), _key(u * unit - p.key_gap, tall - p.key_gap, flat))
            keys.append(key.moved(left + u * unit / 2, back - tall / 2, -WELL - 0.0002))
            left += u * unit
        back -= tall
    return [("keys", merge(keys), p.key_role)]


def _pointer(p: SimpleNamespace) -> Pieces:
    """A pad with two buttons, a stick among the keys with its buttons, or a ball between its buttons."""
    w, y = p.pad_width, p.palm_y
    tall = min(0.68 * w, 0.6 * p.palm)
    if p.pointer == "pad" and p.style == "modern":
        return [("pad", prism(rounded_rectangle(w, 0.85 * p.palm, 0.004, 6), 0.001).moved(y=y), p.deck_role)]
    button = prism(rounded_rectangle(0.47 * w, 0.2 * tall + 0.003, 0.002, 5), 0.003, 0.0008)
    if p.pointer == "pad":
        frame = prism(rounded_rectangle(w + 0.006, tall + 0.004, 0.004, 6), 0.001, 0.0004).moved(y=y + 0.12 * tall)
        pad = prism(rounded_rectangle(w, 0.78 * tall, 0.003, 6), 0.0016, 0.0004).moved(y=y + 0.2 * tall)
        buttons = both_sides(button.moved(0.25 * w, y - 0.34 * tall, 0.0002))
        return [("pad_frame", frame, p.base_role), ("pad", pad, "dark_plastic:pad"), ("buttons", buttons, p.base_role)]
    if p.pointer == "ball":
        ring = prism(superellipse(0.046, 0.046, 2.0, 48), 0.002, 0.0008).moved(y=y)
        ball = ellipsoid(0.028, 0.028, 0.028).moved(y=y, z=-0.005)
        buttons = both_sides(prism(superellipse(0.016, 0.03, 3.0, 32), 0.003, 0.0008).moved(0.034, y))
        return [("pad", ring, "dark_plastic"), ("ball", ball, "dark_plastic:ball"), ("buttons", buttons, p.base_role)]
    unit = p.keyboard_width * p.width / 15
    stick = cylinder(0.0035, 0.003, 24, 0.0014).moved(-0.9 * unit, p.keys_y, WELL - 0.003)
    buttons = both_sides(button.moved(0.25 * w, p.keys_y - p.keyboard_depth / 2 - 0.009))
    return [("stick", stick, "rubber"), ("buttons", buttons, "dark_plastic:pad")]


def _strip(p: SimpleNamespace) -> Pieces:
    """Power button and status lights between keyboard and hinge."""
    y = p.hinge_y - 0.55 * p.strip - 0.002
    power = prism(superellipse(0.016, min(0.011, 0.5 * p.strip), 2.2, 36), 0.003, 0.0008).moved(-0.4 * p.width, y)
    lights = merge([box(0.005, 0.0018, 0.001, 0.0004).moved(0.3 * p.width + k * 0.009, y, 0.0) for k in range(4)])
    sticker = box(0.024, 0.016, 0.0004).moved(-0.43 * p.width + 0.012, -p.depth / 2 + 0.022, 0.0)
    return [("power_button", power, "chrome"), ("lights", lights, "bulb"), ("sticker", sticker, "decal")]


def _speakers(p: SimpleNamespace) -> Pieces:
    """Two grilles of slots, before the hinge or at the front of the palm rest."""
    if p.speakers == "none" or (p.speakers == "palm" and p.palm < 0.05):
        return []
    palm = p.speakers == "palm"
    slot = prism(superellipse(0.0016, min(0.012, 0.45 * p.strip), 3.0, 12), 0.0006)
    y = -p.depth / 2 + 0.014 if palm else p.hinge_y - 0.55 * p.strip
    grille = merge([slot.moved((0.25 if palm else 0.14) * p.width + k * 0.0034, y) for k in range(11)])
    return [("speakers", both_sides(grille), "dark_plastic")]


def _ports(p: SimpleNamespace) -> Pieces:
    """A drive and vents in the flanks, sockets in the back, a latch button in the front."""
    h, x = p.base_height, p.width / 2 - 0.0012
    drive = box(0.002, 0.13, 0.3 * h, 0.0004).moved(-x, 0.0, -0.68 * h)
    eject = box(0.003, 0.008, 0.08 * h, 0.0004).moved(-x, 0.03, -0.72 * h)
    vents = merge([box(0.002, 0.0022, 0.3 * h).moved(x, 0.05 + 0.0045 * k, -0.66 * h) for k in range(8)])
    jacks = merge([box(0.002, 0.013, 0.22 * h).moved(x, -0.03 - 0.02 * k, -0.68 * h) for k in range(3)])
    rear = merge(
        [
            box(f, 0.002, 0.34 * h, 0.0003).moved(at * p.width, p.depth / 2 - 0.0012, -0.66 * h)
            for at, f in ((-0.3, 0.04), (-0.1, 0.032), (0.08, 0.016), (0.2, 0.016), (0.34, 0.01))
        ]
    )
    latch = box(0.022, 0.003, 0.16 * h, 0.0006).moved(0, -p.depth / 2 + 0.0006, -0.2 * h)
    return [
        ("drive", drive, p.deck_role),
        ("sockets", merge([vents, jacks, rear, eject]), "dark_plastic"),
        ("latch_button", latch, "dark_plastic"),
    ]


# Lid -----------------------------------------------------------------------------------------------------------


def _lid(p: SimpleNamespace) -> tuple[Pieces, dict[str, Array]]:
    """The lid, built upright above its hinge with the screen at y = 0, then leant back."""
    gap = 0.003
    tall, t = p.depth - p.setback - gap, p.lid_thickness
    outline = _plan(p, p.width, tall) + np.array([0, gap + tall / 2])
    screen_w, screen_h = p.width - 2 * p.bezel, tall - p.bezel - p.chin
    middle = np.array([0, gap + p.chin + screen_h / 2])
    window = rounded_rectangle(screen_w, screen_h, 0.001, 3) + middle
    edge = p.bevel * t
    pieces = [
        ("lid", _upright(prism(outline, 0.62 * t, min(edge, 0.3 * t)), 0.69 * t), p.lid_role),
        (
            "bezel",
            _upright(prism(inset_outline(outline, 0.0008), 0.45 * t, 0.2 * t, [window]), 0.225 * t),
            p.bezel_role,
        ),
        ("screen", _upright(prism(inset_outline(window, -0.001), 0.2 * t), 0.0018 + 0.1 * t), p.screen_role),
    ]
    logo = _upright(prism(superellipse(0.045, 0.03, 2.4, 40), 0.0016), t).moved(z=0.55 * tall)
    mark = _upright(prism(rounded_rectangle(0.032, 0.3 * p.chin, 0.001, 3), 0.001), 0.0).moved(z=gap + 0.5 * p.chin)
    pieces += [("logo", logo, "chrome"), ("mark", mark, "decal")]
    if p.latches:
        spread = 0.0 if p.latches == 1 else 0.32 * p.width
        hook = box(0.008, 0.006, 0.003, 0.0008).moved(spread, -0.001, gap + tall - 0.3 * p.bezel - 0.002)
        pieces.append(("hooks", hook if p.latches == 1 else both_sides(hook), "dark_plastic"))
    lean, at = rotation("x", 90.0 - p.opening), np.array([0, p.hinge_y, _hinge_z(p)])
    x, z = screen_w / 2, screen_h / 2
    corners = {
        f"screen_{row}_{side}": lean @ np.array([sx * x, 0.0018, middle[1] + sz * z]) + at
        for row, sz in (("top", 1), ("bottom", -1))
        for side, sx in (("left", 1), ("right", -1))
    }
    return [(name, geometry.bent(lambda v: v @ lean.T + at), role) for name, geometry, role in pieces], corners


def _upright(geometry: Geometry, y: float) -> Geometry:
    """An outline drawn in x and y stood up in x and z, facing the front."""
    return geometry.rotated("x", 90.0).moved(y=y)


def _hinge_z(p: SimpleNamespace) -> float:
    """Height of the deck under the hinge."""
    return float(p.base_height * (1 - p.taper * (0.5 - p.hinge_y / p.depth)))


def _hinge(p: SimpleNamespace) -> Pieces:
    """Barrels about the hinge's axis, wide enough to hold the lid's lower edge."""
    radius = min(0.005 + 0.1 * p.lid_thickness, 0.75 * p.lid_thickness + 0.001)
    at = (0, p.hinge_y + 0.3 * p.lid_thickness, _hinge_z(p) + 0.001)
    if p.hinges == "barrel":
        return [
            (
                "hinge",
                cylinder(radius, 0.6 * p.width, 32, 0.001).rotated("y", 90).moved(-0.3 * p.width).moved(*at),
                p.base_role,
            )
        ]
    pair = both_sides(cylinder(radius, 0.04, 32, 0.001).rotated("y", 90).moved(0.3 * p.width))
    return [("hinge", pair.moved(*at), p.base_role)]
