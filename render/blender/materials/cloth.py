"""Woven, tufted, printed and tanned: textiles, wicker, leather, paper and patterns."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire


def _parity(tree: Nodes, u: Wire, v: Wire) -> Wire:
    """0 and 1 on the fields of a chessboard of unit squares."""
    return tree.greater(tree.fract((tree.floor(u) + tree.floor(v)) * 0.5), 0.25)


def _bulge(tree: Nodes, u: Wire) -> Wire:
    """The round profile of threads side by side, 0 between them."""
    return tree.math("ABSOLUTE", tree.math("SINE", u * 3.14159265))


def fabric(tree: Nodes) -> Wire:
    """A plain weave of two yarns with fuzz."""
    at = tree.unfolded()
    u, v, _ = tree.split(at)
    over = _parity(tree, u, v)
    height = tree.mix(over, _bulge(tree, u), _bulge(tree, v))
    worn = tree.ramp(tree.noise(tree.object(), scale=5.0, detail=3.0), 0.3, 0.7)
    yarn = tree.noise(at * (0.35, 0.35, 1.0), detail=2.0, roughness=0.7)
    contrast = tree["contrast"]
    other = tree.own_color(saturation=0.85, value=1.0 - contrast * 0.45)
    color = tree.mix(over * contrast, tree.own_color(), other)
    shade = (0.55 + height * 0.45) * (0.8 + yarn * 0.4) * (0.9 + worn * 0.15)
    return tree.principled(
        tree.tinted(color, shade), 0.8 + worn * 0.15, tree.bump(height, 0.25),
        sheen_weight=tree["sheen"] * 0.5, sheen_roughness=0.4, sheen_tint=tree.own_color(saturation=0.5),
        specular_ior_level=0.25,
    )  # fmt: skip


def carpet(tree: Nodes) -> Wire:
    """Tufts, trodden this way and that."""
    tuft = tree.cells(tree.unfolded(), randomness=0.8)
    tone = tree.split(tree.other(tuft, "Color"))[0]
    trodden = tree.ramp(tree.noise(tree.object(), scale=2.2, detail=3.0, roughness=0.6), 0.35, 0.65)
    color = tree.mix(tone * tree["contrast"], tree.own_color(), tree.own_color(saturation=0.9, value=0.55))
    shade = tree.ramp(tuft, 0.0, 0.8, 1.05, 0.45) * (0.82 + trodden * 0.28)
    return tree.principled(
        tree.tinted(color, shade), 0.95, tree.bump(1.0 - tuft, 0.7), sheen_weight=0.3, sheen_roughness=0.5,
        specular_ior_level=0.1,
    )  # fmt: skip


def wicker(tree: Nodes) -> Wire:
    """Strands that go over and under upright stakes."""
    u, v, _ = tree.split(tree.unfolded())
    row = tree.floor(v)
    wave = tree.math("SINE", (u * 0.5 + row) * 3.14159265)
    strand = _bulge(tree, v)
    over = tree.ramp(wave, -0.95, -0.1)
    stake = tree.ramp(tree.math("ABSOLUTE", tree.math("COSINE", u * 1.5707963)), 0.55, 0.95)
    height = tree.math("MAXIMUM", strand * over, stake * 0.6)
    fiber = tree.noise(tree.xyz(u * 0.6, v * 7.0, row), detail=1.0)
    color = tree.mix(
        tree.ramp(fiber, 0.3, 0.7), tree.own_color(), tree.own_color(hue=-0.012, saturation=1.2, value=0.62)
    )
    shade = tree.ramp(height, 0.0, 0.6, 0.1, 1.0)
    return tree.principled(tree.tinted(color, shade), 0.45 + fiber * 0.25, tree.bump(height, 0.4))


def leather(tree: Nodes) -> Wire:
    """Pebbled hide, darker in its creases, lighter where it is worn."""
    at = tree.unfolded()
    top = tree.ramp(tree.cells(at + tree.noise(at, scale=0.6, detail=0.0) * 1.5), 0.72, 0.3)
    worn = tree.ramp(tree.noise(tree.object(), scale=4.0, detail=4.0, roughness=0.6), 0.42, 0.68) * tree["wear"]
    hide = tree.mix(worn * 0.7, tree.own_color(), tree.own_color(hue=0.01, saturation=0.85, value=1.45))
    color = tree.mix(top, tree.own_color(saturation=1.05, value=0.88), hide)
    rough = tree["roughness"] + (1.0 - top) * 0.2 + worn * 0.12
    return tree.principled(color, rough, tree.bump(top, 0.08))


def paper(tree: Nodes) -> Wire:
    """Paper or card, faintly fibrous and uneven."""
    at = tree.place()
    fiber = tree.noise(at, scale=4.0, detail=3.0, roughness=0.7)
    aged = tree.ramp(tree.noise(tree.object(), scale=3.0, detail=2.0), 0.35, 0.7)
    color = tree.mix(aged, tree.own_color(), tree.own_color(saturation=1.2, value=0.95))
    return tree.principled(color, 0.75 + fiber * 0.2, tree.bump(fiber, 0.03), specular_ior_level=0.3)


def patterned(tree: Nodes, kind: str) -> Wire:
    """A print in two colors, some with a third between them."""
    shown = {"stripes": _stripes, "checks": _checks, "dots": _dots, "print": _print}[kind](tree)
    at = tree.noise(tree.object(), scale=5.0, detail=3.0)
    rough = tree["roughness"] * (0.75 + at * 0.5)
    return tree.principled(shown, rough, tree.bump(at, 0.01))


def _stripes(tree: Nodes) -> Wire:
    """Rings, uprights or slants, each pair with a fine line."""
    x, _, z = tree.split(tree.place())
    way = tree.fract(tree["seed"] * 7.31)
    t = tree.fract(tree.mix(tree.greater(way, 0.45), z, tree.mix(tree.greater(way, 0.8), x, (x + z) * 0.7)))
    line = tree.greater(0.035, tree.math("ABSOLUTE", t - 0.72))
    pair = tree.mix(tree.greater(t, 0.45), tree.own_color(), tree.own_color(suffix="2"))
    return tree.mix(line, pair, tree.own_color(value=0.7))


def _checks(tree: Nodes) -> Wire:
    """Gingham: two sets of stripes that cross."""
    u, v, _ = tree.split(tree.unfolded())
    both = tree.greater(tree.fract(u), 0.5) * 0.5 + tree.greater(tree.fract(v), 0.5) * 0.5
    return tree.mix(both, tree.own_color(suffix="2"), tree.own_color())


def _dots(tree: Nodes) -> Wire:
    """Polka dots in staggered rows."""
    u, v, _ = tree.split(tree.unfolded())
    stagger = tree.fract(tree.floor(v) * 0.5)
    away = tree.length(tree.xyz(tree.fract(u + stagger) - 0.5, tree.fract(v) - 0.5, 0.0))
    return tree.mix(tree.greater(0.29, away), tree.own_color(suffix="2"), tree.own_color())


def _print(tree: Nodes) -> Wire:
    """Blossoms with hearts, strewn over the ground color."""
    u, v, _ = tree.split(tree.unfolded())
    at = tree.xyz(u, v, 0.0)
    cell = tree.add("TexVoronoi", {"Vector": at, "Scale": 0.8, "Randomness": 0.7}, voronoi_dimensions="2D")
    x, y, _ = tree.split(at * (0.8, 0.8, 0.8) - tree.other(cell, "Position") * (0.8, 0.8, 0.8))
    petals = tree.math("COSINE", tree.math("ARCTAN2", y, x) * 5.0)
    flower = tree.greater(0.3 + petals * 0.09, cell)
    heart = tree.greater(0.1, cell)
    shown = tree.mix(flower, tree.own_color(suffix="2"), tree.own_color())
    return tree.mix(heart, shown, tree.own_color(hue=0.45, value=0.9))
