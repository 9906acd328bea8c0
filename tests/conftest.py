"""Fixtures for all tests. Real models and photographs are used where they are at hand, and skipped where not."""

from __future__ import annotations

import os
import sys

# Of workers that test side by side, each has one core. It is said before anything loads PyTorch or OpenCV.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# Many tests start processes. Each takes the modules as another has compiled them, also where the environment says not
# to write them: compiling them again costs a command half of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from render.catalogue import studio_folder
from scenes.assets.catalogue import Catalogue

# pytest, too, keeps the tests as it has compiled them. Each worker that tests side by side collects all tests, and most
# of that is compiling.
sys.dont_write_bytecode = False

# The same examples on every run, so that a change is judged by what it changed. To search for new ones:
# HYPOTHESIS_PROFILE=search make test
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_configure() -> None:
    """Keep the name of the test that runs out of the environment, where pytest writes it before each step of a test.

    A process that reads files is replaced when the environment has changed (`scenes/assets/reader.py`): each test that
    reads a model would start its own.
    """
    pytest.MonkeyPatch().setattr("_pytest.runner._update_current_test_var", lambda item, when: None)


# Files whose tests kill runs or look for what runs left on the machine: one worker takes them all, one after another.
# They come first, because they take longest.
_OF_THE_MACHINE = ("test_farm.py", "test_ray.py", "test_stream.py", "test_stream_torch.py", "test_cli_farm.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in _OF_THE_MACHINE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Side by side, a file's tests stay together: what they share, a rendered set for instance, is then made once."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "machine" if file.rpartition("/")[2] in _OF_THE_MACHINE else file

    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data: $BLENDMILL_SHARED, or `shared` beside the checkout."""
    folder = Path(os.environ.get("BLENDMILL_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"
    if not folder.is_dir():
        pytest.skip("no folder of real data: set BLENDMILL_SHARED")
    return folder


@pytest.fixture(scope="session")
def small_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Two variants of three built-in classes, under Blender's own skies where it is installed."""
    return Catalogue(
        shapes={"chair": 2, "laptop": 2, "mug": 2},
        studio=studio_folder(),
        cache=tmp_path_factory.mktemp("cache"),
    )
