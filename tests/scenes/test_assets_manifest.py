"""The manifest, and the commands that maintain it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
import yaml
from PIL import Image

from scenes.assets.catalogue import Catalogue
from scenes.assets.fetch import fetch
from scenes.assets.manifest import load_manifest, save_manifest
from scenes.errors import InputError

MODEL = {"name": "ball", "kind": "model", "class": "ball", "path": "ball.obj"}


def written(folder: Path, *entries: object) -> Path:
    path = folder / "assets_manifest.yaml"
    path.write_text(yaml.safe_dump({"assets": list(entries)}))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licens": "x"}, "field licens: unknown key, did you mean 'license'"),
        ({"kind": "modle"}, "did you mean 'model'"),
        ({"kind": "hdri"}, "class, up, front and scale are for models"),
        ({"class": None}, "field class: a model needs one"),
        ({"path": "ball.objj"}, "did you mean '.obj'"),
        ({"path": "../ball.obj"}, "leads out of"),
        ({"path": "/ball.obj"}, "is absolute"),
        ({"url": "file:///etc/passwd"}, "http"),
        ({"url": "ftp://host/x"}, "http"),
        ({"sha256": "abc"}, "field sha256"),
        ({"scale": 0}, "field scale"),
        ({"scale": float("nan")}, "field scale"),
        ({"up": "w"}, "field up"),
        ({"up": "y", "front": "-y"}, "lies along the up axis"),
        ({"name": "a/b"}, "field name"),
        ({"name": 7}, "field name"),
        ({"path": None}, "field path"),
    ],
)
def test_each_fault_is_one_line(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = written(tmp_path, {**MODEL, **change})
    with pytest.raises(InputError) as error:
        load_manifest(path)
    text = str(error.value)
    assert words in text and "\n" not in text and str(path) in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has one key, 'assets'"),
        ("asset: []", "did you mean 'assets'"),
        ("assets: 3", "a list of assets is wanted"),
        ("assets: [3]", "asset 1"),
        ("assets: {", "not YAML"),
        ("assets: [!!python/object/apply:os.system ['true']]", "not YAML"),
        ("\x00", "not YAML"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "m.yaml").write_text(text)
    with pytest.raises(InputError, match=r"m\.yaml") as error:
        load_manifest(tmp_path / "m.yaml")
    assert words in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        load_manifest(tmp_path / "none.yaml")


def test_two_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are two of that name"):
        load_manifest(written(tmp_path, MODEL, MODEL))


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path, {**MODEL, "scale": 0.01, "up": "z", "url": "https://host/ball.obj"})
    known = load_manifest(path)
    save_manifest(path, known.entries)
    assert load_manifest(path) == known
    assert yaml.safe_load(path.read_text())["assets"][0]["sha256"] is None


def test_models_of_the_manifest(tmp_path: Path) -> None:
    trimesh.creation.icosphere(1).export(tmp_path / "ball.obj")
    path = written(
        tmp_path,
        {**MODEL, "scale": 0.5, "license": "CC-BY-4.0", "attribution": "A. Maker"},
        {**MODEL, "name": "gone", "path": "gone.obj"},
        {**MODEL, "name": "later", "path": "later.obj", "url": "https://host/later.obj"},
        {**MODEL, "name": "other", "sha256": "0" * 64},
    )
    catalogue = Catalogue(manifest=path, cache=tmp_path / "cache")
    assert catalogue.assets("ball").all_usable() == ("ball",)
    info = catalogue.info("ball")
    assert (info.license, info.source) == ("CC-BY-4.0", "A. Maker") and info.meters == pytest.approx(
        0.5 * np.linalg.norm(trimesh.creation.icosphere(1).extents), rel=1e-5
    )
    reasons = catalogue.report.quarantined
    assert "No such file" in reasons[str((tmp_path / "gone.obj").resolve())]
    assert "another sha256" in reasons[str((tmp_path / "ball.obj").resolve())]
    assert not any("later" in name for name in reasons)


def test_textures_and_pictures_of_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "Brick").mkdir()
    for name in ("Brick/Brick_1K_Color.jpg", "Brick/Brick_1K_Roughness.jpg", "plain.png", "view.jpg"):
        Image.new("RGB", (8, 8), (90, 50, 40)).save(tmp_path / name)
    path = written(
        tmp_path,
        {"name": "brick", "kind": "texture", "path": "Brick", "license": "CC0-1.0"},
        {"name": "plain", "kind": "texture", "path": "plain.png"},
        {"name": "view", "kind": "image", "path": "view.jpg"},
        {"name": "none", "kind": "image", "path": "none.jpg"},
    )
    for _ in range(2):
        catalogue = Catalogue(shapes={"mug": 1}, manifest=path, cache=tmp_path / "cache")
        assert catalogue.textures == ("brick", "plain") and catalogue.images == ("view",)
        assert set(catalogue.texture_set("brick").maps) == {"color", "roughness"}
        licenses = catalogue.licenses(["brick", "plain"])
        assert licenses == {"brick#color": "CC0-1.0", "brick#roughness": "CC0-1.0", "plain#color": ""}
        assert catalogue.checksums(["brick", "plain"]).keys() == licenses.keys()
        assert list(catalogue.report.quarantined.values()) == ["does not exist"]
    with pytest.raises(InputError, match="did you mean 'brick'"):
        catalogue.texture_set("bricks")


def test_the_shipped_manifest_is_sound() -> None:
    path = Path(__file__).resolve().parents[2] / "assets_manifest.yaml"
    entries = load_manifest(path).entries
    assert {e.kind for e in entries} == {"hdri", "texture"} and len(entries) >= 30
    assert all(e.license == "CC0-1.0" and e.url and e.attribution for e in entries)
    assert "none of it was downloaded" in path.read_text().split("assets:")[0]
    assert len({e.path for e in entries}) == len({e.url for e in entries}) == len(entries)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    pytest.importorskip("bpy", reason="the command needs Blender's module")
    from render.cli.main import main

    with pytest.raises(SystemExit) as ended:
        main(["assets", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_add_list_verify(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh.creation.icosphere(1).export(home / "ball.obj")
    assert run(capsys, "add", "ball.obj", "--class", "ball", "--license", "CC0-1.0", "--scale", 0.1)[0] == 0
    (entry,) = load_manifest(home / "assets_manifest.yaml").entries
    assert entry.name == "ball" and entry.sha256 and entry.scale == 0.1 and entry.path == "ball.obj"
    assert run(capsys, "add", "sky.hdr", "--url", "https://host/sky.hdr")[0] == 0
    code, out, _ = run(capsys, "list")
    assert code == 0 and "here" in out and "to fetch" in out
    code, out, _ = run(capsys, "verify")
    assert code == 0 and "good      ball" in out and "to fetch  sky" in out
    (home / "ball.obj").write_text("v 0 0 0\n")
    code, out, err = run(capsys, "verify")
    assert code == 1 and "another sha256" in out and "1 cannot be used" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "ball.obj"], "field class: a model needs one"),
        (["add", "none.obj", "--class", "x"], "does not exist"),
        (["add", "ball.xyz"], "does not exist"),
        (["add", "points.obj", "--class", "x"], "holds only points"),
        (["add", "ball.obj", "--class", "x", "--up", "w"], "field up"),
        (["add", "../outside.obj", "--class", "x"], "is outside"),
        (["list", "--manifest", "none.yaml"], "cannot be read"),
        (["fetch", "sky", "--manifest", "none.yaml"], "cannot be read"),
        (["verify", "--folder", "none"], "does not exist"),
        (["preview", "--out", "x.png", "--shapes", "2"], "needs --class"),
    ],
)
def test_bad_commands_are_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    trimesh.creation.icosphere(1).export(home / "ball.obj")
    trimesh.creation.icosphere(1).export(home.parent / "outside.obj")
    (home / "points.obj").write_text("v 0 0 0\n")
    code, _, err = run(capsys, *arguments)
    assert code == 2 and words in err and err.count("\n") == 1
    assert not (home / "assets_manifest.yaml").exists()


def test_add_does_not_replace_unasked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh.creation.icosphere(1).export(home / "ball.obj")
    run(capsys, "add", "ball.obj", "--class", "ball")
    assert "there is an asset 'ball' already" in run(capsys, "add", "ball.obj", "--class", "toy")[2]
    assert run(capsys, "add", "ball.obj", "--class", "toy", "--replace")[0] == 0
    assert load_manifest(home / "assets_manifest.yaml").entries[0].category == "toy"


def test_verify_tells_of_every_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh.creation.icosphere(1).export(home / "ball.obj")
    (home / "points.obj").write_text("v 0 0 0\n")
    code, out, err = run(capsys, "verify", "--folder", home, "--class", "toy")
    assert code == 1 and "good      toy          home/ball.obj" in out and "1 cannot be used" in err
    assert "unusable  toy          home/points.obj holds only points" in out


def test_fetch_without_a_file_or_url(home: Path) -> None:
    path = written(home, MODEL)
    assert "has no url" in fetch(path, ["ball"])[0].detail
    assert fetch(path) == []
