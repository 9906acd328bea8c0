"""Reads configs from YAML, presets and `--set key=value`. Errors are one line that says what is wrong and where."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from scenes.config.composite import ComposeConfig
from scenes.config.explaining import explained
from scenes.config.merging import ALTERNATIVES, laid_over
from scenes.config.objects import Config
from scenes.config.void import void_fields
from scenes.errors import InputError, InputWarning, choices, shortened
from scenes.plain_yaml import line_of, parse_yaml, read_yaml
from scenes.urls import is_url

S = TypeVar("S", bound=BaseModel)

AnyConfig = Config | ComposeConfig
"""The config of a data set, whichever renderer draws it. Its field `renderer` says which."""

Source = str | Path | Mapping[str, Any]
"""Where a config comes from: the name of a preset, a YAML file, or the content of one."""

Overrides = Iterable[str] | Mapping[str, Any]
"""Changes of single fields: "dotted.key=YAML value" each, or values by dotted key."""

_CONFIGS: Mapping[str, type[Config] | type[ComposeConfig]] = {"blender": Config, "composite": ComposeConfig}

PRESETS = Path(__file__).parent.parent / "presets"


def preset_names() -> list[str]:
    """The names of the presets that come with blendmill.

    Returns
    -------
    list of str
        Sorted names, each accepted by `load_config`.

    Examples
    --------
    >>> from blendmill import preset_names
    >>> "smoke" in preset_names()
    True
    """
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_config(source: Source, overrides: Overrides = ()) -> AnyConfig:
    """Read a config from a preset, a YAML file or a mapping.

    A config can build on another one with `extends: NAME_OR_PATH`. Mappings are merged. All other values are replaced,
    and a distribution is always replaced as a whole.

    Parameters
    ----------
    source : str, Path or mapping
        Name of a preset, path of a YAML file, or the content of such a file. Paths in a file are relative to the file,
        those in a mapping to the working folder.
    overrides : iterable of str, or mapping
        Changes of the form "dotted.key=YAML value", or values by dotted key. They are applied last.

    Returns
    -------
    Config or ComposeConfig
        The type depends on the field `renderer`: "blender" (the default) or "composite".

    Raises
    ------
    InputError
        The message names the file, the field and the wrong value, and says what to change.

    Warns
    -----
    InputWarning
        The file itself or an override sets a field that another field makes void.

    Examples
    --------
    >>> from blendmill import load_config
    >>> load_config("smoke", ["camera.resolution=[32, 24]"]).camera.resolution
    (32, 24)
    >>> load_config({"extends": "smoke", "classes": ["mug"]}, {"render.samples": 1}).render.samples
    1
    """
    if isinstance(source, Mapping):
        where, data = "config", _extended(dict(source), Path("config"), ())
        own = _own(source)
    else:
        path = _locate(str(source))
        where, data = path.name, _read(path, ())
        # What presets set is no fault of the user.
        own = {} if path.parent == PRESETS else _own(read_yaml(path) or {})
    given = _changes(overrides)
    _check_alternatives(given)
    for change in given:
        data, own = laid_over(data, change), laid_over(own, change)
    try:
        config = validate(data, where)
    except _FieldError as error:
        file = None if isinstance(source, Mapping) else path
        raise InputError(f"{_placed(error.names, file, given, where)}: {error.reason}") from None
    for line in void_fields(config, own):
        warnings.warn(f"{where}: {line}", InputWarning, stacklevel=2)
    return config


def load(kind: type[S], path: Path | None, overrides: Overrides = ()) -> S:
    """A config of another kind: from a YAML file, or all defaults without one, with overrides as in `load_config`."""
    data, where = ({}, "config") if path is None else (_read(path, ()), path.name)
    given = _changes(overrides)
    for change in given:
        data = laid_over(data, change)
    try:
        return _validated(kind, data, where)
    except _FieldError as error:
        raise InputError(f"{_placed(error.names, path, given, where)}: {error.reason}") from None


def validate(data: Any, where: str) -> AnyConfig:
    """The config from plain data, of the kind that its field `renderer` names: "blender" where it names none.

    Raises InputError with `where` in front.
    """
    renderer = data.get("renderer", "blender") if isinstance(data, dict) else "blender"
    if not isinstance(renderer, str) or renderer not in _CONFIGS:
        shown = shortened(repr(renderer))
        raise InputError(f"{where}: field renderer: unknown {shown}, {choices(str(renderer), _CONFIGS)}")
    return _validated(_CONFIGS[renderer], data, where)


def _validated(kind: type[S], data: Any, where: str) -> S:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise _FieldError(where, explained(error, kind), error.errors()[0]["loc"]) from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply to be a config") from None


class _FieldError(InputError):
    """A field that has a wrong value. names: its path."""

    def __init__(self, where: str, reason: str, names: tuple[str | int, ...]):
        super().__init__(f"{where}: {reason}")
        self.reason, self.names = reason, names


def _placed(names: tuple[str | int, ...], source: Path | None, given: list[dict[str, Any]], where: str) -> str:
    """The file and the line that a field's value is from, or `where` if no file has it."""
    if source is None or any(_holds(change, names) for change in given):
        return where
    depth, line, file = 0, 0, source
    for path in _files(source):
        deeper, at = line_of(path, names)
        if deeper > depth:
            depth, line, file = deeper, at, path
    return f"{file.name}: line {line}" if depth else where


