"""Bad input of training: batches of one picture, classes and files that are not there, full disks, early kills."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scenes.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.methods.adabn import AdaBN  # noqa: E402
from classify.task import Classification  # noqa: E402
from segment.config import SegmentConfig  # noqa: E402
from segment.task import Segmentation  # noqa: E402
from tests.tiny import build, config, domains, nothing, photos, stepping, trainer  # noqa: E402
from training import checkpoint  # noqa: E402
from training.data.files import class_folders  # noqa: E402
from training.data.loader import Loader  # noqa: E402
from training.data.windows import Windows  # noqa: E402
from training.method import FullPass, Unlabeled  # noqa: E402
from training.run import execute  # noqa: E402


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return domains(tmp_path_factory.mktemp("domains"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.load.build", build)


# Batches of one ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bottleneck", [0, 8])
def test_one_picture_a_batch_trains_or_is_one_line(root: Path, bottleneck: int) -> None:
    """The bottleneck has batch norm over one value; without it, the backbone has 7 x 7 values of each channel."""
    trained, told = set(), {}
    for name in stepping():
        made = trainer(config(root, method=name, batch=1, iterations=2, bottleneck=bottleneck))
        try:
            made.train(None, nothing, nothing)
            trained.add(name)
        except InputError as error:
            told[name] = str(error)
        made.supply.close()
    assert all("\n" not in line and ("field batch: " in line or "the loss is nan" in line) for line in told.values())
    if bottleneck:
        assert "batch norm needs more than one value for each channel" in told["source"]
    else:
        assert {"source", "dann", "mcc", "fixmatch"} <= trained


def cracks(root: Path) -> Path:
    for folder in ("img", "mask"):
        (root / folder).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(np.full((32, 32), 200, np.uint8)).save(root / folder / f"{number}.png")
    return root


def segmented(out: Path, depth: int = 2, **data: Any) -> Any:
    small = {"width": 2, "size": 16, "batch": 1, "iterations": 2, "device": "cpu", "depth": depth}
    asked = SegmentConfig.model_validate({"data": {"holdout": 0, "workers": 0, **data}, **small})
    return execute(Segmentation(), asked, out)


def test_a_segmenter_trains_with_one_picture_where_it_can(tmp_path: Path) -> None:
    """Crops of 16 pixels have 4 x 4 values at depth 2, and one at depth 4."""
    source = [{"where": str(cracks(tmp_path / "set"))}]
    assert segmented(tmp_path / "run2", 2, source=source)["selected"]["step"] == 2
    with pytest.raises(InputError, match="field batch: batch norm needs more than one value for each channel"):
        segmented(tmp_path / "run4", 4, source=source)


def test_a_damaged_test_picture_does_not_end_a_segmenters_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, test = cracks(tmp_path / "set"), cracks(tmp_path / "test")
    (test / "mask" / "1.png").write_bytes(b"no mask")
    (test / "img" / "2.png").symlink_to("moved.png")
    found = segmented(tmp_path / "run", source=[{"where": str(source)}], test={"where": str(test)})
    assert found["test"]["iou"] >= 0 and (tmp_path / "run" / "report.html").exists()
    assert f"left out: {test / 'mask' / '1.png'}: " in caplog.text
    assert f"left out: {test / 'img' / '2.png'}: is a link to nothing" in caplog.text
    (test / "mask" / "0.png").write_bytes(b"no mask")
    with pytest.raises(InputError, match=r"test: no mask can be read"):
        segmented(tmp_path / "again", source=[{"where": str(source)}], test={"where": str(test)})


@pytest.mark.parametrize("count", [0, 1])
def test_batch_norm_is_adapted_to_two_pictures_or_more(count: int) -> None:
    picture = torch.zeros(1, 3, 16, 16)
    target = [Unlabeled(picture, picture, torch.zeros(1, dtype=torch.int64))] * count
    method = AdaBN(build("resnet18", 3), 3, AdaBN.Settings())
    with pytest.raises(InputError, match=r"field data\.target: adabn needs at least two pictures"):
        method.finish(FullPass(lambda: [], lambda: target))


# Classes and files ---------------------------------------------------------------------------------------------------


def test_a_class_without_pictures_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    domains(tmp_path)
    trainer(config(tmp_path))
    assert "no picture of the class" not in caplog.text
    (tmp_path / "source" / "white").mkdir()
    trainer(config(tmp_path))
    assert f"{tmp_path / 'source'} (all but holdout): no picture of the class 'white': the network" in caplog.text or (
        "no picture of the class 'white': the network cannot learn it" in caplog.text
    )
    caplog.clear()
    trainer(config(tmp_path, classes=("blue", "green", "red")))
    assert "no picture of the class" not in caplog.text


@pytest.mark.parametrize("kind", ["link to nothing", "pipe", "damaged"])
def test_a_file_that_is_no_picture_is_left_out(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    path = photos(tmp_path / "set") / "green" / "x.png"
    if kind == "link to nothing":
        path.symlink_to("moved.png")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"no picture")
    pictures = class_folders(tmp_path / "set")
    assert len(pictures) == 25
    with caplog.at_level(logging.WARNING, "blendmill"):
        loaded = [int(i) for batch in Loader(pictures, 5, Windows(16), workers=0).once() for i in batch.indices]
    assert loaded == [i for i in range(25) if i != 16]  # after eight blue and eight green ones
    assert caplog.text.count("left out: ") == 1 and str(path) in caplog.text


def test_a_link_to_nothing_among_crack_pictures_is_left_out(tmp_path: Path) -> None:
    from segment.sets import open_set

    for folder in ("img", "mask"):
        (tmp_path / folder).mkdir()
        Image.new("L", (40, 40)).save(tmp_path / folder / "a.png")
        (tmp_path / folder / "b.png").symlink_to("moved.png")
    found = open_set(tmp_path)
    assert found.names == ("a",)
    assert found.left_out == tuple(
        f"{tmp_path / f / 'b.png'}: is a link to nothing, or no file" for f in ("img", "mask")
    )


# Disks and kills -----------------------------------------------------------------------------------------------------

# With a limit on the size of files, Python would cut off the compiled modules that it writes, for all tests to come.
LIMITED = """
import resource, sys
sys.dont_write_bytecode = True
sys.path.insert(0, ".")
import classify.load
from tests import tiny
classify.load.build = tiny.build
from pathlib import Path
from classify.task import Classification
from scenes.errors import InputError
from training import run
from training.trainer import Trainer

