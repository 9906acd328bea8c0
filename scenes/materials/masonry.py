"""How the materials that lay bricks or tiles lay them, so that cracks can keep to their joints."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.cracks.generators.masonry import Bond
from scenes.record.scene import Material


@dataclass(frozen=True)
class Courses:
    """A family's layout, in bricks' lengths with their joint.

    course: from one bed joint to the next. joint: half the width of the mortar. shift: of every other course. size: the
    parameter that says how large they are; per_meter: whether it counts them on a meter, or is their length in meters.
    rise: how far up the parameter seed moves them; it moves them one to the left.
    """

    course: float
    joint: float
    shift: float
    size: str
    per_meter: bool
    rise: float


COURSES: dict[str, Courses] = {
    "brickwork": Courses(course=0.31, joint=0.022, shift=0.5, size="length", per_meter=False, rise=0.7),
    "brick": Courses(course=0.34, joint=0.032, shift=0.5, size="scale", per_meter=True, rise=0.37),
    "tiles": Courses(course=1.0, joint=0.028, shift=0.0, size="scale", per_meter=True, rise=0.37),
}


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
