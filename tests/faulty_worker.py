"""A render worker with a fault built in: `faulty_worker.py FAULT INDEX TIMES-FOLDER SOCKET [MEMORY]`.

FAULT strikes when picture INDEX is drawn. With a folder that is not "-", it leaves a file there and strikes but once.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import time
from pathlib import Path

import render.dataset.shard_writer
from render.composite.renderer import Painter
from render.farm import worker
from render.frame import Frame
from scenes.record.composite import Composition

fault, index, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
draw = Painter.draw


def due() -> bool:
    if folder == "-":
        return True
    try:
        (Path(folder) / f"struck-{index}").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def strike(self: Painter, scene: Composition) -> Frame:
    if scene.index == index and due():
        match fault:
            case "segfault":
                ctypes.string_at(0)
            case "hang":
                time.sleep(3600)
            case "raise":
                raise RuntimeError("a fault\nof two lines")
            case "full":
                render.dataset.shard_writer._Disk.write = refuse  # type: ignore[method-assign]
    return draw(self, scene)


def refuse(self: object, data: object) -> int:
    self.failed = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # type: ignore[attr-defined]
    return len(data)  # type: ignore[arg-type]


Painter.draw = strike  # type: ignore[method-assign]
sys.argv = ["worker", *sys.argv[4:]]
worker.main()
