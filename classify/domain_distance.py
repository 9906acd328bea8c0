"""How far apart two domains are in feature space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]
"""(n, d)"""

# Kernel bandwidths as multiples of the mean squared distance, as in DAN.
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)


def a_distance(source: Features, target: Features, seed: int = 0) -> float:
    """Proxy A-distance (Ben-David et al., NIPS 2006), 2 (1 - 2 error), of a linear classifier of the domains.

    The error is measured by two-fold cross-validation. Both domains have the same weight; each needs at least two
    pictures. The distance is 2 if the classifier separates the domains perfectly, and about 0 if it cannot separate
    them. By chance it may be slightly negative.
    """
    # Importing scikit-learn takes a second.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, domains = np.concatenate([source, target]), np.repeat([0, 1], [len(source), len(target)])
    wrong = np.zeros(len(features), dtype=bool)
    for learned, asked in StratifiedKFold(2, shuffle=True, random_state=seed).split(features, domains):
        judge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced"))
        judge.fit(features[learned], domains[learned])
        wrong[asked] = judge.predict(features[asked]) != domains[asked]
    error = (wrong[domains == 0].mean() + wrong[domains == 1].mean()) / 2
    return float(2 * (1 - 2 * error))


def squared_distances(a: Features, b: Features) -> Features:
    """Squared Euclidean distances (n, m) between rows of (n, d) and (m, d)."""
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)


def mmd(
    source: Features, target: Features, *, bandwidth: float | None = None, scales: Sequence[float] = SCALES
) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy (Gretton et al., JMLR 2012, eq. 3).

    Each domain needs at least two pictures. The kernel is the mean of exp(-|x - y|^2 / (scale bandwidth)) over the
    scales. bandwidth: by default the mean squared distance of all pairs. The result is about 0 for equal domains. By
    chance it may be slightly negative.
    """
    within, there, across = (squared_distances(*p) for p in ((source, source), (target, target), (source, target)))
    n, m = across.shape
    if bandwidth is None:
        both = n + m
        bandwidth = float((within.sum() + there.sum() + 2 * across.sum()) / (both * (both - 1)))
    if bandwidth == 0:
        return 0.0

    def kernel(squares: Features) -> Features:
        return np.mean([np.exp(squares / (-scale * bandwidth)) for scale in scales], axis=0)

    inner, outer = (kernel(squares) for squares in (within, there))
    own = (inner.sum() - np.trace(inner)) / (n * (n - 1)) + (outer.sum() - np.trace(outer)) / (m * (m - 1))
    return float(own - 2 * kernel(across).mean())


def frechet(source: Features, target: Features) -> float:
    """Squared Fréchet distance of normal distributions fitted to the features (Heusel et al., NIPS 2017, eq. 6).

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). Each domain needs at least two pictures. With fewer pictures than
    features it is strongly biased upwards. So compare it only for the same features and numbers of pictures.
    """
    means = source.mean(0) - target.mean(0)
    a, b = ((x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (source, target))
    # The trace of (A'A B'B)^(1/2) is the sum of the singular values of A B'. With A = Q R, R may replace A.
    first, second = (np.asarray(np.linalg.qr(x, mode="r")) for x in (a, b))
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return float(max(means @ means + (a**2).sum() + (b**2).sum() - 2 * shared, 0))


def distances(source: Features, target: Features, *, most: int = 1000, seed: int = 0) -> dict[str, float]:
    """All three distances, with the same number of random pictures from each domain, at most `most`."""
    count = min(len(source), len(target), most)
    rng = np.random.default_rng(seed)
    a, b = (x[rng.choice(len(x), count, replace=False)].astype(np.float64) for x in (source, target))
    return {"a_distance": a_distance(a, b, seed), "mmd": mmd(a, b), "frechet": frechet(a, b), "pictures": count}
