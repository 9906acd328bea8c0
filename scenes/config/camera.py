"""The config of the camera: where it stands, and what it does to the light."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from scenes.annotations import elevations, names, numbers
from scenes.files import sha256
from scenes.section import Section


class IntrinsicsConfig(Section):
    """The lens as a calibration gives it, in pixels of the config's resolution. A matrix K of 3 x 3 will do, too."""

    fx: float = Field(gt=0, le=1e6)
    """Focal length over the width of a pixel."""
    fy: float = Field(gt=0, le=1e6)
    """Focal length over the height of a pixel."""
    cx: float = Field(ge=-1e5, le=1e5)
    """The principal point, from the left."""
    cy: float = Field(ge=-1e5, le=1e5)
    """The principal point, from the top."""
    first_pixel: float = Field(default=0.5, ge=0, le=0.5, multiple_of=0.5)
    """Where the first pixel has its center: 0.5 as in blendmill's labels, 0 as in OpenCV and BlenderProc."""

    @model_validator(mode="before")
    @classmethod
    def _of_matrix(cls, data: Any) -> Any:
        if not isinstance(data, (list, tuple)):
            return data
        rows = [list(row) if isinstance(row, (list, tuple)) else [] for row in data]
        if [len(row) for row in rows] != [3, 3, 3] or [rows[0][1], rows[1][0], *rows[2]] != [0, 0, 0, 0, 1]:
            raise ValueError("a matrix is written [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]; there is no skew")
        return {"fx": rows[0][0], "fy": rows[1][1], "cx": rows[0][2], "cy": rows[1][2]}

    def lens(self, resolution: tuple[int, int]) -> dict[str, Any]:
        """The fields of a `scenes.record.scene.Camera` that say the same."""
        off = 0.5 - self.first_pixel
        return {
            "focal_length": self.fx * 36.0 / max(resolution),
            "aspect": self.fy / self.fx,
            "center": (self.cx + off, self.cy + off),
        }


class PosesConfig(Section):
    """Given poses of the camera: picture i has pose i, and the poses begin anew after the last one."""

    file: Path
    """The poses, relative to the config file: transforms.json as NeRF has it, .npy of (n, 4, 4), or .txt with six
    numbers in a line (location and Euler angles in radians, as in BlenderProc's examples) or sixteen."""
    axes: Literal["blender", "opencv"] = "blender"
    """The camera's axes: "blender" has x right, y up, z back, as in NeRF's files; "opencv" has x right, y down, z
    forward. All poses lead from the camera to the world, where z is up."""
    scale: float = Field(default=1.0, gt=0)
    """Meters for each unit of the file."""
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """Checksum of the file; null takes that of the file as it is now. A file with another content is refused."""

    @model_validator(mode="before")
    @classmethod
    def _with_checksum(cls, data: Any) -> Any:
        """Pictures depend on the content of the file, so the config, and its digest, must tell it."""
        given = data.get("file") if isinstance(data, dict) and data.get("sha256") is None else None
        if isinstance(given, (str, Path)) and Path(given).is_file():
            return {**data, "sha256": sha256(Path(given))}
        return data


class CameraConfig(Section):
    """The viewpoint. Azimuth and elevation give the direction from the target to the camera."""

    azimuth: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Where the camera stands around the object; 0 is in front of it."""
    elevation: Annotated[Any, elevations()] = {"uniform": [0, 60]}
    """How high the camera stands: 0 is level with the object, 90 is above it."""
    distance: Annotated[Any, numbers(0.01, 10000, unit="m")] | None = None
    """Distance from the camera to the objects; give either this or `framing`."""
    framing: Annotated[Any, numbers(0.01, 3, unit="share")] | None = None
    """Share of the picture's width or height that the objects fill; the fuller of the two counts."""
    roll: Annotated[Any, numbers(-360, 360, unit="degrees")] = {"normal": {"mean": 0, "std": 3, "low": -10, "high": 10}}
    """Turn of the camera about its line of sight."""
    jitter: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.15]}
    """How far the objects' center is from the picture's center, as a share of half the picture."""
    focal_length: Annotated[Any, numbers(5, 1000, unit="mm")] = {"log_uniform": [35, 85]}
    """Focal length over a sensor 36 mm wide."""
    fstop: Annotated[Any, numbers(0, 64, unit="f-number")] = 0
    """Aperture; 0 is a pinhole, which has no depth of field."""
    resolution: tuple[int, int] = (256, 256)
    """Width and height of the pictures in pixels."""
    intrinsics: IntrinsicsConfig | None = None
    """A calibrated lens, in place of `focal_length`."""
    poses: PosesConfig | None = None
    """Given poses, in place of azimuth, elevation, distance, framing, roll and jitter."""
    views: int = Field(default=1, ge=1, le=10_000)
    """Pictures of each scene: objects, materials, light, background and sensor stay, the camera's own fields vary."""

    @field_validator("resolution")
    @classmethod
    def _drawable(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(8 <= side <= 8192 for side in value):
            raise ValueError(f"resolution {list(value)} is outside 8 to 8192 pixels a side")
        return value

    @model_validator(mode="after")
    def _one_rule(self) -> CameraConfig:
        if self.distance is not None and self.framing is not None:
            raise ValueError("give either distance or framing, not both; write distance: null to use framing")
        return self


class SensorConfig(Section):
    """What the camera does to the light, after the render. Labels stay as they are."""

    exposure: Annotated[Any, numbers(-10, 10, unit="stops")] = {
        "normal": {"mean": 0, "std": 0.4, "low": -1.2, "high": 1.2}
    }
    """Brightness on top of what the meter sets."""
    metering: Annotated[Any, names("average", "none")] = "average"
    """"average" brings the picture's mean brightness to a middle gray, but burns out no more than a tenth of the
    objects, unless they would be nearly black; a plain color behind them counts as gray. "none" leaves the light as it
    is."""
    tone: Annotated[Any, names("standard", "filmic")] = {"choice": ["standard", "filmic"]}
    """The curve from light to display values: sRGB, or one that rolls off softly in bright places."""
    white_balance: Annotated[Any, numbers(2000, 15000, unit="kelvin")] = {
        "normal": {"mean": 6500, "std": 500, "low": 5000, "high": 8500}
    }
    """Color temperature of light that looks white; 6500 changes nothing, and a higher one makes pictures warmer."""
    balance: Annotated[Any, numbers(0, 1, unit="share")] = 0
    """Share of the light's color that the camera takes away by itself."""
    vignette: Annotated[Any, numbers(0, 1, unit="share")] = {"uniform": [0, 0.25]}
    """Share of the light that is lost in the corners."""
    blur: Annotated[Any, numbers(0, 20, unit="px")] = {"uniform": [0, 0.6]}
    """Sigma of the Gaussian that blurs the picture."""
    noise: Annotated[Any, numbers(0, 0.5, unit="share of full scale")] = {"log_uniform": [0.001, 0.015]}
    """Standard deviation of the noise that is the same in dark and bright places."""
    shot: Annotated[Any, numbers(0, 0.5, unit="share of full scale")] = {"log_uniform": [0.001, 0.02]}
    """Standard deviation of the noise at full scale that grows with the root of the light."""
    sharpening: Annotated[Any, numbers(0, 5, unit="factor")] = 0
    """How much of the detail finer than about a pixel is added again."""
    jpeg: Annotated[Any, numbers(0, 100, whole=True, unit="quality")] = {
        "mixture": [{"weight": 0.3, "of": 0}, {"weight": 0.7, "of": {"uniform": [60, 98]}}]
    }
    """Quality of the JPEG compression; 0 leaves it out."""
