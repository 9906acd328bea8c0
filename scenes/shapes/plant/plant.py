"""Plants in pots: bonsai trees of the classic forms, and leafy house plants."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import Model, Part, face_crosses, unit
from scenes.shapes.plant.parts import LEAVES, Tree, blade, instances, pot, soil, stand, trunk_skin, twigs
from scenes.shapes.primitives import Array, Geometry, bar, merge, part, spline, standing, tube

UP = np.array([0.0, 0.0, 1.0])
STYLES = ("upright", "slanting", "broom", "forest", "cascade", "rosette", "rubber")


def plant(
    *,
    style: str,
    height: float,
    spread: float,
    trunk_radius: float,
    bend: float,
    turns: float,
    lean: float,
    pads: int,
    pad_fullness: float,
    leaf_shape: str,
    leaf_length: float,
    leaves: int,
    blossom: float,
    pot_width: float,
    pot_depth: float,
    pot_height: float,
    pot_power: float,
    pot_flare: float,
    pot_role: str,
    foliage_role: str,
    ground_role: str,
    has_stand: bool,
    growth: int,
) -> Model:
    """A plant in a pot, standing on the floor or on a low wooden stand.

    style: "upright", "slanting", "broom", "forest", "cascade" (bonsai), "rosette" (arching blades from the soil) or
    "rubber" (stems with big oval leaves). height: of the plant above the soil, 0.2-0.9 m. spread: width of the
    crown, 0.2-1 m. trunk_radius: 0.005-0.06 m above the roots. bend: sideways sway of the trunk as a fraction of
    its height, 0-0.4; turns: how often it sways, 0.3-1.5. lean: of the trunk from upright, 0-50 degrees.
    pads: cushions of foliage on each tree 3-30, for house plants the number of leaves. pad_fullness: 0.6-1.4, size of
    the pads. leaf_shape: "oval", "maple", "needle". leaf_length: 0.008-0.05 m for bonsai, 0.1-0.6 m for house plants.
    leaves: how many in all for bonsai, up to 9000. blossom: share of the leaves that are flowers, 0-0.5.
    pot_width, pot_depth, pot_height: meters; pot_power: 2 round to 8 rectangular; pot_flare: base / rim width.
    growth: number of the pattern after which branches and leaves are laid out.
    """
    given = dict(locals())
    rng = np.random.default_rng(growth)
    lift = stand_height = 0.06 * pot_width + 0.015 if has_stand else 0.0
    feet = 0.1 * pot_height if style not in ("rosette", "rubber") else 0.0
    soil_z = lift + feet + 0.9 * pot_height
    parts = [
        part("pot", pot(pot_width, pot_depth, pot_height, pot_power, pot_flare, feet).moved(z=lift), pot_role),
        part("soil", soil(pot_width, pot_depth, pot_height, pot_power).moved(z=soil_z), ground_role),
    ]
    if has_stand:
        parts.append(part("stand", stand(1.15 * pot_width, 1.25 * pot_depth, stand_height), "dark_wood"))
    if style in ("rosette", "rubber"):
        grow = _rosette if style == "rosette" else _rubber
        parts += grow(rng, soil_z, height, spread, trunk_radius, pads, leaf_length, foliage_role)
        base = np.array([0.0, 0.0, soil_z])
    else:
        trees = _trees(
            rng, style, soil_z, height, spread, trunk_radius, bend, turns, lean, pads, pad_fullness, pot_width
        )
        parts += _bonsai_parts(rng, trees, leaf_shape, leaf_length, leaves, blossom, foliage_role, 0.42 * pot_depth)
        base = trees[0].trunk[0]
    rim = lift + feet + pot_height
    crown = np.concatenate([p.vertices for p in parts if p.name.startswith(("foliage", "blossom"))]).astype(float)
    keypoints = {
        "pot_left": np.array([pot_width / 2, 0.0, rim]),
        "pot_right": np.array([-pot_width / 2, 0.0, rim]),
        "pot_front": np.array([0.0, -pot_depth / 2, rim]),
        "pot_back": np.array([0.0, pot_depth / 2, rim]),
        "trunk_base": base,
        "apex": crown[crown[:, 2].argmax()],
        "crown_left": crown[crown[:, 0].argmax()],
        "crown_right": crown[crown[:, 0].argmin()],
    }
    return standing(Model(tuple(parts), keypoints, given))


# Bonsai --------------------------------------------------------------------------------------------------------


def _trees(
    rng: np.random.Generator, style: str, z: float, height: float, spread: float, radius: float, bend: float,
    turns: float, lean: float, pads: int, fullness: float, pot_width: float,
) -> list[Tree]:  # fmt: skip
    """The trees of a pot: one, or a wood of them."""
    if style != "forest":
        shift = {"slanting": -0.15, "cascade": 0.0}.get(style, 0.0) * pot_width
        return [_tree(rng, style, np.array([shift, 0.0, z]), height, spread, radius, bend, turns, lean, pads, fullness)]
    count = int(rng.integers(5, 8))
    places = np.linspace(-0.34, 0.34, count) * pot_width
    trees = []
    for x in rng.permutation(places):
        size = (1 - 0.5 * abs(x) / (0.34 * pot_width)) * rng.uniform(0.85, 1.0)
        root = np.array([x, rng.uniform(-0.08, 0.08) * pot_width, z])
        outward = lean + 18 * x / pot_width
        trees.append(
            _tree(
                rng,
                "forest",
                root,
                height * size,
                0.42 * spread * size,
                radius * size,
                bend / 2,
                turns,
                outward,
                pads,
                fullness,
            )
        )
    return trees


def _tree(
    rng: np.random.Generator, style: str, root: Array, height: float, spread: float, radius: float, bend: float,
    turns: float, lean: float, pads: int, fullness: float,
) -> Tree:  # fmt: skip
    trunk = root + _trunk_path(rng, style, height, spread, bend, turns, lean)
    radii = _trunk_radii(radius, len(trunk))
    tree = Tree(trunk, radii)
    for at, center, size in _pads(rng, style, trunk, height, spread, pads, fullness):
        _add_pad(rng, tree, at, center, size)
    return tree


def _trunk_path(
    rng: np.random.Generator, style: str, height: float, spread: float, bend: float, turns: float, lean: float
) -> Array:
    """(32, 3) from the origin: leaning and swaying, or falling over the pot's rim."""
    t = np.linspace(0, 1, 32)
    tall = {"broom": 0.62, "cascade": 0.35}.get(style, 0.93) * height
    phase = rng.uniform(-0.6, 0.6) * np.pi
    sway = bend * height * (1 - 0.45 * t)
    x = sway * (np.sin(2 * np.pi * turns * t + phase) - np.sin(phase))
    y = 0.35 * sway * (np.sin(2 * np.pi * turns * t * 1.3 + phase + 1) - np.sin(phase + 1)) * t
    if style != "cascade":
        return np.column_stack([x + np.tan(np.radians(lean)) * tall * t, y, tall * t])
    points = np.array([[0, 0], [0.06, 0.3], [0.22, 0.42], [0.45, 0.3], [0.7, 0.02], [0.95, -0.22]])
    path = spline(points * (spread, height), 32)
    return np.column_stack([path[:, 0], 0.5 * (y - y[0]), path[:, 1] + 0.2 * x * t])


