"""The storage of a data set, in a folder or behind a URL, and all that render runs do with it.

A finished set is `dataset.json`, `shards/`, and `failed/` where pictures were given up. While runs go on there are also
their logs in `runs/`, notes in `drawn/` on what each shard was drawn from, and, in a folder, the locks by which each
part is drawn by one run. Behind a URL, `unfinished/` has what is being uploaded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from render.dataset.checked import Checked
from render.dataset.crew import worked
from render.dataset.local import Folder, Listing
from render.dataset.manifest import MANIFEST, Manifest, missing_lines, shard_numbers
from render.dataset.provenance import Provenance, united
from render.dataset.records import READERS, WHOLE, Records, note_name, noted, read_all, unrecorded
from render.dataset.shard import Shard
from scenes.errors import InputError, shortened
from scenes.files import UNFINISHED, sha256

Told = Callable[[int, int], object]
"""What is called with how many shards are done, and of how many."""

_ASKED = 4
"""Missing shards that are asked for before all are listed."""

_PAGE, _PAGE_COSTS = 1000, 12
"""Names in a page of a bucket's listing, and how many files may be asked for at the price of a page."""

_OURS = re.compile(rf"dataset\.json{re.escape(UNFINISHED)}.*|\.hold-.*|runs|shards|failed|drawn|unfinished")


def _quiet(done: int, of: int) -> None:
    return


def open_store(out: str) -> Store:
    """The store of a plain path or `file://` URL, or behind any other URL that fsspec knows.

    Raises InputError for a URL of an unknown kind, or one whose package is not installed.
    """
    if "\0" in out:
        raise InputError(f"{shortened(out)}: is not a path")
    if "://" not in out:
        return Store(Folder(Path(out)))
    if out.startswith("file://"):
        parts = urlsplit(out)
        if parts.netloc not in ("", "localhost"):
            raise InputError(f"{out}: names the host {parts.netloc}; write file:///{parts.netloc}{parts.path}")
        return Store(Folder(Path(unquote(parts.path))))
    from render.dataset.remote import Remote

    return Store(Remote(out))


