"""What pictures of surfaces must not show, and what crusts must leave alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, median_filter

from render.frame import Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.loading import validate
from scenes.sampling import Sampler

SIZE = 128


def draw(catalogue: Catalogue, surface: dict[str, Any], hdri: str = "", index: int = 0, **more: Any) -> Frame:
    """A picture straight from the front, of a clean sensor."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.stage import Stage

    bare = {name: {"count": 0} for name in ("joints", "marks", "litter", "shades", "seals")}
    config = {
        "surface": {"obliqueness": 0, **bare, **surface},
        "camera": {"resolution": [SIZE, SIZE]},
        "lighting": {"world": {"hdri": hdri, "strength": 1}},
        "sensor": {"noise": 0, "shot": 0, "blur": 0, "sharpening": 0, "jpeg": 0, "exposure": 0},
        **more,
    }
    scene = Sampler(validate(config, "test"), catalogue).sample(0, index)
    return Stage(DrawSettings(samples=4, denoise=False, bounces=1, threads=1), catalogue, ("crack",)).draw(scene)


def test_small_suns_leave_no_white_pixels(small_catalogue: Catalogue) -> None:
    even = {"stucco": {"kind": "smooth", "relief": 0.05, "value": 0.6, "saturation": 0.0, "stains": 0.0}}
    surface = {"family": "stucco", "crack": {"present": False}}
    grey = draw(small_catalogue, surface, "studio:city", material={"parameters": even}).rgb.mean(axis=2)
    assert 40 < grey.mean() < 200 and grey.std() > 1
    # Six times as many where the sky's importance map is too coarse for the sun in it.
    assert (grey - median_filter(grey, 3) > 60).mean() < 4e-3


def test_moss_grows_along_the_crack_in_stretches_and_changes_no_label(small_catalogue: Catalogue) -> None:
    dry = {"present": True, "width": 3, "kind": "midpoint", "moss": 0, "stain": 0, "moisture": 0}
    surface = {"family": "plaster", "placement": "floor"}
    grown, crack, strewn = 0, 0, []
    for index in range(3):
        plain = draw(small_catalogue, {**surface, "crack": dry}, index=index)
        mossy = draw(small_catalogue, {**surface, "crack": {**dry, "moss": 1}}, index=index)
        for name in ("category", "alpha", "width", "skeleton", "depth"):
            assert np.array_equal(getattr(plain, name), getattr(mossy, name)), name
        change = np.abs(mossy.rgb.astype(int) - plain.rgb).sum(axis=2) > 30
        grown, crack = grown + (change & (plain.category == 1)).sum(), crack + (plain.category == 1).sum()
        strewn.append(distance_transform_edt(plain.alpha == 0)[change])
    away = np.concatenate(strewn)
    assert len(away) > 100 and np.quantile(away, 0.95) < 4
    assert 0.05 < grown / crack < 0.95
