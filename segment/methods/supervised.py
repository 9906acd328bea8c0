"""Training on labeled pictures, and the base of other methods."""

from __future__ import annotations

from torch import Tensor, nn

from scenes.section import Section
from segment.losses import Loss, dice_and_entropy, weighted_entropy
from segment.network import Segmenter
from segment.watch import Watch
from training.method import Batch, Descend, TrainingMethod, Unlabeled


class Supervised(TrainingMethod):
    """The loss of the config on the source, and the base of all other methods.

    network: maps images (n, 3, h, w) float to crack logits (n, h, w). loss: of logits and masks, see `segment.losses`.
    """

    network: Segmenter

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__()
        self.network = network
        self.settings = settings or type(self).Settings()
        self.loss = loss
        self.watch = Watch()

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        return {"source": self.cost(source.images, source.targets)}

    def cost(self, images: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss () of the network on images. With weights (n, h, w) of the pixels it is `weighted_entropy`."""
        logits = self.network(images).float()
        return self.cost_of(logits, masks, weights)

    def cost_of(self, logits: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss () of logits (n, h, w), as `cost`. Logits that are compared with labels are watched."""
        if weights is not None:
            return weighted_entropy(logits, masks, weights)
        self.watch.see(logits, masks)
        return self.loss(logits, masks)

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        terms = super().update(source, target, progress, descend)
        self.watch.tell()
        return terms

    def predict(self, images: Tensor) -> Tensor:
        """Crack logits (n, h, w) float of pictures (n, 3, h, w) of any size."""
        return self.network(images)

    def groups(self) -> dict[str, list[nn.Parameter]]:
        backbone = list(self.network.backbone())
        theirs = {id(parameter) for parameter in backbone}
        rest = [p for p in self.parameters() if id(p) not in theirs]
        return {"backbone": backbone, "head": rest} if backbone else {"network": rest}
