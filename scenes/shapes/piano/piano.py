"""Pianos: grands with open or closed lids, period grands on turned legs, toy grands and uprights."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.piano import parts as parts
from scenes.shapes.piano.upright import upright
from scenes.shapes.primitives import Array, Geometry, beam, both_sides, box, inset_outline, merge, part, prism, spline

WALL = 0.045  # thickness of the rim
SPLIT = 0.52  # where the lid's front leaf ends, behind the keys' front edge
LID = 0.022


def piano(
    *,
    style: str,
    length: float,
    width: float,
    height: float,
    rim_depth: float,
    tail: float,
    bow: float,
    white_keys: int,
    lid_angle: float,
    leaf_folded: bool,
    desk: str,
    desk_height: float,
    desk_tilt: float,
    leg_style: str,
    leg_width: float,
    lyre: bool,
    bench: str,
    bench_gap: float,
    bench_width: float,
    scale: float,
    case_role: str,
    metal_role: str,
    seat_role: str,
    plate_role: str,
) -> Model:
    """A piano with its keyboard toward -y.

    style: grand, baby, period, toy or upright.
    length: keyboard to tail, 1.0 to 2.8 (an upright's depth, 0.5 to 0.7). width: 1.4 to 1.6.
    height: to the top of the case, 0.95 to 1.35. rim_depth: height of a grand's case, 0.26 to 0.36.
    tail: where the bent side ends, fraction of the half width, -0.2 to 0.4. bow: where it begins, fraction of length.
    white_keys: 52 on a full keyboard. lid_angle: degrees, 0 closed to 45. leaf_folded: front leaf back, desk up.
    desk: none, plain, crested or pierced. desk_height: 0.18 to 0.34. desk_tilt: degrees back, 8 to 30.
    leg_style: spade, turned, straight or tapered. leg_width: 0.07 to 0.17.
    lyre: pedals under a grand. bench: none, wood, cushion or tufted. bench_gap: in front of the keys, 0.02 to 0.3.
    bench_width: 0.5 to 0.95. scale: of everything, 0.3 to 1 (toys).
    """
    parameters = dict(locals())
    if style == "upright":
        pieces, points = upright(
            length, width, height, white_keys, desk, desk_height, desk_tilt, leg_style, case_role, metal_role
        )
    else:
        outline = _outline(length, width, tail, bow)
        low = height - rim_depth
        pieces, points = _grand(outline, height, low, lid_angle, leaf_folded, case_role, metal_role, plate_role)
        pieces += parts.keyboard(low + 0.075, width - 0.26, white_keys, 0.15)
        if desk != "none" and leaf_folded:
            pieces.append(parts.music_desk(desk, 0.34, height - 0.022, 0.66 * width, desk_height, desk_tilt, case_role))
        places = np.array([(-width / 2 + 0.15, 0.28), (width / 2 - 0.15, 0.28), _tail_place(outline, length)])
        pieces += parts.legs(places, leg_style, low + 0.02, leg_width, case_role, metal_role)
        if lyre:
            pieces += parts.lyre(0.34, low, case_role, metal_role)
        x, y = places[0]
        points |= {"foot_right": np.array([x, y, 0.0]), "foot_left": np.array([-x, y, 0.0])}
        points["desk_top"] = np.array([0.0, 0.34, height - 0.02]) + parts.lean(
            desk_height * (desk != "none" and leaf_folded), desk_tilt
        )
    if bench != "none":
        seat = 0.5 if style != "toy" else 0.62
        pieces += parts.bench(
            bench,
            -bench_gap - 0.18,
            bench_width,
            seat,
            "straight" if style == "toy" else "tapered",
            case_role,
            seat_role,
        )
    model = Model(tuple(pieces), points, parameters)
    (x0, y0, _), (x1, y1, _) = model.bounds
    matrix = np.diag([scale, scale, scale, 1.0])
    matrix[:2, 3] = -scale * (x0 + x1) / 2, -scale * (y0 + y1) / 2
    return model.moved(matrix)


def _outline(length: float, width: float, tail: float, bow: float) -> Array:
    """The case from above, counter-clockwise from the keyboard's treble corner: bent side, tail, straight spine."""
    h, end = width / 2, tail * width / 2
    rest = length * (1 - bow)
    bent = [(1.0, 0.0), (0.985, 0.1), (0.86, 0.27), (0.55, 0.46), (0.22, 0.64), (0.05, 0.8)]
    curve = [(end + (h - end) * a, length * bow + rest * b) for a, b in bent]
    tip = [(end - 0.05 * h, 0.93), (end - 0.22 * h, 0.985), (0.55 * end - 0.45 * h, 1.0), (-0.78 * h, 0.992)]
    curve += [(x, length * bow + rest * b) for x, b in tip]
    curve += [(-0.95 * h, length - 0.05), (-h, length - 0.14)]
    front = np.column_stack([np.full(24, h), np.linspace(0, curve[0][1], 24, endpoint=False)])
    spine = np.column_stack([np.full(40, -h), np.linspace(curve[-1][1], 0, 41)[1:]])
    return np.concatenate([front, spline(curve, 110), spine])


def _tail_place(outline: Array, length: float) -> tuple[float, float]:
    """Under the middle of the case a little before its tail."""
    y = length - 0.28
    across = outline[np.abs(outline[:, 1] - y) < 0.06, 0]
    return float((across.min() + across.max()) / 2), y


def _grand(
    outline: Array, height: float, low: float, angle: float, folded: bool, role: str, metal_role: str, plate_role: str
) -> tuple[list[Part], dict[str, Array]]:
    """Case, key bed, lid and inside of a grand whose rim stands from z = low to `height`."""
    half = outline[:, 0].max()
    inner = inset_outline(outline, WALL)
    open_lid = angle > 1
    pieces = [
        part("rim", _rim(outline, inner, height, low), role, 40),
        part("key_bed", _key_bed(half, height, low), role),
        part("fallboard", _fallboard(half, height, low), role),
        part("name", box(0.14, 0.002, 0.02).rotated("x", -8).moved(0, 0.164, low + 0.135), "brass:name"),
    ]
    lid, leaf, edge = _lid(outline, height, angle, folded)
    pieces += [part("lid", lid, role), part("lid_leaf", leaf, role)]
    if open_lid:
        pieces += parts.grand_inside(inner, 0.34, height, plate_role)
        pieces.append(part("prop", _prop(outline, height, angle), role))
    else:
        bottom = prism(inset_outline(parts.behind(inner, 0.25), -0.006), 0.012).moved(z=low + 0.1)
        pieces.append(part("soundboard", bottom, "wood:soundboard"))
    hinges = merge(
        box(0.012, 0.09, 0.012, 0.003).moved(-half, y, height) for y in (0.7, 0.5 * outline[:, 1].max() + 0.35)
    )
    pieces.append(part("hinges", hinges, metal_role))
    key = low + 0.075
    return pieces, {
        "keyboard_right": np.array([-half + 0.13, 0.0, key]),
        "keyboard_left": np.array([half - 0.13, 0.0, key]),
        "tail": np.array([-0.5 * half, outline[:, 1].max(), height]),
        "lid_edge": edge,
        "cheek_right": np.array([-half + WALL / 2, 0.0, key + 0.03]),
        "cheek_left": np.array([half - WALL / 2, 0.0, key + 0.03]),
    }


def _rim(outline: Array, inner: Array, height: float, low: float) -> Geometry:
    """A bent wall open at the keyboard, where it drops to the cheeks beside the keys."""
    inside = inner.copy()
    inside[[0, -1], 1] = 0.0
    wall = prism(np.concatenate([outline, inside[::-1]]), height - low, 0.004).moved(z=(height - low) / 2)
    cheek = 0.115 / (height - low)

    def dropped(v: Array) -> Array:
        rise = np.clip((v[:, 1] - 0.10) / 0.15, 0, 1)
        part_height = cheek + (1 - cheek) * rise * rise * (3 - 2 * rise)
        return np.column_stack([v[:, :2], v[:, 2] * part_height + low])

    return wall.bent(dropped)


def _key_bed(half: float, height: float, low: float) -> Geometry:
    """The board under the keys, the slip before them, blocks beside them, and the shelf that carries the desk."""
    inside = 2 * (half - WALL) + 0.01
    bed = box(inside, 0.44, 0.056, 0.003).moved(y=0.225, z=low + 0.026)
    slip = box(inside, 0.02, 0.062, 0.003).moved(y=-0.008, z=low + 0.037)
    block = box(0.13 - WALL + 0.004, 0.19, 0.05, 0.004).moved(half - WALL / 2 - 0.066, 0.085, low + 0.07)
    shelf = box(inside, 0.34, 0.02, 0.002).moved(y=0.34, z=height - 0.032)
    return merge([bed, slip, both_sides(block), shelf])


def _fallboard(half: float, height: float, low: float) -> Geometry:
    tall = height - low - 0.095
    return (
        box(2 * (half - WALL) + 0.006, 0.024, tall, 0.004)
        .moved(z=tall / 2)
        .rotated("x", -8)
        .moved(y=0.166, z=low + 0.062)
    )


def _lid(outline: Array, height: float, angle: float, folded: bool) -> tuple[Geometry, Geometry, Array]:
    """The main lid and its front leaf, both turned up about the spine, and the middle of the lid's free edge."""
    over = inset_outline(outline, -0.014)
    main = prism(parts.behind(over, SPLIT), LID, 0.004).moved(z=height + LID / 2 + 0.001)
    right, left, depth = over[:, 0].max(), over[:, 0].min(), 0.27
    if folded:
        strip = parts.behind(inset_outline(over, 0.002), SPLIT + 0.004)
        leaf = prism(strip[strip[:, 1] < SPLIT + depth], LID, 0.004).moved(z=height + 1.5 * LID + 0.002)
    else:
        leaf = box(right - left, depth, LID, 0.004).moved(
            (right + left) / 2, SPLIT - depth / 2 - 0.002, height + LID / 2 + 0.001
        )
    hinge = (left, 0.0, height)
    turned = np.array([np.cos(np.radians(angle)), 0.0, np.sin(np.radians(angle))])
    edge = np.array([left, SPLIT + 0.1, height]) + (_treble(over, SPLIT + 0.1) - left) * turned
    return main.rotated("y", -angle, hinge), leaf.rotated("y", -angle, hinge), edge


def _treble(outline: Array, y: float) -> float:
    """Where the bent side stands at y."""
    side = outline[outline[:, 0] > 0]
    return float(side[np.abs(side[:, 1] - y).argmin(), 0])


def _prop(outline: Array, height: float, angle: float) -> Geometry:
    """The stick from the treble rim to the lid, square to the lid."""
    a, hinge = np.radians(angle), outline[:, 0].min()
    foot = _treble(outline, 0.60) - 0.06
    reach = (foot - hinge) * np.cos(a)
    top = (hinge + reach * np.cos(a), 0.62, height + reach * np.sin(a))
    return beam((foot, 0.60, height - 0.10), top, 0.028, 0.018, 0.004, up=(0, 1, 0))


def piano_rand(rng: np.random.Generator) -> Model:
    """A random piano: nearly all grands, lids mostly on the full stick."""
    style = str(rng.choice(["grand", "baby", "period", "toy", "upright"], p=(0.5, 0.18, 0.16, 0.08, 0.08)))
    closed = rng.random() < 0.12
    polished = str(rng.choice(["lacquer", "painted:case", "wood:case", "dark_wood:case"], p=(0.6, 0.1, 0.12, 0.18)))
    values = {
        "length": rng.uniform(1.7, 2.5),
        "width": rng.uniform(1.45, 1.55),
        "height": rng.uniform(0.97, 1.02),
        "rim_depth": rng.uniform(0.28, 0.34),
        "tail": rng.uniform(-0.2, 0.1),
        "bow": rng.uniform(0.28, 0.36),
        "white_keys": 52,
        "lid_angle": 0.0 if closed else rng.uniform(30, 44),
        "leaf_folded": bool(not closed or rng.random() < 0.6),
        "desk": str(rng.choice(["plain", "none"], p=(0.85, 0.15))),
        "desk_height": rng.uniform(0.2, 0.3),
        "desk_tilt": rng.uniform(12, 26),
        "leg_style": str(rng.choice(["spade", "tapered", "straight"], p=(0.75, 0.15, 0.1))),
        "leg_width": rng.uniform(0.12, 0.155),
        "lyre": True,
        "bench": str(rng.choice(["none", "wood", "cushion", "tufted"], p=(0.55, 0.12, 0.18, 0.15))),
        "bench_gap": rng.uniform(0.02, 0.25),
        "bench_width": rng.uniform(0.6, 0.9),
        "scale": 1.0,
        "case_role": polished,
        "metal_role": "brass",
        "seat_role": "leather:seat",
        "plate_role": "gold:plate",
    }
    change = {"baby": _baby, "period": _period, "toy": _toy, "upright": _upright_values}.get(style)
    return piano(style=style, **(values | (change(rng) if change else {})))


def _baby(rng: np.random.Generator) -> dict:
    return {"length": rng.uniform(1.4, 1.65), "tail": rng.uniform(-0.05, 0.25), "bow": rng.uniform(0.3, 0.4)}


def _period(rng: np.random.Generator) -> dict:
    return {
        "leg_style": "turned",
        "leg_width": rng.uniform(0.15, 0.19),
        "desk": str(rng.choice(["crested", "pierced"])),
        "case_role": str(rng.choice(["wood:case", "dark_wood:case", "lacquer"], p=(0.45, 0.35, 0.2))),
    }


def _toy(rng: np.random.Generator) -> dict:
    closed = rng.random() < 0.6
    return {
        "length": rng.uniform(1.1, 1.5),
        "height": rng.uniform(1.2, 1.35),
        "white_keys": int(rng.integers(15, 26)),
        "lid_angle": 0.0 if closed else rng.uniform(25, 38),
        "leaf_folded": True,
        "leg_style": "straight",
        "leg_width": rng.uniform(0.1, 0.14),
        "lyre": False,
        "bench": str(rng.choice(["wood", "none"], p=(0.75, 0.25))),
        "scale": rng.uniform(0.32, 0.42),
        "case_role": str(rng.choice(["lacquer", "painted:case", "dark_wood:case"])),
    }


def _upright_values(rng: np.random.Generator) -> dict:
    return {
        "length": rng.uniform(0.55, 0.66),
        "height": rng.uniform(1.08, 1.3),
        "leg_style": str(rng.choice(["tapered", "turned"])),
        "desk_height": rng.uniform(0.18, 0.24),
        "desk_tilt": rng.uniform(10, 16),
        "lid_angle": 0.0,
    }
