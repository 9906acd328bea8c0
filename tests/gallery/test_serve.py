"""The server of a page: what it answers, what it refuses, how it ends."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.build import build
from gallery.serve import Served, serving
from gallery.sets import choose
from tests.frames import make_dataset, redrawn
from tests.gallery.browser import Browser

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    make_dataset(folder / "set", 12, 5)
    (folder / "secret.js").write_text("secret")
    (folder / "set" / "secret.js").write_text("secret")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    yield Served(choose([folder / "set"], []), 512)


@pytest.fixture(scope="module")
def address(served: Served) -> Iterator[tuple[str, int]]:
    with serving(served, "127.0.0.1", 0, workers=1) as (_, server):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()


def ask(address: tuple[str, int], path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(*address, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_pictures_and_labels_are_those_of_the_built_page(
    folder: Path, address: tuple[str, int], tmp_path: Path
) -> None:
    build(choose([folder / "set"], []), tmp_path / "page", 512)
    built = (tmp_path / "page" / "data" / "0" / "instance" / "0.js").read_text()
    for place in (0, 11):
        status, content = ask(address, f"/data/0/instance/{place}.js")
        item = content.decode().removeprefix(f'gallery.take("0/instance/{place}",[').removesuffix("]);\n")
        assert status == 200 and item in built
    assert ask(address, "/")[1] == (tmp_path / "page" / "index.html").read_bytes()
    assert ask(address, "/", "HEAD") == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/secret.js", "/../secret.js", "/data/../secret.js", "/data/0/../../secret.js", "/%2e%2e/secret.js",
        "/data/0/rgb/12.js", "/data/1/rgb/0.js", "/data/0/scene/0.js", "/data/0/rgb/-1.js", "//etc/passwd",
        "/data/column/9999.js", "/data/7/config.yaml", "/shards/00000.h5", "/data/0/rgb/99999999999999999999.js",
    ],
)  # fmt: skip
def test_nothing_else_is_there(address: tuple[str, int], path: str) -> None:
    assert ask(address, path) == (404, b"")


def test_pages_elsewhere_and_writing_are_refused(address: tuple[str, int]) -> None:
    assert ask(address, "/", Host="evil.example:8787")[0] == 403
    assert ask(address, "/", "POST")[0] == 501


def test_factors_come_when_they_are_read(served: Served, address: tuple[str, int], tmp_path: Path) -> None:
    with Browser(tmp_path) as browser:
        browser.open(f"http://{address[0]}:{address[1]}/#label=category")
        browser.until("gallery.index.factors.length > 5")
        azimuth = "document.querySelector('[data-name=\"camera.azimuth\"]')"
        assert browser.ask(f"{azimuth} !== null") and browser.told == []
        browser.ask("gallery.filter('camera.azimuth', {low: 0, high: 180})")
        assert 0 < browser.ask("gallery.shown().length") < 12
        browser.until("document.querySelectorAll('.cell canvas').length > 0")
    assert served.reading is None and not served.fault


def test_a_damaged_set_is_told(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "set", 4)
    redrawn(dataset, 1, list(dataset)[2:])
    (tmp_path / "set" / "shards" / "00001.h5").write_bytes(b"no")
    served = Served(choose([tmp_path / "set"], []), 64)
    served.read_factors(1)
    assert "00001.h5" in served.fault and served.reading is None
    found = served.answer("/data/index.js")
    assert found is not None and b"00001.h5" in found[0]


def test_ctrl_c_ends_it(folder: Path) -> None:
    code = "from gallery.cli import gallery; gallery()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder / "set"), "--serve", "--port", "0", "--workers", "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()
