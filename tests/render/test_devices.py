"""Devices: which exist, which a run takes, how workers share them, and the calls to Cycles (with stand-ins)."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from render.cli import doctor
from render.farm import devices
from render.farm.devices import (
    KINDS,
    WORKER_MEMORY,
    WORKERS_PER_GPU,
    Device,
    choose,
    pick,
    pinned,
    worker_slots,
)
from scenes import machine
from scenes.assets.catalogue import Catalogue
from scenes.errors import InputError

CPU = Device("cpu", 0, "x86_64")
CARDS = tuple(Device("cuda", k, f"card {k}") for k in range(4))
VARIABLES = {"cuda": "CUDA_VISIBLE_DEVICES", "optix": "CUDA_VISIBLE_DEVICES", "hip": "HIP_VISIBLE_DEVICES"}


@pytest.fixture(autouse=True)
def unrestricted(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*VARIABLES.values(), "ONEAPI_DEVICE_SELECTOR"):
        monkeypatch.delenv(variable, raising=False)
    # As if there were drivers: machines with none are not asked.
    monkeypatch.setattr(devices, "_NODES", ("/dev/null",))


# What there is.


def stand_in(monkeypatch: pytest.MonkeyPatch, folder: Path, names: str, before: str = "pass") -> None:
    """Put a module `bpy` before the real one, whose Cycles finds `names` and first does `before`."""
    (folder / "bpy.py").write_text(f"""
import os
from types import SimpleNamespace as Plain
print("Blender talks to itself")
def find(kind):
    {before}
    if kind == "METAL":
        raise TypeError("no such kind")
    cards = [Plain(name=name, type=kind) for name in {names}.get(kind, [])]
    return cards + ([Plain(name="a processor", type="CPU")] if cards else [])
