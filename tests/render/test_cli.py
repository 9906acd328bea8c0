"""The command line: its output and exit codes. Bad input gives one line and exit code 2, and writes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from render.cli.main import main
from render.dataset.dataset import Dataset


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["render", "s2rda31"], "did you mean 's2rda13'"),
        (["render", "smoke", "--set", "camera.azimut=3"], "did you mean 'azimuth'"),
        (["render", "smoke", "--set", "camera.azimuth={uniform: [2, 1]}"], "range [2, 1] is empty"),
        (["render", "smoke", "--set", "classes=[chiar]"], "did you mean 'chair'"),
        (["render", "smoke", "--images", "0"], "--images"),
        (["render", "smoke", "--set", "assets.hdris=[/nowhere]"], "/nowhere"),
        (["render", "smoke", "--set", "assets.models=[{path: /nowhere}]"], "/nowhere"),
        (["render", "missing.yaml"], "cannot be read"),
        (["rendr"], "rendr"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], words: str
) -> None:
    out = ["--out", str(tmp_path / "set")] if arguments[0] == "render" else []
    code, printed, error = run(capsys, *arguments, *out)
    assert (code, printed) == (2, "")
    assert error.startswith("blendmill: ") and error.count("\n") == 1
    assert words in error
    assert not (tmp_path / "set").exists()


def test_a_set_with_textures_names_them_with_their_license(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("brick_Color", "brick_Roughness", "plain"):
        Image.new("RGB", (16, 16), (120, 60, 40)).save(folder / f"{name}.png")
    settings = [f"assets.textures=[{folder}]", "assets.shapes=1", "classes=[mug]", "camera.resolution=[32,32]",
                "material={mode: whole, family: pbr}"]  # fmt: skip
    words = [word for setting in settings for word in ("--set", setting)]
    code, _, error = run(capsys, "render", "smoke", "--out", str(tmp_path / "set"), "--images", "1", *words)
    assert code == 0, error
    assets = Dataset.open(tmp_path / "set").manifest.assets
    assert {"scans/brick#color", "scans/brick#roughness"} <= assets.keys()
    assert assets["scans/brick#color"].license == ""
    assert assets["scans/brick#color"].triangles is None
    assert [one.triangles > 100 for name, one in assets.items() if name.startswith("shape:mug")] == [True]  # type: ignore[operator]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    code, _, error = run(capsys, "render", "smoke", "--out", str(tmp_path / "locked" / "set"))
    assert code == 2 and "permission" in error


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, "--help")
    assert code == 0
    for command in ("doctor", "preview", "render", "export", "inspect", "assets"):
        assert command in printed


def test_presets_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "s2rda13 " in run(capsys, "presets")[1]


def test_doctor_finds_blender(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    code, printed, _ = run(capsys, "doctor")
    assert code == 0
    for word in (
        "python",
        "blender",
        "cuda",
        "optix",
        "hip",
        "metal",
        "oneapi",
        "eevee",
        "composite",
        "memory",
        "disk",
        "shared memory",
    ):
        assert f"  {word} " in printed


def test_doctor_names_the_missing_library() -> None:
    from render.cli.doctor import _remedy

    text = "ImportError: libXi.so.6: cannot open shared object file: No such file or directory"
    assert "apt-get install libxi6" in _remedy(text)
    assert "pip install" in _remedy("ModuleNotFoundError: No module named 'bpy'")


def test_render_inspect_and_preview(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    few = ["--set", "classes=[mug]", "--set", "assets.shapes=1"]
    code, printed, _ = run(capsys, "render", "smoke", "--out", str(tmp_path / "set"), "--images", "3", *few)
    assert code == 0 and "3 pictures" in printed
    sheets = ["--sheet", str(tmp_path / "labels.png"), "--contact", str(tmp_path / "contact.png")]
    code, printed, _ = run(capsys, "inspect", str(tmp_path / "set"), *sheets)
    assert code == 0 and "mug" in printed
    assert (tmp_path / "labels.png").stat().st_size > 1000 < (tmp_path / "contact.png").stat().st_size
    swept = [
        "preview",
        "smoke",
        "--out",
        str(tmp_path / "sweep.png"),
        "--images",
        "3",
        "--vary",
        "camera.azimuth",
        *few,
    ]
    assert run(capsys, *swept)[0] == 0
    assert (tmp_path / "sweep.png").exists()
    code, _, error = run(capsys, "preview", "smoke", "--out", str(tmp_path / "x.png"), "--vary", "camera.azimut", *few)
    assert code == 2 and "did you mean 'camera.azimuth'" in error


def test_the_end_of_a_file_is_no_key_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """click takes EOFError for Ctrl-C: a damaged module of Python's was told as "stopped"."""

    def cut(*args: object) -> None:
        raise EOFError("marshal data too short")

    monkeypatch.setattr("render.cli.config.preset_names", cut)
    with pytest.raises(EOFError, match="marshal data too short"):
        main(["presets"])
