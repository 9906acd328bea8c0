"""Sets of crack pictures to look at: how each quantity is spread, and the pictures themselves side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from render.image.sheets import contact_sheet
from scenes.files import replacing
from segment.statistics.compare import PHOTOGRAPHS, Measured, Values, distances
from segment.statistics.measure import GROUPS, QUANTITIES, Quantity

Color = tuple[int, int, int]

_PAPER, _INK, _FAINT = (255, 255, 255), (40, 40, 40), (150, 150, 150)
_COLORS: tuple[Color, ...] = ((20, 105, 190), (225, 110, 10))
_KNOWN: Color = (30, 140, 60)
_COLUMNS, _PANEL, _PLOT, _MARGIN, _HEAD = 4, (330, 190), (300, 110), 16, 56
_BINS = 24


def figure(sets: Sequence[Measured]) -> Image.Image:
    """A panel for each quantity: its distribution in each set, all of one area, with the medians marked."""
    rows = [row for group in GROUPS for row in _rows(group, sets)]
    size = (2 * _MARGIN + _COLUMNS * _PANEL[0], _HEAD + _MARGIN + len(rows) * _PANEL[1])
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    _legend(draw, sets)
    far = distances(sets)
    for down, row in enumerate(rows):
        for across, quantity in enumerate(row):
            corner = _MARGIN + across * _PANEL[0], _HEAD + down * _PANEL[1]
            _panel(draw, corner, quantity, sets, far.get(quantity.key))
    return image


def _rows(group: str, sets: Sequence[Measured]) -> list[list[Quantity]]:
    """The group's quantities that any set has, as many to a row as there are columns."""
    shown = [q for q in QUANTITIES if q.group == group and any(q.key in each.values for each in sets)]
    return [shown[k : k + _COLUMNS] for k in range(0, len(shown), _COLUMNS)]


def side_by_side(blocks: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]], columns: int, cell: int) -> Image.Image:
    """Contact sheets beside one another, each under its title.

    blocks: title and pictures (H, W, 3) uint8; of each the square in its middle is shown, `cell` pixels wide, in rows
    of `columns`.
    """
    sheets = [(title, contact_sheet([_square(one, cell) for one in pictures], columns)) for title, pictures in blocks]
    height = max(sheet.height for _, sheet in sheets)
    width = sum(sheet.width for _, sheet in sheets) + _MARGIN * (len(sheets) - 1)
    image = Image.new("RGB", (width, height + 24), _PAPER)
    draw, x = ImageDraw.Draw(image), 0
    for title, sheet in sheets:
        draw.text((x + 4, 3), title, fill=_INK, font=ImageFont.load_default(15))
        image.paste(sheet, (x, 24))
        x += sheet.width + _MARGIN
    return image


def write(image: Image.Image, path: Path) -> None:
    """Write a PNG, all at once, and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        image.save(temporary, "PNG")


def _square(picture: NDArray[np.uint8], cell: int) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(middle, (cell, cell), interpolation=cv2.INTER_AREA))


def _legend(draw: ImageDraw.ImageDraw, sets: Sequence[Measured]) -> None:
    x = float(_MARGIN)
    entries = [(f"{each.name} ({each.pictures})", color) for each, color in zip(sets, _COLORS, strict=False)]
    if any(key in each.values for each in sets for key in PHOTOGRAPHS):
        entries.append(("photographs labelled by hand: median, 10th to 90th percentile", _KNOWN))
    for text, color in entries:
        draw.rectangle((x, 18, x + 14, 30), fill=color)
        draw.text((x + 20, 16), text, fill=_INK, font=_font(14))
        x += 20 + draw.textlength(text, font=_font(14)) + 28


def _panel(
    draw: ImageDraw.ImageDraw,
    corner: tuple[int, int],
    quantity: Quantity,
    sets: Sequence[Measured],
    far: float | None,
) -> None:
    left, top = corner[0], corner[1] + 24
    right, bottom = left + _PLOT[0], top + _PLOT[1]
    there = [(each.values[quantity.key], color) for each, color in zip(sets, _COLORS, strict=False)
             if quantity.key in each.values]  # fmt: skip
    known = PHOTOGRAPHS.get(quantity.key, ())
    low, high = _range([values for values, _ in there], known)

    def across(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * _PLOT[0]

    unit = f" ({quantity.unit})" if quantity.unit else ""
    draw.text((left, corner[1] + 4), quantity.key.replace(".", ": ") + unit, fill=_INK, font=_font(13))
    if far is not None:
        draw.text((right, corner[1] + 4), f"apart {far:.2f}", fill=_FAINT, font=_font(12), anchor="ra")
    shares = [np.histogram(np.clip(values, low, high), _BINS, (low, high))[0] / len(values) for values, _ in there]
    tallest = max(float(share.max()) for share in shares)
    for share, (values, color) in zip(shares, there, strict=True):
        heights = bottom - share / tallest * (_PLOT[1] - 4)
        edges = np.linspace(left, right, _BINS + 1)
        outline = [(left, bottom), *zip(np.repeat(edges, 2)[1:-1], np.repeat(heights, 2), strict=True), (right, bottom)]
        draw.line(outline, fill=color, width=2)
        middle = across(float(np.median(values)))
        draw.line((middle, top, middle, bottom), fill=color)
    draw.line((left, bottom, right, bottom), fill=_INK)
    if known:
        middle, *ends = (across(value) for value in known)
        if ends:
            draw.line((ends[0], bottom + 5, ends[1], bottom + 5), fill=_KNOWN, width=2)
        draw.ellipse((middle - 4, bottom + 1, middle + 4, bottom + 9), fill=_KNOWN)
    for value, anchor in ((low, "la"), (high, "ra")):
        text = f"{value:.{quantity.digits}f}"
        draw.text((across(value), bottom + 11), text, fill=_FAINT, font=_font(12), anchor=anchor)


def _range(samples: Sequence[Values], known: Sequence[float]) -> tuple[float, float]:
    """What a panel spans: all but the outermost few hundredths, which are drawn at its ends."""
    ends = np.concatenate([np.percentile(values, (2, 97)) for values in samples] + [np.array(known)])
    low, high = float(ends.min()), float(ends.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
