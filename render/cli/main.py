"""The `blendmill` command."""

from __future__ import annotations

import sys
import warnings
from typing import TextIO

import click

from render.cli.plugins import MainCommands
from scenes.errors import InputError, InputWarning
from scenes.files import NO_ROOM


@click.group(cls=MainCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="blendmill")
def cli() -> None:
    """Render domain-randomized, exactly labeled pictures, without a display."""


_show = warnings.showwarning


def _in_one_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Our own warnings without the place in the code, which says nothing to a user."""
    if issubclass(category, InputWarning):
        click.echo(f"blendmill: {message}", err=True)
    else:
        _show(message, category, filename, lineno, file, line)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Bad input, click's or ours, ends in one line and exit code 2, whichever command finds it."""
    warnings.showwarning = _in_one_line
    try:
        code = cli.main(arguments, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except (click.ClickException, InputError) as error:
        click.echo(
            f"blendmill: {error.format_message() if isinstance(error, click.ClickException) else error}", err=True
        )
        code = 2
    except OSError as error:
        # What failed to write did not know what it was for. Nothing more can be said, and nothing is half written.
        if error.errno not in NO_ROOM:
            raise
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"blendmill: {place}{error.strerror}; make room, then give the same command again", err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt) as error:
        # click takes the end of any file for the end of the user's input. No command asks for input.
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None
        click.echo("blendmill: stopped; the same command run again completes what is missing", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
