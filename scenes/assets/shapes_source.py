"""The built-in parametric shapes as assets, `shape:<class>:<variant>`, made when first asked for."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping

import numpy as np

from scenes.assets.cache import Cache
from scenes.assets.info import AssetInfo
from scenes.assets.normalize import VERSION, describe, unit_model
from scenes.errors import InputError, choices
from scenes.mesh import Model
from scenes.shapes.digest import class_digest
from scenes.shapes.registry import GENERATORS

PREFIX = "shape:"
LICENSE = "CC0-1.0"
SOURCE = "blendmill parametric shapes"


def checked(shapes: Mapping[str, int | range]) -> dict[str, range]:
    """The variants by class, sorted, of the classes that have some. Raises InputError for an unknown one.

    shapes: the number of variants, from 0 on, or the variants.
    """
    for name in shapes:
        if name not in GENERATORS:
            raise InputError(f"no built-in shape has the class '{name}', {choices(name, GENERATORS)}")
    variants = {name: range(given) if isinstance(given, int) else given for name, given in sorted(shapes.items())}
    return {name: some for name, some in variants.items() if some}


def shape_id(category: str, variant: int) -> str:
    return f"{PREFIX}{category}:{variant}"


def parse_id(asset_id: str) -> tuple[str, int]:
    """(class, variant) of a shape's id. Raises InputError."""
    category, _, variant = asset_id.removeprefix(PREFIX).partition(":")
    if category not in GENERATORS:
        raise InputError(f"asset '{asset_id}': no built-in class '{category}', {choices(category, GENERATORS)}")
    if not (variant.isascii() and variant.isdigit()):
        raise InputError(f"asset '{asset_id}': '{variant}' is no variant, write shape:{category}:0")
    return category, int(variant)


def generate(asset_id: str) -> Model:
    """The shape in meters. The class and the variant decide it alone."""
    category, variant = parse_id(asset_id)
    seed = np.random.SeedSequence([variant, zlib.crc32(category.encode())])
    return GENERATORS[category](np.random.Generator(np.random.Philox(seed)))


def make(asset_id: str, cache: Cache) -> tuple[AssetInfo, Model]:
    """Generate, normalize and keep a shape."""
    model, meters = unit_model(generate(asset_id))
    info = describe(
        model,
        id=asset_id,
        category=parse_id(asset_id)[0],
        meters=meters,
        sha256=source_digest(asset_id),
        license=LICENSE,
        source=SOURCE,
    )
    return info, cache.store(entry_key(asset_id), info, model)


def entry_key(asset_id: str) -> str:
    return hashlib.sha256(f"{asset_id} {source_digest(asset_id)} {VERSION}".encode()).hexdigest()


def source_digest(asset_id: str) -> str:
    """sha256 of the code that makes the shapes of this one's class."""
    return class_digest(parse_id(asset_id)[0])
