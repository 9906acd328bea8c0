"""The config of a classifier's training: data, network and method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from classify.methods.catalogue import methods
from render.dataset.limits import Limits
from training.config import ORACLE, DataConfig, PartConfig, TrainConfig, load_config
from training.data.windows import Fit
from training.method import TrainingMethod

# How a checkpoint is chosen. Only the oracle reads labels of the target.
Selector = Literal["last", "source", "im", "bnm", "snd", "dev", "entropy", "oracle"]


class ImagesConfig(PartConfig):
    """A set of pictures, opened by `training.data.sources.open_pictures`.

    where: a rendered data set, class folders, a folder of photos, a list file or S2RDA's layout. For a stream it is the
    name or file of a render config. rename: from class names of the set to names of this config. margin: margin of the
    crop around the main object of a rendered picture, as a share of its box; empty for whole pictures. min_share,
    max_clutter: of a rendered set, keep the pictures whose main object has this share of the pixels at least, and whose
    clutter has this many times the main object's pixels at most.
    """

    rename: dict[str, str] = {}
    margin: float | None = None
    min_share: float = Field(default=0.0, ge=0, le=1)
    max_clutter: float | None = Field(default=None, ge=0)

    @property
    def limits(self) -> Limits:
        """The limits as `open_pictures` takes them."""
        return Limits(self.min_share, self.max_clutter)


class ClassifyDataConfig(DataConfig):
    """The sets of pictures of a classifier's run.

    regime: `fixed` trains on data sets in many epochs; `stream` renders the source during training, each picture once.
    balanced: sample the classes of the source equally often. workers: decoding threads for each part; with a stream,
    the number of rendering processes.
    """

    source: tuple[ImagesConfig, ...] = Field(min_length=1)
    target: ImagesConfig | None = None
    validation: ImagesConfig | None = None
    test: ImagesConfig | None = None
    regime: Literal["fixed", "stream"] = "fixed"
    balanced: bool = False


class ClassifyConfig(TrainConfig):
    """Config of a classifier's training.

    It also has all fields of `TrainConfig`: optimizer, iterations, batch, size, seed, and so on.

    Parameters
    ----------
    data : ClassifyDataConfig
        The sets to learn from, to adapt to, to validate on and to test on.
    classes : tuple of str
        Class names in the order of the network's outputs. Empty: the classes of the first source.
    model : str
        Name of the network, as for `build`.
    weights : str, optional
        Weights to start from, as for `build`. It may also be a run or a checkpoint of blendmill. The head is then
        loaded too if the classes are the same. By default the weights are random.
    bottleneck : int
        Width of a layer between backbone and head, as for `build`. 0 for none.
    augment : {"none", "weak", "strong"}
        Augmentation of the source and of the first view of the target. The second view is always strong.
    fit : {"crop", "pad", "squash"}
        How pictures that are not square become squares, in all sets. "pad" keeps all of the picture in its shape, and
        repeats its border. "crop" keeps the middle, as the published recipes do. "squash" keeps all, out of shape.
        People frame an object by the long side of the picture, as our renders do by the side of the square. So the
        middle alone often lacks the ends of the object.
    method : str
        Name of the training method, such as `source`, `dann` or `mcc`.
    select_by : str
        How the checkpoint is chosen: `last`, a validator (`source`, `im`, `bnm`, `snd`, `dev`, `entropy`), or
        `oracle`, which reads the labels of the test pictures.

    Raises
    ------
    pydantic.ValidationError
        If a field is unknown or has a value that is not allowed.

    Examples
    --------
    >>> from blendmill import ClassifyConfig
    >>> config = ClassifyConfig(data={"source": [{"where": "renders"}]}, model="resnet18", iterations=500)
    >>> config.method, config.optimizer.name, config.optimizer.lr
    ('source', 'sgd', 0.01)
    """

    data: ClassifyDataConfig
    classes: tuple[str, ...] = ()
    model: str = "resnet50"
    weights: str | None = None
    bottleneck: int = Field(default=0, ge=0)
    augment: Literal["none", "weak", "strong"] = "weak"
    fit: Fit = "pad"
    method: str = "source"
    select_by: Selector = "last"

    @classmethod
    def all_methods(cls) -> Mapping[str, type[TrainingMethod]]:
        """The methods of `classify.methods.catalogue` by name."""
        return methods()

    @model_validator(mode="after")
    def _selectable(self) -> ClassifyConfig:
        if self.select_by not in ("last", "source", ORACLE) and self.data.target is None:
            raise ValueError(f"select_by: '{self.select_by}' needs data.target; give one, or write select_by: last")
        return self

    @model_validator(mode="after")
    def _steps(self) -> ClassifyConfig:
        if self.method == "linear" and self.data.balanced:
            raise ValueError(
                "data.balanced: true, but method linear draws no pictures; write settings: {linear: {balanced: true}}"
            )
        if self.method == "linear" and self.iterations != 1:
            raise ValueError(
                f"iterations: {self.iterations}, but method linear learns in one step; write iterations: 1"
            )
        return self


def load_training(path: str | Path, overrides: Iterable[str] = ()) -> ClassifyConfig:
    """Load the config of a classifier's training from a YAML file.

    Parameters
    ----------
    path : str or Path
        The file, .yaml or .yml.
    overrides : iterable of str
        Fields to change, each as `key.key=value`.

    Returns
    -------
    ClassifyConfig
        The checked config.

    Raises
    ------
    InputError
        If the file cannot be read, or if a field is unknown or has a wrong value.

    Examples
    --------
    >>> from pathlib import Path
    >>> from blendmill import load_training
    >>> _ = Path("train.yaml").write_text("data: {source: [{where: renders}]}")
    >>> load_training("train.yaml", ["optimizer.lr=0.02"]).optimizer.lr
    0.02
    """
    return load_config(ClassifyConfig, Path(path), overrides)
