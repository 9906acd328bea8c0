"""The benchmark of what renders look like beside photographs: its three measures, and its table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import habits
from tests.frames import make_dataset


def test_sharpness_is_the_mean_laplacian() -> None:
    step = np.zeros((8, 8, 3), np.uint8)
    assert habits.sharpness(step) == 0
    step[:, 4:] = 100
    # On both sides of the edge the Laplacian is 100; of eight columns two lie there.
    assert habits.sharpness(step) == pytest.approx(25)


def test_a_ground_is_white_where_most_of_the_rim_is() -> None:
    picture = np.full((20, 20, 3), 255, np.uint8)
    picture[6:14, 6:14] = 0
    assert habits.white_ground(picture)
    picture[:, :10] = 200
    assert not habits.white_ground(picture)


def test_the_extent_is_the_longer_side_of_the_main_object() -> None:
    instance = np.zeros((10, 20), int)
    instance[2:5, 3:11] = 1
    instance[8, :] = 2
    assert habits.extent(instance) == 0.8
    assert habits.extent(instance * 0) == 0


def test_the_table_has_a_line_for_each_set_and_the_photographs(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "renders", count=4)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (90, 80), (255, 255, 255)).save(tmp_path / "photos" / "a.png")
    told = CliRunner().invoke(habits.main, [str(data.folder), "--photos", str(tmp_path / "photos")])
    assert told.exit_code == 0, told.output
    renders, photographs = (line.split("|") for line in told.output.splitlines()[2:])
    assert (renders[1].strip(), renders[2].strip()) == ("renders", "4")
    assert [cell.strip() for cell in photographs[1:6]] == ["photographs", "1", "", "0.0 (0.0 to 0.0)", "100%"]