def _trunk_radii(radius: float, count: int) -> Array:
    t = np.linspace(0, 1, count)
    return radius * (0.1 + 0.9 * (1 - t) ** 0.9 + 0.75 * np.exp(-t / 0.045))


def _pads(
    rng: np.random.Generator, style: str, trunk: Array, height: float, spread: float, count: int, fullness: float
) -> list[tuple[float, Array, Array]]:
    """Where foliage sits: trunk parameter of its branch, center, and size (3,) of each pad."""
    if style == "broom":
        return _dome_pads(rng, trunk, height, spread, count, fullness)
    pads = []
    side = rng.choice([-1, 1])
    lowest = {"cascade": 0.3, "forest": 0.5}.get(style, rng.uniform(0.3, 0.48))
    for k in range(count):
        at = lowest + (1 - lowest) * k / count
        reach = 0.5 * spread * (1 - 0.72 * k / count) * rng.uniform(0.8, 1.05)
        if style == "cascade":
            reach *= 0.45
        azimuth = np.radians((0 if k % 2 else 180) + side * rng.uniform(-35, 35) + (90 if k % 5 == 2 else 0))
        start = trunk[int(at * (len(trunk) - 1))]
        out = np.array([np.cos(azimuth), 0.8 * np.sin(azimuth), rng.uniform(-0.12, 0.12)])
        size = fullness * reach * np.array([0.62, 0.55, 0.26])
        pads.append((at, start + out * (reach - 0.7 * size[0]) + 0.25 * size * UP, size))
    top = 0.24 * fullness * spread * np.array([0.85, 0.85, 0.5]) * (0.7 if style == "cascade" else 1.0)
    return [*pads, (1.0, trunk[-1] - 0.2 * top * UP, top)]


