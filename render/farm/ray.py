"""Shards drawn as Ray tasks, on a cluster or on a Ray started here.

Every node has the same blendmill installed (`blendmill[render,farm]`), and sees assets under the same paths and the
data set under the same name: a plain folder must be one that all nodes share, a URL needs nothing. A worker reads and
normalizes an asset when it first draws it, into its node's own cache; a $BLENDMILL_CACHE that the nodes share saves
most of this.

A task draws one shard with a render worker apart, as everywhere (`render.farm.local`): Blender may crash, hang or be
killed without taking Ray's process with it. The worker stays for the next task of the same run.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import psutil
import ray

from render.farm.devices import KINDS, WORKER_MEMORY
from render.farm.local import Run
from render.farm.pool import COMMAND
from render.farm.ray_cluster import alive_nodes, needs, slots
from render.farm.ray_door import knock, running
from render.farm.ray_driver import ShardDriver, one_line
from render.versions import versions
from scenes import machine
from scenes.assets import mirror
from scenes.errors import InputError, shortened
from scenes.leftovers import sweep_scratch

_OBJECTS = 100 << 20
_PATIENCE = 30.0


class RayFarm:
    """Draws shards as Ray tasks.

    address: "auto" for the cluster this machine is part of, or a Ray of its own where there is none; "local" for a Ray
    of its own; else the cluster's, HOST:PORT or ray://HOST:PORT. Like Ray itself, "auto" takes $RAY_ADDRESS if it is
    set. A Ray that is already initialized in this process is used as it is, and left so. kind: of device, "auto" for
    OptiX where a node has a GPU, else the CPU. workers: how many in all, by default as many as the cluster has room
    for, which may grow meanwhile. command: starts a render worker. Raises InputError where there is no such cluster or
    it has no room for a worker.
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
        return KINDS[0] if any(node.get("GPU") for node in alive_nodes()) else "cpu"

    @property
    def workers(self) -> int:
        """Tasks that draw at once. Joins the cluster."""
        self._join()
        return slots(alive_nodes(), needs(alive_nodes(), self.kind, self._asked), self._asked)

    def draw(self, run: Run, shards: Sequence[int]) -> None:
        """Draw shards into the run's store. Raises InputError where the run cannot go on."""
        self._join()
        try:
            resources = needs(alive_nodes(), self.kind, self._asked)
            job = {
                "versions": versions(run.spec["config"]["renderer"]),
                "spec": {**run.spec, "listings": mirror.listings()},
                "out": run.store.url,
                # Without what may be large and no shard depends on.
                "manifest": run.manifest.model_copy(update={"assets": {}, "shards": {}}).model_dump(mode="json"),
                "policy": asdict(run.policy),
                "kind": self.kind,
                "threads": int(resources["CPU"]),
                "command": self._command,
            }
            ShardDriver(run, resources, self._asked, self._drew).draw(json.dumps(job), shards)
        finally:
            self._joined.close()

    def _join(self) -> None:
        if ray.is_initialized():
            return
        atexit.register(self._joined.close)  # before Ray's own end, that its files may go
        own = not self._connected()
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
        """Join a cluster; False where none was named and there is none to be found."""
        logging.getLogger("ray").setLevel(logging.ERROR)  # it may speak before it is initialized
        named = self._address if self._address != "auto" else os.environ.get("RAY_ADDRESS") or "auto"
        if named == "local":
            return False
        address = running() if named == "auto" else named
        if address is None:
            return False
        try:
            knock(address, found=named == "auto")
            ray.init(address=named, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # each part of Ray has its own
            raise InputError(f"--ray {shortened(named)}: cannot join: {one_line(error)}") from error
        return True

    def _start(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        folder = Path(tempfile.mkdtemp(prefix="blendmill-ray-"))
        self._joined.callback(_remove, folder)
        ray.init(
            address="local",
            num_cpus=machine.cores(),
            _memory=max(machine.memory(), WORKER_MEMORY),
            object_store_memory=_OBJECTS,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _temp_dir=str(folder),
        )


def _remove(folder: Path) -> None:
    """Remove Ray's files, though the last of its processes may still write to them."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
