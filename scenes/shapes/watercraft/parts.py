"""Components that boats are put together from: hulls, sails, rigging, deckhouses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scenes.shapes.primitives import (
    Array,
    Geometry,
    both_sides,
    box,
    circle,
    flat,
    loft,
    merge,
    sheet,
    tube,
    unit_or_zero,
)

# Fractions of the length where hulls have vertices, denser at the ends.
STATIONS = 0.5 - 0.5 * np.cos(np.pi * np.linspace(0, 1, 72))


@dataclass(frozen=True)
class Hull:
    """A hull cut at the waterline z = 0, bow at y = -length / 2.

    sheer: how much higher the bow is, in freeboards; rake and counter: overhang of stem and stern over the waterline;
    transom: stern width over beam; fullness: 1.5 for a sharp bow, 4 for a bluff one.
    """

    length: float
    beam: float
    freeboard: float
    sheer: float
    rake: float
    counter: float
    transom: float
    fullness: float
    bulwark: float
    double_ended: bool = False

    def half_breadth(self, t: ArrayLike) -> Array:
        """Of the rail at fractions of the length from the bow."""
        t = np.asarray(t, dtype=float)
        if self.double_ended:
            t = np.minimum(t, 1 - t)
        bow = 1 - np.clip(1 - t / 0.5, 0, 1) ** self.fullness
        stern = 1 - (1 - self.transom) * np.clip((t - 0.5) / 0.5, 0, 1) ** 2.2
        return np.asarray(self.beam / 2 * np.maximum(bow * stern, 0.008))

    def rail(self, t: ArrayLike) -> Array:
        """Height of the rail."""
        t = np.asarray(t, dtype=float)
        aft = (t - 0.6) / 0.4
        rise = np.where(t < 0.6, (1 - t / 0.6) ** 2, (1.0 if self.double_ended else 0.3) * aft**2)
        return np.asarray(self.freeboard * (1 + self.sheer * rise))

    def deck(self, t: float) -> float:
        return float(self.rail(t)) - self.bulwark

    def at(self, t: ArrayLike, level: ArrayLike, lift: float = 0.0) -> Array:
        """Points of the left side, from the waterline (level 0) to the rail (1)."""
        t, level = np.broadcast_arrays(np.asarray(t, dtype=float), np.asarray(level, dtype=float))
        near = np.minimum(t, 1 - t) if self.double_ended else t
        fine = 0.94 * np.clip(near / 0.35, 0.02, 1) ** 0.55
        fine = fine - (0.45 * np.clip((t - 0.6) / 0.4, 0, 1) ** 2 if self.counter > 0.05 * self.length else 0)
        ease = np.clip(level, 0, 1) ** 0.75
        x = self.half_breadth(t) * (fine + (1 - fine) * ease) + lift
        ends = np.array([-self.length / 2 + self.rake, self.length / 2 - self.counter])
        water = ends[0] + t * (ends[1] - ends[0])
        y = water + ease * ((t - 0.5) * self.length - water)
        return np.stack([x, y, level * self.rail(t)], axis=-1)

    def fraction(self, y: ArrayLike) -> Array:
        return np.asarray(y) / self.length + 0.5

    def skin(self) -> Geometry:
        t = STATIONS
        side = self.at(t[:, None], np.linspace(1, 0, 14))
        thickness = np.minimum(0.012 * self.beam + 0.02, 0.8 * side[:, 0, 0])
        inner = side[:, 0] - np.column_stack([thickness, 0 * t, 0 * t])
        # Up to the rail at the very ends, so that these close the hull with a convex face.
        drop = np.where((t > 0) & (t < 1), self.bulwark, 0.0)
        foot = inner - np.column_stack([0 * t, 0 * t, drop])
        keel = side[:, -1] * (0.8, 1, 1) - (0, 0, 0.35 * self.freeboard)
        half = np.concatenate(
            [np.stack([foot * (0, 1, 1), foot, inner], 1), side, np.stack([keel, keel * (0, 1, 1)], 1)], 1
        )
        return loft(np.concatenate([half[:, :0:-1] * (-1, 1, 1), half[:, :-1]], axis=1))

    def planking(self) -> Geometry:
        """The deck's surface, inside the bulwarks."""
        t = np.linspace(0.01, 0.99, 48)
        inside = self.at(t, 1.0) - np.column_stack([0.02 * self.beam + 0 * t, 0 * t, self.bulwark - 0.015 + 0 * t])
        inside[:, 0] = np.maximum(inside[:, 0], 0.01)
        return sheet(inside[:, None] * np.stack([np.linspace(-1, 1, 5), np.ones(5), np.ones(5)], axis=-1))

    def strake(self, low: float, high: float, lift: float, start: float = 0.0, end: float = 1.0) -> Geometry:
        """A band along both sides between two levels."""
        t = STATIONS[(start <= STATIONS) & (end >= STATIONS)]
        return both_sides(sheet(self.at(t[:, None], np.linspace(high, low, 5), lift)))

    def cap_rail(self, radius: float) -> Geometry:
        return both_sides(tube(self.at(np.linspace(0, 1, 40), 1.0), radius, 8))


