"""Texture folders: scanned sets by the usual names of their maps, and plain pictures.

The names are those of ambientCG, Poly Haven, 3DTextures, FreePBR, Poliigon, Quixel, TextureCan and Substance Painter. A
map of normals that does not say which way its green goes counts as OpenGL's, as in glTF.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenes.assets.formats import ARCHIVE, ARCHIVES
from scenes.assets.image_gate import ImageGate, Verdict
from scenes.assets.walking import below, is_file

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".tga", ".exr", ".hdr"})

# What the words at the end of a file's name say it shows, without what separates them.
_KINDS = {
    "color": "color", "colour": "color", "basecolor": "color", "basecolour": "color", "albedo": "color",
    "diffuse": "color", "diff": "color", "col": "color",
    "normal": "normal_gl", "normals": "normal_gl", "normalmap": "normal_gl", "nor": "normal_gl", "norm": "normal_gl",
    "nrm": "normal_gl", "normalgl": "normal_gl", "normalogl": "normal_gl", "normalopengl": "normal_gl",
    "norgl": "normal_gl", "normaldx": "normal_dx", "normaldirectx": "normal_dx", "nordx": "normal_dx",
    "roughness": "roughness", "rough": "roughness", "displacement": "displacement", "disp": "displacement",
    "height": "displacement", "heightmap": "displacement", "metalness": "metalness", "metallic": "metalness",
    "metal": "metalness", "ambientocclusion": "ao", "occlusion": "ao", "mixedao": "ao", "occ": "ao", "ao": "ao",
    "arm": "arm", "orm": "arm", "opacity": "opacity", "alpha": "opacity", "mask": "opacity",
    **dict.fromkeys(
        (
            "specular", "specularlevel", "spec", "reflection", "refl", "gloss", "glossiness", "smoothness", "bump",
            "emission", "emissive", "cavity", "curvature", "translucency", "translucent", "transmission", "thickness",
            "metalrough", "metallicroughness", "roughnessmetallic", "metallicsmoothness", "fuzz", "anisotropy",
        ),
        "unused",
    ),
}  # fmt: skip
# Words that a photograph's name may end with, too: red_metal.jpg shows metal.
_DOUBTFUL = frozenset((
    "metal", "metallic", "rough", "mask", "alpha", "height", "nor", "norm", "disp", "arm", "occ", "bump", "spec", "col",
    "diff", "reflection", "cavity", "transmission", "fuzz", "smoothness",
))  # fmt: skip
# Those that may be written in two words. Not all may: rusty_metal_rough.jpg is the roughness of "rusty_metal".
_TWO_WORDS = frozenset((
    "basecolor", "basecolour", "normalmap", "normalgl", "normalogl", "normalopengl", "norgl", "normaldx",
    "normaldirectx", "nordx", "ambientocclusion", "mixedao", "heightmap", "specularlevel",
))  # fmt: skip
_SIZE = re.compile(r"\d+k|(?:256|512|1024|2048|4096|8192)(?:x\d+)?", re.IGNORECASE)
# Quixel writes for which level of detail a map of normals is: Brick_2K_Normal_LOD0.
_LEVEL = re.compile(r"lod\d", re.IGNORECASE)
# Poly Haven has several colors of some surfaces: fabric_col_1_1k.png, leather_coll1_1k.jpg.
_NUMBERED = re.compile(r"(.+?)[-_. ]coll?[-_. ]?\d{1,2}((?:[-_. ]\d+k)?)", re.IGNORECASE)
_PREVIEW = re.compile(r"(?:^|[-_. ])(?:preview|thumb|thumbnail)\d*$", re.IGNORECASE)
# Poliigon writes the workflow last: Oak_COL_2K_METALNESS.
_WORKFLOWS = frozenset({"metalness", "specular"})


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

    Files named `<set>_<map>` or `<set>_<map>_<size>` make a set, and so do files named `<map>` in a folder of their
    own. The color may also be named `<set>` alone or, where there are several, `<set>_col_1`. All else is a picture,
    which is a set of one color, unless its name begins with that of a scanned set beside it, or says that it is a
    preview (scanned sets come with those). A set's name is its path below `folder`.
    """
    rejected: dict[Path, str] = {}
    sets: dict[str, TextureSet] = {}
    for place, files in _by_folder(folder, rejected):
        scans, pictures, useless = _grouped(files)
        rejected |= useless
        named = [(_name(folder, place, base), maps) for base, maps in scans.items()]
        named += [(_name(folder, place, path.stem), {"color": path}) for path in pictures]
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


