"""The data set on disk: `DIR/dataset.json` says what it is, `DIR/shards/00000.h5`, … hold its pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
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

from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.local import Folder
from render.dataset.provenance import AssetRecord, Provenance
from render.dataset.shard import FORMAT, Shard
from render.frame import Frame
from scenes.errors import InputError, shortened
from scenes.files import read_regular, replacing, sha256
from scenes.plain_json import parse_json

MANIFEST = "dataset.json"


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
        Checksum and license of each asset that is in a picture, by asset id. Recorded with the checksums.
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
        skipped = set(self.skipped)
        return [index for index in self.indices(shard) if index not in skipped]

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

    def save(self, folder: Path) -> None:
        """Write dataset.json into an existing folder, atomically."""
        with replacing(folder / MANIFEST) as temporary:
            temporary.write_bytes(self.encoded())

    @staticmethod
    def load(folder: Path) -> Manifest:
        """Read a folder's dataset.json. Raises InputError where there is none, or it is not what this version reads."""
        path = folder / MANIFEST
        if not path.exists():
            raise InputError(f"{folder}: not a data set, there is no {MANIFEST}; give the folder that holds it")
        return Manifest.parse(read_regular(path, _LARGEST), str(path))

    @staticmethod
    def parse(text: bytes, where: str) -> Manifest:
        """The manifest of dataset.json's content. Raises InputError, which begins with `where`, if it is none."""
        content = parse_json(text, where)
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
                    f"{place}: holds a data set of {name} {there}, asked is {wanted}; "
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
                raise InputError(f"{place}: holds a data set drawn with another asset '{name}' than is here now")

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


