"""Mutants that change nothing that anyone can see, by module and change, each with the reason."""

from __future__ import annotations

_ROUNDING = "a guard against rounding: no input comes so far"
_NOTHING = "at 0 the step adds nothing: the condition only saves its time"
_SCALED = "only its direction counts"

EQUIVALENT: dict[str, dict[str, str]] = {
    "scenes/distributions.py": {
        "SineUniform.at: 1.0 -> 1.5": _ROUNDING,
    },
    "scenes/record/scene.py": {
        "Camera.world_to_camera: abs(forward[2]) < 1 - 1e-09 -> abs(forward[2]) <= 1 - 1e-09": _ROUNDING,
        "Camera.world_to_camera: 1.0 -> 1.5": _SCALED,
    },
    "scenes/sampling/placement.py": {
        "hidden_share: if len(outline) < 3: return 0.0 -> pass": "what has no area is hidden by nothing: 0 as well",
    },
    "render/image/camera_response.py": {
        "apply_camera_response: sensor.noise > 0 -> sensor.noise >= 0": _NOTHING,
        "apply_camera_response: sensor.sharpening > 0 -> sensor.sharpening >= 0": _NOTHING,
    },
}
