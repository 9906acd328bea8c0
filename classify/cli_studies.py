"""The commands that run many trainings or look into a trained network: ablate, probe, tune and study.

PyTorch is imported only when one of them runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from classify.cli import FILE, OUT, say
from render.cli.options import CONFIG, DEVICE, SEED, SET, WORKERS
from training.parts import split_of


@click.command()
@click.argument("study")
@click.option("--vary", multiple=True, metavar="KEY=A,B,…", help="Train with each of these values. May be repeated.")
@click.option("--seeds", type=click.IntRange(1), help="Number of seeds for each combination. By default STUDY's, or 1.")
@click.option("--dry-run", is_flag=True, help="Check the study, say what it takes, and stop.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the pictures and the steps, for a trial or a screening.",
)
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trainings at a time.")
@click.option("--ray", metavar="auto|ADDRESS", help="Render on a Ray cluster. `local` starts one here.")
@click.option(
    "--reuse",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of another study, from whose sets equal pictures are copied. May be repeated.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of another study, such as a screening: tell how well its differences predict these.",
)
@WORKERS
@DEVICE
@OUT
@SET
def ablate(
    study: str,
    vary: tuple[str, ...],
    seeds: int | None,
    dry_run: bool,
    share: float,
    against: Path | None,
    out: Path,
    overrides: tuple[str, ...],
    **how: Any,
) -> None:
    """Measure how much each factor or training option matters.

    STUDY is a .yaml file that says what is rendered, trained and tested, and which factors vary; or the name of a study
    that comes with blendmill: s2rda, s2rda-small, worth, worth-small. With --vary it is a training config, of which
    each combination of the values is trained.

    The plan is checked first. Pictures that are equal between variants are drawn once. OUT holds table.md, results.csv,
    figure.png, report.html, and the sets and runs. The same command goes on where it was interrupted. A job that fails
    does not stop the others; the exit code is 1 then.

    \b
    Example:
      blendmill ablate s2rda-small --out study --dry-run
      blendmill ablate s2r13.yaml --vary method=source,dann,mcc --seeds 3 --out ablation
    """
    from classify.ablation.command import ablate as run

    if not run(study, overrides, vary, seeds, share, out, dry_run, against, how):
        raise SystemExit(1)


@click.command()
@click.argument("model")
@CONFIG
@click.option("--vary", multiple=True, required=True, metavar="FACTOR", help="Factor to sweep. Two give a heat map.")
@click.option("--images", type=click.IntRange(1), default=40, show_default=True, help="Number of pictures.")
@click.option("--steps", type=click.IntRange(2, 100), default=9, show_default=True, help="Values of each factor.")
@click.option("--classes", metavar="A,B,…", help="Outputs of a module of yours. By default the classes of CONFIG.")
@click.option("--size", type=click.IntRange(8), default=224, show_default=True, help="Side of a module's pictures.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=1,
    show_default=True,
    help="Seed of the pictures: another one than that of the pictures to learn from.",
)
@WORKERS
@DEVICE
@OUT
@SET
def probe(model: str, config: str, vary: tuple[str, ...], out: Path, overrides: tuple[str, ...], **how: Any) -> None:
    """Sweep one factor of the pictures that a trained network sees.

    MODEL is the folder of a run or a checkpoint. It may also be MODULE:FUNCTION of your own code, which returns a
    torch.nn.Module and is imported from the working folder. It gets pictures (n, 3, size, size), normalized with the
    mean and deviation of ImageNet, and gives logits. CONFIG is a .yaml file or the name of a preset; the factor takes
    the values that CONFIG gives it.

    OUT holds report.html, figure.png and probe.csv: accuracy by class over the factor, the predictions that flip, and
    the pictures that turn with the smallest change.

    \b
    Example:
      blendmill probe runs/full s2rda13 --vary camera.elevation --out probe
    """
    from classify.probe.command import probe as run

    run(model, config, overrides, vary, out, **how)


@click.command()
@CONFIG
@click.option("--target", metavar="DATA", required=True, help="Photographs to tune to. Their labels are not read.")
@click.option(
    "--pilot",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Renders of CONFIG to weigh. By default they are rendered into OUT/pilot.",
)
@click.option("--images", type=click.IntRange(40), default=2000, show_default=True, help="Pictures of the pilot.")
@click.option(
    "--model",
    metavar="RUN",
    type=click.Path(path_type=Path, exists=True),
    help="Classifier that tells the classes of photographs. By default one trains itself on the renders' features.",
)
@click.option(
    "--features",
    type=click.Choice(("plain", "network")),
    default="plain",
    show_default=True,
    help="What pictures are compared by: colors and edges, or the features of --model.",
)
@click.option(
    "--by",
    type=click.Choice(("distance", "information")),
    default="distance",
    show_default=True,
    help="What makes a distribution better: renders are nearer to the photographs, or a linear classifier that learns "
    "from them tells more of the photographs.",
)
@click.option("--labels", metavar="DATA", help="A few labeled photographs that help to tell classes.")
@click.option("--only", multiple=True, metavar="FACTOR", help="Factor to tune. By default all. May be repeated.")
@click.option(
    "--keep",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.3,
    show_default=True,
    help="Share of each distribution that stays as it was.",
)
@click.option(
    "--effective",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Least effective number of renders of each class, as a share.",
)
@click.option(
    "--rounds",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Rounds of new pictures after the pilot, drawn with the shares found so far. More than one needs cmaes.",
)
@click.option("--round-images", type=click.IntRange(1), default=500, show_default=True, help="Pictures of a round.")
@click.option("--dry-run", is_flag=True, help="Say what would be drawn and looked at, and stop.")
@SEED
@WORKERS
@DEVICE
@OUT
@SET
def tune(
    config: str,
    overrides: tuple[str, ...],
    out: Path,
    dry_run: bool,
    workers: int | None,
    device: str,
    **asked: Any,
) -> None:
    """Learn factors' distributions from photographs without labels.

    CONFIG is a .yaml file or the name of a preset. A pilot of its pictures is compared with the photographs, class by
    class. A distribution moves where that brings the pictures nearer to photographs that had no part in learning it.

    With --rounds, new pictures are then drawn with the shares found so far, looked at, and the search goes on. Shares
    are taken only if the pictures drawn with them are surely nearer to the photographs held back than the pilot.

    OUT holds tuned.yaml, which extends CONFIG and says how sure each change is, tune.json and report.html. The same
    command goes on where it was interrupted; with more --rounds, it adds some.

    \b
    Example:
      blendmill tune s2rda13 --target photos --out tuned --dry-run
      blendmill tune s2rda13 --target photos --out tuned
      blendmill tune s2rda13 --target photos --out tuned --rounds 3
      blendmill render tuned/tuned.yaml --images 5000 --out renders
    """
    from classify.tune.command import Asked
    from classify.tune.command import tune as run

    run(config, overrides, out, Asked(**asked), dry_run=dry_run, workers=workers, device=device)


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

    say(mixing(config, overrides, split_of(real), fractions, regimes, share, seeds, out))
