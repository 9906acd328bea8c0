"""The data set on disk: `DIR/dataset.json` says what it is, `DIR/shards/00000.h5`, … hold its pictures."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.shard import FORMAT, Shard
from render.frame import Frame
from scenes.errors import InputError
from scenes.files import replacing, sha256

MANIFEST = "dataset.json"


class AssetRecord(BaseModel):
    """Where an asset's bytes came from: their sha256, and the license they are under."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    license: str


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
        Checksum and license of each asset, by asset id.
    shards : mapping of str to str
        The sha256 of each shard by file name. Empty until all shards are there.
    skipped : tuple of int
        Indices of the pictures that were given up and are in no shard. Empty until all shards are there.

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
    config_hash: str
    seed: int
    count: int = Field(ge=1)
    shard_size: int = Field(ge=1)
    classes: tuple[str, ...]
    versions: Mapping[str, str]
    device: str
    assets: Mapping[str, AssetRecord] = {}
    shards: Mapping[str, str] = {}
    skipped: tuple[int, ...] = ()

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
        try:
            return Manifest.parse(path.read_bytes(), str(path))
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"{folder}: not a data set, there is no {MANIFEST}; give the folder that holds it"
            ) from None

    @staticmethod
    def parse(text: bytes, where: str) -> Manifest:
        """The manifest of dataset.json's content. Raises InputError, which begins with `where`, if it is none."""
        try:
            content = json.loads(text)
        except ValueError as error:
            raise InputError(f"{where}: not JSON: {error}") from error
        found = content.get("format") if isinstance(content, dict) else None
        if found != FORMAT:
            raise InputError(f"{where}: format {found}, this version reads {FORMAT}; use the version that wrote it")
        try:
            return Manifest.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(step) for step in first["loc"])
            raise InputError(f"{where}: {field}: {first['msg']}") from error

    def require_same(self, asked: Manifest, place: Path | str) -> None:
        """Raise InputError unless a job for `asked` may go on in the place this manifest was read from."""
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
        for name in sorted(self.assets.keys() | asked.assets.keys()):
            if self.assets.get(name) != asked.assets.get(name):
                raise InputError(f"{place}: holds a data set drawn with another asset '{name}' than is here now")

    def _decisive(self, asked: Manifest) -> Iterator[tuple[str, Any, Any]]:
        """What two jobs for one data set have in common besides the config: name, value here, value asked for."""
        for name in ("seed", "count", "shard_size", "classes", "device"):
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
        """The numbers of the shards that exist, 0-based."""
        return [shard for shard in range(self.manifest.shard_count) if self.shard_path(shard).exists()]

    def shard(self, shard: int) -> Shard:
        """Open a shard. Raises InputError where it is missing or of another data set."""
        return _opened(self.shard_path(shard), self.manifest)

    def shards(self) -> Iterator[Shard]:
        """All shards, each open until the next one. Raises InputError where one is missing."""
        for shard in range(self.manifest.shard_count):
            with self.shard(shard) as opened:
                yield opened

    def frames(self, *, partial: bool = False, limits: Limits = NO_LIMITS) -> Iterator[Frame]:
        """The frames in the order of their indices. A missing shard is an InputError, or skipped with `partial`.

        limits: pictures outside of them are left out.
        """
        for shard in self.present() if partial else range(self.manifest.shard_count):
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
            return opened.frame(self.manifest.pictures(shard).index(index))

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the files, a line each; empty where every shard is there, whole and as recorded."""
        return tuple(line for shard in range(self.manifest.shard_count) for line in self._faults(shard))

    def _faults(self, shard: int) -> Iterator[str]:
        path = self.shard_path(shard)
        if not path.exists():
            yield f"{path}: missing"
            return
        recorded = self.manifest.shards.get(path.name)
        yield from shard_faults(path, self.manifest, shard, {recorded} if recorded else set(), str(path))


def shard_faults(path: Path, manifest: Manifest, shard: int, sums: Collection[str], name: str) -> Iterator[str]:
    """What is wrong with a shard's file, a line each. sums: what its sha256 may be, empty where that is not known.

    name: the file's, for the lines.
    """
    if sums and sha256(path) not in sums:
        yield f"{name}: sha256 differs from the recorded {', '.join(f'{digest[:12]}…' for digest in sorted(sums))}"
        return
    try:
        with _opened(path, manifest) as opened:
            wanted = manifest.pictures(shard)
            if opened.arrays("index").tolist() != wanted:
                within, left_out = manifest.indices(shard), len(manifest.indices(shard)) - len(wanted)
                beside = f" without the {left_out} skipped" if left_out else ""
                yield f"{name}: does not hold pictures {within[0]} to {within[-1]}{beside}"
    except InputError as error:
        yield str(error).replace(str(path), name)


def _opened(path: Path, manifest: Manifest) -> Shard:
    opened = Shard(path)
    for name, value in manifest.attributes().items():
        if opened.attributes.get(name) != value:
            opened.close()
            raise InputError(
                f"{path}: {name} {opened.attributes.get(name)} is not the data set's {value}; "
                "delete the file and rerun the render command"
            )
    return opened
