"""Stone, concrete, plaster and what floors and walls are laid of."""

from __future__ import annotations

from typing import Any

from render.blender.materials.nodes import Input, Nodes, Wire


def stone(tree: Nodes, kind: str) -> Wire:
    """Marble, granite or sandstone."""
    return {"marble": _marble, "granite": _granite, "sandstone": _sandstone}[kind](tree)


def _marble(tree: Nodes) -> Wire:
    """Veins through clouds."""
    at = tree.place()
    cloud = tree.noise(at, scale=0.8, detail=4.0, roughness=0.6)
    vein = tree.noise(at + cloud * 1.5, scale=0.9, detail=5.0, roughness=0.55)
    fine = tree.noise(at + cloud * 2.0, scale=2.4, detail=3.0)
    thin = (
        tree.ramp(tree.math("ABSOLUTE", vein - 0.5), 0.04, 0.0)
        + tree.ramp(tree.math("ABSOLUTE", fine - 0.5), 0.02, 0.0) * 0.35
    )
    base = tree.mix(tree.ramp(cloud, 0.3, 0.7), tree.own_color(value=1.1), tree.own_color(value=0.85))
    color = tree.mix(thin * tree["contrast"], base, tree.own_color(saturation=1.4, value=0.42))
    return tree.principled(color, tree["roughness"] * (0.7 + cloud * 0.6))


def _granite(tree: Nodes) -> Wire:
    """Grains of three minerals."""
    at = tree.place()
    grain = tree.cells(tree.unfolded() + tree.noise(at, scale=9.0, detail=1.0) * 0.18, scale=19.0, out="Color")
    tone, hue, _ = tree.split(grain)
    dark = tree.ramp(tone, 0.68, 0.72) * tree["contrast"]
    light = tree.mix(hue, tree.own_color(saturation=0.4, value=1.2), tree.own_color(saturation=1.3, value=0.72))
    cloud = tree.noise(at, detail=2.0)
    color = tree.mix(dark, light, (0.025, 0.024, 0.024))
    return tree.principled(
        tree.tinted(color, 0.8 + cloud * 0.4), tree["roughness"] * (0.75 + tone * 0.5), tree.bump(tone, 0.004)
    )


def _sandstone(tree: Nodes) -> Wire:
    """Layers of sand."""
    at = tree.place()
    layer = tree.noise(at * (0.25, 0.25, 2.4), detail=4.0, roughness=0.65)
    grain = tree.noise(at, scale=26.0, detail=2.0, roughness=0.7)
    worn = tree.noise(at, detail=4.0, roughness=0.6)
    band = tree.ramp(layer, 0.3, 0.7)
    color = tree.mix(
        band * tree["contrast"], tree.own_color(value=1.1), tree.own_color(hue=-0.02, saturation=1.5, value=0.65)
    )
    return tree.principled(
        tree.tinted(color, 0.75 + grain * 0.5), 0.75 + tree["roughness"] * 0.25, tree.bump(worn + grain * 0.15, 0.08)
    )


def concrete(tree: Nodes) -> Wire:
    """Cast concrete: clouds, stains, pores."""
    at = tree.place()
    cloud = tree.noise(at, scale=0.8, detail=5.0, roughness=0.62)
    fine = tree.noise(at, scale=22.0, detail=3.0, roughness=0.7)
    pore = tree.cells(tree.unfolded(), scale=7.0)
    size = tree.split(tree.other(pore, "Color"))[0]
    hole = tree.ramp(pore, size * 0.2 * tree["pores"], size * 0.12 * tree["pores"] - 0.01)
    stain = tree.ramp(cloud, 0.35, 0.68) * tree["stains"]
    color = tree.mix(stain, tree.own_color(value=1.05), tree.own_color(saturation=1.2, value=0.6))
    shade = (0.82 + fine * 0.36) * (1.0 - hole * 0.75)
    height = fine * 0.15 - hole
    return tree.principled(tree.tinted(color, shade), 0.95 - stain * 0.25, tree.bump(height, 0.03))


