"""What an encoder that ImageNet taught gives to a crack segmenter, alone and before adaptation.

    python -m benchmarks.segment.encoder --cracks SET --unlabeled DIR --weights lite0.safetensors --work DIR

SET is composed pictures, and DIR photographs without masks; `benchmarks.lite0` writes the weights. A network learns
from the pictures alone, then each method goes on from it. Runs stay in --work, and the same command, run again, goes on
with what is missing. It judges nothing: `benchmarks.crack_scales` compares the runs on photographs that we marked.
"""

from __future__ import annotations

from pathlib import Path

import click

from benchmarks.segment.__main__ import HERE
from training.studies import Chain, Job, run_chains, settings

SOURCE = "lite0"
STUDIED = ("supervised", "adabn", "rounds", "dacs")
"""The methods of the table. `supervised` is the longer training without adaptation that they are compared with."""


def chain(methods: tuple[str, ...], seed: int) -> Chain:
    """The network of a seed, and what each method makes of it."""
    source = f"runs/{SOURCE}-{seed}"
    given = settings("weights=lite0.safetensors", f"seed={seed}")
    jobs = [Job(source, ("segment", "train", str(HERE / "encoder.yaml"), *given), 1)]
    for method in methods:
        words = ("segment", "adapt", str(HERE / "encoder_adapt.yaml"), "--method", method, "--weights", source)
        jobs.append(Job(f"runs/{method}-{seed}", (*words, *settings(f"seed={seed}")), 1))
    return jobs


_PLACE = click.Path(path_type=Path, exists=True)


@click.command()
@click.option("--cracks", type=_PLACE, required=True, help="Composed pictures.")
@click.option("--unlabeled", type=_PLACE, required=True, help="Photographs with cracks, without masks.")
@click.option("--weights", type=_PLACE, required=True, help="What benchmarks.lite0 wrote.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--methods", default=",".join(STUDIED), show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=2, show_default=True)
def main(cracks: Path, unlabeled: Path, weights: Path, work: Path, methods: str, seeds: int) -> None:
    (work / "runs").mkdir(parents=True, exist_ok=True)
    for link, place in (("cracks", cracks), ("unlabeled", unlabeled), ("lite0.safetensors", weights)):
        if not (work / link).is_symlink():
            (work / link).symlink_to(place.resolve())
    run_chains([chain(tuple(methods.split(",")), seed) for seed in range(seeds)], work)


if __name__ == "__main__":
    main()
