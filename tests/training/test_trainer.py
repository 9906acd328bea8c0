"""The training loop: exact resume, what stops it, several processes, precision, each method."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch import Tensor  # noqa: E402

from classify.config import ClassifyConfig  # noqa: E402
from classify.evaluation import outputs  # noqa: E402
from classify.methods.base import Method  # noqa: E402
from tests.tiny import CLASSES, config, domains, nothing, stepping, trainer  # noqa: E402
from training import checkpoint  # noqa: E402
from training.batches import key, split_batch  # noqa: E402
from training.distributed import ProcessInfo  # noqa: E402
from training.logger import Log, entries  # noqa: E402
from training.method import Batch, Unlabeled  # noqa: E402
from training.optimizer import OptimizerStep  # noqa: E402
from training.trainer import Trainer  # noqa: E402


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return domains(tmp_path_factory.mktemp("domains"))


class Interrupt(Exception):
    """Ends a run as a power cut does."""


def ended_at(step: int) -> object:
    def end(trained: Trainer) -> None:
        if trained.step == step:
            raise Interrupt

    return end


def different(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    return [name for name in one.keys() | other.keys() if not torch.equal(one.get(name), other.get(name))]


@pytest.mark.parametrize("name", stepping())
def test_each_method_trains_and_is_resumed_to_the_bit(root: Path, tmp_path: Path, name: str) -> None:
    settings = config(root, classes=CLASSES, method=name, ema=0.9, augment="strong", iterations=9, data={"workers": 1})
    whole = trainer(settings)
    start = {n: t.clone() for n, t in whole.tensors().items()}
    whole.train(None, nothing, nothing)
    assert whole.step == 9 and any(n in start and not torch.equal(t, start[n]) for n, t in whole.tensors().items())
    cut = trainer(settings)
    # Not at the beginning of an epoch, which is of four steps: what an epoch began with must be in the state.
    with pytest.raises(Interrupt):
        cut.train(None, ended_at(6), nothing)
    checkpoint.write(tmp_path / "x", cut.tensors(), cut.facts())
    again = trainer(settings)
    again.restore(checkpoint.read(tmp_path / "x"), "x")
    again.train(None, nothing, nothing)
    assert different(whole.tensors(), again.tensors()) == []
    logits = again.candidate().predict(torch.zeros(2, 3, 16, 16))
    assert logits.shape == (2, 3) and logits.isfinite().all()
    for each in (whole, cut, again):
        each.supply.close()


class Recorder(Method):
    """Notes what it is given."""

    def __init__(self, *arguments: object):
        super().__init__(*arguments)
        self.progress: list[float] = []
        self.epochs: list[float] = []
        self.pictures: list[int] = []

    def begin_epoch(self, passes: object, progress: float) -> None:
        self.epochs.append(progress)

    def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
        self.progress.append(progress)
        self.pictures += source.indices.tolist()
        return super().losses(source, target, progress)


def test_progress_is_per_iteration_and_reaches_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tiny.methods", lambda: {"source": Recorder})
    trained = trainer(config(root))
    trained.train(None, nothing, nothing)
    method = trained.method
    assert method.progress == pytest.approx([i / 9 for i in range(10)]) and method.progress[-1] == 1
    # A pass over the target, the longer by what the source holds out, is four steps of six.
    assert trained.supply.epoch == 4 and method.epochs == pytest.approx([0, 4 / 9, 8 / 9])
    assert sorted(method.pictures[:21]) == list(range(21))


def test_plain_training_never_loads_the_target(root: Path) -> None:
    trained = trainer(config(root, iterations=2))
    source, target = trained.supply.batch(0)
    trained.method.losses(source, target, 0.0)
    assert source.drawn.waited > 0 and target.drawn.waited == 0
    assert not hasattr(target, "labels")
    assert target.images.shape == target.strong.shape == (6, 3, 16, 16) and not target.images.equal(target.strong)


def test_a_step_is_the_same_whatever_was_looked_at_before(root: Path) -> None:
    settings = config(root, augment="strong")
    one, other = trainer(settings).supply, trainer(settings).supply
    for step in range(3):
        one.batch(step)[1].images.mean()
    assert one.batch(3)[1].strong.equal(other.batch(3)[1].strong)
    assert one.batch(4)[0].images.equal(other.batch(4)[0].images)


def test_a_loss_that_is_not_finite_stops_and_names_the_batch(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Breaks(Method):
        def losses(self, source: Batch, target: Unlabeled, progress: float) -> dict[str, Tensor]:
            return {"source": super().losses(source, target, progress)["source"] * (1 if progress < 0.5 else torch.nan)}

    monkeypatch.setattr("tests.tiny.methods", lambda: {"source": Breaks})
    trained = trainer(config(root, checkpoint_every=2))

    def save(at: Trainer) -> None:
        checkpoint.write(tmp_path / "last", at.tensors(), at.facts())

    with pytest.raises(InputError, match=r"step 5: the loss is nan.*source pictures \d+, \d+.*\.png") as error:
        trained.train(None, nothing, save)
    assert "\n" not in str(error.value)
    kept = checkpoint.read(tmp_path / "last")
    assert kept.facts["step"] == 4 and all(t.isfinite().all() for t in kept.tensors.values() if t.is_floating_point())


def test_ctrl_c_ends_the_step_and_saves(root: Path) -> None:
    saved = []

    def strike(at: Trainer) -> None:
        if at.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trainer(config(root)).train(None, strike, lambda at: saved.append(at.step))
    assert saved == [3]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_low_precision_trains_weights_of_full_precision(root: Path, precision: str) -> None:
    trained = trainer(config(root, precision=precision, iterations=4))
    before = trained.method.network.head.weight.clone()
    trained.train(None, nothing, nothing)
    after = trained.method.network.head.weight
    assert after.dtype == torch.float32 and after.isfinite().all() and not torch.equal(before, after)


def test_the_rate_follows_the_schedule_and_groups_keep_theirs(root: Path) -> None:
    rates = []

    def note(at: Trainer) -> None:
        rates.append({g["name"]: g["lr"] for g in at._descent.optimizer.param_groups})

    trainer(config(root, optimizer={"lr": 1.0, "backbone": 0.1, "schedule": "cosine"})).train(None, note, nothing)
    assert rates[0] == pytest.approx({"backbone": 0.1, "head": 1.0})
    assert rates[5] == pytest.approx({"backbone": 0.05, "head": 0.5}) and rates[9]["head"] < 0.03


def test_the_log_is_cut_to_where_the_run_goes_on(tmp_path: Path) -> None:
    log = Log(tmp_path, 0, 10, 6)
    for step in range(1, 6):
        log.wait(0.1)
        log.train(step, {"source": 1.0, "target": 0.5}, 0.01)
    log.evaluation(5, {"im": 0.3})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"kind": "tr')
    again = Log(tmp_path, 3, 10, 6)
    again.train(4, {"source": 2.0}, 0.01)
    again.close()
    found = list(entries(tmp_path / "log.jsonl"))
    assert [entry["step"] for entry in found] == [1, 2, 3, 4] and found[-1]["loss"] == 2.0
    assert found[0]["loss"] == 1.5 and {"images_per_second", "data_wait", "lr", "loss/target"} <= found[0].keys()
    assert list((tmp_path / "tensorboard").iterdir())


def test_shares_of_a_batch() -> None:
    assert split_batch(64, [1.0]) == [64]
    assert split_batch(10, [0.5, 0.25, 0.25]) == [5, 3, 2]
    with pytest.raises(InputError, match=r"no place for a source of share 0\.01"):
        split_batch(8, [1.0, 0.01])
    assert len({key(0, step, purpose, rank) for step in range(9) for purpose in range(3) for rank in range(2)}) == 54


PROCESS = """
import sys
sys.path.insert(0, ".")
from pathlib import Path
from tests.training.test_trainer import plain
from training import checkpoint
from training.distributed import processes
from tests.tiny import config, nothing, trainer
with processes() as process:
    for model in ("plain", "resnet18"):
        trained = trainer(plain(Path(sys.argv[1]), model), process)
        trained.train(None, nothing, nothing)
        checkpoint.write(Path(sys.argv[2]) / f"{model}{process.rank}", trained.tensors(), trained.facts())
