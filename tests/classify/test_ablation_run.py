"""Studies from their file to their report: taken up again, with jobs that fail, and with code that changes."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

import click
import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.ablation import origin
from classify.ablation.checking import Estimate, check
from classify.ablation.command import ablate
from classify.ablation.plan import make_plan
from classify.ablation.study import load_study
from classify.studied import STUDIED
from render.cli.main import cli
from render.dataset.dataset import Dataset
from scenes.errors import InputError
from tests.frames import CLASSES, make_dataset
from tests.tiny import build, domains, photos
from training.studies import Job

STUDY: dict[str, Any] = {
    "render": {
        "config": {"camera": {"resolution": [32, 32]}, "classes": ["mug"], "assets": {"shapes": 2}}, "images": 9,
    },
    "train": {
        "data": {"source": [{"where": "renders"}], "holdout": 0, "workers": 0},
        "classes": list(CLASSES), "model": "resnet18", "size": 16, "batch": 3, "iterations": 2, "report": False,
    },
    "factors": {
        "yaw": {"30": {"set": {"objects.yaw": 30}}},
        "augmentation": {"strong": {"train": {"augment": "strong"}}},
    },
    "tests": {"iid": {"images": 6}, "bare": {"images": 6, "set": {"background.kind": "none"}}},
    "seeds": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs run in this process, with tiny networks and painted pictures. Returns the names of those that began."""
    names: list[str] = []

    def run(job: Job, work: Path, stop: Event | None = None) -> None:
        names.append(job.out)
        if "broken" in job.words[1]:
            (work / job.log).write_text("a first line\nthe disk is on fire\n")
            raise click.ClickException("exit 1")
        if job.words[0] == "render":
            words = dict(zip(job.words[2::2], job.words[3::2], strict=True))
            make_dataset(work / job.out, int(words["--images"]), 4, seed=int(words["--seed"]), size=(24, 24))
            return
        cli([*job.words, "--out", str(work / job.out)], standalone_mode=False)

    # Jobs run in threads, where a training cannot listen for Ctrl-C.
    listen = signal.signal
    monkeypatch.setattr(
        "signal.signal", lambda *given: listen(*given) if current_thread() is main_thread() else signal.SIG_DFL
    )
    monkeypatch.setattr("classify.load.build", build)
    monkeypatch.setattr(Job, "run", run)
    monkeypatch.setattr("classify.ablation.command.check", lambda *_: Estimate(0, 0, 0, 0, 0, 0, 0, 1, 1))
    return names


def run(path: Path, out: Path, **how: Any) -> bool:
    return ablate(str(path), how.pop("overrides", ()), (), None, 1.0, out, False, how.pop("against", None), how)


def written(path: Path, **changes: Any) -> Path:
    path.write_text(yaml.safe_dump({**STUDY, **changes}))
    return path


