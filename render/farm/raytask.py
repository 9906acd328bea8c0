"""What a node of a Ray cluster does: the task that draws a shard, and tells of it.

A task supervises a render worker apart, as everywhere (`render.farm.local`): Blender may crash, hang or be killed
without taking Ray's process with it. The worker stays for the next task of the same run in the same process.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from typing import Any, cast

from render.dataset.manifest import Manifest
from render.dataset.run_log import RunLog
from render.dataset.store import open_store
from render.farm.devices import Device, WorkerSlot, pinned
from render.farm.local import RetryPolicy, Run, ShardScheduler
from render.farm.pool import WorkerPool
from render.versions import versions
from scenes.assets import mirror
from scenes.errors import InputError

# By which Ray tells a task its GPU.
_DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ONEAPI_DEVICE_SELECTOR")


class EventForwarder:
    """What is told and noted about a shard, put into the queue at once, but not oftener than every second.

    It stands in for the run's log and its report. A task must not wait for Ray: it would lose its place to another.
    """

    def __init__(self, queue: Any, shard: int):
        self._queue, self._shard = queue, shard
        self.worker = f"{platform.node()}:{os.getpid()}"
        self.news: list[tuple[str, str, dict[str, Any]]] = []
        self._put, self._last = 0, -1.0

    def tell(self, event: str, **fields: Any) -> None:
        self._add("tell", event, fields)

    def note(self, event: str, **fields: Any) -> None:
        self._add("note", event, fields)

    def _add(self, channel: str, event: str, fields: dict[str, Any]) -> None:
        if "worker" in fields:
            fields["worker"] = self.worker
        self.news.append((channel, event, fields))
        if time.monotonic() - self._last > 1.0:
            self._queue.put.remote(self._shard, self.worker, self._put, self.news[self._put :])
            self._put, self._last = len(self.news), time.monotonic()


class NodeWorker:
    """A render worker for a job, in one of Ray's processes. It ends with the process, however that ends.

    The scratch folder it may leave then is swept away by the driver, or on other nodes by the next run there.
    """

    def __init__(self, key: tuple[str, ...], job: dict[str, Any]):
        self.key, self._spec = key, job["spec"]
        self._manifest, self._policy = Manifest.model_validate(job["manifest"]), RetryPolicy(**job["policy"])
        self._store = open_store(job["out"])
        self._store.sweep()
        device = Device(job["kind"], 0, platform.node())  # of those that Ray shows the task
        worker_slot = WorkerSlot(device, job["threads"], pinned(device, os.environ))
        self._pool = WorkerPool(self._spec, [worker_slot], self._policy.timeout, command=job["command"])

    def draw(self, shard: int, forwarder: EventForwarder) -> None:
        """Draw a shard into the job's store. Raises InputError where the run cannot go on."""
        log = cast(RunLog, forwarder)
        run = Run(self._spec, self._store, self._manifest, self._policy, log, forwarder.tell, lambda: False)
        ShardScheduler(run, self._pool).deal([shard])

    def close(self) -> None:
        self._pool.close()
        self._store.sweep()


_node_worker: NodeWorker | None = None


def draw(
    job: str, queue: Any, notes: Mapping[str, dict[str, Any]], shard: int
) -> tuple[str, str, list[tuple[str, str, dict[str, Any]]]]:
    """Draw a shard. Returns why it cannot be, in one line, or ""; who drew; and all there was to tell.

    job: JSON of what all tasks of a run have in common: `versions`, `spec`, `out`, `manifest`, `policy`, `kind`,
    `threads`, `command`. notes: those of `mirror.noted`. Ray brings them before the task begins, for a task must not
    wait for Ray.
    """
    parsed, forwarder = json.loads(job), EventForwarder(queue, shard)
    wanted, present = parsed["versions"], versions(parsed["spec"]["config"]["renderer"])
    if differing := [f"{name} {there}" for name, there in present.items() if wanted.get(name) != there]:
        asked = ", ".join(f"{name} {version}" for name, version in wanted.items())
        return f"Ray node {platform.node()} has {', '.join(differing)}; install what the driver has: {asked}", "", []
    refused = ""
    try:
        _worker_for(job, parsed, notes).draw(shard, forwarder)
    except InputError as error:
        refused = str(error)
        _clear()
    except BaseException:  # cancelled
        _clear()
        raise
    return refused, forwarder.worker, forwarder.news


def _worker_for(job: str, parsed: dict[str, Any], notes: Mapping[str, dict[str, Any]]) -> NodeWorker:
    """The worker of the last task, if it was for the same job on the same device."""
    global _node_worker
    key = (job, *(os.environ.get(name, "") for name in _DEVICES))
    if _node_worker is None or _node_worker.key != key:
        _clear()
        mirror.keep(notes)
        _node_worker = NodeWorker(key, parsed)
    return _node_worker


def _clear() -> None:
    global _node_worker
    worker, _node_worker = _node_worker, None
    if worker is not None:
        worker.close()
