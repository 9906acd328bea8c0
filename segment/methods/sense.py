"""SENSE: synthetic pictures as unlabeled partners of real labeled ones.

The source of such a run are real labeled pictures, and its target the synthetic ones: their labels are not read.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import logsigmoid

from scenes.section import Section
from segment.inference import Scales
from segment.logits import costs, counted, likeliest, many
from segment.losses import Loss, dice_and_entropy
from segment.methods.pseudo import cut_mix
from segment.methods.teacher import TeacherStudent
from segment.network import Segmenter
from training.method import Batch, Unlabeled


def assigned(logits: Tensor, share: float, temperature: float = 0.05, rounds: int = 3) -> Tensor:
    """Soft labels (p,) of crack for pixels with logits (p,), such that cracks get about the share `share` of them.

    Sinkhorn and Knopp's normalization of exp(log p / temperature), a table of two classes by p pixels: in turn the
    classes get the sums `share` and 1 - `share`, and the pixels 1 / p each. It ends with the pixels, so the share of
    cracks is met only nearly. Computed in logarithms, where nothing underflows. Caron et al., SwAV, NeurIPS 2020, eqs.
    3 to 5; SENSE's code has the share 1/2 of two classes.
    """
    table = torch.stack([logsigmoid(-logits), logsigmoid(logits)]).double()
    shares = torch.tensor([1 - share, share], dtype=torch.float64, device=logits.device)
    return _balanced(table, shares, temperature, rounds)[1].to(logits.dtype)


def assigned_classes(logits: Tensor, shares: Tensor, temperature: float = 0.05, rounds: int = 3) -> Tensor:
    """Soft labels (k, p) for pixels with logits (k, p), such that class c gets about the share shares[c] of them.

    As `assigned`, for k classes; shares: (k,), sum 1.
    """
    return _balanced(logits.log_softmax(0).double(), shares.double(), temperature, rounds).to(logits.dtype)


def _balanced(table: Tensor, shares: Tensor, temperature: float, rounds: int) -> Tensor:
    """Sinkhorn and Knopp's normalization of exp(table / temperature): (k, p), with the sum 1 of each pixel."""
    table = table / temperature
    for _ in range(rounds):
        table = table - table.logsumexp(1, keepdim=True) + shares.clamp(min=1e-12).log()[:, None]
        table = table - table.logsumexp(0, keepdim=True)
    return table.exp()


class SENSE(TeacherStudent):
    """(loss on the source + cross-entropy with the teacher's labels on the target) / 2, where the teacher is sure.

    The teacher labels weakly augmented pictures, half of them by the mean of four logits: mirrored or not, at 1 and
    1.25 times the size. The network sees strongly augmented ones with CutMix. From the authors' code.
    """

    share: Tensor

    class Settings(TeacherStudent.Settings):
        """decay: of the teacher. threshold: a pixel counts if the teacher gives its class this probability.

        labels: `uniform` gives all classes the same share of the pixels, as the authors' code does; `source` gives them
        the shares that they have in the source so far; `plain` takes the teacher's classes.
        temperature, rounds: of the assignment. scales: of the half of the pictures that is labeled by several logits.
        """

        decay: float = Field(default=0.996, ge=0, lt=1)
        scales: Scales = (1.0, 1.25)
        threshold: float = Field(default=0.95, ge=0.5, lt=1)
        labels: Literal["uniform", "source", "plain"] = "source"
        temperature: float = Field(default=0.05, gt=0)
        rounds: int = Field(default=3, ge=1)

    settings: Settings

    def __init__(self, network: Segmenter, settings: Section | None = None, loss: Loss = dice_and_entropy):
        super().__init__(network, settings, loss)
        # Of the source so far: crack pixels and all pixels, or the pixels of each class.
        self.register_buffer("share", torch.zeros(max(2, self.classes), dtype=torch.float64))

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        if self.classes == 1:
            self.share += torch.stack([source.targets.sum(), torch.tensor(source.targets.numel()).to(source.targets)])
        else:
            self.share += counted(source.targets, self.classes)
        images, logits = cut_mix(target.strong, self._labeling(target.images))
        sure = likeliest(logits).chances >= self.settings.threshold
        found = self.network(images).float()
        each = self._class_costs(found, logits) if many(logits) else costs(found, self._labels(logits))
        consistency = (each * sure).sum() / sure.sum().clamp(min=1)
        terms = super().losses(source, target, progress)
        return {name: term / 2 for name, term in {**terms, "consistency": consistency}.items()}

    def _labels(self, logits: Tensor) -> Tensor:
        """Labels like the teacher's logits (n, h, w): 0 to 1."""
        settings = self.settings
        if settings.labels == "plain":
            return (logits > 0).float()
        share = 0.5 if settings.labels == "uniform" else float(self.share[0] / self.share[1])
        if not 0 < share < 1:
            return (logits > 0).float()
        return assigned(logits.flatten(), share, settings.temperature, settings.rounds).view_as(logits)

    def _class_costs(self, logits: Tensor, taught: Tensor) -> Tensor:
        """Cross-entropy (n, h, w) of each pixel's logits with the teacher's label. logits, taught: (n, k, h, w).

        As in the authors' code, all pixels are assigned, also those that do not count because the teacher is not sure
        of them. They take the shares of classes that no sure pixel shows. If sure pixels were assigned alone, they
        would get labels of these classes.
        """
        settings, known = self.settings, float(self.share.sum())
        if settings.labels == "plain" or (settings.labels == "source" and not known):
            return costs(logits, taught.argmax(1))
        uniform = torch.full_like(self.share, 1 / len(self.share))
        shares = uniform if settings.labels == "uniform" else self.share / known
        classes_first = taught.movedim(1, 0)
        labels = assigned_classes(classes_first.flatten(1), shares, settings.temperature, settings.rounds)
        return -(labels.view_as(classes_first).movedim(0, 1) * logits.log_softmax(1)).sum(1)

    def _labeling(self, images: Tensor) -> Tensor:
        """The teacher's logits, like those of `taught`."""
        half = len(images) // 2
        several, rest = images[:half], self.taught(images[half:], (1.0,))
        if not half:
            return rest
        # As in `fitted`, the network itself pads to its stride.
        mirrored = self.taught(several.flip(3)).flip(-1)
        return torch.cat([(self.taught(several) + mirrored) / 2, rest])
