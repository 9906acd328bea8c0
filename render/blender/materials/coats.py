"""Plastics, paints, glazes and glasses: what products are coated with or molded of."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire

DUST = (0.36, 0.31, 0.25)


def _dust(tree: Nodes, at: Wire) -> Wire:
    """How much dust lies here, 0 to 1: on what faces up, in patches."""
    return tree.ramp(tree.upward() + tree.noise(at, scale=3.0) * 0.8 - 0.4, 0.1, 1.0) * tree["dust"]


def plastic(tree: Nodes) -> Wire:
    """Molded plastic, smooth or grained, dulled where it was rubbed."""
    at = tree.place()
    patch = tree.ramp(tree.noise(at, detail=3.0, roughness=0.6), 0.35, 0.68)
    grain = tree.noise(at, scale=28.0, detail=1.0)
    rough = tree["roughness"] * (0.75 + patch * 0.5) + patch * tree["wear"] * 0.2
    color = tree.mix(patch * tree["wear"] * 0.25, tree.own_color(), tree.own_color(saturation=0.75, value=1.12))
    return tree.principled(color, rough, tree.bump(grain, tree["grain"] * 0.012))


def painted(tree: Nodes) -> Wire:
    """Paint with orange peel, chipped to the primer here and there, with dust on top."""
    at = tree.place()
    patch = tree.noise(at, detail=5.0, roughness=0.6)
    peel = tree.noise(at, scale=16.0, detail=0.0)
    limit = 0.78 - tree["wear"] * 0.16
    chip = tree.ramp(patch, limit, limit + 0.015)
    dust = _dust(tree, at)
    base = tree.mix(tree.ramp(patch, 0.35, 0.65), tree.own_color(), tree.own_color(saturation=0.94, value=0.93))
    color = tree.mix(dust * 0.5, tree.mix(chip, base, (0.16, 0.15, 0.14)), DUST)
    rough = tree["roughness"] * (0.6 + patch * 0.8) + chip * 0.25 + dust * 0.35
    height = peel * tree["peel"] * 0.25 - chip
    return tree.principled(color, rough, tree.bump(height, 0.012))


def car_paint(tree: Nodes) -> Wire:
    """A base coat, metallic by `flakes`, that darkens towards the edge, under clear lacquer."""
    at = tree.place()
    dust = _dust(tree, at)
    facing = tree.add("LayerWeight", {"Blend": 0.35}, out="Facing")
    flakes = tree["flakes"]
    deep = tree.own_color(saturation=1.1, value=0.6)
    color = tree.mix(dust * 0.5, tree.mix(facing * (0.2 + flakes * 0.6), tree.own_color(), deep), DUST)
    haze = tree.ramp(tree.noise(at, detail=3.0), 0.35, 0.7) * 0.04
    peel = tree.bump(tree.noise(at, scale=22.0, detail=0.0), tree["peel"] * 0.004)
    return tree.principled(
        color,
        0.45 + dust * 0.3,
        metallic=flakes * 0.55,
        coat_weight=1.0 - dust * 0.7,
        coat_roughness=0.025 + haze + dust * 0.3,
        coat_normal=peel,
    )


def ceramic(tree: Nodes) -> Wire:
    """Glazed clay: slightly wavy, pooled, some with iron speckles."""
    at = tree.place()
    pool = tree.ramp(tree.noise(at, detail=2.0), 0.3, 0.7)
    cell = tree.cells(tree.unfolded(), scale=9.0)
    big = tree.split(tree.other(cell, "Color"))[0]
    dot = tree.ramp(cell, big * 0.26 * tree["speckle"], big * 0.2 * tree["speckle"] - 0.01)
    base = tree.mix(pool, tree.own_color(), tree.own_color(saturation=1.1, value=0.95))
    color = tree.mix(dot * 0.8, base, (0.05, 0.03, 0.02))
    rough = tree["roughness"] * (0.7 + pool * 0.6) + dot * 0.15
    return tree.principled(color, rough, tree.bump(pool, tree["waves"] * 0.04), coat_weight=0.3)


def fingerprints(tree: Nodes) -> Wire:
    """Gloss plastic that many fingers touched: whorls of dull ridges, and smears."""
    at = tree.place()
    warp = tree.noise(at, scale=2.0, detail=1.0) * 0.5
    cell = tree.cells(tree.unfolded() + warp)
    ridge = tree.math("SINE", cell * 130.0 + tree.noise(at, scale=3.0, detail=1.0) * 14.0)
    touched = tree.greater(tree.split(tree.other(cell, "Color"))[0], 0.45)
    print_ = tree.ramp(cell, 0.34, 0.22) * touched * tree.ramp(ridge, -0.6, 0.6, 0.25, 1.0)
    smear = tree.ramp(tree.noise(at * (1.0, 1.0, 0.35), detail=3.0), 0.48, 0.7)
    dull = tree.math("MAXIMUM", print_, smear * 0.55) * tree["smudges"]
    color = tree.mix(dull * 0.12, tree.own_color(), (0.6, 0.57, 0.52))
    return tree.principled(color, tree["roughness"] * (0.8 + smear * 0.4) + dull * 0.32)


def rubber(tree: Nodes) -> Wire:
    """Black to gray rubber, bloomed and dusty."""
    at = tree.place()
    bloom = tree.ramp(tree.noise(at, detail=4.0, roughness=0.65), 0.38, 0.68)
    value = tree["value"]
    dark = tree.color(0.08, 0.06, value)
    color = tree.mix(bloom * tree["dust"] * 0.5, dark, (0.16, 0.14, 0.115))
    rough = tree["roughness"] * (0.85 + bloom * 0.3)
    return tree.principled(color, rough, tree.bump(tree.noise(at, scale=30.0, detail=1.0), 0.006))


def glass(tree: Nodes) -> Wire:
    """Clear or tinted solid glass, its shadow as light as the glass."""
    at = tree.place()
    dirt = tree.ramp(tree.noise(at, detail=3.0, roughness=0.6), 0.42, 0.72) * tree["dirt"]
    tint = tree.own_color()
    solid = tree.principled(tint, tree["roughness"] + dirt * 0.08, transmission_weight=1.0, ior=1.47)
    shadow = tree.add("LightPath", out="Is Shadow Ray")
    clear = tree.add("BsdfTransparent", {"Color": tree.tinted(tint, 0.9)})
    return tree.add("MixShader", {0: shadow, 1: solid, 2: clear})


def pane(tree: Nodes) -> Wire:
    """Thin glass that does not bend light, as in windows; `value` is what it lets through."""
    tree.glass = True
    at = tree.place()
    dirt = tree.ramp(tree.noise(at, detail=3.0, roughness=0.6), 0.4, 0.75) * tree["dirt"]
    through = tree.add("BsdfTransparent", {"Color": tree.own_color()})
    gloss = tree.add("BsdfGlossy", {"Color": (0.95, 0.96, 0.96, 1.0), "Roughness": 0.01 + dirt * 0.2})
    film = tree.add("BsdfDiffuse", {"Color": (0.3, 0.28, 0.25, 1.0)})
    # Not the Fresnel node: seen from inside it would reflect all light, as at the edge of solid glass.
    facing = tree.add("LayerWeight", {"Blend": 0.5}, out="Facing")
    fresnel = 0.05 + tree.math("POWER", facing, 5.0) * 0.95
    clean = tree.add("MixShader", {0: fresnel, 1: through, 2: gloss})
    return tree.add("MixShader", {0: dirt * 0.15, 1: clean, 2: film})


def screen(tree: Nodes, kind: str) -> Wire:
    """A display: off, with a picture, or with a page of lines; x is level, y + z goes up it."""
    at = tree.place()
    smear = tree.ramp(tree.noise(at, scale=2.0, detail=3.0), 0.42, 0.72) * tree["smudges"]
    rough = 0.05 + smear * 0.22
    lit = {"off": _off, "picture": _picture, "page": _page}[kind](tree)
    return tree.principled(
        (0.008, 0.008, 0.01, 1.0), rough, emission_color=lit, emission_strength=tree["brightness"], coat_weight=0.3
    )


def _off(tree: Nodes) -> Wire:
    return tree.tinted(tree.color(tree["hue"], 0.3, 0.1), 0.02)


def _screen_place(tree: Nodes) -> tuple[Wire, Wire]:
    x, y, z = tree.split(tree.object())
    return x * tree["scale"] + tree["seed"], (y + z) * tree["scale"]


def _picture(tree: Nodes) -> Wire:
    """Sky over hills in two or three colors."""
    u, v = _screen_place(tree)
    at = tree.xyz(u, v, tree["seed"])
    cloud = tree.noise(at, scale=2.0, detail=4.0)
    hill = tree.greater(tree.noise(tree.xyz(u, 0.0, tree["seed"]), scale=1.6, detail=3.0) * 1.4 - 0.75, v)
    sky = tree.mix(tree.ramp(cloud, 0.4, 0.65), tree.color(tree["hue"] * 0.15 + 0.5, 0.55, 0.8), (0.9, 0.9, 0.92))
    land = tree.mix(
        tree.ramp(cloud, 0.35, 0.6), tree.color(tree["hue"], 0.6, 0.2), tree.color(tree["hue"] * 0.5 + 0.1, 0.5, 0.55)
    )
    return tree.mix(hill, sky, land)


def _page(tree: Nodes) -> Wire:
    """Lines of words under a colored bar, beside pictures."""
    u, v = _screen_place(tree)
    line = tree.fract(v * 14.0)
    word = tree.noise(tree.xyz(u * 9.0, tree.floor(v * 14.0) * 3.7, tree["seed"]), scale=2.0, detail=1.0)
    ink = tree.greater(line, 0.55) * tree.greater(word, 0.46)
    block = tree.greater(tree.noise(tree.xyz(tree.floor(u * 2.5), tree.floor(v * 2.0), tree["seed"]), scale=1.7), 0.56)
    text = tree.mix(ink, (0.8, 0.82, 0.85), (0.06, 0.06, 0.08))
    image = tree.mix(word, tree.color(tree["hue"], 0.8, 0.5), tree.color(tree["hue"] + 0.2, 0.4, 0.9))
    return tree.mix(block, text, image)


def emission(tree: Nodes) -> Wire:
    """A lamp."""
    return tree.add("Emission", {"Color": tree.own_color(), "Strength": tree["strength"]})
