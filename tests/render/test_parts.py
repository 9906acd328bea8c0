"""The numbers of parts: what the faces carry, and what a picture makes of it."""

from __future__ import annotations

import numpy as np
import pytest

from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.sampling.scene import Sampler

pytest.importorskip("bpy", reason="needs Blender's module")


def test_a_number_is_sure_only_where_all_samples_saw_it() -> None:
    """The mean of 2 and 4 is 3, which nobody saw. 32767 is the largest number there is."""
    from render.blender.parts import codes, decoded

    seen = [[1], [32767], [32767, 32767, 32767], [2, 4], [1, 2], [1, 32767], [5, 5, 8], []]
    sums = np.array([codes(np.array(numbers, int)).sum(axis=0) / np.float32(13) for numbers in seen])
    numbers, sure = decoded(sums[None].astype(np.float32))
    assert sure.tolist() == [[True, True, True, False, False, False, False, False]]
    assert numbers[0, :3].tolist() == [1, 32767, 32767]


def test_samples_that_saw_different_parts_do_not_mix(
    small_catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts that look the same share a material. With a wide reach, pixels have samples on both sides of an edge."""
    from render.blender.materials import labels
    from render.blender.parts import decoded
    from render.blender.stage import Stage

    config = validate({"camera": {"resolution": [64, 64]}, "classes": ["laptop"]}, "parts")
    sampler = Sampler(config, small_catalogue)
    scene, drawn = sampler.sample(3, 0), []
    for reach in (labels._CLOSE, 0.4):
        monkeypatch.setattr(labels, "_CLOSE", reach)
        stage = Stage(DrawSettings(samples=8, denoise=False, bounces=0, threads=1), small_catalogue, sampler.classes)
        drawn.append(stage.draw(scene))
        _, sure = decoded(stage.render()["part"])
        assert sure[drawn[-1].instance > 0].all() == (reach < 0.01)
    assert len(np.unique(drawn[0].part)) > 5
    assert len({slot.material for slot in stage._props[0].material_slots}) < len(drawn[0].objects[0].parts) / 2
    assert (drawn[0].part == drawn[1].part).all()
    assert (drawn[0].rgb == drawn[1].rgb).all()
