"""Scores of versions of the data over time: a line for each in a file, and whether the last one has fallen."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scenes.errors import InputError, choices, shortened
from scenes.files import read_regular
from scenes.outputs import written
from scenes.plain_json import parse_json

_LARGEST = 1 << 24
"""Bytes of a file of scores."""


class Version(BaseModel):
    """A line of the file: the score of the runs on one version of the data.

    spread: the standard deviation of the runs; of a single run, half of its bootstrap interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: str = Field(min_length=1, max_length=200)
    score: str
    value: float
    spread: float = Field(ge=0)
    runs: tuple[float, ...]


def scored(version: str, score: str, runs: Sequence[Path]) -> Version:
    """The score of a version by the results of runs on it, such as the same training with several seeds.

    Raises InputError where a run is not finished or was not tested, or a single run does not tell its spread.
    """
    tests = [_test(run, score) for run in runs]
    values = [float(test[score]) for test in tests]
    if len(values) > 1:
        spread = stdev(values)
    else:
        interval = tests[0].get("intervals", {}).get(score)
        if interval is None:
            raise InputError(f"{runs[0]}: one run does not tell how {score} spreads; give runs of two seeds or more")
        spread = (interval[1] - interval[0]) / 2
    return Version(version=version, score=score, value=mean(values), spread=spread, runs=tuple(values))


def _test(run: Path, score: str) -> Mapping[str, Any]:
    from training.run_folder import Folder  # which loads PyTorch; a page that shows scores needs none

    results = Folder(run).results()
    if results is None:
        raise InputError(f"{run}: not a finished run: there is no results.json")
    test = results.get("test")
    if not isinstance(test, dict):
        raise InputError(f"{run}: was not tested; give its config data.test")
    known = [name for name, value in test.items() if isinstance(value, int | float)]
    if score not in known:
        raise InputError(f"{run}: there is no score '{shortened(score)}', {choices(score, known)}")
    return test


def history(file: Path) -> list[Version]:
    """The versions in a file, in their order; none where there is no file. Raises InputError for a damaged line."""
    if not file.exists():
        return []
    found = []
    for number, line in enumerate(read_regular(file, _LARGEST).splitlines(), start=1):
        try:
            found.append(Version.model_validate(parse_json(line, f"{file}: line {number}")))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"]))
            raise InputError(f"{file}: line {number}: field {field}: {first['msg']}; correct or delete it") from None
    return found


def add(file: Path, version: Version) -> Version | None:
    """Add a version to a file. Returns the version before it that has the same score; None where it is the first.

    Raises InputError where the file has this version already.
    """
    before = [one for one in history(file) if one.score == version.score]
    if any(one.version == version.version for one in before):
        raise InputError(f"{file}: version '{shortened(version.version)}' is there already; give another name")
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    with written(file) as temporary:
        temporary.write_text(f"{text}{json.dumps(version.model_dump())}\n", encoding="utf-8")
    return before[-1] if before else None


def fell(before: Version, now: Version) -> bool:
    """Whether the score has fallen by more than the larger of both spreads."""
    return before.value - now.value > max(before.spread, now.spread)
