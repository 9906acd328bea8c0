"""The catalogue: every asset a run can draw from, by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.assets import shapes_source
from scenes.assets.cache import Cache
from scenes.assets.coarse import coarse_copies
from scenes.assets.convex import convex_pieces
from scenes.assets.file_source import Settled, settings, settle
from scenes.assets.index import IndexEntry, KnownAssets, indexes_of
from scenes.assets.indexing import each, lost_asset, lost_entry, model_entry, prepare_asset
from scenes.assets.info import AssetInfo
from scenes.assets.loading import Importers
from scenes.assets.manifest import Manifest, load_manifest
from scenes.assets.pictures import Pictures
from scenes.assets.recent import Recent
from scenes.assets.sources import FileAsset, Files, ModelFolder, listings
from scenes.assets.texture_sets import TextureSet
from scenes.errors import InputError, choices
from scenes.files import sha256
from scenes.mesh import Geometry, Model
from scenes.names import Candidates

Progress = Callable[[int, int, str], None]

# Models whose facts stay in memory, about 10 kB each.
_INFOS = 4096


@dataclass(frozen=True)
class Report:
    """What is known of the files so far. quarantined: reason by file. warnings: repairs and gaps by asset id."""

    quarantined: Mapping[str, str]
    warnings: Mapping[str, tuple[str, ...]]


class Catalogue:
    """All assets that scenes are drawn from: models by class, environment maps, texture sets and pictures.

    Opening it lists the classes, and the names in a class are listed when something is asked of it. A file is read when
    something is asked of it, or when it is chosen for a picture; one that turns out useless then leaves its place to
    the next (`scenes.names.Candidates`). The same arguments and the same files give the same ids in the same order, in
    any process.

    Parameters
    ----------
    shapes : mapping of str to int or range, optional
        Number of variants of each built-in class, counted from 0, or the variants.
    models : iterable of ModelFolder
        Folders of model files.
    manifest : str or Path, optional
        An assets_manifest.yaml. Entries with a URL that were not fetched yet are skipped.
    hdris, textures, images : iterable of str or Path
        Files or folders of environment maps, texture sets and pictures.
    studio : str or Path, optional
        The folder of Blender's own environment maps. Their ids are `studio:<name>`.
    importers : mapping of str to callable, optional
        By file suffix: readers for the formats that need Blender.
    cache : str or Path, optional
        Folder for normalized models. None takes $BLENDMILL_CACHE or ~/.cache/blendmill.
    memory : int
        Bytes of models that are kept in memory.

    Raises
    ------
    InputError
        A folder does not exist or holds no model. A class of which no model can be used is an error when a picture is
        drawn from it.

    Examples
    --------
    >>> from blendmill import Catalogue
    >>> catalogue = Catalogue(shapes={"mug": 2}, cache="cache")
    >>> catalogue.assets("mug")
    ('shape:mug:0', 'shape:mug:1')
    """

    def __init__(
        self,
        *,
        shapes: Mapping[str, int | range] | None = None,
        models: Iterable[ModelFolder] = (),
        manifest: str | Path | None = None,
        hdris: Iterable[str | Path] = (),
        studio: str | Path | None = None,
        textures: Iterable[str | Path] = (),
        images: Iterable[str | Path] = (),
        importers: Importers | None = None,
        cache: str | Path | None = None,
        memory: int = 512 << 20,
    ):
        self.cache = Cache(Path(cache) if cache else None)
        self._importers = dict(importers or {})
        self._shapes = shapes_source.checked(shapes or {})
        self._manifest = load_manifest(Path(manifest)) if manifest else Manifest(Path())
        folders = tuple(models)
        hdris, textures, images = (tuple(map(Path, places)) for places in (hdris, textures, images))
        places = [folder.path for folder in folders] + ([Path(manifest)] if manifest else [])
        self._indexed = KnownAssets(indexes_of([*places, *hdris, *textures, *images], self.cache))
        self._listings = listings(folders, self._indexed.beginning)
        self._files = Files(self._listings, self._manifest.models())
        self._settled: dict[str, Settled] = {}
        studio = Path(studio) if studio else None
        self._pictures = Pictures(self._manifest, hdris, studio, textures, images, self.cache, self._indexed)
        self._classes = tuple(sorted({*self._shapes, *self._files.classes}))
        self._candidates: dict[str, Candidates] = {}
        self._info = lru_cache(_INFOS)(self._known)
        self._models = Recent[Model](memory)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have a model, alphabetical."""
        return self._classes

    def assets(self, category: str) -> Candidates:
        """Ids of a class's models: built-in shapes by variant, then files by name. Raises InputError.

        Some may turn out useless: `usable` reads one.
        """
        if category not in self._classes:
            raise InputError(f"no model has the class '{category}', {choices(category, self._classes)}")
        if category not in self._candidates:
            ids = (*self._shape_ids.get(category, ()), *self._files.of_class(category))
            self._candidates[category] = Candidates(ids, self.usable, partial(self._nothing_left, category))
        return self._candidates[category]

    def usable(self, asset_id: str) -> bool:
        """Whether a model can be drawn. Reads it. Raises InputError for an unknown id."""
        return asset_id.startswith(shapes_source.PREFIX) or not self._settle(asset_id).reason

    def info(self, asset_id: str) -> AssetInfo:
        """Facts about a model, without its triangles. Raises InputError for an unknown id."""
        return self._info(asset_id)

    def model(self, asset_id: str) -> Model:
        """The unit model: diagonal 1, origin at the box's center, z up, front -y. Raises InputError."""
        found = self._models.get(asset_id)
        if found is None:
            found = self.cache.model(self._entry(asset_id))
            if found is None:
                found = self._remade(asset_id)
            self._models.put(asset_id, found)
        return found

    @cached_property
    def coarse(self) -> Callable[[str], Geometry]:
        """From an asset's id to its coarse copy. Raises InputError for an unknown id."""
        return coarse_copies(self.model)

    @cached_property
    def pieces(self) -> Callable[[str], tuple[NDArray[np.float64], ...]]:
        """From an asset's id to convex pieces of its unit model. Raises InputError for an unknown id."""
        return lru_cache(_INFOS)(lambda asset_id: convex_pieces(self.coarse(asset_id)))

    @property
    def hdris(self) -> Candidates:
        """Ids of the environment maps, sorted. As with models, some may turn out useless."""
        return self._pictures.hdris

    @property
    def textures(self) -> Candidates:
        """Ids of the texture sets, sorted."""
        return self._pictures.textures

    @property
    def images(self) -> Candidates:
        """Ids of the background pictures, sorted."""
        return self._pictures.images

    def path(self, asset_id: str) -> Path:
        """The file of an environment map or a picture. Raises InputError for an unknown id."""
        return self._pictures.path(asset_id)

    def texture_set(self, asset_id: str) -> TextureSet:
        """The maps of a texture. Raises InputError for an unknown id."""
        return self._pictures.texture_set(asset_id)

    @property
    def report(self) -> Report:
        """Which files were left out so far and why, and the warnings about those that were read."""
        quarantined = {str(self._files[i].path): s.reason for i, s in self._settled.items() if s.reason}
        warnings = {i: s.warnings for i, s in self._settled.items() if s.warnings}
        foreign = {path: reason for listing in self._listings for path, reason in listing.left_out.items()}
        return Report({**quarantined, **foreign, **self._pictures.rejected}, warnings)

    @property
    def left_out(self) -> Mapping[str, str]:
        """The files that are known to be of no use, each with the reason."""
        return self.report.quarantined

    @property
    def warnings(self) -> Mapping[str, tuple[str, ...]]:
        """What was mended or is missing in the models that were read, by asset id."""
        return self.report.warnings

    def checksums(self, ids: Iterable[str]) -> dict[str, str]:
        """The sha256 of assets by id. It covers a model file with all files it refers to, or the code of a shape.
        Each map of a texture has its own entry, `<id>#<map>`. The files of pictures are read."""
        models, others = self._parted(ids)
        files = self._pictures.files(others)
        return {**{i: self._checksum(i) for i in models}, **{i: sha256(path) for i, path in files.items()}}

    def licenses(self, ids: Iterable[str]) -> dict[str, str]:
        """The license of assets by id, or "" if it is unknown, with the same entries as `checksums`."""
        models, others = self._parted(ids)
        return {**{i: self._license(i) for i in models}, **self._pictures.licenses(others)}

    def triangles(self, ids: Iterable[str]) -> dict[str, int]:
        """The number of triangles of those assets that are models, by id."""
        return {i: self._info(i).triangles for i in self._parted(ids)[0]}

    def prepare(self, progress: Progress | None = None, workers: int = 1) -> None:
        """Read and normalize everything, so that other processes find it in the cache. No run needs this.

        progress: called with (done, total, asset id). workers: processes to share the work.
        """
        assets: list[FileAsset | str] = [*self._files.values(), *(i for ids in self._shape_ids.values() for i in ids)]
        job = partial(prepare_asset, cache=self.cache, importers=self._importers)
        lost = partial(lost_asset, cache=self.cache, importers=self._importers)
        for done, (asset, _) in enumerate(each(job, assets, workers, lost), 1):
            if progress is not None:
                progress(done, len(assets), asset.id if isinstance(asset, FileAsset) else asset)
        for asset_id in self._files:
            self._settle(asset_id)
        self._pictures.judge_all()

    def entries(self, progress: Progress | None = None, workers: int = 1) -> list[IndexEntry]:
        """Read and normalize all files, and say what is known of each: what `write_index` takes.

        What the cache knows is not read again, so a run that was killed and is started again goes on where it was.
        Built-in shapes need no entry. progress, workers: as in `prepare`.
        """
        job = partial(model_entry, cache=self.cache, importers=self._importers)
        lost = partial(lost_entry, cache=self.cache, importers=self._importers)
        total, found = len(self._files) + self._pictures.count, []
        models = ((asset.id, entry) for asset, entry in each(job, list(self._files.values()), workers, lost))
        for done, (name, entry) in enumerate(chain(models, self._pictures.entries()), 1):
            found.append(entry)
            if progress is not None:
                progress(done, total, name)
        return [entry for entry in found if entry is not None]

    def _settle(self, asset_id: str) -> Settled:
        """The result of reading a file, which this process keeps to."""
        if asset_id not in self._settled:
            if asset_id not in self._files:
                raise InputError(f"no model has the id '{asset_id}', {choices(asset_id, self._files)}")
            asset = self._files[asset_id]
            useless = self._indexed.reason(asset_id, asset.path, asset.root, settings(asset, self._importers))
            found = Settled(reason=useless) if useless else settle(asset, self.cache, self._importers)
            self._settled[asset_id] = found
        return self._settled[asset_id]

    @cached_property
    def _shape_ids(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(shapes_source.shape_id(name, variant) for variant in variants)
            for name, variants in self._shapes.items()
        }

    def _nothing_left(self, category: str) -> InputError:
        first, *others = self.assets(category)
        return InputError(
            f"class '{category}' is left with no usable model: {len(others) + 1} quarantined, "
            f"{self._files[first].path} {self._settle(first).reason}"
        )

    def _known(self, asset_id: str) -> AssetInfo:
        info = self.cache.info(self._entry(asset_id))
        if info is None:
            self._models.put(asset_id, self._remade(asset_id))
            info = self.cache.info(self._entry(asset_id))
            if info is None:
                raise InputError(f"cache {self.cache.folder}: what is written there cannot be read back")
        if asset_id not in self._files:
            return info
        asset = self._files[asset_id]
        meters = None if info.meters is None or asset.unit is None else info.meters * asset.unit
        return replace(
            info, id=asset_id, category=asset.category, meters=meters, license=asset.license, source=asset.source
        )

    def _entry(self, asset_id: str) -> str:
        if asset_id.startswith(shapes_source.PREFIX):
            return shapes_source.entry_key(asset_id)
        settled = self._settle(asset_id)
        if settled.reason:
            raise InputError(f"{self._files[asset_id].path} {settled.reason}")
        return settled.entry

    def _remade(self, asset_id: str) -> Model:
        """The model made anew: its entry is absent or damaged."""
        if asset_id.startswith(shapes_source.PREFIX):
            return shapes_source.make(asset_id, self.cache)[1]
        self.cache.drop(self._entry(asset_id))
        settled = self._settled[asset_id] = settle(self._files[asset_id], self.cache, self._importers)
        model = None if settled.reason else self.cache.model(settled.entry)
        if model is None:
            raise InputError(f"{self._files[asset_id].path} {settled.reason or 'changes while it is read'}")
        return model

    def _checksum(self, asset_id: str) -> str:
        # Asking a shape's info for it would generate the shape.
        return self.info(asset_id).sha256 if asset_id in self._files else shapes_source.source_digest(asset_id)

    def _parted(self, ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """The models among some ids, and the others."""
        models: list[str] = []
        others: list[str] = []
        for i in ids:
            (models if i in self._files or i.startswith(shapes_source.PREFIX) else others).append(i)
        return models, others

    def _license(self, asset_id: str) -> str:
        return self._files[asset_id].license if asset_id in self._files else shapes_source.LICENSE
