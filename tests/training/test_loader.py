"""Batches: the same for the same seed and step whatever made them, all pictures dealt, bad ones left out."""

from __future__ import annotations

import logging
import re
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from render.catalogue import open_catalogue  # noqa: E402
from scenes.errors import InputError  # noqa: E402
from scenes.sampling.scene import Sampler  # noqa: E402
from tests.frames import forget_sums, make_dataset  # noqa: E402
from tests.painter import command, paint  # noqa: E402
from tests.render.test_stream import CONFIG, painters  # noqa: E402
from tests.training.test_pictures import Named, said, tree  # noqa: E402
from training.data.live import Live  # noqa: E402
from training.data.loader import Loader, RawBatch  # noqa: E402
from training.data.pictures import class_labels  # noqa: E402
from training.data.sources import open_pictures  # noqa: E402
from training.data.windows import Windows, window  # noqa: E402


class Painted(Named):
    """Pictures that say their place in every pixel's red, and their column in green."""

    def __init__(self, labels: list[int], shapes: list[tuple[int, int]] | None = None, broken: frozenset = frozenset()):
        super().__init__([str(i) for i in range(len(labels))], labels)
        self._shapes, self._broken, self.reads = shapes or [(8, 8)], broken, 0

    def read(self, i: int, short: int | None = None) -> np.ndarray:
        self.reads += 1
        if i in self._broken:
            raise InputError(f"picture {i} is torn")
        height, width = self._shapes[i % len(self._shapes)]
        pixels = np.full((height, width, 3), i, np.uint8)
        pixels[..., 1] = np.arange(width)
        pixels[..., 2] = np.arange(height)[:, None]
        return pixels

    def where(self, i: int) -> str:
        return f"place {i}"


def loader(
    pictures: Painted | None = None, size: int = 7, resized: int = 8, balanced: bool = False, **options: object
) -> Loader:
    pictures = Painted([0, 1, 2, 0, 1, 0, 0]) if pictures is None else pictures
    dealt_by = class_labels(pictures) if balanced else None
    return Loader(pictures, **{"batch": 3, "collate": Windows(size, resized), "balanced": dealt_by, **options})  # type: ignore[arg-type]


def take(made: Loader, count: int, start: int = 0) -> list[RawBatch]:
    return list(islice(made.batches(start), count))


def same(left: list[RawBatch], right: list[RawBatch]) -> bool:
    pairs = [(a, b) for one, two in zip(left, right, strict=True) for a, b in zip(one, two, strict=True)]
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_batch_is_pictures_labels_and_places() -> None:
    for batch in take(loader(), 5):
        assert batch.images.shape == (3, 3, 8, 8) and batch.images.dtype == torch.uint8
        assert batch.images.is_contiguous() and batch.targets.dtype == batch.indices.dtype == torch.int64
        assert (batch.images[:, 0] == batch.indices[:, None, None]).all()
        assert batch.targets.tolist() == [[0, 1, 2, 0, 1, 0, 0][i] for i in batch.indices]


@settings(max_examples=15)
@given(st.integers(0, 2**63), st.integers(0, 40), st.integers(0, 3), st.booleans(), st.integers(0, 600))
def test_a_batch_is_a_function_of_seed_and_step(seed: int, step: int, workers: int, balanced: bool, cache: int) -> None:
    shapes = [(8, 14), (8, 8), (12, 8)]
    labels = [0, 1, 2, 0, 1, 0, 0]
    plain = loader(Painted(labels, shapes), seed=seed, workers=0, balanced=balanced, cache=0)
    whole = take(plain, step + 3)
    other = loader(Painted(labels, shapes), seed=seed, workers=workers, balanced=balanced, cache=cache)
    assert same(whole[step:], take(other, 3, step))
    assert same(whole[step:], take(other, 3, step)), "what was read before must not show"


def test_another_seed_is_another_order() -> None:
    pictures = Painted([0] * 50)
    orders = [[i for b in take(loader(pictures, seed=seed), 16) for i in b.indices.tolist()] for seed in (0, 1)]
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])


