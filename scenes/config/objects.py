"""The config of a rendered data set: every factor with its default. YAML files accept exactly these fields."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from scenes.annotations import flags, names, numbers
from scenes.config.assets import AssetsConfig
from scenes.config.by_class import SECTIONS, ByClass, sections_of, written_out
from scenes.config.camera import CameraConfig, SensorConfig
from scenes.config.crack import CrackConfig
from scenes.config.explaining import explained
from scenes.config.lighting import LightingConfig
from scenes.config.material import BackgroundConfig, MaterialConfig
from scenes.config.surface import SurfaceConfig
from scenes.section import Section


class ClutterConfig(Section):
    """Extra objects next to the members; they are not of interest."""

    count: Annotated[Any, numbers(0, 20, whole=True, unit="count")] = 0
    """Number of such objects."""
    scale: Annotated[Any, numbers(0.01, 100, unit="factor")] = {"uniform": [0.3, 0.9]}
    """Their size over that of the main object."""


class OccluderConfig(Section):
    """An object between the camera and the main one."""

    present: Annotated[Any, flags()] = False
    """Whether there is one."""
    visibility: Annotated[Any, numbers(0.05, 1, unit="share")] = {"uniform": [0.4, 0.9]}
    """Share of the main object that stays visible."""


class PileConfig(Section):
    """Objects that fell into a pile, by the physics of rigid bodies. It needs the package mujoco-core."""

    present: Annotated[Any, flags()] = False
    """Whether members and clutter fall; else they stand side by side. They fall as `rotation` turns them, and come to
    rest as they will."""
    spread: Annotated[Any, numbers(0, 10, unit="factor")] = {"uniform": [0.4, 1.2]}
    """Radius of the disc over which they fall: 0 lets them fall on one point, 1 on a disc as large as their spheres'
    cross-sections together."""
    film: Annotated[Any, numbers(0.01, 60, unit="s")] | None = None
    """The views of a scene show the last so many seconds of the fall, evenly in time, or all of a shorter fall; in the
    last view all is at rest. null: all views show it at rest. `camera.path: {turn: 0}` keeps the camera still."""


class ObjectsConfig(Section):
    """What stands in the picture."""

    category: Annotated[Any, names()] | None = None
    """Class of the main object and of every other member; null draws evenly over all classes."""
    count: Annotated[Any, numbers(1, 20, whole=True, unit="count")] = 1
    """Number of members, the main object among them."""
    size: Literal["unit", "metric"] = "unit"
    """"unit" gives each object a diagonal of `scale` meters, "metric" its own size times `scale`."""
    scale: Annotated[Any, numbers(0.01, 100, unit="m; factor if size is metric")] = {"uniform": [1.0, 2.0]}
    """Size of the object."""
    rotation: Annotated[Any, names("upright", "standing", "stable", "lying", "free")] = "upright"
    """"upright" turns the object by `yaw` only, "stable" rests it on a stable side, "free" is even over all rotations.
    "standing" is upright where the object would stay so and on a stable side otherwise, as for a guitar. "lying" lays
    it on its back; `side` and `camera.elevation` are then counted from it as if it stood, so a front is seen from
    above."""
    yaw: Annotated[Any, numbers(-3600, 3600, unit="degrees")] = {"uniform": [0, 360]}
    """Turn of the object about the vertical; `side` takes its place."""
    side: Annotated[Any, numbers(-3600, 3600, unit="degrees")] | None = None
    """The side that is seen: the azimuth of the camera as counted from the object's own front. 0 sees it from its
    front, 90 from its left, 180 from behind. The object is turned to the camera, so `camera.azimuth` only decides what
    is behind it. If a scene has several views, the first one sees this side. null: `yaw` turns it."""
    support: Annotated[Any, names("ground", "floating")] = "ground"
    """Whether the object rests on the ground."""
    lift: Annotated[Any, numbers(0, 100, unit="object diagonals")] = {"uniform": [0.05, 0.6]}
    """Height of a floating object above the ground."""
    spacing: Annotated[Any, numbers(0, 10, unit="object widths")] = {"uniform": [0.05, 0.4]}
    """Free room around each member."""
    crowding: Annotated[Any, numbers(0, 1, unit="share")] = 0.0
    """How far members and clutter move toward the main object: 0 stays where there was room, 1 until it meets the free
    room of another object, 0.5 half of that way."""
    pile: PileConfig = PileConfig()
    """Objects on top of each other."""
    clutter: ClutterConfig = ClutterConfig()
    """Objects of no interest beside the members."""
    occluder: OccluderConfig = OccluderConfig()
    """An object that hides part of the main one."""
    min_share: float | None = Field(default=None, gt=0, le=0.5)
    """Smallest share of the picture's pixels that show the main object; the camera zooms in until it is reached."""
    max_clutter: float | None = Field(default=None, ge=0)
    """Most pixels of all clutter together over those of the main object; clutter is made smaller or left out."""
    crack: CrackConfig | None = None
    """A crack through the main object; the crack is then the only class. It is projected on the object, so it is wider
    than `crack.width` where the surface leans."""


