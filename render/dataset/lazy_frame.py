"""Frames that read a label when it is asked for: an export needs few of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from render.frame import LABELS, Frame


class LazyFrame(Frame):
    """A frame that reads each label when it is first asked for, and keeps it. read: reads the label of a name."""

    def __init__(self, read: Callable[[str], Any]):
        vars(self)["_read"] = read  # a frame is frozen


def _kept(name: str) -> cached_property[Any]:
    found = cached_property[Any](lambda frame: frame._read(name))
    found.__set_name__(LazyFrame, name)
    return found


for _name in LABELS:
    setattr(LazyFrame, _name, _kept(_name))
