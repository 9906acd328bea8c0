"""A teacher: the moving average of the network, for mean teacher and masked image consistency."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from classify.methods.base import Method
from classify.network import Network, Output
from scenes.section import Section
from training.ema import EMA
from training.method import Batch, Descend, Unlabeled


class Teacher(EMA):
    """Moving average of a network's weights. Buffers are copied."""

    def forward(self, images: Tensor, by_batch: bool = False) -> Output:
        """The output for pictures (n, 3, h, w). Gradients flow to the pictures, but not to the weights.

        by_batch: batch norm uses batch statistics, as in training. Dropout stays off.
        """
        for module in self.module.modules():
            module.training = by_batch and isinstance(module, _BatchNorm)
        output: Output = self.module(images)
        return output


class TeacherStudent(Method):
    """A method with a teacher, which is updated after each step."""

    class Settings(Section):
        """decay: of the teacher's average."""

        decay: float = 0.99

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        self.teacher = Teacher(network, self.settings.decay)

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        terms = super().update(source, target, progress, descend)
        self.teacher.update_parameters(self.network)
        return terms

    def groups(self) -> dict[str, list[nn.Parameter]]:
        return {name: [p for p in group if p.requires_grad] for name, group in super().groups().items()}
