"""How good a checkpoint is for the target, judged without labels of the target. Higher is better, everywhere.

Soft neighborhood density and entropy are highest when the network says the same class of every picture, surely;
information maximization and the nuclear norm then are at their lowest. None is to be trusted alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, softmax

_ROWS = 1024
# As far as the two domains are told apart, a source picture weighs no more, and no less, than this.
_SUREST = 1e-6


def source_accuracy(logits: Tensor, labels: Tensor) -> float:
    """Accuracy on source pictures held out: (n, k) logits, (n,) int64 labels. Blind to the target."""
    return float((logits.argmax(1) == labels).double().mean())


def entropy(logits: Tensor) -> float:
    """Minus the mean entropy of the predictions, nats: -mean_i H(p_i), of (n, k) logits. At most 0."""
    return -float(torch.special.entr(softmax(logits.double(), 1)).sum(1).mean())


def information(logits: Tensor) -> float:
    """Information maximization (Krause et al., NIPS 2010): H(mean_i p_i) - mean_i H(p_i), nats, of (n, k) logits.

    The mutual information of pictures and predictions: 0 where all pictures get the same, at most log k.
    """
    return float(torch.special.entr(softmax(logits.double(), 1).mean(0)).sum()) + entropy(logits)


def nuclear_norm(logits: Tensor) -> float:
    """Nuclear norm of the (n, k) predictions over n (BNM: Cui et al., CVPR 2020, eq. 8), of (n, k) logits.

    Sure predictions spread evenly over classes give sqrt(k / n), all in one class sqrt(1 / n). It depends on n:
    compare checkpoints on the same pictures.
    """
    return float(torch.linalg.matrix_norm(softmax(logits.double(), 1), "nuc") / len(logits))


def neighborhood_density(logits: Tensor, temperature: float = 0.05) -> float:
    """Soft neighborhood density (SND: Saito et al., ICCV 2021, eqs. 1-3), nats, of (n, k) logits, n at least 2.

    Mean entropy of each picture's similarities to all others: softmax over j ≠ i of cos(p_i, p_j) / temperature.
    At most log(n - 1), which is what it gives where all predictions are the same.
    """
    directions = normalize(softmax(logits.double(), 1))
    total = 0.0
    for begin in range(0, len(directions), _ROWS):
        similar = directions[begin : begin + _ROWS] @ directions.T / temperature
        similar.diagonal(begin).fill_(-torch.inf)
        total += float(torch.special.entr(softmax(similar, 1)).sum())
    return total / len(directions)


def embedded_risk(weights: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Importance-weighted risk with a control variate (DEV: You et al., ICML 2019, eq. 10), of (n,) each.

    mean(w e) + eta mean(w) - eta, eta = -cov(w e, w) / var(w); where the weights are all the same, mean(w e).
    """
    weighted = weights * errors
    spread = float(np.var(weights, ddof=1)) if len(weights) > 1 else 0.0
    eta = -float(np.cov(weighted, weights)[0, 1]) / spread if spread > 0 else 0.0
    return float(weighted.mean() + eta * weights.mean() - eta)


def density_ratio(source: NDArray[np.float64], target: NDArray[np.float64], folds: int = 5) -> NDArray[np.float64]:
    """(n,) density of the target over that of the source at each of (n, d) source features, given (m, d) target ones.

    From a linear classifier of the domains, asked only about what it did not learn from: each fold by one that
    learned from the others. All 1 where a domain has fewer than two pictures.
    """
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
    """Minus the risk on the target as the source held out tells it (DEV), with the cross entropy as the error.

    Weights by `density_ratio` in feature space: the paper's discriminator is a two-layer network that learns from
    the training source; here it is linear and cross-fitted, which the held-out source suffices for.
    """
    weights = density_ratio(source_features.double().numpy(), target_features.double().numpy())
    errors = cross_entropy(source_logits.double(), labels, reduction="none").numpy()
    return -embedded_risk(weights, errors)


# Each of what the network makes of the source held out and of the target: both with `features` (n, d), `logits`
# (n, k) and `labels` (n,), on the CPU. No validator reads the target's labels; what does is an oracle, and not here.
VALIDATORS: dict[str, Callable[[Any, Any], float]] = {
    "source": lambda source, target: source_accuracy(source.logits, source.labels),
    "im": lambda source, target: information(target.logits),
    "bnm": lambda source, target: nuclear_norm(target.logits),
    "snd": lambda source, target: neighborhood_density(target.logits),
    "dev": lambda source, target: deep_embedded(source.features, source.logits, source.labels, target.features),
    "entropy": lambda source, target: entropy(target.logits),
}
