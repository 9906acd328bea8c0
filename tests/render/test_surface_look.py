"""Defects that pictures of surfaces must not show, and areas that deposits must not change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, median_filter

from render.frame import Frame
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import validate
from scenes.cracks.raster import distance
from scenes.cracks.strips import Pixels
from scenes.materials.albedo import mean_color
from scenes.record.scene import Scene
from scenes.record.surface import Seal
from scenes.sampling.scene import Sampler
from scenes.sampling.surface_geometry import contour_of, filled_of, filler_of, on_surface

SIZE = 128


def draw(catalogue: Catalogue, surface: dict[str, Any], hdri: str = "", index: int = 0, **more: Any) -> Frame:
    """A picture straight from the front, of a clean sensor."""
    return drawn(catalogue, sampled(catalogue, surface, hdri, index, **more))


def sampled(catalogue: Catalogue, surface: dict[str, Any], hdri: str = "", index: int = 0, **more: Any) -> Scene:
    bare = {name: {"count": 0} for name in ("joints", "marks", "debris", "shadow_casters", "seals")}
    config = {
        "surface": {"obliqueness": 0, **bare, **surface},
        "camera": {"resolution": [SIZE, SIZE]},
        "lighting": {"world": {"hdri": hdri, "strength": 1}},
        "sensor": {"noise": 0, "shot": 0, "blur": 0, "sharpening": 0, "jpeg": 0, "exposure": 0},
        **more,
    }
    return Sampler(validate(config, "test"), catalogue).sample(0, index)


def drawn(catalogue: Catalogue, scene: Scene) -> Frame:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender.stage import Stage

    return Stage(DrawSettings(samples=4, denoise=False, bounces=1, threads=1), catalogue, ("crack",)).draw(scene)


def test_small_suns_leave_no_white_pixels(small_catalogue: Catalogue) -> None:
    even = {"stucco": {"kind": "smooth", "relief": 0.05, "value": 0.6, "saturation": 0.0, "stains": 0.0}}
    surface = {"family": "stucco", "crack": {"present": False}, "parameters": even}
    gray = draw(small_catalogue, surface, "studio:city").rgb.mean(axis=2)
    assert 40 < gray.mean() < 200 and gray.std() > 1
    # Six times as many where the sky's importance map is too coarse for the sun in it.
    assert (gray - median_filter(gray, 3) > 60).mean() < 4e-3


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


# Fillers -------------------------------------------------------------------------------------------------------

FAMILIES = ("stucco", "road", "cast", "aggregate", "flaking", "brickwork", "tiles", "stone")
LABELS = ("category", "alpha", "width", "skeleton", "depth")


def albedo(value: float) -> float:
    return float(value) ** 2.2


def test_healed_stretches_are_as_bright_as_their_surface_and_some_are_not(small_catalogue: Catalogue) -> None:
    config = {"surface": {"family": {"choice": list(FAMILIES)}, "seals": {"count": 0}, "crack": {"present": True}}}
    sampler = Sampler(validate(config, "test"), small_catalogue)
    shares = []
    for index in range(300):
        surface = sampler.sample(9, index).surface
        assert surface is not None
        filler = filler_of(surface)
        assert filler is not None
        own, parameters = mean_color(surface.material), filler.parameters
        if own[2] < 0.74:  # none twice as bright exceeds white
            shares.append(albedo(parameters["value"]) / albedo(own[2]))
        assert parameters["hue"] == own[0] and parameters["saturation"] <= own[1]
        assert parameters["seed"] == surface.material.parameters["seed"]
    share = np.array(shares)
    assert len(share) > 150 and share.min() >= 0.6 - 1e-6 and share.max() <= 1.8 + 1e-6
    assert 0.55 < (np.abs(share - 1) <= 0.25).mean() < 0.9
    fixed = {**config, "surface": {**config["surface"], "crack": {"present": True, "healed_tone": 1}}}
    one, other = Sampler(validate(fixed, "test"), small_catalogue).sample(9, 3), sampler.sample(9, 3)
    assert one.surface is not None and one.surface.crack is not None
    toned = replace(one.surface.crack, healed_tone=other.surface.crack.healed_tone)  # type: ignore[union-attr]
    assert one != other == replace(one, surface=replace(one.surface, crack=toned))


def filled(scene: Scene) -> np.ndarray:
    """(H, W) pixels into what was filled, negative inside."""
    assert scene.surface is not None
    (band,) = filled_of(scene, contour_of(scene))
    corners = on_surface(scene.camera, scene.surface, np.array([[0.0, 0.0], [SIZE, 0.0]])) - scene.surface.corner
    way = corners[1] - corners[0]
    scale, turned = float(np.hypot(*way)) / SIZE, float(np.degrees(np.arctan2(way[1], way[0])))
    return distance(band.contour.moved(*-corners[0]).rotated(-turned, (0.0, 0.0)), Pixels((SIZE, SIZE), scale)) / scale


def light(frame: Frame) -> np.ndarray:
    return (frame.rgb.mean(axis=2) / 255) ** 2.2


SEALED = {"count": 1, "width": 30, "height": 0, "kind": "midpoint", "amount": 1, "proud": 0, "roughness": 0.85}


def refilled(scene: Scene, **changes: float) -> Scene:
    """A sealed scene as if what fills healed stretches filled the seal, at the surface's own brightness."""
    assert scene.surface is not None and scene.surface.filler is not None
    hue, saturation, value = mean_color(scene.surface.material)
    parameters = {**scene.surface.filler.parameters, "hue": hue, "saturation": saturation, "value": value, **changes}
    return replace(scene, surface=replace(scene.surface, filler=replace(scene.surface.filler, parameters=parameters)))


