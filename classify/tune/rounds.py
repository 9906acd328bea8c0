"""Rounds: new pictures are drawn with what a search proposes, measured, and the search goes on with them, too.

Renders that are there can be weighed, but they say little of pictures that they seldom show. So a round draws some with
the shares found so far. Kar et al. learn the parameters of a renderer from the distance of its pictures in a feature
space (Meta-Sim: Learning to Generate Synthetic Datasets, ICCV 2019). Behl et al. ask a cheap model what new pictures
would give, so that few must be drawn (AutoSimulate: (Quickly) Learning Synthetic Data Generation, ECCV 2020). Here the
weighted pictures of all rounds are this model, so no picture is drawn in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from classify.ablation.statistics import holm
from classify.tune.domains import FEWEST_RENDERS, Domains
from classify.tune.factors import Table
from classify.tune.judging import SIGNIFICANT, Verdict, compared
from classify.tune.matching import Match
from classify.tune.pool import Drawn, Pool
from classify.tune.search import search
from scenes.errors import InputError

Propose = Callable[[], Match]
Draw = Callable[[int, Propose], Drawn]
"""Draws the pictures of a round, counted from 1. What it proposes is asked for only where the round is new."""


@dataclass(frozen=True)
class Round:
    """A round that was drawn.

    drawn: its pictures. promised: their distance from the photographs to learn from, as the pictures before say.
    measured: as they are. worth: against the pilot, by the photographs that were held back.
    """

    drawn: Drawn
    promised: float
    measured: float
    worth: Verdict


@dataclass(frozen=True)
class Rounds:
    """All rounds. pool: their pictures, with those of the pilot. holm: for the first and the last round, the p of their
    worth after Holm's correction. adopted: the round whose shares are taken, counted from 1; 0 if none is."""

    rounds: tuple[Round, ...]
    pool: Pool
    holm: dict[int, float]
    adopted: int

    @property
    def best(self) -> Round | None:
        """The round that is adopted."""
        return self.rounds[self.adopted - 1] if self.adopted else None


def search_on(
    learned: Domains, held: Domains, table: Table, start: Match, count: int, least: float, seed: int, draw: Draw
) -> Rounds:
    """Draw rounds. The first has the shares of `start`, the others those that a search in the pictures so far finds.

    The last round is adopted if its pictures are surely nearer to the photographs held back than the pilot's, and are
    no farther than those of the first round. Otherwise the first is adopted if its pictures are surely nearer than the
    pilot's.

    Parameters
    ----------
    learned, held : Domains
        The pilot, with the photographs to learn from and with those that judge.
    table : Table
        The pieces of the pilot's pictures, of the places that move.
    start : Match
        What matching says of these places.
    count : int
        Number of rounds, at least 1.
    least : float
        Effective number of renders that each class keeps, as a share of its renders in the pilot.
    seed : int
        Of the search.
    draw : Draw
        Draws a round.
    """
    untuned = Match(start.rows, tuple(np.ones_like(ratio) for ratio in start.ratios), start.floor)
    draws = [Drawn(untuned, learned.renders, learned.labels, table.pieces)]
    pool, match = Pool.of(learned, table, draws), start
    rounds: list[Round] = []
    for number in range(1, count + 1):
        drawn = draw(number, partial(search, pool, match, least, seed + number) if rounds else lambda: start)
        match = drawn.match
        promised = pool.domains.distance(pool.weights(match))
        own = Domains(drawn.vectors, drawn.labels, learned.photos, learned.beliefs)
        rounds.append(Round(drawn, promised, own.distance(np.ones(len(drawn.labels))), _worth(held, drawn)))
        draws.append(drawn)
        pool = Pool.of(learned, table, draws)
    return Rounds(tuple(rounds), pool, *_adopted(rounds))


def _worth(held: Domains, drawn: Drawn) -> Verdict:
    """The pictures of a round against those of the pilot, in the classes of which both have enough."""
    labels = np.concatenate([held.labels, drawn.labels])
    enough = [
        label
        for label in held.groups
        if min((held.labels == label).sum(), (drawn.labels == label).sum()) >= FEWEST_RENDERS
    ]
    if not enough:
        raise InputError(f"--round-images: {len(drawn.labels)} pictures are too few to judge a round; give more")
    both = Domains(np.concatenate([held.renders, drawn.vectors]), labels, held.photos, held.beliefs)
    both = both.part(np.isin(labels, enough), np.ones(len(held.photos), bool))
    pilot = (np.arange(len(labels)) < len(held.labels))[np.isin(labels, enough)].astype(np.float64)
    return compared(both, pilot, 1 - pilot)


def _adopted(rounds: Sequence[Round]) -> tuple[dict[int, float], int]:
    """The corrected p of the rounds that may be adopted, and the one that is."""
    candidates = sorted({1, len(rounds)})
    corrected = dict(zip(candidates, holm([rounds[k - 1].worth.p for k in candidates]), strict=True))
    first, last = rounds[0].worth, rounds[-1].worth
    if corrected[len(rounds)] < SIGNIFICANT and last.tuned <= first.tuned:
        return corrected, len(rounds)
    return corrected, 1 if corrected[1] < SIGNIFICANT else 0


def as_json(found: Rounds) -> dict[str, Any]:
    """The rounds as JSON data."""
    return {
        "round_adopted": found.adopted,
        "rounds": [
            {
                "pictures": len(one.drawn.labels),
                "promised": one.promised,
                "measured": one.measured,
                "held_back": {"distance": one.worth.tuned, "change": one.worth.change, "low": one.worth.low,
                              "high": one.worth.high, "p": one.worth.p, "holm": found.holm.get(number)},
            }
            for number, one in enumerate(found.rounds, 1)
        ],
    }  # fmt: skip
