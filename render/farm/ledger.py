"""Keeps account of what a worker draws from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from render.dataset.provenance import AssetRecord, Provenance, united
from render.renderer import Assets
from scenes.errors import InputError


class Ledger:
    """Keeps what the pictures of one worker are drawn from.

    known: the sha256 of assets in pictures that the data set has already, by id.
    """

    def __init__(self, catalogue: Assets, known: Mapping[str, str]):
        self._catalogue, self._known = catalogue, known
        self._listed = frozenset(catalogue.left_out)
        self._told: set[str] = set()
        self._records: dict[str, dict[str, AssetRecord]] = {}

    def admit(self, ids: Iterable[str]) -> None:
        """Look at the assets of a picture. Raises InputError where one is not what earlier pictures show."""
        for name in ids:
            if name not in self._records:
                licenses = self._catalogue.licenses([name])
                sums = self._catalogue.checksums([name])
                triangles = self._catalogue.triangles([name])
                for part, digest in sums.items():
                    _require_same(part, self._known.get(part, digest), digest)
                self._records[name] = {
                    part: AssetRecord(sha256=digest, license=licenses[part], triangles=triangles.get(part))
                    for part, digest in sums.items()
                }

    def provenance(self, ids: Iterable[str]) -> Provenance:
        """What pictures with these assets, all admitted, were drawn from; and all files found useless so far."""
        assets = {part: record for name in ids for part, record in self._records[name].items()}
        warnings = {name: lines for name, lines in self._catalogue.warnings.items() if name in assets}
        left_out = {file: why for file, why in self._catalogue.left_out.items() if file not in self._listed}
        return united([Provenance(assets=assets, warnings=warnings, left_out=left_out)])

    def news(self) -> dict[str, Mapping[str, Any]]:
        """The `warnings` and the `left_out` files that were found since the last call."""
        warnings = {name: lines for name, lines in self._catalogue.warnings.items() if name not in self._told}
        known = self._listed | self._told
        left_out = {file: why for file, why in self._catalogue.left_out.items() if file not in known}
        self._told.update(warnings, left_out)
        return {"warnings": warnings, "left_out": left_out}


def _require_same(name: str, there: str, now: str) -> None:
    """Raise InputError unless an asset has the sha256 that it had."""
    if there != now:
        raise InputError(
            f"asset '{name}' has changed since pictures of this set were drawn with it: its sha256 was {there[:12]}…, "
            f"it is {now[:12]}…; restore the file, or draw into another folder"
        )
