"""Guitars: solid and semi-hollow electrics in the classic outlines, steel-string and classical acoustics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.guitar import hardware as hardware
from scenes.shapes.guitar import parts as parts
from scenes.shapes.primitives import Array, part, spline

# Body outlines in millimeters seen from the front: x to the viewer's right (the treble side), y up from the butt,
# counter-clockwise. A half outline starts at the butt and is mirrored.
OUTLINES: dict[str, list[tuple[float, float]]] = {
    "strat": [
        (0, 0), (72, 8), (132, 42), (161, 103), (148, 165), (119, 214), (113, 252), (124, 292), (134, 324),
        (131, 350), (114, 366), (92, 361), (70, 340), (46, 318), (24, 308), (-24, 312), (-44, 326), (-59, 352),
        (-77, 384), (-98, 406), (-120, 404), (-136, 380), (-138, 344), (-127, 300), (-115, 260), (-121, 216),
        (-148, 162), (-163, 104), (-145, 44), (-90, 8),
    ],
    "superstrat": [
        (0, 2), (70, 8), (130, 42), (157, 102), (139, 165), (112, 214), (106, 255), (120, 298), (136, 334),
        (145, 366), (142, 379), (130, 379), (104, 358), (76, 332), (48, 304), (24, 290), (-24, 294), (-46, 314),
        (-64, 346), (-84, 384), (-108, 412), (-126, 416), (-137, 392), (-130, 345), (-117, 300), (-108, 260),
        (-114, 218), (-141, 162), (-158, 104), (-141, 44), (-86, 8),
    ],
    "tele": [
        (0, 0), (82, 6), (142, 46), (161, 108), (142, 172), (118, 222), (117, 262), (132, 300), (138, 328),
        (130, 350), (108, 357), (84, 344), (60, 324), (24, 312), (-10, 350), (-34, 386), (-76, 392), (-116, 374),
        (-134, 336), (-129, 290), (-115, 246), (-119, 204), (-145, 158), (-160, 106), (-143, 46), (-84, 6),
    ],
    "les_paul": [
        (0, 0), (86, 13), (148, 62), (166, 124), (144, 192), (116, 238), (113, 278), (128, 316), (137, 344),
        (131, 363), (114, 368), (92, 353), (68, 330), (44, 319), (20, 318), (-10, 360), (-32, 398), (-70, 402),
        (-112, 383), (-130, 342), (-123, 295), (-112, 252), (-127, 206), (-158, 152), (-166, 110), (-146, 60),
        (-86, 13),
    ],
    "sg": [
        (0, 0), (90, 14), (148, 64), (165, 122), (147, 182), (115, 232), (107, 272), (114, 314), (128, 352),
        (141, 384), (144, 396), (136, 398), (112, 387), (84, 364), (58, 334), (40, 312), (22, 304),
    ],
    "semi_hollow": [
        (0, 0), (108, 13), (182, 70), (205, 142), (186, 215), (144, 276), (129, 318), (138, 358), (152, 392),
        (147, 424), (120, 438), (90, 426), (64, 396), (43, 374), (22, 370),
    ],
    "archtop": [
        (0, 0), (108, 12), (184, 70), (207, 144), (182, 220), (138, 288), (124, 335), (138, 386), (130, 432),
        (96, 468), (40, 488),
    ],
    "flying_v": [
        (0, 150), (14, 140), (60, 70), (118, 4), (138, -10), (205, 0), (214, 18), (190, 66), (130, 186), (70, 308),
        (50, 348), (24, 362),
    ],
    "acoustic": [
        (0, 0), (105, 10), (174, 60), (199, 135), (183, 212), (150, 268), (136, 312), (140, 365), (147, 412),
        (135, 458), (98, 492), (40, 505),
    ],
    "classical": [
        (0, 0), (98, 10), (164, 58), (186, 128), (170, 200), (133, 252), (119, 294), (126, 346), (139, 392),
        (128, 440), (90, 476), (38, 486),
    ],
}  # fmt: skip
SYMMETRIC = ("sg", "semi_hollow", "archtop", "flying_v", "acoustic", "classical")
CUTAWAY: list[tuple[float, float]] = [
    (136, 312),
    (142, 352),
    (147, 388),
    (138, 408),
    (112, 404),
    (84, 410),
    (62, 440),
    (52, 480),
]


@dataclass(frozen=True)
class _Design:
    """Where an outline's fittings sit, in meters up from the butt, and which ones its maker uses."""

    bridge: float
    joint: float
    scale: float
    depth: float
    edge: float
    headstock: str
    fitting: str
    pickups: str
    guard: str
    frets: int


