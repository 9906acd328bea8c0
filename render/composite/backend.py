"""The backend for composites: opens the photographs of a config and prepares the process."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.composite.photographs import Photographs, find_photographs
from render.composite.renderer import Painter, outlined
from render.frame import Frame
from scenes.config.composite import ComposeConfig
from scenes.errors import InputError
from scenes.files import sha256
from scenes.record.composite import Composition
from scenes.record.record import CRACK
from scenes.sampling.composite import Composer

DEVICES: tuple[str, ...] = ("cpu",)

# From malloc.h of the GNU C library.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT = 256 << 20


@dataclass(frozen=True)
class PhotographCatalogue:
    """The photographs of a config: surfaces to draw on, and references for the style."""

    textures: Photographs
    references: Photographs
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def left_out(self) -> dict[str, str]:
        """The files that are known to be of no use, with the reason for each."""
        return {**self.textures.rejected, **self.references.rejected}

    def checksums(self, ids: Iterable[str]) -> dict[str, str]:
        """sha256 of some files, by asset id."""
        paths = {**self.references.paths, **self.textures.paths}
        return {name: sha256(paths[name]) for name in ids}

    def licenses(self, ids: Iterable[str]) -> dict[str, str]:
        """Empty for each photograph: the license of a file in a folder is unknown."""
        return dict.fromkeys(ids, "")

    def triangles(self, ids: Iterable[str]) -> dict[str, int]:
        """Empty: photographs are no models."""
        return {}


class PhotographSampler(Composer):
    """The sampler of a config, with the photographs that the config names."""

    classes = (CRACK,)

    def __init__(self, config: ComposeConfig):
        textures = find_photographs("assets.textures", config.assets.textures)
        references = find_photographs("assets.styles", config.assets.styles)
        self.catalogue = PhotographCatalogue(textures, references)
        shares = config.assets.textures.values() if isinstance(config.assets.textures, dict) else ()
        named = dict(zip(textures.folders, shares, strict=True))
        super().__init__(config, textures.names, references.names, textures.folders, named)


def open_sampler(config: ComposeConfig) -> PhotographSampler:
    """Open the sampler of a config. Raises InputError if a folder contains no usable picture."""
    return PhotographSampler(config)


def load_renderer(sampler: PhotographSampler, device: str, threads: int) -> Painter:
    """Load the renderer, with one thread: pictures are small, so one process per core is faster than threads."""
    cv2.setNumThreads(1)
    keep_memory()
    return Painter(sampler.catalogue.textures, sampler.catalogue.references)


def save_blend(sampler: Composer, record: Composition, path: Path) -> None:
    """Raises InputError: a composed picture has no scene in 3D."""
    raise InputError(f"{path}: composed pictures have no scene in 3D; export one that Blender drew")


def views(frame: Frame) -> tuple[NDArray[np.uint8], ...]:
    """The images that a contact sheet shows: the picture, and the picture with its mask outlined."""
    return frame.rgb, outlined(frame)


def keep_memory() -> None:
    """Let the C library keep freed memory: returning it cost a tenth of the time in page faults."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
