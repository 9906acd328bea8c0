"""How cracks change after they formed: they step aside, close in places, heal, get satellites and lose chips.

Each function takes a contour and returns a new one. Strokes keep their index; new strokes are appended.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy

from scenes.cracks.contour import Array, Contour, Spall, Stroke
from scenes.cracks.paths import Grain, Path, arc, direction, eased, normals, opened, profiles, side


def layered(older: Contour, younger: Contour) -> Contour:
    """Both contours. Younger cracks end where they meet open older ones; only their longest part stays."""
    walls = [stroke.points for stroke in older.strokes if stroke.kind == "crack"]
    if not walls or not younger.strokes:
        return older.joined(younger)
    tree = scipy.spatial.KDTree(np.concatenate(walls))
    kept: dict[int, Stroke] = {}
    for i, stroke in enumerate(younger.strokes):
        # A fork is dropped together with the part from which it forked.
        if stroke.parent >= 0:
            parent = kept.get(stroke.parent)
            if parent is None or np.hypot(*(parent.points - stroke.points[0]).T).min() > parent.widths.max():
                continue
        step = stroke.length / (len(stroke.points) - 1)
        meets = np.flatnonzero(tree.query(stroke.points, distance_upper_bound=1.2 * step)[0] < np.inf)
        cuts = np.concatenate([[0], meets, [len(stroke.points) - 1]])
        longest = int(np.argmax(np.diff(cuts)))
        part = slice(cuts[longest], cuts[longest + 1] + 1)
        if part.stop - part.start > 2 and not (stroke.parent >= 0 and part.start > 0):
            kept[i] = replace(stroke, points=stroke.points[part], widths=stroke.widths[part])
    number = {old: new for new, old in enumerate(kept)}
    strokes = tuple(replace(stroke, parent=number.get(stroke.parent, -1)) for stroke in kept.values())
    return older.joined(replace(younger, strokes=strokes))


def jogged(rng: np.random.Generator, contour: Contour, *, offset: float, overlap: float, count: int) -> Contour:
    """Cuts up to `count` open strokes without forks in two pieces whose tips pass each other.

    offset: mean step to the side in mm. overlap: mean length in mm over which the tips run side by side. The second
    piece bends back to the course of the first.
    """
    strokes = list(contour.strokes)
    parents = {s.parent for s in strokes}
    free = [i for i, s in enumerate(strokes) if s.kind == "crack" and i not in parents and s.length > 8 * overlap]
    for i in rng.permutation(free)[:count].tolist():
        before, after = _stepped(rng, strokes[i], offset * rng.uniform(0.5, 1.5), overlap * rng.uniform(0.5, 1.5))
        strokes[i] = before
        strokes.append(after)
    return replace(contour, strokes=tuple(strokes))


def _stepped(rng: np.random.Generator, stroke: Stroke, offset: float, overlap: float) -> tuple[Stroke, Stroke]:
    along = arc(stroke.points)
    at = along[-1] * rng.uniform(0.25, 0.75)
    first, second = along <= at + overlap / 2, along >= at - overlap / 2
    past = along[second] - along[second][0]
    aside = offset * side(rng) * np.exp(-past / (2.5 * overlap + 3 * offset))
    points = stroke.points[second] + normals(stroke.points, len(along) // 16 + 2)[second] * aside[:, None]
    narrow = np.clip((along[first][-1] - along[first]) / (1.5 * overlap), 0, 1) ** 0.7
    widen = np.clip(past / (1.5 * overlap), 0, 1) ** 0.7
    return (
        replace(stroke, points=stroke.points[first], widths=stroke.widths[first] * narrow),
        replace(stroke, points=points, widths=stroke.widths[second] * widen, parent=-1),
    )


def paired(
    rng: np.random.Generator, contour: Contour, grain: Grain, *, away: float, width: float, share: float
) -> Contour:
    """Adds a finer crack next to the longest open one, which leaves it and comes back.

    away: largest distance between the two in mm. width: width of the finer crack as a share of the longest one's.
    share: share of the length along which there are two cracks.
    """
    trunks = [i for i, stroke in enumerate(contour.strokes) if stroke.kind == "crack" and stroke.length > 4 * away]
    if not trunks:
        return contour
    i = max(trunks, key=lambda k: contour.strokes[k].length)
    stroke = contour.strokes[i]
    along = arc(stroke.points) / stroke.length
    first = rng.uniform(0.0, 1.0 - share)
    picked = np.flatnonzero((along >= first) & (along <= first + share))[:: max(len(along) // 100, 1)]
    if len(picked) < 3:
        return contour
    inner = (along[picked] - along[picked[0]]) / np.ptp(along[picked])
    swing = np.sin(np.pi * inner) * (1 + 0.4 * np.sin(2 * np.pi * (inner * rng.uniform(0.5, 2.5) + rng.random())))
    aside = away * side(rng) * swing / 1.4
    points = stroke.points[picked] + normals(stroke.points, len(along) // 12 + 2)[picked] * aside[:, None]
    path = Path(points, width * float(stroke.widths[picked].mean()), parent=i)
    finer = opened(rng, [replace(path, stiff=np.minimum(1.0, 6 * np.minimum(inner, 1 - inner)))], contour.size, grain)
    return Contour(contour.strokes + finer.strokes, contour.spalls, contour.size)


def interrupted(rng: np.random.Generator, contour: Contour, *, rate: float, gap: float) -> Contour:
    """Closes cracks in places: the width tapers to 0 there. rate: gaps per mm; gap: mean length in mm."""
    strokes = tuple(s if s.kind == "healed" else _closed(s, _gaps(rng, s, rate, gap)) for s in contour.strokes)
    return replace(contour, strokes=strokes)


def healed(rng: np.random.Generator, contour: Contour, *, rate: float, stretch: float) -> Contour:
    """Fills cracks in places: they are closed there, and a "healed" stroke replaces them.

    rate: such places per mm; stretch: mean length in mm.
    """
    strokes, scars = list(contour.strokes), []
    for i, stroke in enumerate(contour.strokes):
        if stroke.kind != "crack":
            continue
        gaps = _gaps(rng, stroke, rate, stretch)
        strokes[i] = _closed(stroke, gaps)
        for inside in gaps:
            # The scar also fills the taper of the open part, so that both together make the whole crack.
            if inside.sum() >= 2:
                scars.append(Stroke(stroke.points[inside], stroke.widths[inside], "healed", i))
    return replace(contour, strokes=(*strokes, *scars))


def _gaps(rng: np.random.Generator, stroke: Stroke, rate: float, length: float) -> list[Array]:
    """Masks (n,) of the points in each gap of a stroke."""
    along = arc(stroke.points)
    masks = []
    for at in rng.uniform(0, along[-1], rng.poisson(rate * along[-1])):
        half = length * rng.uniform(0.3, 1.7) / 2
        masks.append((along > at - half) & (along < at + half))
    return masks


def _closed(stroke: Stroke, gaps: list[Array]) -> Stroke:
    if not gaps:
        return stroke
    widths = np.where(np.any(gaps, axis=0), 0.0, stroke.widths)
    return replace(stroke, widths=eased(widths, arc(stroke.points), 0.25))


def sealed(rng: np.random.Generator, contour: Contour, width: float) -> Contour:
    """Bands of sealant, about `width` mm wide, applied by hand along the cracks of a contour.

    Cracks shorter than three widths stay unsealed.
    """
    strokes = []
    for stroke in contour.strokes:
        if stroke.length < 3 * width:
            continue
        step = stroke.length / (len(stroke.points) - 1)
        smooth = scipy.ndimage.gaussian_filter1d(stroke.points, 0.7 * width / step, axis=0, mode="nearest")
        sway, edge = profiles(rng, np.array([6.0, 0.7]) * width / step, len(smooth), 0.9)
        widths = width * np.exp(np.clip(0.13 * sway + 0.04 * edge, -0.5, 0.5))
        strokes.append(Stroke(smooth, widths))
    return Contour(tuple(strokes), (), contour.size)


def satellites(
    rng: np.random.Generator,
    contour: Contour,
    grain: Grain,
    *,
    count: int,
    away: float,
    length: float,
    width: float,
    slant: float,
) -> Contour:
    """Adds small cracks of kind "satellite" next to the open ones; they fade at both tips.

    away, length, width: means in mm. slant: standard deviation in degrees of the angle to the open crack.
    """
    open_strokes = [s for s in contour.strokes if s.kind == "crack" and s.length > 0]
    if not open_strokes:
        return contour
    lengths = np.array([s.length for s in open_strokes])
    paths = []
    for i in rng.choice(len(open_strokes), count, p=lengths / lengths.sum()).tolist():
        stroke = open_strokes[i]
        k = int(rng.integers(0, len(stroke.points)))
        across = normals(stroke.points, len(stroke.points) // 20 + 2)[k]
        middle = stroke.points[k] + across * side(rng) * (stroke.widths[k] + away * rng.uniform(0.3, 2.0))
        heading = np.degrees(np.arctan2(across[0], -across[1])) + rng.normal(0.0, slant)
        half = length * float(np.exp(rng.normal(0.0, 0.5))) / 2
        points = middle + np.linspace(-half, half, 4)[:, None] * direction(heading)
        points[1:-1] += rng.normal(0.0, 0.12 * half, (2, 2))
        paths.append(Path(points, width * rng.uniform(0.5, 1.5), (0.9 * half, 0.9 * half), "satellite"))
    return contour.joined(opened(rng, paths, contour.size, grain))


def spalled(rng: np.random.Generator, contour: Contour, *, count: int, breadth: float, depth: float) -> Contour:
    """Breaks chips off the lips of open cracks, mostly where they are wide. breadth, depth: means in mm."""
    open_strokes = [s for s in contour.strokes if s.kind == "crack" and s.widths.max() > 0]
    if not open_strokes:
        return contour
    weights = np.concatenate([s.widths for s in open_strokes])
    owner = np.repeat(np.arange(len(open_strokes)), [len(s.points) for s in open_strokes])
    start = np.searchsorted(owner, np.arange(len(open_strokes)))
    spalls = []
    for k in rng.choice(len(weights), count, p=weights / weights.sum()).tolist():
        stroke = open_strokes[owner[k]]
        spalls.append(_chip(rng, stroke, k - start[owner[k]], breadth * np.exp(rng.normal(0.0, 0.4)), depth))
    return replace(contour, spalls=contour.spalls + tuple(spalls))


def _chip(rng: np.random.Generator, stroke: Stroke, k: int, breadth: float, depth: float) -> Spall:
    """A chip at point k of a stroke. It reaches from inside the crack over one lip and has a rough outer edge."""
    across = normals(stroke.points, len(stroke.points) // 20 + 2)[k] * side(rng)
    along = np.array([-across[1], across[0]])
    angles = np.sort(rng.uniform(0.0, np.pi, int(rng.integers(5, 10))))
    reach = rng.uniform(0.6, 1.2, len(angles))
    half = breadth * rng.uniform(0.4, 0.8)
    rim = stroke.points[k] + across * stroke.widths[k] / 2
    arch = rim + half * reach[:, None] * (np.cos(angles)[:, None] * along)
    arch += breadth * rng.uniform(0.25, 0.6) * (reach * np.sin(angles))[:, None] * across
    root = rim - across * stroke.widths[k] / 2
    outline = np.stack([root - 1.2 * half * along, *(arch[::-1]), root + 1.2 * half * along])
    return Spall(outline, float(depth * rng.uniform(0.5, 1.5)))
