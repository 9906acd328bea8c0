"""One training run: from its config to the report in its folder."""

from __future__ import annotations

import logging
import os
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic

import torch

from scenes.errors import InputError
from scenes.files import NO_ROOM
from training import checkpoint
from training.batches import BEGIN, DomainBatches, key
from training.config import LAST, ORACLE, C, statement
from training.devices import device_of
from training.distributed import ProcessInfo, processes, shared
from training.logger import Log
from training.run_folder import Folder, checked, read_run, require_same
from training.selection import COLLAPSED, best
from training.task import Assessment, D, M, Task
from training.trainer import Trainer

_LOG = logging.getLogger("blendmill")
_WARNING = "; it is COLLAPSED: its predictions are almost the same for all pictures"


def execute(task: Task[C, D, M], config: C, out: str | Path) -> dict[str, Any]:
    """Train a network and write checkpoints, results and a report into a folder.

    If the folder holds an unfinished run of the same config, that run is resumed. If it holds a finished run, its
    results are returned. If it holds a run of the same config with fewer iterations, that run goes on to the new
    number. The remaining steps are those of a run of the new length: its learning rates, and its `progress` for
    methods whose weights follow it. With the schedules `constant` and `inverse`, and such a method aside, the weights
    are exactly those of a run of that length from the start. results.json records each change of the length.

    Parameters
    ----------
    task : Task
        What to train: `Classification()` or `Segmentation()`.
    config : TrainConfig
        The config of that task: a `ClassifyConfig` or a `SegmentConfig`.
    out : str or Path
        The folder of the run.

    Returns
    -------
    dict
        The content of results.json: the selected checkpoint, the test figures (shares of 1), the history of
        evaluations, and more.

    Raises
    ------
    InputError
        If the config, the data or the folder cannot be used, or if the loss is not finite.
    KeyboardInterrupt
        After SIGINT or SIGTERM, when a checkpoint has been saved.

    Examples
    --------
    Three steps of a tiny crack segmenter, on four pictures with masks:

    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from blendmill import SegmentConfig, Segmentation, execute
    >>> for folder in ("img", "mask"):
    ...     Path("cracks", folder).mkdir(parents=True)
    ...     for number in range(4):
    ...         Image.new("RGB", (32, 32)).save(f"cracks/{folder}/{number}.png")
    >>> config = SegmentConfig(
    ...     data={"source": [{"where": "cracks"}], "holdout": 0, "workers": 0},
    ...     width=2, depth=1, size=16, batch=2, iterations=3, device="cpu", report=False,
    ... )
    >>> execute(Segmentation(), config, "run")["selected"]["step"]
    3
    """
    folder = Folder(Path(out))
    with processes() as process:
        if process.first:
            folder.claim(config)
        done = folder.results()
        complete = done is not None and done["history"][-1]["step"] == config.iterations
        if done is not None and complete and (folder.report.exists() or not config.report):
            return done
        try:
            return _Run(task, config, folder, process).complete()
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise InputError(
                f"{out}: {error.strerror}; the last checkpoint is kept: make room, then give the same command again"
            ) from None


