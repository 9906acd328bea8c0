"""Masts, spars, sails and ropes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from scenes.mesh import Part
from scenes.shapes.primitives import Array, Geometry, bar, ellipsoid, part, tube
from scenes.shapes.watercraft.parts import lines, sail, shrouds


class Rig:
    """Collects spars, sails and ropes mast by mast."""

    def __init__(self, p: SimpleNamespace, spar: float) -> None:
        self.p, self.spar = p, spar
        self.spars: list[Geometry] = []
        self.sails: list[tuple[str, Geometry]] = []
        self.ropes: list[Geometry] = []
        self.heads: list[Array] = []
        bow = p.hull.at(0.0, 1.0) * (0, 1, 1)
        self.tip = bow + np.array([0, -p.bowsprit, 0.22 * p.bowsprit])
        if p.bowsprit:
            inner = bow + np.array([0, 0.07 * p.length, -0.2 * p.bulwark - 0.01 * p.length])
            self.spars.append(bar(inner, self.tip, 0.9 * spar, 12, 0.5 * spar))
            self.ropes.append(lines([(self.tip, p.hull.at(0.01, 0.25) * (0, 1, 1))], p.rope))

    def off(self, degrees: float, rise: float = 0.0) -> Array:
        """Unit direction aft, swung out to the lee side by an angle and raised by another."""
        a, e = np.radians(degrees) * self.p.side, np.radians(rise)
        return np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])

    def blown(self, chord: float) -> Array:
        return np.array([self.p.side, 0.0, 0.0]) * self.p.belly * chord

    def mast(self, t: float, height: float, following: float | None) -> None:
        p, spar = self.p, self.spar
        foot = np.array([0.0, (t - 0.5) * p.length, p.hull.deck(t) - 0.1])
        lean = np.array([0.0, np.tan(np.radians(2.5)), 1.0])
        head = foot + height * lean
        self.heads.append(head)
        self.spars.append(tube(np.array([foot, foot + 0.6 * height * lean, head]), [spar, 0.9 * spar, 0.35 * spar], 14))
        hounds = 0.72 if p.gaff or p.style == "square" else 0.92
        rail = p.hull.at(t + 0.005, 1.0)
        self.ropes.append(shrouds(rail, 0.045 * p.length, foot + hounds * height * lean, p.rope))
        self.ropes.append(lines([(p.hull.at(t + 0.03, 1.0) * (s, 1, 1), head) for s in (1, -1)], 0.8 * p.rope))
        trees = foot + hounds * height * lean
        width = 0.3 * float(p.hull.half_breadth(t))
        self.spars.append(bar(trees - (width, 0, 0), trees + np.array([width, 0, 0]), 0.35 * spar, 8))
        if len(self.heads) > 1:
            self.ropes.append(lines([(self.heads[-2], head)], 0.8 * p.rope))
        square = p.style == "square" and not (p.masts == 3 and following is None)
        if square:
            self.yards(foot, lean, height)
        if not square or following is None:
            self.fore_and_aft(foot, lean, height, following, 0.45 if p.style == "square" else 1.0)

    def fore_and_aft(self, foot: Array, lean: Array, height: float, following: float | None, size: float) -> None:
        """Boom, gaff and the sails of one mast."""
        p, spar = self.p, self.spar
        y_end = (
            (following - 0.5) * p.length - 0.03 * p.length
            if following
            else (0.5 + (0.06 if p.gaff else -0.02)) * p.length
        )
        boom = max(y_end - foot[1], 0.16 * p.length)
        low = foot + (0.1 + 0.045 * p.length**0.9) * lean * (0.8 if p.length > 25 else 1)
        clew = low + boom * self.off(p.trim, 3)
        self.spars.append(bar(low, clew, 0.55 * spar, 10))
        deck_clew = np.array([0.3 * clew[0], min(clew[1], 0.47 * p.length) - 0.1 * boom, p.hull.deck(0.9)])
        self.ropes.append(lines([(deck_clew, low + 0.9 * (clew - low))], p.rope))
        n = len(self.heads)
        if not p.set_sails:
            bundle = ellipsoid(2.6 * spar, 0.94 * boom, 3.4 * spar, 16, 24)
            turn = -np.degrees(np.arctan2((clew - low)[0], (clew - low)[1]))
            self.sails.append(
                (
                    f"furled_{n}",
                    bundle.rotated("x", 3).rotated("z", turn).moved(*((low + clew) / 2 + (0, 0, 1.4 * spar))),
                )
            )
            return
        luff = low + (0.1, 0, 0) * np.zeros(3) + 0.02 * lean * height
        start, end = luff + 1.1 * spar * self.off(p.trim), luff + 0.97 * (clew - low)
        if not p.gaff:
            top = foot + 0.97 * height * lean + 0.6 * spar * self.off(p.trim)
            peak = top + 0.035 * boom * self.off(p.trim)
            self.sails.append((f"mainsail_{n}", sail(start, end, peak, top, self.blown(boom), 0.1)))
            return
        throat = foot + 0.62 * size**0.3 * height * lean + 1.1 * spar * self.off(p.trim)
        gaff_length = 0.62 * boom
        peak = throat + gaff_length * self.off(1.35 * p.trim, 48)
        self.spars.append(bar(throat - 1.1 * spar * self.off(p.trim), peak + 0.03 * (peak - throat), 0.45 * spar, 10))
        self.sails.append(
            (
                f"mainsail_{n}",
                sail(start, end, peak - (0, 0, 0.5 * spar), throat - (0, 0, 0.5 * spar), self.blown(boom), 0.03),
            )
        )
        self.ropes.append(lines([(throat + 0.6 * (peak - throat), foot + 0.82 * height * lean)], 0.8 * p.rope))
        if p.topsails and size == 1.0:
            head = foot + 0.97 * height * lean
            root = throat + np.array([0, 0, 2 * spar])
            tip = peak + np.array([0, 0, 1.2 * spar])
            self.sails.append(
                (f"topsail_{n}", sail(root, tip, head + 0.02 * (tip - root), head, 0.6 * self.blown(gaff_length)))
            )

    def yards(self, foot: Array, lean: Array, height: float) -> None:
        """Yards with square sails, lowest first."""
        p, n = self.p, len(self.heads)
        levels = np.array([0.1, 0.4, 0.64, 0.82, 0.95])
        half = np.array([0.88, 0.82, 0.64, 0.46, 0.34]) * 0.27 * p.length
        across = np.array([np.cos(np.radians(p.trim)), -np.sin(np.radians(p.trim)), 0.0])
        ahead = np.array([-across[1], across[0], 0.0]) * -1.0
        for k in range(4):
            top = foot + levels[k + 1] * height * lean + 1.6 * self.spar * ahead
            bottom = foot + (levels[k] + 0.02) * height * lean + 1.6 * self.spar * ahead
            reach = half[k + 1]
            self.spars.append(bar(top - 1.06 * reach * across, top + 1.06 * reach * across, 0.42 * self.spar, 10))
            self.ropes.append(
                lines(
                    [(top + s * reach * across, foot + min(levels[k + 1] + 0.12, 1) * height * lean) for s in (1, -1)],
                    0.7 * p.rope,
                )
            )
            cloth = top - (0, 0, 0.6 * self.spar)
            if not p.set_sails:
                roll = ellipsoid(2 * reach, 1.6 * self.spar, 2 * self.spar, 14, 20).rotated("z", -p.trim)
                self.sails.append((f"furled_{n}_{k}", roll.moved(*cloth)))
                continue
            corners = (
                bottom - half[k] * across,
                bottom + half[k] * across,
                cloth + reach * across,
                cloth - reach * across,
            )
            self.sails.append((f"square_{n}_{k}", sail(*corners, 1.6 * p.belly * reach * ahead)))

    def headsails(self) -> None:
        """Jibs on stays from the foremost mast to the bowsprit."""
        p, head = self.p, self.heads[0]
        bow = p.hull.at(0.02, 1.0) * (0, 1, 1)
        foot = np.array([0.0, head[1], p.hull.deck(0.35)])
        for k in range(p.jibs):
            share = k / max(p.jibs - 1, 1) if p.jibs > 1 else 0.0
            low = self.tip + share * (bow - self.tip) * (0.95 if p.bowsprit else 0.0)
            if not p.bowsprit:
                low = low + np.array([0, 0.16 * p.length * share, 0])
            high = foot + (head - foot) * ((0.98 if p.style != "square" else 0.9) - 0.26 * share)
            self.ropes.append(lines([(low, high)], p.rope))
            if not p.set_sails:
                continue
            tack, top = low + 0.05 * (high - low), low + (0.93 - 0.05 * k) * (high - low)
            reach = 0.8 * (foot[1] - tack[1])
            clew = np.array(
                [
                    p.side * reach * np.sin(np.radians(abs(p.trim))) * 0.8,
                    tack[1] + reach,
                    max(tack[2], bow[2]) + 0.09 * p.length**0.9,
                ]
            )
            self.sails.append((f"jib_{k}", sail(tack, clew, top + 0.012 * (clew - tack), top, self.blown(reach), -0.1)))
            self.ropes.append(lines([(clew, p.hull.at(0.5, 1.0) * (p.side, 1, 1))], 0.7 * p.rope))

    def parts(self) -> list[Part]:
        p = self.p
        if p.style != "schooner" and not p.gaff:
            self.ropes.append(lines([(self.heads[-1], p.hull.at(0.99, 1.0) * (0, 1, 1))], 0.8 * p.rope))
        cloths = [
            part(name, cloth, p.sail_role if "furled" not in name else "sailcloth", 60) for name, cloth in self.sails
        ]
        return [part("spars", self.spars, p.spar_role), part("rigging", self.ropes, "rope"), *cloths]
