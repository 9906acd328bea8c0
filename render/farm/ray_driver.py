"""The side of a Ray run that deals out the shards: it keeps the cluster busy and hears what becomes of each shard."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from render.farm.event_queue import EventQueue
from render.farm.local import Run
from render.farm.ray_cluster import alive_nodes, capacity
from render.farm.raytask import draw
from scenes.assets import mirror
from scenes.errors import InputError

# Seconds for tasks to end by themselves.
_PATIENCE = 30.0
# Times that a shard may lose its node or Ray's process: nodes are taken away without the shard's fault.
_LOSSES = 20


@dataclass
class ShardDriver:
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
        queue: Any = ray.remote(EventQueue).options(**lasting).remote()
        try:
            notes = ray.put(mirror.noted(mirror.listings()))
            self._deal(self._task(), (ray.put(job), queue, notes), deque(shards))
        finally:
            self._cancel(list(self._tasks))
            self.run.store.sweep()
            ray.kill(queue)

    def _task(self) -> Any:
        return ray.remote(draw).options(
            num_cpus=self.resources["CPU"],
            num_gpus=self.resources.get("GPU", 0),
            memory=int(self.resources["memory"]),
            max_retries=_LOSSES,
            retry_exceptions=False,
        )

    def _deal(self, task: Any, common: tuple[Any, Any, Any], waiting: deque[int]) -> None:
        """Give out shards. common: what each task gets beside its shard, in the order of `raytask.draw`."""
        queue = common[1]
        while waiting or self._tasks:
            while waiting and len(self._tasks) < self._depth() and not self.run.stopping():
                shard = waiting.popleft()
                self._tasks[task.remote(*common, shard)] = shard
            done, _ = ray.wait(list(self._tasks), timeout=1.0)
            for news in ray.get(queue.take.remote()):
                self._hear(*news)
            for finished in done:
                self._finish(finished)
            if self.run.stopping():
                waiting.clear()
                self._cancel([task for task, shard in self._tasks.items() if shard not in self._drawing])

    def _depth(self) -> int:
        """How many tasks to have under way: one waits behind each that draws, unless it would be drawn as well."""
        room = capacity(alive_nodes(), self.resources)
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
                    f"a Ray node lacks what draws: {one_line(error, -1)}; install blendmill[render,farm] on all nodes"
                ) from error
            raise
        except RayError as error:
            raise InputError(f"shard {shard} was given up, {_LOSSES} processes were lost: {one_line(error)}") from error
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


def one_line(error: BaseException, number: int = 0) -> str:
    """One of the lines of an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[number][:300]
