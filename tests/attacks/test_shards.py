"""Shards and dataset.json that somebody changed: each is refused in one line or read rightly, at little cost.

Nothing of another file gets into a message or an export.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from render.dataset.dataset import Dataset
from render.dataset.export import FORMATS, RECEIPT, export_dataset
from render.dataset.inspect import inspect_dataset
from render.dataset.limits import Limits
from render.dataset.store import open_store
from scenes.errors import InputError
from tests.attacks import made_shards
from tests.attacks.arena import bad, outcomes
from tests.frames import make_dataset


def verified(folder: Path) -> str:
    return "\n".join(open_store(str(folder)).verify())


def inspected(folder: Path) -> str:
    found = inspect_dataset(Dataset.open(folder))
    shown = [line for line in found.lines if not line.isprintable() or len(line) > 1000]
    assert not shown, shown
    return "" if found.sound else "not sound"


def exported(kind: str) -> Callable[[Path], str]:
    def export(folder: Path) -> str:
        out = folder.with_name(f"{folder.name}-{kind}")
        try:
            export_dataset(Dataset.open(folder), out, kind)
        finally:
            assert (out / RECEIPT).exists() or not out.exists(), "a half export is there"
            for left in (out, out.with_name(f".{out.name}.export")):
                shutil.rmtree(left, ignore_errors=True)
        return ""

    return export


def trained(folder: Path) -> str:
    from training.data.rendered import Rendered

    pictures = Rendered(folder, margin=0.1)
    pictures.within(Limits(0.001, 5.0))
    digest = hashlib.sha256(pictures.labels.tobytes())
    for i in range(len(pictures)):
        digest.update(np.ascontiguousarray(pictures.read(i)))
    return digest.hexdigest()


def segmented(folder: Path) -> str:
    from segment.sets import open_set

    pictures = open_set(folder)
    digest = hashlib.sha256()
    for k in range(pictures.size):
        picture = pictures.read(k)
        assert picture.mask is not None
        digest.update(np.ascontiguousarray(picture.rgb))
        digest.update(np.ascontiguousarray(picture.mask))
    return digest.hexdigest()


def compared(read: Callable[[Path], str]) -> Callable[[Path], str]:
    """What is read must be what the sound set holds, where its digest is noted beside the folder."""

    def reader(folder: Path) -> str:
        note = folder.with_name(read.__name__)
        digest = read(folder)
        assert not note.exists() or note.read_text() == digest, "something else is read"
        return ""

    return reader


READERS: dict[str, Callable[[Path], str]] = {
    "verify": verified,
    "inspect": inspected,
    # 6D poses need the models of the set's config, and the made set has none.
    **{f"export {kind}": exported(kind) for kind in FORMATS if kind != "bop"},
    "train": compared(trained),
    "segment": compared(segmented),
}
"""Each returns what is wrong with a data set, a line each fault, or raises InputError."""


IN_TURN = [name for name in READERS if name != "verify"]


def attack(folder: str) -> None:
    """`verify`, and two of the other readers by turns: all of them read through the same gate."""
    turn = int(Path(folder).name)
    taken = {IN_TURN[(turn + step) % len(IN_TURN)] for step in (0, len(IN_TURN) // 2)}
    attack_with(folder, ["verify", *(name for name in IN_TURN if name in taken)])


def attack_all(folder: str) -> None:
    attack_with(folder, list(READERS))


def attack_with(folder: str, names: list[str]) -> None:
    """The readers of these names. Raises InputError that names those that accept, or "all"."""
    accept: list[str] = []
    for name in names:
        reader = READERS[name]
        try:
            said = reader(Path(folder))
        except InputError as error:
            said = str(error)
            assert len(said) <= 1000 and said.isprintable(), f"{name}: {said[:300]}"
        except BaseException as error:
            raise RuntimeError(f"{name}: {type(error).__name__}: {error}") from error
        assert "secret of this machine" not in said, f"{name} tells the secret"
        accept += [name] if not said else []
    raise InputError(", ".join(accept) if len(accept) < len(names) else "all")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set of two shards of two pictures, without sums: whoever changes a shard can also change its sum."""
    folder = tmp_path_factory.mktemp("sound") / "set"
    manifest = make_dataset(folder, count=4, size=(32, 40)).manifest
    manifest.model_copy(update={"shards": {}}).save(folder)
    return folder


def accepted(
    sound: Path, place: Path, changes: dict[str, made_shards.Change], attacked: Callable[[str], None], same: bool = True
) -> dict[str, str]:
    """Which readers accept a set after each change. same: whether they must then find what was there before it."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    folders = [place / str(number) for number in range(len(changes))]
    for folder, change in zip(folders, changes.values(), strict=True):
        shutil.copytree(sound, folder)
        change(folder)
    for read in (trained, segmented) if same else ():
        (place / read.__name__).write_text(read(sound))
    found = outcomes(f"tests.attacks.test_shards:{attacked.__name__}", [str(folder) for folder in folders])
    said = dict(zip(changes, found, strict=True))
    assert {name: one for name, one in said.items() if one in bad(found)} == {}
    return {name: one.said for name, one in said.items()}


READ_BY = pytest.mark.parametrize("attacked", [attack, pytest.param(attack_all, marks=pytest.mark.slow)])


@READ_BY
def test_what_is_wrong_is_refused_by_every_reader(sound: Path, tmp_path: Path, attacked: Callable[[str], None]) -> None:
    found = accepted(sound, tmp_path, made_shards.REFUSED, attacked)
    assert {name: who for name, who in found.items() if who} == {}


_DENSE = {"folder", "webdataset", "hdf5-per-image"}
# A training and most exports read a few labels only. By the first word of a change, the exports that read its label.
EXPORTS_THAT_READ = {
    "skeleton": {"folder", "webdataset"},
    "depth": _DENSE,
    "normal": _DENSE,
    "category": _DENSE,
    "intrinsics": _DENSE | {"coco"},
    "pose": _DENSE | {"coco"},
    "scene": {"folder", "webdataset", "coco"},
}


@READ_BY
def test_what_a_training_does_not_read_is_refused_by_all_that_read_it(
    sound: Path, tmp_path: Path, attacked: Callable[[str], None]
) -> None:
    for name, who in accepted(sound, tmp_path, made_shards.UNSEEN, attacked).items():
        unread = {f"export {kind}" for kind in FORMATS.keys() - EXPORTS_THAT_READ[name.split()[0]]} | {"train"}
        assert set(who.split(", ") if who else ()) <= unread, name


def test_what_is_beside_the_labels_is_not_read(sound: Path, tmp_path: Path) -> None:
    assert set(accepted(sound, tmp_path, made_shards.RIGHT, attack_all).values()) == {"all"}


@pytest.mark.slow
def test_a_damaged_byte_is_refused_or_read(sound: Path, tmp_path: Path) -> None:
    changes = {str(number): lambda folder, number=number: made_shards.flipped(folder, number) for number in range(100)}
    accepted(sound, tmp_path, changes, attack_all, same=False)