def sail(
    tack: ArrayLike, clew: ArrayLike, peak: ArrayLike, throat: ArrayLike, belly: ArrayLike, roach: float = 0.0
) -> Geometry:
    """Cloth between four corners, blown out by the vector `belly`, its leech curved outward by `roach` of the foot."""
    a, b, c, d = (np.asarray(p, dtype=float) for p in (tack, clew, peak, throat))
    u, v = (g[..., None] for g in np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 21)))
    plane = (1 - u) * (1 - v) * a + u * (1 - v) * b + u * v * c + (1 - u) * v * d
    draft = 4 * u**0.8 * (1 - u) * np.sin(np.pi * np.clip(0.12 + 0.8 * v, 0, 1))
    plane = plane + draft * np.asarray(belly) + roach * u**2 * np.sin(np.pi * v) * (b - a)
    return sheet(plane - 0.04 * np.linalg.norm(b - a) * np.sin(np.pi * u) * (1 - v) ** 6 * np.array([0, 0, 1]))


def lines(ends: Iterable[tuple[ArrayLike, ArrayLike]], radius: float) -> Geometry:
    """Straight ropes or wires."""
    start, end = np.moveaxis(np.array([[a, b] for a, b in ends], dtype=float), 1, 0)
    along_rope = unit_or_zero(end - start)
    side = unit_or_zero(np.cross(along_rope, np.eye(3)[np.argmin(np.abs(along_rope), axis=1)]))
    section = circle(radius, 5)
    ring = section[:, :1] * side[:, None] + section[:, 1:] * np.cross(along_rope, side)[:, None]
    return merge(sheet([a + r, b + r], close_columns=True) for a, b, r in zip(start, end, ring, strict=True))


def shrouds(foot: Array, spread: float, head: Array, radius: float, count: int = 3) -> Geometry:
    """Ropes from a mast's head down to the left rail with rope ladders, and their mirror image."""
    feet = [foot + np.array([0, k * spread / (count - 1), 0]) for k in range(count)]
    ropes = [(f, head) for f in feet]
    for share in np.arange(0.06, 0.82, 0.42 / max(float(head[2] - foot[2]), 1.0)):
        ropes.append((feet[0] + share * (head - feet[0]), feet[-1] + share * (head - feet[-1])))
    ladder = lines(ropes[count:], 0.6 * radius)
    return both_sides(merge([lines(ropes[:count], radius), ladder]))


