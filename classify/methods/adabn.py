"""AdaBN: a network trained on the source that normalizes with the statistics of the target."""

from __future__ import annotations

from pydantic import Field

from classify.methods.base import Method
from classify.network import Network
from scenes.errors import InputError
from scenes.section import Section
from training.method import FullPass
from training.norms import adopt_statistics, drawn, normalizations


class AdaBN(Method):
    """Supervised training on the source. After the last step, batch norm takes the statistics of the target.

    The affine part of batch norm stays. Before the end, predictions equal those of source-only training.
    """

    class Settings(Method.Settings):
        """pictures: largest number of target pictures for the statistics. They are held in memory."""

        pictures: int = Field(1024, ge=2)

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        if not normalizations(network):
            raise InputError("method: adabn adapts batch normalization, and this model has none; choose a resnet")

    def finish(self, passes: FullPass) -> None:
        pictures = drawn((batch.images for batch in passes.target()), self.settings.pictures)
        if len(pictures) < 2:
            raise InputError("field data.target: adabn needs at least two pictures that can be read")
        adopt_statistics(self.network, pictures)
