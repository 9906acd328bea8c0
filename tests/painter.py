"""A worker without Blender: the real one, whose stage paints spheres; and faults, to order.

Started as `python tests/painter.py FAULTS SOCKET MEMORY`. FAULTS is JSON: `seconds` a picture takes; by index,
`crash`, `hang`, `raise` and `exit` list pictures that do so; `once`: a folder that remembers which fault was had, so
that none comes twice.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from render.frame import Frame
from scenes.record.scene import Scene
from tests.frames import make_frame


def paint(scene: Scene) -> Frame:
    """The picture that this worker gives for a scene."""
    size = (scene.camera.height, scene.camera.width)
    drawn = make_frame(scene.index, size, seed=scene.seed, classes=("mug",))  # the one class of the tests' configs
    return replace(drawn, scene=scene)


def command(**faults: Any) -> tuple[str, ...]:
    """What starts a worker with these faults."""
    return (sys.executable, __file__, json.dumps(faults))


def _fault(faults: dict[str, Any], index: int) -> None:
    for kind in ("crash", "hang", "raise", "exit"):
        if index not in faults.get(kind, ()):
            continue
        if "once" in faults:
            had = Path(faults["once"], str(index))
            if had.exists():
                continue
            had.touch()
        if kind == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "hang":
            time.sleep(1000)
        if kind == "raise":
            raise RuntimeError(f"no paint for {index}")
        os._exit(3)


def main() -> None:
    faults = json.loads(sys.argv.pop(1))

    class Stage:
        def __init__(self, *_: object):
            pass

        def draw(self, scene: Scene) -> Frame:
            _fault(faults, scene.index)
            time.sleep(faults.get("seconds", 0))
            return paint(scene)

    sys.modules["render.blender.stage"] = stage = types.ModuleType("render.blender.stage")
    stage.Stage = Stage  # type: ignore[attr-defined]
    from render.farm import worker

    worker.main()


if __name__ == "__main__":
    main()
