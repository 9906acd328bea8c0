"""How well the lines of predicted cracks match: their middle lines and their widths."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.cracks.thinning import thinned
from segment.statistics.lines import Mask, line_radii


@dataclass(frozen=True)
class Shapes:
    """Sums over pictures.

    predicted, real: pixels of the middle lines of the predicted and of the true cracks. inside: pixels of predicted
    middle lines that lie on true cracks. found: pixels of true middle lines that are predicted. excess, off: sums over
    the found pixels of the predicted width less the true one, and of its absolute value, pixels.
    """

    predicted: int = 0
    real: int = 0
    inside: int = 0
    found: int = 0
    excess: float = 0.0
    off: float = 0.0

    def __add__(self, other: Shapes) -> Shapes:
        return Shapes(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def cl_dice(self) -> float | None:
        """clDice (Shit et al., CVPR 2021, eqs. 1 and 2) of all pictures together; None if there is no crack at all."""
        lines = self.predicted + self.real
        if not lines:
            return None
        precise = self.inside / self.predicted if self.predicted else 0.0
        sensitive = self.found / self.real if self.real else 0.0
        return 2 * precise * sensitive / (precise + sensitive) if precise + sensitive else 0.0

    def skeleton_recall(self) -> float | None:
        """Share of the true middle lines that is predicted; None without a true crack."""
        return self.found / self.real if self.real else None

    def width_error(self) -> float | None:
        """Mean absolute difference of the widths on found middle lines, pixels; None if none is found."""
        return self.off / self.found if self.found else None

    def width_excess(self) -> float | None:
        """Mean of the predicted width less the true one on found middle lines, pixels; None if none is found."""
        return self.excess / self.found if self.found else None


def shapes(predicted: Mask, real: Mask) -> Shapes:
    """Compare a predicted mask (h, w) with the true one."""
    lines, middle = thinned(predicted), thinned(real)
    found = middle & predicted
    differences = (_widths(predicted) - _widths(real))[found]
    return Shapes(
        predicted=int(lines.sum()),
        real=int(middle.sum()),
        inside=int((lines & real).sum()),
        found=int(found.sum()),
        excess=float(differences.sum()),
        off=float(np.abs(differences).sum()),
    )


def _widths(mask: Mask) -> NDArray[np.float32]:
    """(h, w) the width of the widest line within 2 pixels: middle lines of two masks need not meet."""
    widest: NDArray[np.float32] = np.asarray(cv2.dilate(line_radii(mask), np.ones((5, 5), np.uint8)), np.float32)
    return 2 * widest
