"""Shards drawn as Ray tasks, on a cluster or on a Ray started here.

Every node has the same blendmill installed (`blendmill[render,farm]`), and sees assets under the same paths and the
data set under the same name: a plain folder must be one that all nodes share, a URL needs nothing. Assets are
normalised into each node's own cache first, which takes its time; a $BLENDMILL_CACHE that the nodes share saves it.

A task draws one shard with a render worker apart, as everywhere (`render.farm.local`): Blender may crash, hang or be
killed without taking Ray's process with it. The worker stays for the next task of the same run.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import platform
import shutil
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from render.farm import limits
from render.farm.devices import KINDS, WORKER_MEMORY, WORKERS_PER_GPU
from render.farm.local import Run
from render.farm.pool import COMMAND, sweep_scratch
from render.farm.raytask import EventQueue, draw
from render.renderer import versions
from scenes.errors import InputError

# Times that a shard may lose its node or Ray's process: nodes are taken away without the shard's fault.
_LOSSES = 20
_OBJECTS = 100 << 20
_PATIENCE = 30.0


class RayFarm:
    """Draws shards as Ray tasks.

    address: "auto" for the cluster this machine is part of, or a Ray of its own where there is none; "local" for a Ray
    of its own; else the cluster's, HOST:PORT or ray://HOST:PORT. A Ray that is already initialised in this process is
    used as it is, and left so. kind: of device, "auto" for OptiX where a node has a GPU, else the CPU. workers: how
    many in all, by default as many as the cluster has room for, which may grow meanwhile. command: starts a render
    worker. Raises InputError where there is no such cluster or it has no room for a worker.
    """

    def __init__(self, address: str, kind: str, workers: int | None, command: Sequence[str] = COMMAND):
        self._address, self._device, self._asked, self._command = address, kind, workers, tuple(command)
        self._joined = ExitStack()
        self._drew: set[str] = set()

    @property
    def kind(self) -> str:
        """The kind of device that is drawn on. Joins the cluster where that is for it to say."""
        if self._device != "auto":
            return self._device
        self._join()
        return KINDS[0] if any(node.get("GPU") for node in _nodes()) else "cpu"

    @property
    def workers(self) -> int:
        """Tasks that draw at once. Joins the cluster."""
        self._join()
        return _slots(_nodes(), needs(_nodes(), self.kind, self._asked), self._asked)

    def draw(self, run: Run, shards: Sequence[int]) -> None:
        """Draw shards into the run's store. Raises InputError where the run cannot go on."""
        self._join()
        try:
            resources = needs(_nodes(), self.kind, self._asked)
            job = {
                "versions": versions(run.spec["config"]["renderer"]),
                "spec": run.spec,
                "out": run.store.url,
                # Without what may be large and no shard depends on.
                "manifest": run.manifest.model_copy(update={"assets": {}, "shards": {}}).model_dump(mode="json"),
                "policy": asdict(run.policy),
                "kind": self.kind,
                "threads": int(resources["CPU"]),
                "command": self._command,
            }
            _Driver(run, resources, self._asked, self._drew).draw(json.dumps(job), shards)
        finally:
            self._joined.close()

    def _join(self) -> None:
        if ray.is_initialized():
            return
        atexit.register(self._joined.close)  # before Ray's own end, that its files may go
        own = self._address == "local" or not self._connected()
        if own:
            self._start()
        self._joined.callback(self._leave, own)

    def _leave(self, own: bool) -> None:
        """Leave Ray, and wait for its processes that drew, or all of its own, to be gone from this machine."""
        here = [int(pid) for host, _, pid in (name.rpartition(":") for name in self._drew) if host == platform.node()]
        drew = [psutil.Process(pid) for pid in here if psutil.pid_exists(pid)]
        leaving = psutil.Process().children(recursive=True) if own else drew
        ray.shutdown()
        psutil.wait_procs(leaving, timeout=_PATIENCE)
        sweep_scratch()  # Ray kills the render workers with the processes that started them

    def _connected(self) -> bool:
        """Join a cluster; False where there is none to be found."""
        try:
            if self._address != "auto":
                _knock(self._address)
            ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # each part of Ray has its own
            if self._address == "auto" and isinstance(error, ConnectionError):
                return False
            raise InputError(f"--ray {self._address}: cannot join: {_line(error)}; see `ray status` there") from error
        return True

    def _start(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        folder = Path(tempfile.mkdtemp(prefix="blendmill-ray-"))
        self._joined.callback(_remove, folder)
        ray.init(
            address="local",
            num_cpus=limits.cores(),
            _memory=max(limits.memory(), WORKER_MEMORY),
            object_store_memory=_OBJECTS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(folder),
        )


def needs(nodes: Sequence[Mapping[str, float]], kind: str, workers: int | None) -> dict[str, float]:
    """What a task asks Ray for: CPU, GPU, memory (bytes). The first is also its number of threads.

    nodes: what each has in all. kind: of device. workers: how many in all, None as many as there is room for: one a
    core on the CPU, WORKERS_PER_GPU on a GPU. Cores that are left over go to the workers in equal parts. Raises
    InputError where no node has room for one.
    """
    wanted = {"CPU": 1.0, "memory": float(WORKER_MEMORY)}
    if kind != "cpu":
        gpus = sum(int(node.get("GPU", 0)) for node in nodes)
        if not gpus:
            raise InputError(f"--ray: no node of the cluster has a GPU for --device {kind}; add one, or --device cpu")
        sharing = WORKERS_PER_GPU if workers is None else -(-workers // gpus)
        wanted["GPU"] = math.floor(10000 / sharing) / 10000  # Ray counts in these
    room = capacity(nodes, wanted)
    if not room:
        raise InputError(f"--ray: no node of the cluster has a core and {WORKER_MEMORY >> 20} MiB for a worker")
    while capacity(nodes, more := {**wanted, "CPU": wanted["CPU"] + 1}) >= min(workers or room, room):
        wanted = more
    return wanted


def capacity(nodes: Sequence[Mapping[str, float]], wanted: Mapping[str, float]) -> int:
    """How many tasks that want this much each the nodes can run at once."""
    return sum(min(int(node.get(name, 0.0) / share + 1e-6) for name, share in wanted.items()) for node in nodes)


def _remove(folder: Path) -> None:
    """Remove Ray's files, though the last of its processes may still write to them."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


def _knock(address: str) -> None:
    """Raise OSError or ValueError where nobody listens, of which Ray itself takes minutes to be sure."""
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError("write auto, local, HOST:PORT or ray://HOST:PORT")
    socket.create_connection((parts.hostname, parts.port), _PATIENCE).close()


def _nodes() -> list[dict[str, float]]:
    nodes: list[Any] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def _slots(nodes: Sequence[Mapping[str, float]], wanted: Mapping[str, float], workers: int | None) -> int:
    room = capacity(nodes, wanted)
    return min(workers or room, room)


@dataclass
class _Driver:
    """Keeps the cluster busy with a run's shards, and tells what becomes of them.

    drew: gets the names, host:pid, of Ray's processes that drew. _tasks: the shard of each task under way. Of shards
    that are begun, _drawing: the process that is at it, _heard: how much was heard of it, _drawn: its pictures so far.
    """

    run: Run
    resources: Mapping[str, float]
    asked: int | None
    drew: set[str]
    _tasks: dict[Any, int] = field(default_factory=dict)
    _drawing: dict[int, str] = field(default_factory=dict)
    _heard: Counter[int] = field(default_factory=Counter)
    _drawn: Counter[int] = field(default_factory=Counter)

    def draw(self, job: str, shards: Sequence[int]) -> None:
        # On this node: it is lost only with the driver itself.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        lasting = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": -1, "scheduling_strategy": here}
        board: Any = ray.remote(EventQueue).options(**lasting).remote()
        try:
            self._deal(self._task(), ray.put(job), board, deque(shards))
        finally:
            self._cancel(list(self._tasks))
            self.run.store.sweep()
            ray.kill(board)

    def _task(self) -> Any:
        return ray.remote(draw).options(
            num_cpus=self.resources["CPU"],
            num_gpus=self.resources.get("GPU", 0),
            memory=int(self.resources["memory"]),
            max_retries=_LOSSES,
            retry_exceptions=False,
        )

    def _deal(self, task: Any, job: Any, board: Any, waiting: deque[int]) -> None:
        while waiting or self._tasks:
            while waiting and len(self._tasks) < self._depth() and not self.run.stopping():
                shard = waiting.popleft()
                self._tasks[task.remote(job, board, shard)] = shard
            done, _ = ray.wait(list(self._tasks), timeout=1.0)
            for news in ray.get(board.take.remote()):
                self._hear(*news)
            for finished in done:
                self._finish(finished)
            if self.run.stopping():
                waiting.clear()
                self._cancel([task for task, shard in self._tasks.items() if shard not in self._drawing])

    def _depth(self) -> int:
        """How many tasks to have under way: one waits behind each that draws, unless it would be drawn as well."""
        room = capacity(_nodes(), self.resources)
        return 2 * room if self.asked is None or room <= self.asked else self.asked

    def _hear(self, shard: int, worker: str, first: int, news: Sequence[tuple]) -> None:
        """What a process tells of a shard, counted from its `first` word on it."""
        if shard not in self._tasks.values():
            return  # all was heard when the task was done
        if first == 0 and (lost := self._drawing.get(shard, worker)) != worker:
            self._tell(shard, "died", {"worker": lost, "index": None, "reason": "its node or its process was lost"})
            self._heard.pop(shard)
        elif first and self._drawing.get(shard) != worker:
            return  # one that was taken for lost
        self._drawing[shard] = worker
        self.drew.add(worker)
        for channel, event, fields in news[self._heard[shard] - first :]:
            self._heard[shard] += 1
            if channel == "note":
                self.run.log.note(event, **fields)
            else:
                self._tell(shard, event, fields)

    def _tell(self, shard: int, event: str, fields: dict[str, Any]) -> None:
        if event == "drawn":
            self._drawn[shard] += fields["pictures"]
        elif event == "died":
            fields |= {"shard": shard, "pictures": -self._drawn.pop(shard, 0)}
        self.run.tell(event, **fields)

    def _finish(self, task: Any) -> None:
        shard = self._tasks[task]
        try:
            refused, worker, news = ray.get(task)
        except RayTaskError as error:
            if "ModuleNotFoundError" in str(error) or "PackageNotFoundError" in str(error):
                raise InputError(
                    f"a Ray node lacks what draws: {_line(error, -1)}; install blendmill[render,farm] on all nodes"
                ) from error
            raise
        except RayError as error:
            raise InputError(f"shard {shard} was given up, {_LOSSES} processes were lost: {_line(error)}") from error
        if news:
            self._hear(shard, worker, 0, news)
        del self._tasks[task]
        for kept in (self._drawing, self._heard, self._drawn):
            kept.pop(shard, None)
        if refused:
            raise InputError(refused)

    def _cancel(self, tasks: list[Any]) -> None:
        """End tasks, gently first: render workers are closed, half-written files removed."""
        for force in (False, True):
            for task in tasks:
                ray.cancel(task, force=force)
            if tasks:
                done, tasks = ray.wait(tasks, num_returns=len(tasks), timeout=_PATIENCE)
                for task in done:
                    del self._tasks[task]


def _line(error: BaseException, number: int = 0) -> str:
    """One of the lines of an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[number][:300]
