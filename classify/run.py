"""One training run in its folder, from its config to its report."""

from __future__ import annotations

import os
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from classify import checkpoint, report
from classify.assess import Assessor, statement
from classify.attention import Look, look
from classify.config import ORACLE, TrainConfig
from classify.datasets import Datasets, open_datasets
from classify.feed import BEGIN, Supply, key
from classify.folder import Folder
from classify.load import device_of, load_method, make_method, make_network
from classify.log import Log
from classify.methods.base import Labelled, Method
from classify.parallel import Place, processes
from classify.trainer import Trainer
from scenes.errors import InputError

# Pictures in a report's look at where the method looks.
_SHOWN = 12


def execute(config: TrainConfig, out: Path) -> dict[str, Any]:
    """Train in the folder `out`, from where a run of the same config there stopped; the content of its results.json.

    Raises InputError for bad input, KeyboardInterrupt once what was done is saved.
    """
    folder = Folder(out)
    with processes() as place:
        if place.first:
            folder.claim(config)
        done = folder.results()
        if done is not None and (folder.report.exists() or not config.report):
            return done
        return _Run(config, folder, place).complete()


class _Run:
    """A run under way."""

    def __init__(self, config: TrainConfig, folder: Folder, place: Place):
        self.config, self.folder, self.place = config, folder, place
        self.device = device_of(config.device, place.local)
        if config.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        self.data: Datasets = open_datasets(config)
        self.supply = Supply(config, self.data, place, self.device)
        self.assessor = Assessor(self.supply, self.data.classes)
        torch.manual_seed(key(config.seed, 0, BEGIN))
        network = make_network(config, self.data.classes)
        self.trainer = Trainer(
            config, make_method(config, len(self.data.classes), network), self.supply, self.device, place
        )
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0
        self.begin = time.monotonic()

    def complete(self) -> dict[str, Any]:
        """All that is left to do."""
        self._resume()
        log = self._log() if self.place.first else None
        try:
            self.trainer.train(log, lambda trainer: self._evaluate(trainer, log), self._save)
        finally:
            self.supply.close()
            if log:
                log.close()
        return self._conclude() if self.place.first else {}

    def _log(self) -> Log:
        return Log(self.folder.path, self.trainer.step, self.config.iterations, self.config.batch)

    def _resume(self) -> None:
        if not self.folder.last.exists():
            return
        saved = checkpoint.read(self.folder.last)
        digests = self.data.digests()
        changed = [name for name in digests | saved.facts["data"] if digests.get(name) != saved.facts["data"].get(name)]
        if changed:
            raise InputError(
                f"{self.folder.path}: the {changed[0]} data changed since the run began: choose another --out"
            )
        self.trainer.restore(saved, str(self.folder.last))
        self.history, self.seconds = saved.facts["history"], saved.facts["seconds"]
        if self.place.first:
            self.folder.tidy()

    def _facts(self) -> dict[str, Any]:
        return {
            "config": self.config.model_dump(mode="json"),
            "classes": self.data.classes,
            "data": self.data.digests(),
            "history": self.history,
            "seconds": self.seconds + time.monotonic() - self.begin,
        }

    def _save(self, trainer: Trainer) -> None:
        if self.place.first:
            checkpoint.write(self.folder.last, trainer.tensors(), self._facts() | trainer.facts())

    def _evaluate(self, trainer: Trainer, log: Log | None) -> None:
        """Where it is due, the figures of what the training has come to; it is kept if it is the best so far."""
        every, ends = self.config.evaluate_every, trainer.step == self.config.iterations
        if log is None or not (ends or (every and trainer.step % every == 0)):
            return
        candidate = trainer.candidate()
        figures = self.assessor.figures(candidate)
        log.evaluation(trainer.step, figures)
        self.history.append({"step": trainer.step, **figures})
        if self._selected() == len(self.history) - 1 and (ends or self.config.select_by != "last"):
            tensors = checkpoint.join(method=candidate.state_dict())
            checkpoint.write(self.folder.selected, tensors, self._facts() | {"step": trainer.step})

    def _selected(self) -> int:
        """The number of the evaluation that the config's validator chooses, of those there are."""
        by = self.config.select_by
        return len(self.history) - 1 if by == "last" else best(self.history, by)

    def _conclude(self) -> dict[str, Any]:
        """Results and report, of the selected checkpoint."""
        method, _, _ = load_method(self.folder.selected, self.device)
        chosen, by = self.history[self._selected()], self.config.select_by
        validators = [name for name in self.history[0] if name not in ("step", "test_accuracy")]
        results = {
            "selected": {
                "step": chosen["step"],
                "by": by,
                "uses_target_labels": by == ORACLE,
                "statement": statement(by),
            },
            "test": self.assessor.test(method),
            "validators": {name: self.history[best(self.history, name)] for name in validators},
            "classes": self.data.classes,
            "data": self.data.digests(),
            "history": self.history,
            "seconds": self.seconds + time.monotonic() - self.begin,
            "processes": self.place.world,
            "versions": {name: version(name) for name in ("blendmill", "torch", "transformers")},
        }
        self.folder.save_results(results)
        if self.config.report:
            self._report(method)
        return results

    def _report(self, method: Method) -> None:
        supply, outputs = self.supply, self.assessor.outputs
        found = report.of_run(
            self.folder.path,
            source=outputs(method, supply.validation),
            target=outputs(method, supply.target),
            look=self._look(method),
        )
        report.write(found, self.folder.report)

    def _look(self, method: Method) -> Look | None:
        """Where the method looks in some of the pictures it is tested on, or else adapts to."""
        supply = self.supply
        loader, pictures = (supply.test, self.data.test) if supply.test else (supply.target, self.data.target)
        if loader is None or pictures is None:
            return None
        wanted = torch.linspace(0, len(pictures) - 1, min(_SHOWN, len(pictures))).round().long().to(self.device)
        found = [
            [part[torch.isin(batch.indices, wanted)] for part in (batch.images, batch.labels, batch.indices)]
            for batch in supply.plain(loader)
        ]
        return look(method, Labelled(*(torch.cat(part) for part in zip(*found, strict=True))))


def best(history: list[dict[str, float]], by: str) -> int:
    """The number of the first evaluation with the highest figure."""
    return max(range(len(history)), key=lambda i: (history[i].get(by, float("-inf")), -i))