wanted, step = sys.argv[3], Trainer._one
def limited(self, log):
    step(self, log)
    if self.step == 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(wanted), resource.RLIM_INFINITY))
Trainer._one = limited
settings = tiny.config(Path(sys.argv[1]), iterations=8, checkpoint_every=4, log_every=1)
try:
    run.execute(Classification(), settings, Path(sys.argv[2]))
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 3000])
def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(root: Path, tmp_path: Path, limit: int) -> None:
    """The limit is set after step 5. With 0 bytes the log fails first, with 3000 the checkpoint."""
    command = [sys.executable, "-c", LIMITED, str(root), str(tmp_path / "run"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1 and str(tmp_path / "run") in done.stdout and "make room" in done.stdout
    assert "Traceback" not in done.stderr
    assert checkpoint.read(tmp_path / "run" / "checkpoints" / "last.safetensors").facts["step"] == 4
    assert not list((tmp_path / "run").rglob("*.tmp-*"))


def test_nothing_is_left_of_a_kill_in_the_first_checkpoint(root: Path, tmp_path: Path) -> None:
    """And none of a kill while config.yaml was written: the folder is still free."""
    killed = """
import os, signal, training.checkpoint
save = training.checkpoint.save_file
def dying(tensors, path, metadata):
    save(tensors, path, metadata)
    os.kill(os.getpid(), signal.SIGKILL)
training.checkpoint.save_file = dying
"""
    script = killed + LIMITED.replace("self.step == 5", "False")
    done = subprocess.run([sys.executable, "-c", script, str(root), str(tmp_path / "run"), "0"], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[:21] for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["last.safetensors.tmp-"]
    settings = config(root, iterations=8, checkpoint_every=4, log_every=1)
    execute(Classification(), settings, tmp_path / "run")
    assert not list((tmp_path / "run").rglob("*.tmp-*"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml.tmp-host-1").write_text("half")
    execute(Classification(), settings, tmp_path / "other")
    assert not list((tmp_path / "other").rglob("*.tmp-*"))
