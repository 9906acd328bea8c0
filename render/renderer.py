"""What draws pictures, as everything around it sees it: one protocol for every kind of picture.

The field `renderer` of a config says which kind it is. A sampler decides a picture: it makes its record, plain data. A
renderer draws the record. Workers, farm, stream and previews use both and do not know which kind they have.

A new kind needs a config class in `scenes.config.loading`, a package with a module `backend`, and a case in `_backend`.
A backend is loaded when it is asked for. Its renderer, and so Blender, is loaded by `load_renderer` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from scenes.config.loading import AnyConfig
from scenes.errors import InputError
from scenes.record.record import Record

Advance = Callable[[int, int, str], None]
"""Is called with the number of assets that are done, the number of all assets, and the id of the last one."""


class Assets(Protocol):
    """The files and shapes that a config's pictures are made of, by asset id."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The files that cannot be used, each with the reason."""

    def checksums(self) -> Mapping[str, str]:
        """The sha256 of each asset."""

    def licenses(self) -> Mapping[str, str]:
        """The license of each asset; empty where nothing is said."""

    def prepare(self, progress: Advance | None = None, workers: int = 1) -> None:
        """Do the work that all processes share, so that they find it done."""


class Sampler(Protocol):
    """Decides the pictures of one config. A record depends on the config, the seed and the index alone."""

    @property
    def config(self) -> AnyConfig: ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""

    @property
    def catalogue(self) -> Assets: ...

    def sample(self, seed: int, index: int, fixed_quantiles: Mapping[str, float] | None = None, /) -> Record:
        """The record of a picture. fixed_quantiles: replace the draws of single factors, by factor name."""

    def factors(self, seed: int, index: int, /) -> list[str]:
        """The names of the factors that decide a picture: what `fixed_quantiles` may name."""


class Renderer(Protocol):
    """Draws records. There is at most one of a kind in a process."""

    def draw(self, record: Any, /) -> Frame:
        """The picture of a record with all its labels."""

    def views(self, frame: Frame, /) -> Sequence[NDArray[np.uint8]]:
        """What a contact sheet shows of a picture, side by side: (H, W, 3) arrays, the picture itself first."""


class Backend(Protocol):
    """One kind of renderer. Its module loads without what draws.

    DEVICES: the kinds of device that it can draw on.
    """

    DEVICES: tuple[str, ...]

    def open_sampler(self, config: Any, /) -> Sampler: ...

    def load_renderer(self, sampler: Any, device: str, threads: int, /) -> Renderer: ...

    def versions(self) -> dict[str, str]: ...


def open_sampler(config: AnyConfig) -> Sampler:
    """The sampler of a config, with its assets. Raises InputError where the config does not fit the assets."""
    return _backend(config.renderer).open_sampler(config)


def load_renderer(sampler: Sampler, device: str = "cpu", threads: int = 0) -> Renderer:
    """The renderer for a sampler's records. Blender starts here.

    device: "cpu" or a kind of GPU, not "auto". threads: of the CPU, 0 for all cores.
    """
    return _backend(sampler.config.renderer).load_renderer(sampler, device, threads)


def open_renderer(config: AnyConfig, device: str = "cpu", threads: int = 0) -> tuple[Sampler, Renderer]:
    """The sampler and the renderer of a config, for a process that draws by itself."""
    sampler = open_sampler(config)
    return sampler, load_renderer(sampler, device, threads)


def versions(renderer: str) -> dict[str, str]:
    """The programs and libraries that the pixels of a kind of renderer depend on, with their versions."""
    return _backend(renderer).versions()


def device_for(config: AnyConfig, asked: str) -> str:
    """The kind of device to look for: "auto" where there is a choice. asked: as the option --device has it.

    Raises InputError for a device that the config's renderer cannot draw on.
    """
    possible = _backend(config.renderer).DEVICES
    if asked == "auto":
        return asked if len(possible) > 1 else possible[0]
    if asked not in possible:
        can = ", ".join(possible)
        raise InputError(f"--device {asked}: the renderer {config.renderer} cannot draw on it; it can on: {can}")
    return asked


def _backend(renderer: str) -> Backend:
    if renderer == "composite":
        from render.composite import backend as composite

        return composite
    from render.blender import backend as blender

    return blender
