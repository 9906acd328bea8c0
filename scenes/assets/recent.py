"""What stays in memory of things that take long to read."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=_Sized)


class Recent(Generic[T]):
    """The most recently used models or arrays, up to a number of bytes."""

    def __init__(self, limit: int):
        self._limit, self._held = limit, 0
        self._things: OrderedDict[Hashable, T] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        if key in self._things:
            self._things.move_to_end(key)
        return self._things.get(key)

    def put(self, key: Hashable, thing: T) -> None:
        if key in self._things:
            self._held -= self._things.pop(key).nbytes
        self._things[key] = thing
        self._held += thing.nbytes
        while self._held > self._limit and len(self._things) > 1:
            self._held -= self._things.popitem(last=False)[1].nbytes
