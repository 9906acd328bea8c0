"""The sets of pictures of a run: for training, validation and test. The task opens them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.data.loader import Batches
from training.data.pictures import SampleSet, fingerprint

D_co = TypeVar("D_co", bound=SampleSet, covariant=True)


class Source(NamedTuple, Generic[D_co]):
    """A set to learn from.

    share: share of this source in each batch, relative to the other sources. dealt_by: labels (N,) int64 for sampling
    that takes the classes in turn; None to sample all pictures alike.
    """

    pictures: D_co
    share: float
    dealt_by: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Drawn:
    """A source whose pictures are rendered during training.

    config: the render config, as text. With the seed of the run it decides all pictures. open: returns the batches for
    a batch size.
    """

    config: str
    open: Callable[[int], Batches]


@dataclass(frozen=True)
class Datasets(Generic[D_co]):
    """The opened sets of a run.

    source: sets to learn from; empty if `drawn` replaces them. target: pictures without labels, or None. validation:
    labeled pictures like the source that are not trained on, or None. test: labeled target pictures, only for figures,
    or None. classes: the class names of all sets, in the order of the labels.
    """

    source: tuple[Source[D_co], ...]
    drawn: Drawn | None
    target: D_co | None
    validation: D_co | None
    test: D_co | None
    classes: tuple[str, ...]

    def digests(self) -> dict[str, str]:
        """A hash of each set, to detect changed data."""
        parts = {"target": self.target, "validation": self.validation, "test": self.test}
        found = {name: pictures.digest for name, pictures in parts.items() if pictures is not None}
        drawn = None if self.drawn is None else self.drawn.config
        return {"source": fingerprint(drawn, *((s.pictures.digest, s.share) for s in self.source)), **found}

    @property
    def longest(self) -> int:
        """Number of pictures in the larger domain; an epoch is one pass over it. A rendered source does not count."""
        source = sum(len(part.pictures) for part in self.source)
        return max(source, len(self.target) if self.target is not None else 0)
