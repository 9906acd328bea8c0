"""Cracks drawn on photographs: the recipe's steps, their independence, bad pictures, and the data set they make."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from render.cli import main
from render.compose import backdrop, camera, colour, distractors, edges, geometry, style
from render.compose.noise import noise, normals
from render.compose.picture import Painter, contour
from render.compose.textures import Photographs, find_photographs, read_picture
from render.dataset import Dataset
from render.export import export_dataset
from render.frame import Frame, scene_from_json
from render.inspect import inspect_dataset
from scenes.composition import Composer, Composition
from scenes.cracks import raster
from scenes.cracks.contour import Contour, Stroke
from scenes.errors import InputError
from scenes.loading import load
from scenes.recipe import ComposeConfig

SIDE = 96
LABELS = ("alpha", "category", "instance", "part", "width", "skeleton")


def surface(seed: int, size: tuple[int, int] = (120, 150), mean: float = 150.0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(mean, 12, (*size, 3)) + rng.normal(0, 20, 3), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("walls")
    for seed in range(3):
        Image.fromarray(surface(seed, mean=100 + 40 * seed)).save(path / f"wall{seed}.png")
    return path


@pytest.fixture(scope="module")
def painter(folder: Path) -> Painter:
    found, _ = find_photographs("textures", [folder])
    return Painter(found, found)


def composer(painter: Painter, **changes: Any) -> Composer:
    config = ComposeConfig.model_validate({"resolution": [SIDE, SIDE], "crack": {"use": True}, **changes})
    return Composer(config, painter.textures.names, painter.references.names)


def draw(painter: Painter, index: int = 0, seed: int = 3, **changes: Any) -> Frame:
    return painter.draw(composer(painter, **changes).sample(seed, index))


def straight(width: float, size: float = float(SIDE)) -> Contour:
    """An upright crack in the middle, through the picture, one mm a pixel."""
    y = np.arange(-2.0, size + 3.0)
    return Contour((Stroke(np.column_stack([np.full(len(y), size / 2), y]), np.full(len(y), width)),), (), (size, size))


# The config and its draws ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "functions"),
    [
        ("backdrop", (backdrop.cut, backdrop.relit)),
        ("warp", (geometry.warped,)),
        ("smoothing", (edges.smoothed,)),
        ("dissolve", (edges.dissolved,)),
        ("colour", (colour.coloured,)),
        ("lips", (colour.lit_lips,)),
        ("healed", (colour.healed,)),
        ("distractors", (distractors.distracted,)),
        ("camera", (camera.photographed,)),
    ],
)
def test_a_section_has_the_parameters_of_its_step(section: str, functions: tuple[Callable[..., Any], ...]) -> None:
    fields = set(type(getattr(ComposeConfig(), section)).model_fields) - {
        "use",
        "texture" if section == "backdrop" else "",
    }
    keywords = {
        parameter.name
        for function in functions
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert fields == keywords


def test_a_composition_survives_json(painter: Painter) -> None:
    for index in range(20):
        drawn = composer(painter).sample(1, index)
        assert Composition.from_json(drawn.to_json()) == drawn
        assert scene_from_json(drawn.to_json()) == drawn


@pytest.mark.parametrize(
    "step", ["distractors", "warp", "smoothing", "dissolve", "lips", "healed", "colour", "style", "camera"]
)
def test_switching_a_step_leaves_every_other_factor(painter: Painter, step: str) -> None:
    on, off = (composer(painter, **{step: {"use": use}}) for use in (True, False))
    for index in range(8):
        with_step, without = on.sample(5, index), off.sample(5, index)
        assert step in with_step.steps and step not in without.steps
        assert {**without.steps, step: with_step.steps[step]} == with_step.steps
        assert without.texture == with_step.texture and without.mm_per_pixel == with_step.mm_per_pixel


@given(st.floats(0.1, 10))
def test_changing_a_parameter_leaves_every_other_factor(darkness: float) -> None:
    plain, changed = ComposeConfig(), load(ComposeConfig, None, [f"colour.darkness={min(darkness / 10, 1)}"])
    for index in range(3):
        a, b = (Composer(config, ("x", "y")).sample(2, index) for config in (plain, changed))
        steps = {name: dict(values) for name, values in b.steps.items()}
        if "colour" in steps:
            steps["colour"]["darkness"] = a.steps["colour"]["darkness"]
        assert steps == a.steps


# Pictures ----------------------------------------------------------------------------------------------------------


def test_a_picture_depends_on_config_seed_and_index_alone(painter: Painter, folder: Path) -> None:
    sampled = composer(painter).sample
    first = [painter.draw(sampled(7, index)) for index in (0, 1, 2)]
    fresh = Painter(*(find_photographs("x", [folder])[0] for _ in range(2)))
    again = {index: fresh.draw(sampled(7, index)) for index in (2, 0, 1)}
    for index, frame in enumerate(first):
        for name in ("rgb", *LABELS):
            assert np.array_equal(getattr(frame, name), getattr(again[index], name)), name
    assert not np.array_equal(first[0].rgb, first[1].rgb)


@pytest.mark.parametrize(
    "step", ["distractors", "smoothing", "dissolve", "lips", "healed", "colour", "style", "camera"]
)
def test_steps_of_the_picture_leave_the_labels(painter: Painter, step: str) -> None:
    changed = 0
    for index in range(4):
        on, off = (draw(painter, index, **{step: {"use": use}}) for use in (True, False))
        assert on.category.any()
        for name in LABELS:
            assert np.array_equal(getattr(on, name), getattr(off, name)), name
        changed += not np.array_equal(on.rgb, off.rgb)
    assert changed or step == "healed"  # few cracks are healed


def test_what_distorts_the_contour_distorts_all_labels(painter: Painter) -> None:
    hard = {"use": True, "elastic": 0.3, "affine": 0.3, "dilation": 1}
    on, off = (draw(painter, warp=warp) for warp in (hard, {"use": False}))
    for name in ("alpha", "category", "width", "skeleton"):
        assert not np.array_equal(getattr(on, name), getattr(off, name))
    drawn = raster.coverage(contour(on.scene), (SIDE, SIDE), on.scene.mm_per_pixel)  # type: ignore[union-attr]
    assert np.array_equal(on.alpha, (drawn * 255 + 0.5).astype(np.uint8))
    assert not on.skeleton[on.width == 0].any() and (on.width[on.category > 0] > 0).all()  # type: ignore[index]


def test_dilation_widens_the_mask(painter: Painter) -> None:
    still = {"elastic": 0, "affine": 0}
    thin, thick = (draw(painter, warp={**still, "dilation": factor}) for factor in (1.0, 2.0))
    assert 1.4 < thick.alpha.sum() / thin.alpha.sum() < 2.1
    assert np.array_equal(thin.skeleton, thin.skeleton & thick.skeleton)


def test_an_undistorted_warp_moves_nothing() -> None:
    rng = np.random.default_rng(0)
    crack = straight(4)
    warped = geometry.warped(crack, rng, 1.0, dilation=1, elastic=0, elastic_scale=10, affine=0, affine_cell=50)
    assert np.allclose(warped.strokes[0].points, crack.strokes[0].points)


@given(st.floats(0, 0.2), st.floats(0, 0.2), st.integers(0, 100))
def test_a_warp_moves_as_far_as_it_says(elastic: float, affine: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    crack = straight(4, 400.0)
    warped = geometry.warped(
        crack, rng, 1.0, dilation=1, elastic=elastic, elastic_scale=10, affine=affine, affine_cell=40
    )
    moved = warped.strokes[0].points - crack.strokes[0].points
    assert np.abs(moved).max() <= 5 * (10 * elastic + 40 * affine) + 1e-9
    if max(elastic, affine) > 0.05:
        assert moved.std() > 0.1 * max(10 * elastic, 40 * affine)


def cracked(picture: NDArray[np.float32], width: float, **changes: float) -> tuple[NDArray, NDArray]:
    """The picture with a straight crack, and the crack's coverage."""
    covered = raster.coverage(straight(width), picture.shape[:2], 1.0)
    values = {
        "darkness": 0.4, "adaptive": 1.0, "reach": 4.0, "texture": 0.3, "hue": 0.08, "tint": 0.1, "noise": 0.0,
        "noise_scale": 20.0, "grain": 0.0, "deepening": 0.3, **changes,
    }  # fmt: skip
    pixels = np.where(covered > 0, np.float32(width), np.float32(0))
    return colour.coloured(picture, covered, pixels, np.random.default_rng(0), **values), covered


