"""The commands that train: runs in their folders, interrupted and taken up, evaluated, and side by side in studies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml

from render.cli.main import main

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from tests.tiny import build, domains, photos  # noqa: E402
from training import checkpoint  # noqa: E402
from training.logger import entries  # noqa: E402
from training.run_folder import Folder  # noqa: E402
from training.tables import ticks_of  # noqa: E402


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = domains(tmp_path_factory.mktemp("domains"))
    photos(folder / "test", each=4, shade=30, seed=1)
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.load.build", build)


def written(root: Path, path: Path, **changes: Any) -> Path:
    data = {name: {"where": str(root / name)} for name in ("target", "test")}
    config = {
        "data": {"source": [{"where": str(root / "source")}], "workers": 0, **data, **changes.pop("data", {})},
        "model": "resnet18",
        "bottleneck": 8,
        "size": 16,
        "batch": 6,
        "iterations": 12,
        "optimizer": {"lr": 0.1},
        "evaluate_every": 4,
        "checkpoint_every": 5,
        "log_every": 4,
        "select_by": "im",
        "report": False,
    }
    path.write_text(yaml.safe_dump(config | changes))
    return path


def weights(folder: Path, name: str = "last") -> dict[str, Any]:
    return dict(checkpoint.read(folder / "checkpoints" / f"{name}.safetensors").tensors)


def same(one: Path, other: Path, name: str = "last") -> bool:
    first, second = weights(one, name), weights(other, name)
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """What a run's log.jsonl tells, by name and step."""
    return {
        (f"{entry['kind']}/{name}", entry["step"]): value
        for entry in entries(folder / "log.jsonl")
        for name, value in entry.items()
        if name not in ("kind", "step")
    }


def board(folder: Path) -> dict[tuple[str, int], float]:
    """What TensorBoard shows of a run, by tag and step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0}).Reload()
    return {(tag, event.step): event.value for tag in found.Tags()["scalars"] for event in found.Scalars(tag)}


def test_the_commands_are_plugged_in_by_entry_points() -> None:
    plugged = entry_points(group="blendmill.commands")
    assert {"train", "adapt", "evaluate", "ablate", "probe", "study", "stylize"} <= plugged.names
    assert {plug.value.partition(":")[0] for plug in plugged} <= {
        "classify.cli",
        "classify.cli_studies",
        "gallery.cli",
        "segment.cli",
    }


def test_without_pytorch_a_command_says_what_to_install() -> None:
    script = "import sys; sys.modules['torch'] = None; from render.cli.main import main; main(sys.argv[1:])"

    def ended(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)

    found = ended("train", "x.yaml", "--out", "x")
    assert found.returncode == 2 and found.stderr.count("\n") == 1
    assert "needs the extra `train`" in found.stderr and "torch" in found.stderr
    helped = ended("--help")
    assert helped.returncode == 0 and "adapt" in helped.stdout and "render" in helped.stdout


def test_train_then_evaluate(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(root, tmp_path / "c.yaml")
    code, printed, told = run(capsys, "train", config, "--out", tmp_path / "run")
    assert code == 0, told
    assert "selected by the validator 'im', without labels of the target" in printed
    for word in ("step 12/12", "loss", "images/s", "data wait", "left", "step 8/12  evaluating", "report"):
        assert word in told
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert [entry["step"] for entry in results["history"]] == [4, 8, 12]
    names = {"source", "im", "bnm", "snd", "dev", "entropy", "oracle"}
    assert names == results["validators"].keys() and not results["selected"]["uses_target_labels"]
    best = max(results["history"], key=lambda entry: entry["im"])
    assert results["selected"]["step"] == best["step"]
    saved = checkpoint.read(Folder(tmp_path / "run").selected)
    assert saved.facts["step"] == best["step"] and saved.facts["data"].keys() == {
        "source",
        "target",
        "validation",
        "test",
    }
    assert {entry["kind"] for entry in entries(tmp_path / "run" / "log.jsonl")} == {"train", "evaluation"}
    assert run(capsys, "train", config, "--out", tmp_path / "run")[1] == printed
    code, table, told = run(capsys, "evaluate", tmp_path / "run", root / "test", "--out", tmp_path / "e.json")
    assert code == 0 and "12 pictures (fit: pad)" in table and "evaluating 12/12" in told, told
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["fit"] == "pad"
    assert figures["accuracy"] == pytest.approx(results["test"]["accuracy"]) == pytest.approx(best["test_accuracy"])


def test_evaluate_says_what_the_renders_lack(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "train", written(root, tmp_path / "c.yaml"), "--out", tmp_path / "run")[0] == 0
    page = tmp_path / "gaps.html"
    code, told, errors = run(capsys, "evaluate", tmp_path / "run", root / "test", "--gaps", page, "--batch", 5)
    assert code == 0 and "measuring 36/36" in errors, errors
    assert (
        "4 photographs, recall" in told and "100% are lighter than 97.5 % of the renders" in told
    )  # shade 30 against 0
    text = page.read_text()
    assert (
        "are lighter than" in text and text.count('alt="photograph"') >= 4 and "Classes are those of the labels" in text
    )
    # The same photographs without labels: figures are left out, and the classes are those that the run says.
    (tmp_path / "photos").mkdir()
    for number, path in enumerate(sorted((root / "test").rglob("*.png"))):
        shutil.copy(path, tmp_path / "photos" / f"{number}.png")
    code, told, _ = run(capsys, "evaluate", tmp_path / "run", tmp_path / "photos", "--gaps", page)
    assert code == 0 and "recall" not in told and "are lighter than" in told
    assert "The photographs have no labels" in page.read_text()
    code, _, errors = run(capsys, "evaluate", tmp_path / "run", tmp_path / "photos")
    assert code == 2 and "12 of 12 pictures have no class" in errors
    other = ("--gaps", page, "--learned", root / "test")
    code, told, _ = run(capsys, "evaluate", tmp_path / "run", root / "test", *other)
    assert code == 0 and "nothing that is measured" in told
    assert run(capsys, "evaluate", tmp_path / "run", root / "test", *other[2:])[0] == 2


def test_a_run_that_selects_on_target_labels_says_so(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed, _ = run(
        capsys, "train", written(root, tmp_path / "c.yaml", select_by="oracle"), "--out", tmp_path / "r"
    )
    assert code == 0 and "LABELS OF THE TARGET" in printed
    assert json.loads((tmp_path / "r" / "results.json").read_text())["selected"]["uses_target_labels"]


TINY = """
import sys
sys.path.insert(0, ".")
import classify.load
from tests import tiny
classify.load.build = tiny.build
from render.cli.main import main
"""

SCRIPT = f"""
{TINY}
from training.trainer import Trainer
step = Trainer._one
def slow(self, log):
    step(self, log)
    print(self.step, flush=True)
    sys.stdin.readline()
