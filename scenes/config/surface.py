"""The config of surfaces that crack."""

from __future__ import annotations

from typing import Annotated, Any

from scenes.annotations import names, numbers
from scenes.config.crack import CrackConfig
from scenes.config.distractors import (
    CoversConfig,
    DebrisConfig,
    JointsConfig,
    MarksConfig,
    SealsConfig,
    ShadowCastersConfig,
)
from scenes.config.material import ParametersField
from scenes.materials.families import FAMILIES
from scenes.section import Section


class SurfaceConfig(Section):
    """A flat surface that fills the picture, instead of objects.

    The camera's azimuth, elevation, distance, framing and jitter do not apply. Azimuths and elevations of lamps are
    counted from the surface's own front and plane.
    """

    # The streams keep the former names of these fields.
    STREAMS = {"debris": "litter", "shadow_casters": "shades"}

    placement: Annotated[Any, names("floor", "wall")] = {"choice": {"floor": 0.35, "wall": 0.65}}
    """Whether the surface is a floor, seen from its near side, or a wall."""
    family: Annotated[Any, names(*FAMILIES)] = {"choice": ["concrete", "plaster", "asphalt"]}
    """The material family."""
    texture: Annotated[Any, names()] | None = None
    """Asset id of a texture for the families "pbr" and "image"; null draws evenly over all."""
    parameters: ParametersField = {}
    """As `material.parameters`, but of the surface."""
    scale: Annotated[Any, numbers(0.01, 100, unit="mm/px")] = {"log_uniform": [0.3, 2.0]}
    """Length that a pixel in the middle of the picture covers, before `zoom`."""
    zoom: Annotated[Any, numbers(0.2, 5, unit="px/px")] = 1
    """The scale at which the finished picture is shown: all that is given in pixels is as many times as large. Above 1,
    the picture is as blurred as one of which a part is enlarged. Labels are exact at every scale."""
    obliqueness: Annotated[Any, numbers(0, 75, unit="degrees")] = {
        "mixture": [{"weight": 0.7, "of": {"uniform": [0, 25]}}, {"weight": 0.3, "of": {"uniform": [25, 60]}}]
    }
    """Angle between the view and the surface's normal; it is kept so small that no horizon is seen."""
    side: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Where a wall is seen from: 0 from below, 90 from its right."""
    crack: CrackConfig = CrackConfig()
    """The crack."""
    joints: JointsConfig = JointsConfig()
    """Straight joints."""
    marks: MarksConfig = MarksConfig()
    """Paint, scratches and stains."""
    debris: DebrisConfig = DebrisConfig()
    """Things that lie on the surface."""
    seals: SealsConfig = SealsConfig()
    """Former cracks under filler."""
    covers: CoversConfig = CoversConfig()
    """Covers of cast iron."""
    shadow_casters: ShadowCastersConfig = ShadowCastersConfig()
    """Things outside the picture that throw shadows on it."""
