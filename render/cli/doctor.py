"""The command `blendmill doctor`: what a machine can do, of Blender, its libraries, devices, memory and disk."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import psutil

from render.farm import devices
from render.versions import versions
from scenes import machine
from scenes.errors import InputError
from scenes.sampling.pile import physics_engine

# The libraries bpy links to that servers and containers tend to lack, and the Debian package of each.
_PACKAGES = {
    "libX11": "libx11-6", "libXi": "libxi6", "libXxf86vm": "libxxf86vm1", "libXfixes": "libxfixes3",
    "libXrender": "libxrender1", "libXext": "libxext6", "libSM": "libsm6", "libICE": "libice6", "libGL": "libgl1",
    "libEGL": "libegl1", "libxkbcommon": "libxkbcommon0", "libgomp": "libgomp1", "libXrandr": "libxrandr2",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the report. fatal: rendering cannot work as long as this is so."""

    name: str
    value: str
    fatal: bool = False


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
def doctor(as_json: bool) -> None:
    """Check whether this machine can render, and on which devices.

    Exits with 1 if rendering cannot work.

    \b
    Example:
      blendmill doctor
    """
    sys.exit(report(as_json))


def report(as_json: bool = False) -> int:
    """Print all findings. 0 where rendering works, 1 where it cannot."""
    findings = examine()
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
        return int(any(finding.fatal for finding in findings))
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{'✗' if finding.fatal else ' '} {finding.name:<{width}}  {finding.value}")
    return int(any(finding.fatal for finding in findings))


def examine() -> list[Finding]:
    """All that can be said of this machine."""
    return [*_python(), *_blender(), _eevee(), _composite(), _piles(), *_resources()]


def _python() -> list[Finding]:
    fits = sys.version_info[:2] in ((3, 11), (3, 13))
    note = "" if fits else ": Blender's module exists for 3.11 and 3.13, make an environment with one of them"
    return [Finding("python", platform.python_version() + note, fatal=not fits)]


def _blender() -> list[Finding]:
    said = devices.probe()
    if said.failure:
        return [Finding("blender", _remedy(said.failure), fatal=True)]
    kinds = [
        Finding(kind, "; ".join(device.name for device in said.devices if device.kind == kind) or "none")
        for kind in devices.KINDS
    ]
    cores = Finding("cpu", f"{machine.cores()} of {os.cpu_count()} cores, {platform.machine()}")
    return [Finding("blender", said.version), cores, *kinds, _auto(said.devices)]


def _auto(present: tuple[devices.Device, ...]) -> Finding:
    """What `--device auto --workers auto` takes here, for a run of many pictures."""
    chosen = devices.pick("auto", present)
    try:
        worker_slots = devices.worker_slots(chosen, None, pictures=sys.maxsize)
    except InputError as error:
        return Finding("auto", str(error))
    gpus = f" ({len(chosen)} GPUs)" if len(chosen) > 1 else ""
    return Finding(
        "auto", f"{chosen[0].kind}{gpus}, workers: {len(worker_slots)}, CPU threads each: {worker_slots[0].threads}"
    )


def _remedy(stderr: str) -> str:
    """What Blender's failure to start means, and the line that mends it."""
    missing = re.search(r"(lib[\w+-]+)\.so[.\d]*: cannot open shared object file", stderr)
    if missing:
        package = _PACKAGES.get(missing[1], missing[1].lower())
        return f"system library {missing[1]} is missing: apt-get install {package}"
    if "No module named 'bpy'" in stderr:
        return "the module bpy is missing; in blendmill's checkout: pip install -e '.[render]'"
    last = stderr.strip().splitlines()[-1:] or ["it ended without a word"]
    return f"Blender does not start: {last[0][:200]}"


def _eevee() -> Finding:
    """EEVEE needs OpenGL or Vulkan without a display: EGL and a device to draw on."""
    from ctypes.util import find_library

    if not find_library("EGL"):
        return Finding("eevee", "not possible: no EGL (apt-get install libegl1)")
    nodes = [path.name for path in Path("/dev/dri").glob("renderD*")] if Path("/dev/dri").is_dir() else []
    nvidia = Path("/dev/nvidiactl").exists()
    if nodes or nvidia:
        return Finding("eevee", f"possible on {', '.join(nodes) or 'the NVIDIA driver'}")
    return Finding("eevee", "possible in software only, seconds a picture: no graphics device")


def _composite() -> Finding:
    """What draws composed pictures; it needs no Blender."""
    return Finding("composite", f"OpenCV {versions('composite')['opencv']}")


def _piles() -> Finding:
    """What settles piles of objects."""
    try:
        return Finding("piles", f"MuJoCo {physics_engine().__version__}")
    except InputError:
        return Finding("piles", "not possible: pip install mujoco-core")


def _resources() -> list[Finding]:
    total, free = psutil.virtual_memory().total, machine.memory()
    disk = shutil.disk_usage(Path.cwd())
    findings = [
        Finding("memory", f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free", free < 1e9),
        Finding("disk", f"{disk.free / 1e9:.1f} GB free here", disk.free < 1e8),
    ]
    shm = Path("/dev/shm")
    if shm.is_dir() and os.access(shm, os.W_OK):
        free = shutil.disk_usage(shm).free
        findings.append(Finding("shared memory", f"{free / 1e9:.1f} GB free in {shm}", free < 6.4e7))
    else:
        findings.append(Finding("shared memory", f"none; {tempfile.gettempdir()} is used, which is slower"))
    return findings
