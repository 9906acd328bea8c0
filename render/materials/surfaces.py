"""Walls and floors seen from near, where every grain is a pixel or more: renders, concretes, roads, brickwork, paint.

`scale` counts grains per metre; what is larger, stains and clouds, is sized for itself in metres.
"""

from __future__ import annotations

from render.materials.nodes import Input, Nodes, Wire


def _clouds(tree: Nodes, per_metre: float, detail: float = 3.0) -> Wire:
    """Slow noise, 0 to 1, with `per_metre` features a metre."""
    seed = tree["seed"]
    away = tree.xyz(seed * 1.3, seed * 0.7, seed)
    return tree.grain(tree.object() * per_metre + away, detail=detail, roughness=0.62)


def _weather(tree: Nodes, color: Wire) -> Wire:
    """A colour in uneven light and dirt: clouds, blotches, streaks that water left."""
    slow = _clouds(tree, 2.6)
    blotch = _clouds(tree, 19.0)
    streak = tree.grain(tree.object() * (45.0, 4.0, 45.0) + tree["seed"], detail=1.0, roughness=0.6)
    stains = tree["stains"]
    dark = (
        tree.ramp(slow, 0.4, 0.75) * 0.5
        + tree.ramp(blotch, 0.52, 0.72) * 0.45
        + tree.ramp(streak, 0.5, 0.8) * tree.ramp(slow, 0.45, 0.6) * 0.35
    ) * stains
    dirty = tree.add("Mix", {0: dark * 0.55, 6: color, 7: (0.09, 0.08, 0.065)}, out=2, data_type="RGBA")
    return tree.tinted(dirty, 0.86 + slow * 0.28)


def _grained(tree: Nodes, color: Wire, height: Wire, fine: Wire) -> Wire:
    """A colour that is darker where dirt and shade gather in the relief, and speckled."""
    return tree.tinted(color, (0.66 + height * 0.5) * (0.86 + fine * 0.28))


def stucco(tree: Nodes, kind: str) -> Wire:
    """Rendered walls: sanded, thrown on in lumps, trowelled in arcs, or rubbed until grains drew pits."""
    at = tree.place()
    fine = tree.grain(at, scale=2.3, detail=3.0, roughness=0.7)
    height = {"sanded": _sanded, "lumpy": _lumpy, "trowelled": _trowelled, "pitted": _pitted}[kind](tree, at)
    relief = tree["relief"]
    color = _grained(tree, _weather(tree, tree.own_color()), tree.mix(relief, 0.6, height), fine)
    return tree.principled(color, 0.92, tree.bump(height + fine * 0.3, relief * 1.1), specular_ior_level=0.25)


def _sanded(tree: Nodes, at: Wire) -> Wire:
    return tree.grain(at, scale=0.9, detail=3.0, roughness=0.75)


def _lumpy(tree: Nodes, at: Wire) -> Wire:
    bent = at + tree.grain(at, scale=0.7, detail=2.0) * 1.6
    lump = tree.add(
        "TexVoronoi", {"Vector": bent, "Scale": 0.45, "Smoothness": 0.8}, feature="SMOOTH_F1", voronoi_dimensions="2D"
    )
    return tree.ramp(lump, 0.75, 0.1) * 0.8 + tree.grain(at, scale=0.5, detail=3.0) * 0.5 - 0.15


def _trowelled(tree: Nodes, at: Wire) -> Wire:
    """Ridges along arcs whose direction drifts over the wall."""
    sweep = tree.grain(tree.object() * 5.0 + tree["seed"], detail=1.0) * 7.0
    turned = tree.add(
        "VectorRotate", {"Vector": at, "Angle": sweep, "Axis": (0.0, 0.0, 1.0)}, rotation_type="AXIS_ANGLE"
    )
    ridge = tree.grain(turned * (0.16, 0.9, 0.5), detail=3.0, roughness=0.6)
    return tree.ramp(ridge, 0.3, 0.7) * 0.7 + tree.grain(at, detail=3.0, roughness=0.7) * 0.35


def _pitted(tree: Nodes, at: Wire) -> Wire:
    pit = tree.add(
        "TexVoronoi", {"Vector": at * (0.35, 0.35, 0.35) + tree.grain(at) * 0.4, "Scale": 0.8}, voronoi_dimensions="2D"
    )
    depth = tree.split(tree.other(pit, "Color"))[0]
    hole = tree.ramp(pit, depth * 0.42, depth * 0.3 - 0.02)
    return tree.grain(at, detail=3.0, roughness=0.7) * 0.5 + 0.3 - hole * 0.6