def _dome_pads(
    rng: np.random.Generator, trunk: Array, height: float, spread: float, count: int, fullness: float
) -> list[tuple[float, Array, Array]]:
    """Pads all over a dome, as maples and figs are trained."""
    k = np.arange(count) + 0.5
    z = 1 - 1.15 * k / count
    azimuth = k * np.pi * (1 + np.sqrt(5))
    ring = np.sqrt(np.maximum(1 - z**2, 0))
    middle = trunk[-1] * (1, 1, 0) + UP * (trunk[0, 2] + 0.62 * height)
    reach = np.array([0.4 * spread, 0.36 * spread, 0.3 * height])
    size = fullness * 1.5 * spread / np.sqrt(count) * 0.36 * np.array([1, 1, 0.62])
    directions = np.column_stack([ring * np.cos(azimuth), ring * np.sin(azimuth), z])
    centers = middle + directions * reach * rng.uniform(0.8, 1.05, (count, 1))
    return [(rng.uniform(0.5, 1.0), c, size) for c in centers]


def _add_pad(rng: np.random.Generator, tree: Tree, at: float, center: Array, size: Array) -> None:
    """A branch to the pad and the clumps of leaves that twigs from it carry."""
    index = round(at * (len(tree.trunk) - 1))
    start = tree.trunk[index]
    gap = center - start
    bow = np.array([rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), rng.uniform(0.02, 0.16)]) * np.linalg.norm(gap)
    path = spline([start, start + 0.45 * gap + bow, center - 0.25 * size * UP], 10)
    thick = min(0.55 * tree.radii[index], 0.06 * np.linalg.norm(gap) + 0.002)
    if np.linalg.norm(gap) > 0.6 * size[0]:
        tree.branches.append(tube(path, np.linspace(thick, 0.35 * thick, 10), 7))
    clumps = 11
    k = np.arange(clumps) + 0.5
    r, a = np.sqrt(k / clumps) * 0.82, k * 2.4 + rng.uniform(0, 6)
    flat = np.column_stack([r * np.cos(a), r * np.sin(a), 0.55 * (1 - r**2) + rng.uniform(-0.15, 0.15, clumps)])
    ends = center + flat * size
    tree.twig_starts.append(path[np.clip((9 - 4 * r).astype(int), 0, 9)])
    tree.twig_ends.append(ends)
    tree.twig_radii.append(np.full(clumps, 0.3 * thick))
    tree.clumps.append(np.column_stack([ends, np.full(clumps, 0.36 * size[0])]))


def _bonsai_parts(
    rng: np.random.Generator,
    trees: list[Tree],
    shape: str,
    length: float,
    leaves: int,
    blossom: float,
    role: str,
    room: float,
) -> list[Part]:
    wood = [piece for tree in trees for piece in (*trunk_skin(rng, tree.trunk, tree.radii, room), *tree.branches)]
    starts, ends, radii, clumps = (
        np.concatenate([a for tree in trees for a in getattr(tree, name)])
        for name in ("twig_starts", "twig_ends", "twig_radii", "clumps")
    )
    wood.append(twigs(starts, ends, radii))
    places, along, facing = _scatter(rng, clumps, leaves)
    flowers = rng.random(leaves) < blossom
    parts = [part("trunk", wood, "bark", crease=60)]
    for name, mask, template, own_role in (
        ("foliage", ~flowers, LEAVES[shape], role),
        ("blossoms", flowers, LEAVES["flower"], "blossom"),
    ):
        if mask.any():
            sizes = length * rng.uniform(0.7, 1.2, int(mask.sum())) * (1.3 if name == "blossoms" else 1.0)
            mesh = instances(template, places[mask], along[mask], facing[mask], sizes)
            parts.append(_flat_part(name, mesh, own_role))
    return parts


