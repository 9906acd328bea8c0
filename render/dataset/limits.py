"""Which pictures a reader takes: by how much of the picture the main object and the clutter have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render.object_label import ObjectLabel


@dataclass(frozen=True)
class Limits:
    """Limits on the visible pixels of the objects. They mean what the config fields `objects.min_share` and
    `objects.max_clutter` mean.

    Parameters
    ----------
    min_share : float
        Smallest share of the picture's pixels that show the main object, 0 to 1.
    max_clutter : float, optional
        Most pixels of all clutter together over those of the main object. None for no limit.

    Examples
    --------
    >>> from render.dataset.limits import Limits
    >>> Limits(min_share=0.02).keep([])
    False
    """

    min_share: float = 0.0
    max_clutter: float | None = None

    def keep(self, objects: Iterable[ObjectLabel]) -> bool:
        """Whether a picture with these objects is within the limits. Without a main object, its share is 0."""
        return bool(self.allow(*shares(objects)))

    def allow(self, main: float | NDArray[np.float64], clutter: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether pictures are within the limits, by the `shares` of each."""
        small = True if self.max_clutter is None else clutter <= self.max_clutter * main
        return np.asarray((main >= self.min_share) & small)


def shares(objects: Iterable[ObjectLabel]) -> tuple[float, float]:
    """The shares of a picture's pixels that the main object and all clutter have."""
    share = {"main": 0.0, "clutter": 0.0}
    for label in objects:
        if label.purpose in share:
            share[label.purpose] += label.share
    return share["main"], share["clutter"]


NO_LIMITS = Limits()
