"""glTF files drawn by us, and as Blender's own importer shows them: the same camera, the same light.

    python -m benchmarks.gltf FOLDER [SHEET.png]

For each file below the folder: the overlap (IoU) of the two silhouettes, the mean difference of the colors where both
have the object (of 255, sRGB), and what we say of the file. The pairs of pictures go to the sheet.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray
from PIL import Image

from benchmarks.common import table
from render.blender.importers import IMPORTERS, pieces
from render.blender.materials.palette import Palette
from render.blender.meshes import upload
from scenes.assets.cache import Cache
from scenes.assets.file_source import settle
from scenes.assets.formats import GLTF
from scenes.assets.sources import FileAsset
from scenes.record.material import Material

SIZE, SAMPLES = 128, 16
MIN_IOU, MAX_COLOR = 0.995, 6.0


def main(folder: Path, sheet: Path | None) -> None:
    rows, pairs = [], []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in GLTF):
        name = path.relative_to(folder).as_posix()
        with tempfile.TemporaryDirectory() as scratch:
            row, pair = _compared(path, folder, Path(scratch))
        rows.append([name, *row])
        print(" | ".join(rows[-1]), flush=True)
        if pair is not None:
            pairs.append(pair)
    print(table(["file", "IoU", "color", "", "told"], rows))
    if sheet is not None and pairs:
        Image.fromarray(np.concatenate([_grid(pairs, side) for side in (0, 1)], axis=1)).save(sheet)


def _compared(path: Path, root: Path, scratch: Path) -> tuple[list[str], tuple[NDArray, NDArray] | None]:
    cache = Cache(scratch / "cache")
    settled = settle(FileAsset("x", "x", path, root, "y", "z"), cache, IMPORTERS)
    told = settled.reason or "; ".join(settled.warnings)
    if settled.reason:
        return ["", "", "refused", told], None
    ours = _picture(scratch / "ours.png", lambda: _ours(cache, settled.entry))
    try:
        theirs = _picture(scratch / "theirs.png", lambda: _theirs(path))
    except RuntimeError:
        return ["", "", "refused by Blender", told], None
    # Half of the most that is there: an object of glass is never opaque.
    half = max(int(theirs[..., 3].max()) // 2, 1)
    mine, other = ours[..., 3] > half, theirs[..., 3] > half
    both = mine & other
    iou = both.sum() / max((mine | other).sum(), 1)
    color = np.abs(ours[both].astype(float) - theirs[both])[:, :3].mean() if both.any() else 0.0
    good = iou >= MIN_IOU and color <= MAX_COLOR
    return [f"{iou:.4f}", f"{color:.1f}", "" if good else "DIFFERS", told], (ours, theirs)


def _ours(cache: Cache, entry: str) -> None:
    model = cache.model(entry)
    assert model is not None
    thing = bpy.data.objects.new("ours", upload("ours", model))
    bpy.context.scene.collection.objects.link(thing)
    palette = Palette(lambda _: None)  # type: ignore[arg-type, return-value]
    for slot, part in zip(thing.material_slots, model.parts, strict=True):
        slot.link = "OBJECT"
        # What has no material of its own is drawn in Blender's gray.
        spec, look = Material("own", {}), part.appearance
        if look is None:
            slot.material = None
        else:
            slot.material = palette.checkout(
                spec, pass_index=1, foreground=True, appearance=look, colored=part.colors is not None
            )


def _theirs(path: Path) -> None:
    bpy.ops.import_scene.gltf(filepath=str(path))
    corners = np.concatenate([piece.corners.reshape(-1, 3) for piece in pieces()])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = 1 / np.linalg.norm(high - low)
    move = Matrix.Scale(scale, 4) @ Matrix.Translation(-(low + high) / 2)
    roots = [thing for thing in bpy.data.objects if thing.parent is None]
    empty = bpy.data.objects.new("unit", None)
    for thing in roots:
        thing.parent = empty
    bpy.context.scene.collection.objects.link(empty)
    empty.matrix_world = move
    # Lamps and cameras of the file are no part of the object.
    for thing in [thing for thing in bpy.data.objects if thing.type in ("LIGHT", "CAMERA")]:
        bpy.data.objects.remove(thing)


def _picture(target: Path, build) -> NDArray[np.uint8]:  # type: ignore[no-untyped-def]
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    build()
    scene = bpy.context.scene
    scene.render.engine, scene.render.film_transparent = "CYCLES", True
    scene.render.resolution_x = scene.render.resolution_y = SIZE
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.transparent_max_bounces = SAMPLES, False, 256
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.filepath = str(target)
    scene.world = bpy.data.worlds.new("gray")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[0].default_value = (0.6, 0.7, 0.8, 1)
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.0, 0.3
    sun.rotation_euler = (0.7, 0.2, 0.5)
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler = (0.62, -1.35, 0.75), (1.107, 0.0, 0.43)
    camera.data.lens = 50
    for thing in (sun, camera):
        scene.collection.objects.link(thing)
    scene.camera = camera
    bpy.ops.render.render(write_still=True)
    return np.asarray(Image.open(target).convert("RGBA"))


def _grid(pairs: list[tuple[NDArray, NDArray]], side: int) -> NDArray[np.uint8]:
    columns = 4
    cells = [pair[side] for pair in pairs]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    lines = [np.concatenate(cells[k : k + columns], axis=1) for k in range(0, len(cells), columns)]
    return np.concatenate(lines, axis=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
