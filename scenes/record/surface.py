"""A cracked surface as it stands in a scene: the crack, and everything on the surface that is no crack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenes.record.material import Material, Vector


@dataclass(frozen=True)
class Crack:
    """A crack in a surface. kind: a generator of `scenes.cracks`; width: mm, nominal; the shape across as in
    `scenes.cracks.relief.Profile`; deposit: what lies in it and around it, a material of the family "deposit";
    healed_tone: albedo of what fills its healed stretches over that of the surface.
    """

    kind: str
    width: float
    depth: float
    steepness: float
    roughness: float
    fill: float
    grains: float
    reach: float
    raised: float
    crumble: float
    deposit: Material
    healed_tone: float = 1.0


@dataclass(frozen=True)
class Decal:
    """A crack through the main object, seen in the direction in which its `size` mm square patch is projected on
    it.

    crack: None in pictures that show the object without one; its width is that on the patch. Where the surface leans
    away from the patch, the crack on it is wider. right, down: the patch's axes in model coordinates,
    unit vectors; the model's origin is the patch's middle. pixel: mm a pixel covers at the object. visible: how much
    the crack differs from the object's materials, at least; see the config.
    """

    crack: Crack | None
    size: float
    pixel: float
    right: Vector
    down: Vector
    visible: float = 0.0


@dataclass(frozen=True)
class Joint:
    """A straight joint in a surface. It is not a crack. Fields: the angle of its line in degrees from x, the line's
    distance from the patch's center, width and depth, all mm.
    """

    angle: float
    offset: float
    width: float
    depth: float


@dataclass(frozen=True)
class Seal:
    """A band of filler over a former crack. It is not labeled as a crack. kind: the generator of `scenes.cracks`
    that drew it; width and height above the surface, mm.
    """

    kind: str
    width: float
    height: float


COVERS = ("manhole", "grate")
"""The kinds of debris that lie in floors as covers."""


@dataclass(frozen=True)
class Debris:
    """A thing that lies on a surface: at x, y mm from what the camera looks at, turned, `size` mm long."""

    kind: Literal["twig", "cable", "leaf", "pebble", "manhole", "grate"]
    x: float
    y: float
    angle: float
    size: float
    material: Material


@dataclass(frozen=True)
class ShadowCaster:
    """A thing outside the picture that throws a shadow on it. It lies `distance` m towards the first lamp, or
    straight up if there is no lamp. It is `size` mm wide, rotated by `angle` degrees and moved sideways by `offset`
    mm.
    """

    kind: Literal["edge", "pole", "fence", "branch"]
    angle: float
    offset: float
    size: float
    distance: float


@dataclass(frozen=True)
class Surface:
    """A flat patch that fills the picture: a floor at z = 0, or a wall that faces -y.

    The patch reaches from `corner` (left, top) for `size` (width, height), all mm, x to the right and y down,
    around what the camera looks at. pixel: mm a pixel covers in the middle of the picture. Things that are not
    cracks: joints, marks (overlays of the family "mark": paint, scratches, stains), debris, shadow_casters, seals.
    filler: the material of the seals, and of healed cracks but for the color; an overlay of the family "filler".
    zoom: the picture shows no finer detail than one that is enlarged as many times.
    """

    placement: Literal["floor", "wall"]
    material: Material
    pixel: float
    corner: tuple[float, float]
    size: tuple[float, float]
    crack: Crack | None = None
    joints: tuple[Joint, ...] = ()
    marks: tuple[Material, ...] = ()
    debris: tuple[Debris, ...] = ()
    shadow_casters: tuple[ShadowCaster, ...] = ()
    seals: tuple[Seal, ...] = ()
    filler: Material | None = None
    zoom: float = 1.0

    def frame(self) -> np.ndarray:
        """(4, 4) float64 from patch axes (meters, x right, y up, z out of the surface) to the world."""
        matrix = np.eye(4)
        if self.placement == "wall":
            matrix[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
        return matrix
