"""The data set on disk: `DIR/dataset.json` says what it is, `DIR/shards/00000.h5`, … hold its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from render.frame import Frame
from render.shards import FORMAT, Shard, replacing, sha256
from scenes.errors import InputError

MANIFEST = "dataset.json"


class AssetRecord(BaseModel):
    """Where an asset's bytes came from: their sha256, and the licence they are under."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    licence: str


class Manifest(BaseModel):
    """What dataset.json says: enough to draw the data set again and to tell whether it is whole.

    config: the complete config as JSON data; config_hash: its digest. seed and count: pictures 0 to count - 1 are
    drawn, shard_size to a shard. classes: names by class index, which is the category mask's value less 1. versions:
    of blendmill, Blender, Python, numpy. device: what drew it. assets: by asset id. shards: sha256 by file name,
    filled in as shards are finished.
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

    @property
    def shard_count(self) -> int:
        return -(-self.count // self.shard_size)

    @staticmethod
    def shard_name(shard: int) -> str:
        """The file name of a shard, 0-based."""
        return f"{shard:05d}.h5"

    def indices(self, shard: int) -> range:
        """The indices of the pictures in a shard, 0-based."""
        return range(shard * self.shard_size, min((shard + 1) * self.shard_size, self.count))

    def attributes(self) -> dict[str, str | int]:
        """The attributes each shard carries, that it may be known for a part of this data set."""
        return {"config_hash": self.config_hash, "seed": self.seed}

    def save(self, folder: Path) -> None:
        """Write dataset.json into a folder that exists, all at once."""
        with replacing(folder / MANIFEST) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @staticmethod
    def load(folder: Path) -> Manifest:
        """Read a folder's dataset.json. Raises InputError where there is none, or it is not what this version reads."""
        path = folder / MANIFEST
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(
                f"{folder}: not a data set, there is no {MANIFEST}; give the folder that holds it"
            ) from None
        except ValueError as error:
            raise InputError(f"{path}: not JSON: {error}") from error
        found = content.get("format") if isinstance(content, dict) else None
        if found != FORMAT:
            raise InputError(f"{path}: format {found}, this version reads {FORMAT}; use the version that wrote it")
        try:
            return Manifest.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(step) for step in first["loc"])
            raise InputError(f"{path}: {where}: {first['msg']}") from error

    def require_same(self, asked: Manifest, folder: Path) -> None:
        """Raise InputError unless a job for `asked` may go on in the folder this manifest was read from."""
        for name in ("seed", "count", "shard_size", "classes"):
            there, wanted = getattr(self, name), getattr(asked, name)
            if there != wanted:
                raise InputError(
                    f"{folder}: holds a data set of {name} {there}, asked is {wanted}; "
                    "choose another folder, or ask for what is there"
                )
        if self.config_hash != asked.config_hash:
            differing = list(_differences(self.config, asked.config))
            shown = "; ".join(differing[:3]) + (f"; and {len(differing) - 3} more" if len(differing) > 3 else "")
            raise InputError(
                f"{folder}: holds a data set of another config ({shown or 'see dataset.json'}); "
                "choose another folder, or the config that is there"
            )


def _differences(there: Any, asked: Any, at: str = "") -> Iterator[str]:
    if isinstance(there, dict) and isinstance(asked, dict):
        for key in sorted(there.keys() | asked.keys()):
            yield from _differences(there.get(key), asked.get(key), f"{at}.{key}" if at else key)
    elif there != asked:
        yield f"{at}: {json.dumps(there)} there, {json.dumps(asked)} asked"


@dataclass(frozen=True)
class Dataset:
    """A data set folder and its manifest."""

    folder: Path
    manifest: Manifest

    @staticmethod
    def open(folder: Path) -> Dataset:
        """Raises InputError where the folder is not a data set."""
        return Dataset(folder, Manifest.load(folder))

    def shard_path(self, shard: int) -> Path:
        """Where a shard is, or will be; 0-based."""
        return self.folder / "shards" / Manifest.shard_name(shard)

    def present(self) -> list[int]:
        """The shards that are there."""
        return [shard for shard in range(self.manifest.shard_count) if self.shard_path(shard).exists()]

    def shard(self, shard: int) -> Shard:
        """Open a shard. Raises InputError where it is missing or of another data set."""
        opened = Shard(self.shard_path(shard))
        for name, value in self.manifest.attributes().items():
            if opened.attributes.get(name) != value:
                opened.close()
                raise InputError(
                    f"{opened.path}: {name} {opened.attributes.get(name)} is not the data set's {value}; "
                    "delete the file and rerun the render command"
                )
        return opened

    def frames(self, *, partial: bool = False) -> Iterator[Frame]:
        """The frames in the order of their indices. A missing shard is an InputError, or skipped with `partial`."""
        for shard in self.present() if partial else range(self.manifest.shard_count):
            with self.shard(shard) as opened:
                for i in range(len(opened)):
                    yield opened.frame(i)

    def frame(self, index: int) -> Frame:
        """One picture by its index. Raises IndexError outside the data set, InputError where its shard is missing."""
        if not 0 <= index < self.manifest.count:
            raise IndexError(f"{self.folder} holds {self.manifest.count} pictures, there is no number {index}")
        with self.shard(index // self.manifest.shard_size) as opened:
            return opened.frame(index % self.manifest.shard_size)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the files, a line each; empty where every shard is there, whole and as recorded."""
        return tuple(line for shard in range(self.manifest.shard_count) for line in self._faults(shard))

    def _faults(self, shard: int) -> Iterator[str]:
        path = self.shard_path(shard)
        if not path.exists():
            yield f"{path}: missing"
            return
        recorded = self.manifest.shards.get(path.name)
        if recorded is not None and recorded != sha256(path):
            yield f"{path}: sha256 differs from the recorded {recorded[:12]}…"
            return
        try:
            with self.shard(shard) as opened:
                wanted = self.manifest.indices(shard)
                if opened.arrays("index").tolist() != list(wanted):
                    yield f"{path}: does not hold pictures {wanted[0]} to {wanted[-1]}"
        except InputError as error:
            yield str(error)
