"""Which distributions move, where to, and what that is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from classify.ablation.statistics import holm
from classify.tune.domains import Array, Domains
from classify.tune.factors import Place, Table
from classify.tune.judging import SIGNIFICANT, Judge, Verdict, intervals
from classify.tune.matching import Gain, Match, effective
from classify.tune.measures import DISTANCE, Measure
from classify.tune.rounds import Draw, Rounds, search_on
from classify.tune.rounds import as_json as rounds_as_json
from classify.tune.writing import flow
from scenes.distributions import Distribution
from scenes.pieces import piece_text
from training.progress import counted

SCREENED = 0.05
"""Below this p, a place is a candidate."""


@dataclass(frozen=True)
class Moved:
    """A place that moves.

    holm: its p, corrected for all candidates. after: shares (b,) of its pieces. low, high: (b,) their intervals. worth:
    of this place alone, for the classes that it touches.
    """

    place: Place
    gain: Gain
    holm: float
    after: Array
    low: Array
    high: Array
    worth: Verdict

    @property
    def distribution(self) -> Distribution:
        """What the place is drawn from now."""
        return self.place.pieces.weighted(self.after.tolist())

    def means(self) -> tuple[float, float] | None:
        """The mean of the values before and after; None where they are no numbers."""
        if not self.place.pieces.numeric:
            return None
        middles = np.array(self.place.pieces.middles, np.float64)
        return float(self.place.pieces.shares @ middles), float(self.after @ middles)

    def most(self, count: int = 3) -> list[str]:
        """The pieces whose share changes most, in words: "0 to 10: 25 % -> 41 % (33 % to 48 %)"."""
        before = self.place.pieces.shares
        order = np.argsort(-np.abs(self.after - before), kind="stable")[:count]
        return [
            f"{piece_text(self.place.pieces.pieces[i])}: {before[i]:.0%} -> {self.after[i]:.0%} "
            f"({self.low[i]:.0%} to {self.high[i]:.0%})"
            for i in order.tolist()
        ]

    def comment(self) -> tuple[str, ...]:
        """Lines for the config: what it was, what moved, and how sure that is."""
        means = self.means()
        return (
            f"Was {flow(self.place.pieces.whole.plain())}",
            *([f"Mean {means[0]:.4g} -> {means[1]:.4g}"] if means else []),
            f"Shares, with 95 % intervals: {'; '.join(self.most())}",
            f"p {self.holm:.2g} after Holm's correction; photographs held back: {worth_text(self.worth)}",
        )


@dataclass(frozen=True)
class Refused:
    """A candidate that the photographs held back do not confirm."""

    place: Place
    gain: Gain
    holm: float
    worth: Verdict


@dataclass(frozen=True)
class Outcome:
    """What tuning gives.

    stayed: places that are no candidates. worth: of all that is confirmed, together; None if nothing is. match: of what
    moved. weights: (n,) of the renders of the pilot. effective: by class, the effective number of renders as a share of
    those of the pilot. rounds: that were drawn after matching, if any. measure: what was to become less.
    """

    moved: tuple[Moved, ...]
    refused: tuple[Refused, ...]
    stayed: tuple[tuple[Place, Gain], ...]
    worth: Verdict | None
    match: Match
    weights: Array
    effective: dict[int, float]
    rounds: Rounds | None = None
    measure: Measure = DISTANCE

    @property
    def strength(self) -> float:
        """Less than 1 if the places move less far than the photographs say, because too few effective renders would be
        left."""
        return self.match.strength


class Criterion(Protocol):
    """By what places are judged. Rows are those of the table of pieces; advance is called with 1 for each place."""

    @property
    def measure(self) -> Measure:
        """What is to become less."""

    def gains(self, advance: Callable[[int], object]) -> list[Gain]:
        """What each place gains, by the photographs to learn from."""

    def alone(self, rows: Sequence[int], advance: Callable[[int], object]) -> list[Verdict]:
        """What the photographs held back say of each of some places."""

    def together(self, rows: Sequence[int]) -> Verdict:
        """What they say of some places that move together."""

    def match(self, rows: Sequence[int]) -> Match:
        """The ratios of some places that move together, with renders enough left of each class."""

    def intervals(self, match: Match, advance: Callable[[int], object]) -> list[tuple[Array, Array]]:
        """The interval of the ratios of each place of a match: low (b,) and high (b,)."""


def decide(learned: Domains, held: Domains, table: Table, floor: float, least: float) -> Outcome:
    """Tune the places of a table.

    The photographs to learn from say which places are candidates. A candidate moves if it brings the renders nearer to
    the photographs held back, significantly after Holm's correction for all candidates. What moves must do so together,
    too; otherwise nothing moves.

    Parameters
    ----------
    learned, held : Domains
        The same renders, with the photographs to learn from and with those that judge.
    table : Table
        The pieces of the renders.
    floor : float
        Share of each distribution that stays as it was.
    least : float
        Effective number of renders that each class keeps, as a share of its renders.
    """
    return outcome_of(Judge(learned, held, table, floor, least), table, learned.labels)


def outcome_of(criterion: Criterion, table: Table, labels: NDArray[np.int64]) -> Outcome:
    """What moves by a criterion. table: the pieces of the renders, of the classes `labels` (n,)."""
    with counted("effects of factors", len(table.places)) as advance:
        found = criterion.gains(advance)
    rows = [row for row, gain in enumerate(found) if gain.p < SCREENED]
    stayed = tuple((place, gain) for place, gain in zip(table.places, found, strict=True) if gain.p >= SCREENED)
    with counted("candidates judged", len(rows)) as advance:
        worth = criterion.alone(rows, advance)
    corrected = holm([one.p for one in worth])
    confirmed = [row for row, p in zip(rows, corrected, strict=True) if p < SIGNIFICANT]
    total = criterion.together(confirmed) if confirmed else None
    moving = confirmed if total is not None and total.change < 0 else []
    match = criterion.match(moving)
    with counted("intervals of factors", len(moving)) as advance:
        spans = criterion.intervals(match, advance)
    known = {row: (table.places[row], found[row], p, one) for row, p, one in zip(rows, corrected, worth, strict=True)}
    moved = []
    for row, ratio, span in zip(match.rows, match.ratios, spans, strict=True):
        place, gain, p, one = known[row]
        moved.append(Moved(place, gain, p, *_shares(place, match, ratio, span), one))
    refused = tuple(Refused(*known[row]) for row in rows if row not in moving)
    weights = match.weights(table)
    held = effective(weights, labels)
    return Outcome(tuple(moved), refused, stayed, total, match, weights, held, measure=criterion.measure)


def go_on(
    outcome: Outcome, learned: Domains, held: Domains, table: Table, count: int, least: float, seed: int, draw: Draw
) -> Outcome:
    """Draw rounds with the places that moved, and take the shares of the round that the photographs held back confirm.

    If they confirm none, nothing moves: what the pilot promised did not come true. outcome: of `decide`, with the same
    pictures. The other arguments are those of `search_on`.
    """
    rows = list(outcome.match.rows)
    moving = Table(tuple(table.places[row] for row in rows), table.pieces[rows])
    start = replace(outcome.match, rows=tuple(range(len(rows))))
    rounds = search_on(learned, held, moving, start, count, least, seed, draw)
    best = rounds.best
    if best is None:
        still = replace(outcome.match, rows=(), ratios=())
        weights = np.ones(len(outcome.weights))
        return replace(
            outcome,
            moved=(),
            worth=rounds.rounds[-1].worth,
            match=still,
            weights=weights,
            effective=effective(weights, learned.labels),
            rounds=rounds,
        )
    match, pool = best.drawn.match, rounds.pool
    with counted("intervals of factors", len(rows)) as advance:
        spans = intervals(pool.domains, pool.table, match, pool.untuned, advance)
    moved = []
    for one, ratio, span in zip(outcome.moved, match.ratios, spans, strict=True):
        after, low, high = _shares(one.place, match, ratio, span)
        moved.append(replace(one, after=after, low=low, high=high))
    shares = pool.effective(pool.weights(match)[None])[0].tolist()
    return replace(
        outcome,
        moved=tuple(moved),
        worth=best.worth,
        match=replace(match, rows=outcome.match.rows),
        weights=match.weights(moving),
        effective=dict(zip(pool.classes.tolist(), shares, strict=True)),
        rounds=rounds,
    )


def _shares(place: Place, match: Match, ratio: Array, span: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    """The shares of a place's pieces, and the ends of their intervals."""
    after, low, high = (place.pieces.shares * match.tilt(each) for each in (ratio, *span))
    return after, low, high


