"""Lamps: table lamps with a shade over a turned, thrown or cast base, and banker's, desk and floor lamps."""

from __future__ import annotations

import numpy as np

from scenes.mesh import Model, Part
from scenes.shapes.primitives import (
    Array,
    Geometry,
    around,
    bar,
    both_sides,
    cylinder,
    ellipsoid,
    lathe,
    loft,
    merge,
    part,
    profile,
    sheet,
    spline,
    standing,
    superellipse,
    tube,
)

STYLES = ("table", "tiffany", "dome", "candelabra", "floor", "banker", "desk")

# Silhouettes of bases: radius in half widths, height in body heights.
BASES: dict[str, list[tuple[float, float]]] = {
    "vase": [(0.62, 0), (0.66, 0.03), (0.6, 0.07), (0.5, 0.1), (0.62, 0.25), (0.88, 0.5), (1, 0.68), (0.93, 0.82),
             (0.6, 0.92), (0.3, 0.96), (0.3, 1)],
    "ginger": [(0.55, 0), (0.6, 0.04), (0.8, 0.25), (1, 0.5), (0.95, 0.7), (0.7, 0.84), (0.5, 0.88), (0.52, 0.92),
               (0.58, 0.95), (0.4, 1)],
    "gourd": [(0.5, 0), (0.6, 0.05), (0.95, 0.2), (1, 0.33), (0.8, 0.5), (0.45, 0.58), (0.6, 0.7), (0.68, 0.78),
              (0.5, 0.9), (0.25, 0.97), (0.22, 1)],
    "turned": [(1, 0), (1, 0.04), (0.9, 0.07), (0.5, 0.1), (0.35, 0.13), (0.48, 0.16), (0.3, 0.2), (0.42, 0.35),
               (0.55, 0.5), (0.4, 0.65), (0.25, 0.75), (0.4, 0.8), (0.25, 0.84), (0.32, 0.95), (0.2, 1)],
    "column": [(1, 0), (1, 0.06), (0.85, 0.08), (0.8, 0.12), (0.55, 0.15), (0.6, 0.18), (0.42, 0.21), (0.38, 0.8),
               (0.5, 0.83), (0.42, 0.87), (0.6, 0.92), (0.55, 0.96), (0.2, 1)],
    "urn": [(0.7, 0), (0.7, 0.07), (0.55, 0.1), (0.25, 0.15), (0.2, 0.22), (0.35, 0.27), (0.3, 0.3), (0.6, 0.38),
            (0.95, 0.6), (1, 0.68), (0.75, 0.8), (0.85, 0.82), (0.4, 0.9), (0.2, 0.95), (0.2, 1)],
    "trumpet": [(1, 0), (1, 0.03), (0.85, 0.06), (0.45, 0.13), (0.22, 0.28), (0.2, 0.5), (0.28, 0.75), (0.42, 0.9),
                (0.3, 0.97), (0.2, 1)],
    "pillar": [(1, 0), (1, 0.07), (0.97, 0.08), (0.6, 0.09), (0.55, 0.11), (0.42, 0.9), (0.5, 0.92), (0.5, 0.97),
               (0.3, 1)],
    "stick": [(1, 0), (1, 0.02), (0.9, 0.035), (0.3, 0.055), (0.1, 0.09), (0.085, 0.5), (0.085, 0.96), (0.14, 0.98),
              (0.08, 1)],
}  # fmt: skip


