"""A teacher: the moving average of the network, whose predictions on the target are labels for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate

from scenes.section import Section
from segment.logits import as_maps, from_maps
from segment.losses import Loss, dice_and_entropy
from segment.methods.supervised import Supervised
from segment.network import Segmenter, enlarged
from training.teacher import Taught, Teacher

Scales = Annotated[tuple[Annotated[float, Field(ge=0.1, le=4)], ...], Field(min_length=1)]
"""Sizes at which pictures are seen, 1 for their own."""


def at_scales(network: Callable[[Tensor], Tensor], images: Tensor, scales: Sequence[float]) -> Tensor:
    """Mean logits (n, …, h, w) of images (n, 3, h, w) that the network sees at several sizes."""
    found = []
    for scale in scales:
        seen = images if scale == 1 else interpolate(images, scale_factor=scale, mode="bilinear", antialias=scale < 1)
        found.append(enlarged(as_maps(network(seen)), images.shape[-2:]))
    return from_maps(torch.stack(found).mean(0))


class TeacherStudent(Taught, Supervised):
    """A method with a teacher, which is updated after each step."""

    class Settings(Section):
        """decay: of the teacher's average, min(1 - 1/t, decay) in step t. scales: the teacher sees the target at these
        sizes, and its logits are averaged."""

        decay: float = Field(default=0.99, ge=0, lt=1)
        scales: Scales = (1.0,)

    settings: Settings

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(network, settings, loss)
        self.teacher = Teacher(network, self.settings.decay)

    def taught(self, images: Tensor, scales: Sequence[float] | None = None) -> Tensor:
        """The teacher's logits (n, …, h, w) of images (n, 3, h, w), without gradient. scales: None for the settings'.

        Batch norm uses its running statistics, as in prediction. Those of a few small crops differ from them.
        """
        return at_scales(self.teacher, images, scales or self.settings.scales).detach().float()
