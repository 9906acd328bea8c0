"""Validators: they rate a checkpoint for the target without labels of the target. Higher is always better.

Soft neighborhood density and entropy are highest if the network assigns all pictures to one class with certainty. In
that case information maximization and the nuclear norm are lowest. Do not rely on a single validator. `collapse` finds
such networks. No validator chooses one, unless all checkpoints are of this kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, softmax

_ROWS = 1024
# Limits the probabilities of the domain classifier, and with them the weights of source pictures.
_SUREST = 1e-6
# A network has collapsed if it uses fewer classes than 1 plus this share of the others, or if its predictions tell less
# of a picture than this share of the most they could.
_FEW, _SAME = 0.1, 0.01


def source_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Accuracy on held-out source pictures, from logits (n, k) and labels (n,) int64. Ignores the target."""
    return float((logits.argmax(1) == labels).double().mean())


def entropy(logits: Tensor) -> float:
    """Minus the mean entropy of the predictions in nats, -mean_i H(p_i), from logits (n, k). At most 0."""
    return -float(torch.special.entr(softmax(logits.double(), 1)).sum(1).mean())


def information(logits: Tensor) -> float:
    """Information maximization (Krause et al., NIPS 2010): H(mean_i p_i) - mean_i H(p_i), in nats.

    This is the mutual information of pictures and predictions. It is 0 if all predictions are equal, and at most log k.
    logits: (n, k).
    """
    return float(torch.special.entr(softmax(logits.double(), 1).mean(0)).sum()) + entropy(logits)


def collapse(logits: Tensor, classes: Sequence[str]) -> str:
    """How the predictions have collapsed, in words; empty if they have not. logits: (n, k) of the k classes.

    Two signs count. The pictures are assigned to few classes: exp(H(shares of the classes)), the effective number of
    classes, is near 1. Or all predictions are nearly equal: their mutual information with the pictures is near 0. Of
    fewer pictures than classes, no more classes than pictures are expected.
    """
    most = min(logits.shape)
    shares = torch.bincount(logits.argmax(1), minlength=logits.shape[1]).double() / len(logits)
    used = float(torch.special.entr(shares).sum().exp())
    if used < 1 + _FEW * (most - 1):
        return f"{float(shares.max()):.0%} of the pictures are assigned to '{classes[int(shares.argmax())]}'"
    if information(logits) < _SAME * np.log(most):
        return "the predictions are almost equal for all pictures"
    return ""


def nuclear_norm(logits: Tensor) -> float:
    """Nuclear norm of the predictions (n, k) divided by n (BNM: Cui et al., CVPR 2020, eq. 8), from logits (n, k).

    Certain predictions, spread evenly over the classes, give sqrt(k / n). All in one class give sqrt(1 / n). The value
    depends on n, so compare checkpoints on the same pictures.
    """
    return float(torch.linalg.matrix_norm(softmax(logits.double(), 1), "nuc") / len(logits))


def neighborhood_density(logits: Tensor, temperature: float = 0.05) -> float:
    """Soft neighborhood density (SND: Saito et al., ICCV 2021, eqs. 1-3) in nats, from logits (n, k).

    The mean entropy of the similarities of each picture to all others: softmax over j ≠ i of cos(p_i, p_j) /
    temperature. It reaches its maximum, log(n - 1), if all predictions are equal. It is 0 for a single picture.
    """
    if len(logits) < 2:
        return 0.0
    directions = normalize(softmax(logits.double(), 1))
    total = 0.0
    for begin in range(0, len(directions), _ROWS):
        similar = directions[begin : begin + _ROWS] @ directions.T / temperature
        similar.diagonal(begin).fill_(-torch.inf)
        total += float(torch.special.entr(softmax(similar, 1)).sum())
    return total / len(directions)


def embedded_risk(weights: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Importance-weighted risk with a control variate (DEV: You et al., ICML 2019, eq. 10).

    mean(w e) + eta mean(w) - eta with eta = -cov(w e, w) / var(w). If all weights are equal, it is mean(w e). weights,
    errors: (n,).
    """
    weighted = weights * errors
    spread = float(np.var(weights, ddof=1)) if len(weights) > 1 else 0.0
    eta = -float(np.cov(weighted, weights)[0, 1]) / spread if spread > 0 else 0.0
    return float(weighted.mean() + eta * weights.mean() - eta)


def density_ratio(source: NDArray[np.float64], target: NDArray[np.float64], folds: int = 5) -> NDArray[np.float64]:
    """Ratio (n,) of target density to source density at the source features (n, d). target: features (m, d).

    It comes from a linear classifier of the domains, with cross-validation: each fold is rated by a classifier trained
    on the other folds. All ratios are 1 if a domain has fewer than two pictures.
    """
    # Importing scikit-learn takes a second.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    weights = np.ones(len(source))
    folds = min(folds, len(source), len(target))
    if folds < 2:
        return weights
    features = np.concatenate([source, target])
    domains = np.repeat([0, 1], [len(source), len(target)])
    for learned, asked in StratifiedKFold(folds, shuffle=True, random_state=0).split(features, domains):
        judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        judge.fit(features[learned], domains[learned])
        asked = asked[asked < len(source)]
        likely = judge.predict_proba(features[asked])[:, 1].clip(_SUREST, 1 - _SUREST)
        sizes = np.bincount(domains[learned])
        weights[asked] = likely / (1 - likely) * sizes[0] / sizes[1]
    return weights


def deep_embedded(source_features: Tensor, source_logits: Tensor, labels: Tensor, target_features: Tensor) -> float:
    """Minus the risk on the target, estimated on the held-out source (DEV) with the cross-entropy as error.

    The weights come from `density_ratio` in feature space. The paper trains a two-layer discriminator on the training
    source. Here it is linear and cross-validated, so the held-out source is enough.
    """
    weights = density_ratio(source_features.double().numpy(), target_features.double().numpy())
    errors = cross_entropy(source_logits.double(), labels, reduction="none").numpy()
    return -embedded_risk(weights, errors)


# Each takes the outputs on the held-out source and on the target, with `features` (n, d), `logits` (n, k) and `labels`
# (n,) on the CPU. No validator reads labels of the target.
VALIDATORS: dict[str, Callable[[Any, Any], float]] = {
    "source": lambda source, target: source_accuracy(source.logits, source.labels),
    "im": lambda source, target: information(target.logits),
    "bnm": lambda source, target: nuclear_norm(target.logits),
    "snd": lambda source, target: neighborhood_density(target.logits),
    "dev": lambda source, target: deep_embedded(source.features, source.logits, source.labels, target.features),
    "entropy": lambda source, target: entropy(target.logits),
}
