"""The commands that train, adapt and evaluate. Nothing of PyTorch is imported before one of them runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from render.cli.options import SET

FILE = click.argument("config", type=click.Path(path_type=Path))
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="The run's folder.")


@click.command()
@FILE
@OUT
@SET
def train(config: Path, out: Path, overrides: tuple[str, ...]) -> None:
    """Train a classifier as CONFIG, a YAML file, says.

    OUT becomes the run's folder: the config, a log (JSONL and TensorBoard), checkpoints, results.json and report.html.
    Ctrl-C saves and stops; the same command goes on from there, and on a CPU ends with the very same weights.
    On several GPUs: torchrun --nproc-per-node N --no-python blendmill train CONFIG --out OUT

    Example: blendmill train benchmarks/s2rda/s2rda49.yaml --out runs/49 --set model=resnet18
    """
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    _tell(execute(Classification(), load_training(config, overrides), out), out)


@click.command()
@FILE
@click.option("--method", metavar="NAME", help="How to adapt, e.g. dann.")
@click.option("--source", metavar="DATA", help="Labeled pictures to learn from, in place of CONFIG's.")
@click.option("--target", metavar="DATA", help="Pictures to adapt to; their labels are not read.")
@OUT
@SET
def adapt(
    config: Path, method: str | None, source: str | None, target: str | None, out: Path, overrides: tuple[str, ...]
) -> None:
    """Train a classifier on labeled source pictures and adapt it to unlabeled target pictures.

    As `train`, with the config's data and method replaced by what is given here. DATA may end in @SPLIT: a part of
    it, like photos@adapt or photos@adapt/25%.

    Example: blendmill adapt s2r13.yaml --method mcc --source renders --target photos@adapt --out runs/mcc
    """
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    changes = list(overrides)
    if source:
        changes.append(f"data.source=[{_part(source)}]")
    if target:
        changes.append(f"data.target={_part(target)}")
    if method:
        changes.append(f"method={method}")
    _tell(execute(Classification(), load_training(config, changes), out), out)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--out", type=click.Path(path_type=Path), help="Write the figures here too, a .json file.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--device", default="auto", show_default=True)
def evaluate(run: Path, data: str, out: Path | None, batch: int, device: str) -> None:
    """Evaluate RUN, a run's folder or a checkpoint, on DATA: any labeled pictures, a part of them with @SPLIT.

    Example: blendmill evaluate runs/mcc photos@test --out mcc.json
    """
    from classify.evaluate import evaluate_on

    click.echo(evaluate_on(run, *_split(data), batch=batch, device=device, out=out))


@click.command()
@FILE
@click.option("--vary", multiple=True, metavar="KEY=A,B,…", help="Train with each of these values; may be repeated.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Runs of each, seeds counted on.")
@OUT
@SET
def ablate(config: Path, vary: tuple[str, ...], seeds: int, out: Path, overrides: tuple[str, ...]) -> None:
    """Train CONFIG once for each combination of values, and make one table and one figure of the runs.

    OUT gets a folder for each run, table.md, table.json and figure.png. The same command run again goes on.

    Example: blendmill ablate s2r13.yaml --vary method=source,dann,mcc --seeds 3 --out ablation
    """
    from classify.studies import ablation

    _say(ablation(config, overrides, vary, seeds, out))


@click.command()
@FILE
@click.option("--real", required=True, metavar="DATA", help="Labeled real pictures, to be mixed in or tuned on.")
@click.option("--fractions", default="0,5,10,25,50,100", show_default=True, help="Percent, each part within the next.")
@click.option("--regimes", default="real,mixed,adapted,finetuned", show_default=True, help="Ways of using them.")
@click.option(
    "--share", type=click.FloatRange(0, 1, True, True), default=0.5, show_default=True, help="Real in mixed batches."
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@OUT
@SET
def study(
    config: Path,
    real: str,
    fractions: str,
    regimes: str,
    share: float,
    seeds: int,
    out: Path,
    overrides: tuple[str, ...],
) -> None:
    """How many real pictures are worth how much beside the synthetic ones of CONFIG.

    At each fraction of the real pictures: trained on them alone (real), on both together (mixed), on both and then
    normalized by the target (adapted: AdaBN), on the synthetic and then tuned on the real (finetuned: as many steps
    again). All are tested on CONFIG's data.test. OUT gets a folder for each run, table.md, table.json and figure.png.

    Example: blendmill study s2r13.yaml --real photos@adapt --out study
    """
    from classify.studies import mixing

    _say(mixing(config, overrides, _split(real), fractions, regimes, share, seeds, out))


def _split(data: str) -> tuple[str, str]:
    """DATA@SPLIT in two."""
    where, at, split = data.rpartition("@")
    return (where, split) if at and where and not Path(data).exists() else (data, "all")


def _part(data: str) -> str:
    """DATA@SPLIT as YAML of a config's part."""
    import json

    where, split = _split(data)
    return json.dumps({"where": where, "split": split})


def _tell(results: dict[str, Any], out: Path) -> None:
    chosen = results["selected"]
    figures = "".join(
        f"  {name} {results['test'][name]:.2%}" for name in ("accuracy", "mean_recall") if results["test"]
    )
    _say(f"{out}: step {chosen['step']}, {chosen['statement']}{figures}")


def _say(text: str) -> None:
    """Print what all processes of a run found, once."""
    if os.environ.get("RANK", "0") == "0":
        click.echo(text)