class _Run(Generic[C, D, M]):
    """A run in progress."""

    def __init__(self, task: Task[C, D, M], config: C, folder: Folder, process: ProcessInfo):
        self.task, self.config, self.folder, self.process = task, config, folder, process
        self.device = device_of(config.device, process.local)
        if config.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        self.data = task.datasets(config)
        self.supply = DomainBatches(config, self.data, task.pipeline(config), process, self.device)
        self.evaluator = task.evaluator(config, self.supply)
        torch.manual_seed(key(config.seed, 0, BEGIN))
        self.trainer = Trainer(config, task.make(config, self.data.classes), self.supply, self.device, process)
        self.history: list[dict[str, float]] = []
        # Changes of the number of iterations: at which step, from and to which number.
        self.lengthened: list[dict[str, int]] = []
        # The selected checkpoint's assessment; None if it was selected before this process resumed the run.
        self.selected: Assessment | None = None
        self.seconds = 0.0
        self.begin = time.monotonic()

    def complete(self) -> dict[str, Any]:
        """Finish the run. Returns the results, in every process."""
        self._resume()
        if self.process.first:
            self.folder.lengthen(self.config)
            self.folder.tidy()
        log = self._log() if self.process.first else None
        try:
            try:
                if self.trainer.step == self.config.iterations != self._evaluated:
                    # It ended while its last step was evaluated.
                    self._evaluate(self.trainer, log)
                    self._save(self.trainer)
                self.trainer.train(log, lambda trainer: self._evaluate(trainer, log), self._save)
            finally:
                self.supply.close()
            return shared(self._conclude(log) if log else None, self.process.world)
        finally:
            if log:
                log.close()

    def _log(self) -> Log:
        return Log(self.folder.path, self.trainer.step, self.config.iterations, self.config.batch)

    def _resume(self) -> None:
        last = self.folder.last
        if not last.exists():
            return
        saved = read_run(last, self.task.name)
        theirs = checked(type(self.config), saved.facts["config"], f"{last}: field config")
        require_same(theirs, self.config, last)
        if tuple(saved.facts["classes"]) != self.data.classes:
            raise InputError(f"{last}: field classes: not those of the data: choose another --out")
        digests = self.data.digests()
        changed = [name for name in digests | saved.facts["data"] if digests.get(name) != saved.facts["data"].get(name)]
        if changed:
            raise InputError(
                f"{self.folder.path}: the {changed[0]} data have changed since the run began: choose another --out"
            )
        step, self.history = saved.facts["step"], saved.facts["history"]
        if not self._evaluated <= step <= theirs.iterations:
            raise InputError(
                f"{last}: step {step} of {theirs.iterations} does not fit the last evaluation, at step "
                f"{self._evaluated}: choose another --out"
            )
        self.trainer.restore(saved, str(last))
        self.seconds = saved.facts["seconds"]
        self.lengthened = list(saved.facts.get("lengthened", ()))
        if theirs.iterations != self.config.iterations:
            self._lengthen(theirs.iterations)

    def _lengthen(self, before: int) -> None:
        step, now = self.trainer.step, self.config.iterations
        self.lengthened.append({"step": step, "from": before, "to": now})
        if self.process.first:
            _LOG.warning(
                "%s: lengthened from %d to %d iterations: from step %d on, the learning rate (%s) and the progress are "
                "those of a run of %d", self.folder.path, before, now, step, self.config.optimizer.schedule, now,
            )  # fmt: skip

    def _facts(self) -> dict[str, Any]:
        return {
            "task": self.task.name,
            "config": self.config.model_dump(mode="json"),
            "classes": self.data.classes,
            "data": self.data.digests(),
            "history": self.history,
            "lengthened": self.lengthened,
            "seconds": self.seconds + time.monotonic() - self.begin,
        }

    def _save(self, trainer: Trainer[M]) -> None:
        if self.process.first:
            checkpoint.write(self.folder.last, trainer.tensors(), self._facts() | trainer.facts())

    def _evaluate(self, trainer: Trainer[M], log: Log | None) -> None:
        """If an evaluation is due: evaluate, log the figures, and save the checkpoint if it is the best so far."""
        every, ends = self.config.evaluate_every, trainer.step == self.config.iterations
        if log is None or not (ends or (every and trainer.step % every == 0)):
            return
        if ends:
            self._save(trainer)  # an evaluation can take longer than the training
        log.busy(trainer.step, "evaluating")
        candidate = trainer.candidate()
        found = self.evaluator.assess(candidate)
        log.evaluation(trainer.step, found.figures)
        self.history.append({"step": trainer.step, **found.figures})
        if self._selected() == len(self.history) - 1 and (ends or self.config.select_by != LAST):
            self.selected = found
            tensors = checkpoint.join(method=candidate.state_dict())
            checkpoint.write(self.folder.selected, tensors, self._facts() | {"step": trainer.step})

    @property
    def _evaluated(self) -> int:
        """The step of the last evaluation."""
        return max((int(entry["step"]) for entry in self.history), default=0)

    def _selected(self) -> int:
        """Index of the evaluation that `select_by` chooses among those so far."""
        by = self.config.select_by
        return len(self.history) - 1 if by == LAST else best(self.history, by)

    def _conclude(self, log: Log) -> dict[str, Any]:
        """Write the results and the report of the selected checkpoint."""
        log.busy(self.trainer.step, "writing results and report")
        method = self.task.load(self.folder.selected, self.device)
        found = self.selected or self.evaluator.assess(method)
        entry, by = self.history[self._selected()], self.config.select_by
        others = ("step", COLLAPSED)
        validators = [name for name in self.history[0] if name not in others and not name.startswith("test_")]
        results = {
            "selected": {
                "step": entry["step"],
                "by": by,
                "uses_target_labels": by == ORACLE,
                "collapsed": bool(entry.get(COLLAPSED)),
                "statement": statement(by) + (_WARNING if entry.get(COLLAPSED) else ""),
            },
            "test": found.test,
            "validators": {name: self.history[best(self.history, name)] for name in validators},
            "classes": self.data.classes,
            "data": self.data.digests(),
            "pictures": self._counts(),
            "history": self.history,
            "lengthened": self.lengthened,
            "seconds": self.seconds + time.monotonic() - self.begin,
            "processes": self.process.world,
            "versions": {name: version(name) for name in ("blendmill", "torch", "transformers")},
        }
        self.folder.save_results(results)
        if self.config.report:
            self.evaluator.report(self.folder, method, found)
        return results

    def _counts(self) -> dict[str, int]:
        """Number of pictures in each part of the data. A rendered source counts the pictures used in training."""
        data = self.data
        trained = sum(len(part.pictures) for part in data.source) or self.config.iterations * self.config.batch
        parts = {"validation": data.validation, "target": data.target, "test": data.test}
        return {"source": trained} | {name: len(part) for name, part in parts.items() if part is not None}
