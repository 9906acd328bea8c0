"""Wood and what grows or lies outdoors."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire


def _timber(tree: Nodes, rings: Wire, fiber: Wire) -> Wire:
    """The color of wood by late wood (0 to 1) and fiber (0 to 1)."""
    late = rings * tree["contrast"]
    dark = tree.own_color(hue=-0.014, saturation=1.15, value=0.56)
    grown = tree.mix(late, tree.own_color(), dark)
    return tree.tinted(grown, 0.78 + fiber * 0.3)


def wood(tree: Nodes) -> Wire:
    """Solid wood: growth rings about a pith off the piece, fibers and pores along the grain."""
    turned = tree.along(tree.vector_input("axis"), tree.object())
    at = tree.place(turned * (0.12, 1.0, 1.0))
    sway = tree.noise(at, scale=0.55, detail=2.0)
    scale, seed = tree["scale"], tree["seed"]
    _, y, z = tree.split(turned)
    across = tree.xyz(0.0, y * scale + 1.0 + tree.fract(seed) * 5.0, z * scale + tree.fract(seed * 3.7) * 4.0 - 2.0)
    year = tree.fract(tree.length(across) + sway * 1.1)
    rings = tree.ramp(year, 0.1, 0.85) * tree.ramp(year, 1.0, 0.93)
    fiber = tree.noise(at * (0.5, 9.0, 9.0), detail=2.0, roughness=0.65)
    pore = tree.ramp(tree.noise(at * (2.5, 24.0, 24.0), detail=0.0), 0.66, 0.74)
    color = tree.tinted(_timber(tree, rings, tree.ramp(fiber, 0.3, 0.7)), 1.0 - pore * 0.35)
    rough = tree["roughness"] * (0.8 + rings * 0.25 + sway * 0.3) + pore * 0.15
    return tree.principled(
        color, rough, tree.bump(fiber - pore * 0.5, 0.025), coat_weight=tree["gloss"], coat_roughness=0.14
    )


def planks(tree: Nodes) -> Wire:
    """Boards side by side, each cut from another tree."""
    turn = tree.xyz(0.0, 0.0, tree["turn"] * 0.0174533)
    at = tree.add("VectorRotate", {"Vector": tree.unfolded(), "Rotation": turn}, rotation_type="EULER_XYZ")
    layout: dict[object, object] = {
        "Vector": at, "Color1": (0.0, 0.0, 0.0, 1.0), "Color2": (1.0, 1.0, 1.0, 1.0), "Mortar": (0.5, 0.5, 0.5, 1.0),
        "Scale": 1.0, "Mortar Size": 0.018, "Mortar Smooth": 0.3, "Brick Width": 9.0, "Row Height": 1.0,
    }  # fmt: skip
    board = tree.add("TexBrick", layout, offset=0.37, offset_frequency=2)  # type: ignore[arg-type]
    gap = tree.other(board, "Fac")
    tone = tree.split(board)[0]
    grain = at * (0.16, 1.0, 1.0) + tree.xyz(tone * 31.0, tone * 17.0, tone * 7.0)
    sway = tree.noise(grain, scale=1.1, detail=2.0)
    year = tree.fract(sway * 9.0)
    rings = tree.ramp(year, 0.15, 0.85) * tree.ramp(year, 1.0, 0.9)
    fiber = tree.noise(grain * (2.0, 22.0, 1.0), detail=2.0, roughness=0.65)
    color = tree.tinted(_timber(tree, rings * 0.7, tree.ramp(fiber, 0.3, 0.7)), 0.75 + tone * 0.35)
    rough = tree["roughness"] * (0.8 + sway * 0.4) + gap * 0.2
    normal = tree.bump(fiber * 0.06 - gap, 0.05)
    return tree.principled(
        tree.mix(gap * 0.85, color, (0.02, 0.013, 0.008)), rough, normal,
        coat_weight=tree["gloss"] * (1.0 - gap), coat_roughness=0.16,
    )  # fmt: skip


def bark(tree: Nodes) -> Wire:
    """Ridges up the trunk with dark furrows."""
    at = tree.place()
    bent = (tree.unfolded() + tree.noise(at, scale=0.7, detail=1.0) * 1.6) * (1.0, 0.28, 1.0)
    furrow = tree.ramp(tree.cells(bent), 0.8, 0.25)
    fine = tree.noise(at * (2.5, 2.5, 0.8), detail=3.0, roughness=0.65)
    color = tree.mix(fine, tree.own_color(value=0.6), tree.own_color(saturation=0.8, value=1.2))
    shade = tree.ramp(furrow, 0.0, 0.8, 0.3, 1.0)
    height = furrow + fine * 0.4
    return tree.principled(tree.tinted(color, shade), 0.85 + fine * 0.15, tree.bump(height, tree["depth"] * 0.5))


def foliage(tree: Nodes) -> Wire:
    """Leaves: light shines through, tones vary from leaf to leaf."""
    at = tree.place()
    tone = tree.ramp(tree.noise(at, detail=2.0), 0.3, 0.7)
    spot = tree.ramp(tree.noise(at, scale=5.0, detail=3.0), 0.3, 0.7)
    contrast = tree["contrast"]
    light = tree.own_color(hue=-0.035, saturation=0.9, value=1.0 + contrast * 0.5)
    color = tree.mix(tone * contrast, tree.own_color(), light)
    shade = tree.tinted(color, 0.85 + spot * 0.25)
    rough = tree["roughness"] * (0.8 + spot * 0.4)
    leaf = tree.principled(shade, rough, tree.bump(spot, 0.01), specular_ior_level=0.4)
    glow = tree.add("BsdfTranslucent", {"Color": shade})
    return tree.add("MixShader", {0: 0.22, 1: leaf, 2: glow})


def moss(tree: Nodes) -> Wire:
    """Cushions of moss on stone, thickest where it faces up."""
    at = tree.place()
    patch = tree.noise(at, detail=4.0, roughness=0.6)
    tuft = tree.cells(tree.unfolded(), scale=18.0)
    fine = tree.noise(at, scale=9.0, detail=3.0, roughness=0.7)
    grown = tree.ramp(patch + tree.upward() * 0.07 + tree["cover"] * 0.4, 0.66, 0.74)
    tone = tree.ramp(tree.noise(at, scale=3.0, detail=2.0), 0.3, 0.7)
    green = tree.mix(tone, tree.own_color(hue=-0.03, value=1.25), tree.own_color(hue=0.02, value=0.6))
    rock = tree.mix(fine, (0.07, 0.065, 0.06), (0.3, 0.28, 0.25))
    color = tree.mix(grown, rock, tree.tinted(green, tree.ramp(tuft, 0.0, 0.75, 1.15, 0.3)))
    height = tree.mix(grown, fine * 0.4, 1.0 - tuft * 0.4 + patch * 0.6)
    return tree.principled(color, 0.75 + grown * 0.2, tree.bump(height, 0.06), specular_ior_level=0.25)


def grass(tree: Nodes) -> Wire:
    """A lawn from above: blades at all angles, lush and dry patches."""
    at = tree.place()
    blade = tree.noise(at + tree.noise(at, scale=2.0) * 1.5, scale=5.0, detail=3.0, roughness=0.75)
    tuft = tree.noise(at, scale=0.9, detail=2.0, roughness=0.6)
    patch = tree.noise(tree.object(), scale=0.9, detail=3.0)
    dry = tree.ramp(patch * 0.6 + tuft * 0.4 + tree["dryness"] * 0.3, 0.5, 0.78) * 0.85
    lush = tree.mix(
        tree.ramp(blade, 0.3, 0.7), tree.own_color(hue=0.02, value=0.45), tree.own_color(hue=-0.02, value=1.2)
    )
    straw = tree.color(0.13, 0.45, 0.35 + blade * 0.35)
    shade = tree.ramp(blade + tuft * 0.4, 0.45, 0.9, 0.35, 1.15)
    return tree.principled(
        tree.tinted(tree.mix(dry, lush, straw), shade), 0.7, tree.bump(blade + tuft, 0.4), specular_ior_level=0.3
    )


def soil(tree: Nodes) -> Wire:
    """Crumbs and pebbles of earth, damp in places."""
    at = tree.place()
    crumb = tree.noise(at, scale=1.2, detail=4.0, roughness=0.65)
    pebble = tree.cells(tree.unfolded(), scale=1.6)
    stone = tree.ramp(pebble, 0.24, 0.18) * tree.greater(tree.split(tree.other(pebble, "Color"))[0], 0.6)
    damp = tree.ramp(tree.noise(at, scale=0.25, detail=2.0), 0.38, 0.62) * tree["wetness"]
    earth = tree.mix(tree.ramp(crumb, 0.3, 0.7), tree.own_color(value=0.5), tree.own_color(value=1.2))
    color = tree.mix(stone * 0.7, tree.tinted(earth, 1.0 - damp * 0.5), tree.own_color(saturation=0.4, value=1.35))
    height = crumb + stone * (0.3 - pebble)
    return tree.principled(color, 0.95 - damp * 0.45, tree.bump(height, 0.5), specular_ior_level=0.3)
