"""Data sets drawn piece by piece into stores, without Blender, and an S3 server of the tests' own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from render.dataset.manifest import Manifest
from render.dataset.shard_writer import write_shard
from render.dataset.store import Store, open_store
from tests.frames import CLASSES, make_frame

SIZE = (12, 16)


def make_manifest(count: int = 10, shard_size: int = 2, seed: int = 0) -> Manifest:
    config = {"camera": {"azimuth": {"uniform": [0, 360]}}}
    return Manifest(
        config=config, config_hash=hashlib.sha256(repr(config).encode()).hexdigest(), seed=seed, count=count,
        shard_size=shard_size, classes=CLASSES, versions={"blendmill": "0.0", "blender": "4.5"}, device="cpu",
    )  # fmt: skip


def draw(store: Store, manifest: Manifest, shard: int, skip: Iterable[int] = ()) -> str:
    """Put one shard into a store, and return its checksum."""
    left = [index for index in manifest.indices(shard) if index not in set(skip)]
    with store.target(shard) as path:
        frames = (make_frame(index, size=SIZE, seed=manifest.seed) for index in left)
        return write_shard(path, frames, attributes=manifest.attributes())


def render(out: str | Path, manifest: Manifest, shards: Iterable[int] | None = None, part: str = "0/1") -> Store:
    """What a run does: draw those of some shards that are missing, and finish."""
    store = open_store(str(out))
    manifest = store.create(manifest)
    with store.hold(part):
        store.sweep()
        missing = [shard for shard in shards or range(manifest.shard_count) if shard not in store.present()]
        with store.log(part) as log:
            log.note("run", workers=1, device="cpu", pictures=len(missing) * manifest.shard_size)
            for shard in missing:
                log.note("begin", shard=shard, worker=0)
                digest = draw(store, manifest, shard)
                log.note("shard", shard=shard, sha256=digest, pictures=len(manifest.indices(shard)))
        store.finish()
    return store


def contents(folder: Path) -> dict[str, str]:
    """The checksum of every file under a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def content(folder: Path) -> dict[str, bytes]:
    """All files under a folder by their paths in it, empty folders as files of nothing."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }


def remote_content(url: str) -> dict[str, bytes]:
    """All files under a URL by their paths in it."""
    import fsspec

    files, root = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start another process; what it prints is in its stdout."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=Path(__file__).parents[1], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip


@contextmanager
def s3_server() -> Iterator[str]:
    """The address of an S3 server on this machine with an empty bucket `pictures`; fsspec's while the block runs."""
    import boto3
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    settings = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
    kept = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        boto3.client("s3").create_bucket(Bucket="pictures")
        yield address
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
        for name, value in kept.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        server.stop()
