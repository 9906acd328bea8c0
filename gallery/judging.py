"""What the networks of runs say of the pictures of a page, whatever the task of the runs is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gallery.sets import Chosen
from render.dataset.manifest import MANIFEST
from scenes.errors import InputError
from scenes.plain_yaml import read_yaml

Told = Callable[[int, int], object]

UNKNOWN = -1


@dataclass(frozen=True)
class Judged:
    """What the selected checkpoint of a run says of the N pictures of a page.

    run: name of the run. trained: the names of what it learned from, its method and its network. features: (N, d)
    float16, NaN where a picture was not looked at or cannot be read. truth, predicted: (N,) int, places in `classes`,
    -1 where nobody knows. score: (N,) float32 from 0 to 1, NaN where nobody knows: for a classifier whether it is
    right, for a segmenter the IoU of the cracks. confidence: (N,) float32, NaN where it was not looked at. tested:
    (N,) bool, the pictures of the run's data.test. mistake: (N,) float32, how bad a mistake is, from 0 (none) to 1: of
    a classifier its confidence in a wrong class, of a segmenter 1 - IoU. unit: what a mean of scores is. pixels: of a
    segmenter of k classes (N, k, 3) int64, of each class the pixels of both prediction and truth, of the prediction,
    and of the truth; None of all others.
    """

    run: str
    trained: tuple[str, str, str]
    classes: tuple[str, ...]
    features: NDArray[np.float16]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    score: NDArray[np.float32]
    confidence: NDArray[np.float32]
    tested: NDArray[np.bool_]
    mistake: NDArray[np.float32]
    unit: str
    pixels: NDArray[np.int64] | None = None

    def said(self, place: int) -> str:
        """What the network says of a picture, and whether it is right, in words."""
        if self.predicted[place] < 0:
            return f"IoU {self.score[place]:.2f}{self._least(place)}"
        wrong = f", but it is {self.classes[self.truth[place]]}" if self.score[place] == 0 else ""
        return f"{self.classes[self.predicted[place]]}, {self.confidence[place]:.0%} sure{wrong}"

    def _least(self, place: int) -> str:
        """The class that is found worst in a picture, in words; empty where there is only one."""
        if self.pixels is None or not np.isfinite(each := ious(self.pixels[place])).any():
            return ""
        worst = int(np.nanargmin(each))
        return f", {self.classes[worst]} {each[worst]:.2f}"

    def columns(self) -> dict[str, list[float | str | None]]:
        """What the network says as factors of the pictures."""
        known, seen = np.isfinite(self.score), np.isfinite(self.confidence)
        found = {"run.confidence": _where(seen, self.confidence)}
        if (self.predicted < 0).all():
            found["run.IoU"] = _where(known, self.score)
            return found
        found["run.predicted"] = [self.classes[code] if code >= 0 else None for code in self.predicted]
        words = {1.0: "right", 0.0: "wrong"}
        found["run.outcome"] = [words.get(float(value)) for value in self.score]
        return found


def ious(pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(..., k) IoU of classes from their (..., k, 3) pixels in `Judged`; NaN where one is neither there nor found."""
    both, either = pixels[..., 0], pixels[..., 1] + pixels[..., 2] - pixels[..., 0]
    return np.divide(both, either, out=np.full(both.shape, np.nan), where=either > 0)


def _where(known: NDArray[np.bool_], values: NDArray[np.float32]) -> list[float | str | None]:
    return [float(value) if there else None for value, there in zip(values, known, strict=True)]


def judged(runs: Sequence[Path], sets: Sequence[Chosen], tell: Told) -> list[Judged]:
    """What runs say: the first of all pictures, the others of the pictures that it was tested on.

    tell: is called with the number of pictures that a run has seen, and of all. Raises InputError where a run cannot be
    loaded, or has another task or other test photographs than the first.
    """
    if not runs:
        return []
    from gallery import network, segmenter  # PyTorch is loaded where a run is given
    from training.run_folder import find_task

    judges = {network.TASK: network.judged, segmenter.TASK: segmenter.judged}
    tasks = [find_task(run) for run in runs]
    for run, task in zip(runs, tasks, strict=True):
        if task not in judges:
            raise InputError(f"{run}: a run of the task '{task}'; give runs of {' or '.join(judges)}")
        if task != tasks[0]:
            raise InputError(f"{run}: a run of the task '{task}', but {runs[0]} of '{tasks[0]}'; make a page for each")
    found: list[Judged] = []
    for run, task in zip(runs, tasks, strict=True):
        wanted = found[0].tested if found else np.ones(sum(len(one.indices) for one in sets), bool)
        found.append(judges[task](run, sets, wanted, tell))
        if (found[-1].tested != found[0].tested).any():
            raise InputError(f"{run}: was tested on other photographs than {runs[0]}; make a page for each")
    return found


def known_photographs(runs: Sequence[Path]) -> list[Path]:
    """The folders of photographs that runs were tested on, each once. A checkpoint that is a file does not tell it."""
    found: list[Path] = []
    for config in (run / "config.yaml" for run in runs):
        if not config.exists():
            continue
        data = read_yaml(config).get("data")
        test = data.get("test") if isinstance(data, dict) else None
        where = test.get("where") if isinstance(test, dict) else None
        if isinstance(where, str) and Path(where) not in found and not (Path(where) / MANIFEST).exists():
            found.append(Path(where))
    return found
