"""Studies with many runs of one classifier config: ablations, and mixing of real and synthetic pictures."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from classify.config import ClassifyConfig, ImagesConfig, load_training
from classify.task import Classification
from scenes.errors import InputError, choices
from training.data.sources import open_pictures
from training.progress import RunCount
from training.run import execute
from training.tables import Columns, Row, write

REGIMES = ("real", "mixed", "adapted", "finetuned")
COLUMNS = Columns(("accuracy", "mean_recall"), "mean_recall", "mean per-class recall on the test pictures")


def ablation(path: Path, overrides: Sequence[str], vary: Sequence[str], seeds: int, out: Path) -> str:
    """Run a config for each seed and combination of values. vary: "key=a,b,c" each. Returns a Markdown table."""
    axes = [_axis(text) for text in vary]
    points = list(itertools.product(*(values for _, values in axes)))
    count = RunCount(len(points) * seeds)
    rows = []
    for name, values in zip(_folders(points), points, strict=True):
        settings = {key: value for (key, _), value in zip(axes, values, strict=True)}
        config = load_training(path, [*overrides, *(f"{key}={value}" for key, value in settings.items())])
        rows.append(Row(settings, tuple(_seeded(config, seeds, out / name, count))))
    return write(rows, out, axes[-1][0] if axes else None, COLUMNS)


def mixing(
    path: Path,
    overrides: Sequence[str],
    real: tuple[str, str],
    fractions: str,
    regimes: str,
    share: float,
    seeds: int,
    out: Path,
) -> str:
    """Train with each percentage of the real pictures in each regime. Returns a Markdown table.

    real: data and split. share: share of real pictures in mixed batches. Equal runs are made once: at 0 % all regimes
    except `adapted` are the same synthetic run. Source pictures are held out only if checkpoints are selected by them.
    Otherwise a class with a single real picture would have none left for training.
    """
    base, kinds, percents = load_training(path, overrides), _names(regimes), _percents(fractions)
    if base.data.test is None:
        raise InputError(f"{path}: field data.test: a study needs labeled pictures to test on")
    if "adapted" in kinds and base.data.target is None:
        raise InputError(f"{path}: field data.target: the regime 'adapted' needs one; or leave it out of --regimes")
    _refuse_tested(real, base.data.test)
    if base.select_by not in ("source", "dev"):
        base = base.model_copy(update={"data": base.data.model_copy(update={"holdout": 0.0})})
    points = [(regime, percent) for regime in kinds for percent in percents if (regime, percent) != ("real", 0)]
    # A finetuned run starts from the run on synthetic pictures, which is counted separately.
    count = RunCount(seeds * sum(2 if regime == "finetuned" and percent else 1 for regime, percent in points))
    rows = []
    for regime, percent in points:
        results = []
        for seed in range(base.seed, base.seed + seeds):
            config = base.model_copy(update={"seed": seed})
            results.append(_mixed(config, regime, real, percent, share, out, count))
        rows.append(Row({"regime": regime, "real %": f"{percent:g}"}, tuple(results)))
    return write(rows, out, "real %", COLUMNS)


def _refuse_tested(real: tuple[str, str], test: ImagesConfig) -> None:
    """Raise InputError if training pictures are also test pictures."""
    ours, theirs = (open_pictures(where, split=split) for where, split in (real, (test.where, test.split)))
    tested = {Path(theirs.where(i)).resolve() for i in range(len(theirs))}
    common = [place for i in range(len(ours)) if Path(place := ours.where(i)).resolve() in tested]
    if common:
        raise InputError(
            f"--real {real[0]}: {len(common)} of its pictures are also in data.test, such as {common[0]}: "
            "use another part, such as photos@adapt if data.test is photos@test"
        )


def _mixed(
    config: ClassifyConfig,
    regime: str,
    real: tuple[str, str],
    percent: float,
    share: float,
    out: Path,
    count: RunCount,
) -> dict[str, Any]:
    """One run of the mixing study."""
    seed = config.seed
    if percent == 0 and regime != "adapted":
        return _told(config, out / f"synthetic-{seed}", count)
    photos = ImagesConfig(where=real[0], split=real[1] if percent == 100 else f"{real[1]}/{percent:g}%", share=share)
    synthetic = tuple(part.model_copy(update={"share": part.share * (1 - share)}) for part in config.data.source)
    both = (*synthetic, photos) if percent else config.data.source
    sources = {"real": (photos,), "finetuned": (photos,)}.get(regime, both)
    changed: dict[str, Any] = {"data": config.data.model_copy(update={"source": sources})}
    if regime == "finetuned":
        _told(config, out / f"synthetic-{seed}", count)
        changed["weights"] = str(out / f"synthetic-{seed}")
    if regime == "adapted":
        changed["method"] = "adabn"
    # Validated again, because the changed fields must fit together.
    final = ClassifyConfig.model_validate(config.model_copy(update=changed).model_dump())
    return _told(final, out / f"{regime}-{percent:g}-{seed}", count)


def _seeded(config: ClassifyConfig, seeds: int, out: Path, count: RunCount) -> Iterable[dict[str, Any]]:
    for seed in range(config.seed, config.seed + seeds):
        yield _told(config.model_copy(update={"seed": seed}), out.with_name(f"{out.name}-{seed}"), count)


def _told(config: ClassifyConfig, out: Path, count: RunCount) -> dict[str, Any]:
    if config.data.test is None:
        raise InputError("field data.test: runs are compared on labeled test pictures, so they are needed")
    count.begin(out.name)
    return execute(Classification(), config, out)


def _axis(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    if not equals or not key or not all(values.split(",")):
        raise InputError(f"--vary {text}: write key=a,b,c, for example method=source,dann")
    return key, values.split(",")


def _folders(points: Sequence[Sequence[str]]) -> list[str]:
    """A folder for each combination of values. If two would have one name, all have their number in front."""
    names = ["_".join(_plain(value) for value in values) or "run" for values in points]
    return names if len(set(names)) == len(names) else [f"{k}_{name}" for k, name in enumerate(names, start=1)]


def _plain(value: str) -> str:
    """A value as a part of a folder's name that no shell takes for an option: `[{where: mine}]` is where-mine."""
    return re.sub(r"[^A-Za-z0-9+.]+", "-", value).strip("-.")[:60]


def _names(regimes: str) -> list[str]:
    names = [name.strip() for name in regimes.split(",")]
    for name in names:
        if name not in REGIMES:
            raise InputError(f"--regimes {regimes}: no regime '{name}', {choices(name, REGIMES)}")
    return names


def _percents(fractions: str) -> list[float]:
    try:
        percents = [float(text) for text in fractions.split(",")]
    except ValueError:
        percents = [-1.0]
    if not all(0 <= percent <= 100 for percent in percents):
        raise InputError(f"--fractions {fractions}: write percentages, for example 0,5,10,25,50,100")
    return sorted(set(percents))
