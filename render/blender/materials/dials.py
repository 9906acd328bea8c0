"""The numbers of a node that change from picture to picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import bpy
import numpy as np


class Dials:
    """Numbers, vectors and colors on the inputs or outputs of a node, set all at once.

    Blender searches all node trees after each assignment to a socket, for what depends on it. A render needs no such
    search, because it begins with new copies of all trees. A write in bulk tells nobody.

    sockets: all inputs, or all outputs, of the node. All have a value. names: the name of each one's dial, in order;
    None for a socket that keeps its value.
    """

    def __init__(self, sockets: bpy.types.bpy_prop_collection, names: Iterable[str | None]):
        self._sockets = sockets
        ends = np.cumsum([0, *(np.size(socket.default_value) for socket in sockets)])
        self._values = np.empty(ends[-1], np.float32)
        sockets.foreach_get("default_value", self._values)
        places = zip(names, map(slice, ends[:-1], ends[1:]), strict=True)
        self._places = {name: place for name, place in places if name is not None}

    def turn(self, values: Mapping[str, Any]) -> None:
        """Set each dial to the value of its name."""
        for name, place in self._places.items():
            self._values[place] = values[name]
        self._sockets.foreach_set("default_value", self._values)
