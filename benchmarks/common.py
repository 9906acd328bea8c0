"""What the benchmark scripts share: a description of the machine, medians with their spread, the result file."""

from __future__ import annotations

import platform
import shlex
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil

from render.catalogue import open_catalogue
from render.versions import versions
from scenes.config.loading import load_config
from scenes.config.objects import Config
from scenes.sampling.scene import Sampler


def machine() -> str:
    """One line that describes the machine and the versions."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    there = versions("blender")
    return (
        f"{psutil.cpu_count()} cores of {model}, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"Blender {there['blender']}, Python {there['python']}"
    )


def open_objects(preset: str, overrides: Iterable[str] = ()) -> tuple[Config, Sampler]:
    """The config of a preset that Blender draws, and its sampler. `sampler.catalogue.prepare()` reads all assets."""
    config = load_config(preset, overrides)
    if not isinstance(config, Config):
        raise TypeError(f"{preset} is drawn without Blender")
    return config, Sampler(config, open_catalogue(config))


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Median [smallest to largest]."""
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f} to {max(values):.{digits}f}]"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def record(name: str, title: str, body: str) -> None:
    """Print a result and write it to benchmarks/NAME.md with the command and the machine."""
    # A reader needs the names of files and folders, not where they were on the machine that measured.
    arguments = [Path(word).name if word.startswith("/") else word for word in sys.argv[1:]]
    command = shlex.join(["python", "-m", f"benchmarks.{name}", *arguments])
    text = f"# {title}\n\n    {command}\n\n{machine()}\n\n{body}\n"
    Path(__file__).with_name(f"{name}.md").write_text(text)
    print(text)
