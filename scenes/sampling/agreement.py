"""What must hold between a config and the assets that are there, before a scene is drawn."""

from __future__ import annotations

from scenes.assets.catalogue import Catalogue
from scenes.assets.synsets import SYNSETS
from scenes.config.objects import Config
from scenes.errors import InputError, choices
from scenes.materials.families import TEXTURED
from scenes.materials.roles import ROLES
from scenes.names import Names
from scenes.record.record import CRACK
from scenes.sampling.pile import physics_engine
from scenes.sampling.poses import Poses
from scenes.shapes.registry import GENERATORS

# A class index is stored with 16 bits and a sign.
_MOST_CLASSES = 32767


def known_classes(config: Config, catalogue: Catalogue) -> Names:
    if config.surface is not None:
        return Names([CRACK])
    classes = config.classes or catalogue.classes
    for name in classes:
        if name not in catalogue.classes:
            raise InputError(f"field classes: no asset has the class '{name}', {choices(name, catalogue.classes)}")
    if len(classes) > _MOST_CLASSES:
        raise InputError(f"field classes: {len(classes)} classes, a label can tell {_MOST_CLASSES} apart; name fewer")
    if not classes:
        raise InputError("field assets: there is no object to draw: set shapes above 0, or name a folder of models")
    return Names(classes)


def check_poses(config: Config, poses: Poses) -> None:
    grounded = _may_have_ground(config)
    for number, matrix in enumerate(poses.matrices):
        height = -float(matrix[:3, 2] @ matrix[:3, 3])
        if grounded and height <= 0:
            raise InputError(
                f"field camera.poses: pose {number} is {-height:g} m under the ground; raise it, or leave out the "
                "backgrounds ground and room and set background.shadow to false"
            )


def _may_have_ground(config: Config) -> bool:
    """Whether a picture may have a ground, or a plane that catches shadows in its place."""
    background = config.background
    return bool({"ground", "room"} & set(background.kind.support())) or True in background.shadow.support()


def check_class_names(config: Config, catalogue: Catalogue) -> None:
    """Classes that no asset has may have factors, so that a config serves several collections; misspelled ones not."""
    known = {*catalogue.classes, *GENERATORS, *SYNSETS.values()}
    for name in config.by_class:
        if name not in known:
            raise InputError(f"field by_class.{name}: no asset has this class, {choices(name, known)}")


def check_assets(config: Config, catalogue: Catalogue, classes: tuple[str, ...]) -> None:
    """Every asset that a distribution names must exist, and what is drawn evenly not be empty. Piles need MuJoCo."""
    named = [
        ("objects.category", config.objects.category, classes),
        ("lighting.world.hdri", config.lighting.world.hdri, ("", *catalogue.hdris)),
        ("material.texture", config.material.texture, catalogue.textures),
        ("background.texture", config.background.texture, catalogue.textures),
        ("surface.texture", config.surface.texture if config.surface else None, catalogue.textures),
        ("background.image", config.background.image, catalogue.images),
    ]
    for field, distribution, known in named:
        for name in distribution.support() if distribution is not None else ():
            if name not in known:
                raise InputError(f"field {field}: no asset is called '{name}', {choices(name, known)}")
    for kind, folders in config.material.textures.items():
        kinds = {*classes, *GENERATORS, *SYNSETS.values(), *ROLES, "*"}
        if kind.partition(":")[0] not in kinds:
            raise InputError(f"field material.textures: '{kind}' is no class and no role, {choices(kind, kinds)}")
        for folder in folders:
            if not catalogue.textures.below((folder,)):
                held = {name.rpartition("/")[0] or name for name in catalogue.textures}
                raise InputError(
                    f"field material.textures.{kind}: no texture is in the folder '{folder}', {choices(folder, held)}"
                )
    surfaces = config.surface.family.support() if config.surface else ()
    families = {
        *surfaces,
        *config.material.family.support(),
        *config.background.ground.support(),
        *config.background.walls.support(),
    }
    if families & set(TEXTURED) and not catalogue.textures:
        raise InputError("field material.family: 'pbr' and 'image' need assets.textures to name a folder of textures")
    if _may_have_ground(config) and min(config.camera.elevation.support()) < 0:
        raise InputError(
            "field camera.elevation: below 0 the camera is under the ground; keep it above, or leave out the "
            "backgrounds ground and room and set background.shadow to false"
        )
    if True in config.objects.pile.present.support():
        physics_engine()  # before the first picture, not at the first pile
    if "image" in config.background.kind.support() and not catalogue.images:
        raise InputError("field background.kind: 'image' needs assets.images to name a folder of pictures")
