"""The stream as a PyTorch dataset: each picture once over trainers and loader workers, resumable, nothing left."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from render.catalogue import open_catalogue
from render.frame import Frame
from scenes.errors import InputError
from scenes.sampling.scene import Sampler
from tests.painter import command, paint
from tests.render.test_stream import CONFIG, leavings

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from torch.utils.data import DataLoader  # noqa: E402

from render.farm.devices import processor  # noqa: E402
from training.data.stream import StreamDataset, _share  # noqa: E402


def index(frame: Frame) -> int:
    return frame.index


def dataset(start: int = 0, count: int | None = None, **options: Any) -> StreamDataset:
    defaults = {"transform": index, "device": "cpu", "workers": 1, "command": command()}
    return StreamDataset(CONFIG, 7, start, count, **{**defaults, **options})


def loader(pictures: StreamDataset, loaders: int, batch: int = 2) -> DataLoader:
    # Forked: the way of torch on Linux, and the one that could share what it must not.
    context = "fork" if loaders else None
    return DataLoader(pictures, batch_size=batch, num_workers=loaders, multiprocessing_context=context)


def take(batches: Iterator[Any], count: int) -> list[int]:
    return [number for _ in range(count) for number in next(batches).tolist()]


def test_a_sample_is_the_picture_and_its_label() -> None:
    frame = paint(Sampler(CONFIG, open_catalogue(CONFIG)).sample(7, 0))
    [(pictures, labels)] = loader(StreamDataset(CONFIG, 7, count=2, device="cpu", workers=1, command=command()), 0)
    assert pictures.shape == (2, 3, 16, 24) and pictures.dtype == torch.uint8 and pictures.is_contiguous()
    assert (pictures[0].permute(1, 2, 0).numpy() == frame.rgb).all() and labels[0] == frame.label


def test_trainers_and_loader_workers_share_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    given = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        given.append([number for batch in loader(dataset(3, 16), 2) for number in batch.tolist()])
    assert sorted(given[0] + given[1]) == list(range(3, 19))
    assert len(given[0]) == len(given[1]) == 8


@pytest.mark.parametrize(("loaders", "batches"), [(0, 3), pytest.param(2, 3, marks=pytest.mark.slow)])
def test_a_pass_is_resumed_exactly(loaders: int, batches: int) -> None:
    whole = dataset(5, 16)
    iterator = iter(loader(whole, loaders))
    before = take(iterator, batches)
    if not loaders:
        assert whole.state_dict() == whole.state_after(batches, 2)
    del iterator
    again = dataset(5, 16)
    again.load_state_dict(whole.state_after(batches, 2, loaders))
    after = [number for batch in loader(again, loaders) for number in batch.tolist()]
    assert sorted(before + after) == list(range(5, 21))


def test_a_state_of_other_loader_workers_is_refused() -> None:
    pictures = dataset()
    pictures.load_state_dict(pictures.state_after(3, 2, 2))
    with pytest.raises(ValueError, match="state of 2 loader workers cannot be resumed with 1"):
        next(iter(pictures))


def test_a_dataset_can_be_sent_to_a_spawned_loader_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    sent = pickle.dumps(dataset(0, 9))
    monkeypatch.delenv("RANK")
    assert [number for batch in loader(pickle.loads(sent), 0) for number in batch.tolist()] == [1, 4, 7]


def test_the_machine_is_divided_among_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("LOCAL_RANK", str(rank))
        shares += [_share([processor()], None, worker, 3) for worker in range(3)]
        assert len(_share([processor()], 4, 0, 3)) == 4
    assert all(shares) and max(map(len, shares)) - min(map(len, shares)) <= 1


def test_an_error_reaches_the_training_loop() -> None:
    with pytest.raises(InputError, match="picture 1 of seed 7 was given up"):
        list(loader(dataset(0, 4, command=command(**{"raise": [1]})), 1))


SCRIPT = """
from torch.utils.data import DataLoader
from training.data.stream import StreamDataset
data = StreamDataset(CONFIG, 7, device="cpu", workers=1, command=command(seconds=0.01))
for number, batch in enumerate(DataLoader(data, batch_size=2, num_workers=LOADERS)):
    if number == 2:
        END
"""


@pytest.mark.parametrize(
    ("loaders", "end", "code"),
    [
        (2, "break", 0),
        pytest.param(0, "break", 0, marks=pytest.mark.slow),
        pytest.param(2, "sys.exit(5)", 5, marks=pytest.mark.slow),
        pytest.param(2, "1 / 0", 1, marks=pytest.mark.slow),
        pytest.param(2, "end_by(signal.SIGINT)", -2, marks=pytest.mark.slow),
        pytest.param(2, "end_by(signal.SIGTERM)", -15, marks=pytest.mark.slow),
        pytest.param(2, "end_by(signal.SIGKILL)", -9, marks=pytest.mark.slow),
        pytest.param(2, "os._exit(6)", 6, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_left_of_loader_workers(loaders: int, end: str, code: int) -> None:
    leavings(SCRIPT.replace("LOADERS", str(loaders)).replace("END", end), code)
