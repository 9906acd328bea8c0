"""Chairs: windsors of four kinds, ladder-backs, side and parlour chairs, office, director's and adirondack chairs."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Model
from scenes.shapes.chair.frames import adirondack, director, office
from scenes.shapes.chair.parts import Measures
from scenes.shapes.chair.wood import ladder, parlour, side_chair, windsor
from scenes.shapes.primitives import standing

BUILDERS = {
    "bow_back": windsor,
    "sack_back": windsor,
    "comb_back": windsor,
    "fan_back": windsor,
    "ladder_back": ladder,
    "dining": side_chair,
    "metal": side_chair,
    "parlour": parlour,
    "office": office,
    "director": director,
    "adirondack": adirondack,
}
WEIGHTS = {
    "bow_back": 0.14,
    "sack_back": 0.17,
    "comb_back": 0.08,
    "fan_back": 0.08,
    "ladder_back": 0.11,
    "dining": 0.12,
    "metal": 0.03,
    "parlour": 0.08,
    "office": 0.11,
    "director": 0.04,
    "adirondack": 0.04,
}


def chair(
    *,
    style: str,
    seat_width: float,
    seat_depth: float,
    seat_height: float,
    back_height: float,
    back_rake: float,
    splay: float,
    stock: float,
    members: int,
    turning: str,
    back_fill: str,
    arms: bool,
    arm_height: float,
    rockers: bool,
    frame_role: str,
    seat_role: str,
    back_role: str,
) -> Model:
    """A chair.

    style: a key of BUILDERS; "sack_back" and "comb_back", "director" and "adirondack" always have arms.
    seat_width, seat_depth: 0.36-0.6 m; seat_height: 0.34-0.52 m. back_height: above the seat, 0.35-0.8 m.
    back_rake: of the back from upright, 4-30 degrees. splay: of a windsor's legs, 6-18 degrees.
    stock: radius of the stouter rods, 0.009-0.022 m. members: spindles, slats or boards of the back, 3-11.
    turning: of windsor legs, a key of TURNINGS. back_fill: "spindles" or "splat" for windsors, "spindles", "splat",
    "rails" or "pad" for dining chairs, "pad" or "splat" for parlour chairs, "pad" (full) or "low" for office chairs.
    arm_height: above the seat, 0.17-0.26 m. rockers: on runners (windsors and ladder-backs).
    """
    given = dict(locals())
    m = Measures(**given)
    parts, points = BUILDERS[style](m)
    x, y = 0.38 * seat_width, 0.38 * seat_depth
    corners = {f"seat_{side}": np.array([s * x, -y, seat_height]) for side, s in (("left", 1), ("right", -1))}
    center = {"seat_centre": np.array([0.0, 0.0, seat_height])}
    return standing(Model(tuple(parts), {**center, **corners, **points}, given))


def chair_rand(rng: np.random.Generator) -> Model:
    """A chair as photographs show them: about half of them windsors."""
    style = str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
    wood = str(rng.choice(["dark_wood", "wood", "painted", "lacquer"], p=[0.4, 0.33, 0.17, 0.1]))
    cloth = str(rng.choice(["fabric", "leather"], p=[0.7, 0.3]))
    is_windsor = BUILDERS[style] is windsor
    fills = {
        "office": ["pad", "low"], "parlour": ["pad", "pad", "splat"], "metal": ["pad"],
        "dining": ["spindles", "spindles", "splat", "rails", "pad"],
    }  # fmt: skip
    fill = str(rng.choice(fills.get(style, ["spindles"] * 4 + ["splat"])))
    members = {
        "ladder_back": rng.integers(3, 6),
        "dining": rng.integers(3, 9),
        "adirondack": 2 * rng.integers(2, 4) + 1,
    }
    frame = {"metal": ["chrome", "dark_plastic", "painted"], "office": ["dark_plastic", "chrome", "metal"],
             "adirondack": ["wood", "painted", "painted"]}  # fmt: skip
    frame_role = str(rng.choice(frame[style])) if style in frame else wood
    seat = {"ladder_back": "wicker", "dining": wood if rng.random() < 0.4 else cloth}.get(style, cloth)
    tall = {
        "ladder_back": rng.uniform(0.5, 0.68),
        "adirondack": rng.uniform(0.5, 0.6),
        "director": rng.uniform(0.42, 0.5),
        "comb_back": rng.uniform(0.58, 0.72),
        "fan_back": rng.uniform(0.5, 0.66),
    }.get(style, rng.uniform(0.45, 0.6))
    return chair(
        style=style,
        seat_width=rng.uniform(0.5, 0.58)
        if style in ("sack_back", "comb_back", "adirondack", "director")
        else rng.uniform(0.42, 0.52),
        seat_depth=rng.uniform(0.4, 0.46),
        seat_height={"adirondack": rng.uniform(0.34, 0.4)}.get(style, rng.uniform(0.43, 0.49)),
        back_height=tall,
        back_rake={"adirondack": rng.uniform(22, 30)}.get(style, rng.uniform(7, 16)),
        splay=rng.uniform(9, 16),
        stock=rng.uniform(0.012, 0.017) * (1.25 if style in ("ladder_back", "office") else 1.0),
        members=int(members.get(style, 2 * rng.integers(3, 5) + 1)),
        turning=str(rng.choice(["vase", "bamboo", "plain"], p=[0.55, 0.25, 0.2])),
        back_fill=fill,
        arms=bool(style in ("sack_back", "comb_back", "director", "adirondack") or rng.random() < 0.4),
        arm_height=rng.uniform(0.19, 0.24),
        rockers=bool(rng.random() < 0.1 and (is_windsor or style == "ladder_back")),
        frame_role=frame_role,
        seat_role=wood if is_windsor else seat,
        back_role=cloth if fill in ("pad", "low") else frame_role,
    )
