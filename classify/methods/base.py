"""The base of all training methods for classifiers: supervised training on the source."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from classify.network import Network
from scenes.section import Section
from training.method import Batch, TrainingMethod, Unlabeled


class Method(TrainingMethod):
    """Supervised training on the source, and the base of all other methods. blind: the method uses no labels."""

    blind: ClassVar[bool] = False
    network: Network

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__()
        self.network = network
        self.classes = classes
        self.settings = settings or type(self).Settings()

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        return {"source": cross_entropy(self.network(source.images).logits, source.targets)}

    def predict(self, images: Tensor) -> Tensor:
        """Logits (n, k) float of target pictures (n, 3, h, w), for evaluation."""
        return self.network(images).logits

    def groups(self) -> dict[str, list[nn.Parameter]]:
        backbone = list(self.network.backbone.parameters())
        theirs = {id(parameter) for parameter in backbone}
        return {"backbone": backbone, "head": [p for p in self.parameters() if id(p) not in theirs]}

    def compile_network(self) -> None:
        self.network.backbone.compile()