class RenderConfig(Section):
    """How pictures are computed."""

    quality: Literal["draft", "standard", "high"] = "standard"
    """A row of `render.settings.QUALITY`; the fields below replace its entries."""
    samples: int | None = Field(default=None, ge=1, le=65536)
    """Light paths for each pixel."""
    denoise: bool | None = None
    """Whether noise is removed from the picture."""
    bounces: int | None = Field(default=None, ge=0, le=128)
    """How often light may be reflected on its way."""
    plate: bool = False
    """Whether the picture without the objects is stored too; with a ground or room it takes a second render."""
    flow: bool = False
    """Whether the optical flow to the next view of the scene is stored; needs `camera.views` of 2 at least."""


class Config(Section):
    """The config of a rendered data set: its assets, the distribution of each factor, and the render settings.

    A field that varies takes a value or the YAML form of a distribution (see `parse`).

    Parameters
    ----------
    renderer : "blender"
        What draws the pictures.
    classes : tuple of str, optional
        Class names in label order. None takes all classes of the assets.
    assets : AssetsConfig
        Where objects, lights and surfaces come from.
    objects : ObjectsConfig
        The objects in the picture.
    material : MaterialConfig
        What objects are made of.
    lighting : LightingConfig
        The environment and the lamps.
    camera : CameraConfig
        The viewpoint, and the resolution in pixels.
    background : BackgroundConfig
        What is behind the objects.
    surface : SurfaceConfig, optional
        A cracked surface that fills the picture instead of objects.
    sensor : SensorConfig
        What the camera does to the light.
    render : RenderConfig
        How pictures are computed.
    by_class : mapping
        Factors that differ for the objects of a class: its name, then sections with the fields to replace.

    Examples
    --------
    >>> from blendmill import Config
    >>> Config(camera={"resolution": (64, 48)}).resolution
    (64, 48)
    """

    renderer: Literal["blender"] = "blender"
    """What draws the pictures."""
    classes: tuple[str, ...] | None = None
    """Class names in label order; null takes all that the assets have."""
    assets: AssetsConfig = AssetsConfig()
    """Where objects, lights and surfaces come from."""
    objects: ObjectsConfig = ObjectsConfig()
    """What stands in the picture."""
    material: MaterialConfig = MaterialConfig()
    """What objects are made of."""
    lighting: LightingConfig = LightingConfig()
    """The environment and the lamps."""
    camera: CameraConfig = CameraConfig()
    """The viewpoint."""
    background: BackgroundConfig = BackgroundConfig()
    """What is behind the objects."""
    surface: SurfaceConfig | None = None
    """A cracked surface that fills the picture instead of objects."""
    sensor: SensorConfig = SensorConfig()
    """What the camera does to the light."""
    render: RenderConfig = RenderConfig()
    """How pictures are computed."""
    by_class: dict[str, dict[str, Any]] = {}
    """Factors of single classes: `guitar: {camera: {roll: 90}}`. The fields of `objects` and `material` hold for all
    objects of the class, the others for the pictures of which such an object is the main one."""

    @field_validator("by_class", mode="before")
    @classmethod
    def _none_by_class(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("by_class")
    @classmethod
    def _of_known_fields(cls, value: ByClass, info: ValidationInfo) -> ByClass:
        if not set(SECTIONS) <= info.data.keys():
            return value  # another field is wrong, and told
        sections = {name: info.data[name] for name in SECTIONS}
        return {name: written_out(given, sections_of(name, given, sections)) for name, given in value.items()}

    @field_validator("classes")
    @classmethod
    def _some(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("classes must name at least one class, and none twice")
        return value

    @model_validator(mode="after")
    def _one_scene(self) -> Config:
        """With several views, no single camera may decide the scene. With given poses, the camera is fixed."""
        objects, camera = self.objects, self.camera
        if camera.poses is not None and objects.min_share is not None:
            raise ValueError("objects.min_share must be null where camera.poses is given, which fixes the camera")
        if True in objects.pile.present.support() and (objects.side, objects.max_clutter) != (None, None):
            raise ValueError("objects.side and objects.max_clutter must be null where objects.pile.present may be true")
        if objects.pile.film is not None and camera.views < 2:
            raise ValueError("objects.pile.film is shown by the views of a scene: set camera.views to 2 at least")
        if objects.pile.film is not None and objects.min_share is not None:
            raise ValueError("objects.min_share must be null where objects.pile.film is given: objects move")
        fixed = "camera.path" if camera.path is not None else "camera.stereo" if camera.stereo is not None else ""
        if fixed and objects.min_share is not None:
            raise ValueError(f"objects.min_share must be null where {fixed} is given, which fixes the cameras")
        if self.render.flow and camera.views < 2:
            raise ValueError("render.flow leads to the next view of a scene: set camera.views to 2 at least")
        if camera.poses is not None and objects.side is not None:
            raise ValueError("objects.side must be null where camera.poses is given, which says what is seen")
        dependent = {
            "objects.crack": objects.crack is not None,
            "objects.occluder.present": True in objects.occluder.present.support(),
            "surface": self.surface is not None,
        }
        for field, there in dependent.items():
            if camera.pictures > 1 and there:
                several = "camera.views to 1" if camera.stereo is None else "camera.stereo to null"
                raise ValueError(f"{field} depends on the camera: set it to null or false, or {several}")
        if camera.poses is not None and self.surface is not None:
            raise ValueError("camera.poses does not apply to surfaces: set it to null")
        return self

    @model_validator(mode="after")
    def _one_balance(self) -> Config:
        # White balance depends on the picture, so picture and plate would get different colors.
        if self.render.plate and max(self.sensor.balance.support()) > 0:
            raise ValueError("sensor.balance must be 0 where render.plate is true")
        return self

    @model_validator(mode="after")
    def _sound_by_class(self) -> Config:
        for name in self.by_class:
            try:
                self.of_class(name)
            except ValidationError as error:
                raise ValueError(explained(error, Config, f"by_class.{name}")) from None
        return self

    def of_class(self, name: str) -> Config:
        """The config that holds for a class, with what `by_class` says of it in place."""
        given = self.by_class.get(name)
        if given is None:
            return self
        fields = {field: getattr(self, field) for field in type(self).model_fields if field != "by_class"}
        sections = {part: fields[part] for part in SECTIONS}
        return Config.model_validate({**fields, **sections_of(name, given, sections)})

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels."""
        return self.camera.resolution

    def plain(self) -> dict[str, Any]:
        """The config as JSON data, complete with defaults."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """sha256 of the canonical JSON. Two YAML files with the same meaning have the same digest."""
        return hashlib.sha256(json.dumps(self.plain(), sort_keys=True).encode()).hexdigest()
