"""RCA: regularized conditional alignment with a joint classifier of domain and class."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear, log_softmax

from classify.methods.alignment import ramp
from classify.methods.base import Method
from classify.methods.disclusterda import imbalance
from classify.network import Network
from scenes.section import Section
from training.method import Batch, Unlabeled


def joint(source: Tensor, labels: Tensor, target: Tensor, pseudo: Tensor, swapped: bool) -> Tensor:
    """Cross-entropy () of both domains over 2k classes: k for the source, and k for the target with `pseudo` labels.

    swapped: label each domain as the other one; the features are trained with this. Cicek and
    Soatto, Unsupervised domain adaptation via regularized conditional alignment, ICCV 2019. The classes of
    the second half are y + k: -mean log p(y | source) - mean log p(y' + k | target), or the halves swapped.
    source, target: (n, 2 k) logits. labels, pseudo: (n,) int64 in [0, k).
    """
    classes = source.shape[1] // 2
    ours, theirs = (classes, 0) if swapped else (0, classes)
    return cross_entropy(source, labels + ours) + cross_entropy(target, pseudo + theirs)


def entropy(logits: Tensor) -> Tensor:
    """Mean entropy () of softmax(logits). logits: (n, k)."""
    return -(logits.softmax(1) * log_softmax(logits, 1)).sum(1).mean()


class RCA(Method):
    """Source cross-entropy and `joint`. In one step, true labels train the classifiers and swapped ones the features.

    As in S2RDA, the features also minimize the entropy of the target, the classifiers have a balance term, and there is
    no virtual adversarial training. Batch norm treats source and target apart.
    """

    class Settings(Section):
        """entropy: weight of the entropy; it also rises during training. balance: weight of the balance term."""

        entropy: float = 1.0
        balance: float = 0.1

    settings: Settings

    def __init__(self, network: Network, classes: int, settings: Section | None = None):
        super().__init__(network, classes, settings)
        self.joint = nn.Linear(network.width, 2 * classes)

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        weight = ramp(progress)
        ours, theirs = self.network.features(source.images), self.network.features(target.images)
        # Two losses for separate weights, so one backward pass is equal to two.
        head, both = self.network.head, self.joint
        still, other = ours.detach(), theirs.detach()
        logits = head(other)
        pseudo = logits.detach().argmax(1)
        classifiers = cross_entropy(head(still), source.targets)
        classifiers = classifiers + weight * joint(both(still), source.targets, both(other), pseudo, swapped=False)
        features = cross_entropy(_frozen(head, ours), source.targets)
        swapped = joint(_frozen(both, ours), source.targets, _frozen(both, theirs), pseudo, swapped=True)
        unsure = self.settings.entropy * entropy(_frozen(head, theirs))
        return {
            "classifiers": classifiers + self.settings.balance * imbalance(logits),
            "features": features + weight * (swapped + unsure),
        }


def _frozen(layer: nn.Linear, features: Tensor) -> Tensor:
    return linear(features, layer.weight.detach(), None if layer.bias is None else layer.bias.detach())
