"""Checkpoints that somebody changed: each is refused in one line, or used rightly, in little time and memory."""

from __future__ import annotations

import copy
import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenes.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from safetensors import safe_open  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from classify.load import load_method  # noqa: E402
from classify.task import Classification  # noqa: E402
from segment.config import SegmentConfig  # noqa: E402
from segment.load import load_method as load_segmenter  # noqa: E402
from segment.load import make_method as make_segmenter  # noqa: E402
from tests.tiny import CPU, build, config, domains  # noqa: E402
from training import checkpoint  # noqa: E402
from training.run import execute  # noqa: E402

Tensors, Facts = dict[str, Any], dict[str, Any]
Mutation = Callable[[Tensors, Facts], Any]


def without(name: str) -> Mutation:
    return lambda tensors, facts: facts.pop(name)


def fact(name: str, value: Any) -> Mutation:
    return lambda tensors, facts: facts.update({name: value})


def setting(name: str, value: Any) -> Mutation:
    return lambda tensors, facts: facts["config"].update({name: value})


def tensor(name: str, change: Callable[[Any], Any]) -> Mutation:
    return lambda tensors, facts: tensors.update({name: change(tensors[name])})


def no_part(part: str) -> Mutation:
    return lambda tensors, facts: [tensors.pop(name) for name in list(tensors) if name.startswith(f"{part}.")]


HEAD, MEAN, MOMENT = (
    "method.network.head.weight",
    "method.network.backbone.1.running_mean",
    "optimizer.0.momentum_buffer",
)

REFUSED: dict[str, Mutation] = {
    "no_task": without("task"),
    "no_config": without("config"),
    "no_classes": without("classes"),
    "no_data": without("data"),
    "no_history": without("history"),
    "no_seconds": without("seconds"),
    "no_step": without("step"),
    "other_task": fact("task", "segment"),
    "task_is_a_number": fact("task", 3),
    "config_is_text": fact("config", "resnet18"),
    "config_has_an_unknown_field": setting("modle", "resnet18"),
    "config_lacks_data": lambda tensors, facts: facts["config"].pop("data"),
    "config_names_no_method": setting("method", "danm"),
    "config_has_text_for_a_number": setting("size", "large"),
    "config_asks_for_a_huge_layer": setting("bottleneck", 10**9),
    "config_asks_for_more_than_numbers_count": setting("bottleneck", 10**18),
    "config_is_deep": setting("settings", {"mcc": {"temperature": [[[[]]]]}}),
    "classes_are_none": fact("classes", []),
    "classes_are_text": fact("classes", "blue"),
    "classes_are_numbers": fact("classes", [1, 2, 3]),
    "classes_are_more": fact("classes", ["blue", "green", "red", "white"]),
    "data_is_a_list": fact("data", ["source"]),
    "history_is_text": fact("history", "none"),
    "history_has_no_steps": fact("history", [{"im": 1.0}]),
    "history_has_text": fact("history", [{"step": "six"}]),
    "seconds_are_text": fact("seconds", "long"),
    "seconds_are_negative": fact("seconds", -1.0),
    "step_is_text": fact("step", "six"),
    "step_is_negative": fact("step", -6),
    "step_is_a_fraction": fact("step", 5.5),
    "format_is_other": fact("format", 99),
    "a_tensor_is_missing": lambda tensors, facts: tensors.pop(HEAD),
    "a_tensor_is_unknown": lambda tensors, facts: tensors.update({"method.spy": torch.zeros(1)}),
    "a_tensor_has_another_shape": tensor(HEAD, lambda t: t[:, :2].contiguous()),
    "a_tensor_has_another_kind": tensor(HEAD, lambda t: t.to(torch.int64)),
    "a_buffer_has_another_shape": tensor(MEAN, lambda t: t[:3].contiguous()),
    "no_tensors_of_the_method": no_part("method"),
}
"""What `evaluate` and a resumed run both refuse."""

NOT_RESUMED: dict[str, Mutation] = {
    "no_optimizer": no_part("optimizer"),
    "no_average": no_part("average"),
    "a_moment_is_missing": lambda tensors, facts: tensors.pop(MOMENT),
    "a_moment_has_another_shape": tensor(MOMENT, lambda t: t.reshape(-1)[:2].contiguous()),
    "a_moment_is_of_no_parameter": lambda tensors, facts: tensors.update(
        {"optimizer.99.momentum_buffer": tensors.pop(MOMENT)}
    ),
    "a_moment_is_of_another_optimizer": lambda tensors, facts: tensors.update(
        {"optimizer.0.exp_avg": tensors.pop(MOMENT)}
    ),
    "a_moment_has_no_number": lambda tensors, facts: tensors.update(
        {"optimizer.x.momentum_buffer": tensors.pop(MOMENT)}
    ),
    "counts_are_not_told": without("tensors"),
    "step_is_beyond_the_end": fact("step", 10**20),
    "history_is_ahead": fact("history", [{"step": 7, "im": 0.5}]),
    "data_are_others": fact("data", {"source": "0"}),
}
"""What cannot be resumed. Its network is whole, so it may be evaluated."""

