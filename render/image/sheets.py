"""Pictures to look at: contact sheets, and frames with all their labels side by side."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from render.frame import Frame

Picture = NDArray[np.uint8]

_GAP, _GUTTER, _BAND, _FONT = 4, 16, 18, 13
_PAPER, _INK = (24, 24, 24), (225, 225, 225)
# Blue over green and yellow to dark red; lightness is highest in the middle, so that both ends stand out.
_RAMP = np.array([
    (58, 70, 190), (70, 127, 240), (40, 187, 236), (49, 242, 153), (162, 252, 60), (237, 208, 58), (251, 128, 34),
    (210, 49, 5), (122, 4, 3),
])  # fmt: skip


def contact_sheet(images: Sequence[Picture], columns: int, captions: Sequence[str] = ()) -> Image.Image:
    """Pictures in rows of `columns`, each under its caption.

    images: (H, W, 3) or (H, W) uint8; the cells are as large as the largest. captions: one an image, or none at all.
    """
    heights, widths = zip(*(image.shape[:2] for image in images), strict=True)
    cell = max(widths) + _GAP, max(heights) + _GAP + (_BAND if captions else 0)
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT)
    for number, image in enumerate(images):
        x, y = _GAP + number % columns * cell[0], _GAP + number // columns * cell[1]
        if captions:
            draw.text((x + 2, y), _fitted(captions[number], font, cell[0] - _GAP - 2), fill=_INK, font=font)
            y += _BAND
        sheet.paste(Image.fromarray(image).convert("RGB"), (x, y))
    return sheet


def side_by_side(blocks: Sequence[tuple[str, Sequence[Picture]]], columns: int, cell: int) -> Image.Image:
    """Contact sheets beside one another, each under its title.

    blocks: title and pictures (H, W, 3) uint8. The square in the middle of each picture is shown, `cell` pixels wide,
    in rows of `columns`.
    """
    sheets = [(title, contact_sheet([_square(one, cell) for one in pictures], columns)) for title, pictures in blocks]
    width = sum(sheet.width for _, sheet in sheets) + _GUTTER * (len(sheets) - 1)
    image = Image.new("RGB", (width, max(sheet.height for _, sheet in sheets) + _BAND), _PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(_FONT)
    left = 0
    for title, sheet in sheets:
        draw.text((left + _GAP, 0), _fitted(title, font, sheet.width - _GAP), fill=_INK, font=font)
        image.paste(sheet, (left, _BAND))
        left += sheet.width + _GUTTER
    return image


def _square(picture: Picture, cell: int) -> Picture:
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(middle, (cell, cell), interpolation=cv2.INTER_AREA))


def label_sheet(frames: Iterable[Frame], classes: Sequence[str]) -> Image.Image:
    """A row for each frame: the picture, boxes and keypoints, masks, depth, normals, alpha, and what labels there are
    beside: a crack's width and middle line, the clean plate.
    """
    rows = [list(_tiles(frame, classes)) for frame in frames]
    columns = max(len(row) for row in rows)
    blank = np.zeros((1, 1), np.uint8)
    tiles = [tile for row in rows for tile in row + [("", blank)] * (columns - len(row))]
    return contact_sheet([image for _, image in tiles], columns, [caption for caption, _ in tiles])


def id_colors(ids: NDArray[np.integer]) -> Picture:
    """(H, W) ids as (H, W, 3) colours that differ clearly between neighbouring ids; 0 is black."""
    hues = [
        (number * 0.61803398875 % 1, 0.75 - 0.3 * (number % 2), 1.0 - 0.25 * (number % 3 == 0)) for number in range(256)
    ]
    table = np.array([colorsys.hsv_to_rgb(*hue) for hue in hues]) * 255
    table[0] = 0
    return table.astype(np.uint8)[np.where(ids > 0, (ids.astype(np.int64) - 1) % 255 + 1, 0)]


def depth_colors(depth: NDArray[np.floating], objects: NDArray[np.bool_]) -> tuple[Picture, float, float]:
    """(H, W) metres as colours, blue near and red far, inf black; and the two depths where the colours end.

    They span the pixels of `objects` and half as much again: a floor that runs to the horizon would take them all.
    """
    finite = np.isfinite(depth)
    if not finite.any():
        return np.zeros((*depth.shape, 3), np.uint8), 0.0, 0.0
    spanned = depth[finite & objects] if (finite & objects).any() else depth[finite]
    low, high = np.percentile(spanned, (1, 99))
    near, far = max(low - (high - low) / 4, 0.0), high + (high - low) / 4
    share = np.clip((np.where(finite, depth, far) - near) / max(far - near, 1e-6), 0, 1)
    return np.where(finite[..., None], _ramp(share), 0).astype(np.uint8), float(near), float(far)


def width_colors(width: NDArray[np.floating]) -> tuple[Picture, float]:
    """(H, W) widths as colours, blue narrow and red wide, 0 black; and the width at which the colours end."""
    there = width > 0
    widest = float(np.percentile(width[there], 99)) if there.any() else 0.0
    share = np.clip(width.astype(np.float32) / max(widest, 1e-6), 0, 1)
    return np.where(there[..., None], _ramp(share), 0).astype(np.uint8), widest


def _ramp(share: NDArray[np.floating]) -> NDArray[np.float64]:
    """(H, W) shares of the way along the ramp as (H, W, 3) colours, 0 to 255."""
    at = np.linspace(0, 1, len(_RAMP))
    return np.stack([np.interp(share, at, _RAMP[:, channel]) for channel in range(3)], axis=-1)


def normal_colors(normals: NDArray[np.floating]) -> Picture:
    """(H, W, 3) normals in OpenCV axes as the usual colours: red right, green up, blue to the viewer; none black."""
    colors = (normals.astype(np.float32) * (1, -1, -1) + 1) * 127.5
    return np.where(normals.any(axis=-1, keepdims=True), colors, 0).astype(np.uint8)


def overlay(frame: Frame, scale: int = 1) -> Picture:
    """The picture `scale` times as large with boxes, categories and keypoints (hollow: hidden)."""
    image = Image.fromarray(_larger(frame.rgb, scale))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(_FONT)
    for label in frame.objects:
        color = tuple(int(c) for c in id_colors(np.array([[label.instance]]))[0, 0])
        if label.box is not None:
            x0, y0, x1, y1 = (side * scale for side in label.box)
            draw.rectangle((x0, y0, x1 - 1, y1 - 1), outline=color)
            draw.text((x0 + 2, max(y0 - _FONT - 3, 0)), label.category, fill=color, font=font, stroke_width=1,
                      stroke_fill=(0, 0, 0))  # fmt: skip
        for point in label.keypoints.values():
            x, y = point.x * scale, point.y * scale
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=color if point.visible else None, outline=color)
    return np.asarray(image)


def _tiles(frame: Frame, classes: Sequence[str]) -> Iterable[tuple[str, Picture]]:
    scale = max(1, round(256 / max(frame.rgb.shape[:2])))
    depth, near, far = depth_colors(frame.depth, frame.instance > 0)
    name = classes[frame.label] if frame.label >= 0 else "no main object"
    seen = [classes[category - 1] for category in np.unique(frame.category) if category > 0]
    yield f"{frame.index}: {name}", _larger(frame.rgb, scale)
    yield "boxes, keypoints", overlay(frame, scale)
    yield f"instance: {len(np.unique(frame.instance[frame.instance > 0]))}", _larger(id_colors(frame.instance), scale)
    yield f"category: {', '.join(seen)}", _larger(id_colors(frame.category), scale)
    yield "part", _larger(id_colors(frame.part), scale)
    yield f"depth {near:.2f} to {far:.2f} m", _larger(depth, scale)
    yield "normals", _larger(normal_colors(frame.normals), scale)
    yield "alpha", _larger(frame.alpha, scale)
    if frame.width is not None:
        colors, widest = width_colors(frame.width)
        yield f"width to {widest:.2g} mm", _larger(colors, scale)
    if frame.skeleton is not None:
        yield "middle line", _larger(np.where(frame.skeleton > 0, 255, 0).astype(np.uint8), scale)
    if frame.background is not None:
        yield "background", _larger(frame.background, scale)


def _larger(picture: Picture, scale: int) -> Picture:
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text