def lamp(
    *,
    style: str,
    height: float,
    body_share: float,
    base_shape: str,
    base_width: float,
    base_power: float,
    shade_bottom: float,
    shade_top: float,
    shade_height: float,
    shade_curve: float,
    shade_sides: int,
    pleats: int,
    fringe: float,
    plinth: float,
    arm_bend: float,
    base_role: str,
    metal_role: str,
    shade_role: str,
) -> Model:
    """A lamp.

    style: "table", "tiffany" (leaded panels), "dome" (closed shade), "candelabra" (candles under the shade), "floor",
    "banker", "desk" (jointed arm). height: 0.3-0.8 m, floor lamps 1.3-1.7. body_share: of the height under the shade
    that is body and not neck, 0.7-1. base_shape: key of BASES. base_width: meters, 0.08-0.3. base_power: 2 round to
    9 square. shade_bottom, shade_top: widths, meters; shade_height: meters. shade_curve: -0.5 bell to 0.8 dome.
    shade_sides: 0 for round, else 4-8 panels. pleats: 0 or 40-90. fringe: its length, 0-0.06 m. plinth: height of a
    foot board, 0-0.03 m. arm_bend: of desk lamps, 20-70 degrees.
    """
    given = dict(locals())
    if style == "banker":
        parts, rim, top = _banker(height, base_width, shade_bottom, shade_height, metal_role, shade_role)
    elif style == "desk":
        parts, rim, top = _desk(height, base_width, shade_bottom, arm_bend, metal_role, base_role)
    else:
        shade_z = height - shade_height
        parts = _stand(style, shade_z, body_share, base_shape, base_width, base_power, plinth, base_role, metal_role)
        shade = _Shade(shade_bottom, shade_top, shade_height, shade_curve, shade_sides, pleats, style)
        parts += [p.moved(_lift(shade_z)) for p in shade.parts(shade_role, metal_role, fringe)]
        parts += _fitting(shade_z, shade_height, shade_top, style, metal_role)
        rim, top = np.array([[s * shade_bottom / 2, 0.0, shade_z] for s in (1, -1)]), np.array([0.0, 0.0, height])
    half = base_width / 2 * BASES[base_shape][0][0]
    keypoints = {
        "base_left": np.array([half, 0.0, plinth]),
        "base_right": np.array([-half, 0.0, plinth]),
        "base_front": np.array([0.0, -half, plinth]),
        "base_back": np.array([0.0, half, plinth]),
        "shade_left": rim[0],
        "shade_right": rim[1],
        "top": top,
    }
    return standing(Model(tuple(parts), keypoints, given))


def _lift(z: float) -> Array:
    matrix = np.eye(4)
    matrix[2, 3] = z
    return matrix


# The stand -----------------------------------------------------------------------------------------------------


def _body(shape: str, width: float, height: float, power: float) -> Geometry:
    """A base with round or square plan that follows a silhouette."""
    outline = profile(np.array(BASES[shape]) * (1, height / width), 70) * (width, width)
    return loft([np.column_stack([superellipse(r, r, power, 52), np.full(52, z)]) for r, z in outline])


def _stand(
    style: str, shade_z: float, share: float, shape: str, width: float, power: float, plinth: float,
    base_role: str, metal: str,
) -> list[Part]:  # fmt: skip
    """Plinth, body, and the pipe that goes up into the shade."""
    body_height = (shade_z - plinth) * share
    top = plinth + body_height
    pipe = [cylinder(0.006, shade_z + 0.03 - top, 16).moved(z=top - 0.005), _collar(0.017).moved(z=top - 0.006)]
    parts = [
        part("base", _body(shape, width, body_height + 0.002, power).moved(z=plinth - 0.002 * (plinth > 0)), base_role),
        part("neck", pipe, metal),
    ]
    if plinth > 0:
        foot = 2 * np.max([r for r, z in BASES[shape] if z < 0.1]) * width / 2 + 0.03
        rings = [(foot - 0.006, 0), (foot, 0.2), (foot, 0.7), (foot - 0.008, 1)]
        board = loft([np.column_stack([superellipse(r, r, power, 56), np.full(56, z * plinth)]) for r, z in rings])
        parts.append(part("plinth", board, "dark_wood"))
    if style == "candelabra":
        parts += _candles(top, shade_z, metal)
    return parts


def _collar(radius: float) -> Geometry:
    outline = [
        (0, 0),
        (radius, 0),
        (1.1 * radius, 0.15 * radius),
        (0.9 * radius, 0.5 * radius),
        (0.45 * radius, 1.1 * radius),
        (0, 1.2 * radius),
    ]
    return lathe(outline, 32)


