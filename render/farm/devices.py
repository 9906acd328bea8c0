"""Devices that can draw: find them, choose some for a run, and assign them to workers."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scenes import machine
from scenes.errors import InputError, choices, shortened

# Best first: OptiX uses the ray tracing units of the same cards that CUDA does without.
KINDS = ("optix", "cuda", "hip", "oneapi", "metal")
ASKED = ("auto", "cpu", *KINDS)

# While one worker arranges its next scene, decodes and compresses on the CPU, the other keeps the GPU busy.
# More would share the same GPU for another 1 to 2 GB of its memory each.
WORKERS_PER_GPU = 2
# Bytes a worker takes: Blender, its libraries, the meshes and textures of a scene, the frames of a shard.
WORKER_MEMORY = int(1.3 * 2**30)

# Run apart, since a missing library or a broken driver may take the process with it. What it says of one kind is
# complete when it asks for the next, so that the last line tells which driver it was.
_PROBE = """
import json
def say(**fields):
    print("blendmill-probe", json.dumps(fields), flush=True)
import bpy
say(version=bpy.app.version_string)
preferences = bpy.context.preferences.addons["cycles"].preferences
for kind in KINDS:
    say(asking=kind)
    try:
        found = [d.name for d in preferences.get_devices_for_type(kind.upper()) if d.type == kind.upper()]
    except (TypeError, ValueError):  # this build of Blender does not know the kind
        found = []
    say(kind=kind, names=found)
