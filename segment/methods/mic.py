"""MIC: the network labels masked pictures of the target as a teacher labels the whole ones."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from scenes.section import Section
from segment.methods.dacs import DACS
from segment.methods.hrda import HRDA
from segment.methods.pseudo import Pseudo
from training.masking import mask
from training.method import Batch, Unlabeled


class Masking(Section):
    """masked: weight of the masked term. block: side of a masked square, pixels. ratio: share that is masked."""

    masked: float = Field(default=1.0, ge=0)
    block: int = Field(default=32, ge=1)
    ratio: float = Field(default=0.7, ge=0, lt=1)


class Masked(DACS):
    """Adds to DACS the weighted cross-entropy on masked, strongly augmented target pictures.

    Hoyer et al., MIC: Masked image consistency, CVPR 2023, eqs. 3 to 6. The paper masks squares of 64 pixels in crops
    of 1024. Masks come from torch's global generator.
    """

    def adapting(self, source: Batch, target: Unlabeled, pseudo: Pseudo) -> dict[str, Tensor]:
        settings, images = self.settings, target.strong
        assert isinstance(settings, Masking)
        cells = [max(1, round(side / settings.block)) for side in images.shape[-2:]]
        kept = torch.rand(len(images), 1, *cells, device=images.device) > settings.ratio
        masked = settings.masked * self.cost(mask(images, kept), *pseudo)
        return {**super().adapting(source, target, pseudo), "masked": masked}


class MIC(Masked):
    """DACS with masked image consistency."""

    class Settings(DACS.Settings, Masking):
        """Those of `dacs` and of `Masking`."""

    settings: Settings


class HRDAMIC(Masked, HRDA):
    """HRDA with masked image consistency, as in the paper."""

    class Settings(HRDA.Settings, Masking):
        """Those of `hrda` and of `Masking`."""

    settings: Settings