def test_a_crack_is_as_dark_as_its_surroundings_allow() -> None:
    picture = np.full((SIDE, SIDE, 3), 200, np.float32)
    picture[SIDE // 2 :] = 80
    adaptive, covered = cracked(picture, 5.0)
    ink = colour.ink(picture, covered)
    rows = np.r_[5 : SIDE // 2 - 16], np.r_[SIDE // 2 + 16 : SIDE - 5]
    inside = [adaptive[where, SIDE // 2].mean() for where in rows]
    assert inside[0] > 1.8 * inside[1]  # a share of the light, not a colour
    assert 0.03 < inside[0] / 200 < 0.6
    assert np.allclose(ink[rows[0], SIDE // 2], ink[rows[1], SIDE // 2], atol=1)
    assert np.array_equal(adaptive[covered == 0], picture[covered == 0])


@given(st.integers(0, 50), st.floats(0.05, 0.9), st.floats(0.5, 12))
def test_a_crack_is_never_lighter_than_the_surface(seed: int, darkness: float, width: float) -> None:
    picture = surface(seed, (SIDE, SIDE)).astype(np.float32)
    drawn, covered = cracked(picture, width, darkness=darkness)
    assert (drawn <= picture + 1e-3).all() and (drawn >= 0).all()
    assert drawn[covered > 0.9].mean() < picture[covered > 0.9].mean() if (covered > 0.9).any() else True


def test_texture_goes_on_inside_a_crack() -> None:
    picture = surface(1, (SIDE, SIDE)).astype(np.float32)
    kept, covered = cracked(picture, 9.0, texture=0.9, darkness=0.3, deepening=0.0)
    flat, _ = cracked(picture, 9.0, texture=0.0, darkness=0.3, deepening=0.0)
    inside = covered > 0.99
    correlation = np.corrcoef(kept[inside].mean(axis=1), picture[inside].mean(axis=1))[0, 1]
    assert correlation > 0.8 and kept[inside].mean(axis=1).std() > 2 * flat[inside].mean(axis=1).std()


def test_smoothing_keeps_the_amount_of_crack() -> None:
    covered = raster.coverage(straight(4), (SIDE, SIDE), 1.0)
    for values in ({"gaussian": 1.5, "motion": 0.0}, {"gaussian": 0.0, "motion": 7.0}):
        soft = edges.smoothed(covered, **values, motion_angle=20.0)
        assert soft.sum() == pytest.approx(covered.sum(), rel=0.02) and soft.max() <= 1 + 1e-5
        assert not np.allclose(soft, covered)


def test_dissolving_spares_the_middle_of_a_wide_crack() -> None:
    rng = np.random.default_rng(0)
    wide, hair = (raster.coverage(straight(width), (SIDE, SIDE), 1.0) for width in (14.0, 1.0))
    kept, broken = (edges.dissolved(image, rng, amount=0.5, depth=1.0, scale=4.0) for image in (wide, hair))
    assert np.allclose(kept[:, SIDE // 2], 1)
    assert 0.2 < broken.sum() / hair.sum() < 0.8
    assert (kept <= wide + 1e-6).all() and (broken <= hair + 1e-6).all()


def test_the_lip_that_faces_the_light_is_bright() -> None:
    grey, crack = np.full((SIDE, SIDE, 3), 128, np.float32), raster.coverage(straight(6), (SIDE, SIDE), 1.0)
    values = {"strength": 0.5, "size": 1.5, "chipped": 0.0, "fresh": 0.0}
    lit = colour.lit_lips(grey, crack, None, np.random.default_rng(0), light=0.0, **values)
    turned = colour.lit_lips(grey, crack, None, np.random.default_rng(0), light=180.0, **values)
    left, right = lit[:, SIDE // 2 - 4].mean(), lit[:, SIDE // 2 + 3].mean()
    assert left > 130 > 126 > right
    assert turned[:, SIDE // 2 - 4].mean() < 126


def test_a_picture_without_a_crack_says_so(painter: Painter) -> None:
    frame = draw(painter, crack={"use": False})
    assert frame.label == -1 and frame.objects == ()
    assert not any(getattr(frame, name).any() for name in LABELS)
    assert np.isinf(frame.depth).all() and not frame.normals.any()


def test_the_share_of_pictures_without_a_crack_is_as_chosen(painter: Painter) -> None:
    share = {"mixture": [{"weight": 0.3, "of": True}, {"weight": 0.7, "of": False}]}
    sampled = composer(painter, crack={"use": share})
    assert 0.22 < np.mean(["crack" in sampled.sample(0, index).steps for index in range(400)]) < 0.38


@pytest.mark.parametrize("size", [(512, 400), (33, 200)])
def test_any_size_is_drawn(painter: Painter, size: tuple[int, int]) -> None:
    frame = draw(painter, resolution=list(size))
    assert frame.rgb.shape == (size[1], size[0], 3) and frame.alpha.shape == size[::-1]


@given(st.floats(1, 30), st.integers(20, 120), st.integers(0, 99))
def test_noise_has_unit_variance(scale: float, side: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert noise(rng, (side, 2 * side), scale).shape == (side, 2 * side)
    many = np.concatenate([noise(rng, (128, 128), scale).ravel() for _ in range(6)])
    assert abs(many.mean()) < 0.5 and 0.6 < many.std() < 1.4
    exact = normals(rng, 100, 200)
    assert abs(exact.mean()) < 0.05 and abs(exact.std() - 1) < 0.05


@given(st.floats(0.06, 15), st.floats(-360, 360), st.booleans(), st.floats(0, 1), st.integers(16, 900))
def test_a_piece_of_any_photograph_fills_the_picture(
    zoom: float, angle: float, mirrored: bool, x: float, side: int
) -> None:
    photograph = np.full((side, 16 + side // 3, 3), 90, np.uint8)
    piece = backdrop.cut(photograph, (64, 80), x=x, y=1 - x, zoom=zoom, fill=x, angle=angle, mirrored=mirrored)
    assert piece.shape == (64, 80, 3) and (piece == 90).all()


# Style -------------------------------------------------------------------------------------------------------------


def pair() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    ours, theirs = surface(0, (64, 64), 170).astype(np.float32), surface(5, (90, 70), 80).astype(np.float32)
    theirs[::3] *= 0.5
    return ours, theirs


def test_colour_statistics_are_taken_over() -> None:
    ours, theirs = pair()
    colours = style.covariance(ours, theirs).reshape(-1, 3)
    assert np.allclose(colours.mean(axis=0), theirs.reshape(-1, 3).mean(axis=0), atol=0.5)
    assert np.allclose(np.cov(colours.T), np.cov(theirs.reshape(-1, 3).T), rtol=0.1, atol=20)
    matched = style.histogram(ours, theirs)
    for channel in range(3):
        quantiles = [np.quantile(image[..., channel], (0.1, 0.5, 0.9)) for image in (matched, theirs)]
        assert np.allclose(*quantiles, atol=3)
    lab = style.reinhard(ours, theirs)
    assert np.allclose(lab.mean(axis=(0, 1)), theirs.mean(axis=(0, 1)), atol=8)


def test_fourier_takes_low_frequencies_alone() -> None:
    ours, theirs = pair()
    same = style.fourier(ours, ours, 0.05)
    assert np.allclose(same, ours, atol=0.01)
    mean = style.fourier(ours, theirs, 0.0)
    assert np.allclose(mean - ours, (mean - ours)[0, 0], atol=0.01)
    assert np.allclose(mean.mean(axis=(0, 1)), theirs.mean(axis=(0, 1)), rtol=0.02)


def test_transport_takes_over_texture() -> None:
    rng = np.random.default_rng(0)
    ours = rng.normal(128, 30, (128, 128, 3)).astype(np.float32)
    theirs = np.repeat(128 + 60 * noise(rng, (160, 160), 6.0)[..., None], 3, axis=2)
    coloured = np.clip(style.covariance(ours, theirs), 0, 255)
    moved = style.transport(ours, theirs, rng)

    def steps(image: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.quantile(np.diff(image.mean(axis=2), axis=0), np.linspace(0, 1, 21))

    before, after = (np.abs(steps(image) - steps(theirs)).mean() for image in (coloured, moved))
    assert after < 0.7 * before


# Photographs -------------------------------------------------------------------------------------------------------


def test_odd_photographs_are_read_or_left_out(tmp_path: Path) -> None:
    rgb = surface(0, (40, 50))
    good = tmp_path / "good"
    good.mkdir()
    Image.fromarray(rgb).save(good / "plain.png")
    Image.fromarray(np.dstack([rgb, np.full((40, 50), 255, np.uint8)])).save(good / "opaque.png")
    half = np.zeros((40, 50), np.uint8)
    half[:, :25] = 255
    Image.fromarray(np.dstack([rgb, half])).save(good / "alpha.png")
    Image.fromarray(rgb[..., 0]).save(good / "grey.png")
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(good / "sixteen.png")
    Image.fromarray(rgb).convert("CMYK").save(good / "cmyk.jpg", quality=98)
    Image.fromarray(rgb).convert("P").save(good / "palette.png")
    Image.fromarray(rgb[:1, :1]).save(good / "pixel.png")
    Image.fromarray(np.dstack([rgb, half * 0])).save(good / "nothing.png")
    (good / "broken.png").write_bytes((good / "plain.png").read_bytes()[:300])
    (good / "text.jpg").write_text("not a picture")
    found, rejected = find_photographs("textures", [good])
    assert {name.split("/")[1] for name in found.names} == {
        "plain", "opaque", "alpha", "grey", "sixteen", "cmyk", "palette"
    }  # fmt: skip
    assert {Path(path).name for path in rejected} == {"pixel.png", "nothing.png", "broken.png", "text.jpg"}
    assert all(reason and "\n" not in reason for reason in rejected.values())
    for name in ("opaque", "plain"):
        assert np.array_equal(found.picture(f"good/{name}"), rgb)
    for name in ("grey", "sixteen"):
        assert np.array_equal(found.picture(f"good/{name}"), np.dstack([rgb[..., 0]] * 3))
    assert np.abs(found.picture("good/cmyk").astype(int) - rgb).mean() < 15
    filled = found.picture("good/alpha")
    assert np.array_equal(filled[:, :25], rgb[:, :25]) and np.ptp(filled[:, 25:], axis=(0, 1)).max() == 0


def test_a_photograph_that_goes_is_told(tmp_path: Path) -> None:
    Image.fromarray(surface(0)).save(tmp_path / "a.png")
    found, _ = find_photographs("textures", [tmp_path])
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        found.picture(found.names[0])


def test_memory_for_photographs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.compose.textures._MEMORY", 2 * 120 * 150 * 3)
    for seed in range(4):
        Image.fromarray(surface(seed)).save(tmp_path / f"{seed}.png")
    found: Photographs = find_photographs("textures", [tmp_path])[0]
    for name in found.names * 2:
        assert np.array_equal(found.picture(name), read_picture(found.paths[name]))
    assert len(found._decoded) == 2


# Data sets and the command -----------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["crack", "compose", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def small(folder: Path, out: Path, *more: str) -> list[object]:
    sized = ["--set", "resolution=[64,64]", "--images", "7", "--shard-size", "3"]
    return ["--textures", folder, "--styles", folder, "--out", out, *sized, *more]


def content(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_data_set_is_the_same_for_any_workers_and_after_an_interruption(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    assert run(capsys, *small(folder, tmp_path / "one", "--workers", "1"))[0] == 0
    assert run(capsys, *small(folder, tmp_path / "two", "--workers", "2"))[0] == 0
    there = content(tmp_path / "one")
    assert set(there) == {"dataset.json", *(f"shards/{shard:05d}.h5" for shard in range(3))}
    assert content(tmp_path / "two") == there
    (tmp_path / "two" / "shards" / "00001.h5").unlink()
    assert run(capsys, *small(folder, tmp_path / "two", "--workers", "1"))[0] == 0
    assert content(tmp_path / "two") == there

    dataset = Dataset.open(tmp_path / "one")
    assert dataset.manifest.classes == ("crack",) and dataset.verify() == ()
    assert inspect_dataset(dataset).sound
    frame, sampled = dataset.frame(4), ComposeConfig.model_validate(dataset.manifest.config)
    found, _ = find_photographs("textures", [folder])
    again = Painter(found, found).draw(Composer(sampled, found.names, found.names).sample(0, 4))
    assert frame.scene == again.scene and frame.objects == again.objects
    for name in ("rgb", "depth", "normals", *LABELS):
        assert np.array_equal(getattr(frame, name), getattr(again, name)), name
    for kind in ("masks", "folder", "coco"):
        assert export_dataset(dataset, tmp_path / kind, kind)
    for index in range(7):
        mask = np.asarray(Image.open(tmp_path / "masks" / "mask" / f"{index:06d}.png"))
        assert np.array_equal(mask > 0, dataset.frame(index).category > 0)


def test_empty_masks_are_kept_and_counted(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    hairline = (
        "--set",
        "crack.width=0.01",
        "--set",
        "mm_per_pixel=1",
        "--set",
        "threshold=1",
        "--set",
        "crack.use=true",
    )
    code, printed, _ = run(capsys, *small(folder, tmp_path / "set", "--workers", "1", *hairline))
    assert code == 0 and "7 pictures" in printed and "7 without a crack, 7 of them" in printed
    dataset = Dataset.open(tmp_path / "set")
    assert all(frame.label == -1 and not frame.category.any() for frame in dataset.frames())
    assert inspect_dataset(dataset).sound


def test_other_pictures_than_it_was_begun_with_are_refused(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    walls = tmp_path / "walls"
    walls.mkdir()
    for path in folder.iterdir():
        (walls / path.name).write_bytes(path.read_bytes())
    assert run(capsys, *small(walls, tmp_path / "set", "--workers", "1"))[0] == 0
    Image.fromarray(surface(9)).save(walls / "wall1.png")
    code, _, error = run(capsys, *small(walls, tmp_path / "set", "--workers", "1"))
    assert code == 2 and "walls/wall1" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a folder"),
        (["--textures", "EMPTY"], "holds no picture that can be used"),
        (["--textures", "EMPTY/nowhere"], "is not a folder"),
        (["--textures", "BROKEN"], "cannot be decoded"),
        (["--textures", "WALLS", "--styles", "EMPTY"], "assets.styles"),
        (
            ["--textures", "WALLS", "--set", "crack.width=600", "--set", "mm_per_pixel=1"],
            "do not fit pictures of 512 mm",
        ),
        (["--textures", "WALLS", "--set", "crack.kind=lightning"], "unknown 'lightning'"),
        (["--textures", "WALLS", "--set", "smoothing.gausian=1"], "did you mean 'gaussian'"),
        (["--textures", "WALLS", "--set", "backdrop.texture=wall9"], "no picture is called"),
        (["--textures", "WALLS", "--set", "resolution=[8,8]"], "outside 32 to 8192"),
        (["--textures", "WALLS", "--config", "missing.yaml"], "cannot be read"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_bytes(b"\x89PNG and no more")
    places = {"EMPTY": tmp_path / "empty", "BROKEN": tmp_path / "broken", "WALLS": folder}
    for word, place in places.items():
        arguments = [argument.replace(word, str(place)) for argument in arguments]
    code, printed, error = run(capsys, "--out", tmp_path / "set", *arguments)
    assert (code, printed) == (2, "")
    assert error.startswith("blendmill: ") and error.count("\n") == 1 and words in error
    assert not (tmp_path / "set").exists()


def test_a_config_file_is_merged_with_options(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "plain.yaml"
    config.write_text("resolution: [64, 48]\nstyle: {use: false}\nassets: {textures: [walls]}\n")
    settings = load(ComposeConfig, config, ["camera.use=false"])
    assert settings.resolution == (64, 48) and settings.assets.textures == (tmp_path / "walls",)
    sampled = Composer(settings, ("a",), ("b",)).sample(0, 0)
    assert not {"style", "camera"} & set(sampled.steps) and (sampled.width, sampled.height) == (64, 48)