DESIGNS = {
    "strat": _Design(0.122, 0.300, 0.648, 0.045, 0.010, "inline", "tremolo", "sss", "strat", 22),
    "superstrat": _Design(0.118, 0.275, 0.648, 0.042, 0.006, "pointed", "tremolo", "hsh", "none", 24),
    "tele": _Design(0.105, 0.300, 0.648, 0.045, 0.003, "inline", "plate", "tele", "tele", 21),
    "les_paul": _Design(0.128, 0.310, 0.628, 0.052, 0.008, "open_book", "tunematic", "hh", "les_paul", 22),
    "sg": _Design(0.108, 0.298, 0.628, 0.035, 0.007, "open_book", "tunematic", "hh", "sg", 22),
    "semi_hollow": _Design(0.165, 0.370, 0.628, 0.045, 0.004, "open_book", "tunematic", "hh", "none", 22),
    "archtop": _Design(0.175, 0.440, 0.635, 0.078, 0.004, "open_book", "trapeze", "n", "none", 20),
    "flying_v": _Design(0.165, 0.345, 0.628, 0.040, 0.003, "pointed_v", "tunematic", "hh", "none", 22),
    "acoustic": _Design(0.150, 0.500, 0.645, 0.110, 0.0, "slab", "pinned", "", "teardrop", 20),
    "classical": _Design(0.125, 0.480, 0.650, 0.098, 0.0, "slotted", "tied", "", "none", 19),
}


def guitar(
    *,
    style: str,
    body_width: float,
    body_length: float,
    body_depth: float,
    scale_length: float,
    headstock: str,
    pickups: str,
    guard: bool,
    cutaway: bool,
    binding: bool,
    inlay: str,
    knobs: int,
    whammy: bool,
    headstock_tilt: float,
    edge: float,
    body_role: str,
    side_role: str,
    neck_role: str,
    board_role: str,
    guard_role: str,
    metal_role: str,
    pickup_role: str,
) -> Model:
    """A guitar standing on its butt, strings toward -y, neck up.

    style: a key of OUTLINES. body_width, body_length: factors on the outline, 0.9 to 1.1. body_depth: 0.03 to 0.12.
    scale_length: nut to bridge, 0.6 to 0.66. headstock: inline, pointed, open_book, pointed_v, slab or slotted.
    pickups: letters from neck to bridge, s single coil, h humbucker, n and b a lone one at the neck or bridge, or tele.
    guard: pickguard where the style has one. cutaway: acoustics only. binding: cream edge. inlay: dots or blocks.
    knobs: 0 to 5. whammy: tremolo arm. headstock_tilt: degrees back, 0 to 17. edge: rounding of the body, 0 to 0.012.
    """
    parameters = dict(locals())
    design = DESIGNS[style]
    outline = _outline(style, body_width, body_length, cutaway)
    bridge, joint = design.bridge * body_length, design.joint * body_length
    hollow = style in ("acoustic", "classical")
    raised = {"acoustic": 0.001, "classical": 0.001, "archtop": 0.012}.get(style, 0.007)
    neck = parts.Neck(joint, bridge + scale_length, scale_length, body_depth + raised, design.frets, hollow, style)
    hole = 0.5 * (joint + bridge) + 0.035 if hollow else 0.0
    pieces: list[Part] = []
    if hollow:
        pieces += parts.hollow_body(outline, body_depth, hole, body_role, side_role, binding)
    else:
        pieces += parts.solid_body(outline, body_depth, edge, body_role, binding)
    if style in ("semi_hollow", "archtop"):
        pieces.append(parts.f_holes(bridge, body_depth))
    if guard and design.guard != "none":
        pieces.append(parts.pickguard(design.guard, body_width, body_length, body_depth, hole, guard_role))
    pieces += parts.neck(neck, neck_role, board_role, inlay)
    head = parts.headstock(neck, headstock, headstock_tilt, neck_role, body_role, metal_role)
    pieces += head.parts
    fitting, strings_from = hardware.bridge(design.fitting, bridge, body_depth, neck.top, metal_role)
    pieces += fitting
    if pickups:
        pieces += hardware.pickups(pickups, bridge, joint, body_depth, neck.top, pickup_role, metal_role)
    if knobs:
        pieces += hardware.controls(style, knobs, body_width, body_length, body_depth, metal_role)
    if whammy:
        pieces.append(part("tremolo_arm", hardware.whammy(bridge, body_depth), metal_role))
    pieces.append(part("strings", parts.strings(neck, strings_from, head.posts), "steel", 60))
    pieces.append(part("strap_buttons", hardware.strap_button(outline, body_depth), metal_role))
    points = _keypoints(outline, neck, bridge, body_depth, head.tip)
    return _standing(Model(tuple(pieces), points, parameters))


def _outline(style: str, width: float, length: float, cutaway: bool) -> Array:
    """The body's outline, (k, 2) meters, counter-clockwise."""
    half = OUTLINES[style]
    points = list(half)
    if style in SYMMETRIC:
        right = half
        if cutaway:
            waist = next(i for i, (_, y) in enumerate(half) if y > 290)
            right = half[:waist] + CUTAWAY
        points = list(right) + [(-x, y) for x, y in reversed(half[1:])]
    return spline(np.array(points) * (width, length) / 1000, 168, closed=True)