def test_a_study_ends_in_a_table_and_goes_on_where_it_was(
    tmp_path: Path, begun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = written(tmp_path / "toy.yaml", seeds=2), tmp_path / "out"
    assert run(path, out)
    printed = capsys.readouterr().out
    assert "study toy, one at a time: 3 combinations" in printed and "| yaw 30 | " in printed
    # Four sets, and for each of three combinations and two seeds a training and a test.
    assert len(begun) == 4 + 3 * 2 * 2 and len(set(begun)) == len(begun)
    assert begun[0].startswith("renders/base-") and sum(name.startswith("renders/") for name in begun[:4]) == 4
    rows = list(csv.DictReader((out / "results.csv").open()))
    assert [row["kind"] for row in rows if row["test"] == "bare"] == ["figure"] * 3 + ["difference"] * 2
    page = (out / "report.html").read_text()
    assert page.count("<img") == 1 + 2  # the figure, and the pictures of two sets
    assert "<script" not in page and "The code changed" not in page and "ended without a result" not in page
    assert (out / "figure.png").stat().st_size > 5000
    begun.clear()
    assert run(path, out) and begun == []
    (next((out / "tests").iterdir())).unlink()
    assert run(path, out) and len(begun) == 1
    begun.clear()
    # Seeds and variants that are new are added, the others stand.
    assert run(path, out, overrides=["seeds=3"]) and len(begun) == 3 * 2


def test_runs_without_steps_are_no_jobs_and_have_the_figures_of_jobs(
    tmp_path: Path, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train = {**STUDY["train"], "method": "linear", "iterations": 1, "settings": {"linear": {"bootstrap": True}}}
    factors = {"yaw": STUDY["factors"]["yaw"], "strength": {"low": {"train": {"settings.linear.strength": 1e-4}}}}
    path, out = written(tmp_path / "toy.yaml", train=train, factors=factors, seeds=2), tmp_path / "out"
    assert run(path, out) and all(name.startswith("renders/") for name in begun)

    def answers() -> dict[str, list[Any]]:
        found = {each.name: json.loads(each.read_text()) for each in (out / "tests").iterdir()}
        return {name: [(one["labels"], one["predicted"], one["ece"]) for one in tests] for name, tests in found.items()}

    quick = answers()
    assert len(quick) == 6 and len({str(one) for one in quick.values()}) > 1
    shutil.rmtree(out / "tests")
    monkeypatch.setattr(type(STUDIED), "screened", lambda *_: None)
    assert run(path, out) and sum(name.startswith("runs/") for name in begun) == 6
    for name, tests in answers().items():
        for slow, other in zip(tests, quick[name], strict=True):
            assert slow[:2] == other[:2] and slow[2] == pytest.approx(other[2], abs=1e-5)


def test_a_run_without_steps_that_fails_is_told(tmp_path: Path, begun: list[str]) -> None:
    train = {**STUDY["train"], "method": "linear", "iterations": 1}
    factors = {"one": {"class": {"train": {"classes": ["mug"]}}}, "yaw": STUDY["factors"]["yaw"]}
    out = tmp_path / "out"
    assert not run(written(tmp_path / "toy.yaml", train=train, factors=factors), out)
    page = (out / "report.html").read_text()
    assert "1 jobs ended without a result" in page and "linear needs pictures of two classes" in page


def test_a_dead_job_does_not_stop_the_others(
    tmp_path: Path, begun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    factors = {"yaw": {"broken": {"set": {"objects.yaw": 1}}, "30": {"set": {"objects.yaw": 30}}},
               "rate": {"broken": {"train": {"optimizer.lr": 0.2}}}}  # fmt: skip
    path, out = written(tmp_path / "toy.yaml", factors=factors), tmp_path / "out"
    assert not run(path, out)
    told = capsys.readouterr()
    assert told.err.count("the disk is on fire") == 2 and told.err.count("its renders are missing: yaw-broken-") == 1
    assert "| yaw broken | missing | missing |" in told.out and "| yaw 30 | +" in told.out.replace("| -", "| +")
    page = (out / "report.html").read_text()
    assert "3 jobs ended without a result" in page and "the disk is on fire" in page


def test_a_render_job_copies_from_all_sets_that_are_there(
    tmp_path: Path, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of this study and of the others that are named. An unfinished set is none."""
    path = written(tmp_path / "toy.yaml")
    assert run(path, tmp_path / "first")
    words: dict[str, tuple[str, ...]] = {}
    paint = Job.run

    def kept(job: Job, work: Path, stop: Event | None = None) -> None:
        words[job.out] = job.words
        paint(job, work)

    monkeypatch.setattr(Job, "run", kept)
    changed = {**STUDY["render"], "images": 10}
    assert run(written(path, render=changed), tmp_path / "second", ray="auto", workers=3, reuse=(tmp_path / "first",))
    renders = [given for out, given in words.items() if out.startswith("renders/")]
    reused = [[Path(word) for word in given[given.index("--reuse") + 1 :: 2]] for given in renders]
    others = sorted((tmp_path / "first" / "renders").iterdir())
    assert [len(each) for each in reused] == [4, 5, 6, 7]
    assert all(each[-4:] == others for each in reused) and reused[1][0].is_relative_to(tmp_path / "second" / "renders")
    assert all(given[given.index("--ray") + 1] == "auto" for given in renders)
    assert all(given[given.index("--workers") + 1] == "3" for given in renders)


def test_a_screening_is_compared_with_the_study(tmp_path: Path) -> None:
    factors = {f"yaw {k}": {"30": {"set": {"objects.yaw": k}}} for k in range(3)}
    path = written(tmp_path / "toy.yaml", factors=factors)
    assert run(path, tmp_path / "first") and run(path, tmp_path / "second", against=tmp_path / "first")
    page = (tmp_path / "second" / "report.html").read_text()
    assert "rank correlation with the other study" in page and page.count(" over 3 differences") == 2
    (tmp_path / "first" / "results.csv").write_text("kind,value\ndifference,x\n")
    for folder, words in ((tmp_path / "first", "is damaged"), (tmp_path, "cannot be read")):
        with pytest.raises(InputError, match=f"results.csv: {words}"):
            run(path, tmp_path / "second", against=folder)


def test_nothing_tested_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.yaml", tests={"broken": {"images": 3}})
    with pytest.raises(InputError, match="no run was tested"):
        run(path, tmp_path / "out")


def test_a_folder_holds_one_study(tmp_path: Path) -> None:
    first, out = written(tmp_path / "first.yaml"), tmp_path / "out"
    assert run(first, out)
    with pytest.raises(InputError, match="holds the study 'first', asked is 'second': choose another --out"):
        run(written(tmp_path / "second.yaml"), out)
    with pytest.raises(InputError, match="not empty, and not the folder of a study"):
        run(first, tmp_path)


def test_code_and_config_that_changed_half_way_are_told(
    tmp_path: Path, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = written(tmp_path / "toy.yaml"), tmp_path / "out"
    assert run(path, out)
    before = origin.code()
    monkeypatch.setattr(origin, "code", lambda: "0123456789ab")
    training = {**STUDY["train"], "iterations": 3}
    begun.clear()
    assert run(written(path, train=training), out)
    assert not any(name.startswith("renders/") for name in begun) and len(begun) == 3 * 2
    page = (out / "report.html").read_text()
    assert "The code changed while the study ran" in page and "Of an earlier state of this study" in page
    last = page[page.index("What made which result") :]
    assert f"<td>{before}</td><td>base-" in last and "<td>0123456789ab</td><td>base-0-" in last


def test_only_code_that_worked_on_a_result_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code, there in (("a", False), ("b", True), ("b", True), ("c", True)):
        monkeypatch.setattr(origin, "code", lambda code=code: code)
        origin.note(tmp_path, "runs/x")
        (tmp_path / "runs" / "x").mkdir(parents=True, exist_ok=True) if there else None
    # What "a" planned to do, "b" did from the start.
    assert origin.made_with(tmp_path, "x") == ["b", "c"]


def test_the_digest_of_the_code_knows_a_changed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "changing"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(origin, "_PACKAGES", ("changing",))
    digests = set()
    for text in ("a = 1", "a = 2"):
        (package / "b.py").write_text(text)
        origin.code.cache_clear()
        digests.add(origin.code())
    origin.code.cache_clear()
    assert len(digests) == 2


def test_photographs_that_are_not_there_are_found_by_the_check(tmp_path: Path) -> None:
    photos(tmp_path / "photos")
    train = {**STUDY["train"], "data": {**STUDY["train"]["data"], "source": [{"where": str(tmp_path / "photos")}]}}
    factors = {"augmentation": STUDY["factors"]["augmentation"]}
    tests = {"photos": {"photos": str(tmp_path / "none")}}
    path = written(tmp_path / "toy.yaml", render=None, train=train, factors=factors, tests=tests)
    with pytest.raises(InputError, match=r"test photos: .*none: does not exist"):
        check(make_plan(load_study(str(path)), tmp_path / "out"), 1, 1, "cpu")


def test_options_of_the_training_are_a_study_too(
    tmp_path: Path, begun: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    domains(tmp_path)
    train = {**STUDY["train"], "classes": [], "data": {"source": [{"where": str(tmp_path / "source")}], "workers": 0}}
    train["data"] |= {name: {"where": str(tmp_path / "target")} for name in ("target", "test")}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(train))
    words = ["ablate", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "out"), "--set", "iterations=1"]
    vary = ["--vary", "method=source,mcc", "--vary", "bottleneck=0,8", "--seeds", "2"]
    cli([*words, *vary], standalone_mode=False)
    printed = capsys.readouterr().out
    assert len(begun) == 2 * 2 * 2 * 2 and "| method mcc, bottleneck 8 |" in printed
    assert "| method mcc, bottleneck 0 against method source, bottleneck 0 |" in printed
    kept = yaml.safe_load(next((tmp_path / "out" / "configs").glob("method-mcc-bottleneck-8-1-*.yaml")).read_text())
    assert (kept["method"], kept["bottleneck"], kept["seed"], kept["iterations"]) == ("mcc", 8, 1, 1)
    for more, message in (
        ([], "so nothing varies: add --vary KEY=A,B"),
        (["--vary", "method"], "write key=a,b,c"),
        (["--vary", "method=mcc", "--vary", "method=dan"], "a key is given twice"),
        (["--vary", "methd=mcc,dan"], "did you mean 'method'?"),
        (["--vary", "method=mcc,mcx"], "no method is called 'mcx'"),
    ):
        with pytest.raises(InputError, match=re.escape(message)):
            cli([*words, *more], standalone_mode=False)
    with pytest.raises(InputError, match="no study is called 's2rdb', did you mean 's2rda'"):
        cli(["ablate", "s2rdb", "--out", str(tmp_path / "out")], standalone_mode=False)


@pytest.mark.slow
def test_a_variant_that_cannot_be_drawn_is_found_by_the_check(tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    path = written(tmp_path / "toy.yaml", factors={"material": {"gold": {"set": {"material.texture": "gold"}}}})
    with pytest.raises(InputError, match=r"material gold: cannot be rendered: .*gold"):
        check(make_plan(load_study(str(path)), tmp_path / "out"), 1, 1, "cpu")
    good = check(make_plan(load_study(str(written(tmp_path / "toy.yaml"))), tmp_path / "out"), 1, 1, "cpu")
    assert good.drawn == 9 + 9 + 6 + 6 and good.seconds > 0 and good.training > 0


@pytest.mark.slow
def test_equal_pictures_of_variants_are_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real worker: a background that is dropped leaves the pictures of the others, which are copied."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    monkeypatch.undo()
    render = {"images": 12, "config": {**STUDY["render"]["config"], "render": {"samples": 1, "denoise": False}}}
    path = written(
        tmp_path / "toy.yaml", render=render, seeds=1, tests={"iid": {"images": 2}},
        factors={"background": {"outdoors": {"drop": {"background.kind": ["room"]}}}},
        train={**STUDY["train"], "classes": ["mug"], "size": 32, "iterations": 1},
    )  # fmt: skip
    assert run(path, tmp_path / "out", workers=1, device="cpu")
    sets = {path.name.rpartition("-")[0]: Dataset.open(path) for path in (tmp_path / "out" / "renders").iterdir()}
    kinds = [frame.scene.background.kind for frame in sets["base"]]  # type: ignore[union-attr]
    (log,) = (tmp_path / "out").glob("renders-background-outdoors-*.log")
    assert f"{12 - kinds.count('room')} of them now copied from other sets" in log.read_text()
    for one, other, kind in zip(sets["base"], sets["background-outdoors"], kinds, strict=True):
        assert np.array_equal(one.rgb, other.rgb) == (kind != "room")
