"""The report of a run: one HTML file that contains all its pictures and no script.

The page is `templates/page.html`. A task extends it with its own sections, in `templates/report.html` of its package.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

from scenes.errors import InputError
from scenes.files import replacing
from scenes.plain_yaml import read_yaml, yaml_text
from training.run_folder import CONFIG, Folder

# Fields of the config that the first line of a page shows.
_SETTINGS = ("method", "model", "weights", "size", "fit", "augment", "batch", "iterations", "precision", "seed")
# Parts of the results that the last section of a page shows.
_FACTS = ("seconds", "processes", "lengthened", "data", "versions")


def finished(run: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The config and the results of a run's folder. Raises InputError if the run is not finished."""
    results = Folder(run).results()
    if results is None:
        raise InputError(f"{run}: not a finished run: there is no results.json")
    return read_yaml(run / CONFIG), results


def html(
    package: str,
    name: str,
    config: Mapping[str, Any],
    results: Mapping[str, Any],
    template: str = "report.html",
    **sections: Any,
) -> str:
    """The report of a run as one HTML document. All text is escaped.

    package: the task's package. template: in its folder templates/. config: the config of the run, JSON data. results:
    the content of its results.json. sections: values for the task's template; its pictures are the bytes of PNG files.
    """
    return filled(
        package,
        template,
        name=name,
        settings=", ".join(f"{field} {config[field]}" for field in _SETTINGS if _shown(config.get(field))),
        pictures=", ".join(f"{count} {part}" for part, count in results.get("pictures", {}).items()),
        selected=results["selected"],
        config=yaml_text(dict(config)),
        facts=json.dumps({fact: results[fact] for fact in _FACTS if fact in results}, indent=1, ensure_ascii=False),
        **sections,
    )


def filled(package: str, template: str, **values: Any) -> str:
    """A template of a package with its values, all text escaped. Pictures are the bytes of PNG files."""
    environment = Environment(
        loader=PrefixLoader({part: PackageLoader(part) for part in ("training", package)}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "data_uri": _data_uri}
    return environment.get_template(f"{package}/{template}").render(**values)


def save(page: str, out: Path) -> None:
    """Write a page to the file `out`: completely or not at all."""
    with replacing(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _shown(value: Any) -> bool:
    return value is not None and not isinstance(value, Mapping)


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def _percent(value: float | None, digits: int = 1) -> str:
    return "—" if value is None else f"{100 * value:.{digits}f} %"
