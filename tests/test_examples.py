"""Every script in examples/ runs as it stands, made tiny."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs_run import CLASSES, models, photographs
from tests.walls import make_walls

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
TINY = (
    (r"images=\d+", "images=4"),
    (r'"(s2rda13|tabletop-dense)"', '"smoke"'),
    (r"\[(\d{3}), (\d{3})\]", "[48, 36]"),
    (r"count=256", "count=4"),
    (r"batch_size=32", "batch_size=2"),
    (r"range\(6\)", "range(1)"),
    (r'"target": {"where": "photos"}', '"target": {"where": "photos"}, "holdout": 0, "workers": 0'),
    (r'"iterations": 2000', '"iterations": 2, "batch": 4, "size": 32, "report": False, "evaluate_every": 0'),
)
"""What makes a script tiny: patterns, and what stands in their place."""

QUICK = ("cracks_on_photographs",)
SCRIPTS = [
    pytest.param(path.stem, marks=() if path.stem in QUICK else pytest.mark.slow)
    for path in sorted(EXAMPLES.glob("*.py"))
]

MADE = {
    "first_picture": "first_picture.png",
    "own_models": "own_models/dataset.json",
    "camera_poses": "camera_poses/dataset.json",
    "views": "views.png",
    "film": "film.png",
    "flow_and_stereo": "stereo.png",
    "cracks_on_photographs": "crack_masks/mask/000000.png",
    "detection": "tabletop_yolo/data.yaml",
    "poses_6d": "poses_6d_bop/train_pbr/000000/scene_gt.json",
    "live_stream": "",
    "adapt": "run/results.json",
    "one_factor": "one_factor.png",
}
"""What each script leaves in its folder."""


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    text = (EXAMPLES / f"{name}.py").read_text()
    for pattern, tiny in TINY:
        text = re.sub(pattern, tiny, text)
    (tmp_path / "script.py").write_text(text)
    models(tmp_path / "models")
    (tmp_path / "models/mug.glb").unlink()
    make_walls(tmp_path / "walls")
    for category in CLASSES:
        photographs(tmp_path / "photos" / category, number=1)
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / MADE[name]).exists()


@pytest.mark.slow
def test_the_job_array_runs(tmp_path: Path) -> None:
    (tmp_path / "blendmill").write_text(f'#!/bin/sh\nexec {sys.executable} -m blendmill "$@"\n')
    (tmp_path / "blendmill").chmod(0o755)
    environment = {
        **os.environ,
        "PYTHONPATH": str(EXAMPLES.parent),
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CONFIG": "smoke",
        "IMAGES": "2",
        "TASKS": "1",
        "SLURM_ARRAY_TASK_ID": "0",
    }
    done = subprocess.run(
        ["bash", str(EXAMPLES / "slurm_array.sh")], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "set/dataset.json").is_file()


def test_every_example_is_listed_and_said_to_leave_something() -> None:
    listed = set(re.findall(r"\]\((\w+\.\w+)\)", (EXAMPLES / "README.md").read_text()))
    assert listed == {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh")}
    assert set(MADE) == {path.stem for path in EXAMPLES.glob("*.py")}
