"""Materials from image files: scanned texture sets and plain pictures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from functools import partial
from pathlib import Path

import bpy

from render.blender.materials.nodes import Nodes, Wire
from scenes.errors import InputError

# All other maps hold numbers.
COLOR_MAPS = ("color", "emission_color", "specular_tint", "sheen_tint")


class ImageCache:
    """Cache of Blender images by path. It drops the least recently used ones above `limit` bytes."""

    def __init__(self, limit: int):
        self._limit = limit
        self._images: OrderedDict[Hashable, bpy.types.Image] = OrderedDict()

    def __len__(self) -> int:
        return len(self._images)

    def get(self, path: Path, is_data: bool) -> bpy.types.Image:
        """Load an image. is_data: read it as numbers (normals, roughness, …), not as sRGB colors.

        Raises InputError if the file is missing or not an image.
        """
        return self._kept((path, is_data), partial(_load, path, is_data))

    def environment(self, path: Path) -> bpy.types.Image:
        """Load an environment map."""
        return self._kept(path, partial(_load_environment, path))

    def _kept(self, key: Hashable, load: Callable[[], bpy.types.Image]) -> bpy.types.Image:
        if key not in self._images:
            self._images[key] = load()
        self._images.move_to_end(key)
        return self._images[key]

    def trim(self) -> None:
        """Drop images above the limit. Call it between pictures, when no material uses them."""
        size = sum(_bytes(image) for image in self._images.values())
        while size > self._limit and len(self._images) > 1:
            _, image = self._images.popitem(last=False)
            size -= _bytes(image)
            bpy.data.images.remove(image)


def _load(path: Path, is_data: bool) -> bpy.types.Image:
    try:
        image = bpy.data.images.load(str(path), check_existing=False)
    except RuntimeError as error:
        raise InputError(f"{path}: this texture cannot be read ({str(error).strip()}): restore the file") from error
    if 0 in image.size:
        bpy.data.images.remove(image)
        raise InputError(f"{path}: this texture is not an image Blender can decode: convert it to PNG or JPEG")
    linear = image.file_format in ("OPEN_EXR", "HDR")
    image.colorspace_settings.name = "Non-Color" if is_data else "Linear Rec.709" if linear else "sRGB"
    # Colors stay what they are where the alpha channel is 0.
    image.alpha_mode = "CHANNEL_PACKED"
    # Cycles decodes a file anew for each render, but takes a packed image as Blender holds it. Grays and numbers of
    # more than 8 bits would be rounded in another way then.
    if not image.is_float and image.depth in (24, 32):
        image.pack()
    return image


def _load_environment(path: Path) -> bpy.types.Image:
    image = bpy.data.images.load(str(path), check_existing=False)
    image.pack()
    return image


def _bytes(image: bpy.types.Image) -> int:
    width, height = image.size
    return width * height * 4 * (4 if image.is_float else 1)


def _sampled(tree: Nodes, kind: str, at: Wire) -> Wire:
    node = tree.add("TexImage", {"Vector": at})
    tree.images[kind] = node.socket.node
    return node


def _gray(tree: Nodes, kind: str, at: Wire) -> Wire:
    return tree.split(_sampled(tree, kind, at))[0]


def _place(tree: Nodes) -> Wire:
    """The box UVs times `scale`, turned by `rotation` degrees."""
    uv = tree.add("UVMap", uv_map="box")
    turn = tree.xyz(0.0, 0.0, tree["rotation"] * 0.0174533)
    turned = tree.add("VectorRotate", {"Vector": uv, "Rotation": turn}, rotation_type="EULER_XYZ")
    return turned * tree.xyz(tree["scale"], tree["scale"], 1.0)


def pbr(tree: Nodes, maps: Collection[str]) -> Wire:
    """A scanned texture set. maps: its kinds of maps, as in `scenes.assets.texture_sets`."""
    at = _place(tree)
    color = _sampled(tree, "color", at)
    packed = tree.split(_sampled(tree, "arm", at)) if "arm" in maps else None
    ao = _sampled(tree, "ao", at) if "ao" in maps else packed and packed[0]
    rough = _sampled(tree, "roughness", at) if "roughness" in maps else packed and packed[1]
    metallic = _sampled(tree, "metalness", at) if "metalness" in maps else packed and packed[2]
    shaded = color * tree.ramp(ao, 0.0, 1.0, 0.4, 1.0) if ao else color
    if "opacity" in maps:
        tree.opacity, tree.soft = _gray(tree, "opacity", at), True
    return tree.principled(shaded, rough or 0.6, _relief(tree, maps, at), metallic=metallic or 0.0)


def _relief(tree: Nodes, maps: Collection[str], at: Wire) -> Wire | None:
    """The normal from a normal map, or from displacement as bump, or None."""
    if "normal_gl" in maps or "normal_dx" in maps:
        kind = "normal_gl" if "normal_gl" in maps else "normal_dx"
        # The map's axes turn with the picture, the tangents of the UV layer do not.
        back = tree.xyz(0.0, 0.0, tree["rotation"] * -0.0174533)
        bent = _sampled(tree, kind, at) - 0.5
        if kind == "normal_dx":
            bent = bent * (1.0, -1.0, 1.0)
        turned = tree.add("VectorRotate", {"Vector": bent, "Rotation": back}, rotation_type="EULER_XYZ") + 0.5
        return tree.add("NormalMap", {"Color": turned}, space="TANGENT", uv_map="box")
    return tree.bump(_sampled(tree, "displacement", at), 0.02) if "displacement" in maps else None


def image(tree: Nodes) -> Wire:
    """A plain picture wrapped around, its darker parts a little rougher."""
    color = _sampled(tree, "color", _place(tree))
    # Photographs do not tile without seams, but their mirror images do.
    tree.images["color"].extension = "MIRROR"
    rough = tree["roughness"] * (1.15 - tree.add("RGBToBW", {0: color}) * 0.3)
    return tree.principled(color, rough, tree.bump(tree.add("RGBToBW", {0: color}), 0.006))
