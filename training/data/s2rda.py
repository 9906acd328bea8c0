"""S2RDA's layout (Tang and Jia, CVPR 2023): open its parts, and check a copy of it.

Pictures lie in `synthetic/<class>/…` and `real/<class>/…`. `splits/real_val.txt` and `splits/real_test.txt` list the
two halves of the real domain: one path in each line, relative to the root, without labels. Files end in jpg, png or
JPEG. A table published with S2RDA calls the class `motorcycle` motorbike, and so do some copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from scenes.errors import InputError, choices
from training.data.files import class_folders
from training.data.lists import listed
from training.data.pictures import ImageDataset, relabeled

ALIASES: Mapping[str, str] = {"motorbike": "motorcycle"}
"""From class names in copies of S2RDA to the names of the benchmark."""

SYNTHETIC = 12_000
"""Number of renders of each class."""

_S2RDA_49 = (
    "airplane 1823 1823, bag 175 175, basket 115 116, bathtub 25 25, bed 500 500, bench 91 91, "
    "bicycle 1811 1811, birdhouse 25 25, bottle 847 847, bowl 235 235, bus 2345 2345, cabinet 50 50, "
    "camera 135 135, cap 50 50, car 5200 5201, chair 1185 1185, clock 147 147, dishwasher 25 25, "
    "filecabinet 25 25, flowerpot 25 25, guitar 50 50, helmet 146 146, keyboard 106 107, knife 1338 1339, "
    "lamp 161 161, laptop 101 102, loudspeaker 104 105, mailbox 25 25, microphone 25 25, microwaves 85 86, "
    "motorcycle 2898 2898, mug 134 134, piano 50 50, pillow 214 214, plant 2274 2275, printer 87 88, "
    "remote 116 117, rifle 50 50, skateboard 1178 1178, sofa 500 500, stove 25 25, table 319 320, "
    "telephone 229 229, tower 25 25, train 2118 2118, trashbin 146 146, truck 2774 2774, washer 25 25, "
    "watercraft 125 125"
)

_S2RDA_MS_39 = (
    "airplane 961 961, bag 2011 2011, basket 528 529, bathtub 253 254, bed 821 822, bench 1240 1240, "
    "bicycle 356 356, bottle 1008 1009, bowl 857 858, bus 1013 1014, cabinet 433 434, camera 404 405, "
    "car 2290 2291, chair 1434 1434, clock 878 878, dishwasher 20 21, helmet 1403 1403, keyboard 347 347, "
    "knife 330 331, lamp 290 290, laptop 136 136, loudspeaker 59 59, microwaves 44 44, motorcycle 216 216, "
    "mug 9 10, pillow 145 145, plant 347 348, printer 4 4, remote 85 85, skateboard 496 497, sofa 29 29, "
    "stove 70 70, table 10 10, telephone 240 241, tower 161 162, train 783 783, trashbin 140 141, truck 345 345, "
    "watercraft 663 663"
)


def _counts(text: str) -> dict[str, tuple[int, int]]:
    rows = (row.split() for row in text.split(","))
    return {name: (int(adapt), int(test)) for name, adapt, test in rows}


BENCHMARKS: Mapping[str, Mapping[str, tuple[int, int]]] = {"49": _counts(_S2RDA_49), "MS-39": _counts(_S2RDA_MS_39)}
"""By benchmark and class, the numbers of real pictures in real_val.txt and real_test.txt. Classes in label order."""


def is_s2rda(root: Path) -> bool:
    """Whether a folder has the layout of S2RDA or of `blendmill export --format s2rda`."""
    domains = (root / "synthetic").is_dir() or (root / "real").is_dir()
    return domains and ((root / "splits").is_dir() or ((root / "synthetic").is_dir() and (root / "real").is_dir()))


def s2rda(root: Path, part: str) -> ImageDataset:
    """Open a part of a copy: `synthetic`, `real`, or the name of a list in splits/ (`real_val`, `real_test`).

    The classes are the folders of the part's domain in alphabetical order, with the names of the benchmark. Raises
    InputError if the part is unknown or files of the list are missing.
    """
    lists = {path.stem: path for path in sorted((root / "splits").glob("*.txt"))}
    domains = [domain for domain in ("synthetic", "real") if (root / domain).is_dir()]
    if part in lists:
        pictures: ImageDataset = listed(lists[part], root=root)
    elif part in domains:
        pictures = class_folders(root / part)
    else:
        raise InputError(
            f"{root}: this folder in S2RDA's layout has no split '{part}', {choices(part, [*lists, *domains])}"
        )
    names = [ALIASES.get(name, name) for name in pictures.classes]
    return relabeled(pictures, sorted(names), ALIASES)


@dataclass(frozen=True)
class Row:
    """Found and expected numbers of pictures of a class: in synthetic/, real_val.txt and real_test.txt."""

    name: str
    found: tuple[int, int, int]
    expected: tuple[int, int, int]


@dataclass(frozen=True)
class Report:
    """The content of a copy of S2RDA.

    benchmark: `49` or `MS-39`. faults: one line for each problem other than wrong numbers. extensions: number of files
    of the real domain by suffix.
    """

    benchmark: str
    rows: tuple[Row, ...]
    faults: tuple[str, ...] = ()
    extensions: Mapping[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether the copy is complete and correct."""
        return not self.faults and all(row.found == row.expected for row in self.rows)


