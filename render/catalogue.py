"""Opens the assets of a config, including the files that only Blender can read and its built-in environment maps."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from render.blender.importers import IMPORTERS as IMPORTERS
from scenes.assets.catalogue import Catalogue
from scenes.assets.mirror import place
from scenes.assets.sources import ModelFolder
from scenes.config.objects import Config
from scenes.shapes.registry import GENERATORS

# A worker caches few models, because Blender holds the uploaded meshes.
_MEMORY = 64 << 20


def studio_folder() -> Path | None:
    """The folder of the HDRIs that ship with Blender, or None without Blender. This does not start Blender."""
    found = importlib.util.find_spec("bpy")
    if found is None or found.origin is None:
        return None
    return next(iter(sorted(Path(found.origin).parent.glob("*/datafiles/studiolights/world"))), None)


def open_catalogue(config: Config) -> Catalogue:
    """Open the assets that a config describes.

    Parameters
    ----------
    config : Config
        Its section `assets` names folders, files and the number of generated shapes per class.

    Returns
    -------
    Catalogue
        The models, textures, environment maps and images, by asset id.

    Raises
    ------
    InputError
        If a folder or file does not exist, or an object store does not answer.

    Examples
    --------
    >>> import blendmill
    >>> config = blendmill.load_config("smoke", ["assets.shapes=1", "classes=[mug]"])
    >>> blendmill.open_catalogue(config).assets("mug")
    ('shape:mug:0',)
    """
    assets = config.assets
    named = set(config.classes or GENERATORS)
    # The sampler reports unknown classes, because it knows all classes that exist.
    wanted = [name for name in GENERATORS if name in named] if named & set(GENERATORS) else list(GENERATORS)
    return Catalogue(
        shapes=dict.fromkeys(wanted, range(assets.first_shape, assets.first_shape + assets.shapes)),
        models=[
            ModelFolder(
                **{
                    **{name: getattr(folder, name) for name in type(folder).model_fields},
                    "path": place(folder.path, "field assets.models:"),
                }
            )
            for folder in assets.models
        ],
        manifest=assets.manifest,
        hdris=[place(one, "field assets.hdris:") for one in assets.hdris],
        studio=studio_folder() if assets.studio_hdris else None,
        textures=[place(one, "field assets.textures:") for one in assets.textures],
        images=[place(one, "field assets.images:") for one in assets.images],
        importers=IMPORTERS,
        memory=_MEMORY,
    )