def _standing(model: Model) -> Model:
    """From lying on its back (x right, y along the neck, z toward the strings) to standing with its strings to -y."""
    (_, bottom, back), (_, _, front) = model.bounds
    matrix = np.array([[1.0, 0, 0, 0], [0, 0, -1.0, (back + front) / 2], [0, 1.0, 0, -bottom], [0, 0, 0, 1.0]])
    return model.moved(matrix)


def _keypoints(outline: Array, neck: parts.Neck, bridge: float, depth: float, tip: Array) -> dict[str, Array]:
    lower = outline[outline[:, 1] < np.median(outline[:, 1])]
    upper = outline[outline[:, 1] > 0.55 * outline[:, 1].max()]
    corners = {
        "bout_lower_right": lower[lower[:, 0].argmin()],
        "bout_lower_left": lower[lower[:, 0].argmax()],
        "bout_upper_right": upper[upper[:, 0].argmin()],
        "bout_upper_left": upper[upper[:, 0].argmax()],
    }
    points = {name: np.array([x, y, depth / 2]) for name, (x, y) in corners.items()}
    return points | {
        "bridge": np.array([0.0, bridge, neck.top]),
        "fretboard_end": np.array([0.0, neck.board_end, neck.top]),
        "nut": np.array([0.0, neck.nut, neck.top]),
        "headstock_tip": tip,
    }


def guitar_rand(rng: np.random.Generator) -> Model:
    """A random guitar: four in five electric, Stratocasters and their kin the most."""
    weights = {
        "strat": 0.25, "superstrat": 0.13, "tele": 0.1, "les_paul": 0.14, "sg": 0.09, "semi_hollow": 0.08,
        "archtop": 0.03, "flying_v": 0.03, "acoustic": 0.11, "classical": 0.04,
    }  # fmt: skip
    style = str(rng.choice(list(weights), p=list(weights.values())))
    design = DESIGNS[style]
    hollow = style in ("acoustic", "classical")
    dark_board = style not in ("strat", "tele") or rng.random() < 0.45
    tilted = design.headstock not in ("inline",)
    return guitar(
        style=style,
        body_width=rng.uniform(0.94, 1.05),
        body_length=rng.uniform(0.95, 1.04),
        body_depth=design.depth * rng.uniform(0.9, 1.08),
        scale_length=design.scale * rng.uniform(0.975, 1.02),
        headstock=design.headstock,
        pickups=_pickups(rng, design.pickups),
        guard=bool(rng.random() < (0.9 if design.guard in ("strat", "tele", "teardrop") else 0.65)),
        cutaway=bool(hollow and rng.random() < 0.25),
        binding=bool(rng.random() < {"les_paul": 0.7, "semi_hollow": 0.8, "archtop": 0.9}.get(style, 0.5 * hollow)),
        inlay=_inlay(rng, style),
        knobs=0 if hollow else int(rng.integers(2, 5)),
        whammy=bool(design.fitting == "tremolo" and rng.random() < 0.5),
        headstock_tilt=rng.uniform(9, 16) if tilted else 0.0,
        edge=design.edge * rng.uniform(0.7, 1.15),
        body_role=_body_role(rng, style),
        side_role=str(rng.choice(["wood:side", "dark_wood:side"])),
        neck_role=str(rng.choice(["wood:neck", "dark_wood:neck"], p=(0.75, 0.25) if not hollow else (0.4, 0.6))),
        board_role="dark_wood:board" if dark_board else "wood:neck",
        guard_role=str(rng.choice(["plastic:guard", "ivory:guard", "dark_plastic:guard"], p=(0.45, 0.2, 0.35))),
        metal_role=str(rng.choice(["chrome", "gold", "dark_plastic:metal"], p=(0.75, 0.13, 0.12))),
        pickup_role=str(rng.choice(["plastic:pickup", "dark_plastic:pickup", "chrome"], p=(0.35, 0.4, 0.25))),
    )


def _pickups(rng: np.random.Generator, usual: str) -> str:
    choices = {"sss": ["sss", "sss", "ssh"], "hsh": ["hsh", "hh", "ssh", "b"], "n": ["n", "hh"]}
    return str(rng.choice(choices.get(usual, [usual])))


def _inlay(rng: np.random.Generator, style: str) -> str:
    if style == "classical":
        return "none"
    blocks = {"les_paul": 0.8, "semi_hollow": 0.4, "sg": 0.5, "archtop": 0.8}.get(style, 0.05)
    return "blocks" if rng.random() < blocks else "dots"


def _body_role(rng: np.random.Generator, style: str) -> str:
    if style in ("acoustic", "classical"):
        return str(
            rng.choice(["wood:body", "dark_wood:body", "lacquer:body", "painted:body"], p=(0.78, 0.08, 0.07, 0.07))
        )
    roles = ["car_paint:body", "painted:body", "lacquer:body", "wood:body", "dark_wood:body"]
    return str(rng.choice(roles, p=(0.4, 0.18, 0.15, 0.17, 0.1)))
