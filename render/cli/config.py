"""The commands that show what a config may say: `presets`, `config`, `init`."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict
from pathlib import Path

import click

from scenes.config.loading import PRESETS, preset_names
from scenes.config.reference import KINDS, Entry, markdown, presets_markdown, schema, sections, starter, summary
from scenes.errors import InputError, choices
from scenes.files import write_atomically

_KIND = click.option(
    "--renderer", type=click.Choice(list(KINDS)), default="blender", show_default=True, help="Which kind of config."
)
_WIDTH = 100


@click.group(invoke_without_command=True)
@click.option("--markdown", "as_markdown", is_flag=True, help="Write the page docs/presets.md.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
@click.pass_context
def presets(context: click.Context, as_markdown: bool, as_json: bool) -> None:
    """List the configs that come with blendmill.

    \b
    Examples:
      blendmill presets
      blendmill presets show smoke
    """
    if context.invoked_subcommand:
        return
    if as_markdown:
        click.echo(presets_markdown(), nl=False)
        return
    found = {name: summary(name) for name in preset_names()}
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    width = max(map(len, found))
    for name, meaning in found.items():
        click.echo(f"{name:<{width}}  {meaning}")


@presets.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the YAML of a preset.

    \b
    Example:
      blendmill presets show s2rda13
    """
    if name not in preset_names():
        raise InputError(f"no preset is called '{name}', {choices(name, preset_names())}")
    click.echo((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"), nl=False)


@click.command("config")
@click.argument("section", default="")
@_KIND
@click.option("--schema", "as_schema", is_flag=True, help="Write the JSON schema, with which editors complete YAML.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Write the reference page docs/config.md.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
def config_command(section: str, renderer: str, as_schema: bool, as_markdown: bool, as_json: bool) -> None:
    """Explain the fields of a config: type, unit, range, default.

    SECTION is a part of a config, such as camera. Without it, all fields are listed.

    \b
    Examples:
      blendmill config camera
      blendmill config --schema > config.schema.json
    """
    if as_schema:
        click.echo(json.dumps(schema(), indent=1))
    elif as_markdown:
        click.echo(markdown(), nl=False)
    else:
        chosen = _chosen(section, renderer)
        told = [asdict(entry) for _, fields in chosen.values() for entry in fields]
        click.echo(json.dumps(told, indent=1) if as_json else "\n".join(_lines(chosen)))


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path("blendmill.yaml"))
@click.option("--preset", default="s2rda13", show_default=True, help="The preset to build on.")
def init(path: Path, preset: str) -> None:
    """Write a commented config to start from.

    \b
    Example:
      blendmill init mine.yaml --preset smoke
    """
    if preset not in preset_names():
        raise InputError(f"--preset: no preset is called '{preset}', {choices(preset, preset_names())}")
    if path.suffix not in (".yaml", ".yml"):
        raise InputError(f"{path}: a config is a .yaml file; give a name that ends in .yaml")
    if path.exists():
        raise InputError(f"{path}: is there already; choose another name")
    write_atomically(path, starter(preset).encode())
    click.echo(f"wrote {path}; look at it with: blendmill preview {path} --out sheet.png")


def _chosen(section: str, renderer: str) -> dict[str, tuple[str, list[Entry]]]:
    found = sections(KINDS[renderer])
    chosen = {path: part for path, part in found.items() if not section or f"{path}.".startswith(f"{section}.")}
    if not chosen:
        raise InputError(f"config {section}: there is no such section, {choices(section, filter(None, found))}")
    return chosen


def _lines(chosen: dict[str, tuple[str, list[Entry]]]) -> list[str]:
    lines: list[str] = []
    for path, (meaning, fields) in chosen.items():
        lines += ["", click.style(path or "the config itself", bold=True), f"  {meaning}"]
        for entry in fields:
            name, varies = entry.path.rpartition(".")[2], " (varies)" if entry.varies else ""
            lines += [f"  {name}: {entry.default}", f"      {entry.accepts}{varies}"]
            lines += textwrap.wrap(entry.meaning, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return lines[1:]
