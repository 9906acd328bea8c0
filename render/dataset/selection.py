"""Pictures of a data set as a sequence: by place, by slice, by class and by factor."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from render.dataset.factors import Wanted, factor_row, matching
from render.dataset.shard import Shard
from render.frame import LABELS, Frame
from scenes.errors import InputError, choices

if TYPE_CHECKING:
    from render.dataset.dataset import Dataset

T = TypeVar("T")


class Selection(Sequence[Frame]):
    """Some pictures of a data set, in order. A selection of a selection is one too; none of them reads pictures.

    Parameters
    ----------
    dataset : Dataset
        The data set that holds the pictures.
    indices : sequence of int
        The indices of the pictures, in ascending order.

    Examples
    --------
    >>> import blendmill
    >>> small = {"extends": "smoke", "camera": {"resolution": [32, 24]}, "classes": ["mug"], "render": {"samples": 1}}
    >>> dataset = blendmill.render_set(small, "mugs", images=3, workers=1)
    >>> mugs = dataset.where(category="mug")
    >>> len(mugs), mugs[-1].index, mugs[:2].array("rgb").shape
    (3, 2, (2, 24, 32, 3))
    >>> len(mugs.where(factors={"camera.elevation": (0, 90)}))
    3
    >>> rgb, label = mugs.columns("rgb", "label")[0]  # a data set for torch.utils.data.DataLoader
    >>> rgb.shape, int(label)
    ((24, 32, 3), 0)
    """

    def __init__(self, dataset: Dataset, indices: Sequence[int]):
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> Frame: ...

    @overload
    def __getitem__(self, place: slice) -> Selection: ...

    def __getitem__(self, place: int | slice) -> Frame | Selection:
        if isinstance(place, slice):
            return Selection(self.dataset, self.indices[place])
        return self.dataset.frame(self._index(place))

    def __iter__(self) -> Iterator[Frame]:
        return self._each(lambda shard, i: shard.frame(i))

    def where(
        self,
        category: str | None = None,
        factors: Mapping[str, Wanted] | None = None,
        tell: Callable[[int, int], object] = lambda done, of: None,
    ) -> Selection:
        """The pictures whose main object is of a class, and whose factors have some values.

        factors: by name, a value, a range (low, high), or a function. A factor that a picture has several times, such
        as the energy of its lamps, must have one value that fits. tell: is called with the number of shards whose
        factors are read, and of all to be read. Raises InputError for an unknown class or factor.

        The factors of each picture are read, 0.5 ms a picture; many shards are shared by processes. Memory grows by 8
        bytes for each picture that is found.
        """
        classes, wanted, indices = self.dataset.manifest.classes, dict(factors or {}), self.indices
        if category is not None:
            if category not in classes:
                raise InputError(f"class '{category}': the data set has no such class, {choices(category, classes)}")
            indices = self._of_class(category)
        if wanted:
            indices = matching(str(self.dataset.folder), self.dataset.manifest.shard_size, indices, wanted, tell)
        return Selection(self.dataset, indices)

    def array(self, name: str) -> NDArray[Any]:
        """One label of all pictures, stacked: (n, ...) of the label's dtype. Raises InputError for an unknown one."""
        _check_array(name)
        values = list(self._each(lambda shard, i: _read(shard, name, i)))
        return np.stack(values) if values else np.zeros(0, LABELS[name].element)

    def labels(self, place: int, names: Sequence[str]) -> tuple[NDArray[Any], ...]:
        """Some labels of the picture at a place, as arrays. Other labels are not read."""
        index = self._index(place)
        shard = self.dataset.opened(index // self.dataset.manifest.shard_size)
        (i,) = shard.places([index])
        return tuple(_read(shard, name, i) for name in names)

    def columns(self, *names: str, transform: Callable[..., Any] | None = None) -> Columns:
        """A sequence of tuples of labels, one for each picture, as PyTorch's DataLoader takes it.

        transform: is called with the labels of a picture; what it returns takes their place.
        """
        for name in names:
            _check_array(name)
        return Columns(self, names, transform)

    def factors(self) -> list[dict[str, float | str]]:
        """The index, the class and the factors of each picture. A second lamp's energy is `lights.sun.energy.1`."""
        classes = self.dataset.manifest.classes
        return list(self._each(lambda shard, i: factor_row(shard, i, classes)))

    def to_pandas(self) -> Any:
        """`factors` as a pandas.DataFrame with a row for each picture. Raises InputError without pandas."""
        try:
            import pandas
        except ModuleNotFoundError:
            raise InputError("to_pandas: the package pandas is missing; pip install pandas, or use factors()") from None
        return pandas.DataFrame(self.factors()).set_index("index")

    def _of_class(self, category: str) -> Sequence[int]:
        """The indices of the pictures of a class. The labels of a finished set are read once, and kept."""
        dataset = self.dataset
        if dataset.manifest.shards and len(dataset.present()) == dataset.manifest.shard_count:
            wanted = dataset.indices(classes=[category])
            return array("q", wanted[np.isin(wanted, self.indices)].tobytes())
        label = dataset.manifest.classes.index(category)
        return [int(index) for index, found in zip(self.indices, self.array("label"), strict=True) if found == label]

    def _index(self, place: int) -> int:
        if not -len(self) <= place < len(self):
            raise IndexError(f"{self.dataset.folder}: there is no picture {place} among {len(self)}")
        return int(self.indices[place])

    def _each(self, read: Callable[[Shard, int], T]) -> Iterator[T]:
        """What `read` returns for each picture and its place in its shard. A shard stays open while it is read."""
        size = self.dataset.manifest.shard_size
        for number, indices in groupby(self.indices, lambda index: index // size):
            with self.dataset.shard(number) as shard:
                yield from (read(shard, i) for i in shard.places(indices))


class Columns(Sequence[Any]):
    """Labels of pictures, picture by picture. `Selection.columns` makes it."""

    def __init__(self, pictures: Selection, names: tuple[str, ...], transform: Callable[..., Any] | None):
        self._pictures, self._names, self._transform = pictures, names, transform

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Columns(self._pictures[place], self._names, self._transform)
        values = self._pictures.labels(place, self._names)
        return self._transform(*values) if self._transform else values


def _check_array(name: str) -> None:
    if name not in LABELS or LABELS[name].text:
        known = [known for known, label in LABELS.items() if not label.text]
        raise InputError(f"label '{name}': there is no such array, {choices(name, known)}")


def _read(shard: Shard, name: str, i: int) -> NDArray[Any]:
    label = LABELS[name]
    # All that is not a picture lies in one small array for the whole shard.
    return shard.picture(label.path, i) if label.is_picture else shard.arrays(label.path)[i]
