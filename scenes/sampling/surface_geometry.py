"""The geometry of a cracked surface or object: contours, filled bands, the mesh."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from scenes.config.objects import Config
from scenes.cracks.contour import Contour, Stroke
from scenes.cracks.generators.masonry import Bond
from scenes.cracks.registry import GENERATORS, sample
from scenes.cracks.relief import Band, Profile, Relief, relief
from scenes.cracks.weathering import sealed
from scenes.materials.albedo import brightened, mean_color
from scenes.materials.masonry import bond_of
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.record.scene import Scene
from scenes.record.surface import Crack, Decal, Joint, Surface
from scenes.streams import Streams

SHAPE = ("depth", "steepness", "roughness", "fill")
IN_WIDTHS = ("grains", "reach", "raised", "crumble")
"""What a crack's profile across is given by: shares and factors, and lengths that the config counts in widths."""

# Pixels by which the patch is larger than the picture: its border must not be visible or throw visible shadows.
_RIM = 8.0
# Fine cells of the mesh, in pixels of the middle of the picture.
_CELL = 0.5
_RENAMED = Config.renamed()


def generator(scene: Scene, factor: str) -> np.random.Generator:
    """A random generator for a factor of the scene that needs more than one number."""
    return Streams(scene.seed, scene.index, None, _RENAMED).generator(factor)


def footprint(camera: Camera, surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest coordinates (2,) in patch mm, x right and y down, that the picture shows, and a rim."""
    # Where the lens bends lines, the sides of the picture can reach farther than its corners.
    count = 2 if camera.distortion is None else 33
    x, y = np.meshgrid(*(np.linspace(-_RIM, side + _RIM, count) for side in (camera.width, camera.height)))
    points = on_surface(camera, surface, np.stack([x.ravel(), y.ravel()], axis=1))
    return points.min(axis=0), points.max(axis=0)


def on_surface(camera: Camera, surface: Surface, pixels: np.ndarray) -> np.ndarray:
    """(n, 2) mm from what the camera looks at, x right, y down, where rays through pixels (n, 2) meet the surface."""
    frame = surface.frame()[:3, :3]
    ways = camera.rays(pixels) @ camera.world_to_camera()[:3, :3] @ frame
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
    rng = generator(scene, f"{key}.contour")
    return sample(rng, size, crack.kind or None, crack.width, detail=0.8 * pixel, bond=bond)


def filled_of(scene: Scene, contour: Contour) -> tuple[Band, ...]:
    """What was filled in a scene's surface, in patch mm from its corner: healed strokes and seals.

    On a surface with seals, healed strokes are bands without filler: the filler of seals is dark and would look like a
    crack.
    """
    surface = _surface(scene)
    healed = tuple(replace(stroke, kind="crack") for stroke in contour.strokes if stroke.kind == "healed")
    bands = [Band(Contour(healed, (), surface.size), 0.0, surface.pixel, filled=not surface.seals)] if healed else []
    for k, seal in enumerate(surface.seals):
        rng = generator(scene, f"surface.seals.{k}.contour")
        old = GENERATORS[seal.kind](rng, surface.size, 0.2 * seal.width, 0.05 * seal.width)
        bands.append(Band(sealed(rng, old, seal.width), seal.height, 0.3 * seal.width, filled=True))
    return tuple(bands)


def filler_of(surface: Surface) -> Material | None:
    """The material of what was filled, fitted to the surface around: stains continue across it.

    On a surface with seals it is theirs. Elsewhere it is that of healed cracks, which has the surface's color.
    """
    if surface.filler is None:
        return None
    around, look = surface.material, dict(surface.filler.parameters)
    look |= {name: around.parameters[name] for name in ("stains", "seed") if name in around.parameters}
    if not surface.seals and surface.crack:
        hue, saturation, value = mean_color(around)
        tone = brightened(value, surface.crack.healed_tone)
        look |= {"hue": hue, "saturation": 0.8 * saturation, "value": tone}
    return Material(surface.filler.family, look)


def relief_of(scene: Scene, contour: Contour) -> Relief:
    """The mesh of a scene's surface, in patch mm from the patch's corner."""
    surface = _surface(scene)
    rng = generator(scene, "surface.crack.relief")
    crack = surface.crack
    shape = {name: getattr(crack, name) for name in (*SHAPE, *IN_WIDTHS)} if crack else {}
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
