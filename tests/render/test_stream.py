"""Live frames: their order, how they are divided, recovery from faults, and cleanup."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from render.catalogue import open_catalogue
from render.cli import stream as stream_command
from render.farm.devices import WorkerSlot, processor
from render.farm.local import RetryPolicy
from render.farm.shared_memory import Memory, put_frame, slot_size
from render.farm.stream import Stats, Stream
from render.frame import Frame
from scenes.config.loading import load_config
from scenes.errors import InputError
from scenes.sampling.scene import Sampler
from tests.frames import make_frame
from tests.painter import command, paint

CONFIG = load_config("smoke", ["camera.resolution=[24,16]"])
TWO = (WorkerSlot(processor(), 1),) * 2


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(CONFIG, open_catalogue(CONFIG))


def stream(start: int = 0, count: int | None = None, faults: dict[str, Any] | None = None, **options: Any) -> Stream:
    return Stream(CONFIG, 7, start, count, **{"worker_slots": TWO, "command": command(**faults or {}), **options})


def same(left: Frame, right: Frame) -> bool:
    pairs = [(getattr(left, field.name), getattr(right, field.name)) for field in fields(Frame)]
    return all(np.array_equal(a, b) and a.dtype == b.dtype if isinstance(a, np.ndarray) else a == b for a, b in pairs)


def painters() -> list[psutil.Process]:
    """The workers of this process's streams."""
    children = psutil.Process().children()
    return [
        child
        for child in children
        if child.status() != psutil.STATUS_ZOMBIE and any("painter.py" in word for word in child.cmdline())
    ]


def gone(folder: str) -> bool:
    """Whether no scratch of a process of that id is left."""
    return not list(Path("/dev/shm").glob(f"blendmill-{folder}-*"))


# Slots -----------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(8, 70), st.integers(8, 70), st.booleans(), st.integers(0, 2))
def test_a_frame_comes_out_of_its_slot_as_it_went_in(height: int, width: int, plate: bool, slot: int) -> None:
    size = slot_size(load_config("smoke", [f"camera.resolution=[{width},{height}]"]))
    memory = Memory(size, 3)
    frames = [make_frame(index, (height, width), plate=plate, objects=3) for index in range(3)]
    labels = [put_frame(frames[(slot + k) % 3], memory.file, (slot + k) % 3, size) for k in range(3)]
    taken = [memory.take(label, label["values"]["index"]) for label in labels]
    memory.close()
    for frame in taken:
        assert same(frame, frames[frame.index])
        assert frame.rgb.flags.owndata and frame.rgb.flags.writeable


def test_what_does_not_fit_a_slot_is_refused() -> None:
    memory = Memory(slot_size(CONFIG), 1)
    frame = make_frame(0, (16, 24))
    with pytest.raises(ValueError, match="do not fit"):
        put_frame(make_frame(0, (32, 24)), memory.file, 0, memory.size)
    with pytest.raises(ValueError, match="depth"):
        put_frame(replace(frame, depth=frame.depth.astype(np.float64)), memory.file, 0, memory.size)  # type: ignore[arg-type]
    assert put_frame(frame, memory.file, 0, memory.size)["values"]["index"] == 0
    memory.close()


def test_too_much_memory_is_an_input_error() -> None:
    with pytest.raises(InputError, match="pictures in shared memory take"):
        Memory(1 << 50, 4)


# Order and division ----------------------------------------------------------------------------------------------


def test_frames_come_in_order_as_they_were_drawn(sampler: Sampler) -> None:
    frames = list(stream(3, 12, {"seconds": 0.005}))
    assert [frame.index for frame in frames] == list(range(3, 15))
    assert all(same(frame, paint(sampler.sample(7, frame.index))) for frame in frames)


def test_ranks_share_the_pictures_and_resume_where_they_stopped() -> None:
    first, second = [], []
    for rank in range(2):
        with stream(5, 15, rank=rank, ranks=2, worker_slots=TWO[:1]) as pictures:
            first += [next(pictures).index for _ in range(2)]
            position = pictures.position
        assert position == 5 + 2 * 2
        with stream(position, 5 + 15 - position, rank=rank, ranks=2, worker_slots=TWO[:1]) as pictures:
            second += [frame.index for frame in pictures]
    assert sorted(first) == list(range(5, 9))
    assert sorted(second) == list(range(9, 20))


def test_a_rank_without_pictures_ends_at_once() -> None:
    assert list(stream(0, 1, rank=1, ranks=2)) == []
    with pytest.raises(ValueError, match="rank 2 of 2"):
        stream(rank=2, ranks=2)


def test_no_more_is_drawn_than_there_are_slots() -> None:
    with stream(ahead=2) as pictures:
        next(pictures)
        deadline = time.monotonic() + 10
        while pictures.stats.ready < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        stats = pictures.stats
        assert (stats.drawn, stats.ready, stats.taken, stats.slots) == (5, 4, 1, 4)
        assert 0.1 < stats.idle < stats.seconds
        assert 0 < stats.starved < stats.seconds
        assert [next(pictures).index for _ in range(6)] == [1, 2, 3, 4, 5, 6]


