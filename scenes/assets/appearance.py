"""Materials of model files, reduced to a color, a few numbers and a color map; and roles guessed from their names."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scenes.assets.references import References, clean
from scenes.mesh import Appearance, Part

GRAY = 0.8

# Decoders raise any kind of exception for a broken picture.
BROKEN = Exception

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


class Looks:
    """The appearances of one file's materials. refers: the files that it names. scratch: folder for its maps. lost: a
    line for each that is missing or broken."""

    def __init__(self, refers: References, scratch: Path, lost: list[str]):
        self._refers, self._scratch, self.lost = refers, scratch, lost
        self._pictures: dict[int, Path | None] = {}

    def of(self, material: Any, tint: NDArray[np.float64] | None, has_uvs: bool) -> Appearance | None:
        """From trimesh's material, or where there is none from `tint`, a mean display color."""
        if material is None:
            return None if tint is None else Appearance(_linear(tint))
        image = getattr(material, "image", None)
        texture = self._picture(image) if image is not None and has_uvs else None
        mask = self._named(material.kwargs.get("map_d")) if has_uvs else None
        return _from_mtl(material.kwargs, texture, None if mask is None else self._opacity(mask))

    def _named(self, words: list[str] | None) -> Image.Image | None:
        """The picture that a line of an MTL file names."""
        path = self._refers.found.get(clean(" ".join(words or ())))
        if path is None:
            return None
        try:
            with _strict():
                return Image.open(path)
        except BROKEN:
            self.lost.append(f"'{path.name}' cannot be read")
            return None

    def _opacity(self, image: Image.Image) -> Path | None:
        try:
            return opacity_map(image, self._scratch, gray=True)
        except BROKEN:
            self.lost.append("an opacity map cannot be read")
            return None

    def _picture(self, image: Image.Image) -> Path | None:
        if id(image) not in self._pictures:
            self._pictures[id(image)] = _kept(image, self._scratch)
        if self._pictures[id(image)] is None:
            self.lost.append("a color map cannot be read")
        return self._pictures[id(image)]


def _from_mtl(values: Mapping[str, Any], texture: Path | None, opacity: Path | None) -> Appearance:
    """Kd in MTL is a display color. It is ignored if there is a map: exporters leave it black or white then."""
    given = np.array(values.get("kd", GRAY), dtype=np.float64).reshape(-1)
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


def opacity_map(image: Image.Image, scratch: Path, gray: bool = False) -> Path | None:
    """Save the opacity in a picture as a gray PNG file in `scratch`.

    The opacity is the alpha channel. With `gray`, a picture without one, or with one that says nothing, is an opacity
    map itself. Returns None if the picture is opaque everywhere. Raises one of BROKEN if it cannot be decoded.
    """
    with _strict():
        image.load()
        alpha = image.convert("RGBA").getchannel("A")
        if gray and alpha.getextrema() == (255, 255):
            # Pillow cuts numbers of 16 bits off at 255 when it converts them.
            wide = image.mode.startswith("I")
            alpha = Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if wide else image.convert("L")
    if alpha.getextrema() == (255, 255):
        return None
    path = scratch / f"map{len(list(scratch.iterdir()))}.png"
    alpha.save(path)
    return path


def _kept(image: Image.Image, scratch: Path) -> Path | None:
    """The picture as a file of its own: its bytes if it is PNG or JPEG, else PNG. None if it cannot be decoded."""
    path = scratch / f"map{len(list(scratch.iterdir()))}"
    try:
        with _strict():
            stream = getattr(image, "fp", None)
            if image.format in ("PNG", "JPEG") and stream is not None:
                stream.seek(0)
                data = stream.read()
                Image.open(io.BytesIO(data)).load()
                path = path.with_suffix(".png" if image.format == "PNG" else ".jpg")
                path.write_bytes(data)
                return path
            path = path.with_suffix(".png")
            image.convert("RGBA" if "A" in image.getbands() else "RGB").save(path)
            return path
    except BROKEN:
        path.unlink(missing_ok=True)
        return None


@contextmanager
def _strict() -> Iterator[None]:
    """Refuses pictures that would fill the memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def without_blank(part: Part) -> Part:
    """The part without its material, if that material is plain white or gray and its color map is missing."""
    look = part.appearance
    if look is None or look.texture is not None or part.uvs is None:
        return part
    blank = np.ptp(look.color) < 0.02 and min(look.color) > 0.35
    return replace(part, appearance=None) if blank else part


def _seen(alpha: float) -> float:
    # Some exporters swap opacity and transparency. A fully invisible material means fully opaque.
    return float(np.clip(alpha, 0.0, 1.0)) if alpha > 0.02 else 1.0


def _share(value: Any, default: float) -> float:
    return float(np.clip(_number(value, default), 0.0, 1.0))


def _number(value: Any, default: float) -> float:
    """A finite number from what the parser left: a number, a text, a list of texts."""
    if isinstance(value, (list, tuple)):
        value = value[-1] if value else None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if np.isfinite(number) else default


def _linear(color: NDArray[np.float64]) -> tuple[float, float, float]:
    """Linear RGB of a display color (IEC 61966-2-1)."""
    c = np.clip(np.asarray(color, dtype=np.float64), 0.0, 1.0)
    r, g, b = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(r), float(g), float(b)
