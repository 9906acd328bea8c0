"""The sets of pictures that a run learns from, is chosen by and is tested on, opened by its task."""

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

    share: its part of each batch, relative to the other sources. dealt_by: labels (N,) whose classes are dealt in turn;
    None to deal all pictures alike.
    """

    pictures: D_co
    share: float
    dealt_by: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Drawn:
    """A source that is drawn while it is trained on.

    config: all that its pictures depend on beside the run's seed. open: its batches, from their size.
    """

    config: str
    open: Callable[[int], Batches]


@dataclass(frozen=True)
class Datasets(Generic[D_co]):
    """source: sets to learn from; none where `drawn` takes their place.

    target: without labels, None where there is none. validation: labeled, like the source, not trained on; None where
    nothing is held out. test: labeled target pictures, for figures alone. classes: of all of them, in the order of the
    labels.
    """

    source: tuple[Source[D_co], ...]
    drawn: Drawn | None
    target: D_co | None
    validation: D_co | None
    test: D_co | None
    classes: tuple[str, ...]

    def digests(self) -> dict[str, str]:
        """Of each set, to know it by again."""
        parts = {"target": self.target, "validation": self.validation, "test": self.test}
        found = {name: pictures.digest for name, pictures in parts.items() if pictures is not None}
        drawn = None if self.drawn is None else self.drawn.config
        return {"source": fingerprint(drawn, *((s.pictures.digest, s.share) for s in self.source)), **found}

    @property
    def longest(self) -> int:
        """Pictures in the larger of the two domains, an epoch is a pass over them; an endless source does not count."""
        source = sum(len(part.pictures) for part in self.source)
        return max(source, len(self.target) if self.target is not None else 0)