def _by_folder(folder: Path, rejected: dict[Path, str]) -> Iterator[tuple[Path, list[Path]]]:
    places: dict[Path, list[Path]] = defaultdict(list)
    for path in below(folder):
        if is_file(str(path)) and path.suffix.lower() in IMAGE_SUFFIXES:
            places[path.parent].append(path)
        elif path.suffix.lower() in ARCHIVES:
            rejected[path] = ARCHIVE
    yield from places.items()


@dataclass(frozen=True)
class _Read:
    """What a file's name says. base: the name of the set, "" if there is none. word: in small letters."""

    path: Path
    base: str
    word: str

    @property
    def kind(self) -> str:
        return _KINDS[self.word]


def _read(path: Path) -> _Read | None:
    """The end of a name that says what the file shows; None if it says nothing."""
    found = list(re.finditer(r"[^-_. ]+", path.stem))
    words = [one.group() for one in found]
    if len(words) > 2 and words[-1].lower() in _WORKFLOWS and _SIZE.fullmatch(words[-2]):
        words.pop()
    if len(words) > 1 and _LEVEL.fullmatch(words[-1]):
        words.pop()
    size = f"_{words.pop()}" if len(words) > 1 and _SIZE.fullmatch(words[-1]) else ""
    for length, known in ((2, _TWO_WORDS), (1, _KINDS)):
        word = "".join(words[-length:]).lower()
        if len(words) >= length and word in known:
            begins = found[len(words) - length].start()
            return _Read(path, path.stem[:begins].rstrip("-_. ") + size, word)
    return None


def _grouped(files: list[Path]) -> tuple[dict[str, dict[str, Path]], list[Path], dict[Path, str]]:
    """Scanned sets by name, the pictures that belong to none, and what is neither, with the reason."""
    groups: dict[str, list[_Read]] = defaultdict(list)
    pictures: list[Path] = []
    for path in sorted(files):
        read = _read(path)
        if read is None:
            pictures.append(path)
        else:
            groups[read.base].append(read)
    found = [(_NUMBERED.fullmatch(path.stem), path) for path in reversed(pictures)]
    numbered = {match[1] + match[2]: path for match, path in found if match}
    for base in [base for base, reads in groups.items() if base not in numbered and _are_pictures(base, reads)]:
        pictures += [read.path for read in groups.pop(base)]
    # The color may have the bare name: bricks.jpg beside bricks_normal.jpg.
    bare = numbered | {path.stem: path for path in reversed(pictures)}
    rejected: dict[Path, str] = {}
    sets = {base: _maps(reads, bare.get(base), rejected) for base, reads in groups.items()}
    left = set(pictures).difference(*(maps.values() for maps in sets.values()))
    # Scans come with previews: Metal001.png, Metal001_PREVIEW.jpg.
    scanned = {re.sub(r"[-_. ]\d+k\b.*$", "", base, flags=re.IGNORECASE) for base in sets if len(sets[base]) > 1}
    previews = {path for path in left if scanned and _PREVIEW.search(path.stem)}
    previews |= {path for path in left if not scanned.isdisjoint(_beginnings(path.stem))}
    rejected |= dict.fromkeys(sorted(previews), "is no map of the texture set beside it")
    return {base: maps for base, maps in sets.items() if maps}, sorted(left - previews), rejected


def _maps(reads: list[_Read], bare: Path | None, rejected: dict[Path, str]) -> dict[str, Path]:
    """The maps of a set by kind. bare: the picture that has the set's own name. rejected: gets the files left over."""
    maps: dict[str, Path] = {}
    for read in reads:
        if read.kind == "unused":
            rejected[read.path] = f"is a map of a kind that is not used ({read.word})"
        elif read.kind in maps:
            rejected[read.path] = f"is the same map as {maps[read.kind].name} beside it"
        else:
            maps[read.kind] = read.path
    if "color" not in maps and bare is not None:
        maps["color"] = bare
    return maps


def _beginnings(stem: str) -> list[str]:
    """A name, and what stands before each of its separators."""
    return [stem, *(stem[: match.start()] for match in re.finditer(r"[-_. ]", stem) if match.start())]


def _are_pictures(base: str, reads: list[_Read]) -> bool:
    """Whether files are pictures, though their names end like those of maps: red_metal.jpg, or color.jpg."""
    sure = any(read.word not in _DOUBTFUL and read.kind != "color" for read in reads)
    if len(reads) > 1 and any(read.kind == "color" for read in reads):
        return False
    return not sure and (not base or any(read.kind != "color" for read in reads))


def _name(folder: Path, place: Path, base: str) -> str:
    """The path of a set below the folder; a folder that only wraps a set of its own name does not count.

    Maps without a name of their own make a set with the name of their folder.
    """
    parts = place.relative_to(folder).parts
    if not base:
        return "/".join(parts) or place.name
    if parts and parts[-1] == base:
        parts = parts[:-1]
    return "/".join((*parts, base))
