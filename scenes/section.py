"""The base class of all config sections, and the draw of their values for one picture."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

from scenes.distributions import Distribution
from scenes.names import Names
from scenes.streams import Renamed, Streams


class Section(BaseModel):
    """A part of the config: unknown keys are errors, values are frozen, infinities are refused.

    Fields annotated with `numbers`, `names`, `flags` or `elevations` hold a Distribution after validation. Their
    defaults are written in the YAML form of a distribution. The string below a field is its description.

    STREAMS: for fields that were renamed, their path below this section and the older one that their stream keeps.
    """

    # Pydantic could keep the strings below the fields, but it takes longer to find them than to make all else of the
    # classes. Each process would wait for it. `scenes.config.reference` finds them when they are asked for.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)

    STREAMS: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, data: Any) -> Any:
        """A section that is given in part takes its other fields from its own default, not from its class.

        The default sun is weaker than the default lamp: `sun: {count: 1}` changes the count alone.
        """
        if not isinstance(data, Mapping):
            return data
        fields = cls.model_fields
        return {name: _over(fields[name].default if name in fields else None, given) for name, given in data.items()}

    def draw(self, streams: Streams, key: str = "") -> Drawn:
        """This section's values in the picture that `streams` belong to. key: the section's path in the config."""
        return Drawn(self, streams, key)

    @classmethod
    def renamed(cls) -> Renamed:
        """All renamed fields of this section and of those in it, for `Streams`."""
        return tuple(sorted(_renamed(cls, "", ""), key=lambda pair: -len(pair[0])))


class Drawn(Mapping[str, Any]):
    """A section's values in one picture, by field. Each is drawn when it is asked for, from the stream "<key>.<field>".

    Fields that are null are left out. A field that is a section itself is a mapping of its values.

    >>> from scenes.config.camera import SensorConfig
    >>> SensorConfig(jpeg=90).draw(Streams(0, 0), "sensor")["jpeg"]
    90
    """

    def __init__(self, section: Section, streams: Streams, key: str):
        self.streams, self.key = streams, key
        self._section = section

    def __getitem__(self, name: str) -> Any:
        value = getattr(self._section, name)
        if value is None:
            raise KeyError(name)
        return dict(self.section(name)) if isinstance(value, Section) else self.of(name, value)

    def __iter__(self) -> Iterator[str]:
        for name in type(self._section).model_fields:
            if isinstance(getattr(self._section, name), (Distribution, Section)):
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def path(self, name: str) -> str:
        """The path of a field, or of what is drawn beside the fields."""
        return joined(self.key, name)

    def of(self, name: str, distribution: Distribution) -> Any:
        """The value of a distribution that is drawn as if it were the field `name`."""
        return self.streams.value(self.path(name), distribution)

    def quantile(self, name: str) -> float:
        """The uniform number in [0, 1) that decides a field, or what is drawn beside the fields."""
        return self.streams.quantile(self.path(name))

    def one_of(self, name: str, options: Names) -> str:
        """The drawn name of a field. If the field is null, one of the options, all equally likely."""
        return self.choose(name, options) if getattr(self._section, name) is None else str(self[name])

    def choose(self, name: str, options: Names) -> str:
        """One of some names, all equally likely, for what is drawn beside the fields."""
        return self.streams.one_of(self.path(name), options)

    def section(self, name: str, k: int | None = None) -> Drawn:
        """The values of the section that a field holds; k: of the k-th thing that it describes."""
        path = self.path(name)
        return Drawn(getattr(self._section, name), self.streams, path if k is None else f"{path}.{k}")


def _over(default: Any, given: Any) -> Any:
    """What is given of a section, over those fields of its default that differ from its class."""
    if not isinstance(default, Section) or not isinstance(given, Mapping):
        return given
    kept = {name: getattr(default, name) for name in default.model_fields_set}
    return {**kept, **{name: _over(kept.get(name), value) for name, value in given.items()}}


def joined(*path: str) -> str:
    """A dotted path, without its empty parts."""
    return ".".join(filter(None, path))


def _renamed(section: type[Section], key: str, stream: str) -> Iterator[tuple[str, str]]:
    for path, older in section.STREAMS.items():
        yield joined(key, path), joined(stream, older)
    for name, field in section.model_fields.items():
        for inner in (field.annotation, *typing.get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, Section):
                yield from _renamed(inner, joined(key, name), joined(stream, section.STREAMS.get(name, name)))
