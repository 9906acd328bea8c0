"""Designs: which variants are combined in which runs, and what the runs say about each factor."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from scipy.linalg import hadamard

from classify.ablation.study import Study

BASE = "base"
"""The name of the combination in which no factor has a variant."""

Arm = tuple[tuple[str, str], ...]
"""A combination: factors with their variants, in the order of the study. A factor without one is as in the base."""


@dataclass(frozen=True)
class Comparison:
    """A difference between combinations: the sum of their figures, each times its weight. Weights sum to 0.

    name: for people. factor, variant: what is compared.
    """

    name: str
    factor: str
    variant: str
    weights: Mapping[Arm, float]


@dataclass(frozen=True)
class Design:
    """All combinations of a study, the base first where it is one of them, and what is compared."""

    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]


def named(arm: Arm) -> str:
    """The name of a combination, such as "scale 1.5, light high"."""
    return ", ".join(f"{factor} {variant}" for factor, variant in arm) or BASE


def design(study: Study) -> Design:
    """The combinations of a study and its comparisons."""
    variants = {name: list(given) for name, given in study.factors.items()}
    match study.design:
        case "one_at_a_time":
            return _one_at_a_time(variants, study.crossed)
        case "leave_one_out":
            return _leave_one_out(variants)
        case "factorial":
            arms = _combinations({name: [None, *given] for name, given in variants.items()})
            return Design(arms, tuple(_main_effects(arms, variants)))
        case "fractional":
            arms = _fraction(variants)
            return Design(arms, tuple(_main_effects(arms, variants)))
    arms = _combinations(variants)
    others = (_difference(f"{named(arm)} against {named(arms[0])}", arm, arms[0]) for arm in arms[1:])
    return Design(arms, tuple(others))


def _one_at_a_time(variants: Mapping[str, Sequence[str]], crossed: Sequence[str]) -> Design:
    alone: list[Arm] = [((name, variant),) for name, given in variants.items() for variant in given]
    apart = {name: [None, *variants[name]] for name in crossed}
    crossing = _combinations(apart) if crossed else ()
    arms = tuple(dict.fromkeys([(), *alone, *crossing]))
    comparisons = [_difference(named(arm), arm, ()) for arm in alone]
    effects = _main_effects(crossing, {name: variants[name] for name in crossed})
    return Design(arms, (*comparisons, *effects))


def _leave_one_out(variants: Mapping[str, Sequence[str]]) -> Design:
    full: Arm = tuple((name, given[0]) for name, given in variants.items())
    without = {name: tuple(pair for pair in full if pair[0] != name) for name in variants}
    comparisons = tuple(
        Comparison(f"{name} {given[0]}, with all others", name, given[0], {full: 1.0, without[name]: -1.0})
        for name, given in variants.items()
    )
    return Design((full, *without.values()), comparisons)


def _fraction(variants: Mapping[str, Sequence[str]]) -> tuple[Arm, ...]:
    """A folded-over Hadamard design (resolution IV): 2 n runs for up to n factors, n a power of two.

    No main effect is mixed up with another one, or with an interaction of two factors (Box, Hunter and Hunter,
    Statistics for Experimenters, chapter 6).
    """
    rows = 1
    while rows < len(variants):
        rows *= 2
    signs = hadamard(rows)[:, : len(variants)]
    return tuple(
        tuple((name, given[0]) for (name, given), on in zip(variants.items(), row, strict=True) if on > 0)
        for row in (*-signs, *signs)
    )


def _combinations(values: Mapping[str, Sequence[str | None]]) -> tuple[Arm, ...]:
    return tuple(
        tuple((name, value) for name, value in zip(values, point, strict=True) if value is not None)
        for point in itertools.product(*values.values())
    )


def _main_effects(arms: Iterable[Arm], variants: Mapping[str, Sequence[str]]) -> list[Comparison]:
    """For each variant: the mean with it, less the mean with the base's value of this factor, over all the others."""
    known, found = list(arms), []
    for name, given in variants.items():
        low = [arm for arm in known if name not in dict(arm)]
        for variant in given:
            high = [arm for arm in known if dict(arm).get(name) == variant]
            weights = {**dict.fromkeys(low, -1 / len(low)), **dict.fromkeys(high, 1 / len(high))}
            found.append(Comparison(f"{name} {variant}, mean over the others", name, variant, weights))
    return found


def _difference(name: str, arm: Arm, other: Arm) -> Comparison:
    changed = [pair for pair in arm if pair not in other]
    factor, variant = changed[0] if len(changed) == 1 else (named(arm), "")
    return Comparison(name, factor, variant, {arm: 1.0, other: -1.0})


def published_difference(comparison: Comparison, figures: Mapping[str, float]) -> float | None:
    """What a comparison gives with the figures of others, by combination; None where one of them is missing."""
    names = {named(arm): weight for arm, weight in comparison.weights.items()}
    if not names.keys() <= figures.keys():
        return None
    return sum(weight * figures[name] for name, weight in names.items())


def importance(effects: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """By factor: the mean size of its effects, the largest first. effects: by factor, one for each variant."""
    sizes = {name: mean(abs(value) for value in values) for name, values in effects.items() if values}
    return dict(sorted(sizes.items(), key=lambda pair: -pair[1]))
