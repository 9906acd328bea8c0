"""How often a task of an array asks the storage of its data set: as often as its own shards need, not as all do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from render.dataset.local import Folder
from render.dataset.provenance import AssetRecord, Provenance
from render.dataset.store import open_store
from render.farm.job import Job, run
from render.farm.local import RetryPolicy, Run
from scenes.config.loading import load_config
from scenes.errors import InputError
from tests.farms import draw
from tests.frames import CLASSES

TASKS = 8


class Farm:
    """Draws made-up frames, each shard with one asset of its own and one that all have. digest: of the latter."""

    workers = 1

    def __init__(self, digest: str = "1"):
        self._digest = digest

    def draw(self, run: Run, shards: Sequence[int]) -> None:
        for shard in shards:
            sums = {f"mug/{shard}.obj": "0", "mug/all.obj": self._digest}
            assets = {name: AssetRecord(sha256=digit * 64, license="") for name, digit in sums.items()}
            run.store.note_drawn(shard, Provenance(assets=assets))
            run.log.note("shard", shard=shard, sha256=draw(run.store, run.manifest, shard), pictures=2)
        self.known = run.spec["assets"]


def task(out: Path | str, number: int, farm: Farm) -> None:
    sampler = SimpleNamespace(classes=CLASSES, catalogue=SimpleNamespace(left_out={}))
    job = Job(load_config("smoke"), 0, 4 * TASKS, str(out), shard_size=2, part=(number, TASKS))
    run(job, sampler, farm, RetryPolicy(), lambda event, **fields: None)  # type: ignore[arg-type]


def test_a_task_reads_what_is_noted_of_its_own_shards_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Folder, "read", lambda self, name, read=Folder.read: (asked.append(name), read(self, name))[1])
    counts, farm = [], Farm()
    for number in range(TASKS - 1):
        asked.clear()
        task(tmp_path, number, farm)
        assert farm.known == {}, "no picture of its part is there"
        # Read once the shards are drawn, to tell what they were drawn from.
        assert [name for name in asked if name.startswith("drawn/")] == [
            f"drawn/{shard:05d}.json" for shard in (number, number + TASKS)
        ]
        assert sum(name.startswith("runs/") for name in asked) == 0
        counts.append(len(asked))
    assert len(set(counts)) == 1, "the eighth task asks no more often than the first"

    # A task that goes on after an interruption gets what its own shards were drawn with.
    open_store(str(tmp_path)).storage.remove("shards/00001.h5")
    task(tmp_path, 1, farm)
    assert sorted(farm.known) == ["mug/9.obj", "mug/all.obj"]

    # The last task checks all, because it completes the set.
    asked.clear()
    with pytest.raises(InputError, match="was drawn with another asset"):
        task(tmp_path, TASKS - 1, Farm("2"))
    assert len({name for name in asked if name.startswith("drawn/")}) == 2 * TASKS


def test_pictures_given_up_by_other_tasks_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task(tmp_path, 0, Farm())
    store = open_store(str(tmp_path))
    for index in (2, 3, 4, 17):
        store.fail(index, {})
    monkeypatch.setattr(Folder, "read", lambda self, name, read=Folder.read: _refused(name) or read(self, name))
    task(tmp_path, 1, Farm())
    assert store.failed() == [4, 17], "those of shard 1 are tried again"


def _refused(name: str) -> None:
    assert not name.startswith("failed/")