def check_s2rda(root: Path, benchmark: str | None = None) -> Report:
    """Check a copy of S2RDA: count its pictures by class and list, and find missing, repeated and unlisted ones.

    benchmark: `49` or `MS-39`. None chooses 49 if the copy has a class that only 49 has. No picture is opened. Raises
    InputError if the folder does not have the layout of S2RDA.
    """
    if not is_s2rda(root):
        raise InputError(
            f"{root}: does not have the layout of S2RDA; give the folder that holds synthetic/, real/ and splits/"
        )
    faults: list[str] = []
    synthetic, real = ({} if not (root / d).is_dir() else _domain(root, d, faults) for d in ("synthetic", "real"))
    lists = [_list(root, name, faults) for name in ("real_val", "real_test")]
    if benchmark is None:
        only_49 = BENCHMARKS["49"].keys() - BENCHMARKS["MS-39"].keys()
        benchmark = "49" if only_49 & (synthetic | real).keys() else "MS-39"
    expected = BENCHMARKS[benchmark]
    faults += _strange(synthetic, expected, "synthetic")
    faults += _strange(real, expected, "real")
    faults += _disagreements(real, *lists)
    tallies = [Counter(_class(path) for path in paths) for paths in lists]
    rows = tuple(
        Row(name, (len(synthetic.get(name, ())), tallies[0][name], tallies[1][name]), (SYNTHETIC, *counts))
        for name, counts in expected.items()
    )
    files = [path for paths in real.values() for path in paths]
    return Report(benchmark, rows, tuple(faults), Counter(PurePosixPath(path).suffix for path in files))


def _domain(root: Path, domain: str, faults: list[str]) -> dict[str, list[str]]:
    """The paths of a domain relative to the root, by class."""
    try:
        pictures = class_folders(root / domain)
    except InputError as error:
        faults.append(str(error))
        return {}
    found: dict[str, list[str]] = {ALIASES.get(name, name): [] for name in pictures.classes}
    for i in range(len(pictures)):
        path = f"{domain}/{pictures.key(i)}"
        found.setdefault(_class(path), []).append(path)
    return found


def _class(path: str) -> str:
    folder = (*PurePosixPath(path).parts, "", "")[1]
    return ALIASES.get(folder, folder)


def _list(root: Path, name: str, faults: list[str]) -> list[str]:
    try:
        text = (root / "splits" / f"{name}.txt").read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"splits/{name}.txt: cannot be read: {error}")
        return []
    return [line.strip() for line in text.split("\n") if line.strip()]


def _strange(found: Mapping[str, object], expected: Mapping[str, object], domain: str) -> Iterator[str]:
    for name in sorted(found.keys() - expected.keys()):
        yield f"{domain}/{name}: not a class of the benchmark; {choices(name, expected.keys() - found.keys())}"


def _disagreements(real: Mapping[str, list[str]], adapt: list[str], test: list[str]) -> Iterator[str]:
    there = {path for paths in real.values() for path in paths}
    for name, paths in (("real_val", adapt), ("real_test", test)):
        missing = [path for path in paths if path not in there]
        yield from _some(f"splits/{name}.txt: listed files are missing", missing)
        yield from _some(
            f"splits/{name}.txt: files are listed twice", [path for path, n in Counter(paths).items() if n > 1]
        )
    yield from _some("files are in both lists", sorted(set(adapt) & set(test)))
    yield from _some("real/: files are in no list", sorted(there - set(adapt) - set(test)))


def _some(fault: str, paths: list[str]) -> Iterator[str]:
    if paths:
        yield f"{fault}: {len(paths)}, {paths[0]} first"
