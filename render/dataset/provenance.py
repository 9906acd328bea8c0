"""What pictures were drawn from: the assets with their checksums and licenses, and what could not be used.

A worker notes it for each shard, in `drawn/00003.json` of the data set, before the shard appears. When all shards are
there, dataset.json takes up what they say, and the notes go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenes.errors import InputError


class AssetRecord(BaseModel):
    """Where an asset's bytes came from: their sha256, and the license they are under. triangles: their number in a
    model; None for what is no model, and where an earlier version drew."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    license: str
    triangles: Annotated[int, Field(ge=0)] | None = None


class Provenance(BaseModel):
    """What some pictures were drawn from.

    assets: by id. warnings: what was mended or is missing in them. left_out: the files that could not be used, each
    with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assets: Mapping[str, AssetRecord] = {}
    warnings: Mapping[str, tuple[str, ...]] = {}
    left_out: Mapping[str, str] = {}

    def encoded(self) -> bytes:
        """As JSON."""
        return self.model_dump_json().encode()

    @staticmethod
    def parse(content: bytes, where: str) -> Provenance:
        """From JSON. Raises InputError, which begins with `where`."""
        try:
            return Provenance.model_validate_json(content)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise InputError(f"{where}: not the note of a shard's assets ({reason}); delete the shard and it") from None


def united(parts: Sequence[Provenance]) -> Provenance:
    """All parts as one, sorted, so that it does not depend on their order."""
    return Provenance(
        assets=dict(sorted(pair for part in parts for pair in part.assets.items())),
        warnings=dict(sorted(pair for part in parts for pair in part.warnings.items())),
        left_out=dict(sorted(pair for part in parts for pair in part.left_out.items())),
    )
