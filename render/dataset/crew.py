"""Work on the many parts of a data set by several processes. The results come in the order of the parts.

Reading labels holds Python's and HDF5's locks, so threads would wait for each other. A work is a module with a function
`open_work(**setup)`, which returns the function that is called with each item. Setup, items and results are JSON. A
helper process gets the name of the module and the setup as its first line, then a line for each item, and answers each
with a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from importlib import import_module
from itertools import islice
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from scenes.errors import InputError
from scenes.helper import ATTEMPTS, leave_with_parent, start_helper, why_ended
from scenes.machine import cores

_AHEAD = 4
"""Items that wait for each process or thread. A result that is early waits for those before it."""

_FEW = 64
"""To start a process takes as long as the work on so many shards."""


def worked(
    module: str,
    setup: Mapping[str, Any],
    items: Iterable[Any],
    count: int,
    workers: int | None = None,
    threads: int = 1,
) -> Iterator[Any]:
    """The results of a work on items, in their order. Memory does not grow with the number of items.

    module: the work's. count: the number of items, of about a shard each. workers: processes; 1 is this process alone.
    None: as many as there are processors, and this process alone where there are few items. threads: of this process,
    where it is alone; more than one only help a work that waits for another machine.

    A process that dies is replaced, and its item is done again. Raises InputError as the work does, or where one item
    has brought down ATTEMPTS processes.
    """
    wanted = min(count // _FEW, cores()) if workers is None else min(count, workers)
    with ExitStack() as stack:
        if wanted <= 1:
            ask = import_module(module).open_work(**setup)
        else:
            threads, free = wanted, SimpleQueue[_Helper]()
            for _ in range(threads):
                free.put(stack.enter_context(_Helper(module, setup)))

            def ask(item: Any) -> Any:
                helper = free.get()
                try:
                    return helper.ask(item)
                finally:
                    free.put(helper)

        pool = ThreadPoolExecutor(threads)
        stack.callback(pool.shutdown, cancel_futures=True)
        yield from _in_order(pool, ask, items, threads * _AHEAD)


def _in_order(pool: ThreadPoolExecutor, ask: Callable[[Any], Any], items: Iterable[Any], ahead: int) -> Iterator[Any]:
    rest = iter(items)
    pending: deque[Future[Any]] = deque(pool.submit(ask, item) for item in islice(rest, ahead))
    while pending:
        yield pending.popleft().result()
        pending.extend(pool.submit(ask, item) for item in islice(rest, 1))


class _Helper:
    """A helper process with a work, or one that has taken its place; a context manager."""

    def __init__(self, module: str, setup: Mapping[str, Any]):
        self._work = json.dumps({"module": module, "setup": setup})
        self._start()

    def _start(self) -> None:
        # The processes share the cores, so none should start threads that wait for each other by spinning.
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        self._process = start_helper("render.dataset.crew", stdin=pipe, stdout=pipe, stderr=None, environment=alone)
        self._lines = [self._work]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, item: Any) -> Any:
        for _ in range(ATTEMPTS):
            answer = self._answer(json.dumps(item))
            if answer.endswith(b"\n"):
                break
            how = why_ended(self._process.wait())
            self._process.communicate()
            self._start()
        else:
            raise InputError(
                f"{ATTEMPTS} processes that read shards ended one after another, the last: {how}; give fewer workers, "
                "then rerun the command"
            )
        found = json.loads(answer)
        if "error" in found:
            raise InputError(found["error"])
        return found["result"]

    def _answer(self, line: str) -> bytes:
        """The line that the process answers with, whole only if it has not died."""
        assert self._process.stdin is not None and self._process.stdout is not None
        lines, self._lines = [*self._lines, line], []
        try:
            self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except BrokenPipeError:
            return b""


def main() -> None:
    leave_with_parent(sys.stdin.fileno())
    out, sys.stdout = sys.stdout, sys.stderr
    first = json.loads(sys.stdin.readline())
    work: Callable[[Any], Any] | None = None
    for line in sys.stdin:
        try:
            work = work or import_module(first["module"]).open_work(**first["setup"])
            answer = {"result": work(json.loads(line))}
        except InputError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
