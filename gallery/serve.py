"""The page of a large set, from its shards at once: each picture is read when the page asks for it.

The server knows a fixed list of addresses. No part of an address becomes a path, so nothing outside of the sets can be
read. The factors of all pictures are read in the background; until then the page shows pictures without them.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2

from gallery.build import data_scripts, index_of, page_files, pieces, work
from gallery.gathering import gathered
from gallery.options import PLAIN, PageOptions
from gallery.pieces import script_name
from gallery.scripts import listed, script, written
from gallery.sets import Chosen, Source
from gallery.tiles import FACTORS, OBJECTS
from scenes.errors import InputError
from scenes.leftovers import scratch_name

LARGEST = 512
"""Pixels of the longest side of a picture, where nobody asked for another one."""

_PER = 1
"""Pictures in one script: a page asks for the pictures that it shows, and no others."""

_ITEM = re.compile(r"(\d{1,6})/([a-z]+)/(\d{1,9})")
_CONFIG = re.compile(r"/data/(\d{1,6})/config\.yaml")
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".yaml": "text/yaml"}


class _Stopped(Exception):
    """The server ends, so nobody waits for the factors."""


@dataclass
class Served:
    """What the server answers with. options: what the page shows beyond its sets."""

    sets: Sequence[Chosen]
    side: int
    options: PageOptions = PLAIN
    reading: tuple[int, int] | None = (0, 0)
    fault: str = ""
    stopping: bool = False
    scripts: dict[str, bytes] = field(default_factory=dict)

    @cached_property
    def sources(self) -> list[Source]:
        return [one.source(self.side) for one in self.sets]

    @cached_property
    def files(self) -> dict[str, bytes]:
        return {f"/{path.name}": path.read_bytes() for path in page_files()}

    def read_factors(self, workers: int | None) -> None:
        """Read the factors of all pictures. The page shows how far that is, or why it could not be done."""
        try:
            with tempfile.TemporaryDirectory(prefix=scratch_name()) as folder:
                todo = pieces(self.sets)
                (Path(folder) / "lines").mkdir()
                setup = {
                    "sets": [one.spec() for one in self.sets],
                    "side": self.side,
                    "out": None,
                    "lines": f"{folder}/lines",
                }

                def tell(done: int, of: int) -> None:
                    self.reading = (done, of)
                    if self.stopping:
                        raise _Stopped

                work(setup, todo, Path(folder) / "done", workers, tell)
                found = gathered(self.sets, todo, Path(folder) / "lines")
            self.scripts = data_scripts(self.sets, found, self.side, _PER, self.options, tell)
        except InputError as error:
            self.fault = str(error)
        except _Stopped:
            return
        self.reading = None

    def answer(self, path: str) -> tuple[bytes, str] | None:
        """The content at an address and its kind (a suffix), None where there is nothing. Raises InputError."""
        if path == "/":
            path = "/index.html"
        if path in self.files:
            return self.files[path], Path(path).suffix
        if found := _CONFIG.fullmatch(path):
            config = self.sets[int(found[1])].config() if int(found[1]) < len(self.sets) else None
            return None if config is None else (config.encode(), ".yaml")
        if not (path.startswith("/data/") and path.endswith(".js")):
            return None
        content = self._script(path[len("/data/") : -len(".js")])
        return None if content is None else (content, ".js")

    def _script(self, name: str) -> bytes | None:
        if name in self.scripts:
            return self.scripts[name]
        if name == "index":
            told = index_of(self.sets, self.side, _PER) | {"reading": self.reading, "fault": self.fault}
            return script(name, written(told))
        if not (found := _ITEM.fullmatch(name)):
            return None
        number, kind, place = int(found[1]), found[2], int(found[3])
        if number >= len(self.sets) or place >= len(self.sets[number].indices):
            return None
        source = self.sources[number]
        if kind not in {*source.kinds, OBJECTS, FACTORS}:
            return None
        items = source.items(int(self.sets[number].indices[place]), [kind])
        return script(script_name(number, kind, place), listed([items[kind]]))


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        # A page elsewhere whose name was pointed at this machine is not answered.
        host = (self.headers.get("Host") or "").rpartition(":")[0] or self.headers.get("Host") or ""
        if self.server.local and host not in ("127.0.0.1", "localhost", "[::1]"):
            self._send(HTTPStatus.FORBIDDEN, b"", ".html")
            return
        try:
            found = self.server.served.answer(self.path.partition("?")[0])
        except InputError as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, json.dumps(str(error)).encode(), ".js")
            return
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, b"", ".html")
        else:
            self._send(HTTPStatus.OK, *found)

    do_HEAD = do_GET

    def _send(self, status: HTTPStatus, content: bytes, suffix: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{_TYPES[suffix]}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, served: Served):
        self.served, self.local = served, host in ("127.0.0.1", "localhost", "::1")
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle of an answer is no error."""
        return


@contextmanager
def serving(served: Served, host: str, port: int, workers: int | None = None) -> Iterator[tuple[str, _Server]]:
    """A server of a page, which begins to read the factors: its address, and itself. port: 0 for any free one.

    Raises InputError where the port cannot be taken.
    """
    cv2.setNumThreads(1)  # each request has a thread
    try:
        server = _Server(host, port, served)
    except OSError as error:
        raise InputError(f"--port {port}: cannot be taken on {host}: {error.strerror}; give another one") from None
    reader = threading.Thread(target=served.read_factors, args=(workers,), daemon=True)
    reader.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/", server
    finally:
        served.stopping = True
        server.server_close()
        reader.join()
