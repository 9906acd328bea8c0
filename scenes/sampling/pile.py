"""Objects that fall into a pile and come to rest: rigid bodies, by MuJoCo (Todorov et al. 2012)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.errors import InputError
from scenes.record.scene import Item
from scenes.sampling.draw import vector

Array = NDArray[np.float64]

# The engine's lengths are in mean radii of the objects, so that it treats small and large objects alike.
_GRAVITY = 9.81
# What slows the fall and the turns, per second: air as thick as honey, so that piles do not scatter.
_DRAG = 1.5
# Seconds of the longest and the shortest step. In a step, nothing falls farther than this part of the smallest radius.
_STEPS, _FARTHEST = (0.005, 0.001), 0.25
# The fall ends if nothing moves faster than _REST when it is looked at, each _LOOK seconds; and in any case after the
# highest body has come down and _LAST seconds more.
_REST, _LOOK, _LAST = 0.05, 0.25, 8.0
# How often a fall is computed again with half the step, if the engine cannot follow it.
_RETRIES = 3
# Friction of sliding, turning and rolling. Without the last, mugs roll away for ever.
_FRICTION = (0.7, 0.02, 0.01)


@dataclass(frozen=True)
class Body:
    """An item that falls. pieces: corners (k, 3) of convex solids that its unit model is made of."""

    item: Item
    pieces: Sequence[Array]

    @property
    def radius(self) -> float:
        """Of the sphere around the origin of the unit model, which has a diagonal of 1, in meters."""
        return self.item.scale / 2


def piled(
    bodies: Sequence[Body],
    spread: float,
    generators: Sequence[np.random.Generator],
    film: float = 0.0,
    views: int = 1,
) -> list[list[Item]]:
    """The items, turned and moved as they come to rest on the ground and on each other.

    They begin over a disc around the origin, one above the other so far that none touches another, and fall all at
    once. The same bodies and generators give the same items, on machines with the same kind of processor and libraries.

    spread: radius of the disc; 1 is a disc as large as the cross-sections of all spheres together.
    film, views: for each view, a list of the items as they are then, evenly in time over the last `film` seconds of the
    fall, or all of a shorter one. In the last view they rest.

    Raises InputError if the engine cannot follow the fall, because sizes are too far apart.
    """
    engine = physics_engine()
    unit = sum(body.radius for body in bodies) / len(bodies)
    radius = spread * math.sqrt(sum(body.radius**2 for body in bodies))
    starts = np.array(list(_starts(bodies, radius, generators))) / unit
    model = _model(engine, bodies, starts, unit)
    smallest = min(body.radius for body in bodies) / unit
    step = float(np.clip(_FARTHEST * smallest * _DRAG / _GRAVITY, _STEPS[1], _STEPS[0]))
    longest = _LAST + starts[:, 2].max() * _DRAG / _GRAVITY
    for _ in range(_RETRIES + 1):
        # Gravity is the same for all units, so a second of the engine is shorter where objects are small.
        back = film / math.sqrt(unit) / step
        fall = _fallen(engine, model, step, longest, math.ceil(back) + 1)
        if fall is not None:
            last = len(fall) - 1
            states = [fall[round(at)] for at in np.linspace(max(last - back, 0), last, views)[:-1]] + [fall[last]]
            return [[_item(body, one, unit) for body, one in zip(bodies, state, strict=True)] for state in states]
        step /= 2
    sizes = sorted(body.item.scale for body in bodies)
    raise InputError(
        f"field objects.pile: no fall of objects of {sizes[0]:.3g} to {sizes[-1]:.3g} m could be computed; give "
        "objects.scale and objects.clutter.scale a narrower range"
    )


def _fallen(engine: ModuleType, model: Any, step: float, longest: float, kept: int) -> deque[Array] | None:
    """(n, 7) places and turns of the bodies after each step, until they rest, or `longest` seconds are over.

    None if the engine lost them. kept: how many steps, the last ones, are kept.
    """
    model.opt.timestep = step
    data = engine.MjData(model)
    fall = deque([data.qpos.reshape(-1, 7).copy()], maxlen=kept)
    for _ in range(math.ceil(longest / _LOOK)):
        for _ in range(round(_LOOK / step)):
            engine.mj_step(model, data)
            fall.append(data.qpos.reshape(-1, 7).copy())
        if any(warning.number for warning in data.warning):
            return None
        if np.abs(data.qvel).max() < _REST:
            break
    return fall


def physics_engine() -> ModuleType:
    """The module mujoco. Raises InputError where it is not installed."""
    try:
        import mujoco
    except ImportError:
        raise InputError("field objects.pile: needs the package mujoco-core: pip install mujoco-core") from None
    # It would write warnings into a file in the current folder. `_fallen` looks for them.
    mujoco.set_mju_user_warning(lambda text: None)
    return mujoco


def _starts(bodies: Sequence[Body], radius: float, generators: Sequence[np.random.Generator]) -> Iterator[Array]:
    """(3,) a center for the sphere of each body: at random over a disc, as low as those before it leave room."""
    before: list[tuple[Array, float]] = []
    for body, rng in zip(bodies, generators, strict=True):
        angle, distance = 2 * math.pi * rng.random(), radius * math.sqrt(rng.random())
        place, height = distance * np.array([math.cos(angle), math.sin(angle)]), body.radius
        for other, reach in before:
            room = (body.radius + reach) ** 2 - float(((place - other[:2]) ** 2).sum())
            if room > 0:
                height = max(height, other[2] + math.sqrt(room))
        start = np.array([*place, height])
        before.append((start, body.radius))
        yield start


def _model(engine: ModuleType, bodies: Sequence[Body], starts: Array, unit: float) -> Any:
    spec = engine.MjSpec()
    spec.option.gravity = (0, 0, -_GRAVITY)
    surface = {"condim": 6, "friction": _FRICTION, "solref": (2 * _STEPS[0], 1)}
    spec.worldbody.add_geom(type=engine.mjtGeom.mjGEOM_PLANE, size=(0, 0, 1), **surface)
    for k, (body, start) in enumerate(zip(bodies, starts, strict=True)):
        pieces = [piece * (body.item.scale / unit) for piece in body.pieces]
        center, inertia = _weight(pieces)
        solid = spec.worldbody.add_body(
            pos=start, quat=body.item.rotation, explicitinertial=True, mass=1, ipos=center, inertia=inertia
        )
        solid.add_freejoint()
        for n, piece in enumerate(pieces):
            mesh = spec.add_mesh(name=f"{k}.{n}", uservert=piece.ravel())
            mesh.inertia = engine.mjtMeshInertia.mjMESH_INERTIA_CONVEX
            solid.add_geom(type=engine.mjtGeom.mjGEOM_MESH, meshname=mesh.name, **surface)
    model = spec.compile()
    # Of three directions and three turns of each body but the ground.
    weights = np.stack([model.body_mass, model.body_inertia.max(axis=1)], axis=1)[1:]
    model.dof_damping[:] = _DRAG * np.repeat(weights, 3)
    return model


def _weight(pieces: Sequence[Array]) -> tuple[Array, Array]:
    """The center of mass (3,), and the inertia (3,) of a box of that size, for a mass of 1.

    All bodies have the same mass. With true ones, a pebble under a wardrobe would make the engine's equations stiff.
    """
    hulls = [scipy.spatial.ConvexHull(piece) for piece in pieces]
    volumes = np.array([hull.volume for hull in hulls])
    center = volumes @ [piece.mean(axis=0) for piece in pieces] / volumes.sum()
    squares = np.ptp(np.concatenate(pieces), axis=0) ** 2
    return center, (squares.sum() - squares) / 12


def _item(body: Body, state: Array, unit: float) -> Item:
    turn = state[3:] / np.linalg.norm(state[3:])
    rotation = (float(turn[0]), float(turn[1]), float(turn[2]), float(turn[3]))
    return replace(body.item, rotation=rotation, location=vector(unit * state[:3]))
