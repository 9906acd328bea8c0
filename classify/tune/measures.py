"""By what renders are judged, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """Less of it is better. name: of the quantity. helps: what a factor does that makes it less. note: what it is."""

    name: str
    helps: str
    note: str


DISTANCE = Measure(
    "distance",
    "brings the renders nearer to the photographs",
    "The distance is the unbiased squared kernel distance in feature space, the mean of the classes.",
)

INFORMATION = Measure(
    "missing information",
    "lets a classifier tell more of the photographs",
    "A linear classifier learns from the renders. Missing information is what its predictions on the photographs lack "
    "of log(classes), in nats: the more, the less sure it is of single photographs, or the fewer classes it names. "
    "That it is surer does not prove that it is right.",
)
