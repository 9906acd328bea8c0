"""A studio: the pictures of one config, drawn one by one when they are asked for."""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, Self

from render.farm.devices import choose, worker_slots
from render.farm.local import RetryPolicy
from render.farm.pool import WorkerPool
from render.farm.shared_memory import Memory, frame_size
from render.frame import Frame
from render.renderer import Renderer, device_for, load_renderer, open_sampler
from scenes.config.composite import ComposeConfig
from scenes.config.loading import AnyConfig, Source, load_config
from scenes.config.objects import Config
from scenes.errors import InputError
from scenes.record.record import Record

_POLICY = RetryPolicy()


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
        self._renderer: Renderer | _Apart | None = None

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
            device = choose(self._device)[0]
            apart = None if self._here else _Apart(self.config, device.kind)
            self._renderer = apart or load_renderer(self._sampler, device.kind)
        return self._renderer.draw(record)

    def close(self) -> None:
        """End Blender's process. The next picture would start it again."""
        if isinstance(self._renderer, _Apart):
            self._renderer.close()
            self._renderer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Apart:
    """A renderer in a process of its own, which is started when it must draw, and anew if it died."""

    def __init__(self, config: AnyConfig, device: str):
        self._config, self._device = config, device
        self._size = 0
        self._finish: weakref.finalize | None = None

    def draw(self, record: Record) -> Frame:
        size = frame_size(record.camera.height, record.camera.width)
        if self._finish is None or size > self._size:
            self._start(size)
        order = {"do": "frames", "indices": [record.index], "slots": [0], "size": self._size}
        order["records"] = [record.to_json()]
        try:
            return self._drawn(order, record.index)
        except InputError:  # the process waits for the next order
            raise
        except BaseException:  # also Ctrl-C: what is half drawn must not be taken for the next picture
            self.close()
            raise

    def _drawn(self, order: dict[str, Any], index: int) -> Frame:
        deaths = 0
        self._pool.give(0, order)
        while True:
            for event in self._pool.events(1.0):
                if event.kind == "refused":
                    raise InputError(event.data["reason"])
                if event.kind == "frame":
                    return self._memory.take(event.data["labels"], 0)
                if event.kind == "died":
                    deaths += event.index is not None
                    if deaths >= _POLICY.attempts:
                        raise InputError(f"picture {index}: was given up after {deaths} deaths: {event.data['reason']}")
                    self._pool.give(0, order)

    def _start(self, size: int) -> None:
        self.close()
        slots = worker_slots(choose(self._device)[:1], 1, pictures=1)
        self._memory = Memory(size, 1)
        spec = {"config": self._config.plain(), "seed": 0}
        self._pool = WorkerPool(spec, slots, _POLICY.timeout, self._memory.file)
        self._size = size
        self._finish = weakref.finalize(self, _end, self._pool, self._memory)

    def close(self) -> None:
        if self._finish is not None:
            self._finish()
            self._finish = None


def _end(pool: WorkerPool, memory: Memory) -> None:
    pool.close()
    memory.close()
