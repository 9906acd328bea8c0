"""Compare two sets of synthetic crack pictures on real photographs: train the same small U-Net from scratch on each.

    python -m benchmarks.cracks --ours SET [--ours SET ...] --peer SET [--peer SET ...] --real SET --work DIR

Only the oracle's threshold is chosen on the real photographs, and the table names it as the oracle's. Runs stay in
--work, and the same command again goes on with what is missing. The table goes to benchmarks/cracks.md, all figures to
DIR/results.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from benchmarks.common import record
from benchmarks.common import table as markdown
from segment.config import SegmentConfig
from segment.datasets import open_datasets, open_part
from segment.evaluation import scores_of
from segment.load import load_method
from segment.metrics import THRESHOLDS, Scores
from segment.sets import open_set
from segment.task import Segmentation
from training.config import DataConfig, PartConfig
from training.run import execute

POLICIES = ("0.5", "own", "oracle")
"""Thresholds: 0.5; the best on held-out pictures of the training set; the best on the real photographs (oracle)."""
HELD_OUT = 0.1
_FOLDER = click.Path(path_type=Path, exists=True)


@dataclass(frozen=True)
class Trained:
    """For each policy: its threshold, iou, f1 (exact) and tolerant (F1 within 2 px). ois: within 2 px."""

    threshold: dict[str, float]
    iou: dict[str, float]
    f1: dict[str, float]
    tolerant: dict[str, float]
    ois: float


def config(folders: Sequence[Path], images: int | None, seed: int, **fields: Any) -> SegmentConfig:
    """Training on all pictures of some sets, or on `images` of them, the same share of each set."""
    sizes = [open_set(folder).size for folder in folders]
    share = 1.0 if images is None else min(1.0, images / sum(sizes))
    split = "all" if share == 1 else f"all/{100 * share:.4f}%"
    # Each picture is as likely in a batch, whatever set it is of.
    source = tuple(
        PartConfig(where=str(folder), split=split, share=size) for folder, size in zip(folders, sizes, strict=True)
    )
    data = DataConfig(source=source, holdout=HELD_OUT, workers=0)
    return SegmentConfig(data=data, seed=seed, report=False, log_every=100, **fields)


def trained(chosen: SegmentConfig, photographs: Path, run: Path) -> Trained:
    """The figures of a run, which is trained where it is not done."""
    execute(Segmentation(), chosen, run)
    method = load_method(run, torch.device("cpu"))
    held = open_datasets(chosen).validation
    assert held is not None
    return judged(scores_of(method, held), scores_of(method, open_part(PartConfig(where=str(photographs)))))


def judged(own: Scores, real: Scores) -> Trained:
    """The figures of all thresholds on the real photographs. own: scores on held-out pictures of the training set."""
    places = {
        "0.5": int(np.abs(THRESHOLDS - 0.5).argmin()),
        "own": int(own.iou().argmax()),
        "oracle": int(real.iou().argmax()),
    }
    iou, f1, tolerant = real.iou(), real.f1(), real.tolerant_f1()
    return Trained(
        threshold={policy: float(THRESHOLDS[k]) for policy, k in places.items()},
        iou={policy: float(iou[k]) for policy, k in places.items()},
        f1={policy: float(f1[k]) for policy, k in places.items()},
        tolerant={policy: float(tolerant[k]) for policy, k in places.items()} | {"oracle": float(tolerant.max())},
        ois=real.ois(),
    )


def table(results: dict[str, list[Trained]]) -> str:
    """Markdown: means over seeds with [lowest to highest], and the ratio of ours to the peer's mean."""

    def cell(values: Sequence[float]) -> str:
        return f"{np.mean(values):.3f} [{min(values):.3f} to {max(values):.3f}]"

    rows = []
    for policy in POLICIES:
        for name, label in (("iou", "crack IoU"), ("f1", "F1, exact"), ("tolerant", "F1 within 2 px")):
            peer, ours = ([getattr(each, name)[policy] for each in results[key]] for key in ("peer", "ours"))
            ratio = np.mean(ours) / max(float(np.mean(peer)), 1e-9)
            rows.append([policy, label, cell(peer), cell(ours), f"{ratio:.2f}"])
    peer, ours = ([each.ois for each in results[key]] for key in ("peer", "ours"))
    ratio = np.mean(ours) / max(float(np.mean(peer)), 1e-9)
    rows.append(["each photograph's best", "OIS within 2 px", cell(peer), cell(ours), f"{ratio:.2f}"])
    return markdown(["threshold", "figure", "peer", "ours", "ratio"], rows)


@click.command()
@click.option("--ours", type=_FOLDER, multiple=True, required=True)
@click.option("--peer", type=_FOLDER, multiple=True, required=True)
@click.option("--real", type=_FOLDER, required=True, help="Labeled photographs; only the final figures use them.")
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--images", type=int, default=1558, show_default=True, help="Number of our pictures to train on.")
@click.option("--seeds", type=int, default=3, show_default=True)
@click.option("--iterations", type=int, default=2000, show_default=True)
@click.option("--size", type=int, default=192, show_default=True)
@click.option("--batch", type=int, default=8, show_default=True)
@click.option("--width", type=int, default=16, show_default=True)
@click.option("--threads", type=int, default=torch.get_num_threads())
def main(
    ours: tuple[Path, ...],
    peer: tuple[Path, ...],
    real: Path,
    work: Path,
    images: int,
    seeds: int,
    iterations: int,
    size: int,
    batch: int,
    width: int,
    threads: int,
) -> None:
    torch.set_num_threads(threads)
    work.mkdir(parents=True, exist_ok=True)
    fields = {"iterations": iterations, "size": size, "batch": batch, "width": width}
    results: dict[str, list[Trained]] = {}
    trained_on: dict[str, int] = {}
    for name, folders, number in (("peer", peer, None), ("ours", ours, images)):
        for seed in range(seeds):
            chosen = config(folders, number, seed, **fields)
            results.setdefault(name, []).append(trained(chosen, real, work / f"{name}-{seed}"))
        trained_on[name] = sum(len(part.pictures) for part in open_datasets(config(folders, number, 0)).source)
    photographs = open_set(real).size
    (work / "results.json").write_text(
        json.dumps({key: [vars(each) for each in value] for key, value in results.items()}, indent=1)
    )
    told = (
        f"A U-Net of width {width} was trained from scratch on {trained_on['peer']} pictures of the peer's, and "
        f"another on {trained_on['ours']} of ours. Each took {iterations} steps of {batch} crops of {size} pixels with "
        f"AdamW; there were {seeds} seeds. They were tested on {photographs} photographs. A figure is the mean over "
        'the seeds [lowest to highest]. The threshold is 0.5, or "own": the best on a tenth of the training set that '
        'was held out, or "oracle": the best on the photographs themselves.'
    )
    record("cracks", "Synthetic crack pictures compared on photographs", f"{told}\n\n{table(results)}")


if __name__ == "__main__":
    main()
