"""A soak: a set is drawn while its processes are killed and stopped and its disk fills; the bytes stay the same.

It takes ten minutes. $BLENDMILL_SOAK sets another number of seconds, from 30 on; `-s` shows the figures.
"""

from __future__ import annotations

import json
import os
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from scenes.files import UNFINISHED
from tests.farms import contents

SECONDS = float(os.environ.get("BLENDMILL_SOAK", "600"))
SHARDS = max(24, round(2000 * SECONDS / 600))
ROOM = 160 << 20
# The one line with which a run may end early under these attacks.
SAID = re.compile(
    r"blendmill: .*(No space left on device|File too large|workers do not start: .*SIG(KILL|SEGV)"
    r"|processes? that .* not start: .*SIG(KILL|SEGV)).*"
)


class Soak:
    """The set, the run that draws it now, and counts of what happened."""

    def __init__(self, folder: Path, mounted: bool):
        self.folder, self.mounted, self.token, self.counts = folder, mounted, secrets.token_hex(8), Counter[str]()
        # Beside the disk that fills: what is said about it must find room.
        self.said = folder.with_name("said")
        self.rng = np.random.default_rng(5)
        self.pids: list[int] = []
        (folder / "walls").mkdir()
        for number in range(24):
            picture = self.rng.integers(90, 170, (64, 64, 3), np.uint8)
            Image.fromarray(picture).save(folder / f"walls/{number}.png")

    def start(self, out: str, workers: int) -> subprocess.Popen[str]:
        """A run. Its picture files are judged anew, so that it has processes that prepare."""
        shutil.rmtree(self.folder / "cache" / "files", ignore_errors=True)
        words = f"crack compose --textures walls --out {out} --images {SHARDS} --shard-size 1 --workers {workers}"
        options = ["--set", "resolution=[32,32]", "--attempts", "1000", "--json-logs"]
        environment = {
            "BLENDMILL_CACHE": str(self.folder / "cache"),
            "BLENDMILL_TEST": self.token,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with self.said.open("w") as said:
            process = subprocess.Popen(
                [sys.executable, "-c", "from render.cli.main import main; main()", *words.split(), *options],
                cwd=self.folder, env=os.environ | environment, stdout=subprocess.PIPE, stderr=said, text=True,
            )  # fmt: skip
        self.pids.append(process.pid)
        self.counts["runs"] += 1
        return process

    def children(self, process: subprocess.Popen[str]) -> list[psutil.Process]:
        try:
            return psutil.Process(process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def attack(self, process: subprocess.Popen[str]) -> None:
        """One fault, of a process or of the disk of all."""
        kind = str(
            self.rng.choice(
                ["kill", "segfault", "stop", "stop parent", "kill parent", "disk"], p=[0.35, 0.2, 0.15, 0.1, 0.1, 0.1]
            )
        )
        children = self.children(process)
        if not children:
            return
        victim = children[int(self.rng.integers(len(children)))]
        try:
            role = "preparing process" if "image_judge" in " ".join(victim.cmdline()) else "worker"
            if kind == "kill":
                victim.kill()
            elif kind == "segfault":
                victim.send_signal(signal.SIGSEGV)
            elif kind == "stop":
                self.stopped(victim)
            elif kind == "stop parent":
                role = "parent"
                self.stopped(psutil.Process(process.pid))
            elif kind == "kill parent":
                role = "parent"
                # A stopped process must notice too.
                victim.suspend()
                process.kill()
            else:
                role = "all"
                self.full([psutil.Process(process.pid), *children])
        except psutil.Error:
            return
        self.counts[f"{kind.split()[0]}: {role}"] += 1

    def stopped(self, process: psutil.Process) -> None:
        process.suspend()
        time.sleep(float(self.rng.uniform(0.1, 1)))
        process.resume()

    def full(self, processes: list[psutil.Process]) -> None:
        """Nothing more can be written for a while: the disk is full, or files of all processes cannot grow."""
        if self.mounted:
            ballast = self.folder / "ballast"
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 16)):
                    pass
            time.sleep(0.5)
            ballast.unlink()
            return
        for limit in (2048, resource.RLIM_INFINITY):
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.rlimit(psutil.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            time.sleep(0.5 if limit == 2048 else 0)

    def ended(self, process: subprocess.Popen[str]) -> bool:
        """Whether a run that has ended finished the set. What it said must be true."""
        process.communicate()
        lines = self.said.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        for event in events:
            if event["event"] == "died":
                self.counts["deaths told"] += 1
                assert "SIGKILL" in event["reason"] or "SIGSEGV" in event["reason"], event
        # Long work tells how much of it is done.
        rest = [line for line in lines if not line.startswith("{") and not re.fullmatch(r".*: \d+ of \d+", line)]
        assert process.returncode in (0, 2, -signal.SIGKILL), rest
        assert len(rest) == (process.returncode == 2), rest
        assert all(map(SAID.fullmatch, rest)), rest
        self.counts[f"ended with {process.returncode}"] += 1
        return process.returncode == 0

    def left(self) -> list[str]:
        """Processes and files that should have gone."""
        found = [str(path) for path in self.folder.rglob(f"*{UNFINISHED}*")]
        found += [str(path) for pid in self.pids for path in Path("/dev/shm").glob(f"blendmill-{pid}-*")]
        return found + [" ".join(process.cmdline()) for process in self.ours()]

    def ours(self) -> list[psutil.Process]:
        """All processes of all runs that are there."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("BLENDMILL_TEST") == self.token and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def wake(self) -> None:
        """Let go on what was stopped while it started, before the kernel knew to wake it with its parent's end."""
        for process in self.ours():
            if process.status() == psutil.STATUS_STOPPED:
                process.resume()
                self.counts["stopped while they started"] += 1


def until(what: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what() and time.monotonic() < deadline:
        time.sleep(0.2)


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    """On a small disk of its own, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Soak(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 4 + 600)
def test_a_set_is_the_same_whatever_happens_to_its_processes(soak: Soak) -> None:
    assert soak.ended(soak.start("whole", 2))
    whole, begin, finished = contents(soak.folder / "whole"), time.monotonic(), 0
    while time.monotonic() - begin < SECONDS or not finished:
        process = soak.start("set", 8)
        while process.poll() is None:
            time.sleep(float(soak.rng.uniform(0.2, 1.5)))
            if time.monotonic() - begin < SECONDS:  # the last run is left in peace
                soak.attack(process)
        if soak.ended(process):
            assert contents(soak.folder / "set") == whole
            finished += 1
            flipped(soak, whole)
            shutil.rmtree(soak.folder / "set")
    until(lambda: not soak.left(), 10)
    soak.wake()
    until(lambda: not soak.left(), 10)
    assert soak.left() == []
    figures = {"seconds": round(time.monotonic() - begin), "shards": SHARDS, "sets finished": finished}
    print(json.dumps({**figures, "disk": "tmpfs" if soak.mounted else "limit", **soak.counts}, indent=1))


def flipped(soak: Soak, whole: dict[str, str]) -> None:
    """Flip a bit of a finished shard: `verify` names it, and no other; a rerun draws it anew."""
    shards = sorted((soak.folder / "set" / "shards").iterdir())
    shard = shards[int(soak.rng.integers(len(shards)))]
    content = bytearray(shard.read_bytes())
    content[int(soak.rng.integers(len(content)))] ^= 1 << int(soak.rng.integers(8))
    shard.write_bytes(content)
    verify = [sys.executable, "-c", "from render.cli.main import main; main()", "verify", str(soak.folder / "set")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    named = [each.name for each in shards if each.name in done.stdout + done.stderr]
    assert done.returncode == 1 and named == [shard.name], done.stdout + done.stderr
    assert soak.ended(soak.start("set", 1))
    assert contents(soak.folder / "set") == whole
    soak.counts["bits flipped"] += 1
