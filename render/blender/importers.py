"""Reads glTF, FBX, USD and .blend files as models, with Blender in a process beside this one.

So a file does not change the scene of the caller, and a file that crashes Blender costs only one asset. Scripts and
drivers in a .blend file never run: its objects are appended instead of opening the file, and automatic execution is
off. The results use Blender's axes: z up, front -y; those of glTF files are y up, front z, as in the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from scenes.assets.appearance import role_of
from scenes.assets.formats import GLTF, IMPORTED
from scenes.assets.loading import Importer, Loaded
from scenes.assets.model_maps import Maps
from scenes.assets.packing import DAMAGE, pack, unpack
from scenes.assets.reader import Reader, serve
from scenes.assets.references import TEXTURE_FOLDERS, References
from scenes.errors import LoadError
from scenes.files import inside
from scenes.mesh import Appearance, Model, Part

if TYPE_CHECKING:
    from render.blender.shaders import Surface

_READER = Reader("render.blender.importers")
_EMPTY = "is empty: it holds no triangles that are drawn; convert curves and NURBS to a mesh, and show what is hidden"


def convert(path: Path, refers: References, scratch: Path) -> Loaded:
    """Read a model file in Blender's process. scratch: folder for its maps. Raises LoadError if that fails."""
    result = scratch / "model.npz"
    found = {name: str(file) for name, file in refers.found.items()}
    source = path.resolve()
    root = refers.root or source.parent
    _READER.ask({"source": str(source), "root": str(root), "found": found, "result": str(result)})
    try:
        model, about = unpack(result, scratch.joinpath)
    except DAMAGE as error:
        raise LoadError(f"cannot be imported: the result of Blender cannot be read ({error})") from None
    finally:
        result.unlink(missing_ok=True)
    return Loaded(model, tuple(about["lost"]), tuple(about["notes"]))


IMPORTERS: dict[str, Importer] = {suffix: convert for suffix in (*GLTF, *IMPORTED)}


def _work(request: Mapping[str, Any]) -> None:
    import bpy

    from render.blender.gltf import read_gltf

    source, result = Path(request["source"]), Path(request["result"])
    suffix = source.suffix.lower()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    if suffix in GLTF:
        loaded = read_gltf(source, {name: Path(path) for name, path in request["found"].items()}, result.parent)
    else:
        loaded = _read(_Place(source, Path(request["root"])), suffix, result.parent)
    if not loaded.model.parts:
        raise LoadError(_EMPTY)
    result.write_bytes(pack(loaded.model, lost=loaded.lost, notes=loaded.notes))


@dataclass(frozen=True)
class _Place:
    """Where a model's pictures may be. file: the model. root: folder that must contain them."""

    file: Path
    root: Path


def _read(place: _Place, suffix: str, scratch: Path) -> Loaded:
    from render.blender.usd import read_usd

    if suffix == ".fbx":
        _import_fbx(place.file)
    elif suffix == ".blend":
        _append(place.file)
    else:
        place = _Place(*read_usd(place.file, place.root, scratch))
    lost, notes = list[str](), list[str]()
    parts = tuple(_parts(place, Maps(scratch, lost), notes))
    return Loaded(Model(parts), tuple(dict.fromkeys(lost)), tuple(dict.fromkeys(notes)))


def _import_fbx(source: Path) -> None:
    import bpy

    try:
        # Some animations crash Blender, or make the object nothing in the first frame. The pose without them is kept.
        bpy.ops.wm.fbx_import(filepath=str(source), use_anim=False)
    except RuntimeError as error:
        said = str(error).strip().rpartition(": ")[2].strip("'")
        raise LoadError(f"cannot be read as FBX ({said}): export it again, as binary FBX of 2014 or later") from None
    if all(item.hide_viewport for item in bpy.data.objects if item.type == "MESH"):
        for item in bpy.data.objects:
            item.hide_viewport = False


