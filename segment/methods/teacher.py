"""A teacher: the moving average of the network, whose predictions on the target are labels for it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from torch import Tensor

from scenes.section import Section
from segment.inference import Scales, at_scales
from segment.losses import Loss, dice_and_entropy
from segment.methods.supervised import Supervised
from segment.network import Segmenter
from training.teacher import Taught, Teacher


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
