"""Processes that prepare assets. One that dies is replaced, and its asset is tried again.

Each is started as `python -m scenes.assets.preparing SOCKET`. It gets the job, a callable, over the socket and answers
True. Then it gets one asset after another, does the job for it, and answers its result, or the exception it raised.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

from scenes.errors import InputError
from scenes.helper import ATTEMPTS, leave_with_parent, start_helper, why_ended

A = TypeVar("A")
R = TypeVar("R")


def prepared(job: Callable[[A], R], assets: Sequence[A], count: int) -> Iterator[tuple[A, R | None, str]]:
    """Do the job for each asset, in `count` processes. Yields the assets as they are done, each with its result.

    With each comes an empty string; or no result, and why the processes died that did it. Raises what the job raises.
    """
    waiting, deaths, failed_starts = deque(range(len(assets))), Counter[int](), 0
    preparers: list[_Preparer] = []
    try:
        preparers += [_Preparer(job) for _ in range(min(count, len(assets)))]
        left = len(assets)
        while left:
            for preparer in preparers:
                if preparer.asset is None and waiting:
                    preparer.give(waiting.popleft(), assets)
            lines = {preparer.line: place for place, preparer in enumerate(preparers)}
            for line in wait(list(lines)):
                place = lines[line]  # type: ignore[index]
                preparer = preparers[place]
                try:
                    answer = preparer.line.recv()
                except (EOFError, OSError):
                    died, asset = why_ended(preparer.process.wait()), preparer.asset
                    failed_starts += not preparer.ready
                    if failed_starts >= ATTEMPTS:
                        raise InputError(f"processes that read assets do not start: {died}") from None
                    preparer.end()
                    preparers[place] = _Preparer(job)
                    if asset is None:
                        continue
                    deaths[asset] += preparer.ready
                    if deaths[asset] < ATTEMPTS:
                        waiting.appendleft(asset)
                        continue
                    yield assets[asset], None, died
                else:
                    if isinstance(answer, Exception):
                        raise answer
                    if not preparer.ready:
                        preparer.ready, failed_starts = True, 0
                        continue
                    asset, preparer.asset = preparer.asset, None
                    assert asset is not None
                    yield assets[asset], answer, ""
                left -= 1
    finally:
        for preparer in preparers:
            preparer.end()


class _Preparer:
    """One process. ready: whether it has started. asset: the number of the asset that it has, or None."""

    def __init__(self, job: Callable[[A], R]):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.process = start_helper(__name__, str(theirs.fileno()), stderr=None, pass_fds=(theirs.fileno(),))
            self.line = Connection(ours.detach())
        self.ready = False
        self.asset: int | None = None
        self._send(job)

    def give(self, asset: int, assets: Sequence[A]) -> None:
        self.asset = asset
        self._send(assets[asset])

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.line.close()

    def _send(self, thing: object) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has died: reading its answer tells
            self.line.send(thing)


def main() -> None:
    line = Connection(int(sys.argv[1]))
    leave_with_parent(line.fileno())
    try:
        job = line.recv()
        line.send(True)
        while True:
            line.send(_answer(job, line.recv()))
    except (EOFError, ConnectionError):
        return  # the parent has gone


def _answer(job: Callable[[object], object], asset: object) -> object:
    try:
        return job(asset)
    except InputError as error:
        return error
    except Exception as error:
        error.add_note(f"in a process that prepares assets:\n{traceback.format_exc()}")
        return error


if __name__ == "__main__":
    main()
