"""Walls and floors seen from near, where every grain is a pixel or more: renders, concretes, roads, brickwork, paint.

`scale` is the number of grains per meter. Larger features, such as stains and clouds, have their own sizes in meters.
"""

from __future__ import annotations

from render.blender.materials.nodes import Input, Nodes, Wire

# Colors of the stones in asphalt and in concrete: lower end of the random number, and linear RGB.
_CHIPPINGS = (
    (0.0, (0.03, 0.03, 0.031)), (0.14, (0.1, 0.097, 0.093)), (0.4, (0.17, 0.167, 0.163)), (0.58, (0.13, 0.107, 0.09)),
    (0.68, (0.26, 0.255, 0.25)), (0.82, (0.2, 0.125, 0.1)), (0.87, (0.4, 0.39, 0.375)), (0.96, (0.66, 0.64, 0.61)),
)  # fmt: skip
_PEBBLES = (
    (0.0, (0.04, 0.04, 0.042)), (0.12, (0.13, 0.12, 0.11)), (0.32, (0.26, 0.24, 0.22)), (0.48, (0.29, 0.205, 0.15)),
    (0.58, (0.4, 0.38, 0.35)), (0.74, (0.2, 0.195, 0.2)), (0.84, (0.53, 0.5, 0.46)), (0.95, (0.72, 0.7, 0.67)),
)  # fmt: skip


def _clouds(tree: Nodes, per_meter: float, detail: float = 3.0) -> Wire:
    """Broad noise, 0 to 1, with `per_meter` features per meter."""
    seed = tree["seed"]
    away = tree.xyz(seed * 1.3, seed * 0.7, seed)
    return tree.grain(tree.object() * per_meter + away, detail=detail, roughness=0.62)


def weather(tree: Nodes, color: Wire, fine: Wire) -> Wire:
    """Cover a color with dirt in patches and streaks, as water leaves it. fine: noise that makes the edges ragged."""
    patch = tree.grain(tree.object() * 4.5 + tree["seed"] * 1.3, detail=9.0, roughness=0.72)
    streak = tree.grain(tree.object() * (70.0, 5.0, 70.0) + tree["seed"], detail=2.0, roughness=0.6)
    ragged = patch + (fine - 0.5) * 0.45
    stains = tree["stains"]
    dark = tree.ramp(ragged, 0.52, 0.76) * 0.5 + tree.ramp(streak, 0.52, 0.8) * tree.ramp(ragged, 0.4, 0.6) * 0.25
    dirty = tree.add("Mix", {0: dark * stains, 6: color, 7: (0.07, 0.066, 0.058)}, out=2, data_type="RGBA")
    return tree.tinted(dirty, 0.96 + patch * 0.08 + tree.ramp(ragged, 0.45, 0.25) * stains * 0.15)


def stucco(tree: Nodes, kind: str) -> Wire:
    """Rendered walls: sanded, thrown on in lumps, sprayed in drops, troweled in arcs, rubbed until grains drew pits,
    or painted smooth."""
    at = tree.place()
    fine = tree.grain(at, scale=2.3, detail=2.0, roughness=0.7)
    height = {
        "sanded": _sanded, "lumpy": _lumpy, "sprayed": _sprayed, "trowelled": _troweled, "pitted": _pitted,
        "smooth": _smooth_paint,
    }[kind](tree, at)  # fmt: skip
    relief = tree["relief"]
    # Hollows receive less light from the sky. Under diffuse light, only this makes relief visible.
    hollow = tree.ramp(height, 0.6, 0.0) * tree.math("MINIMUM", relief * 0.6, 0.35)
    color = tree.tinted(weather(tree, tree.own_color(), fine), (0.93 + fine * 0.14) * (1.0 - hollow))
    return tree.principled(color, 0.92, tree.bump(height + fine * 0.22, relief * 1.6), specular_ior_level=0.25)


def _sanded(tree: Nodes, at: Wire) -> Wire:
    return tree.ramp(tree.grain(at, scale=0.8, detail=3.0, roughness=0.75), 0.22, 0.78)


def _lumpy(tree: Nodes, at: Wire) -> Wire:
    """Overlapping lumps without creases, because creases would look like cracks."""
    large = tree.ramp(tree.grain(at, scale=0.45, detail=1.0, roughness=0.6), 0.32, 0.66)
    return large * 0.7 + tree.ramp(tree.grain(at, scale=1.25, detail=2.0, roughness=0.6), 0.3, 0.7) * 0.45 - 0.05


