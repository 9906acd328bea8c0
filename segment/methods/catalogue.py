"""The training methods by their names in commands and configs."""

from __future__ import annotations

from segment.methods.supervised import Supervised

METHODS: dict[str, type[Supervised]] = {"supervised": Supervised}
