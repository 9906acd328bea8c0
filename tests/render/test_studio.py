"""Pictures from Python: a studio, a data set as a sequence."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from render.dataset import crew
from render.dataset.dataset import Dataset
from render.render_set import render_set
from render.studio import Studio
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.record.edit import edited
from tests.walls import make_walls


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Composed pictures need no Blender, so a process that draws them starts quickly."""
    walls = make_walls(tmp_path_factory.mktemp("studio") / "walls")
    return load_config({"renderer": "composite", "assets": {"textures": [walls]}, "resolution": [40, 32]})


@pytest.fixture(scope="module")
def studio(config: Any) -> Iterator[Studio]:
    with Studio(config, seed=5) as opened:
        yield opened


def test_a_process_of_its_own_draws_the_same_picture(studio: Studio, config: Any) -> None:
    here = Studio(config, seed=5, here=True)
    for index in (0, 3):
        apart = studio.draw(index)
        assert apart.index == index and apart.scene == here.sample(index)
        np.testing.assert_array_equal(apart.rgb, here.draw(here.sample(index)).rgb)


def test_a_picture_may_be_larger_than_those_of_the_config(studio: Studio) -> None:
    larger = edited(studio.sample(0), {"width": 96, "height": 80})
    assert studio.draw(larger).rgb.shape == (80, 96, 3)
    assert studio.draw(0).rgb.shape == (32, 40, 3)


def test_a_scene_that_cannot_be_drawn_is_told_and_the_next_one_is_drawn(studio: Studio) -> None:
    with pytest.raises(InputError, match="nowhere"):
        studio.draw(edited(studio.sample(0), {"texture": "nowhere"}))
    assert studio.draw(0).index == 0
    with pytest.raises(InputError, match=r"has no factor 'crack\.widht'"):
        studio.sample(0, {"crack.widht": 0.5})


def test_a_process_that_was_killed_is_started_again(studio: Studio) -> None:
    studio.draw(0)
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # other tests have left helpers, and some of them have ended
            if "render.farm.worker" in child.cmdline():
                child.kill()
                break
    else:
        pytest.fail("no process draws")
    assert studio.draw(1).index == 1


def test_closing_leaves_no_process(config: Any) -> None:
    before = set(psutil.Process().children())
    with Studio(config) as opened:
        opened.draw(0)
        assert set(psutil.Process().children()) - before
    assert not set(psutil.Process().children()) - before


# A data set as a sequence --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dataset(config: Any, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return render_set(config, tmp_path_factory.mktemp("sets") / "cracks", images=10, seed=5, workers=1)


def test_it_has_a_length_and_places(dataset: Dataset, studio: Studio) -> None:
    assert len(dataset) == 10
    assert dataset[3].index == 3 and dataset[-1].index == 9
    np.testing.assert_array_equal(dataset[3].rgb, studio.draw(3).rgb)
    assert [frame.index for frame in dataset[2:8][1::2]] == [3, 5, 7]
    with pytest.raises(IndexError, match="no picture 10 among 10"):
        _ = dataset[10]


def test_it_is_filtered_by_class_and_factor(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    cracked = dataset.where(category="crack")
    assert [frame.index for frame in cracked] == [frame.index for frame in dataset if frame.label == 0]
    rows = dataset.pictures().factors()
    middle = float(np.median([row["background.zoom"] for row in rows]))
    near = dataset.where(factors={"background.zoom": (middle, 100.0)})
    expected = [row["index"] for row in rows if row["background.zoom"] >= middle]
    assert list(near.indices) == expected and 0 < len(near) < 10
    assert not near.where(factors={"background.zoom": lambda zoom: zoom < middle})
    assert [frame.index for frame in dataset.where(factors={"index": (2, 4)})] == [2, 3, 4]
    monkeypatch.setattr(crew, "_FEW", 1)
    monkeypatch.setattr(crew, "cores", lambda: 2)
    told: list[tuple[int, int]] = []
    shared = dataset.where(factors={"background.zoom": middle.__le__}, tell=lambda *counts: told.append(counts))
    assert list(shared.indices) == expected, "processes share many shards"
    assert told == [(k + 1, dataset.manifest.shard_count) for k in range(dataset.manifest.shard_count)] and told[1:]
    with pytest.raises(InputError, match=r"did you mean 'background\.zoom'"):
        dataset.where(factors={"background.zom": 1})
    with pytest.raises(InputError, match="no such class"):
        dataset.where(category="mug")


def test_labels_are_arrays(dataset: Dataset) -> None:
    some = dataset[1:4]
    assert some.array("rgb").shape == (3, 32, 40, 3) and some.array("index").tolist() == [1, 2, 3]
    np.testing.assert_array_equal(some.array("category")[2], dataset[3].category)
    assert dataset[4:4].array("rgb").shape == (0,)
    with pytest.raises(InputError, match="did you mean 'category'"):
        some.array("categroy")


def test_another_process_gets_a_set_that_was_read_from(dataset: Dataset) -> None:
    """PyTorch's loaders send it so on macOS, on Windows, and from Python 3.14 on."""
    first = dataset[0].rgb
    for view in (dataset, dataset.pictures()):
        assert np.array_equal(pickle.loads(pickle.dumps(view))[0].rgb, first)
    columns = pickle.loads(pickle.dumps(dataset.pictures().columns("rgb", "label")))
    assert np.array_equal(columns[0][0], first)


def test_torch_loads_its_columns(dataset: Dataset) -> None:
    torch = pytest.importorskip("torch")
    view = dataset.pictures().columns("rgb", "label", transform=lambda rgb, label: (rgb / 255.0, int(label)))
    batches = list(torch.utils.data.DataLoader(view, batch_size=4, shuffle=False))
    assert [tuple(images.shape) for images, _ in batches] == [(4, 32, 40, 3), (4, 32, 40, 3), (2, 32, 40, 3)]
    assert torch.cat([labels for _, labels in batches]).tolist() == dataset.pictures().array("label").tolist()


def test_factors_become_a_table(dataset: Dataset) -> None:
    pandas = pytest.importorskip("pandas")
    table = dataset[2:5].to_pandas()
    assert isinstance(table, pandas.DataFrame) and table.index.tolist() == [2, 3, 4]
    assert table["background.zoom"].tolist() == [row["background.zoom"] for row in dataset[2:5].factors()]


def test_without_pandas_it_says_what_to_do(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        dataset[:1].to_pandas()


def test_an_unfinished_set_shows_what_is_there(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    dataset.manifest.model_copy(update={"shards": {}}).save(tmp_path)
    size = dataset.manifest.shard_size
    (tmp_path / "shards/00001.h5").write_bytes(dataset.shard_path(1).read_bytes())
    assert [frame.index for frame in Dataset.open(tmp_path)] == list(range(size, 2 * size))


def test_a_frame_shows_itself(dataset: Dataset) -> None:
    frame = dataset[0]
    assert frame._repr_png_().startswith(b"\x89PNG")
    one, all_of_them = frame.show("alpha"), frame.show()
    assert one.width < all_of_them.width
    with pytest.raises(InputError, match="did you mean 'alpha'"):
        frame.show("alhpa")
