"""Several processes: every method trains the same weights in all of them. The log tells the mean of their losses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.errors import InputError

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from tests.tiny import config, domains, stepping, trainer  # noqa: E402
from training.distributed import ProcessInfo, synchronize_norms  # noqa: E402

# Prints a line of JSON for each method: a hash of all weights, the terms of this process's loss, and the logged ones.
EVERY_METHOD = """
import hashlib, json, sys
sys.path.insert(0, ".")
from pathlib import Path
from tests.tiny import config, nothing, stepping, trainer
from training.distributed import processes

class Told:
    def __init__(self):
        self.terms = []
    def wait(self, seconds):
        pass
    def train(self, step, terms, rate):
        self.terms.append(terms)

with processes() as process:
    for name in stepping():
        settings = config(
            Path(sys.argv[1]), method=name, ema=0.9, iterations=6, log_every=1, optimizer={"clip": 0.1}, batch=8
        )
        trained, told, own = trainer(settings, process), Told(), []
        update = trained.method.update
        def kept(*given):
            own.append({key: float(term) for key, term in update(*given).items()})
            return {key: torch.tensor(value) for key, value in own[-1].items()}
        import torch
        trained.method.update = kept
        trained.train(told if process.first else None, nothing, nothing)
        trained.supply.close()
        tensors = {key: tensor for key, tensor in trained.tensors().items()}
        digest = hashlib.sha256(b"".join(tensors[key].numpy().tobytes() for key in sorted(tensors)))
        print(json.dumps([name, digest.hexdigest(), own, told.terms]), flush=True)
"""


def test_every_method_trains_the_same_weights_in_both_processes(tmp_path: Path) -> None:
    """Six steps cross an epoch of six. The hashes of strings differ, so that sets of names have other orders."""
    domains(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", EVERY_METHOD, str(tmp_path)],
            env=os.environ | place | {"RANK": rank, "PYTHONHASHSEED": rank, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, text=True,
        )
        for rank in "01"
    ]  # fmt: skip
    printed = [process.communicate(timeout=300)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0]
    first, second = ([json.loads(line) for line in text.splitlines() if line.startswith("[")] for text in printed)
    assert [row[0] for row in first] == [row[0] for row in second] == stepping()
    assert [one[0] for one, other in zip(first, second, strict=True) if one[1] != other[1]] == []
    for (name, _, own, told), (_, _, theirs, untold) in zip(first, second, strict=True):
        assert len(told) == len(own) == 6 and untold == [], name
        assert own != theirs, name  # each has its own half of the pictures
        for here, there, mean in zip(own, theirs, told, strict=True):
            assert mean == pytest.approx({key: (here[key] + there[key]) / 2 for key in here}), name


def test_batch_norm_is_synchronized_on_gpus_alone(tmp_path: Path) -> None:
    settings = config(domains(tmp_path), sync_norm=True)
    assert not norms(trainer(settings).method)
    with pytest.raises(InputError, match="field sync_norm: PyTorch synchronizes batch norm only on GPUs"):
        trainer(settings, ProcessInfo(0, 2))
    layers = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Sequential(torch.nn.BatchNorm2d(4)))
    synchronize_norms(layers, torch.device("cuda"), 1)
    assert norms(layers) == 0
    keys = layers.state_dict().keys()
    synchronize_norms(layers, torch.device("cuda"), 2)
    assert norms(layers) == 2 and layers.state_dict().keys() == keys


def norms(module: torch.nn.Module) -> int:
    return sum(isinstance(layer, torch.nn.SyncBatchNorm) for layer in module.modules())
