"""All crack generators by name, and `sample`, which mixes and weathers them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenes.cracks import weathering
from scenes.cracks.contour import Contour, Size, check_size, check_width
from scenes.cracks.generators.alligator import alligator_rand
from scenes.cracks.generators.lsystem import lsystem_rand
from scenes.cracks.generators.masonry import Bond, joint_rand, masonry_rand
from scenes.cracks.generators.midpoint import midpoint_rand
from scenes.cracks.generators.stress import stress_rand
from scenes.cracks.generators.thermal import thermal_rand
from scenes.cracks.generators.tree import tree_rand
from scenes.cracks.generators.walk import walk_rand
from scenes.cracks.paths import grain_rand, width_rand
from scenes.errors import InputError, choices

Generator = Callable[[np.random.Generator, Size, float | None, float | None], Contour]

GENERATORS: dict[str, Generator] = {
    "walk": walk_rand,
    "tree": tree_rand,
    "lsystem": lsystem_rand,
    "midpoint": midpoint_rand,
    "stress": stress_rand,
    "alligator": alligator_rand,
    "thermal": thermal_rand,
    "masonry": masonry_rand,
    "joint": joint_rand,
}

# These follow the joints of a bond, which can be given as a further argument.
_JOINTED = {"masonry": masonry_rand, "joint": joint_rand}

# How often `sample` takes each generator. Most photographs show single cracks.
SHARES: dict[str, float] = {
    "walk": 0.17,
    "tree": 0.12,
    "lsystem": 0.06,
    "midpoint": 0.14,
    "stress": 0.23,
    "alligator": 0.17,
    "thermal": 0.04,
    "masonry": 0.03,
    "joint": 0.04,
}

# These make one crack, which may get a second, finer one over it.
_SINGLE = ("walk", "midpoint", "stress", "joint")


def sample(
    rng: np.random.Generator,
    size_mm: Size,
    kind: str | None = None,
    width: float | None = None,
    detail: float | None = None,
    bond: Bond | None = None,
) -> Contour:
    """A random weathered crack on a patch of `size_mm` (width, height).

    The strokes continue beyond the patch. kind: a key of GENERATORS, by default drawn by SHARES. width: mm of the main
    crack, by default drawn (median 1.1 % of the patch). detail: mm between points, by default 1/400 of the patch. bond:
    how the bricks are laid, by default drawn.
    Raises InputError for an unknown kind, for a size or detail that is not positive, and for a crack as wide as the
    patch.
    """
    check_size(size_mm)
    if detail is not None and not detail > 0:
        raise InputError(f"crack: detail {detail:g} mm must be positive")
    if width is not None:
        check_width(width, size_mm)
    if kind is not None and kind not in GENERATORS:
        raise InputError(f"crack: unknown kind '{kind}', {choices(kind, GENERATORS)}")
    drawn = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    chosen = kind or drawn
    main = width if width is not None else width_rand(rng, size_mm)
    if chosen in _JOINTED:
        contour = _JOINTED[chosen](rng, size_mm, main, detail, bond)
    else:
        contour = GENERATORS[chosen](rng, size_mm, main, detail)
    if chosen in _SINGLE and rng.random() < 0.5:
        other = str(rng.choice(_SINGLE[:3]))
        finer = GENERATORS[other](rng, size_mm, main * rng.uniform(0.2, 0.7), detail)
        contour = weathering.layered(contour, finer)
    if chosen in _SINGLE and rng.random() < 0.15:
        contour = weathering.paired(
            rng,
            contour,
            grain_rand(rng, size_mm, detail),
            away=min(size_mm) * float(np.exp(rng.uniform(np.log(0.015), np.log(0.15)))),
            width=rng.uniform(0.3, 0.9),
            share=rng.uniform(0.25, 0.95),
        )
    return _weathered(rng, contour, main, detail)


def _weathered(rng: np.random.Generator, contour: Contour, width: float, detail: float | None) -> Contour:
    span = min(contour.size)
    if rng.random() < 0.25:
        offset = max(1.5 * width, span * rng.uniform(0.008, 0.03))
        overlap = offset * rng.uniform(1.0, 4.0)
        contour = weathering.jogged(rng, contour, offset=offset, overlap=overlap, count=int(rng.integers(1, 3)))
    if rng.random() < 0.2:
        contour = weathering.interrupted(
            rng, contour, rate=rng.uniform(0.5, 2.0) / span, gap=span * rng.uniform(0.004, 0.03)
        )
    if rng.random() < 0.08:
        contour = weathering.healed(
            rng, contour, rate=rng.uniform(0.5, 2.0) / span, stretch=span * rng.uniform(0.05, 0.3)
        )
    if rng.random() < 0.3:
        contour = weathering.satellites(
            rng,
            contour,
            grain_rand(rng, contour.size, detail),
            count=int(rng.integers(1, 8)),
            away=span * rng.uniform(0.01, 0.04),
            length=span * rng.uniform(0.03, 0.12),
            width=width * rng.uniform(0.1, 0.4),
            slant=rng.uniform(8.0, 35.0),
        )
    if rng.random() < 0.25:
        breadth = width * rng.uniform(1.2, 3.5)
        contour = weathering.spalled(
            rng, contour, count=int(rng.integers(1, 7)), breadth=breadth, depth=breadth * rng.uniform(0.1, 0.3)
        )
    return contour
