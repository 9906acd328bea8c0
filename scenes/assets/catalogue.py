"""The catalogue: every asset a run can draw from, by id."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path

from scenes.assets import shapes_source
from scenes.assets.cache import Cache
from scenes.assets.file_source import Settled, settle
from scenes.assets.info import AssetInfo
from scenes.assets.loading import Importers
from scenes.assets.manifest import Manifest, load_manifest
from scenes.assets.pictures import Pictures
from scenes.assets.sources import FileAsset, ModelFolder, discover
from scenes.assets.texture_sets import TextureSet
from scenes.errors import InputError, choices
from scenes.files import sha256
from scenes.mesh import Model
from scenes.shapes.registry import GENERATORS

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Report:
    """What came of the files. quarantined: file to reason. warnings: asset id to what was mended or missing."""

    quarantined: Mapping[str, str]
    warnings: Mapping[str, tuple[str, ...]]


class Catalogue:
    """Models by class, environment maps, texture sets and pictures.

    shapes: class to number of variants of the built-in shapes. models: folders of model files. manifest: an
    assets_manifest.yaml; what it names by URL and was not fetched yet is left out. hdris, textures, images: files or
    folders. studio: the folder of Blender's own HDRIs, their ids are `studio:<name>`. importers: by suffix, for the
    kinds of file that Blender must read. cache: folder of normalized models, the default one if None.
    memory: bytes of models kept in memory.

    The same arguments over the same files give the same ids in the same order, in any process.
    Raises InputError for folders that do not exist, and where a class is left without a usable model.
    """

    def __init__(
        self,
        *,
        shapes: Mapping[str, int] | None = None,
        models: Iterable[ModelFolder] = (),
        manifest: Path | None = None,
        hdris: Iterable[Path] = (),
        studio: Path | None = None,
        textures: Iterable[Path] = (),
        images: Iterable[Path] = (),
        importers: Importers | None = None,
        cache: Path | None = None,
        memory: int = 512 << 20,
    ):
        self.cache = Cache(cache)
        self._importers = dict(importers or {})
        self._shapes = _checked_shapes(shapes or {})
        self._manifest = load_manifest(manifest) if manifest else Manifest(Path())
        self._files = {asset.id: asset for asset in [*_discovered(models), *self._manifest.models()]}
        self._pictures = Pictures(self._manifest, hdris, studio, textures, images, self.cache)
        self._infos: dict[str, AssetInfo] = {}
        self._models = _Recent(memory)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that have a model, alphabetical."""
        return tuple(self._by_class)

    def assets(self, category: str) -> tuple[str, ...]:
        """Ids of a class's models: built-in shapes by variant, then files by name. Raises InputError."""
        if category not in self._by_class:
            raise InputError(f"no model has the class '{category}', {choices(category, self._by_class)}")
        return self._by_class[category]

    def info(self, asset_id: str) -> AssetInfo:
        """What is known of a model; cheap. Raises InputError for an unknown id."""
        if asset_id not in self._infos:
            self._infos[asset_id] = self._known(asset_id)
        return self._infos[asset_id]

    def model(self, asset_id: str) -> Model:
        """The unit model: diagonal 1, origin at the box's center, z up, front -y. Raises InputError."""
        found = self._models.get(asset_id)
        if found is None:
            found = self.cache.model(self._entry(asset_id))
            if found is None:
                found = self._remade(asset_id)
            self._models.put(asset_id, found)
        return found

    @property
    def hdris(self) -> tuple[str, ...]:
        return self._pictures.hdris

    @property
    def textures(self) -> tuple[str, ...]:
        return self._pictures.textures

    @property
    def images(self) -> tuple[str, ...]:
        return self._pictures.images

    def path(self, asset_id: str) -> Path:
        """The file of an environment map or a picture. Raises InputError for an unknown id."""
        return self._pictures.path(asset_id)

    def texture_set(self, asset_id: str) -> TextureSet:
        """The maps of a texture. Raises InputError for an unknown id."""
        return self._pictures.texture_set(asset_id)

    @property
    def report(self) -> Report:
        """What was quarantined, and why."""
        settled = self._settled
        quarantined = {str(self._files[i].path): s.reason for i, s in settled.items() if s.reason}
        warnings = {i: s.warnings for i, s in settled.items() if s.warnings}
        return Report({**quarantined, **self._pictures.rejected}, warnings)

    @property
    def left_out(self) -> Mapping[str, str]:
        """The files that cannot be used, each with the reason."""
        return self.report.quarantined

    def licenses(self) -> dict[str, str]:
        """Asset id to license, of all that is drawn from; "" where nothing is said."""
        models = {i: self._license(i) for ids in self._by_class.values() for i in ids}
        return {**models, **self._pictures.licenses()}

    def checksums(self) -> dict[str, str]:
        """Asset id to sha256, of all that is drawn from: of a file with all it refers to, of the code of a shape, of
        each environment map, picture and map of a texture (`<id>#<map>`), which are read for it."""
        models = {i: self._checksum(i) for ids in self._by_class.values() for i in ids}
        return {**models, **{i: sha256(path) for i, path in self._pictures.files().items()}}

    def prepare(self, progress: Progress | None = None, workers: int = 1) -> None:
        """Read and normalize everything once, so that other processes find it in the cache.

        progress: called with (done, total, asset id). workers: processes to share the work.
        """
        ids = [*self._files, *(i for ids in self._shape_ids.values() for i in ids)]
        job = partial(_prepared, files=self._files, cache=self.cache, importers=self._importers)
        with ProcessPoolExecutor(workers, get_context("spawn")) if workers > 1 else _Here() as pool:
            for done, asset_id in enumerate(pool.map(job, ids), 1):
                if progress is not None:
                    progress(done, len(ids), asset_id)
        self.__dict__.pop("_settled", None)
        self.__dict__.pop("_by_class", None)
        _ = self._by_class

    @cached_property
    def _settled(self) -> dict[str, Settled]:
        return {i: settle(asset, self.cache, self._importers) for i, asset in self._files.items()}

    @cached_property
    def _shape_ids(self) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(shapes_source.shape_id(name, variant) for variant in range(count))
            for name, count in self._shapes.items()
        }

    @cached_property
    def _by_class(self) -> dict[str, tuple[str, ...]]:
        ids = {name: list(shapes) for name, shapes in self._shape_ids.items()}
        for asset_id, asset in self._files.items():
            ids.setdefault(asset.category, [])
            if not self._settled[asset_id].reason:
                ids[asset.category].append(asset_id)
        for category, found in ids.items():
            if not found:
                raise InputError(self._nothing_left(category))
        return {category: tuple(ids[category]) for category in sorted(ids)}

    def _nothing_left(self, category: str) -> str:
        lost = [i for i, asset in self._files.items() if asset.category == category]
        first = lost[0]
        return (
            f"class '{category}' is left with no usable model: {len(lost)} quarantined, "
            f"{self._files[first].path} {self._settled[first].reason}"
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
        if asset_id not in self._files:
            raise InputError(f"no model has the id '{asset_id}', {choices(asset_id, self._files)}")
        settled = self._settled[asset_id]
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

    def _license(self, asset_id: str) -> str:
        return self._files[asset_id].license if asset_id in self._files else shapes_source.LICENSE


class _Recent:
    """Models used last, up to a number of bytes."""

    def __init__(self, limit: int):
        self._limit, self._held = limit, 0
        self._models: OrderedDict[str, Model] = OrderedDict()

    def get(self, key: str) -> Model | None:
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def put(self, key: str, model: Model) -> None:
        if key in self._models:
            self._held -= _size(self._models.pop(key))
        self._models[key] = model
        self._held += _size(model)
        while self._held > self._limit and len(self._models) > 1:
            self._held -= _size(self._models.popitem(last=False)[1])


class _Here:
    """The part of an executor that `prepare` uses, in this process."""

    map = staticmethod(map)

    def __enter__(self) -> _Here:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def _size(model: Model) -> int:
    return sum(
        array.nbytes
        for part in model.parts
        for array in (part.vertices, part.faces, part.normals, part.uvs)
        if array is not None
    )


def _prepared(asset_id: str, files: Mapping[str, FileAsset], cache: Cache, importers: Importers) -> str:
    if asset_id in files:
        settle(files[asset_id], cache, importers)
    elif not cache.holds(shapes_source.entry_key(asset_id)):
        shapes_source.make(asset_id, cache)
    return asset_id


def _checked_shapes(shapes: Mapping[str, int]) -> dict[str, int]:
    for name in shapes:
        if name not in GENERATORS:
            raise InputError(f"no built-in shape has the class '{name}', {choices(name, GENERATORS)}")
    return {name: shapes[name] for name in sorted(shapes) if shapes[name] > 0}


def _discovered(folders: Iterable[ModelFolder]) -> list[FileAsset]:
    found: list[FileAsset] = []
    taken: dict[str, int] = {}
    for folder in folders:
        name = folder.path.resolve().name
        taken[name] = taken.get(name, 0) + 1
        # A second folder of the same name must not hide the first one's assets.
        found += discover(folder, name if taken[name] == 1 else f"{name}~{taken[name]}")
    return found