RIGHT: dict[str, Mutation] = {
    "nothing": lambda tensors, facts: None,
    "a_fact_more": fact("note", "mine"),
    "half_precision": tensor(HEAD, lambda t: t.to(torch.bfloat16)),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return domains(tmp_path_factory.mktemp("domains"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classify.load.build", build)


def settings(root: Path) -> Any:
    return config(root, ema=0.9, iterations=8, evaluate_every=4, checkpoint_every=6)


@pytest.fixture(scope="module")
def begun(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight steps that was killed after its checkpoint of the sixth."""
    out = tmp_path_factory.mktemp("begun") / "run"

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr("classify.load.build", build)
        patch.setattr("training.run._Run._conclude", killed)
        patch.setattr("training.run._Run._save", saved_once := _saves_once())
        execute(Classification(), settings(root), out)
    assert (
        saved_once.steps == [6, 8, 8] and checkpoint.read(out / "checkpoints" / "last.safetensors").facts["step"] == 6
    )
    return out


def _saves_once() -> Any:
    from training.run import _Run

    save = _Run._save

    def act(self: Any, trainer: Any) -> None:
        act.steps.append(trainer.step)  # type: ignore[attr-defined]
        if len(act.steps) == 1:  # type: ignore[attr-defined]
            save(self, trainer)

    act.steps = []  # type: ignore[attr-defined]
    return act


def changed(begun: Path, out: Path, mutation: Mutation) -> Path:
    """A copy of the run, with its last checkpoint changed. Returns the checkpoint."""
    shutil.copytree(begun, out)
    path = out / "checkpoints" / "last.safetensors"
    saved = checkpoint.read(path)
    tensors, facts = dict(saved.tensors), copy.deepcopy(dict(saved.facts))
    mutation(tensors, facts)
    save_file(tensors, path, metadata={"blendmill": json.dumps(facts)})
    return path


def tried(act: Callable[[], Any]) -> str:
    """What a call is refused with, or "" if it is not; within a gigabyte more than before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        act()
        said = ""
    except InputError as error:
        said = str(error)
        assert "\n" not in said and len(said) < 600
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20  # in KiB
    return said


@pytest.mark.parametrize("name", [*REFUSED, *NOT_RESUMED, *RIGHT])
def test_a_changed_checkpoint_is_refused_or_right(root: Path, begun: Path, tmp_path: Path, name: str) -> None:
    mutation = (REFUSED | NOT_RESUMED | RIGHT)[name]
    path = changed(begun, tmp_path / "run", mutation)
    said = tried(lambda: load_method(path, CPU))
    assert (str(path) in said) == (name in REFUSED), said
    said = tried(lambda: execute(Classification(), settings(root), tmp_path / "run"))
    if name in RIGHT:
        assert said == "" and checkpoint.read(path).facts["step"] == 8
    else:
        assert str(tmp_path / "run") in said, said
        assert not (tmp_path / "run" / "results.json").exists()


def test_there_are_forty() -> None:
    assert len(REFUSED) + len(NOT_RESUMED) >= 40


@pytest.mark.parametrize(
    "text", ["", "[]", "3", "null", '{"format": 1', "[" * 100_000, '{"format": NaN}', '{"format": {"format": 1}}']
)
def test_metadata_that_are_no_facts_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"blendmill": text})
    assert str(path) in tried(lambda: load_method(path, CPU))


@pytest.mark.parametrize("change", ["cut", "grown", "huge header", "flipped", "empty"])
def test_a_damaged_file_is_refused_or_right(begun: Path, tmp_path: Path, change: str) -> None:
    data = (begun / "checkpoints" / "last.safetensors").read_bytes()
    path = tmp_path / "x.safetensors"
    path.write_bytes({
        "cut": data[:-1], "grown": data + b"x", "huge header": (1 << 62).to_bytes(8, "little") + data[8:],
        "flipped": data[:8] + b"\xff" + data[9:], "empty": b"",
    }[change])  # fmt: skip
    assert str(path) in tried(lambda: load_method(path, CPU))


@pytest.mark.parametrize(("name", "value"), [("width", 10**7), ("depth", 5), ("depth", 60), ("width", 10**18)])
def test_a_segmenter_of_another_size_is_refused(tmp_path: Path, name: str, value: int) -> None:
    asked = SegmentConfig.model_validate({"data": {"source": [{"where": "x"}]}, "width": 2, "depth": 1})
    plain = asked.model_dump(mode="json")
    facts = {"task": "segment", "classes": ["crack"], "data": {}, "history": [], "seconds": 0.0, "step": 1}
    path = tmp_path / "x.safetensors"
    tensors = checkpoint.join(method=make_segmenter(asked).state_dict())
    checkpoint.write(path, tensors, facts | {"config": plain})
    assert tried(lambda: load_segmenter(path, CPU)) == ""
    checkpoint.write(path, tensors, facts | {"config": plain | {name: value}})
    assert str(path) in tried(lambda: load_segmenter(path, CPU))


def test_what_is_changed_is_what_runs_write(begun: Path) -> None:
    """The names above are in the file, so that each mutation changes what it says."""
    with safe_open(begun / "checkpoints" / "last.safetensors", framework="pt") as file:
        assert {HEAD, MEAN, MOMENT} <= set(file.keys())
