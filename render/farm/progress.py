"""Show the progress of a run: a bar on a terminal, lines in a log file, or JSON lines.

Events: `checking` (checked, shards: how many of those that are there are read), `broken` (shard, reason), `start`
(pictures, done, workers, device), `begin` (shard, worker), `drawn` (pictures, index, worker, taken: whether it
is a copy of another set's), `shard` (shard,
pictures), `died` (worker, reason, index, shard, pictures: what has to be drawn again, negative), `failed` (index,
reason, attempts), `assets` (used, warnings, left_out), `stopping`, `end` (done).
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# The rate is taken over the last minute or so: workers start slowly, and machines change their pace.
_WINDOW = 60.0
_EVERY = 30.0
# Warnings and files of one kind that are shown before they are only counted.
_SHOWN = 3


class Report:
    """Counts the pictures of a run, for subclasses to show. A context manager, called with an event and its fields."""

    def __init__(self) -> None:
        self.done = self.total = self.workers = self.given_up = self.taken = 0
        self._marks: deque[tuple[float, int]] = deque()

    def __call__(self, event: str, **fields: Any) -> None:
        if event == "start":
            self.total, self.done, self.workers = fields["pictures"], fields["done"], fields["workers"]
        elif event in ("drawn", "died"):
            self.done += fields["pictures"]
            self.taken += fields.get("taken", False)
        elif event == "failed":
            self.given_up += 1
        now = time.monotonic()
        self._marks.append((now, self.done))
        while now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()
        self.show(event, fields)

    @property
    def rate(self) -> float:
        """Pictures a second over the last minute."""
        (start, first), (end, last) = self._marks[0], self._marks[-1]
        return max(0.0, (last - first) / (end - start)) if end > start else 0.0

    @property
    def remaining(self) -> str:
        """The time left as hours, minutes and seconds, or nothing while it is unknown."""
        if not self.rate:
            return ""
        seconds = round((self.total - self.done) / self.rate)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left"

    def show(self, event: str, fields: dict[str, Any]) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Lines(Report):
    """For log files: a line every half minute, and one for every problem."""

    def __init__(self, out: TextIO | None = None):
        super().__init__()
        self._out, self._last = out or sys.stderr, time.monotonic()

    def show(self, event: str, fields: dict[str, Any]) -> None:
        trouble = _trouble(event, fields)
        if trouble:
            print(trouble, file=self._out, flush=True)
        now = time.monotonic()
        if event in ("start", "end") or now - self._last > _EVERY:
            self._last = now
            checked = f"checked {fields['checked']} of {fields['shards']} shards" if event == "checking" else ""
            print(checked or self._line(), file=self._out, flush=True)

    def _line(self) -> str:
        told = [f"{self.done}/{self.total} pictures", f"{self.rate:.2f}/s" if self.rate else "", self.remaining]
        return ", ".join(part for part in (*told, f"{self.given_up} given up" if self.given_up else "") if part)


class Bar(Report):
    """One bar for all workers."""

    def __init__(self) -> None:
        super().__init__()
        columns = (
            TextColumn("rendering"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None, rate="", left="")

    def show(self, event: str, fields: dict[str, Any]) -> None:
        trouble = _trouble(event, fields)
        if trouble:
            self._bar.console.print(trouble, markup=False, highlight=False)
        rate = f"{self.rate:.2f}/s, {self.workers} workers" if self.rate else f"{self.workers} workers start"
        if event == "checking":
            rate = f"checked {fields['checked']} of {fields['shards']} shards that are there"
        self._bar.update(self._task, completed=self.done, total=self.total, rate=rate, left=self.remaining)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class JsonLines(Report):
    """Every event as a line of JSON, with the time and the number of pictures done."""

    def __init__(self, out: TextIO | None = None):
        super().__init__()
        self._out = out or sys.stderr

    def show(self, event: str, fields: dict[str, Any]) -> None:
        line = {"time": round(time.time(), 3), "event": event, **fields, "done": self.done, "total": self.total}
        print(json.dumps(line), file=self._out, flush=True)


def reporter(json_logs: bool) -> Report:
    """JSON lines if asked for, a bar on a terminal, else lines."""
    if json_logs:
        return JsonLines()
    return Bar() if sys.stderr.isatty() else Lines()


def _trouble(event: str, fields: dict[str, Any]) -> str:
    match event:
        case "checking":
            return "" if fields["checked"] else f"checking {fields['shards']} shards that are there"
        case "broken":
            return f"{fields['reason']}; it is deleted and drawn again"
        case "died":
            at = f" at picture {fields['index']}" if fields["index"] is not None else ""
            return f"worker {fields['worker']} died{at}: {fields['reason']}; replaced"
        case "failed":
            return f"picture {fields['index']} given up after {fields['attempts']} attempts: {fields['reason']}"
        case "assets":
            return "\n".join(asset_lines(fields["warnings"], fields["left_out"], fields["used"]))
        case "stopping":
            return "stopping: shards that are begun are finished first; once more stops now"
    return ""


def asset_lines(warnings: Mapping[str, Sequence[str]], left_out: Mapping[str, str], used: int) -> Iterator[str]:
    """What was mended or is missing in assets, and which files are left out, with a few of each kind.

    used: the number of assets drawn.
    """
    mended = ((line, f"warning: {name}: {line}") for name, lines in warnings.items() for line in lines)
    yield from _few(mended, "warning: {} more models with such a warning")
    lost = ((reason, f"left out: {file}: {reason}") for file, reason in left_out.items())
    yield from _few(lost, "left out: {} more files for such a reason")
    if left_out:
        yield f"files left out: {len(left_out)}, assets used: {used}"


def _few(told: Iterable[tuple[str, str]], more: str) -> Iterator[str]:
    """The first lines of each kind, and how many more there are. told: from (what is said, the whole line)."""
    alike: dict[str, list[str]] = {}
    for said, line in told:
        # Names and numbers differ from file to file.
        alike.setdefault(re.sub(r"'[^']*'|\d+", "", said), []).append(line)
    for same in alike.values():
        yield from same[:_SHOWN]
        if len(same) > _SHOWN:
            yield more.format(len(same) - _SHOWN)