# Tiles and stones mirror the sky.
@pytest.mark.parametrize("family", ["stucco", "road", "aggregate"])
def test_mean_colors_are_those_of_pictures(small_catalogue: Catalogue, family: str) -> None:
    surface = {"family": family, "crack": {"present": False}, "seals": SEALED, "placement": "floor"}
    shares = []
    for index in (0, 1):
        scene = sampled(small_catalogue, surface, index=index, sensor={"tone": "standard", "vignette": 0})
        away, frame = filled(scene), drawn(small_catalogue, refilled(scene))
        assert (away < -4).sum() > 300 and not frame.category.any()
        shares.append(light(frame)[away < -4].mean() / light(frame)[away > 2].mean())
    assert np.abs(np.log(shares)).mean() < 0.25, shares


def test_fillers_have_grains_and_ragged_edges_and_change_no_label(small_catalogue: Catalogue) -> None:
    crack = {"present": True, "width": 5, "kind": "midpoint"}
    scene = sampled(small_catalogue, {"family": "plaster", "crack": crack, "seals": SEALED})
    assert scene.surface is not None
    grainy = drawn(small_catalogue, refilled(scene, grain=scene.surface.pixel * 2, contrast=0.9, proud=0.3))
    plain = drawn(small_catalogue, refilled(scene, grain=scene.surface.pixel * 2, contrast=0.0))
    bare = drawn(small_catalogue, replace(scene, surface=replace(scene.surface, filler=None)))
    for name in LABELS:
        assert np.array_equal(getattr(grainy, name), getattr(plain, name)), name
        assert np.array_equal(getattr(grainy, name), getattr(bare, name)), name
    assert grainy.category.any()
    away = filled(scene)
    inside = (away < -4) & (grainy.alpha == 0)
    fine = {name: light(frame) - median_filter(light(frame), 5) for name, frame in (("g", grainy), ("p", plain))}
    assert fine["g"][inside].std() > 2 * fine["p"][inside].std()
    black = drawn(small_catalogue, refilled(scene, grain=scene.surface.pixel * 2, contrast=0.0, value=0.05))
    dark = light(black) < 0.5 * light(bare)
    edge = dark[(np.abs(away + 1.5) < 1) & (grainy.alpha == 0)]
    assert 0.1 < edge.mean() < 0.9 and dark[inside].mean() > 0.9


def test_beside_seals_healed_stretches_grew_over(small_catalogue: Catalogue) -> None:
    config = {"surface": {"crack": {"present": True}, "seals": {"count": 0}}, "camera": {"resolution": [SIZE, SIZE]}}
    sampler = Sampler(validate(config, "test"), small_catalogue)
    seen = 0
    for index in range(60):
        scene = sampler.sample(2, index)
        assert scene.surface is not None
        contour = contour_of(scene)
        bands = filled_of(scene, contour)
        assert [band.filled for band in bands] == [True] * any(s.kind == "healed" for s in contour.strokes)
        seal = Seal("midpoint", 10 * scene.surface.pixel, 1.0)
        sealed = replace(scene, surface=replace(scene.surface, seals=(seal,)))
        assert [band.filled for band in filled_of(sealed, contour)] == [False] * len(bands) + [True]
        seen += len(bands)
    assert seen > 1
