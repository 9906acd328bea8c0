"""Pictures to look at: contact sheets, and frames with all their labels side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from render.false_color import Picture, id_colors
from render.frame import PICTURES, Frame, present

_GAP, _BAND, _FONT = 4, 18, 13
_PAPER, _INK = (24, 24, 24), (225, 225, 225)


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


def label_sheet(frames: Iterable[Frame], classes: Sequence[str]) -> Image.Image:
    """A row for each frame: the picture, boxes and keypoints on it, and a tile for each of its labels that has one."""
    rows = [list(_tiles(frame, classes)) for frame in frames]
    columns = max(len(row) for row in rows)
    blank = np.zeros((1, 1), np.uint8)
    tiles = [tile for row in rows for tile in row + [("", blank)] * (columns - len(row))]
    return contact_sheet([image for _, image in tiles], columns, [caption for caption, _ in tiles])


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


def _tiles(frame: Frame, classes: Sequence[str]) -> Iterator[tuple[str, Picture]]:
    scale = max(1, round(256 / max(frame.rgb.shape[:2])))
    yield f"{frame.index}: {classes[frame.label] if frame.label >= 0 else 'no main object'}", _larger(frame.rgb, scale)
    yield "boxes, keypoints", overlay(frame, scale)
    objects = frame.instance > 0
    for name, label in present(frame, PICTURES).items():
        if label.show is not None:
            picture, note = label.show(getattr(frame, name), objects, classes)
            yield f"{name}: {note}" if note else name, _larger(picture, scale)


def _larger(picture: Picture, scale: int) -> Picture:
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text
