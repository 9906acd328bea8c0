"""The sets of pictures that a training config names, opened and checked against each other."""

from __future__ import annotations

from dataclasses import dataclass

from classify.config import Part, TrainConfig
from render.renderer import open_sampler
from scenes.config.loading import AnyConfig, load_config
from scenes.errors import InputError
from training.data.pictures import Pictures, fingerprint, joined, require_labels, unlabelled
from training.data.sources import open_pictures
from training.data.splits import parted


@dataclass(frozen=True)
class Datasets:
    """source: parts with the share each has of a batch; none where `render` is drawn instead, with the run's seed.

    target: without labels, None where there is none.
    validation: labelled, like the source, not trained on; None where nothing is held out. test: labelled target
    pictures, for figures alone. classes: of all of them, in the order of the labels.
    """

    source: tuple[tuple[Pictures, float], ...]
    render: AnyConfig | None
    target: Pictures | None
    validation: Pictures | None
    test: Pictures | None
    classes: tuple[str, ...]

    def digests(self) -> dict[str, str]:
        """Of each set, to know it by again."""
        parts = {"target": self.target, "validation": self.validation, "test": self.test}
        found = {name: pictures.digest for name, pictures in parts.items() if pictures is not None}
        drawn = None if self.render is None else self.render.model_dump_json()
        return {"source": fingerprint(drawn, *((p.digest, share) for p, share in self.source)), **found}

    @property
    def longest(self) -> int:
        """Pictures in the larger of the two domains, an epoch is a pass over them; an endless source does not count."""
        source = sum(len(pictures) for pictures, _ in self.source)
        return max(source, len(self.target) if self.target is not None else 0)


def open_part(part: Part, classes: tuple[str, ...] | None, labels: bool = True) -> Pictures:
    """The pictures a part names; labels: whether they are learned from or tested on. Raises InputError: one line."""
    pictures = open_pictures(
        part.where,
        classes,
        split=part.split,
        labels=labels,
        rename=part.rename,
        margin=part.margin,
        seed=part.split_seed,
    )
    if labels:
        require_labels(pictures)
    return pictures


def open_datasets(config: TrainConfig) -> Datasets:
    """All sets that the config names. Raises InputError: one line."""
    data, blind = config.data, config.method == "simclr"
    if data.regime == "stream":
        return _streamed(config)
    first = open_part(data.source[0], config.classes or None, labels=not blind)
    # What is learned without labels may have no classes; a network has a head all the same.
    classes = tuple(config.classes or first.classes) or ("picture",)
    opened = [first, *(open_part(part, classes, labels=not blind) for part in data.source[1:])]
    held, rest = _held_out(opened, 0.0 if blind or data.validation else data.holdout)
    target = open_part(data.target, classes, labels=False) if data.target else None
    if blind and target is None:
        target = joined([unlabelled(pictures, classes) for pictures in rest])
    return Datasets(
        source=tuple((pictures, part.share) for pictures, part in zip(rest, data.source, strict=True)),
        render=None,
        target=target,
        validation=open_part(data.validation, classes) if data.validation else held,
        test=open_part(data.test, classes) if data.test else None,
        classes=classes,
    )


def _streamed(config: TrainConfig) -> Datasets:
    """Those of a run whose source is drawn while it is trained on."""
    data = config.data
    if len(data.source) > 1:
        raise InputError("field data.source: a stream has one source, a render config; or write regime: fixed")
    render = load_config(data.source[0].where)
    classes = open_sampler(render).classes
    if config.classes and config.classes != classes:
        raise InputError(f"field classes: {data.source[0].where} draws {', '.join(classes)}: write these")
    return Datasets(
        source=(),
        render=render,
        target=open_part(data.target, classes, labels=False) if data.target else None,
        validation=open_part(data.validation, classes) if data.validation else None,
        test=open_part(data.test, classes) if data.test else None,
        classes=classes,
    )


def _held_out(sets: list[Pictures], share: float) -> tuple[Pictures | None, list[Pictures]]:
    """A share of each class of each set, together, and what is left of each set."""
    if not share:
        return None, sets
    both = [parted(pictures, share, purpose="holdout") for pictures in sets]
    for pictures, (_, rest) in zip(sets, both, strict=True):
        if not len(rest):
            raise InputError(f"{pictures.name}: holding out {share:g} leaves nothing to train on: set data.holdout=0")
    return joined([held for held, _ in both]), [rest for _, rest in both]