def plaster(tree: Nodes) -> Wire:
    """A painted or rendered wall."""
    at = tree.place()
    lump = tree.noise(at, scale=14.0, detail=3.0, roughness=0.6)
    cloud = tree.ramp(tree.noise(at, scale=0.6, detail=4.0, roughness=0.6), 0.35, 0.7)
    color = tree.mix(cloud * tree["stains"] * 0.6, tree.own_color(), tree.own_color(saturation=1.3, value=0.75))
    return tree.principled(color, 0.75 + cloud * 0.2, tree.bump(lump, tree["relief"] * 0.05))


def _laid(tree: Nodes, at: Wire, width: float, height: float, joint: float, offset: float) -> tuple[Wire, Wire]:
    """Bricks of a size in rows: a random tone for each, and 1 in the joints."""
    inputs: dict[Any, Input] = {
        "Vector": at, "Color1": (0.0, 0.0, 0.0, 1.0), "Color2": (1.0, 1.0, 1.0, 1.0), "Mortar": (0.5, 0.5, 0.5, 1.0),
        "Scale": 1.0, "Mortar Size": joint, "Mortar Smooth": 0.25, "Brick Width": width, "Row Height": height,
    }  # fmt: skip
    brick = tree.add("TexBrick", inputs, offset=offset, offset_frequency=2)
    return tree.split(brick)[0], tree.other(brick, "Fac")


def brick(tree: Nodes) -> Wire:
    """Brickwork with mortar; `scale` counts bricks in a row."""
    at = tree.unfolded()
    rough = tree.noise(at, scale=5.0, detail=4.0, roughness=0.65)
    wobble = tree.xyz(rough * 0.03 * tree["wear"], rough * 0.03 * tree["wear"], 0.0)
    tone, joint = _laid(tree, at + wobble, 1.0, 0.34, 0.032, 0.5)
    burnt = tree.own_color(hue=-0.012, saturation=0.9, value=0.5)
    fired = tree.mix(tone * tree["contrast"], tree.own_color(value=1.1), burnt)
    mortar = tree.color(0.1, 0.1, tree["mortar"])
    dirt = tree.ramp(tree.noise(at, scale=0.5, detail=4.0), 0.4, 0.7) * tree["wear"]
    color = tree.tinted(tree.mix(joint, fired, mortar), (0.7 + rough * 0.6) * (1.0 - dirt * 0.35))
    return tree.principled(color, 0.9, tree.bump(rough * 0.25 - joint, 0.035))


def tiles(tree: Nodes) -> Wire:
    """Square glazed tiles in grout; `scale` counts tiles."""
    at = tree.unfolded()
    tone, joint = _laid(tree, at, 1.0, 1.0, 0.028, 0.0)
    moved = at + tree.xyz(tone * 11.0, tone * 23.0, tone * 5.0)
    cloud = tree.noise(moved, scale=1.4, detail=4.0, roughness=0.6)
    contrast = tree["contrast"]
    glaze = tree.mix(cloud * contrast, tree.own_color(), tree.own_color(saturation=1.2, value=0.6))
    color = tree.mix(joint, tree.tinted(glaze, 1.0 - tone * contrast * 0.35), tree.color(0.1, 0.06, tree["grout"]))
    rough = tree.mix(joint, tree["roughness"] * (0.7 + cloud * 0.6), 0.9)
    return tree.principled(color, rough, tree.bump(cloud * 0.08 - joint, 0.02))


def asphalt(tree: Nodes) -> Wire:
    """Stones in bitumen, worn and stained; `scale` counts stones."""
    chip = tree.cells(tree.unfolded())
    tone = tree.split(tree.other(chip, "Color"))[0]
    worn = tree.noise(tree.object(), scale=1.3, detail=5.0, roughness=0.62)
    stain = tree.ramp(worn, 0.42, 0.66) * tree["stains"]
    gray = tree.color(0.09, 0.06, tree["value"])
    stone_ = tree.ramp(chip, 0.62, 0.35) * (0.6 + tone * 1.3 * tree["contrast"])
    color = tree.tinted(gray, (0.45 + stone_ * 0.8) * (1.15 - stain * 0.5))
    rough = 0.9 - stain * 0.2 - tone * 0.1
    return tree.principled(color, rough, tree.bump(1.0 - chip, 0.4), specular_ior_level=0.35)
