"""Overlays for any surface: dirt, moss, stains and moisture at cracks, filled cracks, marks and decals."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire
from render.blender.materials.surfaces import weather


def deposit(tree: Nodes, under: Wire) -> Wire:
    """Cover `under` with dirt, stains, moisture and moss in and around a crack.

    The mesh has the attribute "lip", the distance to the crack in mm, negative inside. With moss, it also has "gaping",
    the distance in mm to the open part of the crack.

    width: width of the crack in mm. dirt, moss, stain, moisture: amount of each, 0 to 1. hue, saturation, value: color
    of the dirt. stain_value: brightness of the stain. seed: moves the patterns.
    """
    width, seed = tree["width"], tree["seed"]
    away = tree.attribute("lip")
    place = tree.object() * 1000.0
    _, _, height = tree.split(place)
    at = tree.math("MULTIPLY_ADD", place, tree.xyz(1.0, 1.0, 1.0) / width, tree.xyz(seed, seed * 1.7, 0.0))
    patch = tree.grain(at, scale=0.18, detail=2.0, roughness=0.6)
    speck = tree.grain(at, scale=0.9, detail=2.0, roughness=0.7)
    deep = tree.math("MULTIPLY", height, -1.0) / width
    inside = tree.ramp(away / width, 0.05, -0.12)
    gathered = tree.math(
        "MAXIMUM", tree.ramp(deep + speck * 0.5, 0.3, 0.9), inside * (0.4 + tree.ramp(patch, 0.25, 0.6) * 0.6)
    )
    soil = tree.tinted(tree.own_color(), 0.5 + speck)
    dirty = tree.add("MixShader", {0: gathered * tree["dirt"] * 0.95, 1: under, 2: _matt(tree, soil)})
    # Stains around the crack, from water that ran out of it or into it.
    halo = tree.math("EXPONENT", tree.math("MAXIMUM", away, 0.0) / width * (-0.45 - speck * 0.6))
    wash = halo * tree.ramp(patch + speck * 0.35, 0.5, 0.85) * tree["stain"] * 0.65
    tint = tree.color(tree["hue"], tree["saturation"] * (1.0 - tree["stain_value"]), tree["stain_value"])
    stained = tree.add("MixShader", {0: wash, 1: dirty, 2: _matt(tree, tint)})
    damp = tree.math("EXPONENT", tree.math("MAXIMUM", away, 0.0) / width * -0.35) * tree.ramp(patch, 0.3, 0.55)
    wet = tree.add("BsdfGlossy", {"Color": (0.05, 0.05, 0.05, 1.0), "Roughness": 0.3})
    moist = tree.add("MixShader", {0: damp * tree["moisture"] * 0.55, 1: stained, 2: wet})
    grown, green = _moss(tree, at, tree.attribute("gaping") / width)
    # The amount is multiplied last, so that Cycles removes all of these nodes if it is 0.
    seen = tree.add("MixShader", {0: grown * tree.math("MINIMUM", tree["moss"] * 50.0, 1.0), 1: moist, 2: green})
    # Indirect light between the walls needs no grain, and grain is the expensive part of the shading.
    plain = tree.add("BsdfDiffuse", {"Color": (0.42, 0.4, 0.37, 1.0)})
    return tree.add("MixShader", {0: tree.add("LightPath", out="Is Camera Ray"), 1: plain, 2: seen})


def _moss(tree: Nodes, at: Wire, away: Wire) -> tuple[Wire, Wire]:
    """Coverage by moss, 0 to 1, and its shader. at: position; away: distance to the open crack, both in widths.

    Moss grows along parts of the crack, with thin and ragged ends. Where it is thick, it covers the lips.
    """
    stretch = tree.grain(at, scale=0.022, detail=6.0, roughness=0.6)
    fuzz = tree.grain(at, scale=2.2, detail=3.0, roughness=0.8)
    thrives = stretch - 0.62 + tree["moss"] * 0.16
    body = thrives * 7.0 + (fuzz - 0.5) * 2.2 - away * 0.8
    hue = tree.ramp(stretch + fuzz * 0.3, 0.55, 0.85, 0.1, 0.205)
    color = tree.color(hue, 0.28 + fuzz * 0.3, 0.14 + fuzz * 0.28)
    return tree.ramp(body, -0.25, 0.5) * 0.92, _matt(tree, color)


def filler(tree: Nodes, under: Wire) -> Wire:
    """Cover `under` with filled cracks. The mesh attribute "filled" is the distance in mm, negative inside.

    hue, saturation, value, roughness: of the filler. amount: coverage, 0 to 1. grain: size of its grains in mm.
    contrast: differences in color and height of the grains. proud: height of the filler above the surface in mm.
    stains: amount of stains, as for the surface. seed: moves the patterns.
    """
    grain, contrast, seed = tree["grain"], tree["contrast"], tree["seed"]
    place = tree.object() * 1000.0
    at = place / grain + tree.xyz(seed, seed * 1.7, 0.0)
    sand = tree.split(tree.cells(at, out="Color"))[0]
    fine = tree.grain(at, scale=0.7, detail=3.0, roughness=0.7)
    lump = tree.grain(at, scale=0.13, detail=3.0, roughness=0.6)
    slow = tree.grain(place + seed, scale=0.02, detail=3.0, roughness=0.6)
    # The edge is ragged: grains are missing, and few lie outside.
    body = tree.ramp(tree.attribute("filled") / grain + fine * 2.4 + lump * 1.6 - 1.7, 0.4, -0.4)
    shade = (0.8 + slow * 0.4) * (1.0 + contrast * ((sand - 0.5) * 0.7 + (fine - 0.5) * 1.2))
    dust = tree.ramp(fine * 0.6 + lump * 0.6, 0.5, 0.75) * 0.35
    color = weather(tree, tree.mix(dust, tree.tinted(tree.own_color(), shade), (0.2, 0.19, 0.17)), fine)
    height = ((sand * 0.5 + fine) * contrast + lump) * grain * 0.3 + body * tree["proud"]
    bent = tree.add("Bump", {"Height": height, "Distance": 0.001, "Strength": 1.0})
    # Feet and wheels make some places dull.
    skin = tree.principled(color, tree["roughness"] + (slow - 0.5) * 0.5, bent, specular_ior_level=0.4)
    thin = tree.ramp(slow * 0.5 + lump * 0.5 + fine * 0.3, 0.58, 0.8) * (1.0 - tree["amount"])
    return tree.add("MixShader", {0: body * (1.0 - thin), 1: under, 2: skin})


def mark(tree: Nodes, under: Wire) -> Wire:
    """Cover `under` with a flat line or blotch.

    x, y: center on the surface in mm, y down. angle: degrees. width: mm. length: mm, 0 for an endless line. soft: width
    of the fading edge in mm. bend: deviation from a straight line, relative to the scale of the noise. wear: share that
    is worn off. amount: share of the surface that it covers, 0 to 1. hue, saturation, value: color. seed: moves the
    patterns.
    """
    seed = tree["seed"]
    x, y, _ = tree.split(tree.object() * 1000.0)
    x, y = x - tree["x"], y + tree["y"]
    turn = tree["angle"] * 0.0174533
    cosine, sine = tree.math("COSINE", turn), tree.math("SINE", turn)
    along, aside = x * cosine + y * sine, y * cosine - x * sine
    width, length = tree["width"], tree["length"]
    reach = width * 2.5 + length * 0.2
    at = tree.xyz(x / reach + seed, y / reach, 0.0)
    bent = aside + (tree.grain(at, detail=3.0, roughness=0.6) - 0.5) * tree["bend"] * reach
    beyond = tree.math("MAXIMUM", tree.math("ABSOLUTE", along) - length * 0.5, 0.0) * tree.greater(length, 0.0)
    away = tree.math("SQRT", bent * bent + beyond * beyond) - width * 0.5
    soft = tree["soft"]
    body = tree.ramp(away, soft, tree.math("MULTIPLY", soft, -1.0))
    worn = tree.grain(tree.xyz(x, y, 0.0) * 0.3 + seed, detail=4.0, roughness=0.75)
    limit = 0.36 + tree["wear"] * 0.2
    left = tree.ramp(worn, limit - 0.06, limit + 0.06)
    return tree.add("MixShader", {0: body * left * tree["amount"], 1: under, 2: _matt(tree, tree.own_color())})


def decal(tree: Nodes, under: Wire) -> Wire:
    """Draw a crack into `under`. The image "field" has the distance to the lip in mm (red, negative inside) and the
    width in mm (green).

    right_x to down_z: axes of the patch in model coordinates. size: side of the patch in model units. depth: depth of
    the crack in widths. width, dirt, hue, saturation, value, seed: as for `deposit`. Inside the crack, the AOV "crack"
    holds 1, the width and the distance to the center line in mm; outside it is 0.
    """
    place = tree.object()
    u, v = (
        tree.add("VectorMath", {0: place, 1: tree.xyz(*(tree[f"{way}_{axis}"] for axis in "xyz"))}, out="Value",
                 operation="DOT_PRODUCT")
        for way in ("right", "down")
    )  # fmt: skip
    size = tree["size"]
    at = tree.xyz(u / size + 0.5, 0.5 - v / size, 0.0)
    field = tree.add("TexImage", {"Vector": at}, extension="EXTEND")
    tree.images["field"] = field.socket.node
    away, wide, _ = tree.split(tree.math("MULTIPLY", field, (1.0, 1.0, 1.0)))
    width = tree["width"]
    inside = tree.math("LESS_THAN", away, 0.0)
    tree.output("crack", tree.add("CombineColor", {0: inside, 1: wide * inside, 2: (away + wide * 0.5) * inside}))
    speck = tree.noise(place, scale=90.0, detail=3.0, roughness=0.7)
    # Light decreases with the depth of the crack relative to its width.
    down = tree.ramp(away / width, 0.0, -0.45) * tree.math("MINIMUM", tree["depth"] * 0.45, 1.0)
    raw = tree.mix(tree["dirt"], (0.42, 0.39, 0.35), tree.own_color())
    wall = tree.tinted(raw, (0.55 + speck * 0.5) * (1.0 - down * 0.93))
    # The walls are as steep as those of a groove with this depth, up to a right angle between them.
    slope = tree.math("MINIMUM", tree["depth"], 0.5) * 0.002
    bent = tree.add("Bump", {"Height": away, "Distance": slope, "Strength": 1.0})
    broken = tree.add("BsdfDiffuse", {"Color": wall, "Normal": bent})
    rim = tree.ramp(away / width, 0.22, 0.02) * tree.ramp(speck, 0.42, 0.6) * 0.8
    chipped = tree.add("MixShader", {0: rim, 1: under, 2: _matt(tree, tree.tinted(raw, 0.8 + speck * 0.4))})
    return tree.add("MixShader", {0: inside, 1: chipped, 2: broken})


def _matt(tree: Nodes, color: Wire) -> Wire:
    return tree.add("BsdfDiffuse", {"Color": color})
