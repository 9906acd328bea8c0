"""Every command and every snippet of README runs, at tiny size, in a folder with the inputs that README speaks of.

What stands in README is run as it stands. Only options that make it small are added, and addresses are replaced.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from benchmarks.s2rda import check
from render.cli.main import main
from tests.farms import s3_server
from tests.test_docs import FENCE, INDENTED, ROOT, SPAN, text
from tests.training.test_s2rda import copy
from tests.walls import make_walls

PICTURE = ["--set", "camera.resolution=[40,32]", "--set", "render.samples=1", "--set", "render.denoise=false",
           "--set", "assets.shapes=1"]  # fmt: skip
DRAW = ["--images", "4", "--workers", "1", "--device", "cpu"]
FLAT = ["--set", "resolution=[64,64]"]
LEARN = ["--set", "iterations=2", "--set", "evaluate_every=0", "--set", "batch=4", "--set", "data.workers=0",
         "--set", "size=32", "--set", "report=false", "--set", "precision=fp32"]  # fmt: skip
TINY = {
    "render": [*DRAW, *PICTURE],
    "preview": ["--images", "2", *PICTURE],
    "stream": ["--count", "2", "--workers", "1", "--device", "cpu", *PICTURE],
    "crack compose": ["--images", "4", *FLAT],
    "crack preview": ["--images", "2", *FLAT],
    "segment train": ["--set", "width=2", "--set", "depth=2", *LEARN],
    "segment adapt": ["--set", "width=2", "--set", "depth=2", *LEARN],
    "surfaces": ["--smallest", "32", "--threshold", "1"],
    "train": LEARN,
    "adapt": LEARN,
    "ablate": [*LEARN, "--seeds", "1"],
    "study": [*LEARN, "--fractions", "0,100"],
    "tune": ["--images", "60", "--round-images", "12", "--workers", "1", "--device", "cpu", *PICTURE,
             "--set", "classes=[mug,chair]"],
}  # fmt: skip
"""What makes a command tiny."""

ADDRESSES = {"s3://bucket/": "s3://pictures/", "--ray auto": ""}
"""The tests' own bucket; farms of Ray have tests of their own."""

CLASSES = ("airplane", "camera", "car", "chair", "guitar", "lamp", "laptop", "motorcycle", "mug", "piano", "plant",
           "telephone", "watercraft")  # fmt: skip


