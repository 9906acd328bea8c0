"""What ferries and motor boats carry on their hulls."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    bar,
    both_sides,
    box,
    ellipsoid,
    loft,
    merge,
    part,
    superellipse,
    tube,
)
from scenes.shapes.watercraft.parts import along, lean, lines, plan, railing, slab, walls


def motor(p: SimpleNamespace) -> tuple[list[Part], dict[str, Array]]:
    hull, ferry = p.hull, p.style == "ferry"
    tall = 2.6 if ferry else 0.95 + 0.055 * p.length
    front, back = ((f - 0.5) * p.length for f in (p.house_front, p.house_back))
    z = hull.deck(0.5 * (p.house_front + p.house_back))
    base = min(z, hull.deck(0.6)) - 0.3
    parts: list[Part] = []
    for k in range(p.decks):
        outline = plan(hull, front, back, p.beam * (0.94 - 0.05 * k), 0.03 * p.beam + 0.1, 0.45, 0.12)
        parts += _deck_house(p, k, outline, base if k == 0 else z, z + tall)
        z += tall
        front += p.house_rake + (0.035 if ferry else 0.06) * p.length * (1 + k % 2)
        back -= (0.03 if ferry else 0.12) * p.length * (0.3 if p.double_ended else 1)
    middle = 0.5 * (front + back)
    if ferry or p.decks == 1:
        parts += _wheelhouse(p, front + 0.02 * p.length, z, tall if ferry else 0.7 * tall)
    if p.double_ended:
        parts += _wheelhouse(p, back - 0.02 * p.length, z, tall, "_aft", -1)
    parts += _funnels(p, middle, back, z)
    mast_y = front + (0.13 if ferry else 0.08) * p.length
    height = 0.1 * p.length + 0.8
    parts += _signal_mast(p, np.array([0.0, mast_y, z]), height)
    if ferry:
        parts += _lifeboats(p, front, back, z)
    parts += _fore_rail(p)
    return parts, {
        "mast_top": np.array([0.0, mast_y, z + height]),
        "wheelhouse_front": np.array([0.0, front, z + 0.5 * tall]),
    }


def _deck_house(p: SimpleNamespace, k: int, outline: Array, low: float, high: float) -> list[Part]:
    """One deck: walls, windows all round, the deck over it and its railing."""
    ferry, rake = p.style == "ferry", p.house_rake
    tall = min(high - low, 2.6)
    step, wide, height = (1.7, 1.05, 0.95) if ferry else (0.2 * p.length**0.8, 0.17 * p.length**0.8, 0.36 * tall)
    glass = along(outline, step, box(wide, 0.1, height), high - 0.42 * tall, 14 if ferry else 40)
    glass = glass.bent(lambda v: lean(v, outline, low, high, rake))
    thick = 0.06 + 0.001 * p.length
    top = np.column_stack([outline, np.full(len(outline), high)])
    roof = lean(top, outline, low, high, rake)[:, :2]
    return [
        part(f"house_{k}", walls(outline, low, high + 0.5 * thick, rake), "painted"),
        part(f"windows_{k}", glass, "tinted_glass"),
        part(f"roof_{k}", slab(roof, high, thick, 0.3 if ferry else 0.1), "painted:trim"),
        part(f"railing_{k}", railing(roof, high + thick, 1.0 if ferry else 0.4, 0.03 if ferry else 0.016), "metal"),
    ]


def _wheelhouse(
    p: SimpleNamespace, front: float, z: float, tall: float, suffix: str = "", ahead: float = 1.0
) -> list[Part]:
    """The bridge: a small house with windows all round; `ahead` is -1 where it looks aft."""
    ferry = p.style == "ferry"
    size, width = (0.07 * p.length + 0.5, 0.42 * p.beam) if ferry else (0.2 * p.length, 0.58 * p.beam)
    plan_half = np.column_stack([np.full(12, width / 2), np.linspace(0, size, 12)])
    arc = np.linspace(-1, 1, 11)[1:-1]
    nose = np.column_stack([arc * width / 2, -0.2 * width * (1 - arc**2)])
    outline = np.concatenate([plan_half, plan_half[::-1] * (-1, 1), nose]) + np.array([0, front])
    step = 0.2 * width
    glass = along(outline, step, box(0.84 * step, 0.1, 0.38 * tall), z + 0.64 * tall, 20)
    pieces = [
        (f"wheelhouse{suffix}", walls(outline, z, z + tall), "painted"),
        (f"bridge_windows{suffix}", glass, "tinted_glass"),
        (f"bridge_roof{suffix}", slab(outline, z + tall, 0.12, 0.25), "painted:trim"),
    ]
    turn = 0 if ahead > 0 else 180
    return [part(name, g.rotated("z", turn, (0, front, 0)), role) for name, g, role in pieces]


def _funnels(p: SimpleNamespace, middle: float, back: float, z: float) -> list[Part]:
    """Oval raked funnels with a livery band."""
    parts: list[Part] = []
    size, height = 0.035 * p.length + 0.6, 0.07 * p.length + 1.6
    ring = superellipse(0.55 * size, size, 2.4, 32)
    for k in range(p.funnels):
        at = np.array([0.0, middle + (k + 0.35) / max(p.funnels, 1) * 0.55 * (back - middle), z])

        def tier(low: float, high: float, scale: float, at: Array = at) -> Geometry:
            levels = np.linspace(low, high, 4) * height
            rings = [np.column_stack([ring * scale, np.full(32, h)]) + np.add(at, (0, 0.18 * h, 0)) for h in levels]
            return loft(np.stack(rings))

        parts += [
            part(f"funnel_{k}", tier(0, 1, 1.0), "painted:funnel"),
            part(f"funnel_band_{k}", tier(0.55, 0.75, 1.03), "painted:livery"),
            part(f"funnel_top_{k}", tier(0.93, 1.02, 1.04), "dark_plastic"),
        ]
    return parts


def _signal_mast(p: SimpleNamespace, foot: Array, height: float) -> list[Part]:
    thick = 0.003 * p.length + 0.03
    pole = bar(foot - (0, 0, 0.1), foot + np.array([0, 0.1 * height, height]), thick, 10, 0.5 * thick)
    cross = [
        bar(
            foot + np.array([-w, 0.1 * height * h, h * height]),
            foot + np.array([w, 0.1 * height * h, h * height]),
            0.5 * thick,
            8,
        )
        for w, h in ((0.22 * height, 0.6), (0.14 * height, 0.8))
    ]
    radar = box(0.3 * height, 0.08 * height, 0.06 * height, 0.02 * height).moved(
        *foot + np.array([0, -0.02 * height, 0.45 * height])
    )
    arm = bar(
        foot + np.array([0, -0.02 * height, 0.42 * height]),
        foot + np.array([0, 0.05 * height, 0.42 * height]),
        0.6 * thick,
        8,
    )
    return [part("signal_mast", [pole, *cross, arm], "painted"), part("radar", radar, "plastic")]


def _lifeboats(p: SimpleNamespace, front: float, back: float, z: float) -> list[Part]:
    """A row of lifeboats in davits on the top deck's edges."""
    size = min(0.06 * p.length, 0.3 * (back - front))
    x = 0.33 * p.beam
    spots = np.linspace(front + 0.45 * (back - front), back - max(0.6 * size, 0.28 * (back - front)), 2)
    boat = ellipsoid(0.36 * size, size, 0.36 * size, 20, 16).bent(
        lambda v: np.column_stack([v[:, :2], np.minimum(v[:, 2], 0.05 * size)])
    )
    boats = [boat.moved(x, y, z + 0.32 * size) for y in spots]
    davits = [
        tube(
            np.array(
                [
                    (x - 0.3 * size, y + s, z),
                    (x - 0.3 * size, y + s, z + 0.5 * size),
                    (x, y + s, z + 0.55 * size),
                    (x, y + s, z + 0.3 * size),
                ]
            ),
            0.02 * size,
            8,
        )
        for y in spots
        for s in (-0.3 * size, 0.3 * size)
    ]
    return [
        part("lifeboats", both_sides(merge(boats)), "painted:lifeboat"),
        part("davits", both_sides(merge(davits)), "metal"),
    ]


def _fore_rail(p: SimpleNamespace) -> list[Part]:
    """A rail around the foredeck."""
    t = np.linspace(0.005, p.house_front + 0.05, 16)
    foot, tall = p.hull.at(t, 1.0), 0.45 + 0.005 * p.length
    posts = lines([(a - (0, 0, 0.05), a + np.array([0, 0, tall])) for a in foot], 0.02)
    rails = merge(tube(foot + np.array([0, 0, tall * h]), 0.02, 6) for h in (0.5, 1.0))
    return [part("fore_rail", both_sides(merge([posts, rails])), "chrome" if p.style == "launch" else "metal")]
