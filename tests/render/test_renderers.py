"""One protocol for all renderers: composed sets have all parts of rendered sets, and need no Blender."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from render.cli.main import main
from render.composite.backend import PhotographSampler
from render.farm.devices import WorkerSlot, choose, processor, worker_slots
from render.farm.job import Job, run
from render.farm.local import Local, RetryPolicy
from render.farm.stream import Stream
from render.renderer import device_for, open_renderer, open_sampler
from render.versions import versions
from scenes.config.composite import ComposeConfig
from scenes.config.loading import load_config, validate
from scenes.config.objects import Config
from scenes.errors import InputError
from tests.farms import contents
from tests.walls import make_walls

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of composed pictures as a user writes it, beside its photographs."""
    folder = tmp_path_factory.mktemp("composed")
    make_walls(folder / "walls")
    path = folder / "my.yaml"
    path.write_text(
        "renderer: composite\nassets: {textures: [walls], styles: [walls]}\nresolution: [64, 48]\ncrack: {use: true}\n"
    )
    return path


@pytest.fixture(scope="module")
def undisturbed(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one worker that nothing happens to makes of `job`."""
    out = tmp_path_factory.mktemp("undisturbed") / "set"
    draw(recipe, out, 1)
    return contents(out)


def draw(recipe: Path, out: Path, workers: int, tell: Any = lambda event, **fields: None, **policy: Any) -> None:
    config = load_config(recipe)
    farm = Local(worker_slots(choose("cpu"), workers, pictures=100, cores=workers))
    run(Job(config, 3, 12, str(out), shard_size=2), open_sampler(config), farm, RetryPolicy(**policy), tell)


def workers() -> list[psutil.Process]:
    alive = (child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE)
    return [child for child in alive if "render.farm.worker" in child.cmdline()]


# Which renderer --------------------------------------------------------------------------------------------------


def test_a_config_says_which_renderer_draws_it(recipe: Path, tmp_path: Path) -> None:
    composed, rendered = load_config(recipe), load_config("smoke")
    assert isinstance(composed, ComposeConfig) and isinstance(rendered, Config)
    assert composed.assets.textures == (recipe.parent / "walls",)
    for config in (composed, rendered):
        assert type(validate(config.plain(), "again")) is type(config)
    assert (composed.resolution, rendered.resolution) == ((64, 48), rendered.camera.resolution)
    child = tmp_path / "child.yaml"
    child.write_text(f"extends: {recipe}\nresolution: [32, 32]\n")
    assert load_config(child).resolution == (32, 32) and load_config(child).renderer == "composite"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["renderer=compsite"], "field renderer: unknown 'compsite', did you mean 'composite'"),
        (["renderer=cycles"], "field renderer: unknown 'cycles', accepted: blender, composite"),
        (["renderer=[blender]"], "field renderer: unknown"),
        (["renderer=null"], "field renderer: unknown None"),
        (["smoothing.gausian=1"], "field smoothing.gausian: unknown key, did you mean 'gaussian'"),
        (["objects.scale=1"], "field objects: unknown key"),
    ],
)
def test_a_wrong_field_is_named(recipe: Path, overrides: list[str], words: str) -> None:
    with pytest.raises(InputError) as refused:
        load_config(recipe, overrides)
    assert words in str(refused.value) and str(refused.value).startswith("my.yaml: ")


def test_composed_pictures_are_drawn_on_the_cpu_alone(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    composed, rendered = load_config(recipe), load_config("smoke")
    assert device_for(composed, "auto") == device_for(composed, "cpu") == "cpu"
    assert device_for(rendered, "auto") == "auto" and device_for(rendered, "optix") == "optix"
    for command in ("render", "stream"):
        place = ["--out", str(tmp_path / "set")] if command == "render" else []
        with pytest.raises(SystemExit) as ended:
            main([command, str(recipe), "--device", "cuda", *place])
        assert ended.value.code == 2
        error = capsys.readouterr().err
        assert "--device cuda: the renderer composite cannot use it; it can use: cpu" in error
        assert error.count("\n") == 1
    assert not (tmp_path / "set").exists()


def test_versions_are_those_of_what_draws() -> None:
    assert set(versions("composite")) == {"blendmill", "python", "numpy", "opencv"}
    pytest.importorskip("bpy", reason="needs Blender's module")
    assert set(versions("blender")) - {"mujoco"} == {"blendmill", "python", "numpy", "blender"}


def test_a_set_begun_with_another_opencv_is_refused(recipe: Path, tmp_path: Path) -> None:
    config = load_config(recipe)
    job, sampler = Job(config, 3, 2, str(tmp_path)), open_sampler(config)
    begun = job.manifest(sampler)
    other = begun.model_copy(update={"versions": {**begun.versions, "opencv": "3.0"}})
    begun.require_same(job.manifest(sampler), tmp_path)
    with pytest.raises(InputError, match=r"holds a data set of OpenCV 3\.0, asked is \d"):
        other.require_same(begun, tmp_path)


# The farm --------------------------------------------------------------------------------------------------------


def test_a_composed_set_survives_a_killed_worker(recipe: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    killed: list[int] = []
    deaths: list[dict[str, Any]] = []

    def tell(event: str, **fields: Any) -> None:
        if event == "died":
            deaths.append(fields)
        if event == "drawn" and not killed:
            victim = workers()[0]
            killed.append(victim.pid)
            victim.kill()

    draw(recipe, tmp_path / "set", 2, tell)
    assert len(killed) == len(deaths) == 1 and "SIGKILL" in deaths[0]["reason"]
    assert contents(tmp_path / "set") == undisturbed


def test_the_command_draws_what_the_library_draws(
    recipe: Path, undisturbed: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    words = [str(recipe), "--out", str(out), "--images", "12", "--shard-size", "2", "--seed", "3", "--workers", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["render", *words, "--json-logs"])
    printed = capsys.readouterr()
    assert ended.value.code == 0 and printed.out.startswith(f"12 pictures in {out}: ")
    assert '"event": "drawn"' in printed.err
    assert contents(out) == undisturbed


def test_a_composed_worker_never_loads_blender(recipe: Path) -> None:
    script = (
        "import sys\n"
        "from render.farm import worker\n"
        "from render.renderer import load_renderer, open_sampler\n"
        "from scenes.config.loading import load_config\n"
        "sampler = open_sampler(load_config(sys.argv[1]))\n"
        "load_renderer(sampler).draw(sampler.sample(0, 0))\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('bpy', 'mathutils')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(recipe)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_who_asks_for_pictures_never_loads_blender() -> None:
    """All that the parent of a run does for a rendered set, but for the workers."""
    script = (
        "import sys\n"
        "import render.cli.main, render.farm.job, render.farm.stream, render.farm.worker\n"
        "from render.renderer import device_for, open_sampler\n"
        "from scenes.config.loading import load_config\n"
        "config = load_config('smoke', ['classes=[mug]', 'assets.shapes=1'])\n"
        "device_for(config, 'auto')\n"
        "open_sampler(config).sample(0, 0)\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('bpy', 'mathutils')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_composed_stream_gives_the_pictures_of_the_set(recipe: Path) -> None:
    config = load_config(recipe)
    sampler, renderer = open_renderer(config)
    assert isinstance(sampler, PhotographSampler)
    with Stream(config, 3, 1, 9, worker_slots=(WorkerSlot(processor(), 1),) * 2, ahead=1) as frames:
        drawn = []
        for frame in frames:
            drawn.append(frame)
            if frame.index == 2:
                workers()[0].kill()
    assert [frame.index for frame in drawn] == list(range(1, 10))
    for frame in drawn:
        again = renderer.draw(sampler.sample(3, frame.index))
        assert frame.scene == again.scene and frame.objects == again.objects
        for name in ("rgb", "category", "depth", "width"):
            assert np.array_equal(getattr(frame, name), getattr(again, name)), name


@pytest.mark.slow
def test_a_composed_set_on_ray(recipe: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install -e '.[farm]'")
    from render.farm.ray import RayFarm

    config = load_config(recipe)
    job = Job(config, 3, 12, str(tmp_path / "set"), shard_size=2)
    run(job, open_sampler(config), RayFarm("local", "cpu", 2), RetryPolicy(), lambda event, **fields: None)
    assert contents(tmp_path / "set") == undisturbed


# Previews --------------------------------------------------------------------------------------------------------


def test_the_general_preview_shows_composed_pictures(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, vary in enumerate(([], ["--vary", "crack.kind"])):
        out = tmp_path / f"{number}.png"
        with pytest.raises(SystemExit) as ended:
            main(["preview", str(recipe), "--images", "2", "--out", str(out), *vary])
        assert ended.value.code == 0 and out.exists()
        assert f"wrote the contact sheet {out}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["preview", str(recipe), "--out", str(tmp_path / "x.png"), "--vary", "crack.knd"])
    assert ended.value.code == 2 and "did you mean 'crack.kind'" in capsys.readouterr().err
