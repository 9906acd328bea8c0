"""Texture folders: scanned sets in the naming of ambientCG and Poly Haven, and folders of plain pictures."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenes.assets.image_gate import ImageGate, Verdict
from scenes.assets.walking import below, is_file

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".exr", ".hdr"})

# What the words at the end of a file's name say it shows.
_KINDS = {
    "color": "color", "basecolor": "color", "albedo": "color", "diffuse": "color", "diff": "color", "col": "color",
    "normalgl": "normal_gl", "nor_gl": "normal_gl", "normaldx": "normal_dx", "nor_dx": "normal_dx",
    "roughness": "roughness", "rough": "roughness", "displacement": "displacement", "disp": "displacement",
    "height": "displacement", "metalness": "metalness", "metallic": "metalness", "metal": "metalness",
    "ambientocclusion": "ao", "ao": "ao", "arm": "arm", "opacity": "opacity", "alpha": "opacity", "mask": "opacity",
}  # fmt: skip
_WORDS = "|".join(sorted(_KINDS, key=len, reverse=True))
_NAME = re.compile(rf"^(?P<set>.+?)_(?P<kind>{_WORDS})(?:_(?P<size>\d+k))?$", re.IGNORECASE)


@dataclass(frozen=True)
class TextureSet:
    """A surface: image files by map kind, one of color, normal_gl, normal_dx, roughness, displacement, metalness, ao,
    arm (occlusion, roughness, metalness in one picture) and opacity. It always has a color."""

    name: str
    maps: Mapping[str, Path]


@dataclass(frozen=True)
class Found:
    """sets: sorted by name. rejected: the files that are in no set, with the reason."""

    sets: tuple[TextureSet, ...]
    rejected: Mapping[Path, str]


def find_texture_sets(folder: Path) -> Found:
    """The texture sets below a folder, by the names of the files. No file is opened.

    Files named `<set>_<map>` or `<set>_<map>_<size>` make a set; a picture that is no map is a set of one color,
    unless it lies beside a scanned set (those come with previews). A set's name is its path below `folder`.
    """
    rejected: dict[Path, str] = {}
    sets: dict[str, TextureSet] = {}
    for place, files in _by_folder(folder):
        scans, others = _grouped(files)
        named = [(_name(folder, place, base), maps) for base, maps in scans.items()]
        if scans:
            rejected |= dict.fromkeys(others, "is no map of the texture set beside it")
        else:
            named += [(_name(folder, place, path.stem), {"color": path}) for path in others]
        for name, maps in named:
            if "color" in maps:
                # Two pictures can share a stem: a.jpg beside a.png.
                unique = name if name not in sets else f"{name}{maps['color'].suffix}"
                sets[unique] = TextureSet(unique, maps)
            else:
                rejected |= dict.fromkeys(maps.values(), without_color(name))
    return Found(tuple(sets[name] for name in sorted(sets)), rejected)


def judged(
    one: TextureSet, gate: ImageGate, known: Mapping[Path, Verdict] | None = None
) -> tuple[dict[str, Verdict], dict[Path, str]]:
    """The maps of a set that can be used, by kind, and the others with the reason. Without its color none is used.

    known: verdicts that the gate need not give.
    """
    known = known or {}
    verdicts = {**gate.judged([path for path in one.maps.values() if path not in known], "map"), **known}
    rejected = {path: verdicts[path].reason for path in one.maps.values() if verdicts[path].reason}
    if one.maps["color"] in rejected:
        return {}, {**dict.fromkeys(one.maps.values(), without_color(one.name)), **rejected}
    return {kind: verdicts[path] for kind, path in one.maps.items() if path not in rejected}, rejected


def without_color(name: str) -> str:
    """The reason why the maps of a set are not used."""
    return f"the texture set '{name}' has no color map that can be used"


def _by_folder(folder: Path) -> Iterator[tuple[Path, list[Path]]]:
    places: dict[Path, list[Path]] = defaultdict(list)
    for path in below(folder):
        if is_file(str(path)) and path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
            places[path.parent].append(path)
    yield from places.items()


def _grouped(files: list[Path]) -> tuple[dict[str, dict[str, Path]], list[Path]]:
    """Scanned sets by name, and the pictures that belong to none."""
    groups: dict[str, dict[str, Path]] = defaultdict(dict)
    others: list[Path] = []
    for path in files:
        match = _NAME.match(path.stem)
        if match is None:
            others.append(path)
            continue
        size = f"_{match['size']}" if match["size"] else ""
        groups[match["set"] + size].setdefault(_KINDS[match["kind"].lower()], path)
    # A lone "red_metal.jpg" is a picture of red metal, not the metalness of "red".
    lone = [base for base, maps in groups.items() if len(maps) == 1 and "color" not in maps]
    others += [path for base in lone for path in groups.pop(base).values()]
    return dict(groups), sorted(others)


def _name(folder: Path, place: Path, base: str) -> str:
    """The path of a set below the folder; a folder that only wraps a set of its own name does not count."""
    parts = place.relative_to(folder).parts
    if parts and parts[-1] == base:
        parts = parts[:-1]
    return "/".join((*parts, base))
