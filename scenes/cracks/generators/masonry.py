"""Masonry: walls of bricks, cracks that climb their joints like stairs or cut bricks, and cracks along a long joint."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import Grain, Path, arc, direction, grain_rand, opened, side, width_rand


@dataclass(frozen=True)
class Bond:
    """How bricks are laid, in mm. length, height: of a brick; joint: the mortar between; shift: of every other course,
    as a share of a brick with its joint; origin: a corner where the middles of a bed joint and a head joint cross.
    """

    length: float
    height: float
    joint: float
    shift: float
    origin: tuple[float, float]

    @property
    def pitch(self) -> float:
        """Distance in mm from one head joint to the next."""
        return self.length + self.joint

    @property
    def course(self) -> float:
        """Distance in mm from one bed joint to the next."""
        return self.height + self.joint

    def head(self, row: int) -> float:
        """x of one of the head joints of a course; course 0 lies below the origin."""
        return self.origin[0] + (self.shift * self.pitch if row % 2 else 0.0)

    def bricks(self, size: Size) -> Array:
        """(n, 4) left, top, right, bottom of every brick that shows on the patch."""
        rows = np.arange(np.floor(-self.origin[1] / self.course), np.ceil((size[1] - self.origin[1]) / self.course))
        boxes = []
        for row in rows.astype(int).tolist():
            first = np.floor(-self.head(row) / self.pitch)
            left = self.head(row) + np.arange(first, np.ceil((size[0] - self.head(row)) / self.pitch)) * self.pitch
            top = self.origin[1] + row * self.course + self.joint / 2
            left = left + self.joint / 2
            y = np.full(len(left), top)
            boxes.append(np.column_stack([left, y, left + self.length, y + self.height]))
        return np.concatenate(boxes)


def bond_rand(rng: np.random.Generator, size: Size) -> Bond:
    """A random wall: bricks or blocks, from three to a dozen courses on the patch, laid in half or third bond."""
    height = min(size) * float(np.exp(rng.uniform(np.log(0.06), np.log(0.22))))
    length = height * rng.choice((rng.uniform(2.0, 4.0), rng.uniform(1.0, 2.0)), p=(0.75, 0.25))
    return Bond(
        length=float(length),
        height=height,
        joint=height * rng.uniform(0.08, 0.2),
        shift=float(rng.choice((0.5, 1 / 3))),
        origin=(rng.uniform(0, size[0]), rng.uniform(0, size[1])),
    )


def masonry(
    *,
    size: Size,
    bond: Bond,
    start: tuple[float, float],
    heading: float,
    through: float,
    edge: float,
    width: float,
    fade: tuple[float, float],
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A crack from about `start` downwards in the direction `heading` (degrees, 0 < heading < 180), to the border.

    It runs down head joints and along bed joints, always to the head joint nearest to its course. through: probability
    that it cuts straight through a brick instead. edge: 0 in the middle of the mortar, 1 at its border with the brick.
    width: mm. fade: mm of taper at both ends. Raises InputError if the crack is as wide as the patch.
    """
    row = int(np.floor((start[1] - bond.origin[1]) / bond.course))
    slope = 1 / np.tan(np.radians(np.clip(heading, 8.0, 172.0)))
    points: list[tuple[float, float]] = []
    stiff: list[float] = []
    x, y = start[0], bond.origin[1] + row * bond.course
    reach = max(size)
    while y < size[1] + bond.course and -reach < x < size[0] + reach:
        target = start[0] + slope * (y + bond.course / 2 - start[1])
        cut = bool(points) and rng.random() < through
        if not cut:
            head = bond.head(row)
            x = head + bond.pitch * round((target - head) / bond.pitch + rng.uniform(-0.25, 0.25))
        dx, dy = (side(rng) * edge * bond.joint / 2 for _ in range(2))
        free = 0.7 if cut else 0.3
        # Into the bed joint above this course, then down through it.
        points += [(x + dx, y + dy), (x + dx, y + bond.course + dy)]
        stiff += [free, free]
        y += bond.course
        row += 1
    path = Path(np.array(points), width, fade, stiff=np.array(stiff))
    return opened(rng, [_cut_corners(path, bond.joint / 2)], size, grain)


def _cut_corners(path: Path, reach: float) -> Path:
    """The path with two points in each corner's stead, `reach` mm before and after it at most."""
    p, stiff = path.points, np.asarray(path.stiff)
    step = np.diff(p, axis=0)
    share = np.minimum(reach / np.maximum(np.hypot(*step.T), 1e-9), 0.4)[:, None]
    points = np.stack([p[:-1] + share * step, p[1:] - share * step], axis=1).reshape(-1, 2)
    return replace(path, points=points, stiff=np.stack([stiff[:-1], stiff[1:]], axis=1).reshape(-1))


