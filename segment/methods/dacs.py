"""DACS: what the source shows is pasted into pictures of the target that a teacher labels.

Of cracks these are the cracks with their surroundings, of many classes the pixels of half of the classes.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import max_pool2d

from segment.ignored import IGNORED
from segment.methods.pseudo import Portion, Pseudo, Weighing, pseudo_labels
from segment.methods.teacher import TeacherStudent
from training.method import Batch, Unlabeled
from training.teacher import warm_up


def surroundings(masks: Tensor, margin: int) -> Tensor:
    """(n, h, w) bool: True within `margin` pixels of a crack, in a square. masks: (n, h, w), 1 on cracks."""
    return max_pool2d(masks[:, None].float(), 2 * margin + 1, stride=1, padding=margin)[:, 0] > 0


def pasted(source: Tensor, masks: Tensor, target: Tensor, margin: int) -> tuple[Tensor, Tensor]:
    """Target pictures (n, 3, h, w) with the cracks of `source`, and where they were pasted (n, h, w) bool.

    Mixing classes as in DACS (Tranheden et al., WACV 2021, eqs. 1 and 2) fails for one thin class: half of the mixes
    would paste all but the crack. Here it is always the crack, with the pixels around it. What is pasted is shifted so
    that its surroundings have the mean color of the pixels they replace. Otherwise its edge would show.
    """
    area = surroundings(masks, margin)
    ring = area & (masks <= 0)
    shift = _mean(target, ring) - _mean(source, ring)
    return torch.where(area[:, None], source + shift, target), area


def class_mixed(source: Tensor, labels: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Target pictures (n, 3, h, w) with half of the classes of each source picture, and where these are (n, h, w) bool.

    Of an odd number of classes, the larger half (Tranheden et al., WACV 2021, section 3.1). Pixels that count nowhere
    stay. Draws from torch's global generator.
    """
    area = torch.zeros_like(labels, dtype=torch.bool)
    for inside, one in zip(area, labels, strict=True):
        there = one[one != IGNORED].unique()
        taken = there[torch.randperm(len(there))[: (len(there) + 1) // 2].to(there.device)]
        inside |= torch.isin(one, taken)
    return torch.where(area[:, None], source, target), area


def _mean(images: Tensor, where: Tensor) -> Tensor:
    """Mean colors (n, 3, 1, 1) of the pixels where (n, h, w) is True; 0 without such pixels."""
    inside = where[:, None].to(images.dtype)
    return (images * inside).sum((2, 3), keepdim=True) / inside.sum((2, 3), keepdim=True).clamp(min=1)


class DACS(TeacherStudent):
    """The loss on the source, and weighted cross-entropy on target pictures with pasted cracks or classes.

    Labels are those of the source where it was pasted, and the teacher's elsewhere.
    """

    class Settings(TeacherStudent.Settings):
        """threshold: a teacher's label is sure from this probability on. portion: instead, the surest pixels of each
        class are, this share of them. weighing: see `pseudo_labels`. margin: pixels around a crack that are pasted with
        it; classes have none. weight: of the mixed term. warm_up: share of training in which the terms that need the
        teacher's labels rise to their weight. A network that has learned no crack yet labels none right."""

        threshold: float = Field(default=0.968, ge=0.5, le=1)
        portion: Portion = None
        weighing: Weighing = "pixel"
        margin: int = Field(default=8, ge=1)
        weight: float = Field(default=1.0, ge=0)
        warm_up: float = Field(default=0.0, ge=0, le=1)

    settings: Settings

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        chosen = self.settings
        pseudo = pseudo_labels(self.taught(target.images), chosen.threshold, chosen.weighing, chosen.portion)
        share = warm_up(progress, chosen.warm_up)
        adapting = {name: share * term for name, term in self.adapting(source, target, pseudo).items()}
        return {**super().losses(source, target, progress), **adapting}

    def adapting(self, source: Batch, target: Unlabeled, pseudo: Pseudo) -> dict[str, Tensor]:
        """The terms () that need the teacher's labels."""
        images, area = self._mixed(source, target)
        labels = torch.where(area, source.targets, pseudo.labels)
        weights = torch.where(area, 1.0, pseudo.weights)
        return {"mixed": self.settings.weight * self.cost(images, labels, weights)}

    def _mixed(self, source: Batch, target: Unlabeled) -> tuple[Tensor, Tensor]:
        if self.classes == 1:
            return pasted(source.images, source.targets, target.strong, self.settings.margin)
        return class_mixed(source.images, source.targets, target.strong)
