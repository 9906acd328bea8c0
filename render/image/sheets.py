"""Contact sheets, and sheets that show frames with all their labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from render.false_color import Picture, id_colors
from render.frame import PICTURES, Frame, present
from scenes.errors import InputError, choices

_GAP, _GUTTER, _BAND, _FONT = 4, 16, 18, 13
_COLUMNS = 4
_PAPER, _INK = (24, 24, 24), (225, 225, 225)


def contact_sheet(images: Sequence[Picture], columns: int, captions: Sequence[str] = ()) -> Image.Image:
    """Arrange images in a grid, each below its caption.

    Parameters
    ----------
    images : sequence of (H, W, 3) or (H, W) uint8
        The images, which may differ in size. Each cell has the size of the largest image.
    columns : int
        Number of images per row.
    captions : sequence of str
        One caption per image, or empty for no captions. Long captions are cut.

    Returns
    -------
    PIL.Image.Image
        The sheet, in RGB.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import contact_sheet
    >>> images = [np.full((24, 32, 3), value, np.uint8) for value in (60, 120, 180)]
    >>> sheet = contact_sheet(images, columns=2, captions=["dark", "gray", "light"])
    >>> sheet.size
    (76, 96)
    >>> sheet.save("sheet.png")
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
    """Arrange contact sheets side by side, each below its title.

    blocks: title and (H, W, 3) uint8 pictures of each sheet. A sheet shows the central square of each picture, scaled
    to `cell` pixels, in rows of `columns`.
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
    """Show frames with all their labels, one row per frame.

    Parameters
    ----------
    frames : iterable of Frame
        The frames.
    classes : sequence of str
        Names of the classes; the position is the class index.

    Returns
    -------
    PIL.Image.Image
        The sheet, in RGB. A row shows the picture, the picture with boxes and keypoints, and a tile per label.

    Examples
    --------
    >>> import os, numpy as np, blendmill
    >>> from PIL import Image
    >>> os.mkdir("walls")
    >>> gray = np.random.default_rng(0).integers(90, 160, (64, 64, 3), np.uint8)
    >>> Image.fromarray(gray).save("walls/plaster.png")
    >>> config = blendmill.ComposeConfig(assets={"textures": ["walls"]}, resolution=(32, 32))
    >>> sampler, renderer = blendmill.open_renderer(config)
    >>> frames = [renderer.draw(sampler.sample(0, index)) for index in range(2)]
    >>> sheet = blendmill.label_sheet(frames, sampler.classes)
    >>> sheet.mode, sheet.height
    ('RGB', 560)
    """
    rows = [list(_tiles(frame, classes)) for frame in frames]
    columns = max(len(row) for row in rows)
    blank = np.zeros((1, 1), np.uint8)
    tiles = [tile for row in rows for tile in row + [("", blank)] * (columns - len(row))]
    return contact_sheet([image for _, image in tiles], columns, [caption for caption, _ in tiles])


def shown(frame: Frame, labels: Sequence[str]) -> Image.Image:
    """Show a frame beside some of its labels, or all if none is named. Raises InputError for an unknown name."""
    known = [name for name, label in present(frame, PICTURES).items() if label.show is not None]
    for name in labels:
        if name not in known:
            raise InputError(f"label '{name}': there is no such picture, {choices(name, known)}")
    # A frame does not know the names of the classes.
    classes = [str(number) for number in range(1, int(frame.category.max()) + 1)]
    scale, tiles = _scale(frame), list(_labels(frame, labels or known, classes))
    cells = [_larger(frame.rgb, scale), *(picture for _, picture in tiles)]
    return contact_sheet(cells, _COLUMNS, [str(frame.index), *(caption for caption, _ in tiles)])


def overlay(frame: Frame, scale: int = 1) -> Picture:
    """Enlarge the picture `scale` times and draw boxes, categories and keypoints on it. Hidden keypoints are hollow."""
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
    scale = _scale(frame)
    yield f"{frame.index}: {classes[frame.label] if frame.label >= 0 else 'no main object'}", _larger(frame.rgb, scale)
    yield "boxes, keypoints", overlay(frame, scale)
    yield from _labels(frame, present(frame, PICTURES), classes)


def _labels(frame: Frame, names: Iterable[str], classes: Sequence[str]) -> Iterator[tuple[str, Picture]]:
    objects = frame.instance > 0
    for name in names:
        show = PICTURES[name].show
        if show is not None:
            picture, note = show(getattr(frame, name), objects, classes)
            yield f"{name}: {note}" if note else name, _larger(picture, _scale(frame))


def _scale(frame: Frame) -> int:
    return max(1, round(256 / max(frame.rgb.shape[:2])))


def _larger(picture: Picture, scale: int) -> Picture:
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…" if len(text) > 2 else ""
    return text
