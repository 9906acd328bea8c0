"""The config: every factor of a data set, each with a sensible default. What YAML may say is what is declared here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from scenes.config.surface import CrackFactor, SurfaceFactor
from scenes.distributions import elevations, flags, names, numbers, parse
from scenes.materials.families import FAMILIES
from scenes.section import Section


class ModelFolder(Section):
    """A folder of 3D models; the fields are those of `scenes.assets.sources.ModelFolder`.

    category: the class of all of them, for the layout "flat". up, front: axes such as "z" and "-y", "auto" for the
    file format's own. unit: meters per unit of the files, null if unknown.
    """

    path: Path
    layout: Literal["auto", "class-folders", "shapenet", "modelnet", "flat"] = "auto"
    category: str = ""
    up: str = "auto"
    front: str = "auto"
    unit: float | None = Field(default=None, gt=0)
    need_textures: bool = False
    license: str = ""


class Assets(Section):
    """Where objects, lights and surfaces come from. Paths are relative to the config file.

    shapes: number of variants of each built-in class, 0 for none. studio_hdris: use the eight HDRIs Blender carries.
    """

    shapes: int = Field(default=48, ge=0, le=1_000_000)
    models: tuple[ModelFolder, ...] = ()
    manifest: Path | None = None
    hdris: tuple[Path, ...] = ()
    studio_hdris: bool = True
    textures: tuple[Path, ...] = ()
    images: tuple[Path, ...] = ()


class Clutter(Section):
    """Objects of no interest beside the main one. scale: relative to the main object's scale."""

    count: Annotated[Any, numbers(0, 20, whole=True)] = 0
    scale: Annotated[Any, numbers(0.01, 100)] = {"uniform": [0.3, 0.9]}


class Occluder(Section):
    """An object put between the camera and the main one. visibility: the share of the main object left to see."""

    present: Annotated[Any, flags()] = False
    visibility: Annotated[Any, numbers(0.05, 1)] = {"uniform": [0.4, 0.9]}


class Objects(Section):
    """What stands in the picture.

    category: class of the main object and of every other member; null draws evenly over all classes. count: members
    with the main one. size: "unit" gives each object a diagonal of `scale` meters, "metric" its own size times
    `scale`. rotation: "upright" turns by yaw only, "stable" rests on a stable side, "standing" is upright where the
    object would stay so and on a stable side else, as a guitar, "free" is uniform over all rotations. lift: how far a
    floating object is above the ground, in its own diagonals. spacing: free room around each member, as a share of its
    width. crack: cracks the main object, and makes the crack the one class there is.
    """

    category: Annotated[Any, names()] | None = None
    count: Annotated[Any, numbers(1, 20, whole=True)] = 1
    size: Literal["unit", "metric"] = "unit"
    scale: Annotated[Any, numbers(0.01, 100)] = {"uniform": [1.0, 2.0]}
    rotation: Annotated[Any, names("upright", "standing", "stable", "free")] = "upright"
    yaw: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    support: Annotated[Any, names("ground", "floating")] = "ground"
    lift: Annotated[Any, numbers(0, 100)] = {"uniform": [0.05, 0.6]}
    spacing: Annotated[Any, numbers(0, 10)] = {"uniform": [0.05, 0.4]}
    clutter: Clutter = Clutter()
    occluder: Occluder = Occluder()
    crack: CrackFactor | None = None


DEFAULT_FAMILIES = {
    "choice": {
        "plastic": 0.16, "painted": 0.16, "metal": 0.10, "brushed_metal": 0.05, "rusty_metal": 0.05, "wood": 0.10,
        "fabric": 0.08, "leather": 0.06, "ceramic": 0.06, "stone": 0.04, "concrete": 0.03, "moss": 0.02,
        "fingerprints": 0.03, "patterned": 0.06,
    }
}  # fmt: skip


