"""Any number of workers makes the same bytes, even if workers fail.

The pictures are composed, because workers that need no Blender start and draw in a third of the time.
"""

from __future__ import annotations

import atexit
import json
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from render.dataset.dataset import Dataset
from render.farm.devices import choose, worker_slots
from render.farm.job import Job, parse_part, run
from render.farm.local import Local, RetryPolicy
from render.renderer import Sampler, open_sampler
from scenes.config.loading import load_config
from scenes.errors import InputError
from tests.farms import contents
from tests.walls import make_walls

STARTED: list[int] = []
FAULTY = (sys.executable, str(Path(__file__).parents[1] / "faulty_worker.py"))


@cache
def config_file() -> Path:
    """The config of all sets here, beside the photographs that it uses."""
    folder = Path(tempfile.mkdtemp(prefix="blendmill-test-"))
    atexit.register(shutil.rmtree, folder)
    make_walls(folder / "walls")
    file = folder / "cracks.yaml"
    file.write_text("renderer: composite\nassets: {textures: [walls]}\nresolution: [64, 64]\n")
    return file


def job(out: Path, count: int = 6, **more: Any) -> Job:
    return Job(load_config(str(config_file())), 3, count, str(out), **{"shard_size": 2, **more})


def farm(workers: int, *fault: object) -> Local:
    places = worker_slots(choose("cpu"), workers, pictures=100, cores=workers)
    return Local(places, (*FAULTY, *map(str, fault))) if fault else Local(places)


def quiet(event: str, **fields: Any) -> None:
    pass


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return open_sampler(load_config(str(config_file())))