def _holds(change: Any, names: tuple[str | int, ...]) -> bool:
    """Whether a change sets a field, or a part of it."""
    for name in names:
        if not isinstance(change, Mapping):
            return True
        if name not in change:
            return False
        change = change[name]
    return True


def _files(path: Path) -> Iterator[Path]:
    """A config file that can be read, and those that it extends."""
    yield path
    base = (read_yaml(path) or {}).get("extends")
    if base is not None:
        yield from _files(_parent(base, path))


def _locate(source: str) -> Path:
    preset = PRESETS / f"{source}.yaml"
    if source in preset_names():
        return preset
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"no preset is called '{source}', {choices(source, preset_names())}; or give a .yaml file")
    return path


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    data = read_yaml(path)
    if path.resolve() in seen:
        raise InputError(f"{path}: field extends: '{path.name}' extends itself, directly or through another")
    return _extended({} if data is None else data, path, seen)


def _extended(data: Any, path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The content of the config file `path`, over what it extends."""
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise InputError(f"{path}: a config is a mapping of names to values, this is a {type(data).__name__}")
    data = _rebase(_without_empty(data, _CONFIGS.values()), path.parent)
    base = data.pop("extends", None)
    if base is None:
        return data
    return laid_over(_read(_parent(base, path), (*seen, path.resolve())), data)


def _parent(base: Any, path: Path) -> Path:
    """The file that the config file `path` extends: a preset, or one beside it."""
    parent = PRESETS / f"{base}.yaml" if base in preset_names() else path.parent / str(base)
    if not isinstance(base, str) or parent.suffix not in (".yaml", ".yml"):
        near = f", {choices(base, preset_names())}" if isinstance(base, str) else "; give one name"
        raise InputError(f"{path}: field extends: {shortened(base)} is neither a preset nor a .yaml file{near}")
    return parent


def _without_empty(data: dict[str, Any], kinds: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Without sections that hold nothing, as `camera:` does when all its lines are comments: they change nothing."""
    kept = {}
    for name, value in data.items():
        annotations = [kind.model_fields[name].annotation for kind in kinds if name in kind.model_fields]
        sections = [each for each in annotations if isinstance(each, type) and issubclass(each, BaseModel)]
        if sections and value is None:
            continue
        kept[name] = _without_empty(value, sections) if sections and isinstance(value, dict) else value
    return kept


def _own(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a config sets itself, without what it extends."""
    return {name: value for name, value in data.items() if name != "extends"}


def _check_alternatives(given: list[dict[str, Any]]) -> None:
    """Of two fields that replace each other, only one may be given with --set; the last would win without a word."""
    wanted = {
        f"{part}.{name}"
        for change in given
        for part, section in change.items()
        if isinstance(section, dict)
        for name, value in section.items()
        if name in ALTERNATIVES and value is not None
    }
    for field in sorted(wanted):
        part, _, name = field.rpartition(".")
        if (other := f"{part}.{ALTERNATIVES[name]}") in wanted:
            raise InputError(f"--set {field} and {other}: one replaces the other, give only one of them")


def _rebase(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Makes paths absolute. Relative paths start at the folder of the config file."""
    camera = data.get("camera")
    poses = camera.get("poses") if isinstance(camera, dict) else None
    if isinstance(camera, dict) and isinstance(poses, dict) and isinstance(poses.get("file"), (str, Path)):
        data = {**data, "camera": {**camera, "poses": {**poses, "file": str(_absolute(poses["file"], folder))}}}
        camera = data["camera"]
    if isinstance(camera, dict) and isinstance(camera.get("calibration"), (str, Path)):
        data = {**data, "camera": {**camera, "calibration": str(_absolute(camera["calibration"], folder))}}
    assets = data.get("assets")
    if not isinstance(assets, dict):
        return data

    def absolute(value: Any) -> Any:
        if is_url(value):
            return value
        if isinstance(value, (str, Path)):
            return str(_absolute(value, folder))
        if isinstance(value, (list, tuple)):
            return [absolute(v) for v in value]
        if isinstance(value, dict) and isinstance(value.get("path"), (str, Path)):
            return {**value, "path": absolute(value["path"])}
        if isinstance(value, dict):  # of shares, by folder
            return {absolute(folder): share for folder, share in value.items()}
        return value

    paths = {key: absolute(value) for key, value in assets.items() if key not in ("shapes", "studio_hdris")}
    return {**data, "assets": {**assets, **paths}}


def _absolute(path: str | Path, folder: Path) -> Path:
    try:
        return (folder / Path(path).expanduser()).resolve()
    except (RuntimeError, ValueError, OSError):  # the home of an unknown user, a loop of links, a NUL, a name too long
        raise InputError(f"'{shortened(str(path))}' is not a path on this machine") from None


def _changes(overrides: Overrides) -> list[dict[str, Any]]:
    """The overrides as configs of one field each."""
    if isinstance(overrides, Mapping):
        return [_nested(key, value) for key, value in overrides.items()]
    return [_override(text) for text in overrides]


def _override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not all(key.split(".")):
        raise InputError(f"--set {shortened(text)}: write key=value, for instance camera.azimuth=30")
    return _nested(key, parse_yaml(value, f"--set {shortened(text)}"))


def _nested(key: str, value: Any) -> dict[str, Any]:
    for name in reversed(key.split(".")):
        value = {name: value}
    return _rebase(value, Path.cwd())
