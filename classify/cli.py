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
@click.argument("data", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Also write the figures and each prediction to this .json file.",
)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True, help="Pictures in each batch.")
@click.option("--device", default="auto", show_default=True, help="Device to run on: auto, cpu or cuda.")
@click.option("--fit", type=click.Choice(FITS), help="How pictures become squares. By default as in RUN.")
@click.option(
    "--gaps", type=click.Path(path_type=Path), help="Also write a page of what the renders lack to this file."
)
@click.option("--learned", metavar="DATA", help="The renders for --gaps. By default those that RUN learned from.")
def evaluate(
    run: Path,
    data: tuple[str, ...],
    out: Path | None,
    batch: int,
    device: str,
    fit: Any,
    gaps: Path | None,
    learned: str | None,
) -> None:
    """Evaluate RUN on DATA. RUN is the folder of a run or a checkpoint. DATA are labeled pictures.

    DATA may end in @SPLIT to use a part of it, such as photos@test. Several DATA are evaluated one after the other.

    With --gaps, it also says for each class which looks of the photographs lie outside of the renders that RUN learned
    from: their feature distance, and the object's size, rotation, light, color, sharpness and ground. DATA may then be
    photographs without labels; their classes are those that RUN says.

    \b
    Example:
      blendmill evaluate runs/mcc photos@test --out mcc.json
      blendmill evaluate runs/mcc photos@adapt --gaps gaps.html
    """
    from classify.evaluate import evaluate_on
    from scenes.errors import InputError

    if learned is not None and gaps is None:
        raise InputError("--learned is for --gaps PAGE; give both")
    parts = [split_of(each) for each in data]
    other = None if learned is None else split_of(learned)
    click.echo(evaluate_on(run, parts, batch=batch, device=device, out=out, fit=fit, gaps=gaps, learned=other))


def _tell(results: dict[str, Any], out: Path) -> None:
    chosen = results["selected"]
    figures = "".join(
        f"  {name} {results['test'][name]:.2%}" for name in ("accuracy", "mean_recall") if results["test"]
    )
    say(f"{out}: step {chosen['step']}, {chosen['statement']}{figures}")


def say(text: str) -> None:
    """Print a text, only in the first process of a run."""
    if os.environ.get("RANK", "0") == "0":
        click.echo(text)
