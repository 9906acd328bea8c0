"""A studio: the pictures of one config, drawn one by one when they are asked for."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from render.farm.apart import ApartRenderer
from render.farm.devices import choose, worker_slots
from render.frame import Frame
from render.renderer import Renderer, device_for, load_renderer, open_sampler
from scenes.config.composite import ComposeConfig
from scenes.config.loading import AnyConfig, Source, load_config
from scenes.config.objects import Config
from scenes.errors import InputError
from scenes.record.record import Record


class Studio:
    """Draws single pictures of a config: sample a scene, change it if you like, draw it.

    Blender starts with the first picture, in a process of its own. A crash there does not end your program. A studio
    is a context manager; `close` ends the process. The same seed and index give the same picture as in a data set.

    Parameters
    ----------
    config : Config, ComposeConfig, str, Path or mapping
        A config, or what `load_config` makes one of: the name of a preset, a YAML file, or its content.
    seed : int
        Seed of all random draws.
    device : str
        "auto", "cpu", or a kind of GPU such as "optix".
    here : bool
        Whether to load Blender into this process. It then draws about a millisecond faster, and you can use `bpy`.

    Raises
    ------
    InputError
        The config is bad, or does not fit its assets.

    Examples
    --------
    >>> import blendmill
    >>> small = {"extends": "smoke", "camera": {"resolution": [32, 24]}, "classes": ["mug"], "render": {"samples": 1}}
    >>> with blendmill.Studio(small, seed=1) as studio:
    ...     scene = studio.sample(0)
    ...     closer = blendmill.edited(scene, {"camera.focal_length": 90})
    ...     frame = studio.draw(closer)
    >>> scene.main.category, frame.rgb.shape, frame.depth.dtype
    ('mug', (24, 32, 3), dtype('float32'))
    """

    def __init__(self, config: AnyConfig | Source, seed: int = 0, *, device: str = "auto", here: bool = False):
        self.config = config if isinstance(config, (Config, ComposeConfig)) else load_config(config)
        self.seed, self._here = seed, here
        self._sampler = open_sampler(self.config)
        self._device = device_for(self.config, device)
        self._renderer: Renderer | ApartRenderer | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes; the position is the class index."""
        return self._sampler.classes

    def factors(self, index: int = 0) -> list[str]:
        """The names of the factors that decide a picture, as `blendmill preview --vary` takes them."""
        return self._sampler.factors(self.seed, index)

    def sample(self, index: int, quantiles: dict[str, float] | None = None) -> Any:
        """The Scene (or Composition) of a picture. quantiles: numbers in [0, 1) in place of random draws, by factor."""
        unknown = set(quantiles or ()) - set(self.factors(index)) if quantiles else set()
        if unknown:
            raise InputError(f"quantiles: picture {index} has no factor '{min(unknown)}'; see Studio.factors")
        return self._sampler.sample(self.seed, index, quantiles)

    def draw(self, what: Record | int) -> Frame:
        """Draw a scene, or the picture of an index."""
        record = self._sampler.sample(self.seed, what) if isinstance(what, int) else what
        if self._renderer is None:
            devices = choose(self._device)[:1]
            apart = None if self._here else ApartRenderer(self.config, worker_slots(devices, 1, pictures=1)[0])
            self._renderer = apart or load_renderer(self._sampler, devices[0].kind)
        return self._renderer.draw(record)

    def close(self) -> None:
        """End Blender's process. The next picture would start it again."""
        if isinstance(self._renderer, ApartRenderer):
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
