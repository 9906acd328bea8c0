"""Tells by their names which model files are no object of their own: copies in other formats, physics shapes, parts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from scenes.assets.formats import AXES, suffix_of

# The best first: glTF says most of how a surface looks, STL and OFF nothing.
_FORMATS = (".glb", ".gltf", ".usdz", ".usdc", ".usda", ".usd", ".fbx", ".blend", ".obj", ".ply", ".stl", ".off")
# Kenney's and Quaternius' packs have a folder for each format: "OBJ format", "FBX", "Blends".
_FORMAT_FOLDER = re.compile(r"(?:obj|fbx|gltf|glb|usd[acz]?|blend|ply|stl|off|dae)s?(?: format)?", re.IGNORECASE)
# Folders with copies of the same objects, in YCB and in the format of BOP. The best first.
_COPY_FOLDERS = (
    "models", "google_16k", "google_512k", "google_64k", "models_cad", "models_fine", "models_reconst", "models_eval",
    "poisson", "tsdf",
)  # fmt: skip
# YCB's names of meshes that are the same object as `textured`.
_PLAINER = {"nontextured": "textured", "textured_simple": "textured"}
_LEVEL = re.compile(r"[-_ .]lod(\d)$", re.IGNORECASE)
_PHYSICS = re.compile(r"(?:^|[-_ ./])(?:collisions?|vhacd|coacd)(?:$|[-_ ./\d])", re.IGNORECASE)
_POINTS = frozenset(("clouds", "point_sample"))


def no_object(place: str) -> str:
    """Why a file, by its path below the folder of its class, is no object; "" for an object."""
    folder = place.rpartition("/")[0].rpartition("/")[2]
    if _PHYSICS.search(place):
        return "is a shape for the simulation of collisions, which is not drawn"
    if folder == "textured_objs":
        return "is one part of an object of PartNet-Mobility; join the parts of its folder into one file"
    if folder in _POINTS:
        return "lies in a folder of point clouds, which are not drawn"
    return ""


def copies(places: Iterable[str]) -> dict[str, str]:
    """From each file that is a copy of another to that other, which is the best of its copies.

    places: the paths of models, below the folder of their class. Copies have the same name in another format, in a
    folder that is named after a format or for copies (`poisson`), or for another level of detail (`car_LOD2.fbx`).
    """
    groups: dict[tuple[str, ...], list[tuple[tuple[int, ...], str]]] = {}
    for place in places:
        key, rank = _read(place)
        groups.setdefault(key, []).append((rank, place))
    found: dict[str, str] = {}
    for group in groups.values():
        best = min(group)[1]
        found |= {place: best for _, place in group if place != best}
    return found


@lru_cache
def holds_copies(folder: str) -> bool:
    """Whether the name of a folder is that of a format, or that of a kind of copies: it is no class then."""
    return bool(_FORMAT_FOLDER.fullmatch(folder)) or folder.lower() in _COPY_FOLDERS


def _read(place: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """What all copies of an object have in common, and the rank of this one; the lowest is the best."""
    *folders, name = place.split("/")
    stem = name.rpartition(".")[0].lower()
    level = _LEVEL.search(stem)
    plain = _PLAINER.get(stem, stem[: level.start()] if level else stem)
    lesser = [_COPY_FOLDERS.index(one.lower()) for one in folders if one.lower() in _COPY_FOLDERS]
    # Poly Haven's archives are folders such as chair_1k.blend.
    kept = [one.rpartition(".")[0] if suffix_of(one) in AXES else one for one in folders if not holds_copies(one)]
    rank = (sum(lesser), int(level[1]) if level else 0, int(stem in _PLAINER), _FORMATS.index(suffix_of(name)))
    return (*kept, plain), rank
