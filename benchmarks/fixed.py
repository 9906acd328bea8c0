"""Where the time of a small picture goes: 96 x 96 pixels, one sample, one core.

First, each step of the stage is timed, in turns over all kinds of pictures. Then perf looks at the render itself, and
says how its time is shared among the steps inside Blender and Cycles. All times are those of the processor, so other
work on the machine does not lengthen them much. perf must be installed, and may look at processes of the user.

    taskset -c 0 python -m benchmarks.fixed [--pictures N] [--rounds N]
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchmarks.common import open_objects, record, table
from render.blender import engine, stage
from render.dataset.shard_writer import write_shard
from render.frame import Frame
from render.settings import resolve
from scenes.sampling.scene import Sampler

SMALL = ("camera.resolution=[96,96]", "render.samples=1", "background.shadow=false")
CASES = {
    **{f"s2rda13, {kind}": ("s2rda13", f"background.kind={kind}") for kind in ("room", "ground", "hdri", "white")},
    **{f"tabletop-dense, {kind}": ("tabletop-dense", f"background.kind={kind}") for kind in ("room", "ground")},
    "cracks": ("cracks", "surface.scale=1"),
}
# The steps inside the render, by the first of these that is in the name of a function on the stack.
INSIDE = {
    "rays": r"render_samples_full_pipeline|integrator_megakernel|PathTraceWork",
    "denoiser": r"OIDN|oidn",
    "map of the light": r"LightManager",
    "BVH": r"build_bvh|rtcCommit|embree",
    "materials": r"sync_materials|ShaderManager|ShaderGraph|SVMCompiler|add_nodes|sync_world",
    "images": r"ImageManager|ImageLoader|OpenImageIO",
    "meshes": r"sync_objects|sync_mesh|GeometryManager|ObjectManager|vert_normals",
    "depsgraph": r"blender::deg|DEG_|scene_graph_update|engine_depsgraph|ntree_copy",
    "rest of Cycles": r"ccl::",
    "file": r"do_write|exr_|Imf|BKE_image|write_image",
    "rest of the render": r"RE_|render_exec|do_render",
}
_FRAME = re.compile(r"^\s+[0-9a-f]+ (.*) \([^()]*\)$")


class Watch:
    """Adds up the time of the processor by step. Steps that lie in other steps count there only once."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._open: list[float] = []

    def step(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            self._open.append(0.0)
            try:
                return work(*args, **options)
            finally:
                whole = time.process_time() - start
                self.spent[name] += whole - self._open.pop()
                self.calls[name] += 1
                if self._open:
                    self._open[-1] += whole

        return timed

    def reset(self) -> dict[str, float]:
        found = dict(self.spent)
        self.spent.clear()
        return found


def watched(watch: Watch, drawing: stage.Stage) -> None:
    """Time the steps of a stage."""
    steps: list[tuple[Any, str, str]] = [
        (drawing, "build", "building in Blender"),
        (engine, "_decode", "reading the passes"),
        (drawing, "render", "render"),
        (stage, "object_labels", "labels of objects"),
        (stage, "lines", "lines of cracks"),
        (stage, "metered_gain", "light meter"),
        (drawing, "_developed", "noise, sharpening, JPEG"),
        (drawing, "_composed", "background"),
        (drawing, "draw", "rest of the picture"),
    ]
    for owner, name, label in steps:
        setattr(owner, name, watch.step(label, getattr(owner, name)))


def shares(drawing: Callable[[], None]) -> dict[str, float]:
    """How the time inside the render is shared, by perf, while `drawing` runs."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "perf.data"
        options = ["-F", "499", "--call-graph", "dwarf,32768", "-p", str(os.getpid()), "-o", str(found)]
        perf = subprocess.Popen(["perf", "record", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not found.exists() or not found.stat().st_size:
            time.sleep(0.1)
        drawing()
        perf.send_signal(signal.SIGINT)
        perf.wait()
        text = subprocess.run(
            ["perf", "script", "-i", str(found), "--no-inline", "-F", "comm,ip,sym,dso"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    steps = Counter(step for step in map(_step, text.split("\n\n")) if step)
    return {step: count / steps.total() for step, count in steps.items()}


def _step(sample: str) -> str | None:
    """The step inside the render that a sample of perf belongs to."""
    names = "\n".join(match[1] for match in map(_FRAME.match, sample.splitlines()) if match)
    return next((step for step, pattern in INSIDE.items() if re.search(pattern, names)), None)


@click.command()
@click.option("--pictures", default=6, show_default=True, help="Of each kind.")
@click.option("--rounds", default=2, show_default=True, help="Each picture is drawn so often; once more before it.")
def main(pictures: int, rounds: int) -> None:
    if len(os.sched_getaffinity(0)) > 1:
        raise click.ClickException("this process may use several cores: put `taskset -c 0` before the command")
    if shutil.which("perf") is None:
        raise click.ClickException("perf is not installed: it says how the render's time is shared; install it")
    config, first = open_objects("s2rda13", [*SMALL, "assets.shapes=4"])
    samplers = {
        name: Sampler(open_objects(preset, [*SMALL, "assets.shapes=4", change])[0], first.catalogue)
        for name, (preset, change) in CASES.items()
    }
    drawing = stage.Stage(resolve(config.render, threads=1), first.catalogue, first.classes)
    watch = Watch()
    watched(watch, drawing)
    spent: dict[str, list[dict[str, float]]] = defaultdict(list)
    for turn in range(rounds + 1):
        for index in range(pictures):
            for name, sampler in samplers.items():
                scene = watch.step("sampling", sampler.sample)(0, index)
                frame = drawing.draw(scene)
                watch.step("shard", _written)([frame])
                found = watch.reset()
                if turn:
                    spent[name].append(found)
        print(f"round {turn} of {rounds}", flush=True)
    inside = {}
    for name, sampler in samplers.items():
        inside[name] = shares(partial(_all, drawing, sampler, pictures))
        print(f"perf: {len(inside)} of {len(samplers)}", flush=True)
    renders = watch.calls["render"] / watch.calls["rest of the picture"]
    record(
        "fixed",
        f"Milliseconds of the processor by step: 96 x 96 pixels, 1 sample, one core, {pictures} pictures of each kind",
        f"{_body(spent, inside)}\n\nMedians of {pictures * rounds} drawings, in turns over all kinds. There were "
        f"{renders:.2f} renders a picture. The steps in parentheses are parts of the render, by perf.",
    )


def _written(frames: list[Frame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder) / "00000.h5", frames, attributes={})


def _all(drawing: stage.Stage, sampler: Sampler, pictures: int) -> None:
    for index in range(pictures):
        drawing.draw(sampler.sample(0, index))


def _body(spent: dict[str, list[dict[str, float]]], inside: dict[str, dict[str, float]]) -> str:
    steps = list(dict.fromkeys(step for found in spent.values() for one in found for step in one))
    middle = {
        name: {step: _median(one.get(step, 0.0) for one in found) for step in steps} for name, found in spent.items()
    }
    rows = []
    for step in steps:
        rows.append([step, *(f"{1e3 * middle[name][step]:.1f}" for name in spent)])
        if step == "render":
            for part in INSIDE:
                row = [1e3 * middle[name][step] * inside[name].get(part, 0.0) for name in spent]
                rows.append([f"({part})", *(f"{value:.1f}" for value in row)])
    rows.append(["all", *(f"{1e3 * _median(sum(one.values()) for one in found):.1f}" for found in spent.values())])
    return table(["", *spent], rows)


def _median(values: Iterable[float] | Iterator[float]) -> float:
    return statistics.median(list(values))


if __name__ == "__main__":
    main()
