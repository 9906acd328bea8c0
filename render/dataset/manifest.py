"""dataset.json: what a data set is, and which shards it has."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from render.dataset.provenance import AssetRecord, Provenance
from render.dataset.shard_file import FORMAT
from scenes.errors import InputError, shortened
from scenes.files import read_regular, replacing
from scenes.plain_json import parse_json

MANIFEST = "dataset.json"
RECEIPT = "blendmill_export.json"
"""The file that says what an export is of. Not `*-export.json`: datumaro takes such a folder for an export of VoTT."""


_LARGEST = 1 << 28
"""Bytes of a dataset.json, which names all assets and shards."""

_MOST_SHARDS = 1_000_000
_SHARD = re.compile(r"(\d{5,7})\.h5")
_NOTE = re.compile(r"(\d{5,7})\.json")
_TOLD = 20

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_CLASSES = 65535  # a category mask has 16 bits


class _Wrong(Exception):
    """What is wrong with the first wrong value of a mapping. pydantic would collect an error for each of millions."""

    def __init__(self, field: str, error: ValidationError):
        super().__init__(_told(error, field))


def _stop(value: Any, check: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return check(value)
    except ValidationError as error:
        raise _Wrong(info.field_name or "", error) from None


def _told(error: ValidationError, *where: str) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(shortened(str(step)) for step in (*where, *first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    return f"{f'field {field}: ' if field else ''}{message}"


_Each = WrapValidator(_stop)
Name = Annotated[str, Field(max_length=200)]


class Manifest(BaseModel):
    """The content of dataset.json: all that is needed to draw the data set again and to verify it.

    Attributes
    ----------
    format : int
        Version of the format.
    config : dict
        The complete config as JSON data.
    config_hash : str
        Digest of the config.
    seed : int
        Seed of all random draws.
    count : int
        Number of pictures. Their indices are 0 to count - 1.
    shard_size : int
        Pictures in one shard.
    classes : tuple of str
        Names by class index. The category mask holds the class index + 1.
    versions : mapping of str to str
        Versions of blendmill, Python, numpy, and of Blender or OpenCV, whichever draws.
    device : str
        The kind of device that drew the pictures.
    assets : mapping of str to AssetRecord
        Checksum and license of each asset that is in a picture, by asset id, and the triangles of a model. Recorded
        with the checksums.
    warnings : mapping of str to tuple of str
        What was mended or is missing in these assets, by asset id.
    left_out : mapping of str to str
        The files that could not be used, each with the reason: those that no reader knows, and those that would
        otherwise be in a picture.
    shards : mapping of str to str
        The sha256 of each shard by file name. Empty until all shards are there; while a set grows, those of the shards
        that stay.
    skipped : tuple of int
        Indices of the pictures that were given up and are in no shard. Recorded with the checksums.

    Examples
    --------
    >>> from pathlib import Path
    >>> import blendmill
    >>> manifest = blendmill.Manifest(
    ...     config={}, config_hash="", seed=0, count=5, shard_size=2, classes=("mug",), versions={}, device="cpu"
    ... )
    >>> manifest.shard_count, list(manifest.indices(2))
    (3, [4])
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    config: dict[str, Any]
    config_hash: Name
    seed: int
    count: int = Field(ge=1, le=10**9)
    shard_size: int = Field(ge=1, le=10**9)
    classes: Annotated[tuple[Name, ...], FailFast(), Field(max_length=_MOST_CLASSES)]
    versions: Mapping[str, Annotated[Name, _Each]]
    device: Name
    assets: Mapping[str, Annotated[AssetRecord, _Each]] = {}
    warnings: Mapping[str, Annotated[tuple[str, ...], _Each]] = {}
    left_out: Mapping[str, Annotated[str, _Each]] = {}
    shards: Mapping[str, str] = {}
    skipped: Annotated[tuple[int, ...], FailFast()] = ()

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("a class stands there twice")
        if odd := next((name for name in classes if not name.isprintable()), None):
            raise ValueError(f"the class {shortened(repr(odd))} has characters that cannot be printed")
        return classes

    @field_validator("shards", mode="before")
    @classmethod
    def _check_sums(cls, shards: Any) -> Any:
        for name, digest in shards.items() if isinstance(shards, Mapping) else ():
            if not _SHARD.fullmatch(name):
                raise ValueError(f"'{shortened(name)}' is not the name of a shard")
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise ValueError(f"{name} has '{shortened(digest)}' and no sha256")
        return shards

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        if self.shard_count > _MOST_SHARDS:
            raise ValueError(f"{self.count} pictures in shards of {self.shard_size} are over {_MOST_SHARDS:,} shards")
        if any(index >= following for index, following in pairwise((-1, *self.skipped, self.count))):
            raise ValueError(f"skipped: these are no ascending indices from 0 to {self.count - 1}")
        return self

    @property
    def shard_count(self) -> int:
        """The number of shards of the complete data set."""
        return -(-self.count // self.shard_size)

    @staticmethod
    def shard_name(shard: int) -> str:
        """The file name of a shard, 0-based."""
        return f"{shard:05d}.h5"

    def indices(self, shard: int) -> range:
        """The indices of the pictures in a shard, 0-based."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.count))

    def pictures(self, shard: int) -> list[int]:
        """The indices of the pictures a shard holds, in their order: all of `indices` but those skipped."""
        skipped = set(self.skipped_in(shard))
        return [index for index in self.indices(shard) if index not in skipped]

    def skipped_in(self, shard: int) -> tuple[int, ...]:
        """The indices of the pictures that a shard lacks, in their order."""
        within = self.indices(shard)
        return self.skipped[bisect_left(self.skipped, within.start) : bisect_left(self.skipped, within.stop)]

    @property
    def provenance(self) -> Provenance:
        """What is recorded of the assets."""
        return Provenance(assets=self.assets, warnings=self.warnings, left_out=self.left_out)

    def attributes(self) -> dict[str, str | int]:
        """The attributes that mark a shard as a part of this data set."""
        return {"config_hash": self.config_hash, "seed": self.seed}

    def encoded(self) -> bytes:
        """The content of dataset.json."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def save(self, folder: str | Path) -> None:
        """Write dataset.json into an existing folder, atomically."""
        with replacing(Path(folder) / MANIFEST) as temporary:
            temporary.write_bytes(self.encoded())

    @staticmethod
    def load(folder: str | Path) -> Manifest:
        """Read a folder's dataset.json. Raises InputError where there is none, or it is not what this version reads."""
        path = Path(folder) / MANIFEST
        if not path.exists():
            raise InputError(f"{folder}: not a data set, there is no {MANIFEST}; give the folder that holds it")
        return Manifest.parse(read_regular(path, _LARGEST), str(path))

    @staticmethod
    def parse(text: bytes, where: str) -> Manifest:
        """The manifest of dataset.json's content. Raises InputError, which begins with `where`, if it is none."""
        try:
            content = parse_json(text, where)
        except InputError as error:
            raise InputError(f"{error}; copy it again, or delete it and rerun the render command") from None
        found = content.get("format") if isinstance(content, dict) else None
        if found != FORMAT:
            raise InputError(
                f"{where}: format {shortened(found)}, this version reads {FORMAT}; use the version that wrote it"
            )
        try:
            return Manifest.model_validate(content)
        except ValidationError as error:
            raise InputError(f"{where}: {_told(error)}") from error
        except _Wrong as error:
            raise InputError(f"{where}: {error}") from None

    def require_same(self, asked: Manifest, place: Path | str) -> None:
        """Raise InputError unless a job for `asked` may go on in the place this manifest was read from.

        The number of pictures may differ, because no picture depends on it.
        """
        for name, there, wanted in self._decisive(asked):
            if there != wanted:
                raise InputError(
                    f"{place}: holds a data set of {name} {shortened(there)}, asked is {shortened(wanted)}; "
                    "choose another folder, or ask for what is there"
                )
        if self.config_hash != asked.config_hash:
            differing = list(_differences(self.config, asked.config))
            shown = "; ".join(differing[:3]) + (f"; and {len(differing) - 3} more" if len(differing) > 3 else "")
            raise InputError(
                f"{place}: holds a data set of another config ({shown or 'see dataset.json'}); "
                "choose another folder, or the config that is there"
            )
        for name in sorted(self.assets.keys() & asked.assets.keys()):
            if self.assets[name] != asked.assets[name]:
                raise InputError(
                    f"{place}: holds a data set drawn with another asset '{shortened(name)}' than is here now"
                )

    def _decisive(self, asked: Manifest) -> Iterator[tuple[str, Any, Any]]:
        """What two jobs for one data set have in common besides the config: name, value here, value asked for."""
        for name in ("seed", "shard_size", "classes", "device"):
            yield name, getattr(self, name), getattr(asked, name)
        for library, name in (("blender", "Blender"), ("opencv", "OpenCV")):
            yield name, self.versions.get(library), asked.versions.get(library)


def _differences(there: Any, asked: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in sorted(there.keys() | asked.keys()):
            yield from _differences(there.get(key), asked.get(key), f"{at}.{key}" if at else key)
    elif there != asked:
        yield f"{at}: {json.dumps(there)} there, {json.dumps(asked)} asked"


def shard_numbers(names: Iterable[str], suffix: Literal["h5", "json"] = "h5") -> Iterator[int]:
    """The numbers of those names in a folder that are shards', or of the notes on shards."""
    for name in names:
        if found := (_SHARD if suffix == "h5" else _NOTE).fullmatch(name):
            yield int(found[1])


def missing_lines(place: str, manifest: Manifest, present: Collection[int]) -> Iterator[str]:
    """A line for each shard that is not there. After twenty, one line tells how many more."""
    missing = sorted(set(range(manifest.shard_count)).difference(present))
    for shard in missing[:_TOLD]:
        yield f"{place}/{Manifest.shard_name(shard)}: missing"
    if len(missing) > _TOLD:
        yield f"{place}: {len(missing) - _TOLD} more shards: missing"
