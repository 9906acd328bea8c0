"""Surfaces that crack: what is drawn of them, where the camera stands, and the geometry they come to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from scenes.config.surface import CrackFactor, SurfaceFactor
from scenes.cracks.contour import Contour, Stroke
from scenes.cracks.generators.masonry import Bond
from scenes.cracks.registry import GENERATORS, sample
from scenes.cracks.relief import Band, Profile, Relief, relief
from scenes.cracks.weathering import sealed
from scenes.materials.masonry import COURSES, bond_of
from scenes.record.scene import Camera, Crack, Decal, Item, Joint, Litter, Material, Scene, Surface, rotation_matrix
from scenes.sampling.distractors import ExtrasDraw
from scenes.sampling.draw import vector
from scenes.sampling.placement import cross, direction
from scenes.streams import Streams

CRUST = ("dirt", "hue", "saturation", "value", "moss", "stain", "stain_value", "moisture")
_SHAPE = ("depth", "steepness", "roughness", "fill")
_IN_WIDTHS = ("grains", "reach", "raised", "crumble")

# No ray of the picture meets the surface at less than this many degrees.
_GRAZING = 12.0
# A decal's patch is this much wider than the object's diagonal.
_AROUND = 1.05
# Pixels by which the patch is larger than the picture: its border must not be seen, nor shade what is.
_RIM = 8.0
# Fine cells of the mesh, in pixels of the middle of the picture.
_CELL = 0.5


class SurfaceDraw(ExtrasDraw):
    """The part of a scene's draw that concerns a surface."""

    def patch(self, factor: SurfaceFactor) -> tuple[Camera, Surface]:
        placement = self.value("surface.placement", factor.placement)
        pixel = self.value("surface.scale", factor.scale)
        bare = Surface(placement, self.dressed_surface(factor), pixel, (0.0, 0.0), (0.0, 0.0))
        camera = self.surface_camera(factor, bare)
        low, high = footprint(camera, bare)
        size = (float(high[0] - low[0]), float(high[1] - low[1]))
        crack = self.crack(factor.crack, pixel, "surface.crack", laid=bare.material.family in COURSES)
        span = pixel * min(self.config.camera.resolution)
        seals = tuple(self.seal(factor, k, pixel) for k in range(self.number("seals", factor.seals)))
        return camera, Surface(
            placement, bare.material, pixel, (float(low[0]), float(low[1])), size, crack,
            joints=tuple(self.joint(factor, k, pixel, span) for k in range(self.number("joints", factor.joints))),
            marks=tuple(self.mark(factor, k, pixel, span) for k in range(self.number("marks", factor.marks))),
            litter=self.litter(factor, placement, pixel, span),
            shades=tuple(self.shade(factor, k, pixel, span) for k in range(self.number("shades", factor.shades))),
            seals=seals,
            filler=self.filler(factor, bare.material, pixel, sealed=bool(seals)),
        )  # fmt: skip

    def litter(self, factor: SurfaceFactor, placement: str, pixel: float, span: float) -> tuple[Litter, ...]:
        things = [self.thing(factor, k, pixel, span) for k in range(self.number("litter", factor.litter))]
        # No wall has a manhole.
        covers = self.number("covers", factor.covers) if placement == "floor" else 0
        return (*things, *(self.cover(factor, k, pixel, span) for k in range(covers)))

    def dressed_surface(self, factor: SurfaceFactor) -> Material:
        return self.dressed(self.value("surface.family", factor.family), "surface.material", metric=True)

    def surface_camera(self, factor: SurfaceFactor, surface: Surface) -> Camera:
        """The camera, looking at the origin."""
        lens = self.config.camera
        width, height = lens.resolution
        focal = self.value("camera.focal_length", lens.focal_length)
        half_view = math.degrees(math.atan(math.hypot(width, height) / max(width, height) * 18.0 / focal))
        tilt = min(self.value("surface.obliqueness", factor.obliqueness), max(90.0 - _GRAZING - half_view, 0.0))
        side = 0.0 if surface.placement == "floor" else self.value("surface.side", factor.side)
        # Where the surface faces up, elevation 90 looks along its normal.
        towards = surface.frame()[:3, :3] @ direction(side, 90.0 - tilt)
        distance = surface.pixel / 1000 * focal / 36.0 * max(width, height)
        return Camera(
            location=vector(towards * distance),
            target=(0.0, 0.0, 0.0),
            roll=self.value("camera.roll", lens.roll),
            focal_length=focal,
            width=width,
            height=height,
            fstop=self.value("camera.fstop", lens.fstop),
        )

    def crack(self, factor: CrackFactor, pixel: float, key: str, laid: bool = False) -> Crack | None:
        """laid: whether there are joints to keep to."""
        if not self.value(f"{key}.present", factor.present):
            return None
        width = self.value(f"{key}.width", factor.width) * pixel
        kind = "" if factor.kind is None else str(self.value(f"{key}.kind", factor.kind))
        if laid and self.value(f"{key}.stepped", factor.stepped):
            kind = "masonry"
        drawn = {name: self.value(f"{key}.{name}", getattr(factor, name)) for name in (*_SHAPE, *_IN_WIDTHS)}
        shape = {name: value * width if name in _IN_WIDTHS else value for name, value in drawn.items()}
        crust = {name: self.value(f"{key}.{name}", getattr(factor, name)) for name in CRUST}
        crust |= {"width": width, "seed": 50 * self.streams.quantile(f"{key}.seed")}
        return Crack(kind=kind, width=width, crust=Material("crust", crust), **shape)

    def decal(self, factor: CrackFactor, item: Item, camera: Camera) -> Decal:
        """A crack through an item, or none, projected from about where the camera stands."""
        key = "objects.crack"
        away = np.subtract(camera.location, item.location)
        distance = float(np.linalg.norm(away))
        pixel = 1000 * distance / camera.intrinsics()[0, 0]
        turn, tilt = (2 * math.pi * self.streams.quantile(f"{key}.{name}") for name in ("turn", "tilt"))
        towards = away / distance
        right = cross(towards, (0.0, 0.0, 1.0) if abs(towards[2]) < 0.9 else (0.0, 1.0, 0.0))
        right /= np.linalg.norm(right)
        up = cross(right, towards)
        # Up to 35 degrees off the view: the patch must fall on what is seen, but cracks heed no camera.
        lean = math.sin(math.radians(35)) * (math.cos(tilt) * right + math.sin(tilt) * up)
        towards = (towards + lean) / np.linalg.norm(towards + lean)
        first = right - towards * (right @ towards)
        first /= np.linalg.norm(first)
        second = cross(towards, first)
        back = rotation_matrix(item.rotation).T
        return Decal(
            crack=self.crack(factor, pixel, key),
            size=1000 * _AROUND * item.scale,
            pixel=pixel,
            right=vector(back @ (math.cos(turn) * first + math.sin(turn) * second)),
            down=vector(back @ (math.cos(turn) * second - math.sin(turn) * first)),
        )


