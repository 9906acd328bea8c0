"""Training on labeled pictures, and the base of other methods."""

from __future__ import annotations

from torch import Tensor, nn

from scenes.section import Section
from segment.losses import dice_and_entropy
from training.method import Batch, TrainingMethod, Unlabeled


class Supervised(TrainingMethod):
    """Cross-entropy and Dice loss on the source. network: maps images (n, 3, h, w) float to crack logits (n, h, w)."""

    def __init__(self, network: nn.Module, settings: Section | None = None):
        super().__init__()
        self.network = network
        self.settings = settings or type(self).Settings()

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        return {"source": dice_and_entropy(self.network(source.images).float(), source.targets)}

    def predict(self, images: Tensor) -> Tensor:
        """Crack logits (n, h, w) float of pictures (n, 3, h, w) of any size."""
        return self.network(images)
