"""What a page shows beyond its sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scenes.files import file_stat
from training.run_folder import Folder


@dataclass(frozen=True)
class PageOptions:
    """method: how the map is made, one of `embedding.METHODS`. runs: runs or checkpoints, whose worth the page tells.
    The map shows what the network of the first one sees; without runs, the features of `describe`. scores: a file of
    `blendmill track`; None for none.
    """

    method: str = "pca"
    runs: tuple[Path, ...] = ()
    scores: Path | None = None

    def about(self) -> list[str]:
        """What tells one page of the same pictures from another."""
        files = [Folder(run).selected if run.is_dir() else run for run in self.runs]
        files += [self.scores] if self.scores else []
        return [self.method, *(f"{file} {file_stat(file)}" for file in files)]


PLAIN = PageOptions()
"""A page that needs no network and no further package."""
