"""HRDA: a large crop at half resolution and a detail crop at full resolution, fused by learned attention."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from scenes.section import Section
from segment.losses import Loss, dice_and_entropy
from segment.methods.daformer import DAFormer
from segment.multiscale import MultiScale, random_window
from segment.network import Segmenter


class HRDA(DAFormer):
    """DAFormer on two resolutions (Hoyer et al., HRDA, ECCV 2022).

    The training crop of the config is the context crop: `size` is 1024 in the paper, and the detail crop has half that
    side. The loss is (1 - w) L(fused) + w L(detail), eq. 13. The teacher labels the whole crop with overlapping detail
    windows, eq. 12.
    """

    class Settings(DAFormer.Settings):
        """detail: weight of the loss on the detail crop."""

        detail: float = Field(default=0.1, ge=0, le=1)

    settings: Settings
    network: MultiScale

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(MultiScale(network), settings, loss)

    def cost(self, images: Tensor, masks: Tensor, weights: Tensor | None = None) -> Tensor:
        window = random_window(images.shape[-2], images.shape[-1], self.network.grid)
        fused, detail = (logits.float() for logits in self.network.crops(images, window))
        rows, columns = window
        inside = None if weights is None else weights[:, rows, columns]
        share = self.settings.detail
        whole = self.cost_of(fused, masks, weights)
        return (1 - share) * whole + share * self.cost_of(detail, masks[:, rows, columns], inside)
