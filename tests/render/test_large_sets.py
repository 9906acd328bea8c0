"""What is done once for a set is not done once for each of its shards: calls are counted, not seconds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import s3fs
from hypothesis import given
from hypothesis import strategies as st
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from render.cli import render as render_module
from render.dataset import dataset as dataset_module
from render.dataset import local
from render.dataset.dataset import Dataset
from render.dataset.limits import Limits
from render.dataset.provenance import Provenance
from render.dataset.remote import Remote
from render.dataset.run_log import concerns, log_name, parse_run
from render.dataset.store import Store, open_store
from scenes.errors import InputError
from scenes.record.record import CRACK
from tests.farms import SIZE, draw, make_manifest, render, s3_server
from tests.frames import CLASSES, forget_sums, make_dataset, make_frame, redrawn
from tests.render.test_job_calls import TASKS, Farm, task
from training.data.rendered import Rendered


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The requests to S3 by their kind."""
    found: Counter[str] = Counter()
    real = s3fs.S3FileSystem._call_s3

    async def call(self: Any, method: str, *arguments: Any, **options: Any) -> Any:
        found[method] += 1
        return await real(self, method, *arguments, **options)

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", call)
    return found


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))


def drawn(url: str, shards: int) -> Store:
    """A set with notes on what it was drawn from, not finished."""
    store, manifest = open_store(url), make_manifest(2 * shards)
    store.create(manifest)
    for shard in range(shards):
        store.note_drawn(shard, Provenance())
        draw(store, manifest, shard)
    return store


def counted(asked: Counter[str], action: Callable[[], object]) -> Counter[str]:
    asked.clear()
    action()
    return Counter(asked)


def test_requests_to_a_bucket_do_not_grow_with_the_set(server: str, asked: Counter[str], cache: None) -> None:
    few, many = (drawn(f"s3://pictures/{shards}", shards) for shards in (1, 4))
    steps: dict[str, Callable[[Store], object]] = {
        "create": lambda store: store.create(store.opened()),
        "sweep": lambda store: store.sweep(),
        "forgive": lambda store: store.forgive(*range(store.opened().count)),
    }
    deleted = [counted(asked, store.finish)["delete_objects"] for store in (few, many)]
    assert deleted[0] == deleted[1] and not few.notes({0, 1})
    for store in (few, many):
        assert store.discard_broken(sorted(store.present())) == {}  # it reads all of them, and notes that
    steps |= {
        "what is there, again": lambda store: store.discard_broken(sorted(store.present())),
        "finish, again": lambda store: store.finish(),
    }
    for name, step in steps.items():
        assert counted(asked, lambda: step(few)) == counted(asked, lambda: step(many)), name  # noqa: B023


