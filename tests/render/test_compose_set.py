"""Data sets of composed pictures: complete, in parts, resumed after an interruption; and contact sheets."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.cli.preview import first, sheet, swept
from render.composite.photographs import find_photographs
from render.composite.renderer import outlined
from render.dataset.dataset import Dataset
from render.dataset.export import export_dataset
from render.dataset.inspect import inspect_dataset
from render.false_color import width_colors
from render.image.sheets import label_sheet
from scenes.config.composite import ComposeConfig
from scenes.config.composite_crack import StepConfig
from scenes.errors import InputError
from scenes.sampling.composite import Composer
from tests.walls import LABELS, composer, draw, make_painter, make_walls, run, small, surface


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_walls(tmp_path_factory.mktemp("photographs") / "walls")


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
    found = find_photographs("textures", [folder])
    again = make_painter(folder).draw(Composer(sampled, found.names, found.names).sample(0, 4))
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
        "margin=0",
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
    for seed, path in enumerate(sorted(walls.iterdir())):
        Image.fromarray(surface(9 + seed)).save(path)
    there = content(tmp_path / "set")
    assert run(capsys, *small(walls, tmp_path / "set", "--workers", "1"))[0] == 0, "nothing is left to draw"
    assert content(tmp_path / "set") == there
    code, _, error = run(capsys, *small(walls, tmp_path / "set", "--workers", "1", "--images", "30"))
    assert code == 2 and re.search(r"^blendmill: asset 'walls/wall\d' has changed since", error, re.MULTILINE)


def test_parts_drawn_apart_are_the_whole(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    assert run(capsys, *small(folder, tmp_path / "whole", "--workers", "1"))[0] == 0
    code, printed, _ = run(capsys, *small(folder, tmp_path / "parts", "--workers", "1", "--shard", "1/2"))
    assert code == 0 and "part 1/2 is done; 1 of 3 shards are in" in printed
    assert sorted(path.name for path in (tmp_path / "parts" / "shards").iterdir()) == ["00001.h5"]
    code, printed, _ = run(capsys, *small(folder, tmp_path / "parts", "--workers", "1", "--shard", "0/2"))
    assert code == 0 and "7 pictures in" in printed
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts" / "shards").iterdir()}
    assert run(capsys, *small(folder, tmp_path / "parts", "--workers", "1", "--shard", "1/2"))[0] == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "parts" / "shards").iterdir()}


def test_help_tells_how_each_step_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, "compose", "--help")
    assert code == 0 and "--set STEP.use=false" in printed
    for name, field in ComposeConfig.model_fields.items():
        assert name in printed or not isinstance(field.default, StepConfig)


# Contact sheets ----------------------------------------------------------------------------------------------------


def test_a_preview_shows_the_first_pictures(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    inputs = ["preview", "--textures", folder, "--set", "resolution=[64,48]", "--images", "5", "--cell", "64"]
    code, printed, _ = run(capsys, *inputs, "--out", tmp_path / "new" / "sheet.png")
    assert code == 0 and "wrote" in printed
    with Image.open(tmp_path / "new" / "sheet.png") as image:
        assert image.width > 4 * 2 * 64 and image.height > 2 * 48
    code, _, error = run(capsys, *inputs, "--out", tmp_path / "sheet.jpg")
    assert code == 2 and "a PNG is written" in error
    code, _, error = run(capsys, *inputs, "--out", tmp_path / "x.png", "--vary", "color.darknes")
    assert code == 2 and "did you mean 'color.darkness'" in error and error.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


def test_a_preview_holds_the_pictures_of_the_set(folder: Path) -> None:
    painter = make_painter(folder)
    sampled = composer(painter)
    frame = painter.draw(sampled.sample(3, 2))
    shown = np.asarray(sheet(sampled.config, [frame], first(sampled, 3, 2, 1), lambda _: None, 96))
    assert any(
        np.array_equal(shown[y : y + 96, x : x + 96], frame.rgb)
        for y in range(shown.shape[0] - 95)
        for x in range(4, 6)
        if np.array_equal(shown[y, x : x + 96], frame.rgb[0])
    )


def test_a_sweep_changes_one_factor(folder: Path) -> None:
    painter = make_painter(folder)
    sampled = composer(painter, style={"use": False}, color={"use": True})
    pictures = [one for _, one in swept(sampled, 3, 1, "color.darkness", 4)]
    darkness = [one.steps["color"]["darkness"] for one in pictures]
    assert darkness == sorted(darkness) and darkness[0] < darkness[-1]
    fixed = sampled.sample(3, 1).steps
    for one in pictures:
        assert {**one.steps, "color": {**one.steps["color"], "darkness": fixed["color"]["darkness"]}} == fixed
    frames = [painter.draw(one) for one in pictures]
    inside = frames[0].alpha > 200
    assert inside.any() and frames[0].rgb[inside].mean() > frames[-1].rgb[inside].mean()


def test_every_factor_of_a_picture_can_be_swept(folder: Path) -> None:
    painter = make_painter(folder)
    sampled = composer(painter, style={"use": False}, distractors={"use": True})
    known = sampled.factors(3, 0)
    assert {"mm_per_pixel", "background.texture", "crack.kind", "distractors.stains.count", "sensor.jpeg"} <= set(known)
    assert "style.beta" not in known
    changed = {name for name in known if len({one.to_json() for _, one in swept(sampled, 3, 0, name, 5)}) > 1}
    assert len(changed) > 0.7 * len(known)
    with pytest.raises(InputError, match=r"did you mean 'sensor.noise'"):
        swept(sampled, 3, 0, "sensor.nois", 2)


def test_the_outline_is_around_the_mask(folder: Path) -> None:
    frame = draw(make_painter(folder))
    drawn = outlined(frame)
    changed = (drawn != frame.rgb).any(axis=2)
    assert changed.any() and not (changed & (frame.category > 0)).any()
    bare = draw(make_painter(folder), crack={"use": False})
    assert np.array_equal(outlined(bare), bare.rgb)


def test_the_label_sheet_shows_width_and_middle_line(folder: Path) -> None:
    frame = draw(make_painter(folder))
    with_both, without = (label_sheet([one], ("crack",)) for one in (frame, replace(frame, width=None, skeleton=None)))
    assert with_both.width * 8 == pytest.approx(without.width * 10, abs=60)
    colors, widest = width_colors(frame.width)
    there = frame.width > 0
    assert widest > 0 and not colors[~there].any() and colors[there].any(axis=1).all()
    middle = np.asarray(with_both)[..., 0]
    assert (middle == 255).sum() >= frame.skeleton.sum() > 0
    assert width_colors(np.zeros((4, 4), np.float16))[1] == 0
