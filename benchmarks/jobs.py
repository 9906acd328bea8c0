"""Commands of blendmill that a benchmark runs, and its results."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


@dataclass(frozen=True)
class Job:
    """A command of blendmill that makes the folder `out`, in the folder where all lies. threads: it may take."""

    out: str
    words: tuple[str, ...]
    threads: int | None = None

    def run(self, work: Path) -> None:
        """Run it, from where it stopped; what it says goes to a log. Raises ClickException.

        What is done is left to the command to find out, since it knows when the folder holds something else.
        """
        log = work / f"{self.out.replace('/', '-')}.log"
        command = [str(Path(sys.executable).with_name("blendmill")), *self.words, "--out", self.out]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads)} if self.threads else None
        with log.open("ab") as told:
            code = subprocess.run(command, cwd=work, stdout=told, stderr=told, env=environment).returncode
        if code:
            raise click.ClickException(f"{self.out}: exit {code}, see {log}")
        click.echo(self.out, err=True)


def settings(*values: str) -> tuple[str, ...]:
    """The words that override fields of a config, KEY=VALUE each."""
    return tuple(word for value in values for word in ("--set", value))


def results(run: Path) -> dict[str, Any] | None:
    """What a training run came to; None where it is not done."""
    path = run / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