def sections() -> dict[str, str]:
    """The text of README under each heading."""
    parts = re.split(r"^## (.*)$", text("README.md"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def shown(section: str, first: str) -> list[str]:
    """The commands that a section shows on lines of their own; inline ones only if they have an option."""
    prose = FENCE.sub("", sections()[section])
    lines = [line.strip() for block in INDENTED.findall(prose) for line in block.splitlines()]
    spans = [span for span in SPAN.findall(INDENTED.sub("", prose)) if " --" in span]
    return [line.partition(" #")[0].strip() for line in (*lines, *spans) if line.startswith(f"{first} ")]


def tiny(line: str) -> list[str]:
    for theirs, ours in ADDRESSES.items():
        line = line.replace(theirs, ours)
    words = shlex.split(line)[1:]
    group = " ".join(words[:2])
    return [*words, *TINY.get(group, TINY.get(words[0], []))]


def run(line: str) -> None:
    main_ended(tiny(line))


def main_ended(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert not ended.value.code, f"{shlex.join(words)}: exit {ended.value.code}"


def run_all(section: str, leave: tuple[str, ...] = ()) -> None:
    lines = [line for line in shown(section, "blendmill") if not line.startswith(leave or "-")]
    assert lines
    for line in lines:
        run(line)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run README in, with the configs of a checkout."""
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fences(section: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(sections()[section]) if kind == language]


def photographs(folder: Path, number: int = 4) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for k in range(number):
        Image.fromarray(rng.integers(0, 255, (72, 72, 3), dtype=np.uint8)).save(folder / f"{k}.png")


def models(folder: Path) -> None:
    for name in ("chair", "mug"):
        (folder / name).mkdir(parents=True)
        trimesh.creation.cylinder(radius=0.4, height=1.0).export(folder / name / "one.obj")
    trimesh.creation.capsule().export(folder / "mug.glb")


@pytest.mark.slow
def test_python(desk: Path) -> None:
    """The lines of Python that README opens with."""
    (snippet,) = (body for kind, body in FENCE.findall(text("README.md").partition("\n## ")[0]) if kind == "python")
    small = snippet.replace('"s2rda13"', '"smoke"').replace("images=1000", "images=4")
    found: dict[str, Any] = {}
    exec(compile(small, "README.md", "exec"), found)
    assert len(found["dataset"]) == 4 and found["frame"].rgb.shape == (64, 64, 3)


def test_start(desk: Path) -> None:
    run_all("Start")
    assert Path("mine.yaml").is_file()


def test_render(desk: Path) -> None:
    models(desk / "models")
    (desk / "pbr").mkdir()
    for name in ("Bricks_Color", "Bricks_Roughness"):
        Image.new("RGB", (16, 16), (120, 60, 40)).save(desk / "pbr" / f"{name}.png")
    (desk / "mine.yaml").write_text(fences("Render", "yaml")[0])
    run_all("Render")
    assert Path("data/dataset.json").is_file() and Path("mine/dataset.json").is_file()
    assert Path("sheet.png").is_file() and Path("sweep.png").is_file()


@pytest.fixture
def bucket() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.mark.slow
def test_farm(desk: Path, bucket: str) -> None:
    run_all("Farm")
    for snippet in fences("Farm", "python"):
        small = snippet.replace('"s2rda13")', '"smoke", ["camera.resolution=[40,32]", "classes=[mug]"])')
        small = small.replace("batch_size=64", "batch_size=2").replace("    ...", "    break")
        assert small.count("smoke") == small.count("break") == 1
        exec(compile(small, "README.md", "exec"), {"__name__": "readme"})


def test_read(desk: Path) -> None:
    run("blendmill render smoke --out data")
    for snippet in fences("Read", "python"):
        found: dict[str, object] = {}
        exec(compile(snippet, "README.md", "exec"), found)
        assert isinstance(found["rgb"], np.ndarray) and found["rgb"].shape == (32, 40, 3)
    check_that_pixels_lead_back_to_their_objects()
    # The server ends with Ctrl-C; the map and the scores need runs, which tests/gallery makes.
    run_all("Read", leave=("blendmill gallery data --serve", "blendmill gallery data --photos", "blendmill track"))
    assert Path("labels.png").is_file() and any(Path("out").iterdir())


def check_that_pixels_lead_back_to_their_objects() -> None:
    """The lines in docs/labels.md do what they say. An object with a diagonal fits into a ball of that diameter."""
    pixels, boxes, _ = (body for kind, body in FENCE.findall(text("docs/labels.md")) if kind == "python")
    found: dict[str, Any] = {}
    for snippet in (boxes, pixels):
        exec(compile(snippet, "docs/labels.md", "exec"), found)
    frame, in_world = found["frame"], found["in_world"]
    numbers = frame.instance[frame.instance > 0]
    assert in_world.shape == (3, len(numbers)) and len(numbers)
    for number in set(numbers):
        item = frame.scene.items[number - 1]
        away = np.linalg.norm(in_world[:, numbers == number].T - item.location, axis=1)
        assert away.max() <= item.scale / 2 * 1.001


@pytest.mark.slow
def test_cracks(desk: Path) -> None:
    make_walls(desk / "walls")
    photographs(desk / "photos")
    photographs(desk / "labeled/img")
    (desk / "labeled/mask").mkdir()
    mask = Image.new("L", (72, 72))
    mask.paste(255, (30, 0, 33, 72))
    for k in range(4):
        mask.save(desk / f"labeled/mask/{k}.png")
    run_all("Cracks")
    assert Path("compare.png").is_file() and Path("clear").is_dir() and any(Path("found/mask").iterdir())


@pytest.mark.slow
def test_your_own_models(desk: Path) -> None:
    models(desk / "models")
    (desk / "assets_manifest.yaml").write_text("assets: []\n")  # to fetch its entries takes a network
    run_all("Your own models")
    assert Path("chairs.png").is_file() and "models/mug.glb" in Path("assets_manifest.yaml").read_text()


STUDY = """
render: {config: {extends: smoke, classes: [mug, chair], assets: {shapes: 1}, camera: {resolution: [32, 32]},
  render: {samples: 1, denoise: false}}, images: 40}
train: {data: {source: [{where: renders}], holdout: 0, workers: 0}, model: resnet18, size: 32, batch: 4, iterations: 4,
  report: false}
factors: {augmentation: {strong: {train: {augment: strong}}}}
tests: {iid: {images: 4}}
seeds: 1
"""


@pytest.mark.slow
def test_factor_studies(desk: Path) -> None:
    (desk / "study.yaml").write_text(STUDY)
    for line in shown("Factor studies", "blendmill ablate"):
        main_ended(shlex.split(line)[1:])
    assert Path("study/report.html").is_file() and Path("screening/results.csv").is_file()
    run_study = next(Path("study/runs").iterdir())
    (line,) = (line for line in shown("Factor studies", "blendmill probe") if "runs/full" in line)
    line = line.replace("runs/full", str(run_study)).replace("s2rda13", "smoke")
    more = ["--images", "2", "--steps", "2", "--set", "classes=[mug,chair]", *PICTURE, "--workers", "1"]
    main_ended([*shlex.split(line)[1:], *more])
    assert Path("probe/figure.png").is_file()


@pytest.mark.slow
def test_tune(desk: Path) -> None:
    photographs(desk / "photos", 24)
    lines = shown("Tune to photographs", "blendmill")
    rounds, informed = ([line for line in lines if option in line] for option in ("--rounds", "--by information"))
    run_all("Tune to photographs", leave=(*rounds, *informed))
    for line in informed:  # the run of a network that it names would have to be trained
        run(line.replace("--model runs/net --features network ", ""))
    assert rounds and informed and Path("wide/tuned.yaml").is_file()
    assert Path("tuned/report.html").is_file() and Path("renders/dataset.json").is_file()
    pytest.importorskip("cmaes", reason="cmaes is not installed")
    for line in rounds:
        run(line)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # nineteen trainings, each a process
def test_train_and_adapt(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CLASSES:
        photographs(desk / "photos" / name)
    for name in ("a", "b", "first"):
        (desk / "pre" / name).mkdir(parents=True)
    lines = shown("Train and adapt", "blendmill")
    later = [line for line in lines if "C.yaml" in line or line.startswith("blendmill track")]
    for line in lines:
        if line not in later:
            run(line.replace("--images 5200", "--images 26"))
    for number in range(2):
        shutil.copytree("runs/mcc", f"runs/v2-{number}")
    for name in ("a", "b", "first"):
        shutil.copytree("runs/full", f"pre/{name}", dirs_exist_ok=True)
    (desk / "C.yaml").write_text("extends: benchmarks/s2r13/adapt.yaml\n")
    for line in later:
        run(line)
    copy(desk / "ROOT")
    command = "python -m benchmarks.s2rda.check ROOT"
    assert f"`{command}`" in sections()["Train and adapt"]
    monkeypatch.setattr(sys, "argv", command.split()[2:])
    with pytest.raises(SystemExit) as ended:
        sys.exit(check.main())
    assert ended.value.code == 1  # it is a copy of a few pictures, and the check says so