def test_a_closed_stream_gives_nothing_and_closes_twice() -> None:
    pictures = stream()
    next(pictures)
    pictures.close()
    pictures.close()
    with pytest.raises(ValueError, match="closed"):
        next(pictures)


# Faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["crash", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("exit", "raise"))])
def test_a_worker_that_dies_is_replaced_and_nothing_is_missing(kind: str, tmp_path: Path, sampler: Sampler) -> None:
    frames = list(stream(0, 8, {kind: [0, 3, 7], "once": str(tmp_path)}))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [0, 3, 7]
    assert [frame.index for frame in frames] == list(range(8))
    assert all(same(frame, paint(sampler.sample(7, frame.index))) for frame in frames)


@pytest.mark.slow
def test_workers_killed_at_random_moments(sampler: Sampler) -> None:
    rng = np.random.default_rng(3)
    frames = []
    with stream(0, 60, {"seconds": 0.02}, ahead=2) as pictures:
        for frame in pictures:
            frames.append(frame)
            if frame.index % 12 == 5:
                alive = painters()
                alive[rng.integers(len(alive))].kill()
    assert [frame.index for frame in frames] == list(range(60))
    assert all(same(frame, paint(sampler.sample(7, frame.index))) for frame in frames)


def test_a_picture_that_kills_ends_the_stream_or_is_skipped() -> None:
    with stream(0, 6, {"crash": [2]}, policy=RetryPolicy(attempts=2)) as pictures:
        assert [next(pictures).index for _ in range(2)] == [0, 1]
        for _ in range(2):
            with pytest.raises(InputError, match=r"picture 2 of seed 7 was given up after 2 workers died: .*SIGSEGV"):
                next(pictures)
    with stream(0, 6, {"crash": [2]}, policy=RetryPolicy(attempts=2, skip=True)) as pictures:
        assert [frame.index for frame in pictures] == [0, 1, 3, 4, 5]
        assert set(pictures.skipped) == {2} and "SIGSEGV" in pictures.skipped[2]


@pytest.mark.slow
def test_a_picture_that_hangs_is_skipped() -> None:
    policy = RetryPolicy(attempts=1, skip=True, timeout=4)
    assert [frame.index for frame in stream(0, 4, {"hang": [1]}, policy=policy)] == [0, 2, 3]


def test_bad_input_and_workers_that_do_not_start_are_told() -> None:
    bad = load_config("smoke", ["classes=[unicorn]"])
    with pytest.raises(InputError, match="unicorn"):
        next(Stream(bad, 0, worker_slots=TWO, command=command()))
    with pytest.raises(InputError, match="workers do not start"):
        next(stream(command=(sys.executable, "-c", "raise SystemExit(1)")))


# Nothing left behind ---------------------------------------------------------------------------------------------

PREAMBLE = """
import os, signal, sys, time
sys.path.insert(0, {root!r})
from tests.painter import command
from render.farm.devices import WorkerSlot, processor
from render.farm.stream import Stream
from scenes.config.loading import load_config
CONFIG = load_config("smoke", ["camera.resolution=[24,16]"])
def stream(count=None, **faults):
    two = (WorkerSlot(processor(), 1),) * 2
    return Stream(CONFIG, 7, 0, count, worker_slots=two, command=command(seconds=0.01, **faults))
def end_by(number):
    os.kill(os.getpid(), number)
    time.sleep(60)
"""

ENDS = {
    "end": ("assert len(list(stream(5))) == 5", 0),
    "break": ("for frame in stream(): break", 0),
    "kept": ("pictures = stream(); next(pictures)", 0),
    "exception": ("for frame in stream(): 1 / 0", 1),
    "worker error": ("for frame in stream(exit=[3]): pass", 1),
    "sys.exit": ("for frame in stream(): sys.exit(5)", 5),
    "os._exit": ("for frame in stream(): os._exit(6)", 6),
    "SIGINT": ("for frame in stream(): end_by(signal.SIGINT)", -signal.SIGINT),
    "SIGTERM": ("for frame in stream(): end_by(signal.SIGTERM)", -signal.SIGTERM),
    "SIGKILL": ("for frame in stream(): end_by(signal.SIGKILL)", -signal.SIGKILL),
    "SIGKILL at once": ("pictures = stream(); end_by(signal.SIGKILL)", -signal.SIGKILL),
    "SIGKILL amid a picture": ("for frame in stream(hang=[1]): end_by(signal.SIGKILL)", -signal.SIGKILL),
    "cycle": (
        "import gc, threading\n"
        "pictures = stream(); next(pictures); holder = [pictures]; holder.append(holder); del pictures, holder\n"
        "gc.collect(); assert threading.active_count() == 1",
        0,
    ),
    "fork": (
        "pictures = stream(8); next(pictures)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    try: next(pictures)\n"
        "    except RuntimeError: pictures.close(); del pictures; sys.exit(9)\n"
        "assert os.waitpid(child, 0)[1] >> 8 == 9\n"
        "assert [frame.index for frame in pictures] == [1, 2, 3, 4, 5, 6, 7]",
        0,
    ),
}  # fmt: skip
QUICK = ("break", "fork", "SIGKILL amid a picture")


