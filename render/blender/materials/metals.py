"""Bare metals, and paint that has come off iron."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire


def metal(tree: Nodes) -> Wire:
    """Polished to satin metal with smears and fine scratches."""
    at = tree.place()
    smear = tree.ramp(tree.noise(at, detail=3.0, roughness=0.6), 0.35, 0.68)
    scratch = tree.ramp(tree.noise(at * (34.0, 1.6, 2.6), detail=1.0, distortion=0.3), 0.6, 0.72) * tree["wear"]
    rough = tree["roughness"] * (0.7 + smear * 0.6) + scratch * 0.12 + smear * tree["wear"] * 0.12
    color = tree.mix(smear * tree["wear"] * 0.5, tree.own_color(), tree.own_color(saturation=1.2, value=0.78))
    return tree.principled(color, rough, tree.bump(scratch, 0.004), metallic=1.0)


def brushed_metal(tree: Nodes) -> Wire:
    """Metal ground in one direction: highlights spread across the grain."""
    u, v = tree.box()
    upright = tree.greater(tree["turn"], 45.0)
    along, across = tree.mix(upright, u, v), tree.mix(upright, v, u)
    at = tree.place(tree.xyz(along * 0.012, across, 0.0))
    grain = tree.noise(at, detail=3.0, roughness=0.75)
    soft = tree.ramp(tree.noise(tree.object(), scale=4.0, detail=2.0), 0.3, 0.7)
    line = tree.ramp(grain, 0.32, 0.68, -1.0, 1.0) * tree["grain"]
    color = tree.tinted(tree.own_color(), 0.88 + line * 0.16)
    rough = tree["roughness"] * (0.85 + soft * 0.3) + line * 0.06
    return tree.principled(
        color,
        rough,
        tree.bump(grain, tree["grain"] * 0.018),
        metallic=1.0,
        anisotropic=0.55,
        tangent=_along(tree, upright),
    )


def _along(tree: Nodes, upright: Wire) -> Wire:
    """The direction of the grain in the world: the surface's level, or with `upright` its upward direction."""
    faces_x, faces_z = tree.facing()
    level = tree.mix(faces_x, tree.xyz(1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    upward = tree.mix(faces_z, tree.xyz(0.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    grain = tree.mix(upright, level, upward)
    return tree.add("VectorTransform", {0: grain}, vector_type="VECTOR", convert_from="OBJECT", convert_to="WORLD")


def rusty_metal(tree: Nodes) -> Wire:
    """Iron, bare where the color is gray and painted else, eaten by rust."""
    at = tree.place()
    patch = tree.noise(at, detail=6.0, roughness=0.62)
    fine = tree.noise(at, scale=7.0, detail=4.0, roughness=0.65)
    edge = 0.72 - tree["rust"] * 0.34
    rust = tree.ramp(patch, edge - 0.02, edge + 0.03)
    halo = tree.ramp(patch, edge - 0.12, edge)
    brown = tree.mix(tree.ramp(fine, 0.35, 0.65), (0.055, 0.018, 0.009), (0.36, 0.115, 0.03))
    sound = tree.mix(halo * 0.5, tree.own_color(), (0.12, 0.05, 0.025))
    bare = 1.0 - tree.ramp(tree["saturation"], 0.06, 0.2)
    rough = tree.mix(rust, tree["roughness"] + halo * 0.2, 0.72 + fine * 0.25)
    height = rust * (0.25 + fine * 0.75)
    return tree.principled(tree.mix(rust, sound, brown), rough, tree.bump(height, 0.02), metallic=bare * (1.0 - rust))
