"""The config of the camera: where it stands, and what it does to the light."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from scenes.annotations import elevations, names, numbers
from scenes.config.calibration import read_calibration
from scenes.files import sha256
from scenes.record.distortion import NAMES, Distortion, Folded, LensModel, fitted
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


class DistortionConfig(Section):
    """The distortion of a calibrated lens, as OpenCV has it. A list of OpenCV's coefficients in its order does, too."""

    model: LensModel = "brown"
    """"brown" is the model of `cv2.calibrateCamera`: k1, k2, p1, p2, k3 and, for wide lenses, k4, k5, k6. "fisheye" is
    that of `cv2.fisheye.calibrate`: k1, k2, k3, k4."""
    k1: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial."""
    k2: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial."""
    p1: float = Field(default=0, ge=-1e6, le=1e6)
    """Tangential, of the model "brown"."""
    p2: float = Field(default=0, ge=-1e6, le=1e6)
    """Tangential, of the model "brown"."""
    k3: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial."""
    k4: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial; with "brown" it is the first in the denominator."""
    k5: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial, in the denominator of the model "brown"."""
    k6: float = Field(default=0, ge=-1e6, le=1e6)
    """Radial, in the denominator of the model "brown"."""

    @model_validator(mode="before")
    @classmethod
    def _of_list(cls, data: Any) -> Any:
        if not isinstance(data, (list, tuple)):
            return data
        if len(data) not in (4, 5, 8):
            raise ValueError("a list has k1, k2, p1, p2 and perhaps k3, or k3, k4, k5 and k6; fisheyes are a mapping")
        return dict(zip(NAMES["brown"], data, strict=False))

    @model_validator(mode="after")
    def _of_model(self) -> DistortionConfig:
        for name in NAMES["brown"]:
            if name not in NAMES[self.model] and getattr(self, name):
                raise ValueError(f"{name} is no coefficient of the model {self.model}; leave it out")
        return self

    def fitted(self, lens: IntrinsicsConfig, resolution: tuple[int, int]) -> Distortion:
        """The distortion for pictures of a size. Raises ValueError for one that folds back inside the picture."""
        off = 0.5 - lens.first_pixel
        coefficients = tuple(getattr(self, name) for name in NAMES[self.model])
        return fitted(self.model, coefficients, (lens.fx, lens.fy, lens.cx + off, lens.cy + off), resolution)


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


class PathConfig(Section):
    """The way of a camera through the views of a scene. Objects and light stay."""

    kind: Literal["turntable", "spline"] = "turntable"
    """"turntable" goes around the objects at one height, beginning with the camera that is drawn or given. "spline" is
    a smooth curve through some cameras: through all poses of `poses`, or through cameras drawn around the objects."""
    turn: float = Field(default=360, ge=-3600, le=3600)
    """Degrees of a turntable, counter-clockwise from above. After whole turns the next view would be the first."""
    keys: int = Field(default=3, ge=2, le=1000)
    """Drawn cameras that a spline goes through, of at most as many as there are views."""

    @property
    def closed(self) -> bool:
        """Whether the view after the last one is the first one."""
        return self.kind == "turntable" and self.turn != 0 and self.turn % 360 == 0


class StereoConfig(Section):
    """Pairs of pictures, left and right, by two cameras with the same axes and the same lens."""

    baseline: float = Field(gt=0, le=1000)
    """Meters from the left camera to the right one, along the camera's x axis."""


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
    distortion: DistortionConfig | None = None
    """How the lens bends straight lines; needs `intrinsics`. The picture and all its labels show it."""
    calibration: Path | None = None
    """A file of OpenCV, ROS, Kalibr, EuRoC or Nerfstudio with matrix and distortion, relative to the config file. It is
    read into `intrinsics` and `distortion`, and the config keeps only these."""
    poses: PosesConfig | None = None
    """Given poses, in place of azimuth, elevation, distance, framing, roll and jitter."""
    views: int = Field(default=1, ge=1, le=10_000)
    """Pictures of each scene: objects, materials, light, background and sensor stay, the camera's own fields vary."""

    path: PathConfig | None = None
    """How the camera moves from view to view; null draws each view anew. Needs `views` of 2 at least."""
    stereo: StereoConfig | None = None
    """Two pictures of each view, first the left one, with the label `disparity`."""

    @property
    def eyes(self) -> int:
        """Pictures of each view."""
        return 1 if self.stereo is None else 2

    @property
    def pictures(self) -> int:
        """Pictures of each scene."""
        return self.views * self.eyes

    @model_validator(mode="before")
    @classmethod
    def _calibrated(cls, data: Any) -> Any:
        """Pictures depend on the content of the file, so the config takes it over."""
        file = data.get("calibration") if isinstance(data, Mapping) else None
        if not isinstance(file, (str, Path)):
            return data
        if data.get("intrinsics") is not None or data.get("distortion") is not None:
            raise ValueError("calibration gives intrinsics and distortion: leave these out, or set them to null")
        size = data.get("resolution", cls.model_fields["resolution"].default)
        if not isinstance(size, (list, tuple)) or [type(side) for side in size] != [int, int]:
            return data  # the size is wrong, and told
        return {**data, **read_calibration(Path(file), (size[0], size[1])), "calibration": None}

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

    @model_validator(mode="after")
    def _one_path(self) -> CameraConfig:
        if self.path is not None and self.views < 2:
            raise ValueError("path leads from view to view: set views to 2 at least")
        if self.path is not None and self.path.kind == "spline" and self.poses is None and self.path.keys > self.views:
            raise ValueError(f"path.keys is {self.path.keys}, more than the {self.views} views; give fewer keys")
        if self.stereo is not None and self.distortion is not None:
            raise ValueError("stereo pairs are rectified, so their disparity is exact: set distortion to null")
        return self

    @model_validator(mode="after")
    def _one_lens(self) -> CameraConfig:
        if self.distortion is None:
            return self
        if self.intrinsics is None:
            raise ValueError("distortion is counted in focal lengths: give intrinsics, too")
        try:
            self.distortion.fitted(self.intrinsics, self.resolution)
        except Folded as error:
            raise ValueError(f"distortion: {error}") from None
        return self


class SensorConfig(Section):
    """What the camera does to the light, after the render. Labels stay as they are."""

    exposure: Annotated[Any, numbers(-10, 10, unit="stops")] = {
        "normal": {"mean": 0, "std": 0.4, "low": -1.2, "high": 1.2}
    }
    """Brightness on top of what the meter sets."""
    metering: Annotated[Any, names("average", "whole", "none")] = "average"
    """"average" brings the picture's mean brightness to a middle gray, but burns out no more than a tenth of the
    objects, unless they would be nearly black; a plain color behind them counts as gray. "whole" does not look at the
    objects, so that films in which they come and go do not flicker: they have it in place of "average". "none" leaves
    the light as it is."""
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