def _sprayed(tree: Nodes, at: Wire) -> Wire:
    """Drops of any size on a gently uneven ground."""
    bent = at + (tree.grain(at, scale=0.8, detail=1.0) - 0.5) * 0.7
    drop = tree.add("TexVoronoi", {"Vector": bent, "Scale": 0.45}, voronoi_dimensions="2D")
    size, rare, _ = tree.split(tree.other(drop, "Color"))
    body = tree.ramp(drop, 0.15 + size * 0.45, 0.0) * tree.greater(rare, 0.3)
    return body * (0.2 + size * 0.35) + tree.grain(at, scale=0.25, detail=4.0, roughness=0.65) * 0.6 + 0.2


def _troweled(tree: Nodes, at: Wire) -> Wire:
    """Ridges in strokes that bend."""
    bent = at + (tree.grain(at, scale=0.035, detail=1.0) - 0.5) * 14.0
    ridge = tree.grain(bent * (0.2, 0.5, 1.0), detail=3.0, roughness=0.6)
    return tree.ramp(ridge, 0.3, 0.7) * 0.6 + tree.grain(at, detail=2.0, roughness=0.7) * 0.4


def _pitted(tree: Nodes, at: Wire) -> Wire:
    bent = at * (0.3, 0.3, 0.3) + tree.grain(at, detail=1.0) * 0.5
    pit = tree.add("TexVoronoi", {"Vector": bent, "Scale": 0.8}, voronoi_dimensions="2D")
    size = tree.split(tree.other(pit, "Color"))[0]
    hole = tree.ramp(pit, size * 0.45, size * 0.22 - 0.02)
    return tree.grain(at, scale=0.8, detail=3.0, roughness=0.7) * 0.45 + 0.4 - hole * 0.8


def _smooth_paint(tree: Nodes, at: Wire) -> Wire:
    """What is left of a float's strokes under paint, and the roller's orange peel."""
    return tree.grain(at * (0.06, 0.14, 1.0), detail=3.0, roughness=0.55) * 0.9 + tree.grain(at, detail=1.0) * 0.16


def _stones(tree: Nodes, at: Wire, ragged: float) -> tuple[Wire, Wire, Wire]:
    """Broken stones: how high each place stands out (0 in the binder), and two random numbers for each stone."""
    # Broken stone has corners: where large ones meet, their cells cut each other off.
    cell = tree.cells(at + (tree.grain(at, scale=2.0, detail=1.0) - 0.5) * ragged)
    tone, other, _ = tree.split(tree.other(cell, "Color"))
    size = 0.36 + other * 0.4
    return tree.ramp(cell, size, size - 0.2), tone, other


def road(tree: Nodes) -> Wire:
    """Asphalt: stones of two sizes in bitumen that wore off their tops. `scale` counts the larger ones."""
    at = tree.place()
    coarse, tone, other = _stones(tree, at, 0.5)
    small, small_tone, _ = _stones(tree, at * (2.7, 2.7, 2.7), 0.6)
    grit = tree.grain(at, scale=5.0, detail=1.0, roughness=0.75)
    worn = tree.ramp(_clouds(tree, 6.0, detail=5.0), 0.25, 0.75) * 0.2 + tree["wear"] * 0.9
    bare = tree.ramp(worn - other, -0.15, 0.15)
    contrast, value = tree["contrast"], tree["value"]
    binder = tree.tinted(tree.color(0.08, 0.05, value * 0.7), 0.6 + grit * 0.8)
    even = tree.color(tree["hue"], tree["saturation"], value)
    # Scales the stones so that their mean brightness is that of the road.
    bright = value * value * 4.5
    lit = tree.mix(contrast, even, tree.tinted(tree.stepped(tone, _CHIPPINGS), bright))
    fines = tree.mix(contrast, even, tree.tinted(tree.stepped(small_tone, _CHIPPINGS), bright))
    color = tree.mix(small * tree.ramp(worn - small_tone * 0.5, -0.1, 0.2), binder, fines)
    color = tree.mix(coarse * bare, color, lit)
    height = coarse * (0.5 + other * 0.5) + small * 0.35 * (1.0 - coarse) + grit * 0.2
    color = tree.tinted(weather(tree, color, grit), 0.55 + height * 0.6)
    return tree.principled(color, 0.85 - tone * 0.15, tree.bump(height, 0.6), specular_ior_level=0.35)


