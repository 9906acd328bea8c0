"""S2RDA's layout, as published and as copies of it are; and the check of a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.s2rda.check import main, shown
from render.dataset.export import export_dataset
from scenes.errors import InputError
from tests.frames import CLASSES, make_dataset
from tests.training.test_pictures import keys, picture, said
from training.data import s2rda as module
from training.data.s2rda import BENCHMARKS, check_s2rda
from training.data.sources import open_pictures

FILES = {"airplane": ("jpg", "JPEG", "png"), "motorcycle": ("jpg", "JPEG"), "birdhouse": ("png", "jpg")}


def copy(root: Path, motorcycle: str = "motorcycle") -> Path:
    """A small copy: three renders a class, two or three photographs, of which the first is in real_val."""
    lines: tuple[list[str], list[str]] = ([], [])
    for name, endings in FILES.items():
        folder = motorcycle if name == "motorcycle" else name
        for domain in ("synthetic", "real"):
            (root / domain / folder).mkdir(parents=True)
        for i in range(3):
            picture(i).save(root / "synthetic" / folder / f"{i}.png")
        for i, ending in enumerate(endings):
            picture(i).save(root / "real" / folder / f"a photo {i}.{ending}")
            lines[i > 0].append(f"real/{folder}/a photo {i}.{ending}\n")
    (root / "splits").mkdir()
    for list_name, listed in zip(("real_val", "real_test"), lines, strict=True):
        (root / "splits" / f"{list_name}.txt").write_text("".join(listed))
    return root


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark is as large as the small copy."""
    expected = {name: (1, len(endings) - 1) for name, endings in sorted(FILES.items())}
    monkeypatch.setattr(module, "BENCHMARKS", {"49": expected, "MS-39": {"airplane": (1, 2), "motorcycle": (1, 1)}})
    monkeypatch.setattr(module, "SYNTHETIC", 3)


@pytest.mark.parametrize("called", ["motorcycle", "motorbike"])
def test_the_parts_of_a_copy(tmp_path: Path, called: str) -> None:
    root = copy(tmp_path, called)
    parts = {part: open_pictures(root, split=part) for part in ("synthetic", "real", "real_val", "real_test")}
    assert {part: len(pictures) for part, pictures in parts.items()} == dict(
        synthetic=9, real=7, real_val=3, real_test=4
    )
    for part, pictures in parts.items():
        assert pictures.classes == ("airplane", "birdhouse", "motorcycle"), part
        for i in range(len(pictures)):
            assert f"/{pictures.classes[pictures.labels[i]].replace('motorcycle', called)}/" in pictures.where(i)
            assert pictures.read(i).shape == (16, 24, 3)
    assert sorted(keys(parts["real_val"]) + keys(parts["real_test"])) == sorted(
        f"real/{k}" for k in keys(parts["real"])
    )
    chosen = open_pictures(root, ("motorcycle", "airplane"), split="real_test")
    assert sorted(chosen.labels.tolist()) == [0, 1, 1]


def test_a_split_has_to_be_named(tmp_path: Path) -> None:
    root = copy(tmp_path)
    assert "this folder in S2RDA's layout has no split 'all', accepted: real, real_test, real_val, synthetic" in said(
        lambda: open_pictures(root)
    )
    assert "did you mean 'real_test'?" in said(lambda: open_pictures(root, split="real_tset"))


def test_our_own_export_is_read_back(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=6, shard_size=6)
    export_dataset(data, tmp_path / "out", "s2rda")
    ours = open_pictures(tmp_path / "set", CLASSES)
    for split in ("synthetic", "synthetic_train"):
        exported = open_pictures(tmp_path / "out", split=split)
        names = [exported.classes[label] for label in exported.labels]
        assert sorted(names) == sorted(CLASSES[label] for label in ours.labels)


def test_files_missing_from_a_list_are_one_line(tmp_path: Path) -> None:
    root = copy(tmp_path)
    (root / "real" / "airplane" / "a photo 1.JPEG").unlink()
    message = said(lambda: open_pictures(root, split="real_test"))
    assert message == f"{root}/splits/real_test.txt: file not found: {root}/real/airplane/a photo 1.JPEG; " + (
        "complete the copy, or correct the list"
    )


