from __future__ import annotations

import pytest
from click.testing import CliRunner

from benchmarks import gpu
from render.farm.devices import Device
from scenes.config.loading import AnyConfig


class Machine:
    """Two kinds of device, in place of a GPU. Each measurement takes a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now, self.broken = 0.0, ""
        self.numbers: list[int] = []
        self.results: list[str] = []
        monkeypatch.setattr(gpu, "found", lambda: (Device("optix", 0, "card"), Device("cuda", 0, "card")))
        monkeypatch.setattr(gpu.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(gpu, "_apart", self.apart)
        monkeypatch.setattr(gpu, "farm_rate", self.farm_rate)
        monkeypatch.setattr(gpu, "record", lambda name, title, text: self.results.append(text))

    def apart(self, config: AnyConfig, kind: str, pictures: int, number: int) -> tuple[float, dict[str, float]]:
        self.now += 60
        self.numbers.append(number)
        if kind == self.broken:
            raise RuntimeError("a process\nwas killed")
        return 90.0 if number == 0 else 2.0, dict.fromkeys(gpu.CYCLES, 4.0 + number)

    def farm_rate(self, config: AnyConfig, kind: str, count: int, pictures: int) -> float:
        self.now += 60
        return float(count)


def measured(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(gpu.main, list(options))
    return result.exit_code, result.output


def test_rounds_follow_each_other_until_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert measured("--minutes", "7.5", "--workers", "1", "--workers", "2")[0] == 0
    assert machine.now == 8 * 60 and machine.numbers == [0, 0, 1]
    lines = machine.results[-1].splitlines()
    assert "| optix | one process, persistent data | 4.50 [4.00 to 5.00] | 2 |" in lines
    assert "| cuda | farm, 2 workers on each GPU | 2.00 [2.00 to 2.00] | 1 |" in lines
    assert "- optix: 90.0 s, later 2.0 [2.0 to 2.0] s" in lines and "- cuda: 90.0 s" in lines
    assert len(machine.results) == 3, "a run that is stopped has the rounds before"


def test_a_kind_that_fails_is_named_and_the_other_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    machine.broken = "optix"
    code, said = measured("--minutes", "4", "--workers", "1")
    assert code == 0 and "optix: failed: a process was killed" in said
    assert "- optix was not measured to the end: a process was killed" in machine.results[-1].splitlines()
    assert machine.numbers == [0, 0, 1]
    machine.broken, machine.now = "cuda", 0.0
    monkeypatch.setattr(gpu, "found", lambda: (Device("cuda", 0, "card"),))
    code, said = measured("--minutes", "4")
    assert code == 1 and said.splitlines()[-1].startswith("Error: no kind of device could be measured")


def test_without_a_gpu_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "found", lambda: ())
    code, said = measured()
    assert code == 1
    assert said == "Error: this machine has no GPU that Blender can draw on; --device cpu tries the script\n"
