"""Pictures that were drawn with several shares of the pieces, pooled, so that they tell of any other shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from classify.tune.domains import Array, Domains
from classify.tune.factors import Table
from classify.tune.matching import Match


@dataclass(frozen=True)
class Drawn:
    """Pictures that were drawn with the shares of a match. vectors: (n, d). labels: (n,) their classes. pieces: (p, n)
    int16, of each place of the match, -1 where a picture has not the factor."""

    match: Match
    vectors: Array
    labels: NDArray[np.int64]
    pieces: NDArray[np.int16]


@dataclass(frozen=True)
class Pool:
    """Pictures of several draws. matches: what each draw was made with. draw: (n,) the draw of each picture. table: of
    the places that move. domains: the pictures, with the photographs to learn from."""

    domains: Domains
    table: Table
    matches: tuple[Match, ...]
    draw: NDArray[np.int64]

    @classmethod
    def of(cls, photos: Domains, table: Table, drawn: Sequence[Drawn]) -> Pool:
        """The pictures of some draws. photos: whose photographs count. table: whose places move."""
        return cls(
            Domains(
                np.concatenate([each.vectors for each in drawn]),
                np.concatenate([each.labels for each in drawn]),
                photos.photos,
                photos.beliefs,
            ),
            Table(table.places, np.concatenate([each.pieces for each in drawn], axis=1)),
            tuple(each.match for each in drawn),
            np.repeat(np.arange(len(drawn)), [len(each.labels) for each in drawn]),
        )

    @cached_property
    def untuned(self) -> Array:
        """(n,) the weights with which the pictures stand for the untuned config.

        Each picture counts as one of all draws together: the balance heuristic of Veach and Guibas (Optimally Combining
        Sampling Techniques, SIGGRAPH 1995). So no weight gets larger than the share of the draw that fits allows.
        """
        shares = np.bincount(self.draw, minlength=len(self.matches)) / len(self.draw)
        return 1 / (shares @ np.stack([match.weights(self.table) for match in self.matches]))

    def weights(self, match: Match) -> Array:
        """(n,) the weights with which the pictures stand for the shares of a match."""
        return self.untuned * match.weights(self.table)

    def effective(self, weights: Array) -> Array:
        """(w, k) the effective number of pictures of each class with weights (w, n), as a share of its pictures in the
        first draw: (sum w)^2 / (m sum w^2). k: the classes of the first draw, in their order."""
        labels = self.domains.labels
        member = (labels[:, None] == self.classes).astype(np.float64)
        return (weights @ member) ** 2 / (weights**2 @ member) / member[self.draw == 0].sum(axis=0)

    @property
    def classes(self) -> NDArray[np.int64]:
        """(k,) the classes of the pictures of the first draw."""
        return np.unique(self.domains.labels[self.draw == 0])
