"""What the readers of annotation tools share: they find pictures, and draw their objects when a picture is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PureWindowsPath
from posixpath import normpath
from typing import Any, NamedTuple

import cv2
import numpy as np

from scenes.assets.image_files import check_size, opened
from scenes.errors import InputError, LoadError, shortened
from scenes.files import read_regular
from segment.annotations.drawing import Size
from segment.annotations.objects import BACKGROUND, Listed, Mask, Objects, Thing, WithoutOutlines, classes_of
from segment.tree import Tree
from training.progress import Progress

FAULTS = (LookupError, TypeError, ValueError, AttributeError, OverflowError, OSError, SyntaxError, cv2.error)
"""What reading wrong annotations raises."""

# Folders whose names say no more than that pictures are in them.
_OF_PICTURES = frozenset({"images", "image", "img", "imgs", "jpegimages", "obj_train_data"})
# Bytes of a list of pictures, or of names.
_LONGEST = 1 << 30
_TURNED = 5  # EXIF orientations from here on exchange width and height
_ORIENTATION = 0x0112


class Shape(NamedTuple):
    """An object as a tool lists it. title: its class. draw: its mask in a picture of a size; it raises one of FAULTS.
    vague: it is a box or a line, which does not say which pixels the object has."""

    title: str
    draw: Callable[[Size], Mask]
    vague: bool = False


class Entry(NamedTuple):
    """A picture and its objects, each over those before it. size: (h, w); None to ask the picture's file. shapes: reads
    them; it raises InputError, or one of FAULTS."""

    picture: Path
    size: Size | None
    shapes: Callable[[], Iterable[Shape]]


@dataclass(frozen=True)
class Pictures:
    """The pictures in a folder and below it, by the names of their files.

    placed: by their paths, seen from the folder. holding: the folders with pictures in them or below.
    """

    folder: Path
    named: Mapping[str, tuple[Path, ...]]
    placed: Mapping[str, Path]
    holding: frozenset[Path]

    @classmethod
    def of(cls, tree: Tree) -> Pictures:
        """The pictures of a folder that is listed."""
        named: dict[str, list[Path]] = {}
        for path in tree.pictures:
            named.setdefault(path.name, []).append(path)
        placed = {path.relative_to(tree.folder).as_posix(): path for path in tree.pictures}
        holding = {above for folder in {path.parent for path in tree.pictures} for above in (folder, *folder.parents)}
        return cls(tree.folder, {name: tuple(paths) for name, paths in named.items()}, placed, frozenset(holding))

    def find(self, given: str, near: Path | None = None) -> Path:
        """The picture that a file calls by a path, which may be that of another machine: its name and as many of the
        folders around it as tell it from others must agree. near: the folder of that file; if it has pictures, the one
        that is meant is among them. Raises ValueError."""
        parts = PureWindowsPath(given).parts
        found = self.named.get(parts[-1] if parts else "", ())
        if near in self.holding:
            found = tuple(path for path in found if path.is_relative_to(near))
        for count in range(2, len(parts) + 1):
            if len(found) > 1:
                found = tuple(path for path in found if path.parts[-count:] == parts[-count:]) or found
        if len(found) != 1:
            why = f"is there {len(found)} times" if found else "is not there"
            raise ValueError(f"names the picture '{shortened(given)}', which {why}")
        return found[0]

    def at(self, folder: Path, given: str) -> Path | None:
        """The picture at a path that is seen from a folder of the set; None if it is not there."""
        return self.placed.get(normpath((folder.relative_to(self.folder) / given.replace("\\", "/")).as_posix()))

    def near(self, folder: Path) -> Iterator[Path]:
        """The pictures in a folder and below it; all if there are none."""
        found = self.placed.values()
        return (path for path in found if folder not in self.holding or path.is_relative_to(folder))

    def name(self, path: Path) -> str:
        """The name of a picture in its set: its path without suffix and without folders that hold pictures only."""
        *folders, name = path.relative_to(self.folder).with_suffix("").parts
        return "/".join([*(part for part in folders if part.lower() not in _OF_PICTURES), name])


class Collected:
    """What the readers of a set's files have found so far: its pictures, the titles of all classes, and what is left
    out."""

    def __init__(self, tree: Tree):
        self.pictures = Pictures.of(tree)
        self.titles: set[str] = set()
        self.left_out: list[str] = []
        self._entries: dict[str, Entry] = {}
        self._sources: dict[str, Path] = {}
        self._vague: list[bool] = []

    def take(
        self,
        source: Path,
        picture: Path,
        size: Size | None,
        shapes: Iterable[Shape],
        read: Callable[[], Iterable[Shape]],
    ) -> None:
        """Note a picture, and what its objects are. source: the file that lists them. read: reads them again, see
        `Entry`. Raises InputError if another file says something else of the picture."""
        name, listed = self.pictures.name(picture), list(shapes)
        if (known := self._entries.get(name)) is not None:
            if known.picture != picture:
                self.left_out.append(f"{picture}: has the same name as {known.picture.name}")
            elif list(map(_content, known.shapes())) != list(map(_content, listed)):
                raise InputError(contradiction(source, picture, self._sources[name]))
            return
        self._entries[name], self._sources[name] = Entry(picture, size, read), source
        for shape in listed:
            self.titles.add(shape.title)
            self._vague.append(shape.vague)

    def leave_out(self, where: str, error: BaseException) -> None:
        """Note that a part of a file cannot be used. error: one of `FAULTS`."""
        said = str(error) if type(error) is ValueError else repr(error)
        self.left_out.append(f"{where}: {shortened(said, 200)}")

    def objects(self, classes: Iterable[str] | None = None) -> Objects:
        """The objects of all pictures. classes: their titles in order; by default in alphabetical order. Raises
        InputError."""
        refuse_vague(next(iter(self._sources.values()), self.pictures.folder), self._vague)
        titles = sorted(self.titles) if classes is None else classes
        objects = objects_of(self.pictures.folder, self._entries, titles, self.left_out)
        return (
            objects if self._vague else replace(objects, notes=(without_objects(next(iter(self._sources.values()))),))
        )


def lines_of(path: Path) -> list[str]:
    """The lines of a text file. Raises InputError."""
    return read_regular(path, _LONGEST).decode("utf-8-sig", "replace").rstrip().splitlines()


class OfOne(NamedTuple):
    """How the files of a tool are read that writes one for each picture.

    load: the content of a file. about: the picture of a content and its size (h, w), or None to ask the picture's file.
    shapes: its objects. All raise InputError, or one of `FAULTS`.
    """

    load: Callable[[Path], Any]
    about: Callable[[Pictures, Path, Any], tuple[Path, Size | None]]
    shapes: Callable[[Any], Iterable[Shape]]


def collected(tree: Tree, files: Sequence[Path], reader: OfOne) -> Collected:
    """What files say that are about one picture each. Raises InputError if two say different things of a picture."""
    found = Collected(tree)
    with Progress(f"{tree.folder}: reading annotation", len(files), 10.0) as progress:
        for done, path in enumerate(files):
            progress.update(done)
            try:
                data = reader.load(path)
                picture, size = reader.about(found.pictures, path, data)
                shapes = list(reader.shapes(data))
            except InputError as error:
                found.left_out.append(str(error))
            except FAULTS as error:
                found.leave_out(str(path), error)
            else:
                found.take(path, picture, size, shapes, partial(_again, reader, path))
    return found


def _again(reader: OfOne, path: Path) -> list[Shape]:
    return list(reader.shapes(reader.load(path)))


def without_objects(source: Path) -> str:
    """What is said of annotations in which nobody has marked anything."""
    return f"{source}: lists no object; all pixels are taken for the background"


def contradiction(source: Path, picture: Path, other: Path) -> str:
    """What is said where two files list other objects of a picture."""
    return f"{source}: says something else of {picture.name} than {other}; move one of the two out of the folder"


def _content(shape: Shape) -> tuple[object, ...]:
    """What a file says of an object."""
    drawn = shape.draw
    return (
        shape.title,
        shape.vague,
        *((drawn.func, drawn.args, drawn.keywords) if isinstance(drawn, partial) else (drawn,)),
    )


def objects_of(
    where: Path, entries: Mapping[str, Entry], titles: Iterable[str], left_out: Iterable[str] = ()
) -> Objects:
    """The objects of entries by the names of their pictures. titles: the classes. Raises InputError without any."""
    lines = tuple(left_out)
    if not entries:
        raise InputError(lines[0] if lines else f"{where}: names no picture")
    classes = classes_of(titles)

    def read(name: str) -> Listed:
        entry = entries[name]
        try:
            size = entry.size or size_of(entry.picture)
            check_size(size[1], size[0])
            shapes = list(entry.shapes())
        except FAULTS as error:
            raise InputError(f"{where}: picture {name}: cannot be read: {shortened(repr(error), 160)}") from None
        return Listed(size, _things(shapes, size, classes, f"{where}: picture {name}"))

    return Objects(classes, {name: entry.picture for name, entry in entries.items()}, read, lines)


def refuse_vague(where: Path, vague: Iterable[bool]) -> None:
    """Raise WithoutOutlines if all objects of a set are boxes or lines. vague: of each object, see `Shape`."""
    kinds = list(vague)
    if kinds and all(kinds):
        raise WithoutOutlines(f"{where}: has boxes or lines only; a mask needs the outlines of its objects")


def size_of(picture: Path) -> Size:
    """Height and width of a picture, upright. Raises InputError."""
    try:
        with opened(picture) as image:
            turned = image.getexif().get(_ORIENTATION, 1) >= _TURNED
            return (image.width, image.height) if turned else (image.height, image.width)
    except LoadError as error:
        raise InputError(f"{picture}: {error}") from error


def _things(shapes: list[Shape], size: Size, classes: tuple[str, ...], where: str) -> Iterator[Thing]:
    for number, shape in enumerate(shapes, start=1):
        if shape.title == BACKGROUND:
            category = 0
        elif shape.title in classes:
            category = classes.index(shape.title)
        else:
            raise InputError(f"{where}: object {number} has the class '{shortened(shape.title)}', which no file names")
        try:
            inside = np.asarray(shape.draw(size))
        except FAULTS as error:
            raise InputError(f"{where}: object {number} cannot be read: {shortened(repr(error), 160)}") from None
        yield Thing(category, number, inside, box=shape.vague)