Trainer._one = slow
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("number", "at", "kept"), [(signal.SIGINT, 7, 7), (signal.SIGKILL, 9, 5)])
def test_a_run_that_was_ended_is_taken_up(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int, at: int, kept: int
) -> None:
    config = written(root, tmp_path / "c.yaml", method="shot", ema=0.9, augment="strong")
    command = ["train", str(config), "--out", str(tmp_path / "cut")]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    while int(process.stdout.readline()) < at:
        print(file=process.stdin, flush=True)
    # The process waits within its step, so that it is struck in the midst of it.
    process.send_signal(number)
    time.sleep(0.1)
    if number == signal.SIGINT:
        print(file=process.stdin, flush=True)
    assert process.wait(timeout=120) == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert checkpoint.read(Folder(tmp_path / "cut").last).facts["step"] == kept
    assert run(capsys, *command)[0] == 0
    assert run(capsys, "train", config, "--out", tmp_path / "whole")[0] == 0
    assert same(tmp_path / "cut", tmp_path / "whole") and same(tmp_path / "cut", tmp_path / "whole", "selected")
    cut, whole = ([(e["step"], e["kind"]) for e in entries(tmp_path / n / "log.jsonl")] for n in ("cut", "whole"))
    assert cut == whole
    for name in ("cut", "whole"):
        shown, logged = board(tmp_path / name), scalars(tmp_path / name)
        assert shown.keys() == logged.keys() and all(shown[k] == pytest.approx(logged[k]) for k in shown)
    assert not list((tmp_path / "cut").rglob("*.tmp-*"))