@pytest.fixture
def listed(server: str, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each folder of the bucket was listed, page by page. A page has 10 keys here, where S3 gives 1,000."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    found: Counter[str] = Counter()
    real = DomainDispatcherApplication.__call__

    def call(self: Any, environ: Any, start: Any) -> Any:
        asked = parse_qs(environ["QUERY_STRING"])
        if "list-type" in asked:
            found[asked.get("prefix", [""])[0]] += 1
        return real(self, environ, start)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", call)
    return found


def test_many_shards_in_a_bucket_are_listed_by_pages_and_seldom(server: str, listed: Counter[str], cache: None) -> None:
    shards = 45
    store, manifest = open_store("s3://pictures/many"), make_manifest(2 * shards)
    store.create(manifest)
    for shard in range(shards - 1):
        store.storage._pipe(f"shards/{shard:05d}.h5", b"")  # type: ignore[attr-defined]
    listed.clear()
    assert len(store.present()) == shards - 1 and listed == {"many/shards/": 5}
    listed.clear()
    store.sweep()
    # It does not exist, so the folder that would hold it is listed too.
    assert listed == {"many/unfinished/": 1, "many/": 1}, "what killed uploads left is found without the shards"
    listed.clear()
    draw(store, manifest, shards - 1)
    assert not listed, "an upload needs no listing"


def test_a_task_that_draws_its_part_lists_the_shards_of_all_once(server: str, cache: None) -> None:
    listings: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        real = Remote._listed
        patch.setattr(Remote, "_listed", lambda self, folder: listings.append(folder) or real(self, folder))
        store = open_store("s3://pictures/array")
        for number in range(TASKS):
            listings.clear()
            task(store.url, number, Farm())
            last = number == TASKS - 1
            # What is missing. Whether the set is complete is listed only by the task that may have completed it.
            assert listings.count("shards") == 1 + last and listings.count("drawn") == last, f"task {number}"
            assert listings.count("runs") <= 1
        assert len(store.opened().shards) == 2 * TASKS
        listings.clear()
        store.storage.remove("shards/00003.h5")
        task(store.url, 3, Farm())  # its other shard is there, and known to be sound
        assert listings.count("shards") == 2 and not store.verify(everything=False)


def test_a_part_looks_at_its_own_shards_only(tmp_path: Path, cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    store = render(tmp_path / "set", make_manifest(24))
    seen: list[str] = []
    real = local.file_stat
    monkeypatch.setattr(local, "file_stat", lambda path: seen.append(path.name) or real(path))
    store.discard_broken(range(1, 12, 4))
    assert seen == ["00001.h5", "00005.h5", "00009.h5"]
    store.trust({1: "a", 99: "b"})  # a shard that is gone by now is not noted
    store.storage.remove("shards/00000.h5")
    with pytest.raises(InputError, match=r"shards/00000\.h5: missing"):
        store.discard_broken([0])
    monkeypatch.setattr(store, "runs", lambda: pytest.fail("nothing is there, so no log tells of it"))
    assert store.discard_broken([]) == {}


def test_what_a_run_has_drawn_is_not_read_by_the_next(tmp_path: Path, cache: None) -> None:
    store, told = render(tmp_path / "set", make_manifest()), []

    def read(*counts: int) -> None:
        told.append(counts)

    sums = store.opened().shards
    store.trust({shard: sums[f"{shard:05d}.h5"] for shard in (0, 1, 3)})
    assert store.discard_broken(range(5), read) == {} and told == [(0, 2), (1, 2), (2, 2)]
    path = tmp_path / "set" / "shards" / "00003.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (broken,) = store.discard_broken(range(5), read)
    assert broken == 3 and told[3:] == [(0, 1), (1, 1)]
    told.clear()
    assert len(store.verify(read, everything=False)) == 1 and told == []  # the broken one is gone
    assert len(store.verify(read)) == 1 and told[0] == (0, 4)


def test_many_files_are_deleted_without_listing_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = local.Folder(tmp_path)
    names = [f"drawn/{k:05d}.json" for k in range(1000)]
    (tmp_path / "drawn").mkdir()
    for name in (*names, "drawn/other"):
        (tmp_path / name).touch()
    for call in ("listdir", "scandir"):
        monkeypatch.setattr(os, call, lambda *_: pytest.fail("a listing takes as long as the folder is"))
    folder.remove(*names)
    assert (tmp_path / "drawn" / "other").exists()
    folder.remove("drawn/other", "drawn/gone")
    assert not (tmp_path / "drawn").exists()
    folder.remove("drawn/gone")


def test_a_finished_set_with_skipped_pictures_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, manifest = open_store(str(tmp_path)), make_manifest()
    store.create(manifest)
    for shard in range(manifest.shard_count):
        store.fail(2 * shard, {"reason": "killed its worker", "attempts": 3})
        draw(store, manifest, shard, skip=[2 * shard])
    finished = store.finish()
    assert finished.skipped == (0, 2, 4, 6, 8)
    monkeypatch.setattr(store, "source", lambda shard: pytest.fail("a shard is read"))
    assert store.finish() == finished and store.failed() == [0, 2, 4, 6, 8]


@given(st.sets(st.integers(0, 99)), st.integers(1, 20))
def test_what_a_shard_lacks(skipped: set[int], shard_size: int) -> None:
    manifest = make_manifest(100, shard_size).model_copy(update={"skipped": tuple(sorted(skipped))})
    found = [manifest.skipped_in(shard) for shard in range(manifest.shard_count)]
    assert [index for lacking in found for index in lacking] == sorted(skipped)
    held = [manifest.pictures(shard) for shard in range(manifest.shard_count)]
    assert [index for pictures in held for index in pictures] == sorted(set(range(100)) - skipped)


def test_the_table_of_a_set_is_read_once(tmp_path: Path, cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(tmp_path / "set", count=7, shard_size=2, size=SIZE, objects=3)
    limits = Limits(min_share=0.1, max_clutter=0.5)
    frames = list(dataset.frames())
    kept = [frame.index for frame in frames if limits.keep(frame.objects)]
    cars = [frame.index for frame in frames if CLASSES[frame.label] == "car"]
    assert 0 < len(kept) < 7 and 0 < len(cars) < 7
    opened: list[int] = []
    real = Dataset.shard
    monkeypatch.setattr(Dataset, "shard", lambda self, shard: opened.append(shard) or real(self, shard))
    for _ in range(2):
        again = Dataset.open(dataset.folder)
        assert len(again) == 7 and again.count(limits) == len(kept)
        assert again.indices(limits).tolist() == kept and again.indices(classes=["car"]).tolist() == cars
        assert again.indices(limits, ["mug", "car", "traffic light"]).tolist() == kept
    assert sorted(opened) == [0, 1, 2, 3]
    opened.clear()
    redrawn(dataset, 1, [make_frame(index, size=SIZE, seed=5) for index in (2, 3)])
    rows = Dataset.open(dataset.folder).table()
    assert opened == [1] and rows["index"].tolist() == list(range(7))
    with pytest.raises(InputError, match="no class 'cat', did you mean 'car'"):
        dataset.indices(classes=["cat"])


def test_a_damaged_table_is_made_again_and_one_of_an_unfinished_set_is_not_kept(tmp_path: Path, cache: None) -> None:
    dataset = make_dataset(tmp_path / "set", count=4, shard_size=2, size=SIZE)
    rows = np.array(dataset.table())
    (path,) = (tmp_path / "cache" / "tables").iterdir()
    for damage in (b"", path.read_bytes()[:-9], b"not an array"):
        path.write_bytes(damage)
        np.testing.assert_array_equal(dataset.table(), rows)
    path.unlink()
    forget_sums(dataset.folder)
    unfinished = Dataset.open(dataset.folder)
    assert unfinished.count() == 4 and not path.exists()
    unfinished.shard_path(1).unlink()
    with pytest.raises(InputError, match=r"00001\.h5: no such shard"):
        unfinished.count()


def test_shards_stay_open_between_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset(tmp_path / "set", count=6, shard_size=2, size=SIZE)
    opened: list[int] = []
    real = Dataset.shard
    monkeypatch.setattr(Dataset, "shard", lambda self, shard: opened.append(shard) or real(self, shard))
    assert [dataset.frame(index).index for index in (0, 5, 1, 4, 0)] == [0, 5, 1, 4, 0]
    assert opened == [0, 2]
    columns = Dataset.open(dataset.folder).pictures().columns("rgb", "label")
    assert [int(columns[place][1]) for place in (0, 5, 1, 4)] == [dataset.frame(index).label for index in (0, 5, 1, 4)]
    assert opened == [0, 2, 0, 2], "a loader of PyTorch finds them open, too"
    monkeypatch.setattr(dataset_module, "OPEN", 0)
    monkeypatch.setattr(dataset_module, "FEW_OPEN", 1)
    large = Dataset.open(dataset.folder)
    assert [large.frame(index).index for index in (0, 1, 4, 0)] == [0, 1, 4, 0]
    assert opened[4:] == [0, 2, 0], "of a set of far more shards, few stay open"


def test_training_starts_without_reading_shards_it_knows(
    tmp_path: Path, cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path / "set", count=6, shard_size=2, size=SIZE)
    first = Rendered(dataset.folder, margin=0.1)
    monkeypatch.setattr(Dataset, "shard", lambda self, shard: pytest.fail("a shard is opened"))
    monkeypatch.setattr(dataset_module, "sha256", lambda path: pytest.fail("a shard is read"))
    again = Rendered(dataset.folder, margin=0.1)
    assert again.digest == first.digest and again.labels.tolist() == first.labels.tolist()
    monkeypatch.undo()
    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path / "cache"))
    path = dataset.shard_path(1)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=r"00001\.h5: sha256 differs .*; delete the file and rerun"):
        Rendered(dataset.folder)


