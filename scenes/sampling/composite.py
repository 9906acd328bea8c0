"""Cracks drawn on photographs of surfaces: from a config, a seed and an index to the record of one such picture."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from scenes.config.composite import OF_CRACK, ComposeConfig
from scenes.config.composite_crack import StepConfig
from scenes.distributions import Distribution, parse
from scenes.errors import InputError, choices
from scenes.names import Names
from scenes.record.composite import Composition
from scenes.section import Drawn
from scenes.streams import Recorder, Streams

_STEPS = tuple(name for name, field in ComposeConfig.model_fields.items() if isinstance(field.default, StepConfig))
_RENAMED = ComposeConfig.renamed()


class Composer:
    """Draws the compositions of one config.

    Parameters
    ----------
    config : ComposeConfig
        The distribution of each factor.
    textures : tuple of str
        Asset ids of the photographs of surfaces.
    references : tuple of str
        Asset ids of the pictures whose style is copied. Without any, the step "style" is skipped.
    folders : mapping of str to tuple of str
        Asset ids of each folder by its name, where `shares` says how often each folder is taken.
    shares : mapping of str to float
        How often each folder is taken, by its name. Without any, all textures are equally likely.

    Raises
    ------
    InputError
        There is no texture, the config names an unknown picture, or a crack can be wider than the picture.

    Examples
    --------
    >>> from blendmill import ComposeConfig, Composer
    >>> Composer(ComposeConfig(), textures=("walls/brick",)).sample(seed=0, index=0).texture
    'walls/brick'
    """

    def __init__(
        self,
        config: ComposeConfig,
        textures: tuple[str, ...],
        references: tuple[str, ...] = (),
        folders: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        shares: Mapping[str, float] = MappingProxyType({}),
    ):
        self.config, self.textures, self.references = config, _names(textures), _names(references)
        self._folders = {name: _names(ids) for name, ids in folders.items()}
        whole = sum(shares.values())
        self._shares = parse({"choice": {name: share / whole for name, share in shares.items()}}) if shares else None
        if not textures:
            raise InputError("field assets.textures: there is no picture to draw cracks on; name a folder of them")
        _check_names("background.texture", config.background.texture, textures)
        if references:
            _check_names("style.reference", config.style.reference, references)
        _check_width(config)

    def sample(self, seed: int, index: int, fixed_quantiles: Mapping[str, float] | None = None) -> Composition:
        """The composition of (seed, index). fixed_quantiles: numbers in [0, 1) that replace random draws, by name."""
        return self._composed(Streams(seed, index, fixed_quantiles, _RENAMED))

    def factors(self, seed: int, index: int) -> list[str]:
        """The names of the factors that decide the composition of (seed, index): what `fixed_quantiles` may name."""
        recorder = Recorder(seed, index, _RENAMED)
        self._composed(recorder)
        return sorted(recorder.named)

    def _composed(self, streams: Streams) -> Composition:
        config, drawn = self.config, self.config.draw(streams)
        steps = {name: drawn.section(name) for name in _STEPS}
        left_out = {name for name, step in steps.items() if not step["use"]}
        if "crack" in left_out:
            left_out |= set(OF_CRACK)
        if not self.references:
            left_out.add("style")
        background = drawn.section("background")
        done = {"background": dict(background)}
        done |= {name: _parameters(step) for name, step in steps.items() if name not in left_out}
        done["background"].pop("texture", None)
        if "style" in done:
            done["style"]["reference"] = steps["style"].one_of("reference", self.references)
        return Composition(
            seed=streams.seed,
            index=streams.index,
            width=config.resolution[0],
            height=config.resolution[1],
            mm_per_pixel=drawn["mm_per_pixel"],
            margin=config.margin,
            threshold=config.threshold,
            least=config.least,
            texture=background.one_of("texture", self._textures(background)),
            steps=done,
        )

    def _textures(self, background: Drawn) -> Names:
        """The textures that one is drawn from: those of a folder if the folders have shares."""
        if self._shares is None:
            return self.textures
        return self._folders[background.of("folder", self._shares)]


def _names(ids: tuple[str, ...]) -> Names:
    return ids if isinstance(ids, Names) else Names(ids)


def _parameters(step: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in step.items() if name != "use"}


def _check_names(field: str, distribution: Distribution | None, known: tuple[str, ...]) -> None:
    for name in distribution.support() if distribution is not None else ():
        if name not in known:
            raise InputError(f"field {field}: no picture is called '{name}', {choices(str(name), known)}")


def _check_width(config: ComposeConfig) -> None:
    if config.crack.width is None:
        return
    dilation = max(config.warp.dilation.support()) if True in config.warp.use.support() else 1.0
    widest, side = max(config.crack.width.support()) * dilation, min(config.resolution)
    if widest >= side:
        raise InputError(
            f"field crack.width: cracks of up to {widest:g} pixels do not fit pictures of {side} pixels; "
            "take less, or raise resolution"
        )