@pytest.mark.slow
def test_two_processes_make_the_run_that_one_would(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As torchrun starts them; without batch norm and without draws but the order, of which each has its half."""
    config = written(root, tmp_path / "c.yaml", model="plain", bottleneck=0, augment="none", select_by="last")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    command = [sys.executable, "-c", f"{TINY}main(sys.argv[1:])", "train", str(config), "--out", str(tmp_path / "two")]
    started = [
        subprocess.Popen(command, env=os.environ | place | {"RANK": rank}, stdout=subprocess.PIPE, text=True)
        for rank in "01"
    ]
    assert run(capsys, "train", config, "--out", tmp_path / "one")[0] == 0
    printed = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert "step 12" in printed[0] and printed[1] == ""
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys() and all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)
    assert json.loads((tmp_path / "two" / "results.json").read_text())["processes"] == 2


def test_a_method_is_chosen_on_the_command_line(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(root, tmp_path / "c.yaml", method="mcc", settings={"dann": {"trade_off": 0.5}}, iterations=2)
    data = ["--source", root / "target", "--target", f"{root / 'source'}@adapt"]
    code, _, told = run(capsys, "adapt", config, "--method", "dann", *data, "--out", tmp_path / "run")
    assert code == 0, told
    kept = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert kept["method"] == "dann" and kept["data"]["target"]["split"] == "adapt"
    assert kept["data"]["source"][0]["where"] == str(root / "target")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("method=dan1", "did you mean 'dan'"),
        ("settings={mcc: {temprature: 3}}", "did you mean 'temperature'"),
        ("select_by=accuracy", "'source', 'im', 'bnm'"),
        ("itertions=5", "did you mean 'iterations'"),
        ("data.target=", "needs data.target"),
        ("data.source=[{where: /nowhere}]", "/nowhere"),
        ("weights=/nowhere/x.safetensors", "x.safetensors"),
        ("device=tpu9", "device"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_trained(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, words: str
) -> None:
    config = written(root, tmp_path / "c.yaml")
    code, printed, error = run(capsys, "train", config, "--out", tmp_path / "run", "--set", change)
    assert (code, printed) == (2, "") and error.count("\n") == 1 and words in error
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_folder_of_another_run_is_left_alone(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(root, tmp_path / "c.yaml", iterations=2)
    assert run(capsys, "train", config, "--out", tmp_path / "run")[0] == 0
    code, _, error = run(capsys, "train", config, "--out", tmp_path / "run", "--set", "optimizer.lr=0.5")
    assert code == 2 and "field optimizer.lr: 0.1 there, 0.5 now" in error
    assert run(capsys, "train", config, "--out", tmp_path / "run", "--set", "data.workers=1")[0] == 0
    code, _, error = run(capsys, "train", config, "--out", root)
    assert code == 2 and "not empty, and not the folder of a run" in error


def test_data_that_changed_under_a_run_is_told(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = photos(tmp_path / "source")
    config = written(root, tmp_path / "c.yaml", data={"source": [{"where": str(source)}]})
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    def strike(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("training.run._Run._evaluate", strike)
        execute(Classification(), load_training(config), tmp_path / "run")
    (source / "red" / "0.png").unlink()
    code, _, error = run(capsys, "train", config, "--out", tmp_path / "run")
    assert code == 2 and "the source data have changed since the run began" in error


def test_a_run_that_dies_in_its_last_evaluation_is_not_trained_again(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(root, tmp_path / "c.yaml", iterations=3)
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("classify.evaluation.ClassifyEvaluator.assess", die)
        execute(Classification(), load_training(config), tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.trainer.Trainer._one", die)
        assert run(capsys, "train", config, "--out", tmp_path / "run")[0] == 0
    assert run(capsys, "train", config, "--out", tmp_path / "whole")[0] == 0
    found, whole = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("run", "whole"))
    assert found["history"] == whole["history"] and found["test"] == whole["test"]


def test_pre_training_then_tuning(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Contrastive, of both domains and without labels, then supervised from there."""
    both = {"source": [{"where": str(root / "source")}, {"where": str(root / "target")}], "target": None, "test": None}
    first = written(root, tmp_path / "a.yaml", method="simclr", select_by="last", iterations=3, data=both)
    assert run(capsys, "train", first, "--out", tmp_path / "a")[0] == 0
    second = written(root, tmp_path / "b.yaml", weights=str(tmp_path / "a"), iterations=1, optimizer={"lr": 1e-9})
    assert run(capsys, "train", second, "--out", tmp_path / "b")[0] == 0
    start, end = weights(tmp_path / "a", "selected"), weights(tmp_path / "b", "selected")
    assert torch.allclose(start["method.network.backbone.0.weight"], end["method.network.backbone.0.weight"], atol=1e-6)
    assert end["method.network.head.weight"].shape == (3, 8)
    third = written(root, tmp_path / "c.yaml", weights=str(tmp_path / "b"), iterations=1, optimizer={"lr": 1e-9})
    assert run(capsys, "train", third, "--out", tmp_path / "c")[0] == 0
    head = weights(tmp_path / "c", "selected")["method.network.head.weight"]
    assert torch.allclose(head, end["method.network.head.weight"], atol=1e-6)


def test_the_study_of_mixing(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = written(root, tmp_path / "c.yaml", iterations=2)
    command = ["study", config, "--real", root / "target", "--fractions", "0,50,100", "--out", tmp_path / "out"]
    code, printed, told = run(capsys, *command)
    assert code == 0, told
    assert "run 1 of 13: real-50-0\n" in told and "run 13 of 13: finetuned-100-0\n" in told and "run 14" not in told
    rows = json.loads((tmp_path / "out" / "table.json").read_text())
    assert [(row["regime"], row["real %"]) for row in rows] == [
        *(("real", percent) for percent in ("50", "100")),
        *((regime, percent) for regime in ("mixed", "adapted", "finetuned") for percent in ("0", "50", "100")),
    ]
    kept = yaml.safe_load((tmp_path / "out" / "mixed-50-0" / "config.yaml").read_text())
    assert [part["share"] for part in kept["data"]["source"]] == [0.5, 0.5]
    assert kept["data"]["source"][1]["split"] == "all/50%"
    tuned = yaml.safe_load((tmp_path / "out" / "finetuned-50-0" / "config.yaml").read_text())
    assert tuned["weights"].endswith("synthetic-0") and len(tuned["data"]["source"]) == 1
    assert run(capsys, *command)[1] == printed
    assert kept["data"]["holdout"] == 0
    for change, words in (
        (["--regimes", "mixt"], "did you mean 'mixed'"),
        (["--real", root / "test"], "12 of its pictures are also in data.test"),
        (["--set", "data.target=null", "--set", "select_by=last"], "the regime 'adapted' needs one"),
        (["--share", "1"], "--share"),
    ):
        code, _, error = run(capsys, *command, *change)
        assert code == 2 and words in error


def test_a_config_may_select_by_every_validator_there_is() -> None:
    from typing import get_args

    from classify.config import Selector
    from classify.validators import VALIDATORS
    from training.config import ORACLE

    assert set(get_args(Selector)) == {*VALIDATORS, ORACLE, "last"}


def test_a_run_ends_with_a_report_that_opens_from_disk(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from classify import models

    monkeypatch.setattr("classify.load.build", models.build)
    changes = {"size": 32, "iterations": 2, "evaluate_every": 1, "bottleneck": 0, "report": True}
    config = written(root, tmp_path / "config.yaml", **changes)
    code, _, err = run(capsys, "train", config, "--out", tmp_path / "run")
    assert code == 0, err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "fit pad" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/png;base64") >= 4 and "oracle" in page
    (tmp_path / "run" / "report.html").unlink()
    assert run(capsys, "train", config, "--out", tmp_path / "run")[0] == 0
    assert (tmp_path / "run" / "report.html").exists()


def test_numbers_lie_along_an_axis_in_their_order() -> None:
    assert ticks_of(["5", "100", "12.5", "5", "0"]) == (["0", "5", "12.5", "100"], True)
    assert ticks_of(["mcc", "dann", "mcc"]) == (["mcc", "dann"], False)
    assert ticks_of([""]) == ([""], False)


@pytest.mark.parametrize("schedule", ["constant", "inverse"])
def test_a_lengthened_run_is_the_long_one(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], schedule: str
) -> None:
    """Finished at step 8 and then asked for 12: exact, because no step of this run depends on the total."""
    optimizer = {"lr": 0.1, "schedule": schedule, "warmup": 2}
    config = written(root, tmp_path / "c.yaml", optimizer=optimizer, ema=0.9)
    assert run(capsys, "train", config, "--out", tmp_path / "long")[0] == 0
    for length in (8, 12):
        assert run(capsys, "train", config, "--out", tmp_path / "grown", "--set", f"iterations={length}")[0] == 0
    assert same(tmp_path / "grown", tmp_path / "long") and same(tmp_path / "grown", tmp_path / "long", "selected")
    grown, long = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("grown", "long"))
    assert (grown["lengthened"], long["lengthened"]) == ([{"step": 8, "from": 8, "to": 12}], [])
    assert grown["history"] == long["history"] and grown["selected"] == long["selected"]
    assert yaml.safe_load((tmp_path / "grown" / "config.yaml").read_text())["iterations"] == 12
    code, _, error = run(capsys, "train", config, "--out", tmp_path / "grown", "--set", "iterations=8")
    assert code == 2 and "holds a run of 12 iterations, asked are 8: a run can be lengthened but not shortened" in error


def test_a_schedule_of_the_total_goes_on_as_in_the_long_run(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cosine: the last of 4 steps has the rate (1 + cos 3/4 π) / 2, and the fifth of 8 has (1 + cos 4/8 π) / 2."""
    config = written(root, tmp_path / "c.yaml", log_every=1, optimizer={"lr": 1.0, "schedule": "cosine"}, iterations=4)
    assert run(capsys, "train", config, "--out", tmp_path / "run")[0] == 0
    assert run(capsys, "train", config, "--out", tmp_path / "run", "--set", "iterations=8")[0] == 0
    rates = [entry["lr"] for entry in entries(tmp_path / "run" / "log.jsonl") if entry["kind"] == "train"]
    assert rates[3:5] == pytest.approx([0.1464466, 0.5]) and len(rates) == 8
    before = (tmp_path / "run" / "results.json").read_bytes()
    assert run(capsys, "train", config, "--out", tmp_path / "run", "--set", "iterations=8")[0] == 0
    assert (tmp_path / "run" / "results.json").read_bytes() == before
