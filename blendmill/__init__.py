"""blendmill's public names: all that a user's own script needs, in one place.

Each name is loaded when it is first used. `import blendmill` alone loads neither Blender nor PyTorch.

>>> import blendmill
>>> config = blendmill.load_config("smoke", ["assets.shapes=1"])
>>> config.camera.resolution
(64, 64)

`Studio` draws single pictures, `render_set` draws a data set and opens it:

>>> small = {"extends": "smoke", "camera": {"resolution": [32, 24]}, "classes": ["mug"], "render": {"samples": 1}}
>>> with blendmill.Studio(small) as studio:
...     scene = studio.sample(0)
...     metal = blendmill.edited(scene, {"items.0.materials": {"*": blendmill.material("metal")}})
...     frame = studio.draw(metal)
>>> frame.rgb.shape, frame.objects[0].category
((24, 32, 3), 'mug')
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "scenes.errors": ("InputError",),
    "scenes.config.loading": ("load_config", "preset_names"),
    "scenes.config.objects": ("Config",),
    "scenes.config.composite": ("ComposeConfig",),
    "scenes.distributions": ("parse",),
    "scenes.streams": ("Streams",),
    "scenes.sampling.scene": ("Sampler",),
    "scenes.sampling.composite": ("Composer",),
    "scenes.record.camera": ("Camera",),
    "scenes.record.distortion": ("Distortion",),
    "scenes.record.scene": ("Background", "Item", "Light", "Scene", "Sensor", "World"),
    "scenes.record.material": ("Material",),
    "scenes.record.edit": ("edited",),
    "scenes.materials.typical": ("material",),
    "scenes.record.composite": ("Composition",),
    "scenes.mesh": ("Model", "Part"),
    "scenes.assets.catalogue": ("Catalogue",),
    "scenes.assets.sources": ("ModelFolder",),
    "scenes.cracks.contour": ("Contour", "Stroke"),
    "scenes.cracks.raster": ("coverage", "skeleton", "width_map"),
    "render.catalogue": ("open_catalogue",),
    "render.frame": ("LABELS", "Frame"),
    "render.object_label": ("Keypoint", "ObjectLabel"),
    "render.renderer": ("load_renderer", "open_renderer", "open_sampler"),
    "render.studio": ("Studio",),
    "render.render_set": ("render_set",),
    "render.dataset.dataset": ("Dataset",),
    "render.dataset.selection": ("Selection",),
    "render.dataset.manifest": ("Manifest",),
    "render.dataset.shard": ("Shard",),
    "render.dataset.shard_writer": ("write_shard",),
    "render.dataset.inspect": ("inspect_dataset",),
    "render.dataset.export": ("export_dataset",),
    "render.image.sheets": ("contact_sheet", "label_sheet"),
    "render.farm.devices": ("choose", "worker_slots"),
    "render.farm.job": ("Job", "run"),
    "render.farm.local": ("Local", "RetryPolicy"),
    "render.farm.stream": ("Stream",),
    "training.data.sources": ("open_pictures",),
    "training.data.stream": ("StreamDataset",),
    "training.ema": ("EMA",),
    "training.run": ("execute",),
    "classify.config": ("ClassifyConfig", "load_training"),
    "classify.metrics": ("Evaluation",),
    "classify.models": ("build",),
    "classify.task": ("Classification",),
    "segment.classes.metrics": ("ClassScores", "score_classes"),
    "segment.classes.sets": ("open_classes",),
    "segment.config": ("SegmentConfig",),
    "segment.losses": ("dice_and_entropy",),
    "segment.metrics": ("Scores", "score"),
    "segment.sets": ("open_set",),
    "segment.task": ("Segmentation",),
    "segment.unet": ("UNet",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'blendmill' has no attribute '{name}'")
    found = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