@dataclass(frozen=True)
class Dataset:
    """A data set in a folder, to read.

    Parameters
    ----------
    folder : Path
        The folder that holds dataset.json.
    manifest : Manifest
        The content of dataset.json. `Dataset.open` reads it.

    Examples
    --------
    >>> from pathlib import Path
    >>> import blendmill
    >>> manifest = blendmill.Manifest(
    ...     config={}, config_hash="", seed=0, count=5, shard_size=2, classes=("mug",), versions={}, device="cpu"
    ... )
    >>> manifest.save(Path("."))
    >>> dataset = blendmill.Dataset.open(Path("."))
    >>> dataset.manifest.count, dataset.present()
    (5, [])
    """

    folder: Path
    manifest: Manifest

    @staticmethod
    def open(folder: Path) -> Dataset:
        """Open the data set in a folder. Raises InputError if there is none."""
        return Dataset(folder, Manifest.load(folder))

    def shard_path(self, shard: int) -> Path:
        """Where a shard is, or will be; 0-based."""
        return self.folder / "shards" / Manifest.shard_name(shard)

    def present(self) -> list[int]:
        """The numbers of the shards that exist, 0-based, in order. One listing of the folder tells them."""
        names = Folder(self.folder).names("shards")
        return sorted(shard for shard in shard_numbers(names) if shard < self.manifest.shard_count)

    def shard(self, shard: int) -> Shard:
        """Open a shard. Raises InputError if it is missing, damaged or of another data set."""
        return _opened(self.shard_path(shard), self.manifest, shard)

    def check_sum(self, shard: int) -> None:
        """Raise InputError if the shard's sha256 is recorded and differs."""
        path = self.shard_path(shard)
        recorded = self.manifest.shards.get(path.name)
        if recorded and path.is_file() and sha256(path) != recorded:
            raise InputError(f"{_differs(path, [recorded])}; delete the file and rerun the render command")

    def shards(self) -> Iterator[Shard]:
        """All shards, each open until the next one. Raises InputError where one is missing."""
        for shard in range(self.manifest.shard_count):
            with self.shard(shard) as opened:
                yield opened

    def frames(self, *, partial: bool = False, limits: Limits = NO_LIMITS, check_sums: bool = True) -> Iterator[Frame]:
        """The frames in the order of their indices.

        partial: skip missing shards; otherwise a missing shard is an InputError. limits: pictures outside of them are
        left out. check_sums: whether each shard is first compared with its recorded sha256; a shard that differs is an
        InputError.
        """
        for shard in self.present() if partial else range(self.manifest.shard_count):
            if check_sums:
                self.check_sum(shard)
            with self.shard(shard) as opened:
                for i in opened.within(limits):
                    yield opened.frame(i)

    def frame(self, index: int) -> Frame:
        """One picture by its index.

        Raises IndexError outside the data set, InputError where its shard is missing or the picture was skipped.
        """
        if not 0 <= index < self.manifest.count:
            raise IndexError(f"{self.folder} holds {self.manifest.count} pictures, there is no number {index}")
        if index in self.manifest.skipped:
            raise InputError(f"{self.folder}: picture {index} was given up when the set was drawn, see failed/ there")
        shard = index // self.manifest.shard_size
        with self.shard(shard) as opened:
            return opened.frame(opened.arrays("index").tolist().index(index))

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the files, a line each; empty where every shard is there, whole and as recorded."""
        present = self.present()
        faults = (line for shard in present for line in self._faults(shard))
        return (*missing_lines(str(self.folder / "shards"), self.manifest, present), *faults)

    def _faults(self, shard: int) -> Iterator[str]:
        path = self.shard_path(shard)
        recorded = self.manifest.shards.get(path.name)
        yield from shard_faults(path, self.manifest, shard, {recorded} if recorded else set(), str(path))


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


def shard_faults(path: Path, manifest: Manifest, shard: int, sums: Collection[str], name: str) -> Iterator[str]:
    """What is wrong with a shard's file, a line each. name: the file's, for the lines.

    sums: what its sha256 may be. Where that is not known, all of its pictures are read.
    """
    try:
        if sums and path.is_file() and sha256(path) not in sums:
            yield _differs(name, sums)
            return
    except OSError as error:  # it says nothing about the shard
        raise InputError(f"{name}: cannot be read: {error.strerror}; try again") from None
    try:
        # A skipped picture that is there is told below, with what else is not as it should be.
        with _opened(path, manifest.model_copy(update={"skipped": ()}), shard) as opened:
            wanted = manifest.pictures(shard)
            if opened.arrays("index").tolist() != wanted:
                within, left_out = manifest.indices(shard), len(manifest.indices(shard)) - len(wanted)
                beside = f" without the {left_out} skipped" if left_out else ""
                yield f"{name}: does not hold pictures {within[0]} to {within[-1]}{beside}"
            for i in range(0 if sums else len(opened)):  # a sum says the same in a tenth of the time
                opened.frame(i)
    except InputError as error:
        yield str(error).replace(str(path), name)


def _differs(name: Path | str, sums: Iterable[str]) -> str:
    return f"{name}: sha256 differs from the recorded {', '.join(f'{digest[:12]}…' for digest in sorted(sums))}"


def _opened(path: Path, manifest: Manifest, shard: int) -> Shard:
    """A shard of a data set, with the indices and labels that it may have. Raises InputError."""
    opened = Shard(path, classes=len(manifest.classes))
    try:
        for name, value in manifest.attributes().items():
            if opened.attributes.get(name) != value:
                raise _foreign(path, f"{name} {opened.attributes.get(name)} is not the data set's {value}")
        indices, within = opened.arrays("index"), manifest.indices(shard)
        # A picture that was given up is missing, so the indices may have gaps.
        if len(indices) and (indices[0] < within[0] or indices[-1] > within[-1] or (np.diff(indices) <= 0).any()):
            raise _foreign(path, f"its indices are not those of pictures {within[0]} to {within[-1]} in order")
        if stray := set(indices.tolist()).intersection(manifest.skipped):
            raise _foreign(path, f"holds picture {min(stray)}, which dataset.json says was skipped")
        labels = opened.arrays("label")
        if ((labels < -1) | (labels >= len(manifest.classes))).any():
            raise _foreign(path, f"a label is not one of the set's {len(manifest.classes)} classes")
    except InputError:
        opened.close()
        raise
    return opened


def _foreign(path: Path, reason: str) -> InputError:
    return InputError(f"{path}: {reason}; delete the file and rerun the render command")
