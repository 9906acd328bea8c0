"""The facts about an asset that the sampler needs, without its triangles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.record.scene import Quaternion


@dataclass(frozen=True, eq=False)
class AssetInfo:
    """Facts about a model. The unit model has a bounding-box diagonal of 1 and its origin at the box's center.

    id, category: the asset's id and its class.
    bounds: (2, 3) float64, smallest and largest corner of the unit model's box.
    hull: (k, 3) float64, vertices of the unit model's convex hull; in no direction do they fall short of the
        model by more than 1e-3, along the axes not at all.
    stable: resting poses, likeliest first: the rotation (w, x, y, z) that sets the model on the ground, by the
        smallest turn, and its probability when dropped; the probabilities kept sum to one.
    meters: the bounding-box diagonal in meters, None where the file does not say.
    triangles: number of triangles. parts: names of the parts. roles: part name to role.
    keypoints: name to (3,) float64 in the unit model.
    sha256: of the file and all it refers to, or of the source code that made a built-in shape.
    warnings: what was mended or missing.
    """

    id: str
    category: str
    bounds: NDArray[np.float64]
    hull: NDArray[np.float64]
    stable: tuple[tuple[Quaternion, float], ...]
    meters: float | None
    triangles: int
    parts: tuple[str, ...]
    roles: Mapping[str, str]
    keypoints: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    sha256: str = ""
    license: str = ""
    source: str = ""
    warnings: tuple[str, ...] = ()

    @cached_property
    def distinct_roles(self) -> tuple[str, ...]:
        """The roles of the parts, each once, sorted."""
        return tuple(sorted(set(self.roles.values())))

    def to_json(self) -> str:
        return json.dumps({f.name: getattr(self, f.name) for f in fields(self)}, default=_plain)

    @staticmethod
    def from_json(text: str | bytes) -> AssetInfo:
        data: dict[str, Any] = json.loads(text)
        data["bounds"] = np.array(data["bounds"], dtype=np.float64)
        data["hull"] = np.array(data["hull"], dtype=np.float64)
        data["stable"] = tuple((tuple(rotation), share) for rotation, share in data["stable"])
        data["keypoints"] = {name: np.array(p, dtype=np.float64) for name, p in data["keypoints"].items()}
        data["parts"], data["warnings"] = tuple(data["parts"]), tuple(data["warnings"])
        return AssetInfo(**data)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in an AssetInfo")
