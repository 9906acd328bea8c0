"""The config of light: the environment, and lamps of three kinds."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.annotations import elevations, names, numbers
from scenes.section import Section


class WorldLightConfig(Section):
    """The light of the environment."""

    hdri: Annotated[Any, names()] | None = None
    """Asset id of an environment map; null draws evenly over all, "" is a uniform gray sky."""
    rotation: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Turn of the environment about the vertical."""
    strength: Annotated[Any, numbers(0, 1000, unit="factor")] = {"log_uniform": [0.5, 2.0]}
    """Brightness of the environment over its own."""


class LampsConfig(Section):
    """Lamps of one kind, around what the camera looks at."""

    count: Annotated[Any, numbers(0, 16, whole=True, unit="count")] = 0
    """Number of lamps."""
    azimuth: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Where the lamp is around the object; 0 is in front of it."""
    elevation: Annotated[Any, elevations()] = {"uniform": [15, 80]}
    """How high the lamp is: 0 is level with the object, 90 is above it."""
    radius: Annotated[Any, numbers(0.01, 1000, unit="m")] = {"uniform": [2.0, 5.0]}
    """Distance from the lamp to what the camera looks at."""
    energy: Annotated[Any, numbers(0, 1e6, unit="W; suns W/m^2")] = {"log_uniform": [50, 500]}
    """Power of the lamp."""
    size: Annotated[Any, numbers(0, 100, unit="m; suns degrees")] = {"uniform": [0.2, 2.0]}
    """Width of the lamp; a wider one has softer shadows."""
    temperature: Annotated[Any, numbers(1000, 40000, unit="kelvin")] = {"uniform": [3000, 8000]}
    """Color temperature of the light."""


class LightingConfig(Section):
    """The environment, and suns, area lamps and point lamps beside it."""

    world: WorldLightConfig = WorldLightConfig()
    """The environment."""
    sun: LampsConfig = LampsConfig(energy={"log_uniform": [0.5, 4.0]}, size={"log_uniform": [0.3, 8.0]})
    """Suns: parallel light."""
    area: LampsConfig = LampsConfig()
    """Lamps that shine from a square, as windows and softboxes do."""
    point: LampsConfig = LampsConfig(size={"uniform": [0.02, 0.3]})
    """Lamps that shine from a ball, as bulbs do."""
