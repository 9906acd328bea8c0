"""MIC: the network learns to predict on a masked target picture what a teacher predicts on the whole one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from classify.methods.teacher import TeacherStudent
from training.masking import mask
from training.method import Batch, Unlabeled

_SIDE = 224


def masked_consistency(masked: Tensor, teacher: Tensor, weighted: bool) -> Tensor:
    """Mean cross-entropy () of predictions on masked pictures with the teacher's labels, weighted by its confidence.

    1/n sum_i q_i H(argmax p_i, softmax masked_i) with p = softmax(teacher) and q = max p, or q = 1 if not `weighted`.
    Hoyer et al.,
    MIC: Masked image consistency, CVPR 2023, section 3. masked, teacher: (n, k) logits.
    """
    confidence, labels = teacher.detach().softmax(1).max(1)
    losses = cross_entropy(masked, labels, reduction="none")
    return (confidence * losses).mean() if weighted else losses.mean()


class MIC(TeacherStudent):
    """Source cross-entropy and `masked_consistency` with an averaged teacher. The network makes the predictions.

    The authors add it to CDAN, MCC and SDAT. Here it is used alone. Batch norm treats source, masked and whole target
    pictures apart. Masks come from torch's global generator, as for dropout. The trainer seeds it for each step.
    """

    class Settings(TeacherStudent.Settings):
        """decay: of the teacher's average. weight: of the target term. weighted: weight by the teacher's confidence.

        block: side of a masked square at 224 px; other sizes have the same number of squares. ratio: masked share.
        """

        decay: float = 0.9
        weight: float = 1.0
        weighted: bool = True
        block: int = 64
        ratio: float = 0.7

    settings: Settings

    def kept(self, count: int, device: torch.device) -> Tensor:
        """Random grid (n, 1, cells, cells) bool: True for cells that are not masked."""
        cells = max(1, round(_SIDE / self.settings.block))
        return torch.rand(count, 1, cells, cells, device=device) > self.settings.ratio

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        teacher = self.teacher(target.images, by_batch=True).logits
        masked = self.network(mask(target.images, self.kept(len(target.images), target.images.device))).logits
        consistency = masked_consistency(masked, teacher, self.settings.weighted)
        return {
            "source": cross_entropy(self.network(source.images).logits, source.targets),
            "masked": self.settings.weight * consistency,
        }