def footprint(camera: Camera, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest coordinates (2,) in patch mm, x right and y down, that the picture shows, and a rim."""
    x, y = np.meshgrid([-_RIM, camera.width + _RIM], [-_RIM, camera.height + _RIM])
    points = on_surface(camera, surface, np.stack([x.ravel(), y.ravel()], axis=1))
    return points.min(axis=0), points.max(axis=0)


def on_surface(camera: Camera, surface: Surface, pixels: np.ndarray) -> np.ndarray:
    """(n, 2) mm from what the camera looks at, x right, y down, where rays through pixels (n, 2) meet the surface."""
    k = camera.intrinsics()
    local = np.column_stack([(pixels - k[:2, 2]) / k[[0, 1], [0, 1]], np.ones(len(pixels))])
    frame = surface.frame()[:3, :3]
    ways = local @ camera.world_to_camera()[:3, :3] @ frame
    eye = np.array(camera.location) @ frame
    hit = eye - ways * (eye[2] / ways[:, 2])[:, None]
    return hit[:, :2] * (1000.0, -1000.0)


def contour_of(scene: Scene) -> Contour:
    """The crack of a scene's surface in patch mm, from the patch's corner; empty where there is none.

    Raises InputError where the crack is as wide as the patch.
    """
    surface = _surface(scene)
    if surface.crack is None:
        return Contour((), (), surface.size)
    bond = bond_of(surface.material, surface.corner)
    return _contour(scene, surface.crack, surface.size, surface.pixel, "surface.crack", bond)


def decal_contour(scene: Scene, decal: Decal) -> Contour:
    """The crack through a scene's main object, in mm from its patch's corner; empty and raising as `contour_of`."""
    size = (decal.size, decal.size)
    if decal.crack is None:
        return Contour((), (), size)
    return _contour(scene, decal.crack, size, decal.pixel, "objects.crack")


def _contour(
    scene: Scene, crack: Crack, size: tuple[float, float], pixel: float, key: str, bond: Bond | None = None
) -> Contour:
    rng = Streams(scene.seed, scene.index).generator(f"{key}.contour")
    return sample(rng, size, crack.kind or None, crack.width, detail=0.8 * pixel, bond=bond)


def filled_of(scene: Scene, contour: Contour) -> tuple[Band, ...]:
    """What was filled in a scene's surface, in patch mm from its corner: healed strokes and seals.

    Beside seals healed strokes are bands, too, but not filled: what seals are of is dark, and would look like a crack.
    """
    surface = _surface(scene)
    # As level as a hand leaves it.
    healed = tuple(replace(stroke, kind="crack") for stroke in contour.strokes if stroke.kind == "healed")
    bands = [Band(Contour(healed, (), surface.size), 0.0, surface.pixel, filled=not surface.seals)] if healed else []
    for k, seal in enumerate(surface.seals):
        rng = Streams(scene.seed, scene.index).generator(f"surface.seals.{k}.contour")
        old = GENERATORS[seal.kind](rng, surface.size, 0.2 * seal.width, 0.05 * seal.width)
        bands.append(Band(sealed(rng, old, seal.width), seal.height, 0.3 * seal.width, filled=True))
    return tuple(bands)


def relief_of(scene: Scene, contour: Contour) -> Relief:
    """The mesh of a scene's surface, in patch mm from the patch's corner."""
    surface = _surface(scene)
    rng = Streams(scene.seed, scene.index).generator("surface.crack.relief")
    crack = surface.crack
    shape = {name: getattr(crack, name) for name in (*_SHAPE, *_IN_WIDTHS)} if crack else {}
    grooves = tuple(_groove(surface, joint) for joint in surface.joints)
    bands = (*grooves, *filled_of(scene, contour))
    return relief(contour, Profile(**shape), _CELL * surface.pixel, rng, bands)


def _groove(surface: Surface, joint: Joint) -> Band:
    """A joint across the whole patch."""
    angle = math.radians(joint.angle)
    along, aside = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    reach = math.hypot(*surface.size)
    middle = -np.array(surface.corner) + joint.offset * aside
    points = middle + np.linspace(-reach, reach, 64)[:, None] * along
    contour = Contour((Stroke(points, np.full(64, joint.width)),), (), surface.size)
    return Band(contour, -joint.depth, edge=0.25 * joint.width)


def _surface(scene: Scene) -> Surface:
    assert scene.surface is not None
    return scene.surface
