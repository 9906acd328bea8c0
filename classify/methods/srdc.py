"""SRDC: structurally regularized deep clustering of the target, in class and feature space."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

from classify.methods.alignment import ramp
from classify.methods.base import Method
from classify.methods.clusters import distances_to, k_means, means, over
from classify.network import Network
from scenes.section import Section
from training.method import Batch, FullPass, Unlabeled


def auxiliary(probabilities: Tensor) -> Tensor:
    """Target distribution (n, k), q ~ p / sqrt(sum over pictures of p). It is sharper than p and balanced.

    q_ik = (p_ik / sqrt(sum_j p_jk)) / sum_c (p_ic / sqrt(sum_j p_jc)): Tang et al., Unsupervised domain adaptation via
    structurally regularized deep clustering, CVPR 2020, which minimizes its objective for fixed p.
    """
    balanced = probabilities / probabilities.sum(0, keepdim=True).sqrt()
    return balanced / balanced.sum(1, keepdim=True)


def clustering(scores: Tensor) -> Tensor:
    """Mean cross-entropy () of p = softmax(scores) with q = `auxiliary(p)`. The gradient flows through both.

    -1/n sum_i sum_k q_ik log p_ik: the objective of SRDC without its balance term, which q already contains. scores:
    (n, k).
    """
    return -(auxiliary(scores.softmax(1)) * log_softmax(scores, 1)).sum(1).mean()


def likeness(features: Tensor, centers: Tensor, freedom: float) -> Tensor:
    """Student's t similarity (n, k), (1 + |f - c|^2 / a)^-((a + 1) / 2), of features (n, d) and centers (k, d)."""
    return (1 + distances_to(features, centers) / freedom) ** (-(freedom + 1) / 2)


class SRDC(Method):
    """Source cross-entropy, and `clustering` of the target on the logits and on the similarity to trained centers.

    Before each epoch, k-means on the target sets the centers. It starts from the mean features of the source classes,
    and later from those of the predicted classes. In the first epoch the target labels are the clusters; after that
    `auxiliary` gives them. There are centers for the features of the backbone and, if present, of the bottleneck. All
    source pictures have weight 1, as in S2RDA. Batch norm treats source and target apart.
    """

    class Settings(Section):
        """freedom: a of Student's t. rounds: of k-means. embedding: also cluster the features.

        softmax: probabilities are the softmax of the similarities, as in the authors' code; otherwise their shares.
        """

        freedom: float = 1.0
        rounds: int = 2
        embedding: bool = True
        softmax: bool = True

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        inner = [part.in_features for part in network.bottleneck.modules() if isinstance(part, nn.Linear)]
        widths = [*inner, network.width]
        self.centers = nn.ParameterList([nn.Parameter(torch.zeros(classes, width)) for width in widths])
        self.labels: Tensor
        self.epochs: Tensor
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))

    def see(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features (n, d) of each level, and at last the logits (n, k)."""
        levels = [self.network.backbone(images)]
        if len(self.centers) > 1:
            levels.append(self.network.bottleneck(levels[0]))
        return (*levels, self.network.head(levels[-1]))

    def begin_epoch(self, passes: FullPass, progress: float) -> None:
        labels = torch.cat([batch.targets for batch in passes.source()])
        *source, _ = over(self.network, passes.source(), self.see)
        *target, logits = over(self.network, passes.target(), self.see)
        for level, centers in enumerate(self.centers):
            start = means(source[level], labels, torch.zeros_like(centers))
            if self.epochs:
                start = means(target[level], logits.argmax(1), start)
            clusters, placed = k_means(target[level], start, self.settings.rounds)
            centers.data.copy_(placed)
            if level == 0:
                self.labels = clusters
        self.epochs += 1

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        first = int(self.epochs) <= 1
        weight = 1.0 if first else ramp(progress)
        *source_levels, source_logits = self.see(source.images)
        *target_levels, target_logits = self.see(target.images)
        terms = {"source": cross_entropy(source_logits, source.targets)}
        scores = [target_logits]
        if self.settings.embedding:
            scores += self._scores(target_levels)
            embedded = [cross_entropy(own, source.targets) for own in self._scores(source_levels)]
            terms["source embedding"] = weight * torch.stack(embedded).sum()
        clusters = self.labels[target.indices]
        target_terms = [cross_entropy(own, clusters) if first else clustering(own) for own in scores]
        return terms | {"target": weight * torch.stack(target_terms).sum()}

    def _scores(self, levels: list[Tensor]) -> list[Tensor]:
        """Scores (n, k) for each level. Their softmax is the probability of each cluster."""
        pairs = zip(levels, self.centers, strict=True)
        likes = [likeness(own, centers, self.settings.freedom) for own, centers in pairs]
        return likes if self.settings.softmax else [like.log() for like in likes]

    def groups(self) -> dict[str, list[nn.Parameter]]:
        centers = {id(parameter) for parameter in self.centers}
        groups = super().groups()
        head = [parameter for parameter in groups["head"] if id(parameter) not in centers]
        return {"backbone": [*groups["backbone"], *self.centers], "head": head}
