"""What lies over any other surface: dirt, moss, stains and damp in cracks and around them; paint, scratches, marks."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire
from render.blender.materials.surfaces import weather


def deposit(tree: Nodes, under: Wire) -> Wire:
    """`under` with what a crack gathers. The mesh says where: attribute "lip", mm from the crack, negative inside, and
    where there is moss "gaping", mm from where the crack is open.

    width: mm of the crack; dirt, moss, stain, moisture: how much of each, 0 to 1; hue, saturation, value: the dirt's
    color; stain_value: how bright the stain is; seed moves the patterns.
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
    # Around the crack: what water brought out of it or into it.
    halo = tree.math("EXPONENT", tree.math("MAXIMUM", away, 0.0) / width * (-0.45 - speck * 0.6))
    wash = halo * tree.ramp(patch + speck * 0.35, 0.5, 0.85) * tree["stain"] * 0.65
    tint = tree.color(tree["hue"], tree["saturation"] * (1.0 - tree["stain_value"]), tree["stain_value"])
    stained = tree.add("MixShader", {0: wash, 1: dirty, 2: _matt(tree, tint)})
    damp = tree.math("EXPONENT", tree.math("MAXIMUM", away, 0.0) / width * -0.35) * tree.ramp(patch, 0.3, 0.55)
    wet = tree.add("BsdfGlossy", {"Color": (0.05, 0.05, 0.05, 1.0), "Roughness": 0.3})
    moist = tree.add("MixShader", {0: damp * tree["moisture"] * 0.55, 1: stained, 2: wet})
    grown, green = _moss(tree, at, tree.attribute("gaping") / width)
    # The amount comes last: where it is 0, Cycles folds all of this away.
    seen = tree.add("MixShader", {0: grown * tree.math("MINIMUM", tree["moss"] * 50.0, 1.0), 1: moist, 2: green})
    # Light between the walls needs no grain, and grain is what shading costs.
    plain = tree.add("BsdfDiffuse", {"Color": (0.42, 0.4, 0.37, 1.0)})
    return tree.add("MixShader", {0: tree.add("LightPath", out="Is Camera Ray"), 1: plain, 2: seen})


def _moss(tree: Nodes, at: Wire, away: Wire) -> tuple[Wire, Wire]:
    """How much moss covers a place, 0 to 1, and the moss. at, away: place and distance from the open crack in widths.

    It keeps to stretches of the crack, thin at their ragged ends, and spills over the lips where it thrives.
    """
    stretch = tree.grain(at, scale=0.022, detail=6.0, roughness=0.6)
    fuzz = tree.grain(at, scale=2.2, detail=3.0, roughness=0.8)
    thrives = stretch - 0.62 + tree["moss"] * 0.16
    body = thrives * 7.0 + (fuzz - 0.5) * 2.2 - away * 0.8
    hue = tree.ramp(stretch + fuzz * 0.3, 0.55, 0.85, 0.1, 0.205)
    color = tree.color(hue, 0.28 + fuzz * 0.3, 0.14 + fuzz * 0.28)
    return tree.ramp(body, -0.25, 0.5) * 0.92, _matt(tree, color)


def filler(tree: Nodes, under: Wire) -> Wire:
    """`under` with cracks that were filled. The mesh says where: attribute "filled", mm, negative inside.

    hue, saturation, value, roughness: of the filler; amount: how much it covers; grain: mm, of its grains; contrast:
    how much they differ and stand out; proud: mm, how far its edge does; stains: as of the surface; seed moves the
    patterns.
    """
    grain, contrast, seed = tree["grain"], tree["contrast"], tree["seed"]
    place = tree.object() * 1000.0
    at = place / grain + tree.xyz(seed, seed * 1.7, 0.0)
    sand = tree.split(tree.cells(at, out="Color"))[0]
    fine = tree.grain(at, scale=0.7, detail=3.0, roughness=0.7)
    lump = tree.grain(at, scale=0.13, detail=3.0, roughness=0.6)
    slow = tree.grain(place + seed, scale=0.02, detail=3.0, roughness=0.6)
    # Grains are missing from the edge, few lie beyond it.
    body = tree.ramp(tree.attribute("filled") / grain + fine * 2.4 + lump * 1.6 - 1.7, 0.4, -0.4)
    shade = (0.8 + slow * 0.4) * (1.0 + contrast * ((sand - 0.5) * 0.7 + (fine - 0.5) * 1.2))
    dust = tree.ramp(fine * 0.6 + lump * 0.6, 0.5, 0.75) * 0.35
    color = weather(tree, tree.mix(dust, tree.tinted(tree.own_color(), shade), (0.2, 0.19, 0.17)), fine)
    height = ((sand * 0.5 + fine) * contrast + lump) * grain * 0.3 + body * tree["proud"]
    bent = tree.add("Bump", {"Height": height, "Distance": 0.001, "Strength": 1.0})
    # Where feet and wheels went it is dull.
    skin = tree.principled(color, tree["roughness"] + (slow - 0.5) * 0.5, bent, specular_ior_level=0.4)
    thin = tree.ramp(slow * 0.5 + lump * 0.5 + fine * 0.3, 0.58, 0.8) * (1.0 - tree["amount"])
    return tree.add("MixShader", {0: body * (1.0 - thin), 1: under, 2: skin})


def mark(tree: Nodes, under: Wire) -> Wire:
    """`under` with a line or blotch on it, without height.

    x, y: mm, its middle on a flat surface, y down; angle: degrees. width: mm; length: mm, 0 for endless; soft: mm, its
    fading edge; bend: how far from straight, in widths of the noise that bends it; wear: share that came off; amount:
    how much it covers; hue, saturation, value: its color; seed moves the patterns.
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
    """`under` with a crack in it, from the picture "field": red, mm from the lip, negative inside; green, width in mm.

    right_x to down_z: the axes of the patch in model coordinates; size: its side in model units; width, depth, dirt,
    hue, saturation, value, seed as of a deposit, depth in widths. The AOV "crack" is 1, the width and the distance from
    the middle line inside, else 0.
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
    # How far light comes down: less, the deeper the crack for its width.
    down = tree.ramp(away / width, 0.0, -0.45) * tree.math("MINIMUM", tree["depth"] * 0.45, 1.0)
    raw = tree.mix(tree["dirt"], (0.42, 0.39, 0.35), tree.own_color())
    wall = tree.tinted(raw, (0.55 + speck * 0.5) * (1.0 - down * 0.93))
    bent = tree.add("Bump", {"Height": away, "Distance": 0.004, "Strength": 1.0})
    broken = tree.add("BsdfDiffuse", {"Color": wall, "Normal": bent})
    rim = tree.ramp(away / width, 0.22, 0.02) * tree.ramp(speck, 0.42, 0.6) * 0.8
    chipped = tree.add("MixShader", {0: rim, 1: under, 2: _matt(tree, tree.tinted(raw, 0.8 + speck * 0.4))})
    return tree.add("MixShader", {0: inside, 1: chipped, 2: broken})


def _matt(tree: Nodes, color: Wire) -> Wire:
    return tree.add("BsdfDiffuse", {"Color": color})
