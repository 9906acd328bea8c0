"""Downloads the files that a manifest names by URL. Downloads resume, are checked, and appear only when complete."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import requests
from urllib3.exceptions import HTTPError

from scenes.assets.manifest import Entry, Manifest, load_manifest, save_manifest
from scenes.errors import InputError
from scenes.files import inside, sha256, write_atomically

ATTEMPTS = 3
TIMEOUT = (15.0, 60.0)
CHUNK = 1 << 16
MAX_UNPACKED = 8 << 30

# Called with (asset name, bytes so far, bytes in all or None).
Progress = Callable[[str, int, "int | None"], None]


@dataclass(frozen=True)
class Outcome:
    """What became of one entry. state: "there" before, "downloaded" now, or "failed" for the reason in `detail`."""

    name: str
    state: str
    detail: str = ""


def fetch(path: Path, names: Iterable[str] = (), progress: Progress | None = None) -> list[Outcome]:
    """Download the named entries of the manifest at `path`, all with a URL if none is named.

    Files that are there are checked and left alone. An entry without a checksum gets that of its first download, in
    the manifest. If one entry fails, the others are still fetched. Raises InputError for a bad manifest or name.
    """
    manifest = load_manifest(path)
    chosen = [manifest.entry(name) for name in names] or [e for e in manifest.entries if e.url]
    outcomes = []
    for entry in chosen:
        try:
            outcome, digest = _settle(manifest, entry, progress)
        except InputError as error:
            outcomes.append(Outcome(entry.name, "failed", str(error)))
            continue
        outcomes.append(outcome)
        if entry.sha256 is None:
            recorded = entry.model_copy(update={"sha256": digest})
            entries = tuple(recorded if e.name == entry.name else e for e in manifest.entries)
            manifest = Manifest(manifest.root, entries)
            save_manifest(path, entries)
    return outcomes


def _settle(manifest: Manifest, entry: Entry, progress: Progress | None) -> tuple[Outcome, str]:
    path = manifest.path(entry)
    there = path.is_file()
    if not there:
        if entry.url is None:
            raise InputError(f"asset '{entry.name}': {entry.path} is not there, and it has no url")
        _download(entry.url, path, entry, progress)
    digest = sha256(path)
    if entry.sha256 not in (None, digest):
        raise InputError(f"asset '{entry.name}': {entry.path} has sha256 {digest}, the manifest says {entry.sha256}")
    _unpack(manifest, entry)
    return Outcome(entry.name, "there" if there else "downloaded"), digest


def _download(url: str, path: Path, entry: Entry, progress: Progress | None) -> None:
    """Bring the URL to `path`. What has come so far waits beside it, as `<name>.part`, for the next try."""
    part, tag = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.tag")
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            resumed = _continue(url, part, tag, entry, progress)
        except (requests.RequestException, HTTPError, _Short) as error:
            if attempt == ATTEMPTS:
                reason = " ".join(str(error).split())[:160]
                raise InputError(f"asset '{entry.name}': {url} broke off: {reason}; fetch again to resume") from None
            continue
        if entry.sha256 is None or sha256(part) == entry.sha256:
            tag.unlink(missing_ok=True)
            part.replace(path)
            return
        found = sha256(part)
        part.unlink()
        tag.unlink(missing_ok=True)
        # The part from an earlier attempt may belong to another version, so one full download is tried.
        if not resumed or attempt == ATTEMPTS:
            raise InputError(f"asset '{entry.name}': {url} has sha256 {found}, the manifest says {entry.sha256}")


class _Short(Exception):
    """The body ended early."""


def _continue(url: str, part: Path, tag: Path, entry: Entry, progress: Progress | None) -> bool:
    """One request, for the rest of the file if some of it is there. Returns whether it was the rest only.

    Without a checksum to find out later, a rest must be of the version that the server named in the `tag` file.
    """
    version = tag.read_text(encoding="utf-8") if tag.exists() else ""
    have = part.stat().st_size if part.exists() else 0
    if not version and entry.sha256 is None:
        have = 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "blendmill"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if version:
            headers["If-Range"] = version
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            raise _Short("the server has nothing after what is there")
        if response.status_code >= 500:
            raise _Short(f"the server answers {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            answer = f"{response.status_code} {response.reason}"
            raise InputError(f"asset '{entry.name}': {url} answers {answer}, correct the url")
        start, total = _extent(response)
        if start not in (0, have):
            part.unlink(missing_ok=True)
            raise _Short(f"the server sends from byte {start}, not {have}")
        validator = response.headers.get("ETag", "")
        if not validator or validator.startswith("W/"):
            validator = response.headers.get("Last-Modified", "")
        write_atomically(tag, validator.encode())
        _write(response, part, start, total, entry, progress)
        return start > 0


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """First byte of the body within the file, and the file's size if the server says."""
    if response.status_code == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if match is None:
            raise _Short("the server sends a part without saying which")
        return int(match[1]), None if match[2] == "*" else int(match[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _write(
    response: requests.Response, part: Path, start: int, total: int | None, entry: Entry, progress: Progress | None
) -> None:
    done = start
    with part.open("ab" if start else "wb") as file:
        for chunk in response.raw.stream(CHUNK, decode_content=False):
            file.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(entry.name, done, total)
    if total is not None and done != total:
        raise _Short(f"{done} of {total} bytes came")


def _unpack(manifest: Manifest, entry: Entry) -> None:
    """An archive's files into its folder, at once."""
    archive, folder = manifest.path(entry), manifest.content(entry)
    if folder == archive or folder.exists():
        return
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        with zipfile.ZipFile(archive) as packed:
            if sum(member.file_size for member in packed.infolist()) > MAX_UNPACKED:
                raise InputError(f"asset '{entry.name}': {entry.path} unpacks to more than {MAX_UNPACKED >> 30} GiB")
            for member in packed.infolist():
                _unpack_member(packed, member, scratch)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"asset '{entry.name}': {entry.path} cannot be unpacked: {error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _unpack_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ValueError(f"'{member.filename}' is a link")
    target = inside(folder, member.filename)
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(member) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file)
