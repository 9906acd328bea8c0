"""Draw shards on one machine. A shard is drawn again if its worker dies, without pictures that were given up."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from render.dataset.manifest import Manifest
from render.dataset.run_log import RunLog
from render.dataset.store import Store
from render.farm.devices import WorkerSlot
from render.farm.pool import COMMAND, Event, WorkerPool
from scenes.errors import InputError

# Is called with the name and the fields of every event: see `render.farm.progress`.
EventCallback = Callable[..., None]


@dataclass(frozen=True)
class RetryPolicy:
    """What a run does if workers die.

    Parameters
    ----------
    attempts : int
        How many workers may die on one picture before it is given up. The same limit holds for a shard if the workers
        die between two pictures.
    skip : bool
        True continues without a picture that was given up. False stops the run.
    timeout : float
        A worker that sends no message for this many seconds counts as hung and is replaced.

    Examples
    --------
    >>> import blendmill
    >>> blendmill.RetryPolicy(attempts=2, skip=True).timeout
    600.0
    """

    attempts: int = 3
    skip: bool = False
    timeout: float = 600.0


@dataclass(frozen=True)
class Run:
    """One run of a job.

    spec: `config` as plain data, `seed`, `assets` and `reuse`, for the workers. stopping: returns True as soon as
    no new shard may begin.
    """

    spec: dict[str, Any]
    store: Store
    manifest: Manifest
    policy: RetryPolicy
    log: RunLog
    tell: EventCallback
    stopping: Callable[[], bool]


class Local:
    """A farm on this machine: it draws shards with one worker process for each worker slot.

    Parameters
    ----------
    worker_slots : sequence of WorkerSlot
        The device and the CPU threads of each worker, from `worker_slots`.
    command : sequence of str
        The command that starts a worker process.

    Examples
    --------
    >>> import blendmill
    >>> blendmill.Local(blendmill.worker_slots(blendmill.choose("cpu"), 3, pictures=100)).workers
    3
    """

    def __init__(self, worker_slots: Sequence[WorkerSlot], command: Sequence[str] = COMMAND):
        self._worker_slots, self._command = tuple(worker_slots), command

    @property
    def workers(self) -> int:
        return len(self._worker_slots)

    def draw(self, run: Run, shards: Sequence[int]) -> None:
        """Draw shards into the store of a run. Raises InputError if the run cannot continue."""
        worker_slots = self._worker_slots[: len(shards)]
        with WorkerPool(run.spec, worker_slots, run.policy.timeout, command=self._command) as pool:
            ShardScheduler(run, pool).deal(shards)


@dataclass
class ShardScheduler:
    """Gives shards to the workers of a pool until all are done."""

    run: Run
    pool: WorkerPool
    _strikes: Counter[str] = field(default_factory=Counter)
    _skipped: set[int] = field(default_factory=set)
    _drawn: Counter[int] = field(default_factory=Counter)

    def deal(self, shards: Sequence[int]) -> None:
        waiting, open_ = deque(shards), set(shards)
        while open_:
            for worker in self.pool.idle() if not self.run.stopping() else []:
                if waiting:
                    self._give(worker, waiting.popleft())
            if self.run.stopping() and len(self.pool.idle()) == len(self.pool):
                break
            for event in self.pool.events():
                shard = event.order["shard"] if event.order else None
                match event.kind:
                    case "refused":
                        raise InputError(event.data["reason"])
                    case "drawn" if shard is not None:
                        self._drawn[shard] += 1
                        taken = event.data["taken"]
                        self.run.tell("drawn", pictures=1, index=event.index, worker=event.worker, taken=taken)
                    case "done" if shard is not None:
                        self._finished(shard, event.data["sha256"])
                        open_.discard(shard)
                    case "died":
                        self._died(event, shard)
                        if shard is not None:
                            waiting.appendleft(shard)

    def _give(self, worker: int, shard: int) -> None:
        indices = [index for index in self.run.manifest.indices(shard) if index not in self._skipped]
        if not indices:
            raise InputError(f"{self.run.store.url}: every picture of shard {shard} was given up, see failed/ there")
        self.run.log.note("begin", shard=shard, worker=worker)
        self.run.tell("begin", shard=shard, worker=worker)
        order = {"do": "shard", "out": self.run.store.url, "shard": shard, "indices": indices}
        self.pool.give(worker, {**order, "attributes": self.run.manifest.attributes()})

    def _finished(self, shard: int, checksum: str) -> None:
        pictures = self._drawn.pop(shard)
        self.run.log.note("shard", shard=shard, sha256=checksum, pictures=pictures)
        self.run.tell("shard", shard=shard, pictures=pictures)

    def _died(self, event: Event, shard: int | None) -> None:
        """Count a death against the picture that was being drawn, or else against the shard."""
        lost = self._drawn.pop(shard, 0) if shard is not None else 0
        reason = event.data["reason"]
        self.run.store.sweep()
        self.run.tell("died", worker=event.worker, reason=reason, index=event.index, shard=shard, pictures=-lost)
        if shard is None:
            return
        culprit = f"shard {shard}" if event.index is None else f"picture {event.index}"
        self._strikes[culprit] += 1
        if self._strikes[culprit] < self.run.policy.attempts:
            return
        if event.index is None:
            attempts = self.run.policy.attempts
            raise InputError(f"{self.run.store.url}: {culprit} was given up after {attempts} workers died: {reason}")
        self._give_up(event.index, reason, event.data["scene"])

    def _give_up(self, index: int, reason: str, scene: Any) -> None:
        """scene: the record of the picture; None where the worker died before it had one."""
        attempts = self.run.policy.attempts
        record = {"index": index, "reason": reason, "attempts": attempts, "scene": scene}
        self.run.store.fail(index, record)
        self.run.log.note("failed", index=index, reason=reason, attempts=attempts)
        self.run.tell("failed", index=index, reason=reason, attempts=attempts)
        if not self.run.policy.skip:
            raise InputError(
                f"picture {index} was given up after {attempts} workers died: {reason}; its scene is in "
                f"{self.run.store.url}/failed; --on-failure skip goes on without it"
            )
        self._skipped.add(index)
