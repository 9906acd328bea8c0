"""The ways of training, by the names that commands and configs use."""

from __future__ import annotations

from segment.methods.supervised import Supervised

METHODS: dict[str, type[Supervised]] = {"supervised": Supervised}
