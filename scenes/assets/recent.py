"""Models that stay in memory."""

from __future__ import annotations

from collections import OrderedDict

from scenes.mesh import Model


class RecentModels:
    """The most recently used models, up to a number of bytes."""

    def __init__(self, limit: int):
        self._limit, self._held = limit, 0
        self._models: OrderedDict[str, Model] = OrderedDict()

    def get(self, key: str) -> Model | None:
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def put(self, key: str, model: Model) -> None:
        if key in self._models:
            self._held -= _size(self._models.pop(key))
        self._models[key] = model
        self._held += _size(model)
        while self._held > self._limit and len(self._models) > 1:
            self._held -= _size(self._models.popitem(last=False)[1])


def _size(model: Model) -> int:
    return sum(
        array.nbytes
        for part in model.parts
        for array in (part.vertices, part.faces, part.normals, part.uvs, part.colors)
        if array is not None
    )
