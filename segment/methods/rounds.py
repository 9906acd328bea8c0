"""Pseudo-labels in rounds: in each round the network learns the labels that it gave to the target at its beginning."""

from __future__ import annotations

from copy import deepcopy
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from scenes.section import Section
from segment.inference import Scales, at_scales
from segment.losses import Loss, dice_and_entropy
from segment.methods.pseudo import Portion, pseudo_labels
from segment.methods.supervised import Supervised
from segment.network import Segmenter
from training.method import Batch, Descend, Unlabeled


class Rounds(Supervised):
    """The loss on the source. From the second round on, also that with the labels of the frozen network.

    Zou et al., Unsupervised domain adaptation via class-balanced self-training, ECCV 2018, with the pictures
    of a batch at a time for `portion`. The labels are made when a batch needs them, so they follow its crop.
    """

    labeler: Segmenter
    round: Tensor

    class Settings(Supervised.Settings):
        """rounds: their number. first: what the first round learns: `source` alone, or also the `labels` of the network
        that training starts from, which then should have learned already. threshold: least probability of a label.
        portion: instead, the surest pixels of each class are labeled, this share of them. scales: sizes at which
        pictures are seen for their labels; the logits are averaged. weight: of the target term."""

        rounds: int = Field(default=3, ge=2)
        first: Literal["source", "labels"] = "source"
        threshold: float = Field(default=0.9, ge=0.5, le=1)
        portion: Portion = None
        scales: Scales = (1.0,)
        weight: float = Field(default=1.0, ge=0)

    settings: Settings

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(network, settings, loss)
        self.labeler = deepcopy(network).requires_grad_(False)
        self.register_buffer("round", torch.zeros((), dtype=torch.int64))

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        terms = super().losses(source, target, progress)
        if self.round or self.settings.first == "labels":
            self.labeler.eval()
            chosen = self.settings
            with torch.no_grad():
                logits = at_scales(self.labeler, target.images, chosen.scales)
                labels, weights = pseudo_labels(logits, chosen.threshold, portion=chosen.portion)
            terms["pseudo"] = chosen.weight * self.cost(target.strong, labels, weights)
        return terms

    def update(self, source: Batch, target: Unlabeled, progress: float, descend: Descend) -> dict[str, Tensor]:
        now = min(int(progress * self.settings.rounds), self.settings.rounds - 1)
        if now != int(self.round):
            self.labeler.load_state_dict(self.network.state_dict())
            self.round.fill_(now)
        return super().update(source, target, progress, descend)

    def groups(self) -> dict[str, list[torch.nn.Parameter]]:
        return {name: [p for p in group if p.requires_grad] for name, group in super().groups().items()}