"""


def plain(root: Path, model: str) -> ClassifyConfig:
    """Training whose only draw is the order: each process draws augmentations of its own."""
    return config(root, model=model, bottleneck=0, augment="none", iterations=6)


def test_two_processes_train_what_one_would(root: Path, tmp_path: Path) -> None:
    """Without batch norm the mean of two halves' gradients is the whole's; with it, weights and buffers stay equal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    command = [sys.executable, "-c", PROCESS, str(root), str(tmp_path)]
    started = [subprocess.Popen(command, env=os.environ | place | {"RANK": rank}) for rank in "01"]
    alone = trainer(plain(root, "plain"))
    alone.train(None, nothing, nothing)
    assert [process.wait(timeout=300) for process in started] == [0, 0]
    together = checkpoint.read(tmp_path / "plain0").tensors
    assert all(torch.allclose(tensor, together[name], atol=1e-6) for name, tensor in alone.tensors().items())
    first, second = (checkpoint.read(tmp_path / f"resnet18{rank}").tensors for rank in "01")
    assert different(first, second) == []


def test_a_batch_that_cannot_be_divided_is_told(root: Path) -> None:
    with pytest.raises(InputError, match="6 pictures cannot be divided among 4 processes"):
        trainer(config(root), ProcessInfo(0, 4))


