"""Lists of pictures and their classes: text files, as of DomainNet and VisDA, and tables (.csv, .tsv, .jsonl).

A folder may have such a table beside its pictures, as the Hugging Face Hub has metadata.csv or metadata.jsonl.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.errors import InputError, choices, shortened
from scenes.plain_json import parse_json
from training.data.files import Files
from training.data.pictures import NONE

_ENDINGS = "|".join(sorted(ending[1:] for ending in IMAGE_SUFFIXES))
_LABELED = re.compile(
    rf"(?P<path>.*\.(?:{_ENDINGS}))[\s,;]+(?P<label>.*\S)|(?P<bare>.*[^\s,])[\s,]+(?P<number>-?[0-9]{{1,9}})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?[0-9]{1,9}")
# The columns of tables, as people name them, in lower case.
_PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_name", "img")
_LABELS = ("label", "class", "class_name", "category", "target", "labels")


@dataclass(frozen=True, slots=True)
class _Line:
    """A picture of a list. label: a number or a name of its class, or nothing."""

    number: int
    path: str
    label: str


def listed(file: Path, classes: Sequence[str] | None = None, *, root: Path | None = None) -> Files:
    """Pictures of a list file. Each line holds a path, or a path and a class: its number or its name.

    A .csv or .tsv file has a column `path` (or `file`, `filename`, `image`, …) and may have a column `label` (or
    `class`, `category`, `target`, …). Without such a first line these are its first and second column. The lines of a
    .jsonl file are objects with such keys.

    Paths are relative to `root`. By default that is the folder of the list, its parent, or the only folder beside the
    list that holds the first picture. Without classes, the class of a picture is the name of its folder. With numbers,
    class names are taken from the folders if each number belongs to exactly one folder. Otherwise a number is an index
    into `classes`. Raises InputError if the list cannot be read, is empty, mixes both kinds of lines, leads out of
    `root`, or names missing files.
    """
    readers = {".csv": _table, ".tsv": _table, ".jsonl": _json_lines}
    lines = list(readers.get(file.suffix.lower(), _text)(file))
    if not lines:
        raise InputError(f"{file}: empty; a list file holds the path of a picture in each line")
    for line in lines:
        _check(file, line, lines[0])
    paths, labels = [line.path for line in lines], [line.label for line in lines]
    root = root or _root(file, paths[0])
    folders = [PurePosixPath(path).parent.name for path in paths]
    if labels[0] and all(map(_NUMBER.fullmatch, labels)):
        numbers = list(map(int, labels))
        return Files(root, paths, numbers, _named(file, numbers, folders, classes), str(file))
    found = labels if labels[0] else folders
    names = sorted(set(found))
    index = {name: number for number, name in enumerate(names)}
    return Files(root, paths, [index[name] for name in found], names, str(file))


def metadata_of(folder: Path) -> Path | None:
    """The table of a folder of the Hugging Face Hub that has classes; None where there is none."""
    for path in (folder / "metadata.csv", folder / "metadata.jsonl"):
        if path.is_file():
            with path.open(encoding="utf-8-sig", errors="replace") as file:
                first = file.readline().lower()
            if any(f'"{name}"' in first or name in re.split(r"[,;\t\s]+", first) for name in _LABELS):
                return path
    return None


def _content(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{file}: no such list file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not a list file: byte {error.start} is not UTF-8") from None


def _text(file: Path) -> Iterator[_Line]:
    for number, line in enumerate(map(str.strip, _content(file).split("\n")), 1):
        match = _LABELED.fullmatch(line)
        if match:
            yield _Line(number, _slashes(match["path"] or match["bare"]), match["label"] or match["number"])
        elif line:
            yield _Line(number, _slashes(line), "")


def _table(file: Path) -> Iterator[_Line]:
    content = _content(file)
    first = content.partition("\n")[0]
    separator = max("\t;,", key=first.count)
    rows = csv.reader(content.splitlines(), delimiter=separator, strict=True)
    path, label = 0, 1
    try:
        for at, row in enumerate(rows):
            cells = [cell.strip() for cell in row]
            if at == 0 and not any(PurePosixPath(cell.lower()).suffix in IMAGE_SUFFIXES for cell in cells):
                path, label = _columns(file, [cell.lower() for cell in cells])
            elif any(cells):
                if len(cells) <= path:
                    raise InputError(f"{file}: line {rows.line_num}: has {len(cells)} columns, and no path")
                yield _Line(rows.line_num, _slashes(cells[path]), cells[label] if 0 <= label < len(cells) else "")
    except csv.Error as error:
        raise InputError(f"{file}: line {rows.line_num}: {error}") from None


def _json_lines(file: Path) -> Iterator[_Line]:
    for number, line in enumerate(_content(file).split("\n"), 1):
        if not line.strip():
            continue
        data = parse_json(line.encode(), f"{file}: line {number}")
        if not isinstance(data, dict):
            raise InputError(f"{file}: line {number}: is no object with file_name and label")
        path, label = _columns(file, [str(name).lower() for name in data], number)
        values = list(data.values())
        text = "" if label < 0 else values[label]
        if not isinstance(values[path], str) or isinstance(text, bool) or not isinstance(text, int | str):
            raise InputError(
                f"{file}: line {number}: has the path {shortened(values[path])} and the class {shortened(text)}"
            )
        yield _Line(number, _slashes(values[path]), str(text).strip())


def _columns(file: Path, names: Sequence[str], line: int = 1) -> tuple[int, int]:
    """Where the paths and the classes are; -1 if there are no classes."""
    path = next((names.index(name) for name in _PATHS if name in names), None)
    if path is None:
        found = choices(names[0], _PATHS) if names else "it is empty"
        raise InputError(f"{file}: line {line}: no column has the paths of the pictures, {found}")
    return path, next((names.index(name) for name in _LABELS if name in names), -1)


def _slashes(path: str) -> str:
    """The path with the separators of POSIX."""
    return (PurePosixPath(path) if "/" in path else PureWindowsPath(path)).as_posix()


def _check(file: Path, line: _Line, first: _Line) -> None:
    """Raise InputError for a line that leads elsewhere, has several numbers, or is unlike the first."""
    shown = f"{line.path} {line.label}".strip()
    if bool(line.label) != bool(first.label):
        raise InputError(f"{file}: line {line.number}: '{shown}' {'has' if line.label else 'lacks'} a class, "
                         f"unlike line {first.number}")  # fmt: skip
    if re.fullmatch(r"[-+0-9.\s,;]+", line.label) and not _NUMBER.fullmatch(line.label):
        raise InputError(f"{file}: line {line.number}: '{shown}' has more than a path and one class")
    if "\0" in line.path or line.path.startswith(("/", "~")) or ".." in PurePosixPath(line.path).parts:
        raise InputError(
            f"{file}: line {line.number}: '{line.path}' leads out of the list's folder; write relative paths"
        )


def _root(file: Path, first: str) -> Path:
    """The folder that the paths are relative to."""
    for at in (file.parent, file.parent.parent):
        if (at / first).exists():
            return at
    beside = [at for at in sorted(file.parent.iterdir()) if at.is_dir() and (at / first).exists()]
    return beside[0] if len(beside) == 1 else file.parent


def _named(file: Path, numbers: list[int], folders: list[str], classes: Sequence[str] | None) -> Sequence[str]:
    """The names of the classes 0, 1, …"""
    pairs = set(zip(numbers, folders, strict=True))
    names = dict(pairs)
    if len(pairs) == len(names) == len(set(folders)) and set(names) == set(range(len(names))):
        return [names[number] for number in range(len(names))]
    if classes is None:
        raise InputError(
            f"{file}: the class numbers do not match the folders one to one, so they have no names; "
            "give the names as `classes`"
        )
    if not NONE <= min(numbers) <= max(numbers) < len(classes):
        wrong = next(i for i, number in enumerate(numbers) if not NONE <= number < len(classes))
        raise InputError(
            f"{file}: picture {wrong + 1} has class {numbers[wrong]}, but there are {len(classes)} classes, "
            "numbered from 0"
        )
    return classes