def _scatter(rng: np.random.Generator, clumps: Array, count: int) -> tuple[Array, Array, Array]:
    """Places, directions and facings, (count, 3) each, of leaves on the upper side of clumps (n, 4)."""
    weight = clumps[:, 3] ** 2
    clump = clumps[rng.choice(len(clumps), count, p=weight / weight.sum())]
    direction = unit(rng.normal(size=(count, 3)))
    low = (direction[:, 2] < 0) & (rng.random(count) < 0.75)
    direction[low, 2] *= -1
    depth = clump[:, 3:] * rng.uniform(0.35, 1.0, (count, 1)) ** 0.5
    places = clump[:, :3] + direction * depth * (1, 1, 0.62)
    along = unit(direction + rng.normal(0, 0.45, (count, 3)) + 0.15 * UP)
    facing = unit(UP + rng.normal(0, 0.4, (count, 3)) + 0.5 * direction)
    return places, along, facing


def _flat_part(name: str, mesh: Geometry, role: str) -> Part:
    """A part whose faces are shaded flat: leaves share no edges, so looking for smooth ones would be wasted."""
    normals = np.repeat(unit(face_crosses(mesh.vertices, mesh.faces))[:, None], 3, axis=1)
    vertices, faces = mesh.vertices.astype(np.float32), mesh.faces.astype(np.int32)
    return Part(name, vertices, faces, normals.astype(np.float32), mesh.uvs.astype(np.float32), role)


# House plants --------------------------------------------------------------------------------------------------


def _rosette(
    rng: np.random.Generator,
    z: float,
    height: float,
    spread: float,
    radius: float,
    count: int,
    length: float,
    role: str,
) -> list[Part]:
    """Arching blades from one heart, like a spider plant, an agave or a dracaena."""
    heart = np.array([0.0, 0.0, z - 0.01])
    blades = []
    for k in range(count):
        rise = 85 - 65 * (k / count) + rng.uniform(-6, 6)
        start = heart + 0.6 * radius * np.array([np.cos(2.4 * k), np.sin(2.4 * k), 0])
        size = length * rng.uniform(0.75, 1.05)
        blades.append(blade(start, np.degrees(2.4 * k), rise, size, 0.11 * length, 0.4 * spread / height))
    core = bar(heart, heart + UP * 0.12 * height, radius, 12, 0.5 * radius)
    return [part("trunk", core, "foliage:stem"), part("foliage", blades, role, crease=50)]


