"""assets_manifest.yaml: assets by name, with where they are, where they come from and under which license.

    assets:
      - name: kloppenheim
        kind: hdri                      # model, hdri, texture or image
        path: hdris/kloppenheim_06_1k.hdr   # below the manifest's folder
        url: https://…                  # where `assets fetch` gets it, optional
        sha256: null                    # of the file at `path`; null until the first download records it
        license: CC0-1.0
        attribution: Poly Haven
        # models only
        class: chair
        up: y                           # auto: as the format has it
        front: z
        scale: 0.01                     # meters per unit of the file, optional

A `path` that ends in .zip is unpacked into a folder beside it, of the same name without the suffix.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scenes.assets.formats import AXES
from scenes.assets.sources import FileAsset, axes
from scenes.errors import InputError, choices, shortened
from scenes.files import inside, write_atomically
from scenes.plain_yaml import Limits, read_yaml, yaml_text

Axis = Literal["auto", "x", "y", "z", "-x", "-y", "-z"]
KINDS = ("model", "hdri", "texture", "image")

MANIFEST_LIMITS = Limits(size=1 << 26, nodes=4_000_000)
"""Enough for a hundred thousand assets."""


class Entry(BaseModel):
    """One asset of the manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    name: str = Field(pattern=r"^[^\s/\\:][^/\\:\n]*$", max_length=100)
    kind: Literal["model", "hdri", "texture", "image"]
    path: str
    url: str | None = None
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    license: str = ""
    attribution: str = ""
    category: str | None = Field(default=None, alias="class", min_length=1)
    up: Axis = "auto"
    front: Axis = "auto"
    scale: float | None = Field(default=None, gt=0)
    need_textures: bool = False

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("a URL starts with http:// or https:// and a host")
        return url

    @model_validator(mode="after")
    def _check_model(self) -> Entry:
        if self.kind == "model":
            if self.category is None:
                raise ValueError("field class: a model needs one")
            suffix = Path(self.path).suffix.lower()
            if suffix not in AXES:
                raise ValueError(f"field path: '{self.path}' is no model file, {choices(suffix, AXES)}")
            try:
                axes(suffix, self.up, self.front)
            except InputError as error:
                raise ValueError(str(error)) from None
        elif self.category is not None or self.scale is not None or (self.up, self.front) != ("auto", "auto"):
            raise ValueError(f"class, up, front and scale are for models, this is of kind '{self.kind}'")
        return self

    def plain(self) -> dict[str, Any]:
        """As it stands in the file: what was not given is left out, except the checksum to come."""
        given = self.model_dump(by_alias=True, exclude_defaults=True)
        if self.url is not None:
            given.setdefault("sha256", None)
        return given


@dataclass(frozen=True)
class Manifest:
    """The entries, and the folder that their paths are below."""

    root: Path
    entries: tuple[Entry, ...] = ()

    def path(self, entry: Entry) -> Path:
        """Where the entry's file is or will be. Raises InputError if that is outside the manifest's folder."""
        try:
            return inside(self.root, entry.path)
        except ValueError as error:
            raise InputError(f"manifest entry '{entry.name}': field path: {error}") from None

    def content(self, entry: Entry) -> Path:
        """What is drawn from: the file, or the folder that an archive is unpacked into."""
        path = self.path(entry)
        return path.with_suffix("") if path.suffix.lower() == ".zip" else path

    def of_kind(self, kind: str) -> list[Entry]:
        """The entries of a kind, but for those that are still to be fetched."""
        return [e for e in self.entries if e.kind == kind and (e.url is None or self.content(e).exists())]

    def models(self) -> list[FileAsset]:
        """The models as assets, sorted by name."""
        found = []
        for entry in sorted(self.of_kind("model"), key=lambda e: e.name):
            up, front = axes(Path(entry.path).suffix.lower(), entry.up, entry.front)
            found.append(
                FileAsset(
                    id=entry.name,
                    category=entry.category or "",
                    path=self.path(entry),
                    root=self.root,
                    up=up,
                    front=front,
                    unit=entry.scale,
                    need_textures=entry.need_textures,
                    license=entry.license,
                    source=entry.attribution or entry.url or "",
                    sha256=entry.sha256,
                )
            )
        return found

    def entry(self, name: str) -> Entry:
        """The entry of that name. Raises InputError."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise InputError(
            f"the manifest has no asset '{shortened(name)}', {choices(name, [e.name for e in self.entries])}"
        )


def load_manifest(path: Path) -> Manifest:
    """Read and check a manifest. Raises InputError naming file, entry, field and remedy."""
    data = _read(path)
    entries: dict[str, Entry] = {}
    for number, raw in enumerate(data, 1):
        entry = entry_from(raw, f"{path}: asset {number}")
        if entry.name in entries:
            raise InputError(f"{path}: asset '{entry.name}': field name: there are two of that name, rename one")
        try:
            inside(path.parent, entry.path)
        except ValueError as error:
            raise InputError(f"{path}: asset '{entry.name}': field path: {error}") from None
        entries[entry.name] = entry
    return Manifest(path.parent, tuple(entries.values()))


def entry_from(raw: Any, where: str) -> Entry:
    """An entry from plain data. Raises InputError with `where` in front."""
    try:
        return Entry.model_validate(raw)
    except ValidationError as error:
        name = f" '{raw['name']}'" if isinstance(raw, dict) and isinstance(raw.get("name"), str) else ""
        raise InputError(f"{where}{name}: {_explain(error)}") from None


def save_manifest(path: Path, entries: tuple[Entry, ...]) -> None:
    """Replace the manifest at once; the comment at its head stays, comments between entries do not."""
    head: list[str] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if line.strip() and not line.startswith("#"):
                break
            head.append(line)
    body = yaml_text({"assets": [e.plain() for e in entries]}, width=120)
    write_atomically(path, ("".join(head) + body).encode())


def _read(path: Path) -> list[Any]:
    data = read_yaml(path, MANIFEST_LIMITS)
    if not isinstance(data, dict) or set(data) != {"assets"}:
        wrong = next((str(key) for key in data if key != "assets"), "") if isinstance(data, dict) else ""
        remedy = f"unknown key '{wrong}', {choices(wrong, ['assets'])}" if wrong else "it has one key, 'assets'"
        raise InputError(f"{path}: {remedy}")
    entries = data["assets"] if data["assets"] is not None else []
    if not isinstance(entries, list):
        raise InputError(f"{path}: field assets: a list of assets is wanted, this is a {type(entries).__name__}")
    return entries


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    value = shortened(repr(first["input"]))
    if first["type"] == "extra_forbidden":
        known = [f.alias or name for name, f in Entry.model_fields.items()]
        return f"field {field}: unknown key, {choices(field, known)}"
    if first["type"] == "missing":
        return f"field {field}: is missing"
    if field == "kind":
        return f"field kind: {value} is unknown, {choices(str(first['input']), KINDS)}"
    message = " ".join(first["msg"].removeprefix("Value error, ").split())
    return f"field {field}: {message} (got {value})" if field else message
