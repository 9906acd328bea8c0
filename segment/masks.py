"""Reads masks of cracks as others store them, and finds out which of their values is the crack.

A mask has two values, such as 0 and 1, 0 and 255, 1 and 2, two indices of a palette, two colors or two opacities. The
crack is the value that covers fewer pixels in all masks together, unless the user names it. Masks with many values, as
JPEG makes them, are rounded to 0 and 255 first. Masks of 0 and 1 may lie beside masks of 0 and 255.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import opened
from scenes.errors import InputError, LoadError
from segment import matlab
from segment.statistics.lines import Mask

Values = NDArray[np.int64]

# With more values than this, a mask has soft edges or was compressed with loss.
_FEW = 16
# Least difference in levels of 255 between the two sides of a soft mask.
_APART = 32
# So many masks are looked at to find the value of cracks, and it is told if so large a share is empty or full.
_LOOKED_AT, _NEARLY_ALL = 64, 0.95


@dataclass(frozen=True)
class MaskRule:
    """crack: the value of cracks; None if it is any but `background`. background: None if it is any but `crack`.
    notes: what a user should know about the choice."""

    crack: int | None
    background: int | None
    notes: tuple[str, ...] = ()

    def read(self, path: Path) -> Mask:
        """A mask (h, w) bool, True on cracks. Raises InputError for a file with other values than the rule knows."""
        values = _read(path)
        if self.crack is None:
            return np.asarray(values != self.background)
        if self.background is not None:
            others = [v for v in _distinct(values).tolist() if v not in (self.crack, self.background)]
            if others:
                raise InputError(
                    f"{path}: has the value {_shown(others[0])}; other masks have {_shown(self.background)} and "
                    f"{_shown(self.crack)}; give the value of cracks with --mask-value"
                )
        return np.asarray(values == self.crack)


def rule_of(name: str, paths: Sequence[Path], crack: int | None = None) -> MaskRule:
    """Find the value of cracks from up to 64 masks, evenly spread. name: of the set, for messages. crack: the value of
    cracks if the user names it.

    Raises InputError if the masks have more than two values and the user names none, or none has the named value.
    """
    counted: list[Counter[int]] = []
    fault = ""
    for k in np.unique(np.linspace(0, len(paths) - 1, min(_LOOKED_AT, len(paths))).round().astype(int)):
        try:
            values, counts = np.unique(_read(paths[k]), return_counts=True)
            counted.append(Counter(dict(zip(values.tolist(), counts.tolist(), strict=True))))
        except InputError as error:
            fault = fault or str(error)
    if not counted:
        raise InputError(f"{name}: no mask can be read: {fault}")
    total = sum(counted, Counter[int]())
    found = sorted(total)
    listed = ", ".join(map(_shown, found[:8])) + (", …" if len(found) > 8 else "")
    if crack is not None:
        if crack not in total:
            raise InputError(f"{name}: no mask has the value {_shown(crack)} of --mask-value; there are {listed}")
        return MaskRule(crack, None, _odd(name, counted, crack))
    if found == [0, 1, 255] and 2 * total[0] > total.total():
        # Sets that were put together from several write the same mask in both ways.
        return MaskRule(None, 0, _odd(name, counted, None))
    if len(found) > 2:
        raise InputError(
            f"{name}: its masks have {len(found)} values ({listed}), and the crack is one of two; give its value with "
            "--mask-value"
        )
    if found == [0]:
        return MaskRule(None, 0, _odd(name, counted, None))
    rarer = min(reversed(found), key=lambda value: total[value])
    other = next((value for value in found if value != rarer), None)
    notes = _odd(name, counted, rarer)
    if other is not None and rarer < other:
        share = total[rarer] / total.total()
        notes = (
            f"{name}: cracks are taken to be {_shown(rarer)}, which covers {share:.1%}, less than {_shown(other)}; if "
            f"this is wrong, give --mask-value {_shown(other)}",
            *notes,
        )
    return MaskRule(rarer, other, notes)


def looks_like_mask(path: Path) -> bool:
    """Whether a picture has at most two values."""
    try:
        return len(_distinct(_read(path, soften=False))) <= 2
    except InputError:
        return False


def _odd(name: str, counted: Sequence[Counter[int]], crack: int | None) -> tuple[str, ...]:
    """A note if nearly all masks are empty, or nearly all full."""
    notes = []
    for word, count in (
        ("empty", sum(one[0] == one.total() if crack is None else not one[crack] for one in counted)),
        ("full", sum(not one[0] if crack is None else one[crack] == one.total() for one in counted)),
    ):
        if count >= _NEARLY_ALL * len(counted):
            notes.append(f"{name}: {count} of {len(counted)} masks looked at are {word}; see whether they are masks")
    return tuple(notes)


def _read(path: Path, soften: bool = True) -> Values:
    """(h, w) numbers, palette indices, or colors as 0xrrggbb. soften: round masks with many values to 0 and 255."""
    if path.suffix.lower() == matlab.SUFFIX:
        return np.asarray(matlab.read_matrix(path), np.int64)
    try:
        with opened(path) as image:
            lossy = image.format in ("JPEG", "MPO")
            if image.mode not in ("1", "L", "P", "I", "F") and not image.mode.startswith("I;16"):
                clear = "A" in image.getbands() or "transparency" in image.info
                channels = np.asarray(image.convert("RGBA" if clear else "RGB"), np.int64)
            else:
                channels = np.asarray(image)[..., None]
                channels = channels if channels.dtype.kind == "f" else channels.astype(np.int64)
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error
    if channels.shape[2] == 4:
        channels = _without_opacity(channels)
    if channels.shape[2] == 3 and (channels == channels[..., :1]).all():
        channels = channels[..., :1]
    values = channels @ np.array([1 << 16, 1 << 8, 1]) if channels.shape[2] == 3 else channels[..., 0]
    if soften and (lossy or len(_distinct(values)) > _FEW):
        return _two_sided(channels)
    return np.asarray(np.round(values), np.int64)


def _distinct(values: NDArray[np.generic]) -> NDArray[np.generic]:
    # Counting is ten times as fast as sorting, and masks are read again and again.
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() < 1 << 16:
        return np.flatnonzero(np.bincount(values.ravel()))
    return np.unique(values)


def _without_opacity(rgba: NDArray[np.int64]) -> NDArray[np.int64]:
    """The colors, black where nothing is seen; or the opacity, if the colors are the same everywhere."""
    colors = np.where(rgba[..., 3:] > 0, rgba[..., :3], 0)
    return colors if (colors != colors[0, 0]).any() else rgba[..., 3:]


def _two_sided(channels: NDArray[np.generic]) -> Values:
    """Round the channel that varies most to 0 and 255, halfway between its ends."""
    low, high = channels.min(axis=(0, 1)), channels.max(axis=(0, 1))
    most = int((high - low).argmax())
    full = 1.0 if high[most] <= 1 else 255.0 if high[most] <= 255 else 65535.0
    if high[most] - low[most] < _APART * full / 255:
        return np.full(channels.shape[:2], 255 if low[most] + high[most] > full else 0)
    return np.where(channels[..., most] > (low[most] + high[most]) / 2, 255, 0)


def _shown(value: int) -> str:
    return str(value) if value < 1 << 16 else f"0x{value:06x}"