def test_what_is_trained_is_learned(root: Path) -> None:
    trained = trainer(config(root, iterations=60, batch=12, augment="none", optimizer={"lr": 0.1}, ema=0.9))
    trained.train(None, nothing, nothing)
    target = trained.supply.target
    assert target is not None
    found = outputs(trained.candidate(), trained.supply.plain(target))
    assert (found.labels == -1).all() and found.features.shape == (24, 8)
    # The files lie in the order of their classes.
    assert (found.logits.argmax(1) == torch.arange(3).repeat_interleave(8)).float().mean() > 0.9


OF_EVERY_METHOD = """
import hashlib, sys
sys.path.insert(0, ".")
from pathlib import Path
from tests.tiny import config, nothing, stepping, trainer
for name in stepping():
    trained = trainer(config(Path(sys.argv[1]), method=name, iterations=3, optimizer={"clip": 0.01}))
    trained.train(None, nothing, nothing)
    tensors = trained.tensors()
    digest = hashlib.sha256(b"".join(tensors[key].numpy().tobytes() for key in sorted(tensors)))
    print(name, digest.hexdigest())
    trained.supply.close()
"""


@pytest.mark.slow
def test_no_order_of_a_set_reaches_the_weights(root: Path) -> None:
    """Every method in fresh processes with other hashes of strings, so that sets of names have other orders."""
    printed = [
        subprocess.run(
            [sys.executable, "-c", OF_EVERY_METHOD, str(root)], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout.split("\n")
        for seed in ("0", "2")
    ]  # fmt: skip
    assert len(printed[0]) > 15
    assert printed[0] == printed[1]


def test_groups_that_are_not_there_are_named() -> None:
    layer = torch.nn.Linear(2, 1)
    step = OptimizerStep(torch.optim.SGD([{"name": "head", "params": list(layer.parameters()), "lr": 0.1}]))
    with pytest.raises(KeyError, match="haed"):
        step(layer(torch.ones(1, 2)).sum(), only={"haed"})
