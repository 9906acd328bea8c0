"""Grounds to paint cracks on: shares of folders, photographs that are continued once, and rendered grounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.cli.composite import config_of
from render.composite import photographs
from render.composite.backend import PhotographSampler
from render.composite.photographs import find_photographs
from render.dataset.dataset import Dataset
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load
from tests.walls import make_walls, run, surface


def sampler(shares: dict[str, float]) -> PhotographSampler:
    return PhotographSampler(ComposeConfig.model_validate({"assets": {"textures": shares}}))


def chosen(shares: dict[str, float], count: int = 400) -> list[str]:
    drawing = sampler(shares)
    return [drawing.sample(0, index).texture for index in range(count)]


def test_folders_are_taken_by_their_shares(tmp_path: Path) -> None:
    """However many pictures they hold: here one has three, and the other one."""
    walls, few = make_walls(tmp_path / "walls"), tmp_path / "few"
    few.mkdir()
    Image.fromarray(surface(9)).save(few / "only.png")
    names = chosen({str(walls): 3, str(few): 1})
    assert np.mean([name == "few/only" for name in names]) == pytest.approx(0.25, abs=0.06)
    for number in range(3):
        assert np.mean([name == f"walls/wall{number}" for name in names]) == pytest.approx(0.25, abs=0.06)


def test_a_further_picture_moves_only_those_that_get_it(tmp_path: Path) -> None:
    walls, few = make_walls(tmp_path / "walls"), make_walls(tmp_path / "few")
    before = chosen({str(walls): 0.5, str(few): 0.5})
    Image.fromarray(surface(9)).save(few / "new.png")
    after = chosen({str(walls): 0.5, str(few): 0.5})
    assert "few/new" in after
    assert all(new == old for old, new in zip(before, after, strict=True) if new != "few/new")


def test_folders_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    walls, same = make_walls(tmp_path / "walls"), make_walls(tmp_path / "other" / "walls")
    names = chosen({str(walls): 0.9, str(same): 0.1})
    assert np.mean([name.endswith("~2") for name in names]) == pytest.approx(0.1, abs=0.05)


def test_a_photograph_is_continued_once_for_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    walls = make_walls(tmp_path / "walls")
    first = find_photographs("textures", [walls])
    made = first.continued(first.names[0], 200)
    (kept,) = (tmp_path / "cache" / "pictures").rglob("*.png")
    with monkeypatch.context() as patched:
        patched.delattr(photographs, "continued")  # a call would be an error
        again = find_photographs("textures", [walls])
        assert np.array_equal(again.continued(again.names[0], 200), made)
    kept.write_bytes(kept.read_bytes()[:500])
    other = find_photographs("textures", [walls])
    assert np.array_equal(other.continued(other.names[0], 200), made)
    assert len(kept.read_bytes()) > 500


def test_shares_are_given_on_the_command_line(tmp_path: Path) -> None:
    """A folder whose own name ends like a share is a folder."""
    walls, more = make_walls(tmp_path / "walls"), make_walls(tmp_path / "more=1")
    given = (Path(f"{walls}=0.25"), Path(f"{more}=0.75"))
    assert config_of(given, (), None, ()).assets.textures == {walls: 0.25, more: 0.75}
    assert config_of((walls, more), (), None, ()).assets.textures == (walls, more)


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (("WALLS=0.5", "WALLS"), "give all folders a share"),
        (("WALLS=half",), "the share after = is a number"),
        (("WALLS=-1",), "greater than 0"),
        (("WALLS/nowhere=1",), "is not a folder"),
    ],
)
def test_bad_shares_are_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, folders: tuple[str, ...], words: str
) -> None:
    walls = make_walls(tmp_path / "walls")
    given = [word for folder in folders for word in ("--textures", folder.replace("WALLS", str(walls)))]
    code, _, error = run(capsys, "compose", "--out", tmp_path / "set", *given)
    assert code == 2 and error.count("\n") == 1 and words in error


def test_paths_of_shares_are_relative_to_the_config_file(tmp_path: Path) -> None:
    make_walls(tmp_path / "walls")
    config = tmp_path / "mine.yaml"
    config.write_text("renderer: composite\nassets: {textures: {walls: 1}}\n")
    assert load(ComposeConfig, config).assets.textures == {tmp_path / "walls": 1.0}


@pytest.mark.slow
def test_rendered_grounds_are_a_folder_of_textures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "grounds"
    tiny = ["--set", "camera.resolution=[64,64]", "--set", "render.samples=1", "--workers", "1", "--images", "2"]
    for _ in range(2):
        code, printed, _ = run(capsys, "grounds", "--out", out, *tiny)
        assert code == 0 and f"2 grounds in {out}/pictures" in printed
    for index, frame in enumerate(Dataset.open(out).frames()):
        assert not frame.category.any()
        assert np.array_equal(np.asarray(Image.open(out / "pictures" / f"{index:06d}.png")), frame.rgb)
    assert sorted(find_photographs("textures", [out]).names) == ["grounds/pictures/000000", "grounds/pictures/000001"]
