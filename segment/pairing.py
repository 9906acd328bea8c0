"""Finds masks by what they show, where no name tells them apart from pictures.

Files are put in groups: those of one folder, or those whose paths differ in numbers only, such as `3_sat.jpg` and
`3_mask.png`. A group is masks if its first, middle and last file look like masks: they have two values, or few numbers.
Its pictures are the group that has most of its names, or of its numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

# With more groups, such as a folder for each day, to read a file of each would take long.
_MOST = 32

Group = Mapping[str, Path]


@dataclass(frozen=True)
class Paired:
    """pictures, masks: the files by the path of the picture, without suffix. bare: pictures without a mask. notes: what
    was taken for masks."""

    pictures: dict[str, Path]
    masks: dict[str, Path]
    bare: tuple[Path, ...]
    notes: tuple[str, ...]


def paired(files: Collection[Path], folder: Path, looks_like_mask: Callable[[Path], bool]) -> Paired | None:
    """The pictures and masks among files of a folder. None if no group is masks, or none has pictures."""
    for groups in (_of_folders(files, folder), _of_numbers(files, folder)):
        if not 1 < len(groups) <= _MOST:
            continue
        masks = [name for name, group in groups.items() if all(map(looks_like_mask, _some(group)))]
        found = Paired({}, {}, (), ())
        free = {name for name in groups if name not in masks}
        for name in masks:
            of = max(free, key=lambda other: _fit(name, groups[name], other, groups[other]), default=None)
            if of is None or 2 * len(groups[name].keys() & groups[of].keys()) < len(groups[name]):
                continue
            free.remove(of)
            found = _added(found, folder, (of, groups[of]), (name, groups[name]))
        if found.masks:
            taken = {*found.pictures.values(), *(path for name in masks for path in groups[name].values())}
            return replace(found, bare=tuple(path for path in files if path not in taken))
    return None


def _of_folders(files: Collection[Path], folder: Path) -> dict[str, dict[str, Path]]:
    """The files of each folder by their names without suffix."""
    groups: dict[str, dict[str, Path]] = {}
    for path in sorted(files):
        groups.setdefault(path.parent.relative_to(folder).as_posix(), {})[path.stem] = path
    return groups


def _of_numbers(files: Collection[Path], folder: Path) -> dict[str, dict[str, Path]]:
    """The files whose paths differ in numbers only, by those of their numbers that differ in the group. A file alone
    is in no group."""
    found: dict[str, list[tuple[list[str], Path]]] = {}
    for path in sorted(files):
        name = path.relative_to(folder).as_posix()
        found.setdefault(re.sub(r"[0-9]+", "*", name), []).append((re.findall(r"[0-9]+", name), path))
    groups = {}
    for pattern, members in found.items():
        if len(members) == 1:
            continue
        varying = [k for k in range(len(members[0][0])) if len({numbers[k] for numbers, _ in members}) > 1]
        groups[pattern] = {" ".join(numbers[k] for k in varying): path for numbers, path in members}
    return groups


def _some(group: Group) -> list[Path]:
    paths = list(group.values())
    return [paths[k] for k in sorted({0, len(paths) // 2, len(paths) - 1})]


def _fit(name: str, masks: Group, other: str, pictures: Group) -> tuple[int, float]:
    return len(masks.keys() & pictures.keys()), SequenceMatcher(None, name, other).ratio()


def _added(found: Paired, folder: Path, of: tuple[str, Group], masks: tuple[str, Group]) -> Paired:
    keys = [key for key in of[1] if key in masks[1]]
    names = {key: of[1][key].relative_to(folder).with_suffix("").as_posix() for key in keys}
    note = f"{folder}: {masks[0]} are taken for the masks of {of[0]}, because they have few values"
    return replace(
        found,
        pictures=found.pictures | {names[key]: of[1][key] for key in keys},
        masks=found.masks | {names[key]: masks[1][key] for key in keys},
        notes=(*found.notes, note),
    )
