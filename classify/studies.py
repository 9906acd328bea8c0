"""The study of mixing: real pictures in parts, beside synthetic ones, in one table."""

from __future__ import annotations

from collections.abc import Sequence
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


def _told(config: ClassifyConfig, out: Path, count: RunCount) -> dict[str, Any]:
    if config.data.test is None:
        raise InputError("field data.test: runs are compared on labeled test pictures, so they are needed")
    count.begin(out.name)
    return execute(Classification(), config, out)


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
