"""The time of an adaptation step: ours divided by Transfer-Learning-Library's, on the same network and batch, in turns.

Both sides have a copy of one network, and take the batch from memory. Their step does what their example scripts do in
a step (both domains in one pass, loss, SGD with Nesterov's momentum, their schedule), without their meters. Our step
is `Method.update` with our own `OptimizerStep`, which also checks that loss and gradient are finite. We measure
processor time, so other work on the machine does not count.

You need a checkout of Transfer-Learning-Library. Its modules (MIT license) are loaded from there, file by file.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from benchmarks.common import record, spread, table
from classify.methods.base import Method
from classify.methods.catalogue import METHODS
from classify.models import build
from classify.network import Network
from training.method import Batch, Unlabeled
from training.optimizer import OptimizerStep, factor, optimizer

CLASSES = 13
BOTTLENECK = {"dann": 256, "mcc": 256, "mdd": 1024}
RATE = 0.01
Step = Callable[[], None]


def ours(method: Method, source: Batch, target: Unlabeled) -> Step:
    """Take one of our steps."""
    descend = OptimizerStep(optimizer(method.groups(), lr=RATE, backbone=0.1, nesterov=True, weight_decay=1e-3))
    iteration = 0

    def step() -> None:
        nonlocal iteration
        descend.rates(factor("inverse", iteration, 1000))
        method.update(source, target, min(1.0, iteration / 1000), descend)
        iteration += 1

    return step


def make_importable(checkout: Path) -> None:
    """Let `import tllib...` find single files: its packages import all of vision, and what it has no need of here."""
    for name in ("tllib", "tllib.alignment", "tllib.modules", "tllib.self_training", "tllib.utils", "prettytable"):
        package = ModuleType(name)
        package.__path__ = [str(checkout / name.replace(".", "/"))]
        sys.modules[name] = package
    if not (checkout / "tllib" / "alignment" / "dann.py").is_file():
        raise click.BadParameter(f"{checkout} holds no tllib/alignment/dann.py")
    # Its reversal layer is of a time when numpy had this name.
    np.float = float  # type: ignore[attr-defined]  # noqa: NPY001


def theirs(name: str, method: Method, network: Network, source: Batch, target: Unlabeled) -> Step:
    """Take one of their steps: on the parts of `network`, with the same heads as `method`."""
    from tllib.alignment.dann import DomainAdversarialLoss
    from tllib.alignment.mdd import ClassificationMarginDisparityDiscrepancy, GeneralModule
    from tllib.modules.classifier import Classifier
    from tllib.modules.domain_discriminator import DomainDiscriminator
    from tllib.self_training.mcc import MinimumClassConfusionLoss

    backbone, bottleneck, head = network.backbone, network.bottleneck, network.head
    if name == "mdd":
        model: Any = GeneralModule(backbone, CLASSES, bottleneck, head, copy.deepcopy(method.rival))
        disparity = ClassificationMarginDisparityDiscrepancy(4.0)
    else:
        model = Classifier(backbone, CLASSES, bottleneck, network.width, head, pool_layer=nn.Identity())
    parameters = model.get_parameters()
    if name == "dann":
        judge = DomainDiscriminator(network.width, 1024)
        adversarial = DomainAdversarialLoss(judge)
        parameters += judge.get_parameters()
    if name == "mcc":
        confusion = MinimumClassConfusionLoss(2.5)
    descent = torch.optim.SGD(parameters, RATE, momentum=0.9, weight_decay=1e-3, nesterov=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(descent, lambda i: RATE * (1.0 + 3e-4 * i) ** -0.75)

    def loss() -> Tensor:
        first, second = model(torch.cat((source.images, target.images)))
        first_s, first_t = first.chunk(2)
        second_s, second_t = second.chunk(2)
        if name == "dann":
            transfer = adversarial(second_s, second_t)
        elif name == "mcc":
            transfer = confusion(first_t)
        else:
            transfer = -disparity(first_s, second_s, first_t, second_t)
            model.step()
        return cross_entropy(first_s, source.targets) + transfer

    def step() -> None:
        value = loss()
        descent.zero_grad()
        value.backward()
        descent.step()
        schedule.step()

    return step


def timed(step: Step, steps: int) -> float:
    """Seconds of processor time a step, over `steps`."""
    started = time.process_time()
    for _ in range(steps):
        step()
    return (time.process_time() - started) / steps


def contest(name: str, model: str, size: int, batch: int, rounds: int, steps: int) -> list[str]:
    """A row of the table: seconds a step of ours and of theirs, and the ratio round by round."""
    torch.manual_seed(0)
    images = torch.randn(2 * batch, 3, size, size)
    labels, places = torch.randint(CLASSES, (batch,)), torch.arange(batch)
    source = Batch(images[:batch], labels, places)
    target = Unlabeled(images[batch:], images[batch:], places)
    network = build(model, CLASSES, size=size, bottleneck=BOTTLENECK[name])
    method = METHODS[name](network, CLASSES).train()
    contestants = [theirs(name, method, copy.deepcopy(network), source, target), ours(method, source, target)]
    for step in contestants:
        timed(step, 1)
    seconds: list[list[float]] = [[], []]
    for number in range(rounds):
        # Who goes first changes, so that what drifts favors neither.
        for which in (0, 1) if number % 2 else (1, 0):
            seconds[which].append(timed(contestants[which], steps))
    ratios = [own / peer for peer, own in zip(*seconds, strict=True)]
    return [name, spread(seconds[1]), spread(seconds[0]), spread(ratios)]


@click.command()
@click.argument("checkout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", default="resnet18", show_default=True)
@click.option("--size", default=96, show_default=True, help="Pixels of a picture.")
@click.option("--batch", default=32, show_default=True, help="Pictures of each domain.")
@click.option("--rounds", default=9, show_default=True)
@click.option("--steps", default=5, show_default=True, help="Steps of each in a round.")
@click.option("--threads", default=1, show_default=True)
@click.option("--method", "names", multiple=True, type=click.Choice(list(BOTTLENECK)), default=list(BOTTLENECK))
def main(
    checkout: Path, model: str, size: int, batch: int, rounds: int, steps: int, threads: int, names: tuple[str, ...]
) -> None:
    """Measure against the CHECKOUT of Transfer-Learning-Library."""
    torch.set_num_threads(threads)
    make_importable(checkout)
    rows = [contest(name, model, size, batch, rounds, steps) for name in names]
    header = [
        "method",
        "ours, processor seconds per step",
        "theirs, processor seconds per step",
        "ratio, median [smallest to largest]",
    ]
    body = f"""Network: {model} at {size} px. Batch: {batch} source and {batch} target pictures. Threads: {threads}.
Rounds: {rounds}. Steps per round: {steps}.

{table(header, rows)}"""
    record("adapt_step", "A step of adaptation, compared with Transfer-Learning-Library", body)


if __name__ == "__main__":
    main()