def _append(source: Path) -> None:
    import bpy

    try:
        with bpy.data.libraries.load(str(source), link=False) as (held, wanted):
            # A scene brings its objects along. Only it knows which of its collections are drawn.
            wanted.scenes = held.scenes[:1]
            wanted.objects = [] if held.scenes else held.objects
    except OSError:
        raise LoadError(f"is no file that Blender {bpy.app.version_string} opens: it is damaged, or newer") from None
    for library in bpy.data.libraries:
        if Path(bpy.path.abspath(library.filepath)).resolve() != source.resolve():
            raise RuntimeError(f"it links to another file, {library.filepath}")
    for item in wanted.objects:
        if item is not None:
            bpy.context.scene.collection.objects.link(item)
    for scene in wanted.scenes:
        bpy.context.window.scene = scene
    _show_as_rendered()


def _show_as_rendered() -> None:
    """Make the view, which is what is read, hold what a render would draw."""
    import bpy

    layer = bpy.context.view_layer
    drawn = set(_drawn(layer.layer_collection))
    for item in list(layer.objects):
        item.hide_render = item not in drawn
        item.hide_viewport = False
        item.hide_set(False)
        for modifier in item.modifiers:
            modifier.show_viewport = modifier.show_render
            if modifier.type == "SUBSURF":
                modifier.levels = modifier.render_levels


def _drawn(layer: Any) -> Iterator[Any]:
    """The objects of a collection that a render draws; it draws an object if any of its collections is drawn."""
    if layer.exclude or layer.collection.hide_render:
        return
    layer.hide_viewport = layer.collection.hide_viewport = False
    yield from (item for item in layer.collection.objects if not item.hide_render)
    for below in layer.children:
        yield from _drawn(below)


def _parts(place: _Place, maps: Maps, notes: list[str]) -> Iterator[Part]:
    """The surfaces of the scene as parts, one per material."""
    from render.blender.shaders import Surface, surface

    groups: dict[str, list[Piece]] = {}
    materials: dict[str, Any] = {}
    for piece in pieces():
        name = piece.material.name if piece.material else ""
        groups.setdefault(name, []).append(piece)
        materials[name] = piece.material
    for name, group in groups.items():
        made = None
        if materials[name]:
            made = surface(materials[name], lambda image: _kept(image, place, maps), maps, notes)
        elif place.file.suffix.lower() != ".blend" and any(piece.colors for piece in group):
            # Formats for exchange show the colors of what has no material, such as displayColor of USD.
            made = Surface(Appearance((1.0, 1.0, 1.0)), colors="")
        look = made.look if made else None
        part = joined(name or "surface", role_of(name, look is not None), look, group)
        yield part if made is None else replace(part, **_layers(made, group, part.uvs is not None))


def _layers(made: Surface, group: list[Piece], has_uvs: bool) -> dict[str, Any]:
    """The UVs and the colors of a part, as its material asks for."""
    uvs = colors = None
    if has_uvs:
        each = ([layer.of(piece.uvs, len(piece.corners)) for piece in group] for layer in made.layers)
        uvs = np.concatenate([np.concatenate(of_pieces) for of_pieces in each], axis=2)
    if made.colors is not None and any(piece.colors for piece in group):
        colors = np.concatenate([_painted(piece, made.colors) for piece in group])
    return {"uvs": uvs, "colors": colors}


def _painted(piece: Piece, name: str) -> NDArray[np.float32]:
    """(m, 3, 4) the colors of a piece, of the layer of that name or else its first; white without any."""
    white = np.ones((len(piece.corners), 3, 4), np.float32)
    found = piece.colors.get(name, next(iter(piece.colors.values()), white))
    return np.concatenate([found[..., :3], white[..., 3:]], axis=2)


@dataclass(frozen=True)
class Piece:
    """The triangles of one object with one material. item: the object's name. corners, normals: (m, 3, 3) in the world.

    uvs, colors: by the name of the layer, (m, 3, 2) and (m, 3, 4). The first layer of UVs is the one that
    Blender renders with where no node names another.
    """

    item: str
    material: Any
    corners: NDArray[np.float64]
    normals: NDArray[np.float32]
    uvs: dict[str, NDArray[np.float32]]
    colors: dict[str, NDArray[np.float32]]


def joined(name: str, role: str, look: Appearance | None, group: list[Piece]) -> Part:
    """One part of several pieces, with the first layer of UVs of each."""
    uvs = None
    if any(piece.uvs for piece in group):
        blank = [next(iter(p.uvs.values()), np.zeros((len(p.corners), 3, 2), np.float32)) for p in group]
        uvs = np.concatenate(blank)
    vertices = np.concatenate([piece.corners for piece in group]).reshape(-1, 3)
    faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    return Part(name, vertices, faces, np.concatenate([piece.normals for piece in group]), uvs, role, look)


