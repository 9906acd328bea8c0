"""The digest of a class depends on its code only, not on other classes' code, comments or spaces."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import scenes
import scenes.shapes
from scenes.assets import shapes_source
from scenes.assets.catalogue import Catalogue
from scenes.shapes import registry
from scenes.shapes.digest import ROOT, class_digest
from scenes.shapes.registry import GENERATORS

Copy = Callable[[], Path]
# Reading the code of all classes takes a second; these stand for them where many copies are compared.
SOME = ("laptop", "mug", "piano", "plant")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Makes copies of the code of the shapes. A digest is kept by its folder, so each change needs one of its own."""

    def make() -> Path:
        root = tmp_path / f"copy{len(list(tmp_path.iterdir()))}"
        here = Path(scenes.__file__).parent
        shutil.copytree(here / "shapes", root / "scenes" / "shapes", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("__init__.py", "mesh.py", "errors.py"):
            shutil.copy(here / name, root / "scenes" / name)
        return root

    return make


def made_up(root: Path, **modules: str) -> Path:
    """A tree with a class "mug" of one line, a class "vase", and the modules of `scenes.shapes` given as code."""
    shapes = root / "scenes" / "shapes"
    for folder in (shapes.parent, shapes, shapes / "mug", shapes / "vase"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
    for name, code in {"mug/mug": "ONE = 1\n", "vase/vase": "ONE = 1\n", **modules}.items():
        (shapes / f"{name}.py").write_text(code)
    return root


def moved(root: Path) -> set[str]:
    """Those of some classes whose digest is another one than here."""
    return {name for name in SOME if class_digest(name, root) != class_digest(name)}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path} no longer has {old!r}"
    path.write_text(text.replace(old, new, 1))


def test_each_class_has_its_own_wherever_it_lies(copy: Copy) -> None:
    digests = [class_digest(name) for name in GENERATORS]
    assert len(set(digests)) == len(digests)
    root = copy()
    assert [class_digest(name, root) for name in GENERATORS] == digests


def test_comments_docstrings_and_formatting_do_not_count(copy: Copy) -> None:
    root = copy()
    for path in (root / "scenes").rglob("*.py"):
        _, line, code = path.read_text().partition("from __future__")
        path.write_text(f'"""Another docstring."""\n\n# A comment.\n{line}{code}')
    piano = root / "scenes" / "shapes" / "piano" / "piano.py"
    edit(piano, "(\n", "(  # A comment.\n\n")
    edit(piano, "\ndef ", "\n\n\ndef  ")
    edit(root / "scenes" / "shapes" / "primitives.py", "\n    return ", '\n    "a string alone"\n    return ')
    assert moved(root) == set()


def test_a_number_in_a_class_moves_that_class_alone(copy: Copy) -> None:
    root = copy()
    edit(root / "scenes" / "shapes" / "piano" / "upright.py", "0.", "0.1")
    assert moved(root) == {"piano"}


@pytest.mark.parametrize(
    ("old", "new"), [("a + b", "a - b"), ("f(a, b)", "f(b, a)"), ("a[:1]", "a[1:]"), ("1", "1.0"), ("'x'", "b'x'"),
                     ("None", "0"), ("{**a}", "{None: a}"), ("lambda: a", "lambda: b"), ("f'{a}'", "f'{a!r}'")],
)  # fmt: skip
def test_what_code_does_counts(tmp_path: Path, old: str, new: str) -> None:
    roots = [made_up(tmp_path / str(k), **{"mug/mug": f"value = {code}\n"}) for k, code in enumerate((old, new))]
    assert class_digest("mug", roots[0]) != class_digest("mug", roots[1])


def test_what_several_import_moves_those_that_import_it(copy: Copy) -> None:
    shared = copy()
    edit(shared / "scenes" / "shapes" / "primitives.py", "1.0", "1.25")
    assert moved(shared) == set(SOME)

    # `primitives` imports `mesh`, so a class that imports `primitives` alone follows it as well.
    through_another = copy()
    edit(through_another / "scenes" / "mesh.py", "0.8", "0.7")
    assert moved(through_another) == set(SOME)

    unused = copy()
    for name in ("shapes/debris.py", "shapes/registry.py", "errors.py"):
        (unused / "scenes" / name).write_text("VALUE = 1\n")
    assert moved(unused) == set()


@pytest.mark.parametrize(
    "line",
    ["from scenes.shapes.added import VALUE", "from scenes.shapes import added", "import scenes.shapes.added as a",
     "from ..added import VALUE", "from .. import added", "def late():\n    from scenes.shapes import added",
     "try:\n    pass\nexcept ValueError:\n    import scenes.shapes.added",
     "match 1:\n    case 1:\n        if True:\n            import scenes.shapes.added"],
)  # fmt: skip
def test_every_way_to_import_is_seen(tmp_path: Path, line: str) -> None:
    before, after = (
        made_up(tmp_path / str(value), **{"mug/mug": f"{line}\n", "added": f"VALUE = {value}\n"}) for value in (1, 2)
    )
    assert class_digest("mug", before) != class_digest("mug", after)
    assert class_digest("vase", before) == class_digest("vase", after)


def test_what_is_imported_through_another_counts(tmp_path: Path) -> None:
    before, after = (
        made_up(
            tmp_path / str(value),
            **{
                "mug/mug": "from scenes.shapes.mug import lid\n",
                "mug/lid": "from scenes.shapes.near import VALUE\n",
                # In a circle, as imports may be.
                "near": "import numpy\nfrom scenes.shapes.far import VALUE\nfrom scenes.shapes.mug import mug\n",
                "far": f"VALUE = {value}\n",
            },
        )
        for value in (1, 2)
    )
    assert class_digest("mug", before) != class_digest("mug", after)
    assert class_digest("vase", before) == class_digest("vase", after)


def test_another_python_finds_the_same() -> None:
    places = [shutil.which("python3.13"), *sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python"))]
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); from scenes.shapes.digest import class_digest; "
        "print(sys.version_info[:2] == (3, 13) and json.dumps({n: class_digest(n) for n in sys.argv[2:]}))"
    )
    for python in filter(None, places):
        ran = subprocess.run([python, "-c", program, ROOT, *GENERATORS], capture_output=True, text=True)
        if ran.returncode == 0:
            assert json.loads(ran.stdout) == {name: class_digest(name) for name in GENERATORS}
            return
    pytest.skip("no Python 3.13 here")


