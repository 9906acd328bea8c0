"""The config of assets: where objects, lights and surfaces come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator

from scenes.section import Section
from scenes.urls import is_url


def _place(value: Any, path: ValidatorFunctionWrapHandler) -> Any:
    return value if is_url(value) else path(value)


Place = Annotated[Path, WrapValidator(_place), PlainSerializer(str, when_used="json")]
"""A folder or a file here, or a URL such as s3://bucket/models, which stays a text. `mirror.place` tells them apart."""


class ModelFolderConfig(Section):
    """A folder of 3D models; the fields are those of `scenes.assets.sources.ModelFolder`."""

    path: Place
    """The folder, relative to the config file, or a URL such as s3://bucket/models."""
    layout: Literal["auto", "class-folders", "shapenet", "modelnet", "flat"] = "auto"
    """How the folder is arranged."""
    category: str = ""
    """The class of all its models, for the layout "flat"."""
    up: str = "auto"
    """The axis that points up, such as "z"; "auto" takes the file format's own."""
    front: str = "auto"
    """The axis that an object's front looks along, such as "-y"; "auto" takes the file format's own."""
    unit: float | None = Field(default=None, gt=0)
    """Meters for each unit of the files; null if it is unknown."""
    need_textures: bool = False
    """Whether a model whose textures are missing is refused."""
    license: str = ""
    """The license of the models, for the data set's list of assets."""


class AssetsConfig(Section):
    """Where objects, lights and surfaces come from. Paths are relative to the config file; folders may be URLs."""

    shapes: int = Field(default=48, ge=0, le=1_000_000)
    """The number of variants of each built-in class; 0 for none."""
    first_shape: int = Field(default=0, ge=0, le=1_000_000_000)
    """The number of the first variant. 48 holds out the variants 0 to 47, which are those of `shapes: 48`: no object of
    a test set is then one of the training set."""
    models: tuple[ModelFolderConfig, ...] = ()
    """Folders of 3D models."""
    manifest: Path | None = None
    """A list of assets such as `assets_manifest.yaml`."""
    hdris: tuple[Place, ...] = ()
    """Folders of environment maps, or URLs of some."""
    studio_hdris: bool = True
    """Whether to use the eight environment maps that come with Blender."""
    textures: tuple[Place, ...] = ()
    """Folders of texture sets, or URLs of some, for the material families "pbr" and "image"."""
    images: tuple[Place, ...] = ()
    """Folders of pictures, or URLs of some, for the background kind "image"."""
