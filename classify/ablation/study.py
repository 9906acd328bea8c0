"""The file of a study: what is rendered, trained and tested, and which factors vary how."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from classify.ablation.changes import RenderChange, Variant
from scenes.config.loading import load
from scenes.errors import InputError, choices
from scenes.plain_yaml import read_yaml
from scenes.section import Section
from training.studies import studied

_SHIPPED = Path(__file__).parent / "studies"

Design = Literal["one_at_a_time", "leave_one_out", "factorial", "fractional", "grid"]


class RenderPart(Section):
    """The renders to learn from."""

    config: str | dict[str, Any]
    """Name of a preset, path of a .yaml file, or the content of one."""
    images: int = Field(ge=1)
    """Pictures in each set."""
    seed: int = Field(default=0, ge=0, lt=2**62)
    """Seed of the pictures. All variants have the same, so that they are paired picture by picture."""


class TestPart(RenderChange):
    """A set of pictures that all networks are tested on: photographs, or renders of the study's config."""

    photos: str | None = None
    """Class folders of photographs, or another labeled set. null: renders with the changes that stand here."""
    split: str = "all"
    """Part of the photographs, such as `test`."""
    images: int = Field(default=1000, ge=1)
    """Number of renders."""
    seed: int = Field(default=1, ge=0, lt=2**62)
    """Seed of the renders, counted from the study's own."""


class Study(Section):
    """A factor study.

    Relative paths start at the working directory, as those of training configs do.
    """

    name: str = Field(pattern=r"^[\w.-]+$")
    """Name of the study. A folder holds one study."""
    task: Literal["classify", "segment"] = "classify"
    """What is trained: a classifier, or a segmenter of cracks or classes."""
    render: RenderPart | None = None
    """What the renders show. null: the training config names its pictures, and only options of the training vary."""
    train: str | dict[str, Any]
    """The training config: path of a .yaml file, or its content. Its `data.source` is the set of each variant."""
    factors: dict[str, dict[str, Variant]] = Field(min_length=1)
    """Variants by factor and name. A study that extends another drops a factor, or a variant, by null."""
    design: Design = "one_at_a_time"
    """Which variants are combined. one_at_a_time: each alone, against the base. leave_one_out: all factors together,
    then without each in turn. factorial: all combinations, with the base as one value of each factor. fractional: a
    part of these that still separates the factors from each other and from their pairs; for many factors with one
    variant each. grid: all combinations of the variants, without the base."""
    crossed: tuple[str, ...] = ()
    """Factors of which one_at_a_time also makes all combinations with each other."""
    pictures: Literal["fixed", "fresh"] = "fixed"
    """fixed: the network sees each of `render.images` many times. fresh: as many pictures as steps times batch, each
    seen once."""
    seeds: int = Field(default=3, ge=1, le=1000)
    """Number of training seeds. The seeds are the same for all variants."""
    tests: dict[str, TestPart] = {}
    """Test sets by name. Empty: `data.test` of the training config."""
    figure: Literal["accuracy", "mean_recall", "mean_iou"] | None = None
    """What is compared: mean_recall or accuracy of a classifier, mean_iou of a segmenter. null: the first of these."""
    published: dict[str, dict[str, float]] = {}
    """Figures of others in percent, by combination of variants and by test, to show beside ours."""

    @field_validator("factors", mode="before")
    @classmethod
    def _dropped(cls, factors: Any) -> Any:
        """The factors without those that are null; such a variant is left out, too."""
        if not isinstance(factors, dict):
            return factors
        return {
            name: {key: change for key, change in variants.items() if change is not None}
            if isinstance(variants, dict)
            else variants
            for name, variants in factors.items()
            if variants is not None
        }

    @field_validator("factors")
    @classmethod
    def _varied(cls, factors: dict[str, dict[str, Variant]]) -> dict[str, dict[str, Variant]]:
        for name, variants in factors.items():
            if not variants:
                raise ValueError(f"'{name}' has no variant, so nothing varies")
            for variant, change in variants.items():
                if change == Variant():
                    raise ValueError(f"variant '{variant}' of '{name}' changes nothing")
        return factors

    @property
    def compared(self) -> str:
        """The figure that is compared."""
        return self.figure or studied(self.task).figures[0]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.compared not in (known := studied(self.task).figures):
            raise ValueError(f"figure: {self.task} has no {self.compared}, {choices(self.compared, known)}")
        many = [name for name, variants in self.factors.items() if len(variants) > 1]
        if self.design in ("leave_one_out", "fractional") and many:
            raise ValueError(f"design: {self.design} takes one variant of each factor, '{many[0]}' has more")
        for name in self.crossed:
            if name not in self.factors:
                raise ValueError(f"crossed: no factor is called '{name}', {choices(name, self.factors)}")
        if self.crossed and (self.design != "one_at_a_time" or len(set(self.crossed)) < 2):
            raise ValueError("crossed: it takes at least two factors, and the design one_at_a_time")
        for variants in self.factors.values() if self.render is None else ():
            if any(change.rendered or change.pictures for change in variants.values()):
                raise ValueError("render: variants change the renders, so give their config here")
        if self.render is None and any(test.photos is None for test in self.tests.values()):
            raise ValueError("render: a test set is rendered, so give the config here")
        return self


def shipped() -> list[str]:
    """The names of the studies that come with blendmill."""
    return sorted(path.stem for path in _SHIPPED.glob("*.yaml"))


def is_study(where: str) -> bool:
    """Whether a command's argument is a study, and no training config. Raises InputError if it is neither."""
    return not Study.model_fields.keys().isdisjoint(read_yaml(_located(where)) or {})


def load_study(where: str, overrides: Iterable[str] = ()) -> Study:
    """A study from a .yaml file or by the name of one that is shipped. Raises InputError."""
    path = _located(where)
    named = "name" in (read_yaml(path) or {})
    return load(Study, path, overrides if named else [f"name={path.stem}", *overrides])


def _located(where: str) -> Path:
    path = _SHIPPED / f"{where}.yaml" if where in shipped() else Path(where)
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"no study is called '{where}', {choices(where, shipped())}; or give a .yaml file")
    return path