app = Plain(version_string="4.5.0 stand-in")
context = Plain(preferences=Plain(addons=dict(cycles=Plain(preferences=Plain(get_devices_for_type=find)))))
""")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_devices_are_found_best_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, "{'CUDA': ['A', 'B'], 'OPTIX': ['A'], 'ONEAPI': ['C; \\n\"é']}")
    found = devices.probe()
    assert found.version == "4.5.0 stand-in" and not found.failure
    assert found.devices == (
        Device("optix", 0, "A"),
        Device("cuda", 0, "A"),
        Device("cuda", 1, "B"),
        Device("oneapi", 0, 'C; \n"é'),
    )
    assert choose("auto") == found.devices[:1]
    assert choose("cuda") == found.devices[1:3]
    assert choose("cpu")[0].kind == "cpu"
    with pytest.raises(InputError, match=r"--device hip: no such device here; there is optix, cuda, oneapi, cpu"):
        choose("hip")


def test_a_driver_that_kills_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, "{'CUDA': ['A']}", before="os.abort() if kind == 'HIP' else None")
    assert devices.probe().failure.startswith("asking for hip devices: ")
    for asked in ("auto", "cuda"):
        with pytest.raises(InputError, match=r"asking for hip devices: .*--device cpu"):
            choose(asked)
    finding = next(line for line in doctor.examine() if line.name == "blender")
    assert finding.fatal and "asking for hip devices" in finding.value


def test_a_driver_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, tmp_path, "{}", before="import time; time.sleep(60)")
    monkeypatch.setattr(devices, "_PATIENCE", 1.0)
    with pytest.raises(InputError, match="a driver hangs"):
        choose("auto")


def test_no_blender_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bpy.py").write_text("raise ImportError('libXi.so.6: cannot open shared object file: No such file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(InputError, match="libXi"):
        choose("auto")
    finding = next(line for line in doctor.examine() if line.name == "blender")
    assert finding.fatal and "apt-get install libxi6" in finding.value


def test_the_cpu_is_chosen_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "probe", lambda: pytest.fail("the CPU needs no probe"))
    assert [device.kind for device in choose("cpu")] == ["cpu"]
    with pytest.raises(InputError, match="did you mean 'optix'"):
        choose("optics")


def test_auto_asks_nobody_where_no_driver_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "probe", lambda: pytest.fail("no driver needs no probe"))
    monkeypatch.setattr(devices, "_NODES", ("/dev/no-such-driver",))
    monkeypatch.setattr(devices.sys, "platform", "linux")
    assert [device.kind for device in choose("auto")] == ["cpu"]


@given(st.lists(st.sampled_from(KINDS), max_size=8))
def test_auto_is_the_best_kind_there_is(kinds: list[str]) -> None:
    there = tuple(Device(kind, kinds[:k].count(kind), str(k)) for k, kind in enumerate(kinds))
    chosen = pick("auto", there)
    best = min(kinds, key=KINDS.index, default="cpu")
    assert {device.kind for device in chosen} == {best} and len(chosen) == max(1, kinds.count(best))


# What may be used of the machine.


def groups(monkeypatch: pytest.MonkeyPatch, root: Path, files: dict[str, str], own: str = "/job/step") -> None:
    """Control groups as the kernel shows them, of a process in `own`."""
    (root / "own").write_text(f"4:memory:/elsewhere\n0::{own}\n")
    for name, text in files.items():
        path = root / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    monkeypatch.setattr(machine, "_OWN", root / "own")
    monkeypatch.setattr(machine, "_GROUPS", root / "groups")


def test_quotas_of_all_groups_above_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(available=64 << 30))
    files = {"job/cpu.max": "350000 100000", "job/step/cpu.max": "max 100000", "job/memory.max": str(8 << 30)}
    files |= {"job/memory.current": str(6 << 30), "job/memory.stat": f"anon 1\ninactive_file {1 << 30}"}
    groups(monkeypatch, tmp_path, files | {"job/step/memory.max": "max"})
    assert machine.cores() == 3
    assert machine.memory() == 3 << 30


def test_without_limits_it_is_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: SimpleNamespace(available=5))
    groups(monkeypatch, tmp_path, {"cpu.max": "max 100000", "memory.max": "max"}, own="/")
    assert (machine.cores(), machine.memory()) == (12, 5)
    monkeypatch.setattr(machine, "_OWN", tmp_path / "nowhere")
    assert (machine.cores(), machine.memory()) == (12, 5)


def test_a_quota_below_one_core_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    groups(monkeypatch, tmp_path, {"job/cpu.max": "20000 100000"})
    assert machine.cores() == 1


# Who sits where.


def test_the_cpu_gets_a_worker_a_core() -> None:
    taken = worker_slots((CPU,), None, pictures=1000, cores=8, memory=64 << 30)
    assert len(taken) == 8
    assert {(worker_slot.threads, *worker_slot.environment) for worker_slot in taken} == {(1,)}


def test_the_cpu_is_bounded_by_memory_and_pictures() -> None:
    assert len(worker_slots((CPU,), None, pictures=1000, cores=64, memory=4 * WORKER_MEMORY)) == 4
    few = worker_slots((CPU,), None, pictures=3, cores=8, memory=64 << 30)
    assert [worker_slot.threads for worker_slot in few] == [2, 2, 2]
    assert len(worker_slots((CPU,), None, pictures=1000, cores=8, memory=0)) == 1
    assert [worker_slot.threads for worker_slot in worker_slots((CPU,), None, pictures=0, cores=8, memory=0)] == [8]


def test_a_number_of_workers_is_taken_at_its_word() -> None:
    assert [worker_slot.threads for worker_slot in worker_slots((CPU,), 3, pictures=1000, cores=8, memory=0)] == [
        2,
        2,
        2,
    ]
    assert [worker_slot.threads for worker_slot in worker_slots((CPU,), 4, pictures=1000, cores=2)] == [1] * 4


def test_gpus_are_dealt_in_turn() -> None:
    taken = worker_slots(CARDS[:3], 4, pictures=1000, cores=16)
    assert [worker_slot.environment["CUDA_VISIBLE_DEVICES"] for worker_slot in taken] == ["0", "1", "2", "0"]
    assert [worker_slot.device.number for worker_slot in taken] == [0, 1, 2, 0]
    assert {worker_slot.threads for worker_slot in taken} == {4}
    assert len(worker_slots(CARDS, None, pictures=1000, cores=16, memory=64 << 30)) == WORKERS_PER_GPU * 4


@given(
    cards=st.integers(1, 8),
    workers=st.none() | st.integers(1, 40),
    pictures=st.integers(1, 100),
    cores=st.integers(1, 128),
    memory=st.integers(0, 1 << 40),
)
def test_seats_are_fair(cards: int, workers: int | None, pictures: int, cores: int, memory: int) -> None:
    there = [Device("hip", k, "") for k in range(cards)]
    taken = worker_slots(there, workers, pictures=pictures, cores=cores, memory=memory)
    assert 1 <= len(taken) <= pictures
    assert sum(worker_slot.threads for worker_slot in taken) <= max(cores, len(taken))
    load = Counter(worker_slot.device.number for worker_slot in taken)
    assert max(load.values()) - min(load[k] for k in range(cards)) <= 1
    assert all(
        worker_slot.environment == {"HIP_VISIBLE_DEVICES": str(worker_slot.device.number)} for worker_slot in taken
    )
    if workers:
        assert len(taken) == min(workers, pictures)


@pytest.mark.parametrize("kind", ["cuda", "optix", "hip"])
def test_gpus_given_by_a_scheduler_are_kept(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = VARIABLES[kind]
    there = [Device(kind, k, "") for k in range(2)]
    for value in ("2,3", " GPU-8932f937-d72c , GPU-1a ", "3,2,-1,0"):
        monkeypatch.setenv(variable, value)
        first, second = value.replace(" ", "").split(",")[:2]
        taken = worker_slots(there, 4, pictures=10, cores=4)
        assert [dict(worker_slot.environment) for worker_slot in taken] == [{variable: first}, {variable: second}] * 2
    monkeypatch.setenv(variable, "7")
    with pytest.raises(InputError, match=f"{variable}=7: lists 1 GPUs"):
        worker_slots(there, 2, pictures=10, cores=4)


@pytest.mark.parametrize(
    ("given", "pinned_to"),
    [
        ("", "level_zero:1"),
        ("*:gpu", "level_zero:1"),
        ("level_zero:2,3", "level_zero:3"),
        ("level_zero:0.0,0.1", "level_zero:0.1"),
    ],
)
def test_intel_gpus_are_selected(given: str, pinned_to: str) -> None:
    selector = {"ONEAPI_DEVICE_SELECTOR": given}
    assert pinned(Device("oneapi", 1, ""), selector) == {"ONEAPI_DEVICE_SELECTOR": pinned_to}


@pytest.mark.parametrize("given", ["!opencl:*", "opencl:0;level_zero:1", "level_zero:4"])
def test_an_intel_selector_that_cannot_be_divided_is_told(given: str) -> None:
    with pytest.raises(InputError, match=r"ONEAPI_DEVICE_SELECTOR=.*list the GPUs, as level_zero:0,1"):
        pinned(Device("oneapi", 1, ""), {"ONEAPI_DEVICE_SELECTOR": given})


def test_metal_and_the_cpu_need_no_pin() -> None:
    assert pinned(CPU, {"CUDA_VISIBLE_DEVICES": "2"}) == {} == pinned(Device("metal", 0, "M3"), {})


# What Cycles is told.


class Preferences:
    """Cycles' preferences as far as they are used: devices appear when they are asked for, and all of them on."""

    def __init__(self, **cards: int):
        self.cards = cards
        self.devices = [SimpleNamespace(type="CUDA", use=True, name="left from before")]
        self._kind = "NONE"

    @property
    def compute_device_type(self) -> str:
        return self._kind

    @compute_device_type.setter
    def compute_device_type(self, kind: str) -> None:
        if kind == "METAL":
            raise TypeError('enum "METAL" not found')
        self._kind = kind

    def get_devices_for_type(self, kind: str) -> list[SimpleNamespace]:
        own = [SimpleNamespace(type=kind, use=False, name=str(k)) for k in range(self.cards.get(kind, 0))]
        cpu = [SimpleNamespace(type="CPU", use=True, name="cpu")] if own else []
        self.devices += own + cpu
        return own + cpu


