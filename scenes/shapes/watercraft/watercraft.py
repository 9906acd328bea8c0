"""Watercraft: schooners, ketches, sloops, square-riggers, ferries and motor boats, as seen from the waterline up."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.primitives import (
    Array,
    bar,
    box,
    merge,
    part,
    rotation,
    torus,
)
from scenes.shapes.watercraft.motor import motor
from scenes.shapes.watercraft.parts import Hull, along, plan, sail, slab, walls
from scenes.shapes.watercraft.rig import Rig

# Masts as (fraction of the length, share of the mast height), from the bow.
MASTS = {
    ("schooner", 2): [(0.35, 0.92), (0.6, 1.0)],
    ("schooner", 3): [(0.26, 0.94), (0.49, 0.98), (0.71, 1.0)],
    ("ketch", 2): [(0.38, 1.0), (0.79, 0.66)],
    ("sloop", 1): [(0.4, 1.0)],
    ("square", 2): [(0.32, 0.95), (0.62, 1.0)],
    ("square", 3): [(0.26, 0.95), (0.52, 1.0), (0.77, 0.88)],
}
SAILING = ("schooner", "ketch", "sloop", "square")


def watercraft(
    *,
    style: str,
    length: float,
    beam: float,
    freeboard: float,
    sheer: float,
    rake: float,
    counter: float,
    transom: float,
    fullness: float,
    bulwark: float,
    masts: int = 0,
    mast_height: float = 0.0,
    gaff: bool = True,
    topsails: bool = False,
    jibs: int = 2,
    bowsprit: float = 0.0,
    trim: float = 15.0,
    belly: float = 0.08,
    heel: float = 0.0,
    set_sails: bool = True,
    decks: int = 1,
    house_front: float = 0.3,
    house_back: float = 0.8,
    house_rake: float = 0.0,
    funnels: int = 0,
    double_ended: bool = False,
    flag: bool = False,
    hull_role: str = "hull_paint",
    spar_role: str = "wood",
    sail_role: str = "sailcloth",
) -> Model:
    """A boat, cut at the waterline.

    style: "schooner", "ketch", "sloop", "square" (brig or ship), "ferry" or "launch" (motor boat).
    length 6-110, beam 2-22, freeboard 0.7-7, bulwark 0.05-1.2: meters; sheer: extra height of the bow, 0-1 freeboards.
    rake and counter: overhang of bow and stern, 0-0.2 lengths, in meters; transom: stern width, 0.2-1 beams;
    fullness: of the bow, 1.5-4.
    Sail: masts 1-3 of mast_height meters over the deck; gaff or pointed sails; topsails; jibs 1-4 and bowsprit meters;
    trim: degrees off the center line, positive with the booms to the left; belly: of the sails, in chords; heel:
    degrees to the same side; set_sails: set or furled.
    Motor: decks 1-4 of superstructure from house_front to house_back (fractions of the length), whose fronts lean by
    house_rake meters a deck; funnels 0-2; double_ended.
    flag: an ensign at the stern; hull_role, spar_role, sail_role: materials.
    """
    p = SimpleNamespace(**locals())
    given = dict(vars(p))
    p.hull = Hull(length, beam, freeboard, sheer, rake, counter, transom, fullness, bulwark, double_ended)
    p.rope = max(0.0009 * length, 0.012)
    p.side = 1.0 if trim >= 0 else -1.0
    parts, points = (_sailing if style in SAILING else motor)(p)
    bow, stern = p.hull.at(0.0, 1.0), p.hull.at(1.0, 1.0)
    middle = p.hull.at(0.5, 1.0)
    points |= {
        "bow": bow * (0, 1, 1),
        "stern": stern * (0, 1, 1),
        "left_rail": middle,
        "right_rail": middle * (-1, 1, 1),
        "bow_waterline": p.hull.at(0.0, 0.0) * (0, 1, 1),
        "stern_waterline": p.hull.at(1.0, 0.0) * (0, 1, 1),
    }
    if flag:
        parts += _ensign(p)
    return _afloat(Model(tuple(_hull(p) + parts), points, given), p)


def _afloat(model: Model, p: SimpleNamespace) -> Model:
    """Heeled, cut at the water and centered."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation("y", p.side * p.heel)
    heeled = model.moved(matrix)
    for item in heeled.parts:
        np.maximum(item.vertices[:, 2], 0.0, out=item.vertices[:, 2])
    low, high = heeled.bounds
    matrix = np.eye(4)
    matrix[:2, 3] = -(low + high)[:2] / 2
    return heeled.moved(matrix)


