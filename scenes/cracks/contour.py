"""A crack as data: a graph of polylines with a width at each point, and the chips broken off its lips.

All lengths are in millimeters. x points right and y points down. (0, 0) is the upper left corner of the patch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.errors import InputError

Array = NDArray[np.float64]
Size = tuple[float, float]

KINDS = ("crack", "satellite", "healed")
# The kinds that are open. A healed stroke is only a trace on the surface, without depth.
OPEN = ("crack", "satellite")

# Smaller gaps, as a share of the patch, count as closed. This is about two pixels of an ordinary picture.
_JOINED = 0.004


@dataclass(frozen=True)
class Stroke:
    """One piece of a crack, without forks.

    Attributes
    ----------
    points : (n, 2) float64 array
        The middle line between the two lips, in mm, with n >= 2.
    widths : (n,) float64 array
        The distance from lip to lip at each point, in mm. It is 0 where the crack is closed.
    kind : {"crack", "satellite", "healed"}
        A satellite is a small crack next to a larger one. A healed stroke is filled: it is visible, but level.
    parent : int
        Index (in the contour) of the stroke from which this one forks at its first point. -1 if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Stroke
    >>> stroke = Stroke(points=np.array([[0.0, 0.0], [3.0, 4.0]]), widths=np.array([0.2, 0.4]))
    >>> stroke.length, stroke.chord
    (5.0, 5.0)
    """

    points: Array
    widths: Array
    kind: str = "crack"
    parent: int = -1

    @property
    def length(self) -> float:
        """Arc length in mm."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    @property
    def chord(self) -> float:
        """Straight distance between the two ends in mm."""
        return float(np.hypot(*(self.points[-1] - self.points[0])))


@dataclass(frozen=True)
class Spall:
    """A chip broken off a lip.

    outline: (n, 2) float64, mm, a simple polygon; the first point is not repeated at the end. depth: mm.
    """

    outline: Array
    depth: float


@dataclass(frozen=True)
class Contour:
    """All cracks of one rectangular patch.

    Strokes may reach beyond the patch; `clipped` cuts them off. Methods return a new contour.

    Parameters
    ----------
    strokes : tuple of Stroke
        The pieces of the cracks.
    spalls : tuple of Spall
        The chips broken off the lips.
    size : (float, float)
        Width and height of the patch in mm.

    Raises
    ------
    InputError
        If the size is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import Contour, Stroke
    >>> stroke = Stroke(points=np.array([[-5.0, 10.0], [15.0, 10.0]]), widths=np.array([0.5, 0.5]))
    >>> contour = Contour(strokes=(stroke,), spalls=(), size=(20.0, 20.0))
    >>> contour.length, contour.mean_width, contour.ends
    (20.0, 0.5, 1)
    >>> contour.clipped().length
    15.0
    >>> contour.scaled(2.0).size
    (40.0, 40.0)
    """

    strokes: tuple[Stroke, ...]
    spalls: tuple[Spall, ...]
    size: Size

    def __post_init__(self) -> None:
        check_size(self.size)

    @property
    def length(self) -> float:
        """Arc length of all strokes in mm."""
        return sum(stroke.length for stroke in self.strokes)

    @property
    def area(self) -> float:
        """Sum of length times width in mm². Overlaps count twice, and parts outside the patch count too."""
        return sum(_area(stroke) for stroke in self.strokes)

    @property
    def mean_width(self) -> float:
        """Width in mm, averaged over the length. It is 0 without strokes."""
        return self.area / self.length if self.length > 0 else 0.0

    @property
    def forks(self) -> int:
        """Number of strokes that fork from another one. Healed strokes do not count."""
        return sum(stroke.parent >= 0 and stroke.kind != "healed" for stroke in self.strokes)

    @property
    def ends(self) -> int:
        """Number of crack tips that lie inside the patch and touch no other stroke."""
        starts = [s.points[0] for s in self.strokes if s.parent < 0]
        tips = np.array(starts + [s.points[-1] for s in self.strokes]).reshape(-1, 2)
        owner = [i for i, s in enumerate(self.strokes) if s.parent < 0] + list(range(len(self.strokes)))
        inside = np.all((tips > 0) & (tips < self.size), axis=1)
        return sum(bool(i) and not self._touches(tip, o) for tip, o, i in zip(tips, owner, inside, strict=True))

    def _touches(self, tip: Array, owner: int) -> bool:
        near = _JOINED * min(self.size)
        return any(i != owner and _gap(other, tip) <= near for i, other in enumerate(self.strokes))

    @property
    def tortuosity(self) -> float:
        """Arc length divided by chord, weighted by length. It is 1 for straight cracks and without cracks."""
        length = self.length
        if length <= 0:
            return 1.0
        return sum(s.length * s.length / max(s.chord, 0.05 * s.length, 1e-9) for s in self.strokes) / length

    def joined(self, other: Contour) -> Contour:
        """One contour with the strokes and spalls of both, on the patch of this one."""
        moved = tuple(replace(s, parent=s.parent + len(self.strokes) if s.parent >= 0 else -1) for s in other.strokes)
        return Contour(self.strokes + moved, self.spalls + other.spalls, self.size)

    def transformed(self, matrix: ArrayLike) -> Contour:
        """The contour under an affine (2, 3) matrix in mm; the patch keeps its size.

        Widths and depths grow by the square root of the determinant.
        """
        m = np.asarray(matrix, dtype=float)
        growth = float(np.sqrt(abs(np.linalg.det(m[:, :2]))))
        strokes = tuple(
            replace(s, points=s.points @ m[:, :2].T + m[:, 2], widths=s.widths * growth) for s in self.strokes
        )
        spalls = tuple(Spall(s.outline @ m[:, :2].T + m[:, 2], s.depth * growth) for s in self.spalls)
        return Contour(strokes, spalls, self.size)

    def moved(self, x: float, y: float) -> Contour:
        """The contour shifted by (x, y) mm."""
        return self.transformed([[1.0, 0.0, x], [0.0, 1.0, y]])

    def rotated(self, degrees: float, center: tuple[float, float] | None = None) -> Contour:
        """The contour turned from x towards y (clockwise on a screen) about `center`, by default the patch's center."""
        cx, cy = center or (self.size[0] / 2, self.size[1] / 2)
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return self.transformed([[c, -s, cx - c * cx + s * cy], [s, c, cy - s * cx - c * cy]])

    def scaled(self, factor: float) -> Contour:
        """The contour and its patch, `factor` times as large."""
        grown = self.transformed([[factor, 0.0, 0.0], [0.0, factor, 0.0]])
        return replace(grown, size=(self.size[0] * factor, self.size[1] * factor))

    def clipped(self) -> Contour:
        """The part of the contour inside the patch.

        A stroke that leaves the patch and returns becomes several strokes. A fork keeps its parent if that piece is
        still there. A spall is kept if any of its corners is inside.
        """
        pieces: list[Stroke] = []
        made: list[list[int]] = []
        for stroke in self.strokes:
            kept = _clip(stroke, self.size)
            made.append(list(range(len(pieces), len(pieces) + len(kept))))
            pieces += kept
        strokes = list(pieces)
        for old, indices in zip(self.strokes, made, strict=True):
            for i in indices:
                strokes[i] = replace(
                    pieces[i], parent=_nearest(pieces, made, old.parent, pieces[i].points[0], self.size)
                )
        spalls = tuple(s for s in self.spalls if np.any(np.all((s.outline > 0) & (s.outline < self.size), axis=1)))
        return Contour(tuple(strokes), spalls, self.size)


