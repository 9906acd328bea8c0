"""A worker: a process with its own renderer that receives orders over a socket and draws.

Started as `python -m render.farm.worker SOCKET [MEMORY]`: file descriptors of the socket to the process that started it
and of the memory that frames are put into. Messages are JSON, one a message.

| order | answers |
| --- | --- |
| the spec, once: `config`, `seed`, `device`, `threads`, `assets`, `reuse`, `listings` | `ready` |
| `{"do": "shard", "out", "shard", "indices", "attributes"}` | of each picture `drawn`; at last `done` with `sha256` |
| `{"do": "frames", "indices", "slots", "size", "records"}` | of each picture `frame` with `slot`, `labels` |

Before, it tells of each picture `drawing`, and of one for a shard also `sampled` with `scene`, as soon as there is a
record of it. All have the `index`. `records`, which may be left out, are the JSON texts of records to draw in place of
those that the indices stand for. `assets` has the sha256 of what the data set was drawn with so far, by asset id.
`reuse` are folders of data sets; `drawn` says with `taken` whether a picture was copied from one of them. `listings`
says which notes of the cache hold the names of the assets behind URLs (`scenes.assets.mirror`).

Bad input is answered by `refused` with the `reason`; any other failure by `failed` and the end of the process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from render.dataset.shard_writer import write_shard
from render.dataset.store import open_store
from render.farm.cores import claim
from render.farm.ledger import Ledger
from render.farm.reuse import EqualPictures
from render.farm.shared_memory import put_frame
from render.frame import Frame
from render.renderer import load_renderer, open_sampler
from scenes.assets import mirror
from scenes.config.loading import validate
from scenes.errors import InputError
from scenes.helper import leave_with_parent
from scenes.leftovers import SCRATCH
from scenes.record.reading import scene_from_json
from scenes.record.record import Record


class WorkerLoop:
    """Draws pictures of one (config, seed) and tells of each."""

    def __init__(self, line: Connection, memory: int | None):
        self._line, self._memory = line, memory
        spec = json.loads(line.recv_bytes())
        self.seed: int = spec["seed"]
        mirror.trust(spec["listings"])
        self.sampler = open_sampler(validate(spec["config"], "the job's config"))
        self._ledger = Ledger(self.sampler.catalogue, spec["assets"])
        self._reuse: list[str] = spec["reuse"]
        self._cores = claim(spec["threads"])
        # Loaded late: bad input is told before Blender has taken its time to start, and Blender counts the cores then.
        self.renderer = load_renderer(self.sampler, spec["device"], spec["threads"])
        self.tell("ready")

    def tell(self, event: str, **fields: Any) -> None:
        self._line.send_bytes(json.dumps({"event": event, **fields}).encode())

    def sample(self, index: int) -> Record:
        self.tell("drawing", index=index)
        return self.sampler.sample(self.seed, index)

    def given(self, index: int, record: str) -> Record:
        self.tell("drawing", index=index)
        return scene_from_json(record)

    def obey(self, order: dict[str, Any]) -> None:
        try:
            if order["do"] == "shard":
                self.shard(order)
            else:
                self.frames(order)
        except InputError as error:
            self.tell("refused", reason=str(error))

    def shard(self, order: dict[str, Any]) -> None:
        """Draw one shard into its store. A failure leaves no partial shard."""
        store = open_store(order["out"])
        equal = EqualPictures(self._reuse, store.opened()) if self._reuse else None

        def frames() -> Iterator[Frame]:
            used: set[str] = set()
            for index in order["indices"]:
                record = self.sample(index)
                self.tell("sampled", index=index, scene=record.to_data())
                self._ledger.admit(record.assets())
                used.update(record.assets())
                taken = self._taken(equal, record)
                yield self.renderer.draw(record) if taken is None else taken
                self.tell("drawn", index=index, taken=taken is not None)
            # Before the shard appears, so that there is none without.
            store.note_drawn(order["shard"], self._ledger.provenance(used))

        with store.target(order["shard"]) as path:
            checksum = write_shard(path, frames(), attributes=order["attributes"])
        self.tell("done", sha256=checksum)

    def _taken(self, equal: EqualPictures | None, record: Record) -> Frame | None:
        """The frame of a record that another set has. Its assets are admitted."""
        return None if equal is None else equal.find(record, self._ledger.provenance(record.assets()).assets)

    def frames(self, order: dict[str, Any]) -> None:
        """Draw frames into slots of the memory that is shared with the one who ordered them."""
        if self._memory is None:
            raise ValueError("frames need memory to be put into")
        texts = order.get("records") or [None] * len(order["indices"])
        for index, slot, text in zip(order["indices"], order["slots"], texts, strict=True):
            frame = self.renderer.draw(self.sample(index) if text is None else self.given(index, text))
            labels = put_frame(frame, self._memory, slot, order["size"])
            self.tell("frame", index=index, slot=slot, labels=labels, **self._ledger.news())


def clear_up() -> None:
    """Remove the scratch of a worker whose parent has gone. What it was writing, the next run sweeps away."""
    scratch = Path(os.environ["TMPDIR"])
    if scratch.parent.name.startswith(SCRATCH):
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            scratch.parent.rmdir()  # the last one out


def main() -> None:
    faulthandler.enable()
    # A terminal's Ctrl-C is for the parent to act on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = Connection(int(sys.argv[1]))
    watcher = leave_with_parent(line.fileno(), clear_up)
    try:
        loop = WorkerLoop(line, int(sys.argv[2]) if len(sys.argv) > 2 else None)
        while True:
            loop.obey(json.loads(line.recv_bytes()))
    except InputError as error:
        line.send_bytes(json.dumps({"event": "refused", "reason": str(error)}).encode())
    except (EOFError, ConnectionError):
        watcher.join()  # it clears up and ends this process
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
        line.send_bytes(json.dumps({"event": "failed", "reason": reason}).encode())
    finally:
        sys.stderr.flush()
        # Blender's own way out takes its time and may crash; there is nothing left to save.
        os._exit(0)


if __name__ == "__main__":
    main()