def test_a_picture_of_a_finished_set_is_found_without_listing_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(tmp_path / "set", count=6, shard_size=2, size=SIZE)
    listed: list[int] = []
    real = Dataset.present
    monkeypatch.setattr(Dataset, "present", lambda self: listed.append(1) or real(self))
    assert [dataset[place].index for place in (4, 0, -1)] == [4, 0, 5] and len(dataset) == 6
    assert len(listed) == 1


def test_of_many_pictures_without_a_crack_some_are_asked_why(
    tmp_path: Path, cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_dataset(tmp_path / "set", count=9, shard_size=2, size=SIZE, classes=(CRACK,))
    for shard in range(4):
        frames = [
            replace(make_frame(index, size=SIZE, classes=(CRACK,)), label=-1) for index in (2 * shard, 2 * shard + 1)
        ]
        made = redrawn(made, shard, frames)
    asked: list[int] = []

    class Recorded:
        def sample(self, seed: int, index: int) -> SimpleNamespace:
            asked.append(index)
            return SimpleNamespace(cracked=index < 4)

    store = open_store(str(made.folder))
    said = render_module._without_cracks(store, made.manifest, Recorded())  # type: ignore[arg-type]
    assert said.startswith(": 8 without a crack, 4 of them because") and asked == list(range(8))
    asked.clear()
    monkeypatch.setattr(render_module, "_SAMPLED", 4)
    monkeypatch.setattr(Dataset, "shard", lambda self, shard: pytest.fail("a shard is opened"))
    said = render_module._without_cracks(store, made.manifest, Recorded())  # type: ignore[arg-type]
    assert said.startswith(": 8 without a crack, about 4 of them because") and asked == [0, 2, 4, 6]


def test_a_task_that_goes_on_reads_its_own_logs_alone(server: str, asked: Counter[str], cache: None) -> None:
    """Each of several tasks has drawn a shard, and one of them is begun again."""
    parts = 8
    store, manifest = open_store("s3://pictures/logs"), make_manifest(2 * parts)
    store.create(manifest)
    for shard in range(parts):
        with store.log(f"{shard}/{parts}") as log:
            log.note("shard", shard=shard, sha256=draw(store, manifest, shard), pictures=2)
    assert store.discard_broken([5], part=(5, parts)) == {}  # it reads the shard, and notes that it is sound
    own = counted(asked, lambda: store.discard_broken([5], part=(5, parts)))
    every = counted(asked, lambda: store.discard_broken([5]))
    assert every["get_object"] - own["get_object"] == parts - 1
    assert [run.drawn[0].shard for run in store.runs((5, parts))] == [5]
    assert sorted(run.drawn[0].shard for run in store.runs((1, 4))) == [1, 5]


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_logs_that_a_part_needs(n: int, m: int, data: st.DataObject) -> None:
    i, j = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, m - 1))
    common = set(range(i, n * m, n)) & set(range(j, n * m, m))
    assert concerns(log_name(f"{j}/{m}"), (i, n)) == bool(common)
    assert concerns(log_name(), (i, n)) and concerns(log_name("merge"), (i, n)) and concerns("a-7-1.5.jsonl", (i, n))
    assert parse_run(log_name(f"{j}/{m}"), b"").pid == os.getpid()