@settings(max_examples=25)
@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 3))
def test_every_picture_comes_once_a_round(count: int, batch: int, ranks: int) -> None:
    pictures = Painted([0] * count)
    made = [loader(pictures, batch=batch, rank=rank, ranks=ranks, workers=0) for rank in range(ranks)]
    steps = -(-3 * count // (batch * ranks))
    assert made[0].steps == -(-count // (batch * ranks))
    streams = [take(one, steps) for one in made]
    dealt = [i for step in zip(*streams, strict=True) for part in step for i in part.indices.tolist()]
    for start in (0, count, 2 * count):
        assert sorted(dealt[start : start + count]) == list(range(count))
    assert count < 6 or dealt[:count] != dealt[count : 2 * count]


def test_the_order_of_indices() -> None:
    batches = take(loader(order="sequential", batch=5), 3)
    assert [i for b in batches for i in b.indices.tolist()] == [*range(7), *range(7), 0]


def test_balanced_classes_come_equally_often() -> None:
    labels = [0] * 30 + [1] * 3 + [4] * 6
    dealt = np.concatenate([b.indices for b in take(loader(Painted(labels), batch=9, balanced=True), 10)])
    assert np.bincount(np.array(labels)[dealt]).tolist() == [30, 30, 0, 0, 30]
    times = np.bincount(dealt, minlength=39)
    assert (times[:30] == 1).all() and (times[30:33] == 10).all() and (times[33:] == 5).all()
    assert "have no class" in said(lambda: loader(Painted([0, -1]), balanced=True))


def test_once_gives_each_picture_once_in_order() -> None:
    made = loader(Painted([0] * 8, [(8, 11), (8, 8)]))
    batches = list(made.once())
    assert [batch.indices.tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5], [6, 7]]
    assert (batches[0].images[0, 1, 0] == torch.arange(2, 10)).all(), "the middle of eleven columns"


def test_windows_lie_all_along_the_long_side_and_crops_evenly() -> None:
    """A crop of 8 anywhere in the window of 10 is about as evenly spread as a crop of 8 of the picture of 22."""
    tall, wide = Painted([0], [(22, 10)]), Painted([0], [(10, 22)])
    starts = {}
    for name, pictures, channel in (("tall", tall, 2), ("wide", wide, 1)):
        batches = take(Loader(pictures, 512, Windows(8, 10), workers=0), 2)
        assert all(batch.images.shape == (512, 3, 10, 10) for batch in batches)
        starts[name] = torch.cat([batch.images[:, channel].amin((1, 2)) for batch in batches]).numpy().astype(int)
    for found in starts.values():
        assert set(found) == set(range(13))
        assert abs(found.mean() - 6) < 0.4
        crops = np.bincount((found[:, None] + np.arange(3)).ravel(), minlength=15) / (3 * len(found))
        assert abs(crops[:3].sum() - 3 / 15) < 0.03 and abs(crops[-3:].sum() - 3 / 15) < 0.03
    assert len({tuple(found[:20]) for found in starts.values()}) == 1, "the draw does not depend on the picture"


def test_the_middle_is_where_torchvisions_center_crop_is() -> None:
    for width in range(256, 420):
        pixels = np.broadcast_to(np.arange(width, dtype=np.int64)[None, :, None], (256, width, 3))
        left = int(window(pixels, 256)[0, 0, 0])
        assert left + (256 - 224) // 2 == round((width - 224) / 2.0)


def test_small_sets_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_each = 8 * 8 * 3
    whole, part, none = (Painted([0] * 10) for _ in range(3))
    for pictures, cache in ((whole, 1 << 20), (part, 4 * bytes_each), (none, 0)):
        take(loader(pictures, batch=10, cache=cache, workers=0), 5)
    assert (whole.reads, part.reads, none.reads) == (10, 10 + 4 * 6, 50)


def test_broken_pictures_are_told_once_and_replaced(caplog: pytest.LogCaptureFixture) -> None:
    pictures = Painted([0] * 40, broken=frozenset({5, 6}))
    made = loader(pictures, batch=40, order="sequential", cache=0)
    with caplog.at_level(logging.WARNING, "blendmill"):
        batches = take(made, 3)
    assert all(b.indices.tolist() == [*range(5), 7, 7, *range(7, 40)] for b in batches)
    assert sorted(r.getMessage() for r in caplog.records) == [
        "left out: picture 5 is torn",
        "left out: picture 6 is torn",
    ]
    assert made.quarantined == {5: "picture 5 is torn", 6: "picture 6 is torn"}
    assert [i for batch in made.once() for i in batch.indices.tolist()] == [*range(5), *range(7, 40)]
    fresh = loader(pictures, batch=40, order="sequential", workers=0)
    assert same(batches[:1], take(fresh, 1, 1)), "what was left out before must not show"


@pytest.mark.parametrize("workers", [0, 2])
def test_too_many_broken_pictures_are_one_line(workers: int) -> None:
    pictures = Painted([0] * 40, broken=frozenset(range(3, 40, 4)))
    made = loader(pictures, order="sequential", workers=workers)
    # workers read ahead: some more than the third may have been met by the time it is told
    told = said(lambda: take(made, 20))
    assert re.search(
        r"some: ([3-9]|10) pictures cannot be read, more than 5% of 40; the first: picture \d+ is torn", told
    )
    assert "no picture can be read; picture 0 is torn" in said(
        lambda: take(loader(Painted([0], broken=frozenset({0})), workers=workers), 1)
    )


def test_no_pictures_and_no_room_are_one_line() -> None:
    assert said(lambda: loader(Painted([]))) == "some: no pictures"
    assert "field resized: 6 pixels are fewer than the size, 7" in said(lambda: loader(resized=6))


def test_threads_end_with_the_batches() -> None:
    def threads() -> int:
        return sum(thread.name.startswith("blendmill loader") for thread in threading.enumerate())

    stream = loader(workers=2).batches()
    next(stream)
    assert threads() == 2
    stream.close()  # type: ignore[attr-defined]
    assert threads() == 0


def test_files_and_shards_make_batches(tmp_path: Path) -> None:
    folders = open_pictures(tree(tmp_path / "tree", {"car": 3, "mug": 4}))
    shards = open_pictures(make_dataset(tmp_path / "set", count=5, shard_size=2).folder)
    for pictures in (folders, shards):
        made = Loader(pictures, 4, Windows(14))
        for batch in take(made, 3):
            assert batch.images.shape == (4, 3, 16, 16)
            for image, label, i in zip(*batch, strict=True):
                whole = torch.from_numpy(pictures.read(int(i), 16).copy()).permute(2, 0, 1)
                assert any(torch.equal(image, whole[..., k : k + 16]) for k in range(whole.shape[-1] - 15))
                assert label == pictures.labels[i]


def test_a_torn_jpeg_and_a_torn_shard_cost_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tree(tmp_path / "tree", {"car": 4, "mug": 4})
    torn = root / "mug" / "mug_001.png"
    torn.write_bytes(torn.read_bytes()[:200])
    data = make_dataset(tmp_path / "set", count=6, shard_size=3)
    shard = data.shard_path(1)
    content = bytearray(shard.read_bytes())
    with data.shard(1) as opened:
        where = opened._dataset("rgb").id.get_chunk_info(1)
    content[where.byte_offset : where.byte_offset + where.size] = bytes(where.size)
    shard.write_bytes(content)
    forget_sums(data.folder)
    for folder, message in ((root, "mug_001.png: "), (data.folder, "rgb of picture 1 is damaged")):
        caplog.clear()
        made = Loader(open_pictures(folder), 4, Windows(14))
        take(made, 6)
        assert len(caplog.records) == len(made.quarantined) == 1 and message in caplog.records[0].getMessage()


# Pictures as they are drawn --------------------------------------------------------------------------------------


def live(**options: object) -> Live:
    return Live(CONFIG, 3, 14, **{"seed": 7, "device": "cpu", "workers": 1, "command": command(), **options})  # type: ignore[arg-type]


def test_live_batches_show_each_picture_once_and_resume() -> None:
    sampler = Sampler(CONFIG, open_catalogue(CONFIG))
    stream = live().batches()
    batches = list(islice(stream, 4))
    stream.close()  # type: ignore[attr-defined]
    assert [i for b in batches for i in b.indices.tolist()] == list(range(12))
    frame = paint(sampler.sample(7, 4))
    image, label = batches[1].images[1], int(batches[1].targets[1])
    whole = torch.from_numpy(frame.rgb.copy()).permute(2, 0, 1)
    assert image.shape == (3, 16, 16) and label == frame.label
    assert any(torch.equal(image, whole[..., k : k + 16]) for k in range(9))
    again = live().batches(2)
    assert same(batches[2:], list(islice(again, 2)))
    again.close()  # type: ignore[attr-defined]
    assert not painters()


@pytest.mark.slow
def test_live_trainers_share_the_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    dealt = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        stream = live().batches(1)
        dealt += next(stream).indices.tolist()
        stream.close()  # type: ignore[attr-defined]
    assert sorted(dealt) == list(range(6, 12))


@pytest.mark.slow
def test_an_error_while_drawing_reaches_the_trainer() -> None:
    assert "picture 1 of seed 7 was given up" in said(lambda: next(live(command=command(**{"raise": [1]})).batches()))
    assert not painters()
