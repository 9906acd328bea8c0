"""What a logistic regression of scikit-learn has learned, as the head of a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_of(model: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes (k, d) and offsets (k,) of a fitted LogisticRegression, a row for each of its k classes.

    Of two classes, scikit-learn keeps the difference of the logits alone: each then gets half of it.
    """
    slopes, offsets = model.coef_, model.intercept_
    if len(model.classes_) > 2:
        return slopes, offsets
    return np.concatenate([-slopes, slopes]) / 2, np.concatenate([-offsets, offsets]) / 2
