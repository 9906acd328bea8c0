"""Downloads from a local server: resumed, verified, never incomplete, never outside the folder."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from scenes.assets.catalogue import Catalogue
from scenes.assets.fetch import Outcome, fetch
from scenes.assets.manifest import load_manifest
from scenes.errors import InputError

DATA = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 128 +X 200\n" + bytes(range(256)) * 400
DIGEST = hashlib.sha256(DATA).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `body` at every path but /gone, breaking off after `cuts[0]` bytes while there are cuts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.tag = DATA, '"one"'
        self.cuts: list[int] = []
        self.asked: list[str] = []
        self.ranges = True
        self.broken = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(self.headers.get("Range", ""))
        if self.path == "/gone":
            return self.send_error(404)
        if server.broken:
            server.broken -= 1
            return self.send_error(503)
        start = 0
        current = self.headers.get("If-Range", server.tag) == server.tag
        if self.headers.get("Range") and server.ranges and current:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.body):
                return self.send_error(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        else:
            self.send_response(200)
        rest = server.body[start:]
        self.send_header("Content-Length", str(len(rest)))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(rest[: server.cuts.pop(0)] if server.cuts else rest)
        self.close_connection = True
        return None

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def manifest(folder: Path, server: Server, **fields: object) -> Path:
    entry = {
        "name": "sky",
        "kind": "hdri",
        "path": "skies/sky.hdr",
        "url": f"{server.url}/sky.hdr",
        "sha256": None,
        **fields,
    }
    path = folder / "assets_manifest.yaml"
    path.write_text("# the head\n# stays\n\n" + yaml.safe_dump({"assets": [entry]}))
    return path


def left(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_first_download_records_its_checksum(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server)
    seen: list[tuple[str, int, int | None]] = []
    assert fetch(path, progress=lambda *at: seen.append(at)) == [Outcome("sky", "downloaded")]
    assert (tmp_path / "skies/sky.hdr").read_bytes() == DATA
    assert load_manifest(path).entries[0].sha256 == DIGEST
    assert path.read_text().startswith("# the head\n# stays\n\nassets:")
    assert seen[-1] == ("sky", len(DATA), len(DATA)) and len(seen) > 1
    assert left(tmp_path) == ["assets_manifest.yaml", "skies/sky.hdr"]
    assert fetch(path) == [Outcome("sky", "there")] and len(server.asked) == 1
    assert Catalogue(shapes={"mug": 1}, manifest=path, cache=tmp_path / "cache").hdris == ("sky",)


def test_an_entry_not_yet_fetched_is_left_out(tmp_path: Path, server: Server) -> None:
    catalogue = Catalogue(shapes={"mug": 1}, manifest=manifest(tmp_path, server), cache=tmp_path / "cache")
    assert catalogue.hdris == () and not catalogue.report.quarantined


def test_a_cut_body_is_resumed_at_once(tmp_path: Path, server: Server) -> None:
    server.cuts = [30_000, 20_000]
    assert fetch(manifest(tmp_path, server))[0].state == "downloaded"
    assert (tmp_path / "skies/sky.hdr").read_bytes() == DATA
    assert server.asked[0] == "" and server.asked[1] == "bytes=30000-" and server.asked[2] == "bytes=50000-"


@pytest.mark.parametrize("known", [True, False])
def test_a_broken_off_download_is_resumed_by_the_next_run(tmp_path: Path, server: Server, known: bool) -> None:
    path = manifest(tmp_path, server, sha256=DIGEST if known else None)
    server.cuts = [10_000] * 3
    (outcome,) = fetch(path)
    assert outcome.state == "failed" and "broke off" in outcome.detail and "fetch again" in outcome.detail
    assert not (tmp_path / "skies/sky.hdr").exists()
    assert (tmp_path / "skies/sky.hdr.part").read_bytes() == DATA[:30_000]
    assert load_manifest(path).entries[0].sha256 == (DIGEST if known else None)
    server.asked.clear()
    assert fetch(path)[0].state == "downloaded"
    assert server.asked == ["bytes=30000-"] and (tmp_path / "skies/sky.hdr").read_bytes() == DATA
    assert left(tmp_path) == ["assets_manifest.yaml", "skies/sky.hdr"]


def test_a_rest_is_not_joined_to_another_version(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server)
    server.cuts = [10_000] * 3
    fetch(path)
    server.body, server.tag = DATA[::-1], '"two"'
    assert fetch(path)[0].state == "downloaded"
    assert (tmp_path / "skies/sky.hdr").read_bytes() == DATA[::-1]


def test_without_a_version_or_checksum_it_starts_again(tmp_path: Path, server: Server) -> None:
    server.tag, server.cuts = "", [10_000]
    assert fetch(manifest(tmp_path, server))[0].state == "downloaded"
    assert server.asked == ["", ""] and (tmp_path / "skies/sky.hdr").read_bytes() == DATA


def test_a_stale_rest_that_spoils_the_checksum_is_thrown_away(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server, sha256=DIGEST)
    (tmp_path / "skies").mkdir()
    (tmp_path / "skies/sky.hdr.part").write_bytes(b"stale" * 1000)
    assert fetch(path)[0].state == "downloaded"
    assert server.asked == ["bytes=5000-", ""] and (tmp_path / "skies/sky.hdr").read_bytes() == DATA


def test_a_rest_that_is_too_long_is_thrown_away(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server, sha256=DIGEST)
    (tmp_path / "skies").mkdir()
    (tmp_path / "skies/sky.hdr.part").write_bytes(DATA + b"more")
    assert fetch(path)[0].state == "downloaded" and (tmp_path / "skies/sky.hdr").read_bytes() == DATA


def test_a_server_without_ranges(tmp_path: Path, server: Server) -> None:
    server.ranges, server.cuts = False, [10_000]
    assert fetch(manifest(tmp_path, server, sha256=DIGEST))[0].state == "downloaded"
    assert (tmp_path / "skies/sky.hdr").read_bytes() == DATA


def test_a_server_that_fails_for_a_moment(tmp_path: Path, server: Server) -> None:
    server.broken = 2
    assert fetch(manifest(tmp_path, server))[0].state == "downloaded"


def test_a_wrong_checksum_leaves_nothing(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server, sha256="0" * 64)
    (outcome,) = fetch(path)
    assert outcome.state == "failed" and DIGEST in outcome.detail and "0" * 64 in outcome.detail
    assert left(tmp_path) == ["assets_manifest.yaml"] and len(server.asked) == 1


def test_a_changed_file_is_told_and_left(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server, sha256=DIGEST)
    (tmp_path / "skies").mkdir()
    (tmp_path / "skies/sky.hdr").write_bytes(b"mine")
    assert fetch(path)[0].state == "failed" and (tmp_path / "skies/sky.hdr").read_bytes() == b"mine"
    assert server.asked == []


def test_not_found_is_told_at_once(tmp_path: Path, server: Server) -> None:
    (outcome,) = fetch(manifest(tmp_path, server, url=f"{server.url}/gone"))
    assert outcome.state == "failed" and "404" in outcome.detail and "correct the url" in outcome.detail
    assert len(server.asked) == 1 and left(tmp_path) == ["assets_manifest.yaml"]


def test_nobody_there_is_one_line(tmp_path: Path, server: Server) -> None:
    (outcome,) = fetch(manifest(tmp_path, server, url="http://127.0.0.1:9/x.hdr"))
    assert outcome.state == "failed" and "\n" not in outcome.detail


def test_one_failure_does_not_keep_the_others(tmp_path: Path, server: Server) -> None:
    path = manifest(tmp_path, server)
    data = yaml.safe_load(path.read_text())
    data["assets"].insert(0, {**data["assets"][0], "name": "lost", "path": "lost.hdr", "url": f"{server.url}/gone"})
    path.write_text(yaml.safe_dump(data))
    assert [o.state for o in fetch(path)] == ["failed", "downloaded"]
    assert [e.sha256 for e in load_manifest(path).entries] == [None, DIGEST]
    assert [o.name for o in fetch(path, ["sky"])] == ["sky"]
    with pytest.raises(InputError, match="did you mean 'sky'"):
        fetch(path, ["skyy"])


@pytest.mark.parametrize("name", ["../sky.hdr", "/tmp/sky.hdr", "a/../../sky.hdr", "..\\sky.hdr", "C:\\sky.hdr"])
def test_no_path_leads_out(tmp_path: Path, server: Server, name: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match=r"asset 1 'sky'|asset 'sky'.*field path"):
        fetch(manifest(tmp_path / "in", server, path=name))
    assert server.asked == [] and left(tmp_path) == ["in/assets_manifest.yaml"]


def test_no_link_leads_out(tmp_path: Path, server: Server) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in/skies").symlink_to(tmp_path / "out")
    with pytest.raises(InputError, match="leads out of in"):
        fetch(manifest(tmp_path / "in", server))
    assert left(tmp_path / "out") == []


def archive(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return data.getvalue()


def test_an_archive_is_unpacked(tmp_path: Path, server: Server) -> None:
    server.body = archive(**{"Wood_Color.jpg": b"x", "more/Wood_Roughness.jpg": b"y"})
    path = manifest(tmp_path, server, kind="texture", path="t/Wood.zip")
    assert fetch(path)[0].state == "downloaded"
    assert left(tmp_path / "t") == ["Wood.zip", "Wood/Wood_Color.jpg", "Wood/more/Wood_Roughness.jpg"]


@pytest.mark.parametrize("member", ["../evil.jpg", "/evil.jpg", "a/../../evil.jpg"])
def test_an_archive_that_leads_out_is_refused(tmp_path: Path, server: Server, member: str) -> None:
    server.body = archive(**{"good.jpg": b"x", member: b"y"})
    (outcome,) = fetch(manifest(tmp_path, server, kind="texture", path="t/Wood.zip"))
    assert outcome.state == "failed" and "cannot be unpacked" in outcome.detail
    assert left(tmp_path) == ["assets_manifest.yaml", "t/Wood.zip"]


def test_what_is_no_archive_is_told(tmp_path: Path, server: Server) -> None:
    assert "cannot be unpacked" in fetch(manifest(tmp_path, server, kind="texture", path="t/Wood.zip"))[0].detail
    assert not (tmp_path / "t/Wood").exists()
