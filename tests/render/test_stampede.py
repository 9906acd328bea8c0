"""Many processes that begin at once on one folder: one draws, the others say so, and the cache stays whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.farms import contents

# All are loaded before the first begins.
SCRIPT = """
import sys
from render.cli import composite, render
from render.composite import backend
from render.cli.main import main
print("loaded", flush=True)
sys.stdin.readline()
main(sys.argv[1:])
"""
# To try more: BLENDMILL_STAMPEDE=200.
COUNT = int(os.environ.get("BLENDMILL_STAMPEDE", "20"))


@pytest.mark.slow
def test_many_runs_of_one_set_that_begin_at_once(tmp_path: Path) -> None:
    (tmp_path / "walls").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        Image.fromarray(rng.integers(90, 170, (64, 64, 3), np.uint8)).save(tmp_path / f"walls/{number}.png")
    words = "crack compose --textures walls --set resolution=[32,32] --images 8 --shard-size 4 --workers 1 --out"
    environment = os.environ | {"BLENDMILL_CACHE": str(tmp_path / "cache")}

    def start(out: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT, *words.split(), out]
        return subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def ready(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None and process.stdout.readline() == "loaded\n"

    processes = [start("set") for _ in range(COUNT)]
    for process in processes:
        ready(process)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ended = [(*process.communicate(timeout=300), process.returncode) for process in processes]
    drew = [said for said, _, code in ended if code == 0]
    assert drew and all("8 pictures in set" in said for said in drew)
    for _, complained, code in ended:
        # Those that came while one drew name it. No other line is said, and no judgment on a picture is lost.
        assert code == 0 or (code == 2 and complained.count("\n") == 1 and "already being rendered by" in complained)
        assert "left out" not in complained
    alone = start("alone")
    ready(alone)
    _, complained = alone.communicate("go\n", timeout=100)
    assert alone.returncode == 0, complained
    assert contents(tmp_path / "set") == contents(tmp_path / "alone")
    assert sorted(contents(tmp_path / "set")) == ["dataset.json", "shards/00000.h5", "shards/00001.h5"]
    assert not list((tmp_path / "cache").rglob("*.tmp-*"))
