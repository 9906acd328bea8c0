"""Features and classes of renders and photographs. What was found is kept in the folder of the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from scenes.files import file_stat
from training.data.description import NAME, describe
from training.data.kept import Arrays, kept
from training.data.pictures import ImageDataset, chosen
from training.progress import counted
from training.run_folder import Folder


@dataclass(frozen=True)
class Seen:
    """What is known of pictures. features: (n, d) float32. beliefs: (n, k) probabilities of the network's classes, in
    the order asked for; None without a network."""

    features: NDArray[np.float32]
    beliefs: NDArray[np.float32] | None


def readable(
    pictures: ImageDataset, title: str, folder: Path
) -> tuple[ImageDataset, NDArray[np.float32], dict[int, str]]:
    """The pictures that can be read, their features (n, d) by `describe`, and why others cannot, by their places."""
    left_out: dict[int, str] = {}

    def look() -> Arrays:
        found = []
        with counted(f"{title} read", len(pictures)) as advance:
            for place in range(len(pictures)):
                try:
                    found.append(describe(pictures.read(place)))
                except InputError as error:
                    left_out[place] = str(error)
                advance(1)
        places = np.setdiff1d(np.arange(len(pictures)), list(left_out))
        reasons = np.array([left_out[place] for place in sorted(left_out)], np.str_)
        features = np.array(found, np.float32).reshape(len(found), -1)
        return {"features": features, "places": places, "reasons": reasons}

    there = kept(folder, title.replace(" ", "-"), (pictures.digest,), look)
    places = there["places"].astype(np.int64)
    missing = np.setdiff1d(np.arange(len(pictures)), places).tolist()
    reasons = dict(zip(missing, there["reasons"].tolist(), strict=True))
    return chosen(pictures, places, "readable"), there["features"].astype(np.float32), reasons


class Sight:
    """How pictures are seen. Raises InputError.

    name: of the features, for people. classes: in whose order beliefs are given. run: the folder of a classifier's run,
    or a checkpoint, that tells classes; None without one. network: whether features are its, too, and not `describe`'s.
    """

    def __init__(self, classes: Sequence[str], run: Path | None = None, network: bool = False):
        self._run, self._classes, self._eye, self._network = run, tuple(classes), None, network
        self.name = NAME
        if run is None:
            if network:
                raise InputError("--features network: there is no network; give one with --model")
            return
        from classify.features import Eye  # PyTorch is loaded where a run is given

        self._eye = Eye(run)
        if network:
            self.name = f"network of {run.resolve().name}"
        if missing := next((name for name in classes if name not in self._eye.classes), None):
            raise InputError(f"--model {run}: the network does not know the class '{missing}' of the renders")

    def look(self, pictures: ImageDataset, plain: NDArray[np.float32], title: str, folder: Path) -> Seen:
        """Features of pictures that `readable` gave. plain: those by `describe`. Raises InputError if one is gone."""
        if self._eye is None or self._run is None:
            return Seen(plain, None)
        eye, run = self._eye, self._run

        def look() -> Arrays:
            with counted(f"features of {title}", len(pictures)) as advance:
                found = eye.look(pictures, advance)
            if len(gone := np.setdiff1d(np.arange(len(pictures)), found.places)):
                raise InputError(f"{pictures.where(int(gone[0]))}: could be read before, and cannot now; run it again")
            return {"features": found.features, "probabilities": found.probabilities}

        checkpoint = Folder(run).selected if run.is_dir() else run
        parts = (pictures.digest, str(run.resolve()), file_stat(checkpoint))
        there = kept(folder, f"features-{title.replace(' ', '-')}", parts, look)
        columns = [eye.classes.index(name) for name in self._classes]
        beliefs = there["probabilities"][:, columns].astype(np.float32)
        total = np.maximum(beliefs.sum(axis=1, keepdims=True), 1e-9)
        return Seen(there["features"].astype(np.float32) if self._network else plain, beliefs / total)


_SURE, _ROUNDS = 0.9, 5


def beliefs(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    photos: NDArray[np.float32],
    classes: int,
    labeled: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None,
) -> NDArray[np.float64]:
    """Probabilities (m, k) of the classes of photographs, by a linear classifier that trains itself.

    It is the method of Yarowsky (ACL 1995). It learns from renders (n, d) with labels (n,), then also from the
    photographs (m, d) of which it is sure. labeled: features and labels of photographs whose class is known, if there
    are any.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.semi_supervised import SelfTrainingClassifier

    if labeled is not None:
        features, labels = np.concatenate([features, labeled[0]]), np.concatenate([labels, labeled[1]])
    found = np.zeros((len(photos), classes))
    if len(np.unique(labels)) == 1:
        found[:, labels[0]] = 1
        return found
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced"))
    teacher = SelfTrainingClassifier(model, threshold=_SURE, max_iter=_ROUNDS)
    everything = np.concatenate([features, photos])
    teacher.fit(everything, np.concatenate([labels, np.full(len(photos), -1)]))
    found[:, teacher.classes_] = teacher.predict_proba(photos)
    return found
