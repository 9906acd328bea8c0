"""The share of each object in the labels, and readers that choose pictures by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from render.cli.dataset import export
from render.dataset.dataset import Dataset
from render.dataset.limits import Limits
from render.object_label import ObjectLabel
from scenes.errors import InputError
from tests.frames import listing, make_dataset, make_frame


def objects(**shares: float) -> list[ObjectLabel]:
    label = make_frame(0).objects[0]
    return [replace(label, purpose=name.rstrip("2"), share=share) for name, share in shares.items()]


@pytest.mark.parametrize(
    ("shares", "kept"),
    [
        ({"main": 0.1}, True),
        ({"main": 0.0999}, False),
        ({"main": 0.2, "clutter": 0.05, "clutter2": 0.05}, True),
        ({"main": 0.2, "clutter": 0.05, "clutter2": 0.06}, False),
        ({"main": 0.2, "member": 0.5, "occluder": 0.5}, True),
        ({"clutter": 0.1}, False),
        ({}, False),
    ],
)
def test_limits_count_the_main_object_and_all_clutter(shares: dict[str, float], kept: bool) -> None:
    assert Limits(min_share=0.1, max_clutter=0.5).keep(objects(**shares)) is kept


def test_without_limits_all_pictures_are_kept() -> None:
    assert Limits().keep(objects(main=0.0, clutter=0.9)) and Limits().keep([])


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("data") / "set", count=6, shard_size=4, objects=3)


def by_masks(dataset: Dataset) -> list[float]:
    return [float((frame.instance == 1).mean()) for frame in dataset.frames()]


def test_a_shard_has_the_share_of_each_object(dataset: Dataset) -> None:
    for frame in dataset.frames():
        assert [label.share for label in frame.objects] == [
            float((frame.instance == number).mean()) for number in (1, 2, 3)
        ]


def test_readers_leave_out_pictures_beyond_the_limits(dataset: Dataset, tmp_path: Path) -> None:
    shares = by_masks(dataset)
    limits = Limits(min_share=float(np.median(shares)))
    wanted = [k for k, share in enumerate(shares) if share >= limits.min_share]
    assert 0 < len(wanted) < 6
    assert [frame.index for frame in dataset.frames(limits=limits)] == wanted

    called = [str(dataset.folder), str(tmp_path / "out"), "--format", "folder", "--min-share", str(limits.min_share)]
    done = CliRunner().invoke(export, called)
    assert done.exit_code == 0 and f": {len(wanted)} pictures" in done.output
    assert len(list((tmp_path / "out").rglob("*.png"))) % len(wanted) == 0
    again = CliRunner().invoke(export, called)
    assert "there already" in again.output
    other = CliRunner().invoke(export, called[:4])
    assert isinstance(other.exception, InputError) and "holds another export" in str(other.exception)


def test_an_export_of_nothing_is_an_error(dataset: Dataset, tmp_path: Path) -> None:
    called = [str(dataset.folder), str(tmp_path / "out"), "--format", "coco", "--min-share", "1"]
    done = CliRunner().invoke(export, called)
    assert isinstance(done.exception, InputError) and "no picture is within" in str(done.exception)
    assert listing(tmp_path) == []


def test_training_reads_pictures_within_the_limits(dataset: Dataset, tmp_path: Path) -> None:
    sources = pytest.importorskip("training.data.sources", reason="needs the packages of training")
    shares = by_masks(dataset)
    limits = Limits(min_share=float(np.median(shares)))
    kept = sources.open_pictures(dataset.folder, limits=limits)
    wanted = [k for k, share in enumerate(shares) if share >= limits.min_share]
    assert [kept.key(i) for i in range(len(kept))] == [str(k) for k in wanted]
    assert np.array_equal(kept.read(0), dataset.frame(wanted[0]).rgb)
    assert kept.digest != sources.open_pictures(dataset.folder).digest

    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat" / "0.png")
    with pytest.raises(InputError, match="not a rendered data set"):
        sources.open_pictures(tmp_path, limits=limits)
