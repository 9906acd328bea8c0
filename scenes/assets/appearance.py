"""Materials of model files, reduced to what the shader takes; and roles guessed from their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import opened
from scenes.assets.model_maps import Maps
from scenes.assets.references import References, clean, tiling
from scenes.errors import LoadError
from scenes.mesh import Appearance, Part, Picture

GRAY = 0.8

# Words in material names and the role that they suggest. The first match counts.
_WORDS = {
    "chrome": ("chrome",),
    "tinted_glass": ("window", "windshield"),
    "glass": ("glass", "vitre"),
    "tyre": ("tire", "tyre"),
    "rubber": ("rubber",),
    "leather": ("leather",),
    "fabric": ("fabric", "cloth", "cotton", "carpet", "textile", "cushion"),
    "wood": ("wood", "oak", "walnut", "pine", "bamboo"),
    "brass": ("brass", "bronze"),
    "gold": ("gold",),
    "aluminium": ("aluminium", "aluminum"),
    "steel": ("steel", "iron"),
    "metal": ("metal",),
    "ceramic": ("ceramic", "porcelain"),
    "stone": ("stone", "marble", "granite", "concrete"),
    "screen": ("screen", "display"),
    "foliage": ("leaf", "leaves", "foliage"),
    "paper": ("paper",),
}


def role_of(material: str, looks: bool = False) -> str:
    """A part's role, with the material's name as suffix: materials of one file vary apart.

    "own" where the file says what the material looks like; else what its name suggests, "plastic" if nothing.
    """
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", material)]
    role = next((r for r, hints in _WORDS.items() if any(w.startswith(hints) for w in words)), "plastic")
    role = "own" if looks else role
    return f"{role}:{material}" if material else role


# Maps of an MTL file beside color and opacity, as in its extension for physically based materials: the input of the
# shader, and the channel. Most exporters write normal maps as bump maps.
_MORE = {
    "map_pr": ("roughness", "R"),
    "map_pm": ("metallic", "R"),
    "map_ke": ("emission_color", "RGB"),
    "map_bump": ("normal", "NORMAL"),
    "bump": ("normal", "NORMAL"),
    "norm": ("normal", "NORMAL"),
}


@dataclass(frozen=True, eq=False)
class Mtl:
    """A material of an MTL file: its name, and the rest of each of its lines by the word before it, in lower case."""

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def look(self, refers: References, maps: Maps, has_uvs: bool) -> Appearance:
        """How it looks. refers: where its pictures are. maps: keeps them."""
        drawn = self._maps(refers, maps) if has_uvs else {}
        texture, mask = drawn.pop("map_kd", None), drawn.pop("map_d", None)
        opacity = None if mask is None else maps.opacity(mask, ("alpha", "brightness"))
        return _with_maps(_from_mtl(self.values, texture, opacity), self.values, drawn)

    def tiling(self, refers: References) -> tuple[tuple[float, float], tuple[float, float]]:
        """The scale and the offset of the UVs: those of the first map that is there."""
        there = (written for key in ("map_kd", "map_d", *_MORE) if refers.file(written := self.values.get(key, "")))
        return tiling(next(there, ""))

    def _maps(self, refers: References, maps: Maps) -> dict[str, Path]:
        """The pictures that can be drawn, by the words of their lines."""
        found, common = {}, self.tiling(refers)
        for key in ("map_kd", "map_d", *_MORE):
            written = self.values.get(key, "")
            path = _picture(written, refers, maps)
            if path is None:
                continue
            reason = "is scaled or shifted unlike the color map" if tiling(written) != common else ""
            if key in ("map_bump", "bump"):
                reason = reason or _no_normals(path)
            if reason:
                maps.lost.append(f"'{Path(clean(written)).name}' ({key}) {reason}")
            else:
                found[key] = path
        return found


def painted(tint: NDArray[np.float64]) -> Appearance:
    """The look of what has no material, but a mean display color."""
    return Appearance(_linear(tint))


def _picture(written: str | None, refers: References, maps: Maps) -> Path | None:
    path = refers.file(written) if written else None
    # What is missing was told when the file's references were looked up.
    return None if path is None or written is None else maps.beside(Path(clean(written)).name, path)


def _from_mtl(values: Mapping[str, str], texture: Path | None, opacity: Path | None) -> Appearance:
    """Kd in MTL is a display color. It is ignored if there is a map: exporters leave it black or white then."""
    given = _numbers(values.get("kd", ""))
    color = np.resize(given, 3) if given.size in (1, 3) and np.isfinite(given).all() else np.full(3, GRAY)
    shine = _number(values.get("ns"), -1.0)
    default = 0.5 if shine < 0 else float(np.sqrt(2.0 / (min(shine, 1e6) + 2.0)))
    alpha = _seen(_number(values.get("d"), 1.0 - _number(values.get("tr"), 0.0)))
    return Appearance(
        color=(1.0, 1.0, 1.0) if texture else _linear(color),
        metallic=_share(_number(values.get("pm"), 0.0), 0.0),
        roughness=_share(_number(values.get("pr"), default), default),
        alpha=alpha,
        texture=texture,
        mode="BLEND" if alpha < 1 or opacity else "OPAQUE",
        opacity=opacity,
    )


def _with_maps(look: Appearance, values: Mapping[str, str], drawn: Mapping[str, Path]) -> Appearance:
    """The look with its light, and with the further maps by the words of their lines. A map replaces the number."""
    given = _numbers(values.get("ke", ""))
    inputs: dict[str, float | tuple[float, ...]] = {}
    if given.size == 3 and np.isfinite(given).all() and given.max() > 0:
        inputs["emission_color"] = (float(given[0]), float(given[1]), float(given[2]))
    for key in drawn:
        name, _ = _MORE[key]
        if name == "emission_color":
            inputs[name] = (1.0, 1.0, 1.0)
        elif name == "normal":
            found = re.search(r"-bm\s+(\S+)", values[key])
            inputs[name] = _number(found[1], 1.0) if found else 1.0
    if "emission_color" in inputs:
        inputs["emission_strength"] = 1.0
    pictures = {name: Picture(path, channel) for key, path in drawn.items() for name, channel in [_MORE[key]]}
    return replace(
        look,
        roughness=1.0 if "roughness" in pictures else look.roughness,
        metallic=1.0 if "metallic" in pictures else look.metallic,
        inputs=inputs,
        pictures=pictures,
    )


def _no_normals(path: Path) -> str:
    """Why a bump map is not drawn; "" if it is a normal map in tangent space: most normals point out of the surface."""
    try:
        with opened(path) as image:
            colored = "R" in image.getbands() or image.mode == "P"
            small = np.asarray(image.convert("RGB").resize((32, 32)), dtype=np.float64)
    except LoadError as error:
        return str(error)
    x, y, z = np.median(small.reshape(-1, 3), axis=0) / 127.5 - 1
    is_normal = colored and z > 0.5 and abs(x) < 0.35 and abs(y) < 0.35
    return "" if is_normal else "is a map of heights, which is not drawn"


def without_blank(part: Part) -> Part:
    """The part without its material, if that material is plain white or gray and its color map is missing."""
    look = part.appearance
    if look is None or look.texture is not None or part.uvs is None or part.colors is not None:
        return part
    blank = np.ptp(look.color) < 0.02 and min(look.color) > 0.35
    return replace(part, appearance=None) if blank else part


def _seen(alpha: float) -> float:
    # Some exporters swap opacity and transparency. A fully invisible material means fully opaque.
    return float(np.clip(alpha, 0.0, 1.0)) if alpha > 0.02 else 1.0


def _share(value: str | float | None, default: float) -> float:
    return float(np.clip(_number(value, default), 0.0, 1.0))


def _number(value: str | float | None, default: float) -> float:
    """The number, or the last of those in a text, if it is finite."""
    numbers = _numbers(value) if isinstance(value, str) else np.array([default if value is None else value])
    return float(numbers[-1]) if numbers.size and np.isfinite(numbers[-1]) else default


def _numbers(text: str) -> NDArray[np.float64]:
    """(k,) the numbers of a text; none if a word of it is no number."""
    try:
        return np.array([float(word) for word in text.split()])
    except ValueError:
        return np.empty(0)


def _linear(color: NDArray[np.float64]) -> tuple[float, float, float]:
    """Linear RGB of a display color (IEC 61966-2-1)."""
    c = np.clip(np.asarray(color, dtype=np.float64), 0.0, 1.0)
    r, g, b = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(r), float(g), float(b)