def pieces() -> Iterator[Piece]:
    """All triangles that the scene shows. Raises LoadError if a vertex has no place."""
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    for instance in graph.object_instances:
        item = instance.object
        hidden = item.original.hide_render or (instance.parent and instance.parent.original.hide_render)
        if item.type not in ("MESH", "CURVE", "SURFACE", "META", "FONT") or hidden:
            continue
        matrix = np.array(instance.matrix_world, dtype=np.float64)
        mesh = item.to_mesh()
        if mesh is not None and len(mesh.loop_triangles):
            yield from _by_material(item.name, mesh, [slot.material for slot in item.material_slots], matrix)
        item.to_mesh_clear()


def _by_material(item: str, mesh: Any, slots: list[Any], matrix: NDArray[np.float64]) -> Iterator[Piece]:
    count = len(mesh.loop_triangles)
    places = _values(mesh.vertices, "co", 3).astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
    if not np.isfinite(places).all():
        raise LoadError("has a vertex that is not a number")
    corners, loops, chosen = (np.empty(count * k, dtype=np.int32) for k in (3, 3, 1))
    mesh.loop_triangles.foreach_get("vertices", corners)
    mesh.loop_triangles.foreach_get("loops", loops)
    mesh.loop_triangles.foreach_get("material_index", chosen)
    # A matrix that flattens the object has no inverse; its normals are then of no use.
    normals = _values(mesh.corner_normals, "vector", 3)[loops] @ np.linalg.pinv(matrix[:3, :3]).astype(np.float32)
    layers = sorted(mesh.uv_layers, key=lambda layer: not layer.active_render)
    arrays = {("uvs", layer.name): _values(layer.data, "uv", 2)[loops] for layer in layers}
    for layer in mesh.color_attributes:
        at = loops if layer.domain == "CORNER" else corners
        arrays["colors", layer.name] = _values(layer.data, "color", 4)[at]
    arrays = {key: array.reshape(count, 3, -1) for key, array in arrays.items()}
    triangles, normals = places[corners].reshape(-1, 3, 3), normals.reshape(-1, 3, 3)
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles, normals = triangles[:, ::-1], normals[:, ::-1]
        arrays = {key: array[:, ::-1] for key, array in arrays.items()}
    for index in np.unique(chosen):
        mine = chosen == index
        material = slots[index] if index < len(slots) else None
        own = {key: array[mine] for key, array in arrays.items()}
        uvs, colors = ({name: a for (kind, name), a in own.items() if kind == wanted} for wanted in ("uvs", "colors"))
        yield Piece(item, material, triangles[mine], normals[mine], uvs, colors)


def _values(rows: Any, name: str, width: int) -> NDArray[np.float32]:
    values = np.empty(len(rows) * width, dtype=np.float32)
    rows.foreach_get(name, values)
    return values.reshape(-1, width)


def _kept(image: Any, place: _Place, maps: Maps) -> Path | None:
    """Keep an image. Its bytes are packed, or in a file below the root of the model."""
    if image.filepath.endswith(("/", "\\")):
        # So the importer of FBX leaves a texture without a file.
        maps.lost.append("a map has no file: patterns and layers of the program that made it are not read")
        return None
    name = Path(image.filepath.replace("\\", "/")).name or image.name
    if image.packed_file:
        return maps.inside(name, bytes(image.packed_file.data))
    return maps.beside(name, _beside(image, place))


def _beside(image: Any, place: _Place) -> Path | None:
    import bpy

    written = image.filepath.replace("\\", "/")
    found = Path(bpy.path.abspath(image.filepath, library=image.library))
    folder = place.file.parent
    last = Path(written).name
    for name in (os.path.relpath(found, folder), written.removeprefix("//"), *(one + last for one in TEXTURE_FOLDERS)):
        try:
            path = inside(place.root, name, folder)
        except ValueError:
            continue
        if path.is_file():
            return path
    return None


if __name__ == "__main__":
    serve(_work)
