"""The training loop of all methods: steps, checkpoints, and exact resuming."""

from __future__ import annotations

import copy
import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from scenes.errors import InputError
from training import checkpoint
from training.batches import NETWORK, DomainBatches, key
from training.config import TrainConfig
from training.distributed import (
    Alone,
    ProcessInfo,
    any_rank,
    broadcast_state,
    mean_terms,
    share_buffers,
    synchronize_norms,
)
from training.ema import EMA
from training.logger import Log
from training.method import TrainingMethod
from training.optimizer import NotFinite, OptimizerStep, factor, optimizer

M = TypeVar("M", bound=TrainingMethod)
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer(Generic[M]):
    """Trains `method` on the batches of `supply`, from step 0 or from a restored checkpoint.

    A step depends only on the state before it, the seed of the config and the number of the step. The state consists
    of the method, the optimizer and the average; `tensors()` returns all of it. On a CPU, or with `deterministic`, a
    resumed run therefore ends with exactly the weights of an uninterrupted one. step: number of finished steps.
    """

    def __init__(
        self, config: TrainConfig, method: M, supply: DomainBatches, device: torch.device, process: ProcessInfo
    ):
        self.config, self.supply, self.device, self.process = config, supply, device, process
        self.step = 0
        self.method = method.to(device)
        if config.sync_norm:
            synchronize_norms(self.method, device, process.world)
        self._alone = Alone(process.world) if config.sync_norm else None
        broadcast_state(self.method, process.world)
        chosen = config.optimizer
        stepping = optimizer(
            self.method.groups(),
            chosen.name,
            lr=chosen.lr,
            backbone=chosen.backbone,
            momentum=chosen.momentum,
            nesterov=chosen.nesterov,
            weight_decay=chosen.weight_decay,
        )
        self._scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "fp16")
        self._descent = OptimizerStep(stepping, chosen.clip, self._scaler)
        self._average = EMA(self.method, config.ema) if config.ema else None
        if config.compile:
            self.method.compile_network()

    def train(self, log: Log | None, every: Callable[[Trainer[M]], None], save: Callable[[Trainer[M]], None]) -> None:
        """Take all remaining steps. `every` is called after each step, and `save` when a checkpoint is due.

        After SIGINT or SIGTERM the current step is finished and saved, then KeyboardInterrupt is raised. A loss that
        is not finite raises InputError, which names the batch. The last checkpoint is kept.
        """
        with _stopping() as stopped:
            while self.step < self.config.iterations:
                self._one(log)
                every(self)
                stop = any_rank(bool(stopped), self.process.world)
                if stop or self.step % self.config.checkpoint_every == 0 or self.step == self.config.iterations:
                    save(self)
                if stop:
                    raise KeyboardInterrupt

    def _one(self, log: Log | None) -> None:
        config, step = self.config, self.step
        progress = step / max(1, config.iterations - 1)
        # Random numbers of networks and methods (dropout, masks) depend on the step only.
        torch.manual_seed(key(config.seed, step, NETWORK, self.process.rank))
        self.method.train()
        if step % self.supply.epoch == 0:
            with _normalizable():
                self.method.begin_epoch(self.supply.passes(), progress)
            self.method.train()
            if self._average:
                checkpoint.fit_buffers(self._average.module, self.method.state_dict())
        rate = self._rate(step)
        self._descent.rates(rate)
        source, target = self.supply.batch(step)
        try:
            with self._autocast(), _normalizable():
                terms = self.method.update(source, target, progress, self._descend)
        except NotFinite as error:
            raise InputError(f"step {step}: {error}, with {self.supply.describe(source)}") from None
        share_buffers(self.method, self.process.world)
        if self._average:
            self._average.update_parameters(self.method)
        self.step += 1
        if log:
            log.wait(source.drawn.waited + target.drawn.waited)
        if self.step % config.log_every == 0 or self.step == config.iterations:
            means = mean_terms(terms, self.process.world)
            if log:
                log.train(self.step, means, rate * config.optimizer.lr)

    def _rate(self, step: int) -> float:
        chosen = self.config.optimizer
        total = self.config.iterations
        shape = {"gamma": chosen.gamma, "power": chosen.power, "milestone": chosen.milestone}
        return factor(chosen.schedule, step, total, warmup=chosen.warmup, **shape)

    def _autocast(self, enabled: bool = True) -> torch.autocast:
        enabled = enabled and self.config.precision != "fp32"
        return torch.autocast(self.device.type, _DTYPES[self.config.precision] if enabled else None, enabled=enabled)

    def _descend(self, loss: Tensor, only: Collection[str] | None = None) -> None:
        # Gradients have the precision of the forward pass. The step itself is in full precision.
        with self._autocast(enabled=False):
            self._descent(loss.float(), only)

    def candidate(self) -> M:
        """The method as if training ended now: averaged if the config says so, finished, in evaluation mode."""
        method: M = copy.deepcopy(self._average.module if self._average else self.method)  # type: ignore[assignment]
        method.requires_grad_(False)
        if self._alone:
            self._alone(method)
        with torch.no_grad(), self._autocast():
            method.finish(self.supply.passes())
        return method.eval()

    def tensors(self) -> dict[str, Tensor]:
        """The full state: everything that the next steps depend on."""
        average = self._average.state_dict() if self._average else {}
        moments = checkpoint.optimizer_tensors(self._descent.optimizer)
        return checkpoint.join(method=self.method.state_dict(), optimizer=moments, average=average)

    def facts(self) -> dict[str, Any]:
        counts = Counter(name.partition(".")[0] for name in self.tensors())
        return {"step": self.step, "scaler": self._scaler.state_dict(), "tensors": counts}

    def restore(self, saved: checkpoint.Checkpoint, where: str) -> None:
        """Restore the state that `tensors` and `facts` returned. Raises InputError if it is not complete."""
        found = Counter(name.partition(".")[0] for name in saved.tensors)
        if found != saved.facts.get("tensors"):
            raise InputError(
                f"{where}: is not complete, or of an older version: it holds {_counted(found)}, and should hold "
                f"{_counted(saved.facts.get('tensors') or {})}: choose another --out"
            )
        checkpoint.load(self.method, saved.part("method"), where)
        checkpoint.load_optimizer(self._descent.optimizer, saved.part("optimizer"), where)
        if self._average:
            checkpoint.load(self._average, saved.part("average"), where)
        try:
            self._scaler.load_state_dict(saved.facts["scaler"])
        except (KeyError, RuntimeError):
            raise InputError(f"{where}: field scaler: not the state of a gradient scaler") from None
        self.step = int(saved.facts["step"])


def _counted(tensors: Mapping[str, int]) -> str:
    return (
        ", ".join(f"{count} tensors of {part}" for part, count in sorted(tensors.items()))
        or "a number it does not tell"
    )


@contextmanager
def _normalizable() -> Iterator[None]:
    """Tell the remedy if batch norm has only one value for a channel, as in a batch of one picture."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            "field batch: batch norm needs more than one value for each channel, and one picture is too few in this "
            "network: increase the batch (of each process)"
        ) from None


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """A list of the stop signals received in the block. The second signal of a kind has its usual effect."""
    came: list[int] = []

    def note(number: int, _: Any) -> None:
        came.append(number)
        signal.signal(number, before[number])

    before: dict[int, Any] = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