def check_size(size: Size) -> None:
    """Raises InputError unless both lengths are finite and positive."""
    if not (len(size) == 2 and np.all(np.isfinite(size)) and min(size) > 0):
        raise InputError(f"crack patch: size {tuple(size)} mm must be a positive width and a positive height")


def check_width(width: float, size: Size) -> None:
    """Raises InputError unless 0 <= width < the patch's shorter side."""
    check_size(size)
    if not 0 <= width < min(size):
        raise InputError(
            f"crack: width {width:g} mm does not fit a patch of {size[0]:g} x {size[1]:g} mm; "
            f"take at least 0 and less than {min(size):g}"
        )


def _area(stroke: Stroke) -> float:
    steps = np.hypot(*np.diff(stroke.points, axis=0).T)
    return float((steps * (stroke.widths[:-1] + stroke.widths[1:])).sum() / 2)


def _gap(stroke: Stroke, point: Array) -> float:
    """Distance in mm from a point to the nearer lip of a stroke, negative inside."""
    step, half = np.diff(stroke.points, axis=0), stroke.widths / 2
    offset = point - stroke.points[:-1]
    u = np.clip((offset * step).sum(axis=1) / np.maximum((step * step).sum(axis=1), 1e-300), 0.0, 1.0)
    away = np.hypot(*(offset - u[:, None] * step).T)
    return float((away - half[:-1] - u * np.diff(half)).min())


def _nearest(pieces: list[Stroke], made: list[list[int]], parent: int, start: Array, size: Size) -> int:
    """Index of the piece of the old parent on which a stroke starts, -1 if there is no such piece."""
    gaps = {i: _gap(pieces[i], start) for i in (made[parent] if parent >= 0 else ())}
    best = min(gaps, key=gaps.__getitem__, default=-1)
    return best if best >= 0 and gaps[best] <= _JOINED * min(size) else -1


def _clip(stroke: Stroke, size: Size) -> list[Stroke]:
    """The pieces of a stroke inside the patch, cut at its border."""
    rows = np.column_stack([stroke.points, stroke.widths])
    inside = np.all((rows[:, :2] >= 0) & (rows[:, :2] <= size), axis=1)
    if inside.all():
        return [stroke]
    enter, leave = _crossings(rows[:-1, :2], np.diff(rows[:, :2], axis=0), size)
    pieces: list[list[Array]] = []
    for i in np.flatnonzero(enter < leave):
        start, end = (rows[i] + t * (rows[i + 1] - rows[i]) for t in (enter[i], leave[i]))
        if pieces and enter[i] == 0 and np.array_equal(pieces[-1][-1], start):
            pieces[-1].append(end)
        else:
            pieces.append([start, end])
    return [_stroke(piece, stroke) for piece in pieces]


def _stroke(rows: Iterable[Array], like: Stroke) -> Stroke:
    table = np.array(list(rows))
    return replace(like, points=table[:, :2].copy(), widths=table[:, 2].copy())


def _crossings(start: Array, step: Array, size: Size) -> tuple[Array, Array]:
    """(n,) parameters in [0, 1] where segments enter and leave the patch (Liang-Barsky).

    A segment with enter >= leave lies outside.
    """
    still = np.abs(step) < 1e-300
    safe = np.where(still, 1.0, step)
    low, high = -start / safe, (np.asarray(size) - start) / safe
    within = (start >= 0) & (start <= size)
    first = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(low, high))
    last = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(low, high))
    return np.clip(first.max(axis=1), 0.0, None), np.clip(last.min(axis=1), None, 1.0)