def test_the_published_numbers() -> None:
    """Totals as the paper and its lists have them, and some classes."""
    totals = {name: tuple(sum(row[k] for row in rows.values()) for k in (0, 1)) for name, rows in BENCHMARKS.items()}
    assert totals == {"49": (30262, 30273), "MS-39": (20859, 20876)}
    assert {name: len(rows) for name, rows in BENCHMARKS.items()} == {"49": 49, "MS-39": 39}
    for rows in BENCHMARKS.values():
        assert list(rows) == sorted(rows) and all(abs(adapt - test) <= 1 for adapt, test in rows.values())
    missing = "birdhouse cap filecabinet flowerpot guitar mailbox microphone piano rifle washer"
    assert BENCHMARKS["49"].keys() - BENCHMARKS["MS-39"].keys() == set(missing.split())
    assert BENCHMARKS["MS-39"].keys() < BENCHMARKS["49"].keys()
    assert BENCHMARKS["49"]["car"] == (5200, 5201) and BENCHMARKS["MS-39"]["printer"] == (4, 4)
    assert BENCHMARKS["MS-39"]["mug"] == (9, 10)


def test_a_whole_copy_is_sound(small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = check_s2rda(copy(tmp_path, "motorbike"))
    assert report.sound and report.benchmark == "49" and len(report.rows) == 3
    assert report.extensions == {".jpg": 3, ".JPEG": 2, ".png": 2}
    assert "| **all** | 9 | 3 | 4 |" in shown(report) and shown(report).endswith("all as published")


def test_the_benchmark_is_told_by_its_classes(small: None, tmp_path: Path) -> None:
    root = copy(tmp_path)
    assert not check_s2rda(root, "MS-39").sound
    for domain in ("synthetic", "real"):
        for file in (root / domain / "birdhouse").iterdir():
            file.unlink()
        (root / domain / "birdhouse").rmdir()
    assert check_s2rda(root).benchmark == "MS-39"


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda root: (root / "synthetic" / "airplane" / "0.png").unlink(), None),
        (lambda root: (root / "real" / "airplane" / "a photo 0.jpg").unlink(),
         "real_val.txt: listed files are missing"),
        (lambda root: picture().save(root / "real" / "airplane" / "x.png"),
         "real/: files are in no list: 1, real/airplane/x"),
        (lambda root: _append(root, "real_val", "real/airplane/a photo 1.JPEG\n"),
         "files are in both lists: 1, real/airplane/a"),
        (lambda root: _append(root, "real_val", "real/airplane/a photo 0.jpg\n"),
         "real_val.txt: files are listed twice: 1"),
        (lambda root: (root / "splits" / "real_test.txt").unlink(), "splits/real_test.txt: cannot be read"),
        (lambda root: (root / "synthetic" / "airplane").rename(root / "synthetic" / "aeroplane"),
         "synthetic/aeroplane: not a class of the benchmark; did you mean 'airplane'?"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_copy_is_told(
    small: None, tmp_path: Path, damage: Callable[[Path], object], fault: str | None
) -> None:
    root = copy(tmp_path)
    damage(root)
    report = check_s2rda(root)
    assert not report.sound and "all as published" not in shown(report)
    assert fault is None or any(fault in line for line in report.faults)


def _append(root: Path, name: str, text: str) -> None:
    path = root / "splits" / f"{name}.txt"
    path.write_text(path.read_text() + text)


def test_the_command(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:  # type: ignore[type-arg]
    root = copy(tmp_path / "data")
    (tmp_path / "empty").mkdir()
    codes = []
    for argument in (root, tmp_path / "empty"):
        monkeypatch.setattr("sys.argv", ["check", str(argument)])
        codes.append(main())
    (root / "real" / "airplane" / "a photo 2.png").unlink()
    monkeypatch.setattr("sys.argv", ["check", str(root)])
    codes.append(main())
    assert codes == [0, 2, 1]
    out, err = capsys.readouterr()
    assert out.count("| **all** |") == 2 and "does not have the layout of S2RDA" in err


def test_no_copy_at_all_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give the folder that holds synthetic/, real/ and splits/"):
        check_s2rda(tmp_path)
