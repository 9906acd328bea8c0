"""AdaBN: a network trained on the source that normalizes with the statistics of the target."""

from __future__ import annotations

from pydantic import Field

from scenes.errors import InputError
from scenes.section import Section
from segment.losses import Loss, dice_and_entropy
from segment.methods.supervised import Supervised
from segment.network import Segmenter
from training.method import FullPass
from training.norms import adopt_statistics, drawn, normalizations


class AdaBN(Supervised):
    """The loss on the source. After the last step, batch norm takes the statistics of the target."""

    class Settings(Supervised.Settings):
        """pictures: largest number of center crops of the target for the statistics. They are held in memory."""

        pictures: int = Field(256, ge=2)

    settings: Settings

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(network, settings, loss)
        if not normalizations(network):
            raise InputError("method: adabn adapts batch normalization, and this model has none; choose another")

    def finish(self, passes: FullPass) -> None:
        pictures = drawn((batch.images for batch in passes.target()), self.settings.pictures)
        if len(pictures) < 2:
            raise InputError("field data.target: adabn needs at least two pictures that can be read")
        adopt_statistics(self.network, pictures)
