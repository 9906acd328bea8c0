"""Cracks drawn on photographs of surfaces: from a config, a seed and an index to the record of one such picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from scenes.config.composite import ComposeConfig, Step
from scenes.distributions import Distribution, Fixed, whole
from scenes.errors import InputError, choices
from scenes.record.record import CRACK, CrackMask, Factor, leaves
from scenes.section import Section
from scenes.streams import Recorder, Streams


@dataclass(frozen=True)
class NominalCamera:
    """A camera that looks straight at a surface from one meter and sees `mm_per_pixel` of it; the world's axes are its.

    Nobody knows what a photograph was taken with: this one has the right scale.
    """

    width: int
    height: int
    mm_per_pixel: float
    fstop: float = 0.0

    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64."""
        focal = 1000.0 / self.mm_per_pixel
        return np.array([[focal, 0.0, self.width / 2], [0.0, focal, self.height / 2], [0.0, 0.0, 1.0]])

    def world_to_camera(self) -> np.ndarray:
        """(4, 4) float64."""
        return np.eye(4)


@dataclass(frozen=True)
class Composition:
    """One composed picture before it is drawn, a `scenes.record.record.Record`.

    It is the picture of (seed, index), width x height pixels of `mm_per_pixel`.

    texture: asset id of the surface. steps: for each step that is done its parameters' values. margin, threshold:
    as in `ComposeConfig`.
    """

    seed: int
    index: int
    width: int
    height: int
    mm_per_pixel: float
    margin: float
    threshold: float
    texture: str
    steps: Mapping[str, Mapping[str, Any]]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in mm."""
        return self.width * self.mm_per_pixel, self.height * self.mm_per_pixel

    @property
    def camera(self) -> NominalCamera:
        return NominalCamera(self.width, self.height, self.mm_per_pixel)

    @property
    def subject(self) -> str:
        return CRACK

    @property
    def crack_mask(self) -> CrackMask:
        return "instance"

    @property
    def unknown_labels(self) -> frozenset[str]:
        """A photograph tells neither depth nor normals."""
        return frozenset({"depth", "normals"})

    def factors(self) -> Iterator[Factor]:
        """The values of every step but the style's reference, which is an asset."""
        yield "mm_per_pixel", self.mm_per_pixel
        for step, values in self.steps.items():
            yield from leaves(step, {name: value for name, value in values.items() if name != "reference"})

    def assets(self) -> Iterator[str]:
        """The surface's texture, the style's reference."""
        yield self.texture
        yield from (str(values["reference"]) for values in self.steps.values() if "reference" in values)

    @property
    def cracked(self) -> bool:
        """Whether a crack is drawn, be it seen or not."""
        return "crack" in self.steps

    def streams(self) -> Streams:
        """The streams of this picture, for what takes more than one number."""
        return Streams(self.seed, self.index)

    def to_json(self) -> str:
        return _adapter().dump_json(self).decode()

    def to_data(self) -> dict[str, Any]:
        """The same as `to_json`, not yet written out."""
        return _adapter().dump_python(self, mode="json")

    @staticmethod
    def from_json(text: str | bytes) -> Composition:
        return _adapter().validate_json(text)


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[Composition]:
    return TypeAdapter(Composition)


_STEPS = tuple(name for name, field in ComposeConfig.model_fields.items() if isinstance(field.default, Step))
OF_CRACK = {"warp", "smoothing", "dissolve", "lips", "healed", "colour"}


class Composer:
    """Draws the compositions of one config over textures and style references, both given by their asset ids.

    Raises InputError where there is no texture, a name in the config is not among them, or a crack is wider than the
    picture.
    """

    def __init__(self, config: ComposeConfig, textures: tuple[str, ...], references: tuple[str, ...] = ()):
        self.config, self.textures, self.references = config, textures, references
        if not textures:
            raise InputError("field assets.textures: there is no picture to draw cracks on; name a folder of them")
        _check_names("backdrop.texture", config.backdrop.texture, textures)
        if references:
            _check_names("style.reference", config.style.reference, references)
        _check_width(config)

    def sample(self, seed: int, index: int, held: Mapping[str, float] | None = None) -> Composition:
        """The composition of (seed, index). held: quantiles that replace single factors' draws, by factor name."""
        return self._composed(Streams(seed, index, held))

    def factors(self, seed: int, index: int) -> list[str]:
        """The names of the factors that decide the composition of (seed, index): what `held` may name."""
        recorder = Recorder(seed, index)
        done = self._composed(recorder).steps
        return sorted(name for name in recorder.named if _matters(name, done))

    def _composed(self, streams: Streams) -> Composition:
        config = self.config
        steps = {name: _drawn(streams, name, getattr(config, name)) for name in _STEPS}
        left_out = {name for name, values in steps.items() if not values.pop("use")}
        if "crack" in left_out:
            left_out |= OF_CRACK
        if not self.references:
            left_out.add("style")
        done = {name: values for name, values in steps.items() if name not in left_out}
        backdrop = _drawn(streams, "backdrop", config.backdrop)
        texture = str(backdrop.pop("texture", None) or _picked(streams, "backdrop.texture", self.textures))
        if "style" in done and "reference" not in done["style"]:
            done["style"]["reference"] = _picked(streams, "style.reference", self.references)
        return Composition(
            seed=streams.seed,
            index=streams.index,
            width=config.resolution[0],
            height=config.resolution[1],
            mm_per_pixel=_value(streams, "mm_per_pixel", config.mm_per_pixel),
            margin=config.margin,
            threshold=config.threshold,
            texture=texture,
            steps={"backdrop": backdrop, **done},
        )


def _matters(factor: str, done: Mapping[str, object]) -> bool:
    """Whether a factor is of the picture, of a step that is done, or the switch of one that is not."""
    step, _, field = factor.partition(".")
    return field in ("", "use") or step in done


def _value(streams: Streams, factor: str, distribution: Distribution) -> Any:
    return distribution.value if isinstance(distribution, Fixed) else distribution.at(streams.quantile(factor))


def _drawn(streams: Streams, name: str, section: Section) -> dict[str, Any]:
    """The values of a section's parameters; those that are null are left out."""
    rounded = section.WHOLE if isinstance(section, Step) else ()
    values: dict[str, Any] = {}
    for field in type(section).model_fields:
        distribution, factor = getattr(section, field), f"{name}.{field}"
        if field in rounded:
            values[field] = whole(distribution, streams.quantile(factor))
        elif distribution is not None:
            values[field] = _value(streams, factor, distribution)
    return values


def _picked(streams: Streams, factor: str, options: tuple[str, ...]) -> str:
    return options[int(streams.quantile(factor) * len(options))]


def _check_names(field: str, distribution: Distribution | None, known: tuple[str, ...]) -> None:
    for name in distribution.support() if distribution is not None else ():
        if name not in known:
            raise InputError(f"field {field}: no picture is called '{name}', {choices(str(name), known)}")


def _check_width(config: ComposeConfig) -> None:
    if config.crack.width is None:
        return
    dilation = max(config.warp.dilation.support()) if True in config.warp.use.support() else 1.0
    widest, side = max(config.crack.width.support()) * dilation, min(config.resolution)
    room = side * min(config.mm_per_pixel.support())
    if widest >= room:
        raise InputError(
            f"field crack.width: cracks of up to {widest:g} mm do not fit pictures of {room:g} mm ({side} pixels); "
            "take less, or raise mm_per_pixel"
        )
