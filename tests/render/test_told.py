"""What is lost or left out is told on the terminal, grouped where it is much, and kept in dataset.json."""

from __future__ import annotations

from pathlib import Path

import pytest
import trimesh
from click.testing import CliRunner

from render.cli.main import cli as blendmill
from render.cli.options import tell
from render.dataset.provenance import Provenance
from render.farm.job import Job
from render.farm.ledger import Ledger
from render.farm.progress import asset_lines
from scenes.assets.catalogue import Catalogue
from scenes.assets.sources import ModelFolder
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.sampling.scene import Sampler

TRIANGLE = "mtllib {0}.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 1\nvt 0 0\nusemtl a\nf 1/1 2/1 3/1\n"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Seven models whose color maps are missing, each of another name; one that is sound; two that are left out."""
    folder = tmp_path / "set/sign"
    folder.mkdir(parents=True)
    for k in range(7):
        (folder / f"m{k}.obj").write_text(TRIANGLE.format(f"m{k}"))
        (folder / f"m{k}.mtl").write_text(f"newmtl a\nKd 1 0 0\nmap_Kd picture{k}.png\n")
    trimesh.creation.box().export(folder / "sound.stl")
    (folder / "points.obj").write_text("v 0 0 0\n")
    (folder / "other.dae").write_text("<COLLADA/>")
    return tmp_path / "set"


def test_what_is_lost_is_told_in_few_lines(models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = Catalogue(models=[ModelFolder(models)], cache=tmp_path / "cache")
    tell(catalogue, len(catalogue.assets("sign").all_usable()))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        *(f"warning: set/sign/m{k}.obj: 'picture{k}.png' is missing" for k in range(3)),
        "warning: 4 more models with such a warning",
        f"left out: {models}/sign/points.obj: holds only points or lines",
        f"left out: {models}/sign/other.dae: is a .dae file, which is not read; convert it to .glb",
        "files left out: 2, assets used: 8",
    ]


def test_many_files_left_out_for_one_reason_are_counted() -> None:
    copies = {f"{k}.obj": f"is a copy of '{k}.glb', which is read" for k in range(9)}
    lines = list(asset_lines({}, {**copies, "a.obj": "is empty"}, 5))
    assert lines[2:4] == [
        "left out: 2.obj: is a copy of '2.glb', which is read",
        "left out: 6 more files for such a reason",
    ]
    assert lines[4:] == ["left out: a.obj: is empty", "files left out: 10, assets used: 5"]


def test_a_worker_notes_what_it_drew_and_what_was_lost(models: Path, tmp_path: Path) -> None:
    catalogue = Catalogue(models=[ModelFolder(models)], cache=tmp_path / "cache")
    manifest = Job(config := load_config("smoke", ()), 0, 4, str(tmp_path)).manifest(Sampler(config, catalogue))
    assert manifest.left_out == {}, "no class is listed before a picture asks for it"
    ledger = Ledger(catalogue, {})
    assert not catalogue.usable("set/sign/points.obj")
    drawn = [f"set/sign/{name}" for name in ("m3.obj", "sound.stl")]
    ledger.admit([*drawn, "set/sign/m4.obj"])
    noted = ledger.provenance(drawn)
    assert Provenance.parse(noted.encoded(), "here") == noted
    assert sorted(noted.assets) == drawn
    assert noted.assets["set/sign/sound.stl"].sha256 == catalogue.info("set/sign/sound.stl").sha256
    assert noted.warnings == {"set/sign/m3.obj": ("'picture3.png' is missing",)}
    assert noted.left_out == {
        str(models / "sign/points.obj"): "holds only points or lines",
        str(models / "sign/other.dae"): "is a .dae file, which is not read; convert it to .glb",
    }


def test_a_model_that_changed_is_not_drawn_again(models: Path, tmp_path: Path) -> None:
    catalogue = Catalogue(models=[ModelFolder(models)], cache=tmp_path / "cache")
    ledger = Ledger(catalogue, {"set/sign/m1.obj": "0" * 64, "set/sign/gone.obj": "1" * 64})
    ledger.admit(["set/sign/m0.obj"])
    with pytest.raises(InputError, match=r"asset 'set/sign/m1.obj' has changed since pictures .* its sha256 was 0000"):
        ledger.admit(["set/sign/m0.obj", "set/sign/m1.obj"])


@pytest.mark.slow
def test_a_preview_of_assets_names_what_it_lacks(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    for file in models.glob("sign/m[2-6].obj"):
        file.unlink()
    words = ["assets", "preview", "--folder", str(models), "--out", str(tmp_path / "sheet.png")]
    done = CliRunner().invoke(blendmill, words, catch_exceptions=False)
    assert "warning: set/sign/m0.obj: 'picture0.png' is missing" in done.output
    assert "other.dae: is a .dae file" in done.output and "points.obj: holds only points" in done.output