def along(outline: Array, step: float, pattern: Geometry, z: float, skip: float = 0.0) -> Geometry:
    """Copies of a pattern every `step` along a closed outline (k, 2), its x along the outline and its -y outward.

    Corners sharper than `skip` degrees apart from their neighbourhood stay free.
    """
    ring = np.concatenate([outline, outline[:1]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(ring, axis=0), axis=1))])
    at = (np.arange(max(int(length[-1] / step), 1)) + 0.5) * length[-1] / max(int(length[-1] / step), 1)
    where, before, after = (
        np.column_stack([np.interp((at + s) % length[-1], length, ring[:, k]) for k in (0, 1)])
        for s in (0, -0.4 * step, 0.4 * step)
    )
    if skip:
        turn = np.sum(unit_or_zero(where - before) * unit_or_zero(after - where), axis=1)
        keep = turn > np.cos(np.radians(skip))
        where, before, after = where[keep], before[keep], after[keep]
    tangent = unit_or_zero(after - before)
    inward = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    p = pattern.vertices
    spots = where[:, None] + p[None, :, :1] * tangent[:, None] + p[None, :, 1:2] * inward[:, None]
    return merge(Geometry(np.column_stack([s, p[:, 2] + z]), pattern.faces, pattern.uvs) for s in spots)


def plan(hull: Hull, front: float, back: float, width: float, inset: float, nose: float, tail: float) -> Array:
    """A deckhouse's plan (96, 2), counter-clockwise: `inset` inside the rail, at most `width` wide, ends rounded.

    nose and tail: how far the front and back curve, in half widths.
    """
    t = np.linspace(0, 1, 40)
    y = front + (back - front) * t
    half = np.minimum(hull.at(hull.fraction(y), 0.6)[:, 0] - inset, width / 2)
    half = np.maximum(half, 0.15 * width)
    bow, stern = nose * half[0], tail * half[-1]
    q = np.linspace(-1, 1, 9)[1:-1]
    front_arc = np.column_stack([q * half[0], y[0] - bow * (1 - q**2)])
    back_arc = np.column_stack([-q * half[-1], y[-1] + stern * (1 - q**2)])
    return np.concatenate([np.column_stack([half, y]), back_arc, np.column_stack([-half, y])[::-1], front_arc])


def walls(outline: Array, low: float, high: float, rake: float = 0.0) -> Geometry:
    """A house with that plan, its front leaning back by `rake` meters towards the top."""
    rings = [np.column_stack([outline, np.full(len(outline), z)]) for z in np.linspace(low, high, 4)]
    return loft(np.stack([lean(ring, outline, low, high, rake) for ring in rings]))


def lean(points: Array, outline: Array, low: float, high: float, rake: float) -> Array:
    """Points on the walls over a plan, moved as those lean: back by `rake` at the top of the front."""
    front, back = outline[:, 1].min(), outline[:, 1].max()
    share = np.clip((points[:, 2] - low) / (high - low), 0, 1) * (back - points[:, 1]) / (back - front)
    return points + np.column_stack([0 * share, rake * share, 0 * share])


def slab(outline: Array, z: float, thickness: float, overhang: float) -> Geometry:
    """A roof or deck over a plan, standing out by `overhang`."""
    center = outline.mean(axis=0)
    reach = np.abs(outline - center).max(axis=0)
    wider = center + (outline - center) * (1 + overhang / reach)
    ring = np.column_stack([wider, np.zeros(len(wider))])
    sides = sheet(np.stack([ring + np.array([0, 0, h]) for h in (0, thickness)]), close_columns=True)
    lid = flat(wider)
    return merge([sides, lid.moved(z=thickness), lid.flipped()]).moved(z=z)


def railing(outline: Array, z: float, height: float, radius: float) -> Geometry:
    """Posts and rails along a plan."""
    ring = np.column_stack([outline, np.full(len(outline), z)])
    rails = [tube(ring + np.array([0, 0, height * k]), radius, 6, closed=True) for k in (0.45, 0.75, 1.0)]
    post = box(2 * radius, 2 * radius, height).moved(z=height / 2)
    return merge([*rails, along(outline, 1.6 * height, post, z)])