def _hull(p: SimpleNamespace) -> list[Part]:
    hull = p.hull
    lift = 0.003 * p.beam + 0.004
    parts = [
        part("hull", hull.skin(), p.hull_role),
        part("deck", hull.planking(), "deck"),
        part("boot_top", hull.strake(-0.05, 0.16, lift), "hull_paint:boot"),
        part("cap_rail", hull.cap_rail(0.006 * p.beam + 0.015), p.spar_role if p.style in SAILING else "painted:trim"),
    ]
    stripe = (0.84, 0.92) if p.style in SAILING else (0.62, 0.7)
    parts.append(part("stripe", hull.strake(*stripe, lift, 0.02, 0.98), "painted:trim"))
    return parts


def _ensign(p: SimpleNamespace) -> list[Part]:
    foot = p.hull.at(0.985, 1.0) * (0, 1, 1) - (0, 0, 0.1)
    size = 0.02 * p.length + 0.3
    head = foot + np.array([0, 0.5 * size, 2.6 * size])
    cloth = sail(
        head - (0, 0, size),
        head + np.array([0.4 * p.side * size, 1.5 * size, -1.25 * size]),
        head + np.array([0.4 * p.side * size, 1.5 * size, -0.35 * size]),
        head,
        (0.15 * size, 0, 0),
    )
    return [part("flag_staff", bar(foot, head, 0.012 * p.length**0.5, 8), p.spar_role), part("ensign", cloth, "fabric")]


# Sailing boats -------------------------------------------------------------------------------------------------


def _sailing(p: SimpleNamespace) -> tuple[list[Part], dict[str, Array]]:
    spar = 0.0055 * p.length + 0.02
    rig = Rig(p, spar)
    table = MASTS[p.style, p.masts]
    ends = [t for t, _ in table[1:]] + [None]
    for (t, share), following in zip(table, ends, strict=True):
        rig.mast(t, share * p.mast_height, following)
    rig.headsails()
    parts = rig.parts() + _deck_gear(p)
    points = {"main_masthead": max(rig.heads, key=lambda h: h[2]), "bowsprit_tip": rig.tip}
    return parts, points


def _deck_gear(p: SimpleNamespace) -> list[Part]:
    """Cabin trunks with portlights, hatch and wheel."""
    hull, parts = p.hull, []
    high = 0.018 * p.length + 0.22
    taken = [t for t, _ in MASTS[p.style, p.masts]]
    for k, (start, end) in enumerate([(0.43, 0.56), (0.65, 0.76)] if p.masts > 1 else [(0.43, 0.66)]):
        if any(start < t < end for t in taken):
            start, end = start + 0.02, end + 0.02
        outline = plan(hull, (start - 0.5) * p.length, (end - 0.5) * p.length, 0.5 * p.beam, 0.5, 0.25, 0.05)
        z = hull.deck(start)
        glass = along(outline, 0.05 * p.length, box(0.018 * p.length, 0.06, 0.4 * high), z + 0.6 * high, 12)
        roof = slab(outline, z + high, 0.05, 0.06)
        parts += [
            part(f"cabin_{k}", walls(outline, z - 0.1, z + high + 0.01), "painted:cabin"),
            part(f"cabin_roof_{k}", roof, p.spar_role),
            part(f"portlights_{k}", glass, "tinted_glass"),
        ]
    wheel_at = np.array([0, 0.385 * p.length, hull.deck(0.885)])
    size = 0.35 + 0.008 * p.length
    ring = merge(
        [
            torus(0.8 * size, 0.05 * size, 28, 8),
            *(
                bar((0, 0, 0), (size * np.cos(a), size * np.sin(a), 0), 0.03 * size, 6)
                for a in np.arange(8) * np.pi / 4
            ),
        ]
    )
    stand = box(0.5 * size, 0.5 * size, 1.5 * size, 0.05 * size).moved(
        *wheel_at + np.array([0, -0.2 * size, 0.7 * size])
    )
    parts.append(
        part("wheel", merge([ring.rotated("x", 90).moved(*wheel_at + np.array([0, 0.08 * size, size])), stand]), "wood")
    )
    return parts


# Random boats --------------------------------------------------------------------------------------------------


def watercraft_rand(rng: np.random.Generator) -> Model:
    """A random boat."""
    style = str(
        rng.choice(["schooner", "ketch", "sloop", "square", "ferry", "launch"], p=[0.32, 0.28, 0.07, 0.07, 0.2, 0.06])
    )
    draw = _draw_sailing if style in SAILING else _draw_motor
    return watercraft(style=style, flag=bool(rng.random() < 0.4), **draw(rng, style))