def leavings(script: str, code: int) -> None:
    """Run a script; nothing of it may be left a little later."""
    token = secrets.token_hex(8)
    text = PREAMBLE.format(root=str(Path(__file__).parents[2])) + script
    process = subprocess.Popen(
        [sys.executable, "-c", text], env={**os.environ, "BLENDMILL_TEST": token}, stderr=subprocess.PIPE, text=True
    )
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    deadline = time.monotonic() + 15  # loader workers look for their trainer every 5 s
    while (alive := _alive(token)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive
    assert gone(str(process.pid))


def _alive(token: str) -> list[psutil.Process]:
    def environment(process: psutil.Process) -> dict[str, str]:
        try:
            return process.environ()
        except psutil.Error:
            return {}

    return [process for process in psutil.process_iter() if environment(process).get("BLENDMILL_TEST") == token]


@pytest.mark.parametrize("end", [e if e in QUICK else pytest.param(e, marks=pytest.mark.slow) for e in ENDS])
def test_nothing_is_left_however_a_script_ends(end: str) -> None:
    leavings(*ENDS[end])


def test_the_check_for_leavings_finds_some() -> None:
    token = secrets.token_hex(8)
    process = subprocess.Popen(["sleep", "60"], env={**os.environ, "BLENDMILL_TEST": token})
    deadline = time.monotonic() + 15  # Popen returns before the kernel has laid out the new program's environment
    while not (found := _alive(token)) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert [each.pid for each in found] == [process.pid]


def test_a_dropped_stream_frees_its_workers_and_memory() -> None:
    def shared() -> int:
        names = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
        return sum("memfd:blendmill" in name for name in names)

    before = shared()
    for _ in stream():
        assert shared() > before
        break
    assert shared() == before
    assert not painters()
    assert gone(str(os.getpid()))


# The command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_who_waits_for_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_command, "_EVERY", 0.3)
    monkeypatch.setattr(stream_command, "Stream", partial(Stream, command=command(seconds=0.01)))
    arguments = ["smoke", "--device", "cpu", "--workers", "1", "--count", "60", "--stats"]
    result = CliRunner().invoke(stream_command.stream, arguments, catch_exceptions=False)
    lines = result.output.splitlines()
    assert result.exit_code == 0 and len(lines) > 2
    assert "60 pictures" in lines[-1] and all("trainer waits" in line for line in lines)


def test_the_command_tells_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "walls").mkdir()
    (tmp_path / "walls" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save(tmp_path / "walls" / "wall.png")
    config = tmp_path / "cracks.yaml"
    config.write_text(f"renderer: composite\nassets: {{textures: [{tmp_path / 'walls'}]}}\nresolution: [32, 32]\n")
    arguments = [str(config), "--device", "cpu", "--workers", "1", "--count", "8"]
    result = CliRunner().invoke(stream_command.stream, arguments, catch_exceptions=False)
    assert f"left out: {tmp_path / 'walls' / 'broken.png'}: " in result.output
    assert "files left out: 1, assets used: 1" in result.output


def test_the_figures_are_those_of_the_time_between() -> None:
    before = Stats(drawn=10, taken=8, ready=2, slots=6, seconds=10.0, starved=4.0, idle=1.0)
    now = Stats(drawn=30, taken=24, ready=6, slots=6, seconds=20.0, starved=5.0, idle=6.0)
    assert stream_command.line(before, now) == (
        "20 s: 24 pictures, drawn 2.00/s, trained on 1.60/s, 6 of 6 slots full; trainer waits 10%, workers wait 50%"
    )


@pytest.mark.slow
def test_a_stream_gives_what_a_stage_draws() -> None:
    script = (
        "from render.catalogue import open_catalogue\n"
        "from render.settings import resolve\n"
        "from render.blender.stage import Stage\n"
        "from scenes.sampling.scene import Sampler\n"
        "import numpy as np\n"
        "frames = list(Stream(CONFIG, 7, 2, 4, worker_slots=(WorkerSlot(processor(), 1),) * 2))\n"
        "catalogue = open_catalogue(CONFIG)\n"
        "sampler = Sampler(CONFIG, catalogue)\n"
        "stage = Stage(resolve(CONFIG.render, 'cpu', 1), catalogue, sampler.classes)\n"
        "for frame, index in zip(frames, range(2, 6), strict=True):\n"
        "    drawn = stage.draw(sampler.sample(7, index))\n"
        "    assert np.array_equal(drawn.rgb, frame.rgb) and np.array_equal(drawn.normals, frame.normals)\n"
        "    assert drawn.objects == frame.objects and drawn.scene == frame.scene and frame.rgb.std() > 1\n"
        "os._exit(0)"
    )
    leavings(script, 0)
