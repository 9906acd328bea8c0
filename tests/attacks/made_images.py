"""Image files as users bring them and as attackers make them, each with what must become of it."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image

SIZE = (24, 40)
RGB = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
GRAY = np.dstack([RGB[..., 0]] * 3)
# A picture that JPEG hardly changes, and one that no compressor makes small.
SMOOTH = np.dstack(np.broadcast_arrays(*np.ogrid[60:180:24j, 40:200:40j], 128)).astype(np.uint8)
LARGE = np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)
LIGHT = "light"
SKY = np.random.default_rng(2).uniform(0, 20, (16, 32, 3)).astype(np.float32)


@dataclass(frozen=True)
class Made:
    """make: writes the file. right: what it shows, to `within` levels or shares; None if it must be refused with a
    reason that holds `words`. use: as in `scenes.assets.image_gate`."""

    make: Callable[[Path], object]
    right: NDArray[Any] | None = None
    words: str = ""
    within: float = 0.0
    use: str = "surface"


def bad(words: str, make: Callable[[Path], object], use: str = "surface") -> Made:
    return Made(make, None, words, use=use)


def png(array: NDArray[Any], mode: str | None = None, **options: Any) -> Callable[[Path], object]:
    image = Image.fromarray(array)
    return lambda path: (image.convert(mode) if mode else image).save(path, "PNG", **options)


def saved(kind: str, array: NDArray[Any] = RGB, mode: str = "RGB", **options: Any) -> Callable[[Path], object]:
    return lambda path: Image.fromarray(array).convert(mode).save(path, kind, **options)


def turned(orientation: int) -> Callable[[Path], object]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return png(RGB, exif=exif)


def content(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def encoded(kind: str, array: NDArray[np.uint8] = LARGE, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def cut(data: bytes, share: float) -> Callable[[Path], object]:
    return content(data[: int(len(data) * share)])


def patched(data: bytes, at: int, patch: bytes) -> bytes:
    return data[:at] + patch + data[at + len(patch) :]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int, pixels: bytes = b"", *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    data = encoded("JPEG")
    return patched(data, data.index(b"\xff\xc0") + 5, struct.pack(">HH", height, width))


def animated(kind: str, **options: Any) -> Callable[[Path], object]:
    first, second = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    return lambda path: first.save(path, kind, save_all=True, append_images=[second], **options)


def exr(*parts: dict[str, NDArray[Any]]) -> Callable[[Path], object]:
    def made(path: Path) -> None:
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        copies = [{name: np.ascontiguousarray(pixels) for name, pixels in part.items()} for part in parts]
        named = [OpenEXR.Part(dict(header), copy, f"part{k}") for k, copy in enumerate(copies)]
        (OpenEXR.File(header, copies[0]) if len(parts) == 1 else OpenEXR.File(named)).write(str(path))

    return made


def window_exr(path: Path) -> None:
    """The left half of the sky in the right half of a display window, and a column that is outside of it."""
    display = (np.array([-16, 0], np.int32), np.array([15, 15], np.int32))
    header = {"dataWindow": (np.array([0, 0], np.int32), np.array([16, 15], np.int32)), "displayWindow": display}
    OpenEXR.File(header, {"RGB": SKY[:, :17].copy()}).write(str(path))


def cube_exr(path: Path) -> None:
    OpenEXR.File({"envmap": OpenEXR.ENVMAP_CUBE}, {"RGB": SKY}).write(str(path))


def exr_bytes(folder: Path, **changes: Any) -> bytes:
    exr({"RGB": np.random.default_rng(3).random((64, 128, 3)).astype(np.float32)})(folder / "whole.exr")
    return (folder / "whole.exr").read_bytes()


def radiance(path: Path) -> None:
    cv2.imwrite(str(path.with_name("whole.hdr")), np.random.default_rng(3).random((64, 128, 3)).astype(np.float32))
    path.write_bytes(path.with_name("whole.hdr").read_bytes())
    path.with_name("whole.hdr").unlink()


def radiance_bytes(folder: Path) -> bytes:
    radiance(folder / "made.hdr")
    return (folder / "made.hdr").read_bytes()


def radiance_sky(path: Path) -> None:
    """Written by hand, without compression: each pixel is red, green, blue and an exponent."""
    mantissa, exponent = np.frexp(SKY.max(axis=-1))
    rgbe = np.concatenate([SKY * (mantissa / SKY.max(axis=-1) * 256)[..., None], (exponent + 128)[..., None]], axis=-1)
    path.write_bytes(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 16 +X 32\n" + rgbe.astype(np.uint8).tobytes())


def window(data: bytes, x: int, y: int) -> bytes:
    """An OpenEXR file whose header announces a picture of another size."""
    at = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    return patched(data, at, struct.pack("<4i", 0, 0, x - 1, y - 1))


def images(folder: Path) -> dict[str, Made]:
    """All files by name. folder: for files from which others are made."""
    whole_png, whole_jpg, whole_exr, whole_hdr = (
        encoded("PNG"), encoded("JPEG"), exr_bytes(folder), radiance_bytes(folder)
    )  # fmt: skip
    noise = np.random.default_rng(4).bytes(4000)
    clear = np.dstack([RGB, np.full(SIZE, 255, np.uint8)])
    layer = {f"beauty.{name}": SKY[..., k] for k, name in enumerate("RGB")}
    depth = {"Z": SKY[..., 0], **{f"albedo.{name}": SKY[..., k] * 0 for k, name in enumerate("RGB")}}
    flat = zlib.compress(b"\0" * (3 * 5000 + 1) * 5000)
    nan = SKY.copy()
    nan[3, 4, 1] = np.nan
    flipped = whole_hdr.replace(b"-Y", b"+Y")
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 50_000_000))
    wide = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 100000\n"
    unknown = "not a picture of a known format"
    right = {
        "gray.png": Made(png(RGB[..., 0]), GRAY),
        "gray-alpha.png": Made(png(np.dstack([RGB[..., 0], clear[..., 3]]).copy()), GRAY),
        "opaque.png": Made(png(clear), RGB),
        "palette.png": Made(png(np.asarray(Image.fromarray(RGB[..., 0] // 64)), "P"), GRAY // 64),
        "one-bit.png": Made(png(RGB[..., 0] > 128), np.where(GRAY > 128, 255, 0)),
        "sixteen.png": Made(png(RGB[..., 0].astype(np.uint16) * 257), GRAY),
        "sixteen-rgb.png": Made(lambda p: cv2.imwrite(str(p), RGB[..., ::-1].astype(np.uint16) * 257), RGB),
        "sixteen.tif": Made(png_as_tiff(RGB[..., 0].astype(np.uint16) * 257), GRAY),
        "cmyk.jpg": Made(saved("JPEG", SMOOTH, "CMYK", quality=98), SMOOTH, within=6),
        "cmyk.tif": Made(saved("TIFF", RGB, "CMYK"), RGB),
        "upside-down.png": Made(turned(3), RGB[::-1, ::-1]),
        "turned-right.png": Made(turned(6), np.rot90(RGB, -1)),
        "turned-left.png": Made(turned(8), np.rot90(RGB)),
        "lossless.webp": Made(saved("WEBP", lossless=True), RGB),
        "animated.webp": Made(animated("WEBP", lossless=True), RGB),
        "one.gif": Made(saved("GIF", GRAY), GRAY),
        "animated.gif": Made(animated("GIF"), RGB, within=64),
        "photo.jfif": Made(saved("JPEG", SMOOTH, quality=98), SMOOTH, within=6),
        "gray.pgm": Made(saved("PPM", GRAY[..., 0]), GRAY),
        "animated.png": Made(animated("PNG"), RGB),
        "pages.tif": Made(animated("TIFF"), RGB),
        "packed.tif": Made(saved("TIFF", compression="tiff_lzw"), RGB),
        "plain.bmp": Made(saved("BMP"), RGB),
        "progressive.jpg": Made(saved("JPEG", SMOOTH, progressive=True, quality=98), SMOOTH, within=6),
        "png-inside.jpg": Made(png(RGB), RGB),
        "jpeg-inside.png": Made(saved("JPEG", SMOOTH, quality=98), SMOOTH, within=6),
        "upper.JPG": Made(saved("JPEG", SMOOTH, quality=98), SMOOTH, within=6),
        "umlaut-ü é.png": Made(png(RGB), RGB),
        "line\nend.png": Made(png(RGB), RGB),
        "plain.hdr": Made(radiance_sky, SKY, within=0.2, use="light"),
        "plain.exr": Made(exr({"RGB": SKY}), SKY, use="light"),
        "half.exr": Made(exr({"RGB": SKY.astype(np.float16)}), SKY, within=0.02, use="light"),
        "alpha.exr": Made(exr({"RGBA": np.dstack([SKY, SKY[..., :1] * 0 + 1])}), SKY, use="light"),
        "gray.exr": Made(exr({"Y": SKY[..., 0]}), np.dstack([SKY[..., 0]] * 3), use="light"),
        "layers.exr": Made(exr({**layer, **depth}), SKY, use="light"),
        "parts.exr": Made(exr({"Z": SKY[..., 0]}, {"RGB": SKY}), SKY, use="light"),
        "exr-inside.hdr": Made(exr({"RGB": SKY}), SKY, use="light"),
        "window.exr": Made(window_exr, np.concatenate([SKY[:, :16] * 0, SKY[:, :16]], axis=1), use="light"),
        "turned.tga": Made(saved("TGA", compression="tga_rle"), RGB),
    }
    refused = {
        "zero.png": bad("is empty", content(b"")),
        "zero.hdr": bad("is empty", content(b""), LIGHT),
        "noise.png": Made(content(noise), words=unknown),
        "noise.jpg": bad("cannot be decoded|not a picture", content(b"\xff\xd8\xff\xe0" + noise)),
        "noise.tif": bad("cannot be decoded|not a picture", content(b"II*\0" + noise)),
        "noise.webp": bad("cannot be decoded|not a picture", content(b"RIFF" + noise)),
        "noise.bmp": bad("cannot be decoded|not a picture", content(b"BM" + noise)),
        "noise.exr": bad("cannot be decoded", content(b"v/1\x01" + noise), LIGHT),
        "noise.hdr": bad("header has no resolution", content(b"#?RADIANCE\n" + noise), LIGHT),
        "noisy-end.hdr": bad("cut off or damaged", content(whole_hdr[:900] + noise), LIGHT),
        "noisy-middle.exr": bad("cannot be decoded|no finite", content(patched(whole_exr, 2000, noise)), LIGHT),
        **{f"cut-{s:.3f}.png": bad("cannot be decoded", cut(whole_png, s)) for s in (0.01, 0.5, 0.999)},
        **{f"cut-{s:.3f}.jpg": bad("cannot be decoded", cut(whole_jpg, s)) for s in (0.05, 0.5, 0.97)},
        **{f"cut-{s:.3f}.exr": bad("cannot be decoded", cut(whole_exr, s), LIGHT) for s in (0.01, 0.5, 0.99)},
        **{f"cut-{s:.3f}.hdr": bad("cut off", cut(whole_hdr, s), LIGHT) for s in (0.01, 0.5, 0.99)},
        "closed.jpg": bad("part of its pixels is missing", content(whole_jpg[: len(whole_jpg) // 2] + b"\xff\xd9")),
        "cut.webp": bad("cannot be decoded|not a picture", cut(encoded("WEBP"), 0.6)),
        "cut.tif": bad("cannot be decoded|not a picture", cut(encoded("TIFF", compression="tiff_lzw"), 0.6)),
        "cut.bmp": bad("cannot be decoded", cut(encoded("BMP"), 0.6)),
        "header-only.png": bad("cannot be decoded|not a picture", content(whole_png[:33])),
        "wrong-sum.png": bad("cannot be decoded|not a picture", content(patched(whole_png, 30, b"\1\2"))),
        "huge.png": bad("the limit is|exceeds limit|has", content(png_of(100_000, 100_000, zlib.compress(b"\0" * 99)))),
        "huge.jpg": bad("the limit is|exceeds limit|has more than", content(jpeg_of(65_500, 65_500))),
        "large-for-its-data.jpg": bad("part of its pixels is missing", content(jpeg_of(11_000, 11_000))),
        "large-for-its-data.png": bad("cannot be decoded", content(png_of(11_000, 11_000, flat))),
        "bomb-of-text.png": bad("cannot be decoded", content(png_of(40, 24, b"", text))),
        "no-pixels.png": bad("cannot be decoded|not a picture|has 0", content(png_of(0, 24))),
        "huge.hdr": bad("the limit is", content(wide + noise), LIGHT),
        "huge.exr": bad("the limit is|cannot be decoded", content(window(whole_exr, 100_000, 100_000)), LIGHT),
        "large-for-its-data.exr": bad("cannot be decoded", content(window(whole_exr, 8000, 4000)), LIGHT),
        "upside-down.hdr": bad("turned or mirrored", content(flipped), LIGHT),
        "not-a-number.exr": bad("has 1 values that are no finite numbers", exr({"RGB": nan}), LIGHT),
        "no-color.exr": bad("no channels R, G and B, only U, Z", exr({"Z": SKY[..., 0], "U": SKY[..., 1]}), LIGHT),
        "cube.exr": bad("is a cube map: save", cube_exr, LIGHT),
        "pointer.exr": bad("is a pointer of Git LFS", content(b"version https://git-lfs.github.com/spec/v1\n"), LIGHT),
        "png-inside.hdr": bad("not a high dynamic range picture", png(RGB), LIGHT),
        "exr-inside.png": bad("is a high dynamic range picture", exr({"RGB": SKY})),
        "program.png": Made(content(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), words=unknown),
        "page.jpg": Made(content(b"<html>404</html>"), words=unknown),
        "see-through.png": bad("is fully transparent", png(clear * np.array([1, 1, 1, 0], np.uint8))),
        "pixel.png": bad("has 1 x 1 pixels", png(RGB[:1, :1])),
        "folder.png": bad("is not a file", lambda path: path.mkdir()),
        "pipe.png": bad("is not a file", os.mkfifo),
        os.fsdecode(b"latin-\xe9.png"): bad("not UTF-8", png(RGB)),
    }  # fmt: skip
    return right | refused


def png_as_tiff(array: NDArray[np.uint16]) -> Callable[[Path], object]:
    return lambda path: Image.fromarray(array).save(path, "TIFF")