def _stones(tree: Nodes, at: Wire, ragged: float) -> tuple[Wire, Wire, Wire]:
    """Broken stones: how high each place stands out (0 in the binder), and two random numbers for each stone."""
    bent = at + (tree.grain(at, scale=1.6, detail=2.0) - 0.5) * ragged
    # Broken stone has corners: cells by this metric have, and close ones cut each other off.
    cell = tree.add("TexVoronoi", {"Vector": bent}, voronoi_dimensions="2D", distance="MANHATTAN")
    tone, other, _ = tree.split(tree.other(cell, "Color"))
    size = 0.45 + other * 0.5
    return tree.ramp(cell, size, size - 0.25), tone, other


def road(tree: Nodes) -> Wire:
    """Asphalt: stones of two sizes in bitumen that wore off their tops. `scale` counts the larger ones."""
    at = tree.place()
    coarse, tone, other = _stones(tree, at, 0.5)
    small, small_tone, _ = _stones(tree, at * (2.7, 2.7, 2.7), 0.6)
    grit = tree.grain(at, scale=5.0, detail=2.0, roughness=0.75)
    worn = tree.ramp(_clouds(tree, 6.0), 0.25, 0.75) * 0.25 + tree["wear"] * 0.85
    bare = tree.ramp(worn - other, -0.15, 0.15)
    contrast = tree["contrast"]
    binder = tree.tinted(tree.color(0.08, 0.05, tree["value"] * 0.62), 0.55 + grit * 0.9)
    mineral = tree.color(tree["hue"], tree["saturation"] * other, tree["value"] * 1.25)
    lit = tree.tinted(mineral, 0.5 + (tone * tone - 0.2) * contrast * 1.1 + grit * 0.5)
    fines = tree.tinted(mineral, 0.55 + small_tone * contrast * 0.7)
    color = tree.mix(small * tree.ramp(worn - small_tone * 0.5, -0.1, 0.2), binder, fines)
    color = tree.mix(coarse * bare, color, lit)
    height = coarse * (0.55 + tone * 0.45) + small * 0.3 * (1.0 - coarse) + grit * 0.25
    color = tree.tinted(_weather(tree, color), 0.6 + height * 0.55)
    return tree.principled(color, 0.85 - tone * 0.15, tree.bump(height, 0.55), specular_ior_level=0.35)


def aggregate(tree: Nodes) -> Wire:
    """Washed or weathered concrete: pebbles of many colours in cement. `scale` counts pebbles."""
    at = tree.place()
    pebble, tone, other = _stones(tree, at, 0.25)
    grit, grain_tone, _ = _stones(tree, at * (3.6, 3.6, 3.6), 0.5)
    fine = tree.grain(at, scale=5.0, detail=3.0, roughness=0.75)
    shown = pebble * tree.greater(tree["cover"] + _clouds(tree, 5.0) * 0.4 - 0.2, other)
    cement = tree.tinted(tree.own_color(), 0.72 + fine * 0.55)
    cement = tree.tinted(cement, 1.0 + (grain_tone - 0.5) * grit * tree["contrast"] * 1.3)
    hue = 0.02 + other * 0.1
    stone = tree.color(hue, 0.05 + tone * 0.25, 0.22 + tone * 0.62)
    color = tree.mix(shown * 0.9, cement, tree.tinted(stone, 0.8 + fine * 0.4))
    height = shown * 0.55 + grit * 0.16 + fine * 0.3
    color = tree.tinted(_weather(tree, color), 0.72 + height * 0.4)
    return tree.principled(color, 0.9 - shown * 0.25, tree.bump(height, tree["relief"] * 0.7), specular_ior_level=0.3)


def cast(tree: Nodes, kind: str) -> Wire:
    """Concrete: smooth from the mould, brushed, printed by boards, or weathered to the sand."""
    at = tree.place()
    fine = tree.grain(at, scale=1.0, detail=3.0, roughness=0.75)
    mark = {"smooth": _smooth, "brushed": _brushed, "boards": _boards, "weathered": _weathered}[kind](tree, at, fine)
    pore = tree.add("TexVoronoi", {"Vector": at * (0.09, 0.09, 0.09), "Scale": 1.0}, voronoi_dimensions="2D")
    size, rare, _ = tree.split(tree.other(pore, "Color"))
    radius = size * size * 0.16 * tree.greater(tree["pores"], rare)
    hole = tree.ramp(pore + fine * 0.04 - 0.02, radius, radius * 0.6 - 0.004)
    tone = (0.78 + fine * 0.44) * (0.86 + mark * 0.28) * (1.0 - hole * 0.55)
    color = tree.tinted(_weather(tree, tree.own_color()), tone)
    height = fine * 0.35 + mark * 0.6 - hole * 1.6
    return tree.principled(color, 0.88 - mark * 0.1, tree.bump(height, tree["relief"] * 0.8), specular_ior_level=0.3)