def test_cache_keys_and_checksums_follow(copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(shapes={"mug": 2, "piano": 1}, cache=tmp_path / "cache")
    ids = ("shape:mug:0", "shape:mug:1", "shape:piano:0")
    keys, checksums = [shapes_source.entry_key(one) for one in ids], catalogue.checksums(ids)
    assert len(set(keys)) == 3
    assert checksums["shape:mug:0"] == checksums["shape:mug:1"] == class_digest("mug")

    root = copy()
    edit(root / "scenes" / "shapes" / "piano" / "piano.py", "0.", "0.1")
    monkeypatch.setattr(shapes_source, "class_digest", lambda name: class_digest(name, root))
    after = [shapes_source.entry_key(one) for one in ids]
    assert after[:2] == keys[:2] and after[2] != keys[2]
    assert {one for one, sha in catalogue.checksums(ids).items() if sha != checksums[one]} == {"shape:piano:0"}


def test_a_new_package_is_a_new_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "vase"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "vase.py").write_text("def vase_rand(rng):\n    return rng.random()\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "left_over" / "__pycache__").mkdir(parents=True)
    monkeypatch.setattr(scenes.shapes, "__path__", [*scenes.shapes.__path__, str(tmp_path)])
    assert registry._classes() == sorted([*GENERATORS, "vase"])
    assert 0 <= registry._generate("vase", np.random.default_rng(0)) < 1
    sys.modules.pop("scenes.shapes.vase.vase", None)
    sys.modules.pop("scenes.shapes.vase", None)
