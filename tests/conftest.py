"""Fixtures for all tests. Real models and photographs are used where they are at hand, and skipped where not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from render.catalogue import studio_folder
from scenes.assets.catalogue import Catalogue

# The same examples on every run, so that a change is judged by what it changed. To search for new ones:
# HYPOTHESIS_PROFILE=search make test
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


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
