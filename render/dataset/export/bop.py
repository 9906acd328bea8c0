"""BOP, for 6D poses: `camera.json`, `models/` and `train_pbr/000000/` as the BOP toolkit reads them.

Every object is in it, clutter too. An asset is an object: `models/obj_000001.ply` in millimeters, with the origin in
the middle of its box, and `models_info.json` with its box, its diameter and its asset id. `scene_gt.json` has the
rotation and translation (mm) from the model to the camera (x right, y down, z forward). `mask/` has the whole
silhouette, and `mask_visib/` what is seen of it. `depth/` is in millimeters, 0 where nothing is hit or it is farther
than 65 m. Here the first pixel has its center at (0, 0), so cx and cy are half a pixel smaller than elsewhere in
blendmill.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.dataset.export.parts import Classes, Lines, stem, write_png
from render.frame import Frame
from scenes.errors import InputError
from scenes.mesh import Model
from scenes.projection import depth_map, seen_triangles
from scenes.record.scene import Item, Scene

_FOLDER = Path("train_pbr/000000")
Bools = NDArray[np.bool_]


def write_bop(
    frames: Iterable[Frame], classes: Classes, out: Path, piece: int, model: Callable[[str], Model]
) -> list[str]:
    """Write pictures into `out`. A line is what is known of a picture. model: the unit model of an asset.

    Raises InputError for pictures without objects.
    """
    lines = []
    for frame in frames:
        scene = frame.scene
        if not isinstance(scene, Scene) or not scene.items:
            raise InputError(f"picture {frame.index} shows no objects, bop needs some; use --format coco")
        if scene.camera.distortion is not None:
            raise InputError(f"picture {frame.index} has a lens with distortion, bop knows none; use --format coco")
        write_png(out / _FOLDER / "rgb" / f"{stem(frame)}.png", frame.rgb)
        write_png(out / _FOLDER / "depth" / f"{stem(frame)}.png", _millimeters(frame.depth))
        about = {
            "index": frame.index,
            "shape": frame.depth.shape,
            "camera": _camera(frame),
            "objects": [(item.asset, item.scale, _pose(frame, item)) for item in scene.items],
            "infos": [_info(frame, scene, place, model, out) for place in range(len(scene.items))],
        }
        lines.append(json.dumps(about))
    return lines


def finish_bop(lines: Lines, classes: Classes, out: Path, model: Callable[[str], Model]) -> None:
    """Write the truths of all pictures, entry by entry, and the models. Objects are numbered as they are met.

    Raises InputError for an asset that is there in several sizes.
    """
    sizes: dict[str, float] = {}
    numbers: dict[str, int] = {}
    with ExitStack() as stack:
        camera, truth, info = (
            stack.enter_context((out / _FOLDER / f"{name}.json").open("w", encoding="utf-8"))
            for name in ("scene_camera", "scene_gt", "scene_gt_info")
        )
        for count, line in enumerate(lines()):
            about = json.loads(line)
            for asset, size, _ in about["objects"]:
                if abs(sizes.setdefault(asset, size) - size) > 1e-6 * size:
                    raise InputError(
                        f"picture {about['index']}: object '{asset}' has two sizes, {sizes[asset]:g} and {size:g} m, "
                        "bop needs one; set objects.scale to a value and objects.clutter.scale, too"
                    )
                numbers.setdefault(asset, len(numbers) + 1)
            truths = [{**pose, "obj_id": numbers[asset]} for asset, _, pose in about["objects"]]
            for file, entry in ((camera, about["camera"]), (truth, truths), (info, about["infos"])):
                file.write(f'{", " if count else "{"}"{about["index"]}": {json.dumps(entry)}')
            if not count:
                _write_camera(out / "camera.json", about["camera"]["cam_K"], about["shape"])
        for file in (camera, truth, info):
            file.write("}")
    _write_models(out / "models", numbers, sizes, model)


def _write_camera(path: Path, k: list[float], shape: tuple[int, int]) -> None:
    height, width = shape
    camera = {"fx": k[0], "fy": k[4], "cx": k[2], "cy": k[5], "width": width, "height": height, "depth_scale": 1.0}
    path.write_text(json.dumps(camera), encoding="utf-8")


def _camera(frame: Frame) -> dict[str, Any]:
    k, world = frame.intrinsics.copy(), frame.world_to_camera
    k[:2, 2] -= 0.5
    return {
        "cam_K": k.ravel().tolist(),
        "depth_scale": 1.0,
        "cam_R_w2c": world[:3, :3].ravel().tolist(),
        "cam_t_w2c": (world[:3, 3] * 1000).tolist(),
    }


def _pose(frame: Frame, item: Item) -> dict[str, Any]:
    pose = frame.pose(item)
    return {"cam_R_m2c": pose[:3, :3].ravel().tolist(), "cam_t_m2c": (pose[:3, 3] * 1000).tolist()}


def _info(frame: Frame, scene: Scene, place: int, model: Callable[[str], Model], out: Path) -> dict[str, Any]:
    item, camera = scene.items[place], scene.camera
    alone = np.isfinite(depth_map(seen_triangles(camera, item, model(item.asset)), (camera.width, camera.height)))
    seen = frame.instance == place + 1
    whole = alone | seen
    for folder, mask in (("mask", whole), ("mask_visib", seen)):
        write_png(out / _FOLDER / folder / f"{stem(frame)}_{place:06d}.png", np.where(mask, 255, 0).astype(np.uint8))
    return {
        "bbox_obj": _box(whole),
        "bbox_visib": _box(seen),
        "px_count_all": int(whole.sum()),
        "px_count_valid": int((whole & np.isfinite(frame.depth)).sum()),
        "px_count_visib": int(seen.sum()),
        "visib_fract": float(seen.sum() / max(whole.sum(), 1)),
    }


def _box(mask: Bools) -> list[int]:
    """x, y, width and height; -1 where the mask is empty, as the toolkit has it."""
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return [-1, -1, -1, -1]
    x, y = int(columns.min()), int(rows.min())
    return [x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1]


def _millimeters(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    whole = np.round(np.where(np.isfinite(depth), depth, 0) * 1000.0)
    return np.where(whole <= 65535, whole, 0).astype(np.uint16)


def _write_models(
    folder: Path, numbers: dict[str, int], sizes: dict[str, float], model: Callable[[str], Model]
) -> None:
    import trimesh  # loading it takes half a second, and all exports load this module

    folder.mkdir()
    infos: dict[str, Any] = {}
    for asset, number in numbers.items():
        parts = model(asset).parts
        meshes = [trimesh.Trimesh(part.vertices, part.faces, process=False) for part in parts]
        mesh = trimesh.util.concatenate(meshes)
        mesh.apply_scale(sizes[asset] * 1000)
        (folder / f"obj_{number:06d}.ply").write_bytes(mesh.export(file_type="ply"))
        low, high = mesh.bounds
        corners = mesh.convex_hull.vertices
        diameter = max(float(np.linalg.norm(corners - corner, axis=1).max()) for corner in corners)
        infos[str(number)] = {
            "diameter": diameter,
            **{f"min_{axis}": float(low[k]) for k, axis in enumerate("xyz")},
            **{f"size_{axis}": float(high[k] - low[k]) for k, axis in enumerate("xyz")},
            "asset": asset,
        }
    (folder / "models_info.json").write_text(json.dumps(infos), encoding="utf-8")
