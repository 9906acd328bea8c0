"""Output of a training run: log.jsonl, TensorBoard, and progress on the console."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scenes.files import replacing
from training.progress import Progress

LOG = "log.jsonl"


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log, in order. An incomplete last line is skipped."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield json.loads(line)


class Log:
    """The log of a run in `folder`, resumed after `step` steps. Records of later steps are deleted.

    The folder of TensorBoard is written again from log.jsonl, so its wall times also start again.
    """

    def __init__(self, folder: Path, step: int, total: int, batch: int):
        # Imported here because it takes a second, and only the process that logs needs it.
        from torch.utils.tensorboard import SummaryWriter

        self._path = folder / LOG
        kept = [entry for entry in entries(self._path) if entry["step"] <= step]
        with replacing(self._path) as temporary:
            temporary.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
        self._file = self._path.open("a", encoding="utf-8")
        # Old event files are deleted: their names differ only by the second of their start, so they may collide.
        board = folder / "tensorboard"
        shutil.rmtree(board, ignore_errors=True)
        self._board = SummaryWriter(str(board))
        for entry in kept:
            self._show_on_board(entry)
        self._total, self._batch = total, batch
        self._begin, self._first = time.monotonic(), step
        self._mark, self._marked, self._waited = self._begin, step, 0.0
        self._progress = Progress("step", total)
        self._progress.update(step, "starting")

    def wait(self, seconds: float) -> None:
        """Add seconds in which the trainer waited for data."""
        self._waited += seconds

    def train(self, step: int, terms: Mapping[str, float], rate: float) -> None:
        """Log the terms of the loss after `step` steps and the speed since the last call. Show the progress."""
        now = time.monotonic()
        seconds = max(now - self._mark, 1e-9)
        figures = {
            "loss": sum(terms.values()),
            **{f"loss/{name}": value for name, value in terms.items()},
            "lr": rate,
            "images_per_second": (step - self._marked) * self._batch / seconds,
            "data_wait": self._waited / seconds,
        }
        self._record("train", step, figures)
        left = (now - self._begin) / max(step - self._first, 1) * (self._total - step)
        self._progress.update(
            step,
            f"loss {figures['loss']:.4f}  {figures['images_per_second']:.1f} images/s  "
            f"data wait {figures['data_wait']:.1%}  {_clock(left)} left",
        )
        self._mark, self._marked, self._waited = now, step, 0.0

    def busy(self, step: int, doing: str) -> None:
        """Show what is being done between two steps if it takes time."""
        self._progress.update(step, doing)

    def evaluation(self, step: int, figures: Mapping[str, float]) -> None:
        """Log the figures of a checkpoint: validators and, if there is a test set, the oracle."""
        self._record("evaluation", step, figures)
        self._mark = time.monotonic()

    def _record(self, kind: str, step: int, figures: Mapping[str, float]) -> None:
        entry = {"kind": kind, "step": step, **figures}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        self._show_on_board(entry)

    def _show_on_board(self, entry: Mapping[str, Any]) -> None:
        for name, value in entry.items():
            if name not in ("kind", "step"):
                self._board.add_scalar(f"{entry['kind']}/{name}", value, entry["step"])
        self._board.flush()

    def close(self) -> None:
        self._progress.close()
        self._file.close()
        self._board.close()


def _clock(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{whole:02d}" if hours else f"{minutes}:{whole:02d}"
