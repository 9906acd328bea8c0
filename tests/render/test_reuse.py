"""Pictures that another set has are copied from it, and only those."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from render.dataset.dataset import Dataset
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, run
from render.farm.ledger import Ledger
from render.farm.local import Local, RetryPolicy
from render.farm.reuse import EqualPictures
from render.renderer import Sampler, open_sampler
from scenes.config.loading import load_config
from scenes.errors import InputError
from tests import painter
from tests.farms import contents

KINDS = "background.kind={choice: {hdri: 0.5, color: 0.5}}"
BASE = ["classes=[mug]", "assets.shapes=2", "camera.resolution=[32,24]"]
COUNT = 8


def sampler(*changes: str) -> Sampler:
    return open_sampler(load_config("smoke", [*BASE, KINDS, *changes]))


def drawn(out: Path, count: int, reuse: tuple[Path, ...] = (), **faults: Any) -> int:
    """Draw a set with a worker that paints spheres. Returns how many of its pictures were copied."""
    farm = Local(worker_slots(choose("cpu"), 1, pictures=count), painter.command(**faults))
    opened, copied = sampler(), []

    def tell(event: str, **fields: Any) -> None:
        copied.append(fields.get("taken", False))

    job = Job(opened.config, 3, count, str(out), shard_size=2, reuse=tuple(map(str, reuse)))
    run(job, opened, farm, RetryPolicy(attempts=1), tell)
    return sum(copied)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "there"
    drawn(out, COUNT)
    return out


def taken(there: Path, *changes: str) -> list[int]:
    """The pictures of a changed config that the set has."""
    other = sampler(*changes)
    job = Job(other.config, 3, COUNT, "elsewhere", shard_size=3)
    equal, ledger = EqualPictures([str(there)], job.manifest(other)), Ledger(other.catalogue, {})
    found = []
    for record in (other.sample(3, index) for index in range(COUNT)):
        ledger.admit(record.assets())
        frame = equal.find(record, ledger.provenance(record.assets()).assets)
        assert frame is None or frame.scene == record
        found += [] if frame is None else [frame.index]
    return found


def test_a_longer_set_copies_the_beginning_to_the_byte(there: Path, tmp_path: Path) -> None:
    # Every stroke of the brush but the last two would fail.
    assert drawn(tmp_path / "long", COUNT + 2, (there,), **{"raise": list(range(COUNT))}) == COUNT
    copied, shards = contents(tmp_path / "long"), [name for name in contents(there) if name.startswith("shards")]
    assert {name: copied[name] for name in shards} == {name: contents(there)[name] for name in shards}


def test_a_value_that_goes_leaves_the_pictures_of_the_others(there: Path) -> None:
    kinds = [sampler().sample(3, index).background.kind for index in range(COUNT)]  # type: ignore[attr-defined]
    assert set(kinds) == {"hdri", "color"}
    assert taken(there, "background.kind=color") == [index for index in range(COUNT) if kinds[index] == "color"]
    assert taken(there) == list(range(COUNT))


@pytest.mark.parametrize("change", ["render.samples=3", "classes=null", "camera.resolution=[24,24]"])
def test_nothing_is_copied_from_a_set_drawn_in_another_way(there: Path, change: str) -> None:
    assert taken(there, change) == []


def test_pictures_with_another_content_of_an_asset_are_not_equal(there: Path, tmp_path: Path) -> None:
    shutil.copytree(there, tmp_path / "set")
    dataset = Dataset.open(tmp_path / "set")
    name, asset = next(iter(dataset.manifest.assets.items()))
    sums = {**dataset.manifest.assets, name: asset.model_copy(update={"sha256": "0" * 64})}
    dataset.manifest.model_copy(update={"assets": sums}).save(tmp_path / "set")
    others = [frame.index for frame in dataset if name not in frame.scene.assets()]
    assert len(others) < COUNT and taken(tmp_path / "set") == others


def test_a_set_that_is_damaged_or_missing_is_told(there: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no dataset"):
        taken(tmp_path / "nothing")
    shutil.copytree(there, tmp_path / "set")
    shard = Dataset.open(tmp_path / "set").shard_path(0)
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="sha256 differs"):
        taken(tmp_path / "set")
