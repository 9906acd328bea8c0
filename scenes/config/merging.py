"""How one config is laid over another: by `extends`, by `--set`, and for a class by `by_class`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DISTRIBUTIONS = frozenset({"uniform", "log_uniform", "sine_uniform", "normal", "choice", "mixture"})
"""The keys of distributions. A mapping that has one is a value, not a section."""

ALTERNATIVES = {"distance": "framing", "framing": "distance", "yaw": "side", "side": "yaw"}
"""Fields of which one replaces the other: a config that sets one does not inherit the other."""


def laid_over(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A whole config over another one.

    What the later one sets for all classes also replaces what the earlier one set for a single class.
    """
    classes = base.get("by_class")
    if isinstance(classes, Mapping):
        for_all = {name: value for name, value in change.items() if name != "by_class"}
        base = {**base, "by_class": {name: _without(given, for_all) for name, given in classes.items()}}
    return dict(merged(base, change))


def merged(base: Any, change: Any) -> Any:
    """Mappings are merged. All other values are replaced, and a distribution is always replaced as a whole."""
    if not is_section(base) or not is_section(change):
        return change
    replaced = _replaced(change)
    base = {name: value for name, value in base.items() if name not in replaced}
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in change.items()}}


def _without(given: Any, change: Any) -> Any:
    """What is given, without the fields that a change sets, or replaces by their alternatives."""
    if not is_section(given) or not is_section(change):
        return given
    gone = _replaced(change) | {name for name, value in change.items() if not is_section(value)}
    return {name: _without(value, change.get(name, {})) for name, value in given.items() if name not in gone}


def _replaced(change: Mapping[str, Any]) -> set[str]:
    return {other for name, other in ALTERNATIVES.items() if change.get(name) is not None and other not in change}


def is_section(value: Any) -> bool:
    """Whether a value of a config holds fields. Otherwise it is the value of one, such as a distribution."""
    return isinstance(value, Mapping) and not DISTRIBUTIONS & set(value)