def _candles(top: float, shade_z: float, metal: str) -> list[Part]:
    """Three arms with candle sleeves that end under the shade."""
    low, reach = top - 0.02, 0.065
    arm = tube(spline([[0, 0, low], [0.5 * reach, 0, low - 0.02], [reach, 0, low + 0.012]], 14), 0.0045, 10)
    cup = lathe([(0, 0), (0.006, 0), (0.016, 0.012), (0.02, 0.02), (0.012, 0.022), (0, 0.022)], 24)
    candle = cylinder(0.0095, max(shade_z - low - 0.02, 0.06), 20, bevel=0.002).moved(reach, 0, low + 0.025)
    return [
        part("arms", around(merge([arm, cup.moved(reach, 0, low + 0.006)]), 3), metal),
        part("candles", around(candle, 3), "paper:candle"),
    ]


def _fitting(shade_z: float, shade_height: float, shade_top: float, style: str, metal: str) -> list[Part]:
    """Socket, bulb, harp, spider and finial."""
    top = shade_z + shade_height - 0.02
    spoke = bar((0, 0, top), (0.5 * shade_top, 0, top), 0.0018, 8)
    side = [[0, 0, shade_z], [0.045, 0, shade_z + 0.3 * (top - shade_z)], [0.035, 0, top - 0.02], [0, 0, top]]
    metalwork = [
        cylinder(0.016, 0.05, 24, bevel=0.004).moved(z=shade_z - 0.01),
        both_sides(tube(spline(side, 20), 0.002, 8)),
        around(spoke, 3),
        bar((0, 0, top - 0.005), (0, 0, top + 0.025), 0.004),
        lathe([(0, 0), (0.004, 0), (0.009, 0.007), (0.007, 0.014), (0.003, 0.02), (0.004, 0.024), (0, 0.03)], 24).moved(
            z=top + 0.02
        ),
    ]
    bulb = lathe(
        profile(
            [(0.0, 0), (0.013, 0.002), (0.015, 0.02), (0.028, 0.05), (0.026, 0.07), (0.012, 0.083), (0.0, 0.085)], 24
        ),
        28,
    )
    size = min(1.0, (shade_height - 0.05) / 0.11)
    return [part("fitting", metalwork, metal), part("bulb", bulb.scaled(size).moved(z=shade_z + 0.038), "bulb")]


# Shades --------------------------------------------------------------------------------------------------------