class Store(Records):
    """A data set's storage. Anything that fails is an InputError of one line.

    Any number of runs, on any number of machines, may use one at once.
    """

    # The data set ----------------------------------------------------------------------------------------------------

    def load(self) -> Manifest | None:
        """What dataset.json says, None where there is none. Raises InputError where it cannot be read."""
        content = self.storage.read(MANIFEST)
        return None if content is None else Manifest.parse(content, f"{self.url}/{MANIFEST}")

    def opened(self) -> Manifest:
        """What dataset.json says. Raises InputError where there is none."""
        manifest = self.load()
        if manifest is None:
            raise InputError(
                f"{self.url}: not a data set, there is no {MANIFEST}; give the folder or URL that holds it"
            )
        return manifest

    def create(self, manifest: Manifest) -> Manifest:
        """The manifest that is there if it is of the same job, else this one, written. A set of fewer pictures grows.

        Raises InputError where other files or another job's are there, or where a run still draws a set that would
        grow. Of many calls at once one writes.
        """
        if self.load() is None:
            others = sorted(name for name in self.storage.names() if not _OURS.fullmatch(name))
            # Another run may have written it meanwhile.
            if others and MANIFEST not in others:
                raise InputError(f"{self.url}: holds other files ({others[0]}) and no {MANIFEST}; give an empty folder")
            self.storage.create(MANIFEST, manifest.encoded())
        there = self.opened()
        there.require_same(manifest, self.url)
        return self._grow(manifest.count) if there.count < manifest.count else there

    def _grow(self, count: int) -> Manifest:
        """Make the set one of `count` pictures.

        Shards that stay as they are keep their checksums. A last shard that was not full is deleted, so that it is
        drawn again, whole. It goes first: if this process dies on the way, a shard is missing, and none is short.
        """
        runs = self.runs()
        there = self.opened()  # after the logs, so that it is not older than a run that draws the grown set
        if there.count >= count:
            return there
        if alive := [run for run in self.heard(runs) if run.alive]:
            raise InputError(
                f"{self.url}: process {alive[0].pid} on {alive[0].host} still draws its {there.count} pictures; wait "
                f"for it or stop it, then ask for {count}"
            )
        grown, known = there.model_copy(update={"count": count}), noted(there, runs)
        kept = {shard for shard in range(there.shard_count) if there.indices(shard) == grown.indices(shard)}
        self.storage.remove(*(_shard(shard) for shard in set(range(there.shard_count)).difference(kept)))
        self.storage.remove(*(f"runs/{run.name}" for run in runs))
        sums = {
            Manifest.shard_name(shard): next(iter(known[shard])) for shard in sorted(kept) if len(known[shard]) == 1
        }
        skipped = tuple(index for index in there.skipped if index // there.shard_size in kept)
        grown = grown.model_copy(update={"shards": sums, "skipped": skipped})
        self.storage.write(MANIFEST, grown.encoded())
        return grown

    def present(self) -> set[int]:
        """The numbers of the complete shards."""
        return set(shard_numbers(self.storage.names("shards")))

    def target(self, shard: int) -> AbstractContextManager[Path]:
        """A local path for `write_shard`. When the block ends, the shard is in its storage, whole; where the block
        raises, nothing is left of it.
        """
        return self.storage.target(_shard(shard))

    def source(self, shard: int) -> AbstractContextManager[Path]:
        """A local path to read a shard from. Raises InputError where it is missing."""
        return self.storage.source(_shard(shard))

    def finish(self, missing: Collection[int] = ()) -> Manifest:
        """Where all shards are there, record their checksums, the skipped pictures and the assets, and clear away what
        runs left.

        Checksums are those the runs noted, or are taken from the files where runs noted none or differ. Otherwise all
        stays as it is. To be called when this process has no log open. Raises InputError where two shards were drawn
        with different contents of an asset.

        missing: shards that were not there lately. The last of them are asked for first, since each run draws its part
        in order. If one is still missing, the set is not complete, and the run that draws it will come here; so most
        tasks of an array need no listing.
        """
        manifest = self.opened()
        if not all(self.storage.has(_shard(shard)) for shard in sorted(missing)[: -_ASKED - 1 : -1]):
            return manifest
        if not self.present().issuperset(range(manifest.shard_count)):
            return manifest
        shards = set(range(manifest.shard_count))
        notes = self.notes(shards & self.with_notes())
        manifest = self.opened()  # after the notes: a process that finishes the set writes it before they go
        found = self.drawn_with(manifest, shards, notes)
        runs = self.runs()
        known = noted(manifest, runs)
        digests = read_all(lambda shard: self._checksum(shard, known[shard]), range(manifest.shard_count))
        sums = {Manifest.shard_name(shard): digest for shard, digest in enumerate(digests)}
        assets = {name: getattr(found, name) for name in Provenance.model_fields}
        finished = manifest.model_copy(update={"shards": sums, "skipped": self._skipped(manifest, sums), **assets})
        if finished != manifest:
            self.storage.write(MANIFEST, finished.encoded())
        self.storage.remove(*map(note_name, notes))
        self.sweep(everything=not any(run.alive for run in self.heard(runs)))
        self.storage.remove(*(f"runs/{run.name}" for run in runs))
        return finished

    def verify(self, tell: Told = _quiet, *, everything: bool = True) -> tuple[str, ...]:
        """What is wrong with the shards, a line each fault; empty where each is there and has its checksum.

        everything: whether shards are read again that this machine has found sound, and whose files have the same size
        and time of change since. tell: is called with the number of shards read so far, and of all to be read.

        Raises InputError where there is no data set.
        """
        manifest, present = self.opened(), self.present()
        there = sorted(shard for shard in present if shard < manifest.shard_count)
        faults = self._broken(manifest, there, tell, everything)
        found = (line for lines in faults.values() for line in lines)
        return (*missing_lines(f"{self.url}/shards", manifest, present), *found)

    def listing(self) -> Listing:
        """The files of the shards: their names, and what each is known again by."""
        return self.storage.listing("shards")

    def discard_broken(
        self,
        shards: Iterable[int],
        tell: Told = _quiet,
        part: tuple[int, int] = WHOLE,
        listing: Listing | None = None,
    ) -> dict[int, str]:
        """Delete those of some shards that are there and broken. Returns the reason for each.

        part: (i, n) of which all these shards are. listing: one that was just made, if so.

        A shard is read once. It is read again when its size or time of change is another one, which this machine notes
        in the cache. tell: is called with the number of shards read so far, and of all to be read, if there are any.
        """
        there = list(shards)
        if not there:
            return {}
        faults = self._broken(self.opened(), there, tell, everything=False, part=part, listing=listing)
        self.storage.remove(*map(_shard, faults))
        # The remedy of a reader stands after its reason, and is done here.
        return {shard: lines[0].partition("; ")[0] for shard, lines in faults.items()}

    def check(self, shards: Sequence[int], tell: Told = _quiet) -> dict[int, tuple[str, ...]]:
        """What is wrong with those of some shards, all there, that are broken; read as in `discard_broken`."""
        return self._broken(self.opened(), shards, tell, everything=False)

    def _broken(
        self,
        manifest: Manifest,
        shards: Sequence[int],
        tell: Told,
        everything: bool,
        part: tuple[int, int] = WHOLE,
        listing: Listing | None = None,
    ) -> dict[int, tuple[str, ...]]:
        """What is wrong with those of some shards that are broken. What is sound is noted in the cache."""
        known, note = noted(manifest, self.runs(part)), Checked(self.url, manifest)
        stamps = self._stamps(shards, (listing or self.listing()).stamp)
        if gone := [shard for shard in shards if shard not in stamps]:
            raise InputError(f"{self.url}/{_shard(gone[0])}: missing")
        unread = [shard for shard, stamp in stamps.items() if everything or not note.holds(shard, stamp, known[shard])]
        if not unread:
            return {}
        tell(0, len(unread))
        faults = self._faults(manifest, unread, known, tell)
        note.keep({shard: stamps[shard] for shard in unread if shard not in faults}, known)
        return faults

    def trust(self, drawn: Mapping[int, str]) -> None:
        """Note shards that this run has drawn as sound, so that no rerun reads them. drawn: the sha256 of each."""
        manifest = self.opened()
        names = [Manifest.shard_name(shard) for shard in drawn]
        pages = 1 + manifest.shard_count // _PAGE
        few = len(names) <= _PAGE_COSTS * pages
        stamp = self.storage.stamps("shards", names).get if few else self.listing().stamp
        stamps = self._stamps(sorted(drawn), stamp)
        Checked(self.url, manifest).keep(stamps, {shard: {drawn[shard]} for shard in stamps})

    @staticmethod
    def _stamps(shards: Iterable[int], stamp: Callable[[str], str | None]) -> dict[int, str]:
        """What the file of each shard that is there is known again by."""
        found = {shard: stamp(Manifest.shard_name(shard)) for shard in shards}
        return {shard: told for shard, told in found.items() if told is not None}

    def _faults(
        self, manifest: Manifest, shards: Sequence[int], known: Mapping[int, set[str]], tell: Told
    ) -> dict[int, tuple[str, ...]]:
        """What is wrong with those of some shards that are broken. known: the checksums that each may have."""
        skipped = {index for index in (*manifest.skipped, *self.failed()) if index < manifest.count}
        sums = {Manifest.shard_name(shard): sorted(known[shard]) for shard in shards}
        setup = {"url": self.url, "skipped": sorted(skipped), "sums": sums}
        near = isinstance(self.storage, Folder)
        workers = None if near or len(shards) <= READERS else READERS
        found = worked("render.dataset.verifying", setup, shards, len(shards), workers, threads=1 if near else READERS)
        faults = {}
        for done, (shard, lines) in enumerate(zip(shards, found, strict=True), start=1):
            if not done % max(1, len(shards) // 100):
                tell(done, len(shards))
            if lines:
                faults[shard] = tuple(lines)
        return faults

    def drawn_with(
        self, manifest: Manifest, shards: Collection[int], notes: Mapping[int, Provenance] | None = None
    ) -> Provenance:
        """What dataset.json and the notes of some shards say together. notes: as read before; by default, those of
        shards that dataset.json does not record, since it says itself what the others were drawn from.

        Raises InputError where they contradict each other.
        """
        found = self.notes(unrecorded(manifest, shards)) if notes is None else notes
        sums = {name: record.sha256 for name, record in manifest.assets.items()}
        for shard, note in found.items():
            for name, record in note.assets.items():
                if sums.setdefault(name, record.sha256) != record.sha256:
                    raise InputError(
                        f"{self.url}/shards/{Manifest.shard_name(shard)}: was drawn with another asset '{name}' than "
                        "other shards; restore the file, delete the shard, and rerun the render command"
                    )
        return united([manifest.provenance, *found.values()])

    def hold(self, part: str) -> AbstractContextManager[None]:
        """Keep this part ("i/n", "0/1" is the whole) for this process.

        In a folder a second run of it is an InputError that names the first; behind a URL both draw the same shards.
        """
        return self.storage.hold(part)

    def sweep(self, *, everything: bool = False) -> None:
        """Delete what processes of this machine that are no more left half written.

        everything: also what other machines' did, which only a finished set is safe from; and locks nobody has.
        """
        self.storage.sweep(everything=everything)

    def _skipped(self, manifest: Manifest, sums: Mapping[str, str]) -> tuple[int, ...]:
        """The pictures that were given up and are not in their shards. sums: the sha256 of each shard by file name.

        Of a shard that is as dataset.json has it, dataset.json says what it lacks, unless there are other records.
        """
        recorded = set(self.failed())
        failed: defaultdict[int, set[int]] = defaultdict(set)
        for index in {*recorded, *manifest.skipped}:
            if index < manifest.count:
                failed[index // manifest.shard_size].add(index)

        def lacking(shard: int) -> set[int]:
            name, known = Manifest.shard_name(shard), set(manifest.skipped_in(shard))
            if manifest.shards.get(name) == sums[name] and failed[shard] == known:
                return known
            with self.source(shard) as path, Shard(path) as opened:
                return failed[shard].difference(opened.arrays("index").tolist())

        skipped = {index for lacked in read_all(lacking, sorted(failed)) for index in lacked}
        self.forgive(*sorted(recorded - skipped))
        return tuple(sorted(skipped))

    def _checksum(self, shard: int, known: set[str]) -> str:
        if len(known) == 1:
            return next(iter(known))
        with self.source(shard) as path:
            return sha256(path)


def _shard(shard: int) -> str:
    return f"shards/{Manifest.shard_name(shard)}"
