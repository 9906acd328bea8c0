"""Frames without Blender: spheres before a striped wall, with labels that agree with one another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.dataset import Dataset
from render.dataset.manifest import Manifest
from render.dataset.shard_writer import write_shard
from render.frame import Frame
from render.object_label import Keypoint, ObjectLabel
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.record.scene import Background, Item, Light, Scene, Sensor, World

CLASSES = ("mug", "car", "traffic light")

ABSENT = frozenset({"width", "skeleton", "flow", "disparity"})
"""Labels that the pictures made here do not have."""


def make_frame(
    index: int,
    size: tuple[int, int] = (48, 64),
    seed: int = 0,
    objects: int = 2,
    plate: bool = True,
    classes: Sequence[str] = CLASSES,
) -> Frame:
    """Picture `index` of (height, width) `size`: one main sphere, and smaller ones in front of it.

    The last of three or more objects is clutter of a class that is not among `classes`.
    """
    rng = np.random.default_rng([seed, index])
    scene = _scene(rng, index, size, seed, objects, classes)
    height, width = size
    y, x = np.mgrid[:height, :width] + 0.5
    stripes = 110 + 60 * np.sin((x + 2 * y + 7 * index)[..., None] / np.array([3.0, 5.0, 9.0]))
    background = np.clip(stripes + rng.normal(0, 4, (height, width, 3)), 0, 255).astype(np.uint8)
    rgb = background.copy()
    wall = np.where(y < 0.8 * height, 6.0, np.inf).astype(np.float32)
    depth, normals = wall.copy(), np.zeros((height, width, 3), np.float16)
    normals[np.isfinite(wall)] = (0, 0, -1)
    instance = np.zeros(size, np.uint16)
    category, part, alpha = np.zeros(size, np.uint16), np.zeros(size, np.uint16), np.zeros(size, np.uint8)
    discs = []
    for number, item in enumerate(scene.items, start=1):
        small = 1.0 if number == 1 else 0.5
        radius = float(rng.uniform(0.2, 0.3)) * small * min(size)
        cx, cy = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
        inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
        towards = np.sqrt(np.clip(1 - ((x - cx) ** 2 + (y - cy) ** 2) / radius**2, 0, 1))
        surface = np.stack([(x - cx) / radius, (y - cy) / radius, -towards], axis=-1)
        color = rng.uniform(60, 250, 3)
        rgb[inside] = (color * (0.25 + 0.75 * towards[..., None]))[inside].astype(np.uint8)
        depth[inside] = (4.0 - number - 0.3 * towards)[inside]
        normals[inside] = surface[inside]
        instance[inside], alpha[inside] = number, 255
        category[inside] = 1 + classes.index(item.category) if item.category in classes else 0
        part[inside] = np.where(y < cy, 1, 2)[inside]
        discs.append((cx, cy, radius, inside))
    pairs = zip(scene.items, discs, strict=True)
    return Frame(
        rgb=rgb, depth=depth, instance=instance, category=category, part=part, normals=normals, alpha=alpha,
        background=background if plate else None,
        intrinsics=scene.camera.intrinsics(), world_to_camera=scene.camera.world_to_camera(),
        index=index, label=classes.index(scene.items[0].category), scene=scene,
        objects=tuple(_label(n, item, disc, instance, scene.camera) for n, (item, disc) in enumerate(pairs, 1)),
    )  # fmt: skip


def make_dataset(folder: Path, count: int = 5, shard_size: int = 2, **kwargs: object) -> Dataset:
    """A finished data set of `count` synthetic pictures; `kwargs` go to `make_frame`."""
    seed, classes = int(kwargs.get("seed", 0)), kwargs.get("classes", CLASSES)  # type: ignore[call-overload]
    config = {"camera": {"azimuth": {"uniform": [0, 360]}}, "seed": seed}
    manifest = Manifest(
        config=config, config_hash=hashlib.sha256(repr(config).encode()).hexdigest(), seed=seed, count=count,
        shard_size=shard_size, classes=classes, versions={"blendmill": "0.0"}, device="none",
    )  # fmt: skip
    (folder / "shards").mkdir(parents=True)
    dataset = Dataset(folder, manifest)
    sums = {}
    for shard in range(manifest.shard_count):
        frames = (make_frame(index, **kwargs) for index in manifest.indices(shard))  # type: ignore[arg-type]
        path = dataset.shard_path(shard)
        sums[path.name] = write_shard(path, frames, attributes=manifest.attributes())
    manifest.model_copy(update={"shards": sums}).save(folder)
    return Dataset.open(folder)


def listing(folder: Path) -> list[str]:
    """The names in a folder, in order."""
    return sorted(path.name for path in folder.iterdir())


def _label(number: int, item: Item, disc: tuple, instance: NDArray[np.uint16], camera: Camera) -> ObjectLabel:
    cx, cy, radius, inside = disc
    seen = instance == number
    rows, columns = np.nonzero(seen)
    top = Keypoint(cx, cy - radius * 0.9, bool(seen[int(cy - radius * 0.9), int(cx)]))
    points = {"top": top, "centre": Keypoint(cx, cy, bool(seen[int(cy), int(cx)]))}
    return ObjectLabel(
        instance=number, asset=item.asset, category=item.category, purpose=item.purpose,
        box=None if not len(rows) else (
            float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
        ),
        amodal_box=(cx - radius, cy - radius, cx + radius, cy + radius),
        pixels=int(seen.sum()), share=float(seen.mean()), visibility=float(seen.sum() / max(inside.sum(), 1)),
        truncation=0.0, keypoints={} if item.category == "car" else points, parts=("upper", "lower"),
        pose=tuple(map(tuple, (camera.world_to_camera() @ item.pose()).tolist())), extent=(item.scale / 3**0.5,) * 3,
    )  # fmt: skip


def _scene(
    rng: np.random.Generator, index: int, size: tuple[int, int], seed: int, objects: int, classes: Sequence[str]
) -> Scene:
    paint = Material("plastic", {"roughness": float(rng.uniform(0.1, 0.9)), "color": (0.8, 0.1, 0.1)})
    items = []
    for number in range(objects):
        clutter = number >= 2 and number == objects - 1
        category = "rubble" if clutter else classes[int(rng.integers(len(classes)))]
        items.append(
            Item(
                asset=f"shape/{category}/{int(rng.integers(4))}", category=category,
                purpose="main" if number == 0 else "clutter" if clutter else "member",
                location=(float(number), 0.0, 0.0), rotation=(1.0, 0.0, 0.0, 0.0),
                scale=float(rng.uniform(1, 2)), materials={"*": paint},
            )
        )  # fmt: skip
    azimuth, elevation = np.radians(rng.uniform(0, 360)), np.radians(rng.uniform(0, 60))
    eye = 4 * np.array([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)])
    return Scene(
        seed=seed, index=index, items=tuple(items),
        world=World("studio/city", float(rng.uniform(0, 360)), float(rng.uniform(0.5, 2))),
        lights=(Light("area", (0.0, 0.0, 3.0), (0.0, 0.0, 0.0), float(rng.uniform(50, 500)), 1.0, 5000.0),),
        camera=Camera(tuple(eye.tolist()), (0.0, 0.0, 0.0), 0.0, float(rng.uniform(35, 85)), size[1], size[0]),
        background=Background(("hdri", "ground")[index % 2], shadow=True), sensor=Sensor(jpeg=80 * (index % 2)),
    )  # fmt: skip


def redrawn(dataset: Dataset, shard: int, frames: Iterable[Frame]) -> Dataset:
    """The data set with other frames in a shard, as if they had been drawn."""
    path = dataset.shard_path(shard)
    digest = write_shard(path, frames, attributes=dataset.manifest.attributes())
    manifest = dataset.manifest.model_copy(update={"shards": {**dataset.manifest.shards, path.name: digest}})
    manifest.save(dataset.folder)
    return Dataset(dataset.folder, manifest)


def forget_sums(folder: Path) -> None:
    """Take the shards' checksums out of dataset.json, as in a set that is not finished."""
    Manifest.load(folder).model_copy(update={"shards": {}}).save(folder)
