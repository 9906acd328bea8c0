"""The training presets that come with blendmill: YAML files in `segment/recipes/`. The first line says what each is."""

from __future__ import annotations

from pathlib import Path

from scenes.errors import InputError, choices

_FOLDER = Path(__file__).parent / "recipes"


def preset_names() -> list[str]:
    """The names of the presets, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def described() -> list[tuple[str, str]]:
    """Each preset with the comment in the first line of its file."""
    return [
        (name, (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0].lstrip("# "))
        for name in preset_names()
    ]


def located(config: str, source: bool) -> Path:
    """The file of a preset or the path itself. source: whether the command names labeled pictures.

    Presets name no data. Raises InputError for a name of neither, and for a preset without a source.
    """
    if config in preset_names():
        if not source:
            raise InputError(f"preset '{config}': names no data: give --source DATA, pictures with masks")
        return _FOLDER / f"{config}.yaml"
    if Path(config).suffix not in (".yaml", ".yml"):
        raise InputError(f"no preset is called '{config}', {choices(config, preset_names())}; or give a .yaml file")
    return Path(config)