@pytest.fixture(scope="module")
def undisturbed(sampler: Sampler, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one worker that nothing happens to makes of `job`."""
    out = tmp_path_factory.mktemp("undisturbed") / "set"
    run(job(out), sampler, farm(1), RetryPolicy(), quiet)
    assert sorted(contents(out)) == ["dataset.json", "shards/00000.h5", "shards/00001.h5", "shards/00002.h5"]
    assert Dataset.open(out).verify() == ()
    return contents(out)


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No process, no scratch folder, no shared memory outlives a run."""
    token = secrets.token_hex(8)
    monkeypatch.setenv("BLENDMILL_TEST", token)
    STARTED[:] = [os.getpid()]
    yield
    # A worker whose parent was killed takes a second to notice.
    deadline = time.monotonic() + 10
    while processes(token) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes(token) == []
    # Scratch folders bear the number of the run's process.
    assert [path for pid in STARTED for path in Path("/dev/shm").glob(f"blendmill-{pid}-*")] == []


def processes(token: str) -> list[list[str]]:
    """The command lines of the processes, but this one, that inherited the token."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("BLENDMILL_TEST") == token:
                found.append(process.cmdline())
        except psutil.Error:
            continue
    return found


def test_two_workers_make_the_bytes_of_one(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    told: list[str] = []
    run(job(tmp_path / "set"), sampler, farm(2), RetryPolicy(), lambda event, **fields: told.append(event))
    assert contents(tmp_path / "set") == undisturbed
    assert told[0] == "start" and told[-1] == "end" and told.count("drawn") == 6 and told.count("shard") == 3


def test_parts_make_the_whole(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    run(job(tmp_path / "set", part=(1, 2)), sampler, farm(1), RetryPolicy(), quiet)
    assert sorted(path.name for path in (tmp_path / "set" / "shards").iterdir()) == ["00001.h5"]
    run(job(tmp_path / "set", part=(0, 2)), sampler, farm(1), RetryPolicy(), quiet)
    assert contents(tmp_path / "set") == undisturbed


@pytest.mark.parametrize(("fault", "timeout"), [("segfault", 600), ("raise", 600), ("hang", 15)])
def test_a_worker_that_fails_is_replaced(
    sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path, fault: str, timeout: float
) -> None:
    deaths: list[dict[str, Any]] = []

    def tell(event: str, **fields: Any) -> None:
        if event == "died":
            deaths.append(fields)

    run(job(tmp_path / "set"), sampler, farm(2, fault, 3, tmp_path), RetryPolicy(timeout=timeout), tell)
    assert contents(tmp_path / "set") == undisturbed
    assert len(deaths) == 1 and deaths[0]["index"] == 3
    expected = {"segfault": "SIGSEGV", "raise": "RuntimeError: a fault of two lines", "hang": "hung"}[fault]
    assert expected in deaths[0]["reason"]


def test_a_picture_that_kills_is_isolated(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "set"
    with pytest.raises(InputError, match=r"picture 3 was given up after 2 workers died: crashed \(SIGSEGV\)"):
        run(job(out), sampler, farm(1, "segfault", 3, "-"), RetryPolicy(attempts=2), quiet)
    record = json.loads((out / "failed" / "00000003.json").read_text())
    assert record["scene"]["index"] == 3 and record["attempts"] == 2
    # Asked to, the run goes on without it, and says so.
    manifest = run(job(out), sampler, farm(1, "segfault", 3, "-"), RetryPolicy(attempts=2, skip=True), quiet)
    assert manifest.skipped == (3,)
    dataset = Dataset.open(out)
    assert dataset.verify() == ()
    assert [frame.index for frame in dataset.frames()] == [0, 1, 2, 4, 5]
    assert (out / "failed" / "00000003.json").exists()
    there = contents(out)
    assert all(there[name] == undisturbed[name] for name in ("shards/00000.h5", "shards/00002.h5"))


def test_a_full_disk_is_told(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "set"
    with pytest.raises(InputError, match="No space left on device"):
        run(job(out), sampler, farm(1, "full", 3, "-"), RetryPolicy(), quiet)
    assert [path.name for path in (out / "shards").iterdir()] == ["00000.h5"]
    run(job(out), sampler, farm(1), RetryPolicy(), quiet)
    assert contents(out) == undisturbed


def test_workers_that_cannot_start_are_told(sampler: Sampler, tmp_path: Path) -> None:
    broken = Local(farm(1)._worker_slots, (sys.executable, "-c", "import sys; sys.exit('libX11 is missing')"))
    with pytest.raises(InputError, match=r"do not start.*libX11 is missing.*doctor"):
        run(job(tmp_path / "set"), sampler, broken, RetryPolicy(), quiet)


def test_a_second_run_of_the_same_refuses(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    second: list[str] = []

    def tell(event: str, **fields: Any) -> None:
        if event == "drawn" and not second:
            with pytest.raises(InputError, match="already being rendered") as refused:
                run(job(tmp_path / "set"), sampler, farm(1), RetryPolicy(), quiet)
            second.append(str(refused.value))

    run(job(tmp_path / "set"), sampler, farm(1), RetryPolicy(), tell)
    assert str(os.getpid()) in second[0]
    assert contents(tmp_path / "set") == undisturbed


def test_stopping_finishes_what_is_begun(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    drawn: list[int] = []

    def tell(event: str, **fields: Any) -> None:
        if event == "drawn":
            drawn.append(fields["index"])

    run(job(tmp_path / "set"), sampler, farm(1), RetryPolicy(), tell, stopping=lambda: bool(drawn))
    assert drawn == [0, 1]
    assert len(list((tmp_path / "set" / "shards").iterdir())) == 1
    run(job(tmp_path / "set"), sampler, farm(1), RetryPolicy(), quiet)
    assert contents(tmp_path / "set") == undisturbed


def test_a_rerun_touches_nothing_that_is_there(sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "set"
    run(job(out, part=(1, 3)), sampler, farm(1), RetryPolicy(), quiet)
    before = (out / "shards/00001.h5").stat().st_mtime_ns
    # What a killed process leaves: no process has the largest number.
    (out / f"shards/00000.h5.tmp-{platform.node()}-{2**22 + 1}").write_bytes(b"half")
    told: list[tuple[str, dict[str, Any]]] = []
    run(job(out), sampler, farm(1), RetryPolicy(), lambda event, **fields: told.append((event, fields)))
    assert told[0][0] == "start" and told[0][1]["done"] == 2  # what a run of this machine drew is not read again
    assert [event for event, _ in told].count("drawn") == 4
    assert (out / "shards/00001.h5").stat().st_mtime_ns == before
    assert contents(out) == undisturbed


@pytest.mark.parametrize("known", [True, False])
def test_a_rerun_draws_a_broken_shard_again(
    sampler: Sampler, undisturbed: dict[str, str], tmp_path: Path, known: bool
) -> None:
    """known: whether the shard's sum is recorded. Otherwise its pictures are read."""
    out = tmp_path / "set"
    run(job(out), sampler, farm(1), RetryPolicy(), quiet)
    if not known:
        Dataset.open(out).manifest.model_copy(update={"shards": {}}).save(out)
    path = out / "shards/00001.h5"
    path.write_bytes(path.read_bytes()[:-200])
    told: list[tuple[str, dict[str, Any]]] = []
    run(job(out), sampler, farm(1), RetryPolicy(), lambda event, **fields: told.append((event, fields)))
    assert [fields["shard"] for event, fields in told if event == "broken"] == [1]
    assert str(path) in next(fields["reason"] for event, fields in told if event == "broken")
    assert contents(out) == undisturbed


def test_a_folder_of_something_else_is_refused(sampler: Sampler, tmp_path: Path) -> None:
    whole = job(tmp_path / "set", count=1)
    run(whole, sampler, farm(1), RetryPolicy(), quiet)
    before = contents(tmp_path / "set")
    bigger = load_config(str(config_file()), ["sensor.jpeg=50"])
    for other, word in (
        (replace(whole, seed=4), "seed"),
        (replace(whole, config=bigger), "sensor.jpeg"),
        (replace(whole, device="cuda"), "device"),
    ):
        with pytest.raises(InputError, match=word):
            run(other, sampler, farm(1), RetryPolicy(), quiet)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        run(replace(whole, out=str(tmp_path / "other")), sampler, farm(1), RetryPolicy(), quiet)
    with pytest.raises(InputError, match="is a file"):
        run(replace(whole, out=str(tmp_path / "other" / "notes.txt")), sampler, farm(1), RetryPolicy(), quiet)
    assert contents(tmp_path / "set") == before


def command(out: Path, count: int, workers: int = 2) -> list[str]:
    words = [
        "render",
        config_file(),
        "--out",
        out,
        "--images",
        count,
        "--seed",
        3,
        "--shard-size",
        2,
        "--workers",
        workers,
        "--device",
        "cpu",
    ]
    return [sys.executable, "-c", "from render.cli.main import main; main()", *map(str, words)]


def start(words: list[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    STARTED.append(process.pid)
    return process


def wait_for_shards(out: Path, count: int) -> None:
    deadline = time.monotonic() + 120
    while len(list(out.glob("shards/*.h5"))) < count:
        assert time.monotonic() < deadline, "no shards come"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signals", "code"), [(("INT",), 130), (("INT", "INT"), 130), (("TERM",), 130), (("KILL",), -9)]
)
def test_signals(signals: tuple[str, ...], code: int, undisturbed: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "set"
    process = start(command(out, 6, 1))
    wait_for_shards(out, 1)
    for name in signals:
        process.send_signal(getattr(signal, f"SIG{name}"))
        time.sleep(0.05)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if code == 130:
        assert "the same command run again completes" in said
        assert not list(out.rglob("*.tmp-*"))
    again = subprocess.run(command(out, 6), capture_output=True, text=True, check=True)
    assert "6 pictures" in again.stdout
    assert contents(out) == undisturbed


@pytest.mark.slow
def test_twenty_workers_killed(sampler: Sampler, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    run(job(whole, 300), sampler, farm(2), RetryPolicy(), quiet)
    rng = np.random.default_rng(20)
    out, killed = tmp_path / "set", 0
    # Random kills may hit one picture more than three times; what is tested here is that nothing else gives way.
    process = start([*command(out, 300), "--attempts", "21", "--json-logs"])
    while killed < 20:
        time.sleep(float(rng.uniform(0.5, 4.0)))
        assert process.poll() is None, f"the run ended after {killed} kills"
        workers = [child for child in psutil.Process(process.pid).children() if "render.farm.worker" in child.cmdline()]
        if workers:
            workers[int(rng.integers(len(workers)))].send_signal(signal.SIGKILL)
            killed += 1
    _, logs = process.communicate(timeout=300)
    assert process.returncode == 0
    deaths = [line for line in map(json.loads, logs.splitlines()) if line["event"] == "died"]
    assert len(deaths) == 20
    assert contents(out) == contents(whole)


def test_workers_claim_cores_of_their_own() -> None:
    # Claims are kept by user. Those of other tests that render at this moment must not count here.
    user = f"os.getuid = lambda: 'test-{os.getpid()}'"
    kept = "from render.farm.cores import claim; kept = claim({}); print(*os.sched_getaffinity(0)); {}"
    script = f"import os; {user}; {kept}"
    everything = sorted(os.sched_getaffinity(0))
    if len(everything) < 2:
        pytest.skip("needs two cores")

    def start(threads: int, then: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", script.format(threads, then)]
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def cores(process: subprocess.Popen[str]) -> list[int]:
        assert process.stdout is not None
        return sorted(map(int, process.stdout.readline().split()))

    waiting = [start(1, "input()") for _ in everything]
    try:
        assert sorted(core for process in waiting for core in cores(process)) == everything
        late = start(1, "")
        assert cores(late) == everything  # nothing left to claim
        late.communicate()
    finally:
        for process in waiting:
            process.kill()
            process.communicate()
    for threads in (0, len(everything)):
        process = start(threads, "")
        assert cores(process) == everything
        process.communicate()


def test_parts_are_checked() -> None:
    assert parse_part("3/8") == (3, 8)
    for text in ("8/8", "3", "a/b", "-1/2", "1/0", "1/2/3"):
        with pytest.raises(InputError, match="--shard"):
            parse_part(text)
