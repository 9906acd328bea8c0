"""Input of composing: unusual photographs, and input that is refused with one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from render.composite.photographs import Photographs, find_photographs
from render.dataset.dataset import Dataset
from scenes.assets.image_files import read_picture
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load
from scenes.errors import InputError
from scenes.sampling.composite import Composer
from tests.walls import make_walls, run, small, surface


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_walls(tmp_path_factory.mktemp("photographs") / "walls")


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
    found = find_photographs("textures", [good])
    assert {name.split("/")[1] for name in found.names.all_usable()} == {
        "plain", "opaque", "alpha", "grey", "sixteen", "cmyk", "palette"
    }  # fmt: skip
    assert {Path(path).name for path in found.rejected} == {"pixel.png", "nothing.png", "broken.png", "text.jpg"}
    assert all(reason and "\n" not in reason for reason in found.rejected.values())
    for name in ("opaque", "plain"):
        assert np.array_equal(found.picture(f"good/{name}"), rgb)
    for name in ("grey", "sixteen"):
        assert np.array_equal(found.picture(f"good/{name}"), np.dstack([rgb[..., 0]] * 3))
    assert np.abs(found.picture("good/cmyk").astype(int) - rgb).mean() < 15
    filled = found.picture("good/alpha")
    assert np.array_equal(filled[:, :25], rgb[:, :25]) and np.ptp(filled[:, 25:], axis=(0, 1)).max() == 0


def test_a_photograph_that_goes_is_told(tmp_path: Path) -> None:
    Image.fromarray(surface(0)).save(tmp_path / "a.png")
    found = find_photographs("textures", [tmp_path])
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        found.picture(found.names[0])


def test_memory_for_photographs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("render.composite.photographs._MEMORY", 2 * 120 * 150 * 3)
    for seed in range(4):
        Image.fromarray(surface(seed)).save(tmp_path / f"{seed}.png")
    found: Photographs = find_photographs("textures", [tmp_path])
    for name in found.names * 2:
        assert np.array_equal(found.picture(name), read_picture(found.paths[name]))
    assert len(found._kept) == 2


def test_a_continued_photograph_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    walls = make_walls(tmp_path / "walls")
    one, other = (find_photographs("textures", [walls]) for _ in range(2))
    made = {name: one.continued(name, 200) for name in one.names}
    other.continued(one.names[0], 300)
    for name in reversed(one.names):
        assert np.array_equal(other.continued(name, 200), made[name]) and min(made[name].shape[:2]) == 200
    assert len({made[name].tobytes() for name in one.names}) == 3


def test_odd_photographs_are_composed_and_the_broken_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One bad file among good ones is a line, and no picture is lost."""
    rgb, walls = surface(0, (40, 50)), tmp_path / "walls"
    walls.mkdir()
    Image.fromarray(rgb[..., 0].astype(np.uint16) * 257).save(walls / "sixteen.png")
    Image.fromarray(rgb).convert("CMYK").save(walls / "cmyk.jpg")
    Image.fromarray(np.dstack([rgb, rgb[..., 0]])).save(walls / "alpha.png")
    Image.fromarray(rgb[..., 0]).save(walls / "grey.png")
    Image.fromarray(rgb[:1, :1]).save(walls / "pixel.png")
    (walls / "broken.png").write_bytes((walls / "grey.png").read_bytes()[:200])
    code, printed, error = run(capsys, *small(walls, tmp_path / "set", "--workers", "1"))
    assert code == 0 and "7 pictures in" in printed
    for name in ("pixel.png", "broken.png"):
        assert sum(name in line for line in error.splitlines()) == 1
    assert "files left out: 2, assets used: 4" in error
    frames = list(Dataset.open(tmp_path / "set").frames())
    assert len(frames) == 7 and all(frame.rgb.std() > 0.5 for frame in frames)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a folder"),
        (["--textures", "EMPTY"], "contains no usable picture"),
        (["--textures", "EMPTY/nowhere"], "is not a folder"),
        (["--textures", "WALLS", "--styles", "EMPTY"], "assets.styles"),
        (
            ["--textures", "WALLS", "--set", "crack.width=600"],
            "do not fit pictures of 512 pixels",
        ),
        (["--textures", "WALLS", "--set", "crack.kind=lightning"], "unknown 'lightning'"),
        (["--textures", "WALLS", "--set", "smoothing.gausian=1"], "did you mean 'gaussian'"),
        (["--textures", "WALLS", "--set", "background.texture=wall9"], "no picture is called"),
        (["--textures", "WALLS", "--set", "resolution=[8,8]"], "outside 32 to 8192"),
        (["--textures", "WALLS", "--config", "missing.yaml"], "cannot be read"),
        (["--textures", "WALLS", "--shard", "2/2"], "write i/n with i from 0 to n - 1"),
        (["--textures", "WALLS", "--shard", "a"], "write i/n"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    for word, place in (("EMPTY", tmp_path / "empty"), ("WALLS", folder)):
        arguments = [argument.replace(word, str(place)) for argument in arguments]
    code, printed, error = run(capsys, "compose", "--out", tmp_path / "set", *arguments)
    assert (code, printed) == (2, "")
    assert error.startswith("blendmill: ") and error.count("\n") == 1 and words in error
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG and no more", "is not a picture of a known format"),
        (np.full((1, 1, 4), 255, np.uint8), "has 1 x 1 pixels; each side needs at least 16"),
        (np.zeros((40, 40, 4), np.uint8), "is fully transparent"),
    ],
)
def test_photographs_of_no_use_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | np.ndarray, words: str
) -> None:
    """They are looked at when the first picture is drawn."""
    (tmp_path / "walls").mkdir()
    path = tmp_path / "walls/a.png"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        Image.fromarray(content).save(path)
    code, printed, error = run(capsys, *small(tmp_path / "walls", tmp_path / "set", "--workers", "1"))
    assert (code, printed) == (2, "")
    line = error.splitlines()[-1]
    assert line.startswith("blendmill: field assets.textures: none of 1 pictures can be used") and words in line
    assert not list((tmp_path / "set").rglob("*.h5"))


def test_a_config_file_is_merged_with_options(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "plain.yaml"
    config.write_text("resolution: [64, 48]\nstyle: {use: false}\nassets: {textures: [walls]}\n")
    settings = load(ComposeConfig, config, ["sensor.use=false"])
    assert settings.resolution == (64, 48) and settings.assets.textures == (tmp_path / "walls",)
    sampled = Composer(settings, ("a",), ("b",)).sample(0, 0)
    assert not {"style", "sensor"} & set(sampled.steps) and (sampled.width, sampled.height) == (64, 48)