def _smooth(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    return tree.grain(at, scale=0.12, detail=3.0, roughness=0.6)


def _brushed(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    """Strokes of a broom, nearly parallel."""
    bent = at + tree.grain(at, scale=0.03, detail=1.0) * 12.0
    return tree.grain(bent * (0.02, 0.75, 1.0), detail=3.0, roughness=0.7)


def _boards(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    """Boards' grain, with a ridge where two met."""
    _, y, _ = tree.split(tree.object())
    row = y * 9.0 + tree["seed"]
    plank = tree.floor(row)
    moved = at * (0.015, 0.35, 1.0) + tree.xyz(plank * 17.0, plank * 5.3, 0.0)
    grain = tree.grain(moved, detail=3.0, roughness=0.65, distortion=0.4)
    seam = tree.ramp(tree.math("ABSOLUTE", tree.fract(row) - 0.5), 0.488, 0.5)
    return grain + seam * 0.8 + tree.fract(plank * 0.377) * 0.25


def _weathered(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    grain, tone, _ = _stones(tree, at * (0.8, 0.8, 0.8), 0.5)
    return grain * (0.3 + tone) * 0.8 + 0.1


def flaking(tree: Nodes) -> Wire:
    """Paint on plaster that came off in places; what is left has curled edges."""
    at = tree.place()
    fine = tree.grain(at, scale=1.2, detail=3.0, roughness=0.75)
    patch = _clouds(tree, 9.0, detail=7.0)
    limit = 0.72 - tree["wear"] * 0.22
    off = tree.ramp(patch, limit, limit + 0.006)
    edge = tree.ramp(patch, limit - 0.012, limit) * (1.0 - off)
    paint = tree.tinted(tree.own_color(), 0.92 + fine * 0.16 + edge * 0.06)
    plaster_ = tree.tinted(tree.own_color(saturation=0.25, value=0.8, suffix="2"), 0.7 + fine * 0.6)
    color = _weather(tree, tree.mix(off, paint, plaster_))
    height = fine * 0.3 * (0.5 + off * 0.5) + (1.0 - off) * 0.9 + edge * 0.4
    return tree.principled(color, tree.mix(off, tree["roughness"], 0.95), tree.bump(height, 0.7))


def brickwork(tree: Nodes) -> Wire:
    """Bricks of `length` metres, sandy mortar, both with their grain and chipped edges."""
    at = tree.place()
    fine = tree.grain(at, scale=0.8, detail=3.0, roughness=0.75)
    coarse = tree.grain(at, scale=0.12, detail=3.0, roughness=0.6)
    wall = tree.object() / tree["length"] + tree.xyz(tree["seed"], tree["seed"] * 0.7, 0.0)
    wall = wall + tree.xyz((coarse - 0.5) * 0.03, (coarse - 0.5) * 0.03, 0.0)
    inputs: dict[str, Input] = {
        "Vector": wall, "Color1": (0.0, 0.0, 0.0, 1.0), "Color2": (1.0, 1.0, 1.0, 1.0), "Mortar": (0.5, 0.5, 0.5, 1.0),
        "Scale": 1.0, "Mortar Size": 0.022, "Mortar Smooth": 0.3, "Brick Width": 1.0, "Row Height": 0.31,
    }  # fmt: skip
    brick = tree.add("TexBrick", inputs, offset=0.5, offset_frequency=2)
    tone, joint = tree.split(brick)[0], tree.other(brick, "Fac")
    burnt = tree.own_color(hue=-0.012, saturation=0.9, value=0.6)
    fired = tree.mix(tone * tree["contrast"], tree.own_color(value=1.1), burnt)
    mortar = tree.tinted(tree.color(0.1, 0.1, tree["mortar"]), 0.7 + fine * 0.6)
    color = tree.mix(joint, tree.tinted(fired, (0.62 + fine * 0.5) * (0.8 + coarse * 0.4)), mortar)
    height = fine * 0.5 + coarse * 0.8 - joint * 3.5
    return tree.principled(_weather(tree, color), 0.92, tree.bump(height, 0.7))
