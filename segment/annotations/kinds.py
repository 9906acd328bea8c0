"""Which tool wrote a file of annotations, by its first bytes. Each file of a folder is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from scenes.errors import InputError
from scenes.files import POINTER_START, first_of
from segment.tree import Tree
from training.progress import Progress

POINTERS, UNKNOWN = "pointers of Git LFS", "unknown"
"""The kinds of files that Git LFS has not fetched, and of those whose tool is not known."""

Kinds = Mapping[str, list[Path]]
"""The files of annotations in a folder and below it, by the names of their kinds."""

# Label Studio writes long lists of tasks that nobody annotated before the first that somebody did.
_LOOKED_AT, _OF_LISTS = 1 << 16, 1 << 22
# Looking at so many files may take more than two seconds.
_MANY = 2000


def kinds_in(tree: Tree) -> Kinds:
    """The files of annotations in a folder and below it."""
    found: dict[str, list[Path]] = {}
    files = tree.ending(_BY_SUFFIX)
    title = f"{tree.folder}: looking at file of annotations"
    with Progress(title, len(files), 10.0) if len(files) > _MANY else nullcontext() as progress:
        for done, path in enumerate(files, start=1):
            try:
                found.setdefault(_kind_of(path) or UNKNOWN, []).append(path)
            except InputError:  # cannot be read; the reader that needs it says so
                continue
            if progress:
                progress.update(done)
    return found


def _kind_of(path: Path) -> str | None:
    tests = _BY_SUFFIX[path.suffix.lower()]
    content = first_of(path, _LOOKED_AT).removeprefix(b"\xef\xbb\xbf").lstrip()
    if content.startswith(POINTER_START):
        return POINTERS
    found = _passed(tests, content)
    if found is None and tests is _JSON and content[:1] == b"[" and len(content) > _LOOKED_AT // 2:
        found = _passed(tests, first_of(path, _OF_LISTS).lstrip())
    return found


def _passed(tests: Mapping[str, Callable[[bytes], bool]], content: bytes) -> str | None:
    return next((kind for kind, test in tests.items() if test(content)), None)


def _has(*words: str) -> Callable[[bytes], bool]:
    """Whether a file has all of these words."""
    wanted = [word.encode() for word in words]
    return lambda content: all(word in content for word in wanted)


def _lists(*words: str) -> Callable[[bytes], bool]:
    """Whether a file of JSON is a list, and has all of these words."""
    has = _has(*words)
    return lambda content: content[:1] == b"[" and has(content)


def _is_via(content: bytes) -> bool:
    return b'"_via_' in content or (b'"regions"' in content and b'"filename"' in content)


def _is_labelme(content: bytes) -> bool:
    drawn = b'"shapes"' in content and (b'"imagePath"' in content or b'"points"' in content)
    return drawn or b'"imageData"' in content  # which may be long, and come first


def _is_darwin(content: bytes) -> bool:
    return b'"annotations"' in content and (b"darwin_json" in content or b'"workview_url"' in content)


def _is_coco(content: bytes) -> bool:
    """COCO's lists stand in any order. One of them is at the start of the file."""
    images = b'"images"' in content and (b'"file_name"' in content or b'"coco_url"' in content)
    objects = b'"annotations"' in content and b'"segmentation"' in content
    objects |= b'"annotations"' in content and b'"image_id"' in content and b'"category_id"' in content
    return content[:1] == b"{" and (images or objects or b'"supercategory"' in content)


def _titles(*names: str) -> Callable[[bytes], bool]:
    """Whether the first line of a table has all of these names."""
    return lambda content: all(name.encode() in content.split(b"\n")[0] for name in names)


# The first test that a file passes says what it is.
_JSON: Mapping[str, Callable[[bytes], bool]] = {
    "Label Studio": _lists('"original_width"'),
    "CreateML": _lists('"coordinates"', '"label"', '"image"'),
    "VIA 3": _has('"project"', '"rev_timestamp"'),
    "VIA": _is_via,
    "VoTT": _has('"tags"', '"videoSettings"'),
    "LabelMe": _is_labelme,
    "Darwin": _is_darwin,
    "SA-1B": _has('"image"', '"annotations"', '"predicted_iou"', '"counts"'),
    "Datumaro": _has('"infos"', '"categories"', '"labels"'),
    "COCO panoptic": _has('"segments_info"'),
    "COCO": _is_coco,
}
_LINES: Mapping[str, Callable[[bytes], bool]] = {"Labelbox": _has('"data_row"')}
_TABLES: Mapping[str, Callable[[bytes], bool]] = {
    "VIA": _titles("region_shape_attributes", "region_attributes"),
    "Open Images": _titles("MaskPath", "ImageID", "LabelName"),
    "table of boxes": _titles("filename", "xmin", "ymin", "class"),
}
_XML: Mapping[str, Callable[[bytes], bool]] = {
    "CVAT": _has("<annotations>"),
    "VOC's polygons": _has("<annotation", "<filename>", "<polygon"),
    "VOC's masks": _has("<annotation", "<filename>", "<segm>"),
    "Pascal VOC": _has("<annotation", "<filename>"),
}
_BY_SUFFIX: Mapping[str, Mapping[str, Callable[[bytes], bool]]] = {
    ".json": _JSON, ".ndjson": _LINES, ".jsonl": _LINES, ".csv": _TABLES, ".xml": _XML,
}  # fmt: skip