class MaterialFactor(Section):
    """What objects are made of.

    mode: "own" keeps each part's own kind of material (its colors and finish still vary for built-in shapes),
    "whole" dresses the object in one family, "per_part" each role in one. parameters: a family's parameters, by
    family and name, where its defaults do not suit. texture: asset id for the families "pbr" and "image"; null draws
    evenly over all textures.
    """

    mode: Annotated[Any, names("own", "whole", "per_part")] = {"choice": {"own": 0.5, "whole": 0.25, "per_part": 0.25}}
    family: Annotated[Any, names(*FAMILIES)] = DEFAULT_FAMILIES
    texture: Annotated[Any, names()] | None = None
    parameters: dict[str, dict[str, Any]] = {}

    @field_validator("parameters")
    @classmethod
    def _known(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        from scenes.errors import choices

        for family, parameters in value.items():
            if family not in FAMILIES:
                raise ValueError(f"unknown material family '{family}', {choices(family, FAMILIES)}")
            for name, distribution in parameters.items():
                if name not in FAMILIES[family]:
                    raise ValueError(f"{family} has no parameter '{name}', {choices(name, FAMILIES[family])}")
                parse(distribution)
        return value


class WorldLight(Section):
    """The environment. hdri: asset id, null draws evenly over all, "" is a uniform gray sky."""

    hdri: Annotated[Any, names()] | None = None
    rotation: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    strength: Annotated[Any, numbers(0, 1000)] = {"log_uniform": [0.5, 2.0]}


class Lamps(Section):
    """0 to n lamps of a kind, around what the camera looks at. energy: W, for suns W/m^2; size: m, for suns degrees."""

    count: Annotated[Any, numbers(0, 16, whole=True)] = 0
    azimuth: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    elevation: Annotated[Any, elevations()] = {"uniform": [15, 80]}
    radius: Annotated[Any, numbers(0.01, 1000)] = {"uniform": [2.0, 5.0]}
    energy: Annotated[Any, numbers(0, 1e6)] = {"log_uniform": [50, 500]}
    size: Annotated[Any, numbers(0, 100)] = {"uniform": [0.2, 2.0]}
    temperature: Annotated[Any, numbers(1000, 40000)] = {"uniform": [3000, 8000]}


class Lighting(Section):
    """The HDRI, and suns, area lamps and point lamps beside it."""

    world: WorldLight = WorldLight()
    sun: Lamps = Lamps(energy={"log_uniform": [0.5, 4.0]}, size={"log_uniform": [0.3, 8.0]})
    area: Lamps = Lamps()
    point: Lamps = Lamps(size={"uniform": [0.02, 0.3]})


class CameraFactor(Section):
    """The viewpoint. Azimuth and elevation are of the camera seen from what it looks at, 0 being the front.

    Either `distance` (meters) or `framing` (share of the picture's width or height, whichever is the fuller, that the
    objects fill) decides how near it stands. jitter: how far the view is off the objects' center, as a share of
    the half picture. fstop 0 is a pinhole without depth of field.
    """

    azimuth: Annotated[Any, numbers(-3600, 3600)] = {"uniform": [0, 360]}
    elevation: Annotated[Any, elevations()] = {"uniform": [0, 60]}
    distance: Annotated[Any, numbers(0.01, 10000)] | None = None
    framing: Annotated[Any, numbers(0.01, 3)] | None = None
    roll: Annotated[Any, numbers(-360, 360)] = {"normal": {"mean": 0, "std": 3, "low": -10, "high": 10}}
    jitter: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.15]}
    focal_length: Annotated[Any, numbers(5, 1000)] = {"log_uniform": [35, 85]}
    fstop: Annotated[Any, numbers(0, 64)] = 0
    resolution: tuple[int, int] = (256, 256)

    @field_validator("resolution")
    @classmethod
    def _drawable(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not all(8 <= side <= 8192 for side in value):
            raise ValueError(f"resolution {list(value)} is outside 8 to 8192 pixels a side")
        return value

    @model_validator(mode="after")
    def _one_rule(self) -> CameraFactor:
        if self.distance is not None and self.framing is not None:
            raise ValueError("give either distance or framing, not both")
        return self


GROUNDS = {
    "choice": ["planks", "concrete", "asphalt", "grass", "tiles", "carpet", "stone", "plaster", "fabric", "soil"]
}


class BackgroundFactor(Section):
    """What is behind the objects.

    shadow: an invisible ground that catches shadows, for the kinds hdri and image. ground, walls: material families of
    the ground (also a room's floor) and of a room's walls. image: asset id, null draws evenly over all images.
    """

    kind: Annotated[Any, names("hdri", "ground", "room", "image", "color", "none")] = {
        "choice": {"hdri": 0.4, "ground": 0.35, "room": 0.25}
    }
    shadow: Annotated[Any, flags()] = True
    ground: Annotated[Any, names(*FAMILIES)] = GROUNDS
    walls: Annotated[Any, names(*FAMILIES)] = {
        "choice": {"plaster": 0.35, "painted": 0.25, "brick": 0.1, "concrete": 0.1, "planks": 0.1, "patterned": 0.1}
    }
    image: Annotated[Any, names()] | None = None
    hue: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 1]}
    saturation: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.8]}
    value: Annotated[Any, numbers(0, 1)] = {"uniform": [0.1, 1.0]}
    room_width: Annotated[Any, numbers(0.1, 1000)] = {"uniform": [4, 8]}
    room_depth: Annotated[Any, numbers(0.1, 1000)] = {"uniform": [4, 8]}
    room_height: Annotated[Any, numbers(0.1, 1000)] = {"uniform": [2.4, 4]}