class _Shade:
    """A shade standing on z = 0: a thin shell whose plan is round, paneled or pleated."""

    def __init__(self, bottom: float, top: float, height: float, curve: float, sides: int, pleats: int, style: str):
        self.sizes, self.height, self.curve, self.sides, self.pleats, self.style = (
            (bottom / 2, top / 2), height, curve, sides, pleats, style,
        )  # fmt: skip
        self.columns = 4 * pleats if pleats else 96

    def ring(self, t: float, inset: float = 0.0) -> Array:
        """(columns, 3) the outline at fraction t of the height."""
        low, high = self.sizes
        a = np.arange(self.columns) / self.columns * 2 * np.pi
        plan = np.ones_like(a)
        if self.sides:
            step = 2 * np.pi / self.sides
            plan = np.cos(step / 2) / np.cos((a + np.pi / 2) % step - step / 2)
            plan = plan / plan.mean()
        if self.pleats:
            plan = plan + 0.012 * np.cos(self.pleats * a)
        swell = self.curve * (np.sin(np.pi * t) * 0.5 if self.curve < 0 else np.sqrt(1 - t**2) - (1 - t))
        radius = low + (high - low) * t + swell * (low - high) - inset
        return np.column_stack([plan * radius * np.cos(a), plan * radius * np.sin(a), np.full(len(a), t * self.height)])

    def shell(self) -> Geometry:
        t = np.linspace(0, 1, 8 if self.pleats else 19)
        outer = [self.ring(x) for x in t]
        inner = [self.ring(x, 0.003) for x in t[::-1]]
        return sheet(np.stack([*outer, *inner]), close_rows=True, close_columns=True)

    def parts(self, role: str, metal: str, fringe: float) -> list[Part]:
        if self.style == "tiffany":
            return self._leaded(metal)
        edges = [tube(self.ring(0), 0.003, 8, closed=True)]
        if self.style != "dome":
            edges.append(tube(self.ring(1), 0.003, 8, closed=True))
        parts = [
            part("shade", self.shell(), role),
            part("trim", edges, "fabric:trim" if self.style != "dome" else metal),
        ]
        if self.style == "dome":
            cap = ellipsoid(2.3 * self.sizes[1], 2.3 * self.sizes[1], 0.02).moved(z=self.height)
            parts.append(part("cap", cap, metal))
        if fringe > 0:
            parts.append(part("fringe", self._fringe(fringe), "fabric:trim"))
        return parts

    def _fringe(self, length: float) -> Geometry:
        rim = self.ring(0, -0.002)
        tassels = [bar(p, p - (0, 0, length), 0.0028, 5, 0.0036) for p in rim[:: max(1, self.columns // 96)]]
        return merge(tassels)

    def _leaded(self, metal: str) -> list[Part]:
        """Panels of several glasses between came lines."""
        shell = self.shell()
        count = self.sides or 12
        rows, columns = 38, self.columns
        row, column = np.divmod(np.arange(len(shell.faces)) % (rows * columns), columns)
        band = np.searchsorted([3, 12], np.minimum(row, 36 - row))
        panel = (column * count // columns) % 2
        glass = np.where(band == 0, 2, (panel + band) % 2 if not self.sides else 0)
        parts = []
        for k in np.unique(glass):
            piece = Geometry(shell.vertices, shell.faces[glass == k], shell.uvs[glass == k])
            parts.append(part(f"glass_{k}", piece, f"lampshade:glass{k}"))
        levels = [self.ring(t) for t in np.linspace(0, 1, 19)]
        cames = [tube(levels[k], 0.0025, 6, closed=True) for k in (0, 3, 12, 18)]
        meridians = np.stack(levels, axis=1)[:: columns // count]
        cap = lathe([(0, -0.004), (1.05 * self.sizes[1], -0.004), (0.9 * self.sizes[1], 0.012), (0, 0.02)], 32)
        cames += [tube(m, 0.002, 6) for m in meridians] + [cap.moved(z=self.height)]
        return [*parts, part("cames", cames, metal)]


# Banker's and desk lamps ---------------------------------------------------------------------------------------


def _banker(
    height: float, width: float, length: float, drop: float, metal: str, shade_role: str
) -> tuple[list[Part], Array, Array]:
    """A glass trough held by a yoke over a stepped foot."""
    radius = 0.55 * drop
    axle = height - radius
    foot = profile([(1, 0), (1, 0.1), (0.94, 0.16), (0.7, 0.2), (0.64, 0.3), (0.3, 0.4), (0.16, 0.6), (0.12, 1)], 60)
    outline = np.concatenate([[(0, 0)], foot * (width / 2, 0.1), [(0, 0.1)]])
    stem = [
        (0.012, 0.09),
        (0.009, 0.12),
        (0.008, axle - 0.06),
        (0.014, axle - 0.05),
        (0.007, axle - 0.04),
        (0, axle - 0.04),
    ]
    neck = [lathe(outline, 48), lathe(stem, 24)]
    reach = length / 2 + 0.012
    low = axle - 0.045
    yoke = [[0, 0, low], [0.6 * reach, 0, low - 0.005], [reach, 0, low + 0.015], [reach, 0, axle]]
    knob = ellipsoid(0.022, 0.022, 0.022, 20, 12).moved(reach, 0, axle)
    neck.append(
        both_sides(
            merge([tube(spline(yoke, 30), 0.005, 10), knob, bar((0.4 * reach, 0, axle), (reach, 0, axle), 0.004)])
        )
    )
    x = length / 2 * np.sin(np.linspace(-1, 1, 41) * np.pi / 2)
    swell = (1 - np.minimum(np.abs(2 * x / length), 1) ** 5) ** (1 / 3)
    a = np.radians(np.linspace(-12, 172, 30))
    grids = [
        np.stack(
            [
                np.broadcast_to(k * x, (30, 41)),
                -k * radius * np.outer(np.cos(a), swell),
                k * radius * np.outer(np.sin(a), swell),
            ],
            axis=-1,
        )
        for k in (1.0, 0.965)
    ]
    shade = sheet(np.concatenate([grids[0], grids[1][::-1]]), close_rows=True).moved(z=axle)
    beads = [ellipsoid(0.004, 0.004, 0.005, 8, 6).moved(0.05, -0.01, axle - 0.01 - 0.0048 * k) for k in range(22)]
    tube_bulb = cylinder(0.012, 0.7 * length, 20, bevel=0.008).moved(z=-0.35 * length).rotated("y", 90).moved(z=axle)
    parts = [
        part("base", neck, metal),
        part("shade", shade, shade_role),
        part("chain", beads, metal),
        part("bulb", tube_bulb, "bulb"),
    ]
    return parts, np.array([[s * length / 2, 0.0, axle] for s in (1, -1)]), np.array([0.0, 0.0, height])


def _desk(
    height: float, width: float, head: float, bend: float, metal: str, painted: str
) -> tuple[list[Part], Array, Array]:
    """A weighted foot, two jointed arms and a conical reflector looking down to the front."""
    foot = lathe(
        profile([(0.0, 0), (width / 2, 0), (width / 2, 0.012), (0.4 * width, 0.026), (0.03, 0.034), (0.0, 0.036)], 40),
        56,
    )
    s, c = np.sin(np.radians(bend)), np.cos(np.radians(bend))
    arm = 0.55 * height
    knee = np.array([0.0, 0.7 * arm * s + 0.25 * width, 0.05 + arm * c])
    ankle = np.array([0.0, 0.25 * width, 0.03])
    wrist = knee + np.array([0.0, -0.85 * arm * c - 0.3 * arm * s, height - knee[2] - 0.03])
    rods = [
        bar(a + (dx, 0, 0), b + (dx, 0, 0), 0.0045) for a, b in ((ankle, knee), (knee, wrist)) for dx in (-0.012, 0.012)
    ]
    joint = cylinder(0.017, 0.04, 28, bevel=0.004).moved(z=-0.02).rotated("y", 90)
    rods += [joint.moved(*p) for p in (knee, wrist, ankle + (0, 0, 0.008))]
    r = head / 2
    outer = [(0.018, 0.12), (0.024, 0.115), (0.03, 0.07), (0.45 * r, 0.055), (0.75 * r, 0.02), (r, -0.05)]
    inner = [(r - 0.003, -0.05), (0.72 * r, 0.015), (0.4 * r, 0.05), (0, 0.055)]
    shape = np.concatenate([inner[::-1], outer[::-1], [(0, 0.12)]])
    tilt = 25.0

    def place(piece: Geometry) -> Geometry:
        return piece.moved(z=-0.09).rotated("x", -tilt).moved(*wrist)

    parts = [
        part("base", foot, painted),
        part("arms", rods, metal),
        part("shade", place(lathe(shape, 56)), painted),
        part("bulb", place(ellipsoid(0.05, 0.05, 0.06, 20, 14).moved(z=0.02)), "bulb"),
    ]
    low = np.array([0.0, -0.14 * np.sin(np.radians(tilt)), -0.14 * np.cos(np.radians(tilt))])
    return parts, np.array([wrist + low + (s * r, 0, 0) for s in (1, -1)]), wrist + (0.0, 0.0, 0.017)


# Random --------------------------------------------------------------------------------------------------------


def lamp_rand(rng: np.random.Generator) -> Model:
    """A lamp as photographs show them: nearly always a shade over a base on a table."""
    style = str(rng.choice(STYLES, p=[0.62, 0.12, 0.08, 0.05, 0.04, 0.05, 0.04]))
    height = {"floor": rng.uniform(1.35, 1.65), "banker": rng.uniform(0.34, 0.42), "desk": rng.uniform(0.4, 0.5)}.get(
        style, rng.uniform(0.42, 0.72)
    )
    bulky = ["vase", "ginger", "gourd", "urn"]
    shape = str(
        rng.choice([*bulky, "turned", "column", "trumpet", "pillar"], p=[0.17, 0.15, 0.07, 0.1, 0.18, 0.13, 0.1, 0.1])
    )
    shape = {"floor": "stick", "candelabra": "column", "banker": "stick", "desk": "stick"}.get(style, shape)
    scale = 0.45 if style == "floor" else 1.0
    bottom = (
        scale
        * height
        * {"tiffany": rng.uniform(0.62, 0.85), "dome": rng.uniform(0.5, 0.65)}.get(style, rng.uniform(0.52, 0.78))
    )
    drum = style in ("table", "floor") and rng.random() < 0.18
    base = height * (rng.uniform(0.27, 0.4) if shape in bulky else rng.uniform(0.22, 0.32))
    if style in ("banker", "desk", "floor"):
        base = {"banker": 0.17, "desk": 0.18, "floor": 0.28}[style] * rng.uniform(0.9, 1.1)
    square = style == "table" and rng.random() < 0.15
    curve = {"tiffany": rng.uniform(-0.1, 0.8), "dome": rng.uniform(0.75, 1.0)}.get(
        style, float(rng.choice([0, 0, -0.25, -0.45]))
    )
    share = {"vase": 0.93, "stick": 0.99, "candelabra": 0.72}
    bottom = {"banker": rng.uniform(0.24, 0.3), "desk": rng.uniform(0.15, 0.19)}.get(style, bottom)
    top = bottom * {"tiffany": 0.2, "dome": 0.1, "candelabra": 0.6}.get(style, 0.85 if drum else rng.uniform(0.3, 0.6))
    shade_height = height * {
        "tiffany": rng.uniform(0.26, 0.38),
        "dome": rng.uniform(0.28, 0.4),
        "floor": 0.17,
        "candelabra": 0.3,
        "banker": 0.3,
        "desk": 0.3,
    }.get(style, rng.uniform(0.36, 0.5))
    ceramics = ["ceramic:base", "patterned_ceramic", "brass", "glass:base", "wood", "terracotta"]
    turned = ["dark_wood", "brass", "metal", "wood", "painted:base", "chrome"]
    shades = ["lampshade", "fabric:shade", "paper:shade"]
    return lamp(
        style=style,
        height=height,
        body_share=share.get(style, share.get(shape, rng.uniform(0.85, 0.97))),
        base_shape=shape,
        base_width=base,
        base_power=9.0 if shape == "pillar" or (square and shape not in bulky) else 2.0,
        shade_bottom=bottom,
        shade_top=top,
        shade_height=shade_height,
        shade_curve=curve,
        shade_sides=4 if square else int(rng.choice([0, 6, 8])) if style == "tiffany" else 0,
        pleats=int(rng.integers(40, 80)) if style == "table" and not square and rng.random() < 0.2 else 0,
        fringe=float(rng.uniform(0.02, 0.05)) if style == "table" and rng.random() < 0.1 else 0.0,
        plinth=float(rng.uniform(0.012, 0.03)) if shape in bulky and rng.random() < 0.5 else 0.0,
        arm_bend=rng.uniform(15, 40),
        base_role=str(rng.choice(ceramics if shape in bulky else turned))
        if style != "desk"
        else str(rng.choice(["painted", "metal", "dark_plastic"])),
        metal_role=str(rng.choice(["brass", "metal", "chrome"], p=[0.6, 0.2, 0.2])),
        shade_role=str(rng.choice(["ceramic:shade", "brass"], p=[0.9, 0.1]))
        if style == "banker"
        else str(rng.choice(shades, p=[0.75, 0.2, 0.05])),
    )
