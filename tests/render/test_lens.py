"""A calibrated lens in Blender: labels against rays that embree casts through the same intrinsics."""

from __future__ import annotations

import numpy as np
import pytest

from render.image.surroundings import pixel_rays
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config
from scenes.sampling.scene import Sampler
from tests.rays import hits, iou, rays

pytest.importorskip("bpy", reason="needs Blender's module")
pytest.importorskip("embreex", reason="needs embree to cast rays with")


@pytest.mark.parametrize(
    ("size", "k"),
    [
        ((96, 72), [[130, 0, 60.25], [0, 95, 30.5], [0, 0, 1]]),  # wide pixels, shifted
        ((64, 96), [[80, 0, 25.75], [0, 120, 60], [0, 0, 1]]),  # tall picture, tall pixels
    ],
)
@pytest.mark.parametrize("background", ["color", "ground"])
def test_labels_are_those_of_the_lens(
    size: tuple[int, int], k: list[list[float]], background: str, small_catalogue: Catalogue
) -> None:
    from render.blender.stage import Stage

    config = load_config(
        {
            "objects": {"count": 2},
            "material": {"mode": "whole", "family": "plastic"},  # without opacity
            "camera": {"resolution": size, "intrinsics": k, "framing": 0.8, "jitter": 0},
            "background": {"kind": background, "shadow": False},
            "render": {"samples": 4, "denoise": False},
        }
    )
    sampler = Sampler(config, small_catalogue)  # type: ignore[arg-type]
    stage = Stage(DrawSettings(samples=4, denoise=False, bounces=1, threads=1), small_catalogue, sampler.classes)
    scene = sampler.sample(2, 0)
    frame = stage.draw(scene)
    np.testing.assert_allclose(frame.intrinsics, k)
    truth = hits(scene, small_catalogue.model, own=False)
    for number in (1, 2):
        assert iou(frame.instance == number, truth.instance == number) >= 0.99
    both = (frame.instance == truth.instance) & (truth.instance > 0)
    away = np.abs(frame.depth - truth.depth)[both] / truth.depth[both]
    assert np.quantile(away, 0.98) < 2e-3 and np.median(away) < 1e-4
    cosine = (frame.normals.astype(float) * truth.normal).sum(axis=-1)[both]
    assert np.quantile(cosine, 0.05) > np.cos(np.radians(3))
    np.testing.assert_allclose(pixel_rays(scene.camera).reshape(-1, 3), rays(scene.camera)[1], atol=1e-12)
    if background == "ground":
        ground = (frame.instance == 0) & np.isfinite(frame.depth)
        world = np.array(scene.camera.location) + pixel_rays(scene.camera) * frame.depth[..., None]
        assert np.abs(world[ground][:, 2]).max() < 1e-3