class SensorFactor(Section):
    """What the camera does to the light, after the render; labels stay as they are. Units as in `record.Sensor`."""

    exposure: Annotated[Any, numbers(-10, 10)] = {"normal": {"mean": 0, "std": 0.4, "low": -1.2, "high": 1.2}}
    metering: Annotated[Any, names("average", "none")] = "average"
    tone: Annotated[Any, names("standard", "filmic")] = {"choice": ["standard", "filmic"]}
    white_balance: Annotated[Any, numbers(2000, 15000)] = {
        "normal": {"mean": 6500, "std": 500, "low": 5000, "high": 8500}
    }
    balance: Annotated[Any, numbers(0, 1)] = 0
    vignette: Annotated[Any, numbers(0, 1)] = {"uniform": [0, 0.25]}
    blur: Annotated[Any, numbers(0, 20)] = {"uniform": [0, 0.6]}
    noise: Annotated[Any, numbers(0, 0.5)] = {"log_uniform": [0.001, 0.015]}
    shot: Annotated[Any, numbers(0, 0.5)] = {"log_uniform": [0.001, 0.02]}
    sharpening: Annotated[Any, numbers(0, 5)] = 0
    jpeg: Annotated[Any, numbers(0, 100, whole=True)] = {
        "mixture": [{"weight": 0.3, "of": 0}, {"weight": 0.7, "of": {"uniform": [60, 98]}}]
    }


class RenderSettings(Section):
    """How pictures are computed. quality names a row of `render.settings.QUALITY`; the rest overrides its entries.

    plate: also store the clean background; pictures with a ground or room then take a second render.
    """

    quality: Literal["draft", "standard", "high"] = "standard"
    samples: int | None = Field(default=None, ge=1, le=65536)
    denoise: bool | None = None
    bounces: int | None = Field(default=None, ge=0, le=128)
    plate: bool = False


class Config(Section):
    """A data set: which assets, how each factor varies, how it is drawn. classes null: all the assets have."""

    renderer: Literal["blender"] = "blender"
    classes: tuple[str, ...] | None = None
    assets: Assets = Assets()
    objects: Objects = Objects()
    material: MaterialFactor = MaterialFactor()
    lighting: Lighting = Lighting()
    camera: CameraFactor = CameraFactor()
    background: BackgroundFactor = BackgroundFactor()
    surface: SurfaceFactor | None = None
    sensor: SensorFactor = SensorFactor()
    render: RenderSettings = RenderSettings()

    @field_validator("classes")
    @classmethod
    def _some(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("classes must name at least one class, and none twice")
        return value

    @model_validator(mode="after")
    def _one_balance(self) -> Config:
        # A camera balances what it sees: picture and plate would come out in different colors.
        if self.render.plate and max(self.sensor.balance.support()) > 0:
            raise ValueError("sensor.balance must be 0 where render.plate is true")
        return self

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height of its pictures in pixels."""
        return self.camera.resolution

    def plain(self) -> dict[str, Any]:
        """The config as JSON data, complete with defaults."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """sha256 over the config's canonical JSON: equal for equal meaning, however the YAML was written."""
        return hashlib.sha256(json.dumps(self.plain(), sort_keys=True).encode()).hexdigest()
