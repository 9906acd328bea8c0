"""Draws the rounds of a tuning, each into a folder of its own. What is there is not drawn again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from classify.tune.evidence import Evidence, features_of, pieces_of
from classify.tune.factors import Place
from classify.tune.inputs import CACHE, claim, open_pilot
from classify.tune.matching import Match
from classify.tune.pool import Drawn
from classify.tune.rounds import Propose
from classify.tune.seeing import Sight
from classify.tune.writing import Change, write_config
from render.render_set import render_set
from render.renderer import open_sampler
from scenes.config.loading import load_config
from scenes.outputs import written
from scenes.plain_yaml import yaml_text
from training.data.kept import Arrays, kept

ROUNDS, CONFIG, SET, UNTUNED = "rounds", "config.yaml", "set", "untuned.yaml"


@dataclass(frozen=True)
class Drawing:
    """How rounds are drawn: as the pilot was, with other shares. Seeds follow the pilot's.

    out: folder of the tuning. places: whose shares move. floor: share of each distribution that stays as it was. count:
    number of rounds. images: pictures of each. workers, device: as of `render_set`.
    """

    out: Path
    evidence: Evidence
    places: Sequence[Place]
    sight: Sight
    floor: float
    count: int
    images: int
    workers: int | None = None
    device: str = "auto"

    def draw(self, number: int, propose: Propose) -> Drawn:
        """Draw round `number`, or read what is there of it, and look at its pictures. Raises InputError."""
        claim(self.out / ROUNDS, {"round_images": self.images})
        pilot, folder = self.evidence.pilot, self.out / ROUNDS / f"{number:02}"
        match = self._proposed(folder, propose)
        places = tuple(
            replace(place, pieces=place.pieces.moved((place.pieces.shares * tilt).tolist()))
            for place, tilt in zip(self.places, match.tilts(), strict=True)
        )
        config = load_config(self._config(folder, places, number))
        click.echo(f"round {number} of {self.count}: {self.images:,} pictures", err=True)
        render_set(
            config, folder / SET, self.images, seed=pilot.seed + number, workers=self.workers, device=self.device
        )
        drawn = open_pilot(folder / SET, open_sampler(config))
        features = features_of(drawn, f"renders of round {number}", self.sight, self.out / CACHE).features
        pieces = pieces_of(drawn, places, self.out / CACHE).pieces
        return Drawn(match, self.evidence.kernel.vectors(features), drawn.pictures.labels, pieces)

    def _proposed(self, folder: Path, propose: Propose) -> Match:
        """What a round is drawn with. It is decided once, so that a round that is there stays as it is."""

        def make() -> Arrays:
            match = propose()
            return {place.name: match.reached(ratio) for place, ratio in zip(self.places, match.ratios, strict=True)}

        there = kept(folder, "proposal", [place.name for place in self.places], make)
        ratios = tuple(there[place.name].astype(np.float64) for place in self.places)
        return Match(tuple(range(len(ratios))), ratios, self.floor)

    def _config(self, folder: Path, places: Sequence[Place], number: int) -> Path:
        """The config of a round, as a file."""
        config, base, path = self.evidence.pilot.sampler.config, self.out / ROUNDS / UNTUNED, folder / CONFIG
        with written(base) as temporary:
            temporary.write_text(yaml_text(config.plain()), encoding="utf-8")
        changes = [Change(place, place.pieces.whole, ()) for place in places]
        write_config(path, base, config, changes, [f"Round {number} of a tuning."])
        return path
