"""The config of assets: where objects, lights and surfaces come from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from scenes.section import Section


class ModelFolderConfig(Section):
    """A folder of 3D models; the fields are those of `scenes.assets.sources.ModelFolder`."""

    path: Path
    """The folder, relative to the config file."""
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
    """Where objects, lights and surfaces come from. Paths are relative to the config file."""

    shapes: int = Field(default=48, ge=0, le=1_000_000)
    """The number of variants of each built-in class; 0 for none."""
    models: tuple[ModelFolderConfig, ...] = ()
    """Folders of 3D models."""
    manifest: Path | None = None
    """A list of assets such as `assets_manifest.yaml`."""
    hdris: tuple[Path, ...] = ()
    """Folders of environment maps."""
    studio_hdris: bool = True
    """Whether to use the eight environment maps that come with Blender."""
    textures: tuple[Path, ...] = ()
    """Folders of texture sets for the material families "pbr" and "image"."""
    images: tuple[Path, ...] = ()
    """Folders of pictures for the background kind "image"."""
