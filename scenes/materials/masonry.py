"""How the materials that lay bricks or tiles lay them, so that cracks can keep to their joints."""

from __future__ import annotations

from scenes.cracks.generators.masonry import Bond
from scenes.materials.families import COURSES
from scenes.record.material import Material


def bond_of(material: Material, corner: tuple[float, float]) -> Bond | None:
    """The bricks of a surface's material, in patch mm from the patch's corner, itself in mm from what the camera looks
    at; None where the material lays none."""
    laid = COURSES.get(material.family)
    if laid is None:
        return None
    size, seed = (float(material.parameters[name]) for name in (laid.size, "seed"))  # type: ignore[arg-type]
    pitch = 1000 / size if laid.per_meter else 1000 * size
    joint = 2 * laid.joint * pitch
    return Bond(
        length=pitch - joint,
        height=laid.course * pitch - joint,
        joint=joint,
        shift=laid.shift,
        # A head joint lies at each whole number; courses count up from the bed joint at 0, and the one below is odd.
        origin=((round(seed) - seed) * pitch - corner[0], laid.rise * seed * pitch - corner[1]),
    )