def masonry_rand(
    rng: np.random.Generator,
    size: Size,
    width: float | None = None,
    detail: float | None = None,
    bond: Bond | None = None,
) -> Contour:
    """A random crack through a wall. width: mm; detail: mm between points; bond: the wall, drawn where None."""
    grain = grain_rand(rng, size, detail)
    laid = bond or bond_rand(rng, size)
    # The crack stays within the width of the mortar.
    grain = replace(grain, amplitude=min(grain.amplitude, 0.8 * laid.joint))
    steep = rng.random() < 0.3
    heading = rng.uniform(75.0, 90.0) if steep else rng.uniform(25.0, 75.0)
    if rng.random() < 0.5:
        heading = 180.0 - heading
    slope = 1 / np.tan(np.radians(heading))
    top = float(rng.choice((-0.1, rng.uniform(0.1, 0.5)), p=(0.7, 0.3))) * size[1]
    x = size[0] * rng.uniform(0.25, 0.75) - slope * (size[1] / 2 - top)
    return masonry(
        size=size,
        bond=laid,
        start=(x, top),
        heading=heading,
        # A steep crack that ran only in joints would go back and forth at every course.
        through=rng.uniform(0.3, 0.9) if steep else float(rng.choice((0.0, rng.uniform(0.1, 0.5)))),
        edge=rng.uniform(0.4, 1.0),
        width=width or min(width_rand(rng, size), 0.9 * laid.joint),
        fade=(0.0 if top < 0 else size[1] * rng.uniform(0.1, 0.4), size[1] * rng.uniform(0.0, 0.7)),
        grain=grain,
        rng=rng,
    )


def joint(
    *,
    size: Size,
    start: tuple[float, float],
    end: tuple[float, float],
    leaves: Array,
    swing: float,
    width: float,
    wild: float,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """A crack along a straight joint from `start` to `end` (mm) that steps around obstacles next to it.

    leaves: (k, 2) shares of the way between which it is off the joint, ascending; swing: mm, how far it then strays to
    one side. width: mm in the joint; wild: its share off it. Raises InputError where it is as wide as the patch.
    """
    ends = np.array([start, end], dtype=float)
    along = ends[1] - ends[0]
    aside = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-12)
    rows = [[0.0, 0.0, 1.0, 0.1]]
    for low, high in np.asarray(leaves, dtype=float).reshape(-1, 2).tolist():
        far = swing * side(rng) * rng.uniform(0.5, 1.5)
        first, second = np.sort(rng.uniform(low, high, 2))
        rows += [[low, 0.0, 1.0, 0.1], [low + 1e-3, 0.0, wild, 0.4]]
        rows += [[first, far * rng.uniform(0.5, 1.0), wild, 1.0], [second, far, wild, 1.0]]
        rows += [[high, 0.0, wild, 0.4], [high + 1e-3, 0.0, 1.0, 0.1]]
    rows.append([1.0 + 2e-3, 0.0, 1.0, 0.1])
    t, away, share, stiff = np.array(rows).T
    points = ends[0] + t[:, None] * along + away[:, None] * aside
    return opened(rng, [Path(points, width * share, stiff=stiff)], size, grain)


def joint_rand(
    rng: np.random.Generator,
    size: Size,
    width: float | None = None,
    detail: float | None = None,
    bond: Bond | None = None,
) -> Contour:
    """A crack along a random joint: vertical, horizontal or slightly inclined, with up to two detours.

    With a bond it runs along one of its bed joints. width: mm, drawn if None. detail: mm between points.
    """
    grain = grain_rand(rng, size, detail)
    heading = float(rng.choice((0.0, 90.0))) + rng.normal(0.0, 4.0)
    middle = np.asarray(size) * rng.uniform(0.2, 0.8, 2)
    if bond is not None:
        heading, low = 0.0, bond.origin[1]
        middle[1] = low + bond.course * round((middle[1] - low) / bond.course)
    reach = direction(heading) * float(np.hypot(*size))
    wide = width or width_rand(rng, size)
    marks = np.sort(rng.uniform(0.2, 0.8, 2 * int(rng.integers(0, 3))))
    start, end = middle - reach, middle + reach
    return joint(
        size=size,
        start=(float(start[0]), float(start[1])),
        end=(float(end[0]), float(end[1])),
        leaves=marks.reshape(-1, 2),
        swing=float(arc(np.stack([start, end]))[-1]) * rng.uniform(0.01, 0.05),
        width=wide,
        wild=rng.uniform(0.3, 0.9),
        grain=grain,
        rng=rng,
    )
