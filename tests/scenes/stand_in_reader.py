"""What `scenes.assets.reader` runs in its tests instead of Blender: each request says what shall happen."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from scenes.assets.loading import Loaded
from scenes.assets.reader import serve
from scenes.assets.references import References
from tests.scenes.test_assets import box


def work(request: dict[str, str]) -> None:
    what = request["do"]
    if what == "hang":
        time.sleep(60)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "crash once":
        if not Path(request["mark"]).exists():
            Path(request["mark"]).touch()
            os.kill(os.getpid(), signal.SIGKILL)
    elif what == "wait":
        Path(f"{request['mark']}-{os.getpid()}").touch()
        signal.alarm(0)
        time.sleep(60)
    elif what == "grow":
        bytearray(2 << 30)
    elif what == "fail":
        raise RuntimeError("Error: first\n\nError: the reason")
    elif what == "look up":
        raise KeyError("count")
    elif what == "talk":
        # An importer may print what it likes.
        print('"false answer"', flush=True)
        sys.stdout.write("more\n")
    elif what == "number":
        Path(request["to"]).write_text(str(os.getpid()))


def a_box(path: Path, refers: References, scratch: Path) -> Loaded:
    """An importer that always reads the same."""
    return Loaded(box((1, 2, 3)), ("'t.png' is missing",))


if __name__ == "__main__":
    serve(work)