def worth_text(worth: Verdict) -> str:
    """A verdict in words: its measure without and with tuning, and the interval of the difference."""
    sure = "" if worth.sure else ", which contains 0"
    return (
        f"{worth.measure.name} {worth.untuned:.4f} -> {worth.tuned:.4f}, difference {worth.change:+.4f} "
        f"({worth.low:+.4f} to {worth.high:+.4f}{sure})"
    )


def as_json(outcome: Outcome, classes: tuple[str, ...]) -> dict[str, Any]:
    """The outcome as JSON data."""
    return {
        "moved": [
            {
                **_effect(moved.place, moved.gain),
                "held_back": _verdict(moved.worth, moved.holm),
                "from": moved.place.pieces.whole.plain(),
                "to": moved.distribution.plain(),
                "shares": [
                    {"of": piece.of.plain(), "before": piece.share, "after": after, "low": low, "high": high}
                    for piece, after, low, high in zip(
                        moved.place.pieces.pieces,
                        *(np.round(each, 4).tolist() for each in (moved.after, moved.low, moved.high)),
                        strict=True,
                    )
                ],
            }
            for moved in outcome.moved
        ],
        "refused": [
            {**_effect(one.place, one.gain), "held_back": _verdict(one.worth, one.holm)} for one in outcome.refused
        ],
        "stayed": [_effect(place, gain) for place, gain in outcome.stayed],
        "held_back": None if outcome.worth is None else _verdict(outcome.worth),
        "effective": {classes[label]: round(share, 4) for label, share in outcome.effective.items()},
        "strength": round(outcome.strength, 4),
        **({} if outcome.rounds is None else rounds_as_json(outcome.rounds)),
    }


def _effect(place: Place, gain: Gain) -> dict[str, Any]:
    return {"factor": place.name, "change": gain.mean, "error": gain.error, "p": gain.p}


def _verdict(worth: Verdict, corrected: float | None = None) -> dict[str, Any]:
    found = {"untuned": worth.untuned, "tuned": worth.tuned, "change": worth.change, "low": worth.low}
    found |= {"high": worth.high, "p": worth.p}
    return found if corrected is None else {**found, "holm": corrected}
