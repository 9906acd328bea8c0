"""The assets of a config, opened: where Blender's own environment maps lie, and who reads the kinds only it can."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from render.blender.importers import IMPORTERS as IMPORTERS
from scenes.assets.catalogue import Catalogue
from scenes.assets.sources import ModelFolder
from scenes.config.objects import Config
from scenes.shapes.registry import GENERATORS

# A worker keeps few models of its own: Blender holds the uploaded meshes.
_MEMORY = 64 << 20


def studio_folder() -> Path | None:
    """The folder of the HDRIs that come with Blender, found without starting it; None without Blender."""
    found = importlib.util.find_spec("bpy")
    if found is None or found.origin is None:
        return None
    return next(iter(sorted(Path(found.origin).parent.glob("*/datafiles/studiolights/world"))), None)


def open_catalogue(config: Config) -> Catalogue:
    """The catalogue that a config's `assets` describes. Raises InputError for folders that are not there."""
    assets = config.assets
    named = set(config.classes or GENERATORS)
    # A class that nobody has is the sampler's to complain of; it knows what there is.
    wanted = [name for name in GENERATORS if name in named] if named & set(GENERATORS) else list(GENERATORS)
    return Catalogue(
        shapes={name: assets.shapes for name in wanted} if assets.shapes else None,
        models=[
            ModelFolder(**{name: getattr(folder, name) for name in type(folder).model_fields})
            for folder in assets.models
        ],
        manifest=assets.manifest,
        hdris=assets.hdris,
        studio=studio_folder() if assets.studio_hdris else None,
        textures=assets.textures,
        images=assets.images,
        importers=IMPORTERS,
        memory=_MEMORY,
    )
