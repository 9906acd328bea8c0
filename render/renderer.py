"""The protocols of samplers and renderers, and the functions that open them.

A sampler decides what a picture shows: it makes the record of the picture, which is plain data. A renderer draws the
record. Workers, farm, stream and previews use these protocols and do not depend on the kind of renderer. The field
`renderer` of a config names the kind.

A new kind needs a config class in `scenes.config.loading`, a package with a module `backend`, and a case in `_backend`
and in `render.versions`. A backend is imported on demand. Only `load_renderer` starts Blender.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from render.frame import Frame
from scenes.config.loading import AnyConfig
from scenes.errors import InputError
from scenes.record.record import Record


class Assets(Protocol):
    """The files and shapes that the pictures of a config use, by asset id. A file is read when a picture needs it."""

    @property
    def left_out(self) -> Mapping[str, str]:
        """The files that are known to be of no use, with the reason for each: by their names, or because they were
        read."""

    @property
    def warnings(self) -> Mapping[str, tuple[str, ...]]:
        """What was mended or is missing in the assets that were read, by asset id."""

    def checksums(self, ids: Iterable[str], /) -> Mapping[str, str]:
        """The sha256 of some assets. A texture has an entry for each of its maps, `<id>#<map>`."""

    def licenses(self, ids: Iterable[str], /) -> Mapping[str, str]:
        """The license of some assets, with the same entries; empty if it is unknown."""

    def triangles(self, ids: Iterable[str], /) -> Mapping[str, int]:
        """The number of triangles of those assets that are models."""


class Sampler(Protocol):
    """Decides the pictures of one config. A record depends only on the config, the seed and the index."""

    @property
    def config(self) -> AnyConfig: ...

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; the position is the class index."""

    @property
    def catalogue(self) -> Assets: ...

    def sample(self, seed: int, index: int, fixed_quantiles: Mapping[str, float] | None = None, /) -> Record:
        """Sample the record of a picture.

        fixed_quantiles: quantiles, 0 to 1, that replace the random numbers of single factors, by name.
        """

    def factors(self, seed: int, index: int, /) -> list[str]:
        """The names of the factors of a picture, which `fixed_quantiles` may use."""


class Renderer(Protocol):
    """Draws records. A process has at most one renderer of each kind."""

    def draw(self, record: Any, /) -> Frame:
        """Draw a record: the picture with all its labels."""


class Backend(Protocol):
    """One kind of renderer. Importing its module does not load the renderer itself.

    DEVICES: the kinds of devices that it can draw on.
    """

    DEVICES: tuple[str, ...]

    def open_sampler(self, config: Any, /) -> Sampler: ...

    def load_renderer(self, sampler: Any, device: str, threads: int, /) -> Renderer: ...

    def save_blend(self, sampler: Any, record: Any, path: Path, /) -> None: ...

    def views(self, frame: Frame, /) -> Sequence[NDArray[np.uint8]]: ...


def open_sampler(config: AnyConfig) -> Sampler:
    """Open the sampler of a config, with the assets that the config names.

    Parameters
    ----------
    config : Config or ComposeConfig
        What the pictures show.

    Returns
    -------
    Sampler
        Makes the record of each picture with `sample(seed, index)`. It needs neither Blender nor a GPU.

    Raises
    ------
    InputError
        If the assets are missing or do not fit the config.

    Examples
    --------
    >>> import blendmill
    >>> sampler = blendmill.open_sampler(blendmill.load_config("smoke", ["assets.shapes=1"]))
    >>> scene = sampler.sample(7, 0)
    >>> scene == sampler.sample(7, 0)  # the same seed and index give the same record
    True
    """
    return _backend(config.renderer).open_sampler(config)


def load_renderer(sampler: Sampler, device: str = "cpu", threads: int = 0) -> Renderer:
    """Load the renderer that draws the records of a sampler. For a Blender config, this starts Blender.

    Parameters
    ----------
    sampler : Sampler
        The sampler from `open_sampler`.
    device : str
        "cpu" or the kind of a GPU, such as "optix". "auto" is not allowed; see `choose`.
    threads : int
        Number of CPU threads; 0 uses all cores.

    Returns
    -------
    Renderer
        Draws a record with `draw(record)` and returns a Frame. A process can have only one of each kind.

    Raises
    ------
    InputError
        If Blender finds no device of this kind.

    Examples
    --------
    >>> import os, numpy as np, blendmill
    >>> from PIL import Image
    >>> os.mkdir("walls")
    >>> gray = np.random.default_rng(0).integers(90, 160, (64, 64, 3), np.uint8)
    >>> Image.fromarray(gray).save("walls/plaster.png")
    >>> config = blendmill.ComposeConfig(assets={"textures": ["walls"]}, resolution=(48, 32))
    >>> sampler = blendmill.open_sampler(config)
    >>> renderer = blendmill.load_renderer(sampler)
    >>> renderer.draw(sampler.sample(0, 0)).rgb.shape
    (32, 48, 3)
    """
    return _backend(sampler.config.renderer).load_renderer(sampler, device, threads)


def open_renderer(config: AnyConfig, device: str = "cpu", threads: int = 0) -> tuple[Sampler, Renderer]:
    """Open both the sampler and the renderer of a config, to draw in this process.

    Parameters
    ----------
    config : Config or ComposeConfig
        What the pictures show. For a Config, this starts Blender.
    device : str
        "cpu" or the kind of a GPU, such as "optix".
    threads : int
        Number of CPU threads; 0 uses all cores.

    Returns
    -------
    tuple of (Sampler, Renderer)
        The sampler makes records, the renderer draws them.

    Raises
    ------
    InputError
        If the assets do not fit the config, or Blender finds no device of this kind.

    Examples
    --------
    >>> import os, numpy as np, blendmill
    >>> from PIL import Image
    >>> os.mkdir("walls")
    >>> gray = np.random.default_rng(0).integers(90, 160, (64, 64, 3), np.uint8)
    >>> Image.fromarray(gray).save("walls/plaster.png")
    >>> config = blendmill.ComposeConfig(assets={"textures": ["walls"]}, resolution=(48, 32))
    >>> sampler, renderer = blendmill.open_renderer(config)
    >>> frame = renderer.draw(sampler.sample(0, 0))
    >>> frame.category.shape, frame.index
    ((32, 48), 0)
    """
    sampler = open_sampler(config)
    return sampler, load_renderer(sampler, device, threads)


def save_blend(sampler: Sampler, record: Record, path: Path) -> None:
    """Write the scene of a picture as a .blend file. This starts Blender in this process.

    Raises InputError for a picture without a scene in 3D.
    """
    _backend(sampler.config.renderer).save_blend(sampler, record, path)


def device_for(config: AnyConfig, asked: str) -> str:
    """The kind of device to search for; "auto" stays if the renderer has a choice. asked: value of --device.

    Raises InputError if the config's renderer cannot draw on this kind of device.
    """
    possible = _backend(config.renderer).DEVICES
    if asked == "auto":
        return asked if len(possible) > 1 else possible[0]
    if asked not in possible:
        can = ", ".join(possible)
        raise InputError(f"--device {asked}: the renderer {config.renderer} cannot use it; it can use: {can}")
    return asked


def _backend(renderer: str) -> Backend:
    if renderer == "composite":
        from render.composite import backend as composite

        return composite
    from render.blender import backend as blender

    return blender


def views(config: AnyConfig, frame: Frame) -> Sequence[NDArray[np.uint8]]:
    """The (H, W, 3) uint8 images that a contact sheet shows of a frame side by side; the first is the picture."""
    return _backend(config.renderer).views(frame)
