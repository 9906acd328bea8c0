"""Image files that are odd, damaged or hostile: each is refused in one line or read right, at little cost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.made_images import Made, images

ROOT = Path(__file__).resolve().parents[2]
GIGABYTE = 1 << 30

# Judges every file alone, reads those that pass, and lets training read all photographs.
SCRIPT = """
import json, os, resource, sys
from pathlib import Path
import numpy as np
import psutil
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
from scenes.assets.cache import Cache
from scenes.assets.image_files import read_light, read_picture
from scenes.assets.image_gate import ImageGate
from scenes.errors import InputError
from training.data.decode import decoded

def spent():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    judges = [judge.cpu_times() for judge in psutil.Process().children()]  # they serve for many files
    return sum(one.ru_utime + one.ru_stime for one in used) + sum(one.user + one.system for one in judges)

folder, gate = Path(sys.argv[2]), ImageGate(Cache(Path(sys.argv[3])))
np.ones((8, 8)) @ np.ones((8, 8))
gate.judged([folder / "gray.png"], "surface")
answers = {}
for number, (name, use) in enumerate(json.loads(sys.stdin.read())):
    path, began = folder / name, spent()
    verdict = gate.judged([path], use)[path]
    answer = answers[name] = {"reason": verdict.reason, "seconds": spent() - began}
    if not verdict.reason:
        np.save(f"{sys.argv[3]}/{number}.npy", (read_light if use == "light" else read_picture)(verdict.path))
    if use == "surface":
        began = spent()
        try:
            answer["training"] = list(decoded(path, 16).shape)
        except InputError as error:
            answer["training"] = str(error)
        answer["training_seconds"] = spent() - began
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    return images(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="module")
def answers(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    folder, cache = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("cache")
    for name, one in made.items():
        one.make(folder / name)
    asked = json.dumps([(name, one.use) for name, one in made.items()])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(GIGABYTE), str(folder), str(cache)],
        input=asked, text=True, capture_output=True, cwd=ROOT, timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, dict] = json.loads(done.stdout)
    for number, (name, one) in enumerate(made.items()):
        if one.right is not None and not found[name]["reason"]:
            found[name]["pixels"] = np.load(cache / f"{number}.npy")
    return found


def test_there_are_many(made: dict[str, Made]) -> None:
    assert len(made) >= 60


def test_what_is_whole_is_read_right(made: dict[str, Made], answers: dict[str, dict]) -> None:
    for name, one in made.items():
        if one.right is not None:
            assert answers[name]["reason"] == "", name
            pixels = answers[name]["pixels"].astype(float)
            assert pixels.shape == one.right.shape, name
            assert np.abs(pixels - one.right).max() <= one.within, name


def test_what_is_not_is_refused_in_one_line(made: dict[str, Made], answers: dict[str, dict]) -> None:
    for name, one in made.items():
        if one.right is None:
            reason = answers[name]["reason"]
            assert re.search(one.words, reason) and "\n" not in reason and len(reason) < 250, (name, reason)


def test_training_reads_the_same_files_or_names_them(made: dict[str, Made], answers: dict[str, dict]) -> None:
    """Training takes pictures of any size and opacity, and names that are not UTF-8. It does not notice that a JPEG
    file was cut off and closed again: only the gate listens to the decoder."""
    taken = ("pixel.png", "see-through.png", "large-for-its-data.jpg", "closed.jpg")
    for name, one in made.items():
        if one.use == "surface":
            found = answers[name]["training"]
            if one.right is not None:
                assert found[2] == 3 and min(found[:2]) == 16, (name, found)
                assert (found[0] > found[1]) == (one.right.shape[0] > one.right.shape[1]), name
            elif name not in taken and name.isprintable():
                assert isinstance(found, str) and name in found and "\n" not in found, (name, found)


def test_no_file_costs_more_than_a_second(answers: dict[str, dict]) -> None:
    """Processor time, with the start of the process that decodes. The script ran within a gigabyte."""
    slow = {name: one for name, one in answers.items() if max(one["seconds"], one.get("training_seconds", 0)) > 1}
    assert not slow
