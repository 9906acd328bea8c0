"""Previews by several processes, the captions of swept factors, and the summary of a set as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from render.cli.dataset import inspect
from render.cli.preview import preview, swept
from render.dataset.checks import CHECKS
from render.dataset.dataset import Dataset
from render.farm.apart import draw_apart
from render.farm.devices import choose, worker_slots
from render.renderer import open_sampler
from scenes.assets.catalogue import Catalogue
from scenes.config.loading import load_config, validate
from scenes.errors import InputError
from scenes.record.edit import edited
from scenes.sampling.scene import Sampler
from tests.frames import forget_sums, make_dataset, make_frame, redrawn
from tests.walls import make_walls

COMPOSED = "renderer: composite\nassets: {textures: [walls]}\nresolution: [40, 32]\n"


@pytest.fixture
def cracks(tmp_path: Path) -> Path:
    make_walls(tmp_path / "walls")
    (tmp_path / "cracks.yaml").write_text(COMPOSED)
    return tmp_path / "cracks.yaml"


def test_processes_draw_the_same_sheet(cracks: Path, tmp_path: Path) -> None:
    sheets = []
    for workers in ("1", "2"):
        out = tmp_path / f"{workers}.png"
        words = [str(cracks), "--out", str(out), "--images", "5", "--workers", workers]
        result = CliRunner().invoke(preview, words, catch_exceptions=False)
        assert result.exit_code == 0
        sheets.append(np.asarray(Image.open(out)))
    assert np.array_equal(*sheets)


def test_a_picture_that_cannot_be_drawn_ends_the_others(cracks: Path) -> None:
    config = load_config(cracks)
    sampler = open_sampler(config)
    records = [sampler.sample(0, index) for index in range(3)]
    records[1] = edited(records[1], {"texture": "walls/gone.png"})
    frames = draw_apart(config, worker_slots(choose("cpu"), 2, pictures=3), records)
    assert next(frames).index == 0
    with pytest.raises(InputError, match="gone"):
        list(frames)


def test_a_caption_has_the_field_the_value_and_the_unit(small_catalogue: Catalogue) -> None:
    energy = {"count": 1, "energy": {"uniform": [1, 3]}}
    lamps = {"sun": energy, "area": energy}
    camera = {"azimuth": {"uniform": [0, 360]}, "distance": 2}
    sampler = Sampler(validate({"camera": camera, "lighting": lamps}, "test"), small_catalogue)

    def captions(factor: str) -> list[str]:
        return [caption for caption, _ in swept(sampler, 0, 0, factor, 2)]

    assert captions("camera.azimuth") == ["camera.azimuth 90 degrees", "camera.azimuth 270 degrees"]
    assert captions("lighting.sun.energy") == ["lighting.sun.energy 1.5 W/m^2", "lighting.sun.energy 2.5 W/m^2"]
    assert captions("lighting.area.0.energy") == ["lighting.area.0.energy 1.5 W", "lighting.area.0.energy 2.5 W"]
    assert captions("camera.jitter.angle") == ["camera.jitter.angle quantile 0.25", "camera.jitter.angle quantile 0.75"]


def test_a_set_is_told_as_json(tmp_path: Path) -> None:
    make_dataset(tmp_path / "set", count=5, shard_size=2, objects=3)
    result = CliRunner().invoke(inspect, [str(tmp_path / "set"), "--json"], catch_exceptions=False)
    told = json.loads(result.output[result.output.index("{") :])
    assert result.exit_code == 0 and told["sound"]
    assert told["pictures"] == {"of": 5, "there": 5, "read": 5} and told["shards"] == {"of": 3, "there": 3}
    assert told["sizes"] == {"64 x 48": 5} and sum(told["main_objects"].values()) == 5
    assert sum(told["objects"].values()) == 15 and told["purposes"] == {"main": 5, "member": 5, "clutter": 5}
    assert told["checks"].keys() == CHECKS.keys()
    assert all(check == {"faults": 0, "first": []} for check in told["checks"].values())
    azimuth = told["factors"]["camera.azimuth"]
    assert 0 <= azimuth["low"] <= azimuth["mean"] <= azimuth["high"] <= 360
    assert set(told["factors"]["background.kind"]) == {"hdri", "ground"}
    assert sum(told["assets"].values()) > 15


def test_faults_are_told_as_json(tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "set", count=3, shard_size=3)
    frame = make_frame(0)
    frame.depth[frame.instance == 1] = np.inf
    redrawn(data, 0, [frame, make_frame(1), make_frame(2)])
    result = CliRunner().invoke(inspect, [str(tmp_path / "set"), "--json"])
    told = json.loads(result.output[result.output.index("{") :])
    check = told["checks"]["depth is finite on objects"]
    assert result.exit_code == 1 and not told["sound"] and check["faults"] == 1
    assert check["first"][0].startswith("picture 0: depth is not finite")
    forget_sums(tmp_path / "set")
    Dataset.open(tmp_path / "set").shard_path(0).write_bytes(b"broken")
    result = CliRunner().invoke(inspect, [str(tmp_path / "set"), "--json"])
    told = json.loads(result.output[result.output.index("{") :])
    assert result.exit_code == 1 and told["damaged"] and told["pictures"]["read"] == 0
