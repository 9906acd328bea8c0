"""The commands that train, adapt and evaluate classifiers. PyTorch is imported only when one of them runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from render.cli.options import SET
from training.parts import part, split_of

FILE = click.argument("config", type=click.Path(path_type=Path))
FITS = ("crop", "pad", "squash")
OUT = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the output.")


@click.command()
@FILE
@OUT
@SET
def train(config: Path, out: Path, overrides: tuple[str, ...]) -> None:
    """Train a classifier with the settings of CONFIG, a YAML file.

    OUT becomes the folder of the run. It holds the config, a log (JSONL and TensorBoard), checkpoints, results.json and
    report.html. Ctrl-C saves a checkpoint and stops. The same command then resumes the run. On a CPU the resumed run
    ends with exactly the same weights as an uninterrupted one.
    On several GPUs: torchrun --nproc-per-node N --no-python blendmill train CONFIG --out OUT

    Example: blendmill train benchmarks/s2rda/s2rda49.yaml --out runs/49 --set model=resnet18
    """
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    _tell(execute(Classification(), load_training(config, overrides), out), out)


@click.command()
@FILE
@click.option("--method", metavar="NAME", help="Adaptation method, such as dann. By default CONFIG's.")
@click.option("--source", metavar="DATA", help="Labeled pictures to learn from. By default CONFIG's.")
@click.option("--target", metavar="DATA", help="Pictures to adapt to. Their labels are not read. By default CONFIG's.")
@OUT
@SET
def adapt(
    config: Path, method: str | None, source: str | None, target: str | None, out: Path, overrides: tuple[str, ...]
) -> None:
    """Train on labeled pictures and adapt to unlabeled photographs.

    The classifier learns from labeled source pictures and is adapted to unlabeled target pictures.

    This is `train`, but the options replace the data and the method of CONFIG. DATA may end in @SPLIT to use a part of
    it, such as photos@adapt or photos@adapt/25%.

    Example: blendmill adapt s2r13.yaml --method mcc --source renders --target photos@adapt --out runs/mcc
    """
    from classify.config import load_training
    from classify.task import Classification
    from training.run import execute

    changes = list(overrides)
    if source:
        changes.append(f"data.source=[{part(source)}]")
    if target:
        changes.append(f"data.target={part(target)}")
    if method:
        changes.append(f"method={method}")
    _tell(execute(Classification(), load_training(config, changes), out), out)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the figures to this .json file.")
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Pictures in each batch.")
@click.option("--device", default="auto", show_default=True, help="Device to run on: auto, cpu or cuda.")
@click.option("--fit", type=click.Choice(FITS), help="How pictures become squares. By default as in RUN.")
def evaluate(run: Path, data: str, out: Path | None, batch: int, device: str, fit: Any) -> None:
    """Evaluate RUN on DATA. RUN is the folder of a run or a checkpoint. DATA are labeled pictures.

    DATA may end in @SPLIT to use a part of it, such as photos@test.

    Example: blendmill evaluate runs/mcc photos@test --out mcc.json
    """
    from classify.evaluate import evaluate_on

    click.echo(evaluate_on(run, *split_of(data), batch=batch, device=device, out=out, fit=fit))


@click.command()
@FILE
@click.option("--vary", multiple=True, metavar="KEY=A,B,…", help="Train with each of these values. May be repeated.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, help="Number of seeds for each combination."
)
@OUT
@SET
def ablate(config: Path, vary: tuple[str, ...], seeds: int, out: Path, overrides: tuple[str, ...]) -> None:
    """Train with many combinations of settings, and compare them.

    CONFIG is trained once for each combination of values; a table and a figure compare the runs.

    OUT holds a folder for each run, table.md, table.json and figure.png. The same command resumes the study.

    Example: blendmill ablate s2r13.yaml --vary method=source,dann,mcc --seeds 3 --out ablation
    """
    from classify.studies import ablation

    _say(ablation(config, overrides, vary, seeds, out))


@click.command()
@FILE
@click.option("--real", required=True, metavar="DATA", help="Labeled real pictures to mix in or to fine-tune on.")
@click.option(
    "--fractions",
    default="0,5,10,25,50,100",
    show_default=True,
    help="Percentages of the real pictures. Each part contains the smaller ones.",
)
@click.option(
    "--regimes",
    default="real,mixed,adapted,finetuned",
    show_default=True,
    help="How the real pictures are used; see above.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, True, True),
    default=0.5,
    show_default=True,
    help="Share of real pictures in mixed batches.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True, help="Number of seeds for each run.")
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
    """Measure how much real pictures help beside synthetic ones.

    The synthetic pictures are those of CONFIG.

    For each fraction of the real pictures there are four regimes. real: train on real pictures only. mixed: train on
    both. adapted: train on both, then adapt batch norm to the target (AdaBN). finetuned: train on synthetic pictures,
    then for as many steps on real ones. All runs are tested on CONFIG's data.test. OUT holds a folder for each run,
    table.md, table.json and figure.png.

    Example: blendmill study s2r13.yaml --real photos@adapt --out study
    """
    from classify.studies import mixing

    _say(mixing(config, overrides, split_of(real), fractions, regimes, share, seeds, out))


def _tell(results: dict[str, Any], out: Path) -> None:
    chosen = results["selected"]
    figures = "".join(
        f"  {name} {results['test'][name]:.2%}" for name in ("accuracy", "mean_recall") if results["test"]
    )
    _say(f"{out}: step {chosen['step']}, {chosen['statement']}{figures}")


def _say(text: str) -> None:
    """Print a text, only in the first process of a run."""
    if os.environ.get("RANK", "0") == "0":
        click.echo(text)
