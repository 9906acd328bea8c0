"""Rapidly-exploring random tree: a crack that grows to a goal around hard stones, and its side branches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.cracks.contour import Array, Contour, Size
from scenes.cracks.paths import Grain, Path, across_patch, curved, grain_rand, heading_rand, opened, width_rand


def tree(
    *,
    size: Size,
    start: tuple[float, float],
    goal: tuple[float, float],
    step: float,
    bias: float,
    iterations: int,
    stones: Array,
    sides: int,
    shortest: float,
    width: float,
    side_width: float,
    grain: Grain,
    rng: np.random.Generator,
) -> Contour:
    """The way from `start` to `goal` through a random tree, and the longest of the tree's other branches.

    step: mm, length of a twig. bias: probability to grow towards the goal instead of anywhere. iterations: largest
    number of attempts. stones: (k, 3) x, y and radius in mm; the crack goes around them. sides: largest number of side
    branches, each longer than `shortest` mm. width: mm. side_width: width of the branches as a share of their parent's.
    Raises InputError if the crack is as wide as the patch.
    """
    nodes, parents, last = _explore(rng, size, np.array(start), np.array(goal), step, bias, iterations, stones)
    trunk = _way(parents, last)
    paths = [Path(curved(nodes[trunk]), width)]
    home = np.full(len(nodes), -1)
    home[trunk] = 0
    for _ in range(sides):
        away, leaf = _longest(nodes, parents, home)
        if away < shortest:
            break
        branch = [leaf]
        while home[branch[0]] < 0:
            branch.insert(0, int(parents[branch[0]]))
        parent = int(home[branch[0]])
        home[branch[1:]] = len(paths)
        wide = float(np.max(paths[parent].width)) * side_width * rng.uniform(0.6, 1.3)
        paths.append(Path(curved(nodes[branch]), min(wide, width), (0.0, 0.9 * away), parent=parent))
    return opened(rng, paths, size, grain)


def _explore(
    rng: np.random.Generator,
    size: Size,
    start: Array,
    goal: Array,
    step: float,
    bias: float,
    iterations: int,
    stones: Array,
) -> tuple[Array, NDArray[np.int64], int]:
    """Nodes (n, 2), their parents (n,), -1 for the root, and the node nearest the goal."""
    x, y = np.empty(iterations + 1), np.empty(iterations + 1)
    parents = np.full(iterations + 1, -1)
    x[0], y[0] = start
    low, high = np.minimum(np.minimum(start, goal), 0.0), np.maximum(np.maximum(start, goal), size)
    aims = np.where(rng.random((iterations, 1)) < bias, goal, rng.uniform(low, high, (iterations, 2))).tolist()
    discs = stones.tolist()
    count, best, nearest = 1, 0, float(np.hypot(*(goal - start)))
    for ax, ay in aims:
        square = (x[:count] - ax) ** 2 + (y[:count] - ay) ** 2
        i = int(square.argmin())
        away = max(float(square[i]) ** 0.5, 1e-9)
        reach = min(step, away) / away
        nx, ny = x[i] + (ax - x[i]) * reach, y[i] + (ay - y[i]) * reach
        # A node inside a stone moves out to its rim.
        for sx, sy, radius in discs:
            depth = ((nx - sx) ** 2 + (ny - sy) ** 2) ** 0.5
            if depth < radius:
                scale = radius / max(depth, 1e-6)
                nx, ny = sx + (nx - sx) * scale, sy + (ny - sy) * scale
        x[count], y[count], parents[count] = nx, ny, i
        left = float(np.hypot(goal[0] - nx, goal[1] - ny))
        if left < nearest:
            best, nearest = count, left
        count += 1
        if left < step:
            break
    return np.column_stack([x, y])[:count], parents[:count], best


def _way(parents: NDArray[np.int64], node: int) -> list[int]:
    """The nodes from the root to a node, at least two."""
    way = [max(node, 1)]
    while parents[way[0]] >= 0:
        way.insert(0, int(parents[way[0]]))
    return way


def _longest(nodes: Array, parents: NDArray[np.int64], home: NDArray[np.int64]) -> tuple[float, int]:
    """The distance in mm along the tree to the node that is farthest from the drawn branches, and that node."""
    away = np.zeros(len(nodes))
    steps = np.hypot(*(nodes - nodes[parents]).T).tolist()
    taken = home.tolist()
    for i, parent in enumerate(parents.tolist()):
        away[i] = 0.0 if taken[i] >= 0 else away[parent] + steps[i]
    leaf = int(away.argmax())
    return float(away[leaf]), leaf


def tree_rand(rng: np.random.Generator, size: Size, width: float | None = None, detail: float | None = None) -> Contour:
    """A random tree across the patch, with few or many side branches. width: mm; detail: mm between points."""
    grain = grain_rand(rng, size, detail)
    span = min(size)
    start, goal = across_patch(rng, size, heading_rand(rng))
    count = int(rng.integers(0, 12))
    stones = np.column_stack([rng.uniform(0, 1, (count, 2)) * size, span * rng.uniform(0.02, 0.09, count)])
    return tree(
        size=size,
        start=(float(start[0]), float(start[1])),
        goal=(float(goal[0]), float(goal[1])),
        step=span * rng.uniform(0.035, 0.07),
        bias=rng.uniform(0.15, 0.4),
        iterations=240,
        stones=stones,
        sides=int(rng.integers(0, 7)),
        shortest=span * rng.uniform(0.08, 0.2),
        width=width or width_rand(rng, size),
        side_width=rng.uniform(0.35, 0.8),
        grain=grain,
        rng=rng,
    )