def _rubber(
    rng: np.random.Generator,
    z: float,
    height: float,
    spread: float,
    radius: float,
    count: int,
    length: float,
    role: str,
) -> list[Part]:
    """Upright stems with big oval leaves all the way up, like a rubber plant or a fig."""
    stems: list[Geometry] = []
    leaves: list[Geometry] = []
    for s in range(3):
        azimuth = 2.1 * s + rng.uniform(0, 1)
        lean = np.array([np.cos(azimuth), np.sin(azimuth), 0]) * spread * 0.14
        tip = UP * (z + height * (0.85 - 0.14 * s)) + lean * 1.4
        path = spline([0.15 * lean + UP * (z - 0.02), 0.5 * (lean + tip + UP * z) * (0.7, 0.7, 1), tip], 24)
        stems.append(tube(path, np.linspace(radius, 0.45 * radius, 24), 10))
        for k in range(count // 3):
            at = 0.18 + 0.82 * (k + 0.5) / (count // 3)
            turn = 137.5 * k + 60 * s
            rise = 25 + 45 * at**2 + rng.uniform(-8, 8)
            size = length * rng.uniform(0.75, 1.05) * (1 - 0.3 * at)
            leaves.append(blade(path[int(at * 23)], turn, rise, size, 0.48 * size, 0.45, stalk=0.12))
    return [part("trunk", merge(stems), "bark"), part("foliage", leaves, role, crease=50)]


# Random --------------------------------------------------------------------------------------------------------

POTS: dict[str, tuple[float, float]] = {"rectangle": (6.0, 0.68), "oval": (2.4, 0.7), "round": (2.0, 1.0)}
WEIGHTS: NDArray[np.float64] = np.array([0.4, 0.17, 0.23, 0.08, 0.04, 0.04, 0.04])


def plant_rand(rng: np.random.Generator) -> Model:
    """A plant as photographs show them: mostly bonsai in shallow glazed pots."""
    style = str(rng.choice(STYLES, p=WEIGHTS))
    height = rng.uniform(0.35, 0.7)
    house = style in ("rosette", "rubber")
    forest = style == "forest"
    shape = str(rng.choice(["oval", "needle", "maple"], p=[0.55, 0.25, 0.2]))
    kind = "round" if house else "oval" if forest else str(rng.choice(list(POTS), p=[0.5, 0.3, 0.2]))
    power, ratio = POTS[kind]
    spread = height * {"cascade": 1.15, "broom": rng.uniform(0.95, 1.4), "forest": 1.25}.get(
        style, rng.uniform(0.7, 1.25)
    )
    pot_width = {"cascade": 0.34, "forest": 0.95, "rosette": 0.45, "rubber": 0.4}.get(
        style, rng.uniform(0.5, 0.75)
    ) * height
    pot_height = pot_width * {"cascade": 1.15, "forest": 0.14, "rosette": 0.8, "rubber": 0.85}.get(
        style, rng.uniform(0.2, 0.42)
    )
    pads = {
        "broom": rng.integers(18, 32), "forest": rng.integers(4, 6), "cascade": rng.integers(6, 9),
        "rosette": rng.integers(24, 44), "rubber": rng.integers(36, 60),
    }.get(style, rng.integers(6, 12))  # fmt: skip
    blossom = float(rng.uniform(0.1, 0.5)) if rng.random() < 0.08 else 0.0
    leaf = rng.uniform(0.7, 1.1) * (0.75 if style == "rosette" else 0.4) if house else rng.uniform(0.03, 0.05)
    return plant(
        style=style,
        height=height,
        spread=spread,
        trunk_radius=height
        * (0.02 if style == "rosette" else 0.012 if house else 0.022 if forest else rng.uniform(0.035, 0.085)),
        bend=rng.uniform(0.05, 0.22),
        turns=rng.uniform(0.5, 1.3),
        lean={"slanting": rng.uniform(18, 38)}.get(style, rng.uniform(-6, 6)),
        pads=int(pads),
        pad_fullness=rng.uniform(0.85, 1.2),
        leaf_shape=shape,
        leaf_length=float(
            leaf * height * {"oval": 1.0, "needle": 1.3, "maple": 1.35}[shape] if not house else leaf * height
        ),
        leaves=int(
            {"oval": 7000, "needle": 6500, "maple": 3600}[shape]
            * rng.uniform(0.7, 1.0)
            * (1 - 0.5 * blossom)
            * (0.7 if forest else 1.0)
        ),
        blossom=blossom,
        pot_width=pot_width,
        pot_depth=pot_width * ratio,
        pot_height=pot_height,
        pot_power=power,
        pot_flare=rng.uniform(0.72, 0.95),
        pot_role=str(rng.choice(["ceramic:pot", "terracotta", "patterned_ceramic", "stone"], p=[0.5, 0.3, 0.1, 0.1])),
        foliage_role="foliage",
        ground_role=str(rng.choice(["soil", "foliage:moss"], p=[0.6, 0.4])),
        has_stand=bool(rng.random() < (0.0 if house else 0.2)),
        growth=int(rng.integers(1 << 30)),
    )