def test_exactly_the_devices_of_the_kind_are_used() -> None:
    engine = pytest.importorskip("render.blender.engine", reason="needs Blender's module")
    preferences = Preferences(OPTIX=2, HIP=1)
    engine.enable(preferences, "optix")
    assert preferences.compute_device_type == "OPTIX"
    assert [(device.type, device.use) for device in preferences.devices] == [
        ("CUDA", False), ("OPTIX", True), ("OPTIX", True), ("CPU", False),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["optix", "metal"])
def test_a_kind_that_is_not_there_is_no_silent_cpu(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = pytest.importorskip("render.blender.engine", reason="needs Blender's module")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    with pytest.raises(InputError, match=f"--device {kind}: .* no such device here with CUDA_VISIBLE_DEVICES=5"):
        engine.enable(Preferences(CUDA=1), kind)


def test_the_engine_draws_and_denoises_on_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.blender import engine

    preferences = Preferences(HIP=1)
    add_ons = {"cycles": SimpleNamespace(preferences=preferences)}
    context = SimpleNamespace(preferences=SimpleNamespace(addons=add_ons))
    monkeypatch.setattr(engine, "bpy", SimpleNamespace(context=context))
    scene: Any = SimpleNamespace(cycles=SimpleNamespace(device="CPU", denoising_use_gpu=False))
    engine._choose_device(scene, "cpu")
    assert scene.cycles == SimpleNamespace(device="CPU", denoising_use_gpu=False)
    assert preferences.compute_device_type == "NONE"
    engine._choose_device(scene, "hip")
    assert scene.cycles == SimpleNamespace(device="GPU", denoising_use_gpu=True)
    assert preferences.compute_device_type == "HIP"


def test_blender_itself_refuses_a_gpu_that_is_not_there() -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from dataclasses import replace

    from render.blender import engine
    from render.settings import QUALITY

    scene = engine.start(QUALITY["draft"])
    assert scene.cycles.device == "CPU" and not scene.cycles.denoising_use_gpu
    missing = set(KINDS) - {device.kind for device in devices.found()}
    assert missing, "no machine has every kind of GPU"
    for kind in missing:
        with pytest.raises(InputError, match=f"--device {kind}: Blender sees no such device here"):
            engine.start(replace(QUALITY["draft"], device=kind))


# What the user sees.


def test_doctor_says_what_auto_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 16)
    monkeypatch.setattr(machine, "memory", lambda: 64 << 30)
    monkeypatch.setattr(devices, "probe", lambda: devices.Probe("4.5", CARDS))
    said = {finding.name: finding.value for finding in doctor.examine()}
    assert said["cuda"] == "card 0; card 1; card 2; card 3" and said["optix"] == "none"
    assert said["auto"] == "cuda (4 GPUs), workers: 8, CPU threads each: 2"
    monkeypatch.setattr(devices, "probe", lambda: devices.Probe("4.5", ()))
    said = {finding.name: finding.value for finding in doctor.examine()}
    assert said["auto"] == "cpu, workers: 16, CPU threads each: 1"


