"""Middle lines of a mask: it is thinned, spurs are removed, and lines are followed from end to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.cracks.thinning import thinned

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

# Number of averages with both neighbors. Together they smooth with a standard deviation of 2 px.
_SMOOTHINGS = 8
_CUTTINGS = 2
# Longest spur in line radii: the distance from the middle line to a corner of a blunt end, and a little more.
_SPUR = 1.5
# Slope of the radius by which a tip is known, over so many pixels: it is 1 before a straight end and 0.7 towards its
# corners. A crack that narrows by itself does so far more slowly.
_SLOPE, _AHEAD = 0.4, 3
# Steps (down, right) to half of the neighbors. The other half takes the same steps in reverse.
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


@dataclass(frozen=True)
class Lines:
    """The middle lines of a mask.

    skeleton: (H, W) bool, one pixel wide. radius: (H, W) float32, distance in pixels to the edge of the mask, from that
    point of each mask pixel which is farthest from the edge; on the skeleton it is half the width of the line. The
    border of the picture is no edge. body: (H, W) bool, the skeleton without the tips in which the radius shrinks
    because the line ends. paths: (n, 2) float64 each,
    x and y in pixels along a line from one end or branch point to the next, smoothed, n at least 2. branches: number
    of branch points; branch points closer than their radius count as one.
    """

    skeleton: Mask
    radius: NDArray[np.float32]
    body: Mask
    paths: tuple[Points, ...]
    branches: int


def middle_lines(mask: Mask) -> Lines:
    """Compute the middle lines of a mask (H, W)."""
    radius = line_radii(mask)
    skeleton = thinned(mask)
    graph = _Graph.of(skeleton)
    for _ in range(_CUTTINGS):
        spurs = [number for path in graph.paths() for number in graph.spur(path, radius)]
        if not spurs:
            break
        skeleton[tuple(graph.pixels[spurs].T)] = False
        graph = _Graph.of(skeleton)
    body = skeleton.copy()
    body[tuple(graph.pixels[graph.tips(radius)].T)] = False
    paths = _smooth([graph.pixels[path, ::-1].astype(np.float64) for path in graph.paths()])
    return Lines(skeleton, radius, body, paths, _distinct(graph.pixels[graph.forks()], radius))


def line_radii(mask: Mask) -> NDArray[np.float32]:
    """The radius (H, W) float32 of `Lines`, pixels, of a mask (H, W)."""
    # The middle of a line runs along pixel centers if it is an odd number of pixels wide, else along pixel borders.
    # At twice the resolution all lines are even, and the distance to the nearest pixel outside is half the width.
    height, width = mask.shape
    twice = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    away = cv2.distanceTransform(twice, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    radius = away.reshape(height, 2, width, 2).max(axis=(1, 3)) / 2
    # If the mask fills the picture, the distance would be infinite.
    return np.minimum(radius, np.float32(min(mask.shape) / 2))


@dataclass(frozen=True)
class _Graph:
    """pixels: (n, 2) rows and columns of a skeleton. neighbors: for each pixel the numbers of its neighbors.

    Diagonal neighbors do not count if a straight neighbor connects them. So a pixel on a line has two neighbors.
    """

    pixels: NDArray[np.int64]
    neighbors: list[list[int]]

    @staticmethod
    def of(skeleton: Mask) -> _Graph:
        pixels = np.argwhere(skeleton)
        number = np.pad(np.full(skeleton.shape, -1), 1, constant_values=-1)
        number[tuple(pixels.T + 1)] = np.arange(len(pixels))
        neighbors: list[list[int]] = [[] for _ in pixels]
        rows, columns = pixels.T + 1
        for down, right in _STEPS:
            there = number[rows + down, columns + right]
            meets = there >= 0
            if down and right:
                meets &= (number[rows + down, columns] < 0) & (number[rows, columns + right] < 0)
            for one, other in zip(np.flatnonzero(meets).tolist(), there[meets].tolist(), strict=True):
                neighbors[one].append(other)
                neighbors[other].append(one)
        return _Graph(pixels, neighbors)

    def forks(self) -> list[int]:
        """The pixels in which three or more lines meet."""
        return [number for number, others in enumerate(self.neighbors) if len(others) > 2]

    def paths(self) -> Iterator[list[int]]:
        """The pixels along each line with both ends, then those of closed rings without branches."""
        passed = set[int]()
        walked = set[tuple[int, int]]()
        for start, others in enumerate(self.neighbors):
            for towards in others if len(others) != 2 else ():
                if (start, towards) not in walked:
                    path = self._followed(start, towards)
                    walked.add((path[-1], path[-2]))
                    passed.update(path)
                    yield path
        for start, others in enumerate(self.neighbors):
            if len(others) == 2 and start not in passed:
                ring = self._followed(start, others[0])
                passed.update(ring)
                yield ring

    def _followed(self, start: int, towards: int) -> list[int]:
        path = [start, towards]
        while path[-1] != start and len(self.neighbors[path[-1]]) == 2:
            one, other = self.neighbors[path[-1]]
            path.append(other if one == path[-2] else one)
        return path

    def spur(self, path: list[int], radius: NDArray[np.float32]) -> list[int]:
        """The pixels to remove if a path is a spur from the middle of a wide line to its edge; otherwise none."""
        for inner, outer, rest in ((path[0], path[-1], path[1:]), (path[-1], path[0], path[:-1])):
            ends = len(self.neighbors[outer]) == 1 and len(self.neighbors[inner]) > 2
            if ends and len(rest) <= _SPUR * radius[tuple(self.pixels[inner])] + 1:
                return rest
        return []

    def tips(self, radius: NDArray[np.float32]) -> list[int]:
        """The pixels near the free ends of lines where the radius grows as one walks away from the end.

        Near a blunt end the nearest edge is the end itself, so the radius is the distance to it, and near the corners
        of the end a part of it. Of each path, the place with the largest radius stays.
        """
        found: list[int] = []
        for path in self.paths():
            radii = radius[tuple(self.pixels[path].T)]
            dropped = set[int]()
            for step in (1, -1):
                if len(self.neighbors[path[::step][0]]) == 1:
                    dropped |= {path[::step][k] for k in range(_rising(self.pixels[path[::step]], radii[::step]))}
            found += dropped - {path[int(radii.argmax())]}
        return found


def _rising(pixels: NDArray[np.int64], radii: NDArray[np.float32]) -> int:
    """How many of the first pixels of a path come before its radius (n,) stops to grow."""
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(pixels, axis=0).T))])
    place = 0
    while place + 1 < len(radii):
        ahead = min(place + _AHEAD, len(radii) - 1)
        if radii[ahead] - radii[place] < _SLOPE * (way[ahead] - way[place]):
            break
        place += 1
    return place + int(radii[place : place + _AHEAD + 1].argmax())


def _smooth(paths: Sequence[Points]) -> tuple[Points, ...]:
    """Smooth the pixel steps of the paths. The ends of each path stay."""
    if not paths:
        return ()
    points = np.concatenate(paths)
    after = np.cumsum([len(path) for path in paths])
    inner = np.ones(len(points), bool)
    inner[after - 1] = inner[after[:-1]] = inner[0] = False
    places = np.flatnonzero(inner)
    for _ in range(_SMOOTHINGS):
        points[places] = points[places] / 2 + (points[places - 1] + points[places + 1]) / 4
    return tuple(np.split(points, after[:-1]))


def _distinct(forks: Iterable[NDArray[np.int64]], radius: NDArray[np.float32]) -> int:
    """Number of groups of forks (rows and columns) whose disks touch. Disks have the radius of the line."""
    discs = np.zeros(radius.shape, np.uint8)
    for row, column in forks:
        cv2.circle(discs, (int(column), int(row)), max(round(float(radius[row, column])), 1), 1, cv2.FILLED)
    return int(cv2.connectedComponents(discs, connectivity=8)[0]) - 1
