"""Open the sets of pictures that a classifier's config names, and check that they fit together."""

from __future__ import annotations

import logging

import numpy as np

from classify.config import ClassifyConfig, ImagesConfig
from classify.methods.catalogue import methods
from render.renderer import open_sampler
from scenes.config.loading import load_config
from scenes.errors import InputError
from training.data.live import Live
from training.data.pictures import ImageDataset, class_labels, joined, require_labels, unlabeled
from training.data.sources import open_pictures
from training.data.splits import parted
from training.datasets import Datasets, Drawn, Source

_LOG = logging.getLogger("blendmill")


def open_part(
    part: ImagesConfig, classes: tuple[str, ...] | None, labels: bool = True, *, needed: bool = True
) -> ImageDataset:
    """Open a part. labels: False hides the labels. needed: whether all pictures need one. Raises InputError."""
    pictures = open_pictures(
        part.where,
        classes,
        split=part.split,
        labels=labels,
        rename=part.rename,
        margin=part.margin,
        limits=part.limits,
        seed=part.split_seed,
    )
    if labels and needed:
        require_labels(pictures)
    return pictures


def open_datasets(config: ClassifyConfig) -> Datasets[ImageDataset]:
    """Open all sets that the config names. Raises InputError."""
    data, blind = config.data, methods()[config.method].blind
    if data.regime == "stream":
        return _streamed(config)
    first = open_part(data.source[0], config.classes or None, labels=not blind)
    # Methods without labels may have no classes, but the head of a network needs at least one.
    classes = tuple(config.classes or first.classes) or ("picture",)
    opened = [first, *(open_part(part, classes, labels=not blind) for part in data.source[1:])]
    held, rest = _held_out(opened, 0.0 if blind or data.validation else data.holdout)
    if not blind:
        _tell_empty(classes, rest)
    target = open_part(data.target, classes, labels=False) if data.target else None
    if blind and target is None:
        target = joined([unlabeled(pictures, classes) for pictures in rest])
    return Datasets(
        source=tuple(
            Source(pictures, part.share, class_labels(pictures) if data.balanced else None)
            for pictures, part in zip(rest, data.source, strict=True)
        ),
        drawn=None,
        target=target,
        validation=open_part(data.validation, classes) if data.validation else held,
        test=open_part(data.test, classes) if data.test else None,
        classes=classes,
    )


def _tell_empty(classes: tuple[str, ...], sets: list[ImageDataset]) -> None:
    """Warn of classes that no picture to learn from has: an empty folder, or a rare class of a small set."""
    seen = set(np.concatenate([pictures.labels for pictures in sets]).tolist())
    if empty := [name for label, name in enumerate(classes) if label not in seen]:
        where = " + ".join(pictures.name for pictures in sets)
        names = ", ".join(f"'{name}'" for name in empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
        _LOG.warning(
            "%s: no picture of the class %s: the network cannot learn it; name the others in `classes`", where, names
        )


def _streamed(config: ClassifyConfig) -> Datasets[ImageDataset]:
    """The sets of a run whose source is rendered during training."""
    data = config.data
    if len(data.source) > 1:
        raise InputError("field data.source: a stream has one source, a render config; for several write regime: fixed")
    render = load_config(data.source[0].where)
    classes = open_sampler(render).classes
    if config.classes and config.classes != classes:
        raise InputError(f"field classes: {data.source[0].where} renders the classes {', '.join(classes)}: write these")

    def live(batch: int) -> Live:
        return Live(render, batch, config.size, seed=config.seed, fit=config.fit, workers=data.workers or None)

    return Datasets(
        source=(),
        drawn=Drawn(render.model_dump_json(), live),
        target=open_part(data.target, classes, labels=False) if data.target else None,
        validation=open_part(data.validation, classes) if data.validation else None,
        test=open_part(data.test, classes) if data.test else None,
        classes=classes,
    )


def _held_out(sets: list[ImageDataset], share: float) -> tuple[ImageDataset | None, list[ImageDataset]]:
    """Hold out a share of each class of each set. Returns the held-out pictures and the rest of each set."""
    if not share:
        return None, sets
    both = [parted(pictures, share, purpose="holdout") for pictures in sets]
    for pictures, (_, rest) in zip(sets, both, strict=True):
        if not len(rest):
            raise InputError(f"{pictures.name}: holding out {share:g} leaves nothing to train on: set data.holdout=0")
    return joined([held for held, _ in both]), [rest for _, rest in both]