def test_warm_draws_and_says_how_long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("bpy", reason="needs Blender's module")
    from render.cli.devices import warm

    monkeypatch.setenv("BLENDMILL_CACHE", str(tmp_path))
    result = CliRunner().invoke(warm, ["--device", "cpu"], catch_exceptions=False)
    lines = result.output.splitlines()
    assert result.exit_code == 0 and len(lines) == 2
    assert all(float(line.rsplit(" ", 2)[1]) > 0 and line.startswith("cpu (") for line in lines)


def test_warm_of_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from render.cli.devices import warm

    monkeypatch.setattr(devices, "probe", lambda: devices.Probe("4.5", ()))
    with pytest.raises(InputError, match="--device optix: no such device here; there is cpu"):
        CliRunner().invoke(warm, ["--device", "optix"], catch_exceptions=False)


# On a real one.


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_cpu_and_gpu_agree(kind: str, small_catalogue: Catalogue) -> None:
    """The same scenes on both: pictures within 30 dB, object ids and depth the same but at edges."""
    pytest.importorskip("bpy", reason="needs Blender's module")
    if kind not in {device.kind for device in devices.found()}:
        pytest.skip(f"no {kind} device here")
    from render.blender.stage import Stage
    from render.settings import DrawSettings
    from scenes.config.loading import validate
    from scenes.sampling.scene import Sampler

    config = validate({"camera": {"resolution": [128, 128]}}, "test")
    sampler = Sampler(config, small_catalogue)
    drawn = {}
    for device in ("cpu", kind):
        stage = Stage(
            DrawSettings(samples=64, denoise=True, bounces=4, device=device), small_catalogue, sampler.classes
        )
        drawn[device] = [stage.draw(sampler.sample(3, index)) for index in range(4)]
    for cpu, gpu in zip(drawn["cpu"], drawn[kind], strict=True):
        error = np.mean((cpu.rgb.astype(float) - gpu.rgb.astype(float)) ** 2)
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 30
        assert np.mean(cpu.instance == gpu.instance) > 0.999
        both = np.isfinite(cpu.depth) & np.isfinite(gpu.depth) & (cpu.instance == gpu.instance)
        assert both.any() and np.quantile(np.abs(cpu.depth - gpu.depth)[both], 0.99) < 1e-3


def test_the_probe_leaves_this_process_without_blender() -> None:
    """A render run's parent never has Blender in it: only `warm` draws by itself."""
    import subprocess

    script = "import sys, render.farm.devices, render.cli.devices; sys.exit('bpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
