"""Training on labeled pictures, and the base of other methods."""

from __future__ import annotations

from torch import Tensor, nn

from scenes.section import Section
from segment.logits import costs, many
from segment.losses import Loss, dice_and_entropy
from segment.network import Segmenter
from segment.watch import Watch
from training.method import Batch, Descend, TrainingMethod, Unlabeled

_BACKGROUND = -50.0
"""The logit of a pixel that is surely no crack."""


class Supervised(TrainingMethod):
    """The loss of the config on the source, and the base of all other methods.

    network: maps images (n, 3, h, w) float to logits. loss: of logits and labels, see `segment.losses`; what both are
    is in `segment.logits`.
    """

    network: Segmenter

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__()
        self.network, self.classes = network, network.classes
        self.settings = settings or type(self).Settings()
        self.loss = loss
        self.watch = Watch()

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        return {"source": self.cost(source.images, source.targets)}

    def cost(self, images: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss () of the network on images, of the pixels that count. weights: (n, h, w); None if all count.

        Without weights, a network that tells objects apart has a loss of its own. With weights, classes have the mean
        of weight times cross-entropy, as in the papers. Cracks have the loss of the config there, too: beside a loss
        with Dice, cross-entropy alone would hardly move the network, because few pixels are crack.
        """
        if self.network.segmenting and weights is None:
            return self.network.own_loss(images, labels)
        logits = self.network(images).float()
        return self.cost_of(logits, labels, weights)

    def cost_of(self, logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss () of logits, as `cost`. Logits of cracks that are compared with labels are watched."""
        if weights is not None:
            return self._weighted(logits, labels, weights)
        if not many(logits):
            self.watch.see(logits, labels)
        return self.loss(logits, labels)

    def _weighted(self, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        if many(logits):
            return (costs(logits, labels) * weights).mean()
        # Pixels without weight count as sure background, which costs nothing.
        without = weights == 0
        cost = self.loss(logits.masked_fill(without, _BACKGROUND), labels.masked_fill(without, 0))
        return cost * weights.sum() / (~without).sum().clamp(min=1)

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        terms = super().update(source, target, progress, descend)
        self.watch.tell()
        return terms

    def predict(self, images: Tensor) -> Tensor:
        """Logits (n, h, w) or (n, k, h, w) float of pictures (n, 3, h, w) of any size."""
        return self.network(images)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        backbone = list(self.network.backbone())
        theirs = {id(parameter) for parameter in backbone}
        rest = [p for p in self.parameters() if id(p) not in theirs]
        return {"backbone": backbone, "head": rest} if backbone else {"network": rest}
