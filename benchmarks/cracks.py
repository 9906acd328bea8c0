"""Compare two sets of synthetic crack pictures on real photographs: train the same small U-Net from scratch on each.

    python -m benchmarks.cracks --ours SET [--ours SET ...] --peer SET [--peer SET ...] --real SET --work DIR

Only the oracle's threshold is chosen on the real photographs, and the table names it as the oracle's. Trained weights
stay in --work, and are not trained again. The table goes to benchmarks/cracks.md, all figures to DIR/results.json.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from benchmarks.common import record
from benchmarks.common import table as markdown
from segment.crops import Crops
from segment.metrics import THRESHOLDS, Scores, score
from segment.sets import Picture, open_set
from segment.training import Schedule, probabilities, train
from segment.unet import UNet

POLICIES = ("0.5", "own", "oracle")
"""Thresholds: 0.5; the best on held-out pictures of the training set; the best on the real photographs (oracle)."""
HELD_OUT = 10
_FOLDER = click.Path(path_type=Path, exists=True)


@dataclass(frozen=True)
class Protocol:
    """How every network is trained: each step takes `batch` crops of `size` pixels."""

    iterations: int
    size: int
    batch: int
    width: int


@dataclass(frozen=True)
class Trained:
    """For each policy: its threshold, iou, f1 (exact) and tolerant (F1 within 2 px). ois: within 2 px."""

    threshold: dict[str, float]
    iou: dict[str, float]
    f1: dict[str, float]
    tolerant: dict[str, float]
    ois: float


def pictures(folders: Sequence[Path], images: int | None) -> list[Picture]:
    """All pictures of some sets, or `images` of them, evenly over each set."""
    sets = [open_set(folder) for folder in folders]
    total = sum(each.size for each in sets)
    share = 1 if images is None else min(1, images / total)
    return [each.read(k) for each in sets for k in each.spread(round(each.size * share))]


def trained(protocol: Protocol, training: Sequence[Picture], seed: int, weights: Path) -> UNet:
    """The network of a seed; it is read from `weights` if the file exists."""
    torch.manual_seed(seed)
    network = UNet(protocol.width)
    if weights.is_file():
        network.load_state_dict(load_file(weights))
        return network
    losses: list[float] = []

    def told(step: int, loss: float) -> None:
        losses.append(loss)
        if (step + 1) % 100 == 0:
            click.echo(f"{weights.stem}: step {step + 1}, loss {np.mean(losses[-100:]):.3f}", err=True)

    train(network, Crops(training, protocol.size, protocol.batch, seed), Schedule(protocol.iterations), told)
    part = weights.with_suffix(".part")
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, part)
    part.replace(weights)
    return network


def scores(network: UNet, tests: Sequence[Picture]) -> Scores:
    return score((probabilities(network, picture.rgb), picture.mask) for picture in tests if picture.mask is not None)


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
    protocol = Protocol(iterations, size, batch, width)
    photographs = pictures([real], None)
    results: dict[str, list[Trained]] = {}
    numbers: dict[str, int] = {}
    for name, folders, number in (("peer", peer, None), ("ours", ours, images)):
        every = pictures(folders, number)
        numbers[name] = len(every)
        held, training = every[::HELD_OUT], [p for k, p in enumerate(every) if k % HELD_OUT]
        click.echo(f"{name}: {len(training)} pictures to train on, {len(held)} held out", err=True)
        for seed in range(seeds):
            network = trained(protocol, training, seed, work / f"{name}-{seed}.safetensors")
            results.setdefault(name, []).append(judged(scores(network, held), scores(network, photographs)))
    (work / "results.json").write_text(
        json.dumps({key: [vars(each) for each in value] for key, value in results.items()}, indent=1)
    )
    trained_on = {name: sum(1 for k in range(number) if k % HELD_OUT) for name, number in numbers.items()}
    told = (
        f"A U-Net of width {width} was trained from scratch on {trained_on['peer']} pictures of the peer's, and "
        f"another on {trained_on['ours']} of ours. Each took {iterations} steps of {batch} crops of {size} pixels with "
        f"AdamW; there were {seeds} seeds. They were tested on {len(photographs)} photographs. A figure is the mean "
        'over the seeds [lowest to highest]. The threshold is 0.5, or "own": the best on a tenth of the training set '
        'that was held out, or "oracle": the best on the photographs themselves.'
    )
    record("cracks", "Synthetic crack pictures compared on photographs", f"{told}\n\n{table(results)}")


if __name__ == "__main__":
    main()
