"""Objects that fall into a pile and come to rest: rigid bodies, by MuJoCo (Todorov et al. 2012)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from scenes.record.scene import Item
from scenes.sampling.draw import vector

Array = NDArray[np.float64]

# The engine's lengths are in mean radii of the objects, so that it treats small and large objects alike.
_STEP, _GRAVITY = 0.005, 9.81
# After so many steps, the fall ends if nothing moves faster than _REST. After _CHECKS times as many, it ends anyway.
_STEPS, _CHECKS, _REST = 50, 40, 0.05
# Friction of sliding, turning and rolling. Without the last, mugs roll away for ever.
_FRICTION = (0.7, 0.02, 0.01)
# What slows the fall and the turns, per second and unit of mass: air as thick as honey, so that piles do not scatter.
_DRAG = 1.5


@dataclass(frozen=True)
class Body:
    """An item that falls. pieces: corners (k, 3) of convex solids that its unit model is made of."""

    item: Item
    pieces: Sequence[Array]

    @property
    def radius(self) -> float:
        """Of the sphere around the origin of the unit model, which has a diagonal of 1, in meters."""
        return self.item.scale / 2


def piled(bodies: Sequence[Body], spread: float, generators: Sequence[np.random.Generator]) -> list[Item]:
    """The items, turned and moved as they come to rest on the ground and on each other.

    They begin over a disc around the origin, one above the other so far that none touches another, and fall all at
    once. The same bodies and generators give the same items, on machines with the same kind of processor and libraries.

    spread: radius of the disc; 1 is a disc as large as the cross-sections of all spheres together.
    """
    engine = physics_engine()
    unit = sum(body.radius for body in bodies) / len(bodies)
    radius = spread * math.sqrt(sum(body.radius**2 for body in bodies))
    starts = [start / unit for start in _starts(bodies, radius, generators)]
    model = _model(engine, bodies, starts, unit)
    data = engine.MjData(model)
    for _ in range(_CHECKS):
        engine.mj_step(model, data, nstep=_STEPS)
        if np.abs(data.qvel).max() < _REST:
            break
    return [_rested(body, data.qpos[7 * k : 7 * k + 7], unit) for k, body in enumerate(bodies)]


def physics_engine() -> ModuleType:
    """The module mujoco. Raises InputError where it is not installed."""
    try:
        import mujoco
    except ImportError:
        raise InputError("field objects.pile: needs the package mujoco-core: pip install mujoco-core") from None
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


def _model(engine: ModuleType, bodies: Sequence[Body], starts: Sequence[Array], unit: float) -> Any:
    spec = engine.MjSpec()
    spec.option.timestep, spec.option.gravity = _STEP, (0, 0, -_GRAVITY)
    surface = {"condim": 6, "friction": _FRICTION, "solref": (2 * _STEP, 1)}
    spec.worldbody.add_geom(type=engine.mjtGeom.mjGEOM_PLANE, size=(0, 0, 1), **surface)
    for k, (body, start) in enumerate(zip(bodies, starts, strict=True)):
        solid = spec.worldbody.add_body(pos=start, quat=body.item.rotation)
        solid.add_freejoint()
        for n, piece in enumerate(body.pieces):
            name = f"{k}.{n}"
            corners = piece * (body.item.scale / unit)
            spec.add_mesh(name=name, uservert=corners.ravel(), inertia=engine.mjtMeshInertia.mjMESH_INERTIA_CONVEX)
            solid.add_geom(type=engine.mjtGeom.mjGEOM_MESH, meshname=name, density=1, **surface)
    model = spec.compile()
    # Three directions and three turns of each body but the ground.
    inertia = np.stack([model.body_mass, model.body_inertia.max(axis=1)], axis=1)[1:]
    model.dof_damping[:] = _DRAG * np.repeat(inertia.ravel(), 3)
    return model


def _rested(body: Body, state: Array, unit: float) -> Item:
    turn = state[3:] / np.linalg.norm(state[3:])
    rotation = (float(turn[0]), float(turn[1]), float(turn[2]), float(turn[3]))
    return replace(body.item, rotation=rotation, location=vector(unit * state[:3]))