def _draw_sailing(rng: np.random.Generator, style: str) -> dict:
    old = style in ("schooner", "square")
    length = rng.uniform(*{"schooner": (16, 40), "ketch": (9, 22), "sloop": (7, 16), "square": (24, 60)}[style])
    gaff = bool(rng.random() < {"schooner": 0.85, "ketch": 0.3, "sloop": 0.3, "square": 1.0}[style])
    masts = {
        "schooner": int(rng.choice([2, 3], p=[0.85, 0.15])),
        "ketch": 2,
        "sloop": 1,
        "square": int(rng.integers(2, 4)),
    }[style]
    tall = rng.uniform(0.78, 0.95) if masts == 3 else rng.uniform(0.88, 1.1)
    return {
        "length": length,
        "beam": length**0.85 * rng.uniform(0.34, 0.42),
        "freeboard": length**0.75 * rng.uniform(0.13, 0.18) * (1.25 if style == "square" else 1.0),
        "sheer": rng.uniform(0.35, 0.8),
        "rake": length * rng.uniform(0.04, 0.14),
        "counter": length * rng.uniform(0.02, 0.12),
        "transom": rng.uniform(0.35, 0.7),
        "fullness": rng.uniform(1.7, 2.4) if style != "square" else rng.uniform(2.4, 3.2),
        "bulwark": rng.uniform(0.4, 0.8) if old else rng.uniform(0.1, 0.3),
        "masts": masts,
        "mast_height": length * tall * (1.15 if style == "sloop" else 1.0) * (0.92 if style == "square" else 1.0),
        "gaff": gaff,
        "topsails": bool(rng.random() < 0.5),
        "jibs": int(rng.integers(3 if style == "square" else 2, 5)) if old else int(rng.integers(1, 4)),
        "bowsprit": length * (rng.uniform(0.12, 0.24) if old or gaff else rng.choice([0, rng.uniform(0.06, 0.14)])),
        "trim": rng.choice([-1, 1]) * (rng.uniform(12, 40) if style == "square" else rng.uniform(5, 28)),
        "belly": rng.uniform(0.06, 0.14),
        "heel": rng.choice([0, rng.uniform(0, 13)]) * (0.5 if style == "square" else 1.0),
        "set_sails": bool(rng.random() < 0.95),
        "hull_role": str(rng.choice(["hull_paint", "wood", "dark_wood"], p=[0.75, 0.15, 0.1])),
        "spar_role": str(rng.choice(["wood", "dark_wood", "aluminium"], p=[0.7, 0.2, 0.1])),
        "sail_role": "sailcloth",
    }


def _draw_motor(rng: np.random.Generator, style: str) -> dict:
    if style == "launch":
        length = rng.uniform(7, 22)
        return {
            "length": length,
            "beam": length**0.8 * rng.uniform(0.45, 0.55),
            "freeboard": length**0.8 * rng.uniform(0.12, 0.16),
            "sheer": rng.uniform(0.3, 0.7),
            "rake": length * rng.uniform(0.06, 0.13),
            "counter": 0.0,
            "transom": rng.uniform(0.8, 0.95),
            "fullness": rng.uniform(2.0, 2.8),
            "bulwark": rng.uniform(0.1, 0.3),
            "decks": int(rng.integers(1, 3)),
            "house_front": rng.uniform(0.26, 0.36),
            "house_back": rng.uniform(0.74, 0.92),
            "house_rake": length * rng.uniform(0.03, 0.08),
        }
    length = rng.uniform(30, 105)
    double = bool(rng.random() < 0.4)
    return {
        "length": length,
        "beam": length**0.8 * rng.uniform(0.4, 0.5),
        "freeboard": length**0.6 * rng.uniform(0.26, 0.36),
        "sheer": rng.uniform(0.05, 0.4),
        "rake": length * rng.uniform(0.03, 0.08),
        "counter": length * rng.uniform(0.0, 0.03),
        "transom": rng.uniform(0.75, 0.95),
        "fullness": rng.uniform(2.2, 3.6),
        "bulwark": rng.uniform(0.6, 1.1),
        "decks": int(rng.integers(2, 4)) if length > 45 else int(rng.integers(1, 3)),
        "house_front": rng.uniform(0.08, 0.14) if double else rng.uniform(0.16, 0.26),
        "house_back": rng.uniform(0.86, 0.92) if double else rng.uniform(0.84, 0.95),
        "house_rake": rng.uniform(0, 0.8),
        "funnels": int(rng.choice([0, 1, 2], p=[0.15, 0.6, 0.25])),
        "double_ended": double,
    }
