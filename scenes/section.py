"""What every part of a config is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of the config: unknown keys are errors, values are frozen, infinities are refused.

    Fields annotated with `numbers`, `names`, `flags` or `elevations` hold a Distribution once validated; what is
    written as their default is its YAML form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)