"""
_PATIENCE = 300.0
# Where NVIDIA's, AMD's and Intel's drivers, and Windows' under WSL, show themselves.
_NODES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dri", "/dev/dxg")


@dataclass(frozen=True)
class Device:
    """One device. kind: "cpu" or one of KINDS; number: its place among those of its kind that this process sees."""

    kind: str
    number: int
    name: str


@dataclass(frozen=True)
class WorkerSlot:
    """The device of a worker, its number of CPU threads, and the variables added to its environment."""

    device: Device
    threads: int
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Probe:
    """What Blender says of this machine. failure: what it wrote on standard error before it ended, if it failed."""

    version: str = ""
    devices: tuple[Device, ...] = ()
    failure: str = ""


def probe() -> Probe:
    """Ask Blender, in a process of its own, for its version and its devices, best kind first."""
    script = f"KINDS = {KINDS!r}\n{_PROBE}"
    try:
        result = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Probe(failure=f"no answer within {_PATIENCE:.0f} s: a driver hangs")
    said = [json.loads(line.split(" ", 1)[1]) for line in result.stdout.splitlines() if line.startswith("blendmill-")]
    version = said[0]["version"] if said else ""
    if result.returncode:
        culprit = f"asking for {said[-1]['asking']} devices: " if said and "asking" in said[-1] else ""
        return Probe(version, failure=culprit + (result.stderr.strip() or f"ended with status {result.returncode}"))
    names = {line["kind"]: line["names"] for line in said if "kind" in line}
    return Probe(version, tuple(Device(kind, k, name) for kind in KINDS for k, name in enumerate(names[kind])))


def found() -> tuple[Device, ...]:
    """The GPUs that Blender can draw on here, best kind first. InputError where Blender cannot even be asked."""
    result = probe()
    if result.failure:
        raise InputError(
            f"--device: Blender cannot be asked for its devices: {result.failure.splitlines()[-1][:200]}; "
            "see `blendmill doctor`, or draw with --device cpu"
        )
    return result.devices


def choose(asked: str) -> tuple[Device, ...]:
    """Choose the devices of a run.

    Parameters
    ----------
    asked : str
        "cpu", "optix", "cuda", "hip", "oneapi" or "metal". "auto" takes the best GPUs, or the CPU if there is no GPU.

    Returns
    -------
    tuple of Device
        All devices of one kind.

    Raises
    ------
    InputError
        This machine has no device of that kind. The message lists the kinds that it has.

    Examples
    --------
    >>> import blendmill
    >>> [device.kind for device in blendmill.choose("cpu")]
    ['cpu']
    """
    if asked not in ASKED:
        raise InputError(f"--device {asked}: unknown; {choices(asked, ASKED)}")
    if asked == "cpu" or (asked == "auto" and not _drivers()):
        return (processor(),)
    return pick(asked, found())


def _drivers() -> bool:
    """Whether some driver may offer a GPU; asking Blender takes a second. Only Linux shows it as files."""
    return sys.platform != "linux" or any(Path(node).exists() for node in _NODES)


def pick(asked: str, devices: Sequence[Device]) -> tuple[Device, ...]:
    """Of the GPUs that were found, those of the kind that was asked for, all of them; see `choose`."""
    kinds = [kind for kind in KINDS if any(device.kind == kind for device in devices)]
    if asked == "auto":
        return pick(kinds[0], devices) if kinds else (processor(),)
    if asked not in kinds:
        raise InputError(f"--device {asked}: no such device here; there is {', '.join((*kinds, 'cpu'))}")
    return tuple(device for device in devices if device.kind == asked)


def processor() -> Device:
    """The CPU, the one device that every machine has."""
    return Device("cpu", 0, platform.machine())


def worker_slots(
    devices: Sequence[Device],
    workers: int | None,
    *,
    pictures: int,
    cores: int | None = None,
    memory: int | None = None,
) -> tuple[WorkerSlot, ...]:
    """Share the devices, the cores and the memory among workers.

    GPUs are assigned in turn. The environment of a worker shows it only its own GPU.

    Parameters
    ----------
    devices : sequence of Device
        Devices of one kind, from `choose`.
    workers : int or None
        Number of workers. None takes one per core on the CPU, or two per GPU, as far as the memory suffices.
    pictures : int
        Number of pictures to draw. There are never more workers than pictures.
    cores : int or None
        Cores to use. None takes all that this process may use.
    memory : int or None
        Bytes of memory to use. None takes all that is free.

    Returns
    -------
    tuple of WorkerSlot
        One slot for each worker, at least one.

    Raises
    ------
    InputError
        The environment restricts the GPUs in a way that cannot be divided among workers.

    Examples
    --------
    >>> import blendmill
    >>> slots = blendmill.worker_slots(blendmill.choose("cpu"), 2, pictures=100, cores=8)
    >>> [slot.threads for slot in slots]
    [4, 4]
    """
    cores = machine.cores() if cores is None else cores
    if workers is None:
        wish = cores if devices[0].kind == "cpu" else WORKERS_PER_GPU * len(devices)
        workers = min(wish, (machine.memory() if memory is None else memory) // WORKER_MEMORY)
    workers = max(1, min(workers, pictures))
    dealt = [devices[k % len(devices)] for k in range(workers)]
    return tuple(WorkerSlot(device, max(1, cores // workers), pinned(device, os.environ)) for device in dealt)


def pinned(device: Device, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that leave a process this one device, out of those that `environment` lets it see.

    A device's number counts within what the environment lists (numbers, UUIDs): GPU 0 of CUDA_VISIBLE_DEVICES=2,3 is 2.
    """
    if device.kind in ("optix", "cuda"):
        return _listed("CUDA_VISIBLE_DEVICES", device, environment)
    if device.kind == "hip":
        return _listed("HIP_VISIBLE_DEVICES", device, environment)
    if device.kind == "oneapi":
        return _selected("ONEAPI_DEVICE_SELECTOR", device, environment)
    return {}  # the CPU; and Metal, which has one GPU and no variable


def _listed(variable: str, device: Device, environment: Mapping[str, str]) -> dict[str, str]:
    given = environment.get(variable, "").strip()
    listed = [entry.strip() for entry in given.split(",")] if given else [str(k) for k in range(device.number + 1)]
    if device.number >= len(listed):
        raise InputError(
            f"{variable}={shortened(given)}: lists {len(listed)} GPUs, {device.name} is number {device.number}"
        )
    return {variable: listed[device.number]}


def _selected(variable: str, device: Device, environment: Mapping[str, str]) -> dict[str, str]:
    given = environment.get(variable, "").strip().lower()
    if given in ("", "*:*", "*:gpu", "level_zero:*", "level_zero:gpu"):
        return {variable: f"level_zero:{device.number}"}
    listed = re.fullmatch(r"level_zero:([\d.]+(?:,[\d.]+)*)", given)
    numbers = listed[1].split(",") if listed else []
    if device.number >= len(numbers):
        raise InputError(
            f"{variable}={shortened(given)}: cannot be divided among workers; list the GPUs, as level_zero:0,1"
        )
    return {variable: f"level_zero:{numbers[device.number]}"}
