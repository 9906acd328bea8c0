"""Notices while a network trains that it finds no crack, or nothing else."""

from __future__ import annotations

import logging

import torch
from torch import Tensor

_LOG = logging.getLogger("blendmill")
# Steps between two looks. A network learns nothing of cracks in its first steps, so the first look comes later.
_EVERY, _FIRST = 50, 200
# It finds none below this part of what is there, and nothing else above this share of all pixels.
_NONE, _ALL = 0.01, 0.9


class Watch:
    """Compares the share of crack pixels that the network predicts with the true one, over some steps.

    It only warns, through the logger `blendmill`, and changes no step. A run that is resumed starts to watch anew.
    """

    def __init__(self) -> None:
        self._steps, self._seen, self._told = 0, 0, ""
        self._sums: Tensor | None = None

    @torch.no_grad()
    def see(self, logits: Tensor, masks: Tensor) -> None:
        """Take note of a batch of logits and masks (n, h, w)."""
        shares = torch.stack([(logits > 0).float().mean(), masks.float().mean()])
        self._sums = shares if self._sums is None else self._sums + shares
        self._seen += 1

    def tell(self) -> None:
        """Called after each step. Warns if what was seen since the last look is a collapse; once for each kind."""
        self._steps += 1
        if self._steps % _EVERY or self._sums is None:
            return
        predicted, real = (self._sums / self._seen).tolist()
        self._sums, self._seen = None, 0
        if self._steps < _FIRST or not real:
            return
        kind = "no crack" if predicted < _NONE * real else "only crack" if predicted > _ALL > real else ""
        if kind and kind != self._told:
            _LOG.warning(
                "the network predicts %s: %.2g of the pixels in the last %d steps, %.2g are; lower optimizer.lr, or "
                "try the loss {entropy: 1, dice: 1}", kind, predicted, _EVERY, real,
            )  # fmt: skip
        self._told = kind