def aggregate(tree: Nodes) -> Wire:
    """Washed or weathered concrete: pebbles of many colors in cement. `scale` counts pebbles."""
    at = tree.place()
    pebble, tone, other = _stones(tree, at, 0.25)
    grit, grain_tone, _ = _stones(tree, at * (3.1, 3.1, 3.1), 0.5)
    fine = tree.grain(at, scale=5.0, detail=2.0, roughness=0.75)
    shown = pebble * tree.greater(tree["cover"] + _clouds(tree, 5.0, detail=5.0) * 0.4 - 0.2, other)
    contrast, own = tree["contrast"], tree.own_color()
    sand = tree.mix(contrast * 0.55, own, tree.stepped(grain_tone, _PEBBLES))
    cement = tree.tinted(tree.mix(grit, tree.tinted(own, 0.8), sand), 0.75 + fine * 0.5)
    stone = tree.mix(contrast * 0.6 + 0.4, own, tree.stepped(tone, _PEBBLES))
    color = tree.mix(shown * 0.92, cement, tree.tinted(stone, 0.85 + fine * 0.3))
    height = shown * (0.3 + other * 0.35) + grit * 0.2 + fine * 0.25
    color = tree.tinted(weather(tree, color, fine), 0.65 + height * 0.55)
    return tree.principled(color, 0.9 - shown * 0.25, tree.bump(height, tree["relief"] * 0.9), specular_ior_level=0.3)


def cast(tree: Nodes, kind: str) -> Wire:
    """Concrete: smooth from the mold, brushed, printed by boards, or weathered to the sand."""
    at = tree.place()
    fine = tree.grain(at, scale=1.0, detail=2.0, roughness=0.75)
    mark = {"smooth": _smooth, "brushed": _brushed, "boards": _boards, "weathered": _weathered}[kind](tree, at, fine)
    hole = _blowholes(tree, at, fine)
    # Grains of sand that show.
    sand = tree.split(tree.cells(at, scale=1.3, out="Color"))[0]
    speck = tree.ramp(sand, 0.9, 0.97) * 0.15 - tree.ramp(sand, 0.1, 0.03) * 0.15
    tone = (0.8 + fine * 0.4 + speck * tree["relief"]) * (0.88 + mark * 0.24) * (1.0 - hole * 0.65)
    color = tree.tinted(weather(tree, tree.own_color(), fine), tone)
    height = fine * 0.4 + mark * 0.6 - hole
    return tree.principled(color, 0.88 - mark * 0.1, tree.bump(height, tree["relief"]), specular_ior_level=0.3)


def _blowholes(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    """Holes from air at the mold, in groups: mostly specks, a few ten times as large, none of them round."""
    pore = tree.cells(at * (0.32, 0.32, 0.32))
    size, rare, _ = tree.split(tree.other(pore, "Color"))
    swarm = tree.ramp(_clouds(tree, 7.0, detail=4.0), 0.38, 0.68)
    radius = 0.03 * tree.math("POWER", 12.0, size * size * size * size) * tree.greater(tree["pores"] * swarm, rare)
    hole = tree.ramp(pore * (0.35 + fine * 1.3), radius, radius * 0.5 - 0.002)
    # With 0 pores, Cycles removes all of these nodes.
    return hole * tree.greater(tree["pores"], 0.0)


def _smooth(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    return tree.grain(at, scale=0.3, detail=3.0, roughness=0.7)


def _brushed(tree: Nodes, at: Wire, fine: Wire) -> Wire:
    """Strokes of a broom, nearly parallel."""
    bent = at + tree.grain(at, scale=0.03, detail=1.0) * 12.0
    return tree.grain(bent * (0.03, 0.6, 1.0), detail=3.0, roughness=0.7)


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
    grain, tone, _ = _stones(tree, at * (0.9, 0.9, 0.9), 0.5)
    return grain * (0.3 + tone) * 0.9


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
    color = weather(tree, tree.mix(off, paint, plaster_), fine)
    height = fine * 0.3 * (0.5 + off * 0.5) + (1.0 - off) * 0.9 + edge * 0.4
    return tree.principled(color, tree.mix(off, tree["roughness"], 0.95), tree.bump(height, 0.7))


def brickwork(tree: Nodes) -> Wire:
    """Bricks of `length` meters, sandy mortar, both with their grain and chipped edges."""
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
    return tree.principled(weather(tree, color, fine), 0.92, tree.bump(height, 0.7))
