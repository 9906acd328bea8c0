"""Command groups whose commands are imported when they are used, and that other packages can extend."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from scenes.errors import InputError

_OURS = {"scenes", "render", "training", "classify", "segment", "gallery"}


class Commands(click.Group):
    """A group of commands that are imported when they are used: asking for help on one need not wait for all.

    own: where this package has commands, as `module:name`. plugs: the group of the entry points by which others add
    some. Each of both names a click command.
    """

    own: Mapping[str, str] = {}
    plugs = ""
    groups: Mapping[str, tuple[str, ...]] = {}
    """The headings of the help, with the commands below each; all other commands stand below "Commands"."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        there = self.list_commands(ctx)
        grouped = {name for names in self.groups.values() for name in names}
        rest = tuple(name for name in there if name not in grouped)
        for title, names in {**self.groups, "Commands": rest}.items():
            found = {name: self.get_command(ctx, name) for name in names if name in there}
            limit = formatter.width - 6 - max(map(len, found), default=0)
            rows = [(name, command.get_short_help_str(limit)) for name, command in found.items() if command]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.own, *entry_points(group=self.plugs).names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in self.own:
            found = EntryPoint(cmd_name, self.own[cmd_name], "").load()
        if found is None:
            for plug in entry_points(group=self.plugs, name=cmd_name):
                found = plug.load()
        return found

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            name = ctx.invoked_subcommand
            module = (error.name or "").split(".")[0]
            if module in _OURS or name not in entry_points(group=self.plugs).names:
                raise
            remedy = "needs the extra `train`; in blendmill's checkout: pip install -e '.[train]'"
            raise InputError(f"{name}: no module named {module}: {remedy}") from None


class MainCommands(Commands):
    """The commands of `blendmill`, in the order in which they are met."""

    own = {
        "doctor": "render.cli.doctor:doctor",
        "presets": "render.cli.config:presets",
        "init": "render.cli.config:init",
        "config": "render.cli.config:config_command",
        "preview": "render.cli.preview:preview",
        "render": "render.cli.render:render",
        "stream": "render.cli.stream:stream",
        "status": "render.cli.farm:status",
        "merge": "render.cli.farm:merge",
        "verify": "render.cli.farm:verify",
        "warm": "render.cli.devices:warm",
        "inspect": "render.cli.dataset:inspect",
        "export": "render.cli.dataset:export",
        "assets": "render.cli.assets:assets",
        "crack": "render.cli.composite:crack",
    }
    plugs = "blendmill.commands"
    groups = {
        "Start": ("doctor", "presets", "init", "config", "preview"),
        "Render": ("render", "stream", "status", "merge", "verify", "warm"),
        "Data sets": ("inspect", "gallery", "export"),
        "Assets and cracks": ("assets", "crack", "surfaces", "stylize"),
        "Training": ("train", "adapt", "evaluate", "ablate", "probe", "study", "tune", "track", "segment"),
    }


class AssetCommands(Commands):
    """The commands of `blendmill assets` that stand in files of their own."""

    own = {
        "cache": "render.cli.assets_cache:cache",
        "index": "render.cli.assets_index:index",
        "list": "render.cli.assets_index:list_",
        "show": "render.cli.assets_index:show",
    }


class CrackCommands(Commands):
    """The commands of `blendmill crack`."""

    plugs = "blendmill.commands.crack"
