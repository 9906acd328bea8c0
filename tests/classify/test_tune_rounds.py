"""Rounds of a tuning: the search on a fabricated renderer whose best shares are known, and rounds that are drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("torch", reason="PyTorch is not installed")

from classify.cli_studies import tune
from classify.tune import judging
from classify.tune import rounds as rounds_module
from classify.tune import search as search_module
from classify.tune.domains import Domains, Kernel
from classify.tune.factors import Place, Table
from classify.tune.matching import Match, bounded, together
from classify.tune.outcome import as_json, decide, go_on
from classify.tune.pool import Drawn, Pool
from classify.tune.report import html, told
from classify.tune.rounds import Propose, Rounds, search_on
from classify.tune.search import optimizer, search
from render.render_set import render_set
from scenes.config.loading import load_config
from scenes.distributions import parse
from scenes.errors import InputError
from scenes.pieces import cut
from tests.classify.test_tune_matching import evidence_of

PIECES = cut(parse({"uniform": [0, 1]}), 5)
PLACES = tuple(Place(name, ("a", "b"), "", PIECES) for name in ("first", "second"))
WANTED = np.array([[0.02, 0.03, 0.05, 0.1, 0.8], [0.7, 0.15, 0.05, 0.05, 0.05]])
"""The shares of the pieces of both factors among the photographs."""
FLOOR, LEAST = 0.1, 0.5


class World:
    """Pictures of two classes whose features show both factors, and photographs of them with the shares `WANTED`."""

    def __init__(self, renders: int = 600, photos: int = 600):
        rng = np.random.default_rng(0)
        self.pieces, self.labels, ours = self.drawn(rng, np.full((2, 5), 0.2), renders)
        _, theirs_labels, theirs = self.drawn(rng, WANTED, photos)
        self.kernel = Kernel.between(ours, theirs)
        vectors, there, beliefs = self.kernel.vectors(ours), self.kernel.vectors(theirs), np.eye(2)[theirs_labels]
        half = np.arange(photos) % 2 == 0
        self.learned, self.held = (Domains(vectors, self.labels, there[p], beliefs[p]) for p in (half, ~half))
        self.table = Table(PLACES, self.pieces)
        match = together(self.learned, self.table, [0, 1], FLOOR)
        self.start = bounded(match, self.table, self.labels, LEAST)

    @staticmethod
    def drawn(
        rng: np.random.Generator, shares: NDArray[np.float64], count: int
    ) -> tuple[NDArray[np.int16], NDArray[np.int64], NDArray[np.float64]]:
        """Pieces (2, n), classes (n,) and features (n, 5) of pictures."""
        pieces = np.stack([rng.choice(5, count, p=each) for each in shares])
        u, labels = (pieces + rng.random(pieces.shape)) / 5, np.arange(count) % 2
        features = rng.normal(size=(count, 5))
        features[:, 0] += 3 * labels
        features[:, 1:3] += 8 * u.T
        return pieces.astype(np.int16), labels, features

    def renderer(self, gap: float = 0.0, count: int = 300) -> Callable[[int, Propose], Drawn]:
        """What draws a round. gap: of its pictures from all others, which no factor explains."""

        def draw(number: int, propose: Propose) -> Drawn:
            match = propose()
            shares = PIECES.shares * np.stack(match.tilts())
            pieces, labels, features = self.drawn(np.random.default_rng(number), shares, count)
            return Drawn(match, self.kernel.vectors(features + gap), labels, pieces)

        return draw


def shares_of(match: Match) -> NDArray[np.float64]:
    return np.asarray(PIECES.shares * np.stack(match.tilts()))


def searched(world: World, count: int) -> Rounds:
    pytest.importorskip("cmaes", reason="cmaes is not installed")
    return search_on(world.learned, world.held, world.table, world.start, count, LEAST, 0, world.renderer())


def test_rounds_find_the_shares_that_the_pilot_alone_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "GENERATIONS", 80)
    world = World()
    found = searched(world, 3)
    off = [_moved(shares_of(one.drawn.match)) for one in found.rounds]
    assert world.start.strength < 1  # the pilot has too few pictures like the photographs
    assert (off[-1] < 0.35).all() and off[-1].sum() < 0.5 * off[0].sum()
    assert found.adopted == 3 and found.rounds[-1].measured < 0.25 * found.rounds[0].measured
    assert (np.stack([np.stack(one.drawn.match.tilts()) for one in found.rounds]) >= FLOOR - 1e-9).all()
    assert found.rounds[-1].promised == pytest.approx(found.rounds[-1].measured, abs=0.015)


def _moved(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) how many pieces far, on average, the pictures lie from where they should."""
    return np.asarray(np.abs(np.cumsum(shares - WANTED, axis=1)).sum(axis=1))


def test_a_search_is_a_function_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cmaes", reason="cmaes is not installed")
    monkeypatch.setattr(search_module, "GENERATIONS", 5)
    world = World(120, 80)
    pool = Pool.of(
        world.learned,
        world.table,
        [Drawn(replace(world.start, strength=0), world.learned.renders, world.labels, world.pieces)],
    )
    first, again, other = (search(pool, world.start, LEAST, seed).ratios for seed in (1, 1, 2))
    assert (np.stack(first) == np.stack(again)).all() and (np.stack(first) != np.stack(other)).any()


def test_pictures_of_all_draws_stand_for_any_shares() -> None:
    world = World()
    first = Match((0, 1), (np.ones(5), np.ones(5)), FLOOR)
    second = Match((0, 1), tuple(row / 0.2 for row in WANTED), FLOOR)
    drawn = [Drawn(first, world.learned.renders, world.labels, world.pieces)]
    drawn.append(world.renderer(count=3000)(1, lambda: second))
    pool = Pool.of(world.learned, world.table, drawn)
    for match in (first, second):
        weights = pool.weights(match)
        assert weights.mean() == pytest.approx(1, abs=0.05)
        for row, wanted in zip(pool.table.pieces, shares_of(match), strict=True):
            found = np.bincount(row, weights, minlength=5) / weights.sum()
            assert np.abs(found - wanted).max() < 0.03
    alone = Pool.of(world.learned, world.table, drawn[:1])
    assert (pool.effective(pool.weights(second)[None]) > alone.effective(alone.weights(second)[None])).all()


def test_what_the_pictures_of_a_round_confirm_is_taken_and_else_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "REFITS", 10)
    world = World()
    before = decide(world.learned, world.held, world.table, FLOOR, LEAST)
    assert len(before.moved) == 2
    words = (before, world.learned, world.held, world.table, 1, LEAST, 0)
    kept = go_on(*words, world.renderer())
    assert kept.rounds is not None and kept.rounds.adopted == 1
    for old, new in zip(before.moved, kept.moved, strict=True):
        assert np.allclose(new.after, old.after) and (new.low <= new.after + 1e-9).all()
    assert kept.worth is not None and kept.worth.sure
    refused = go_on(*words, world.renderer(gap=1.5))
    assert refused.moved == () and (refused.weights == 1).all()
    found = as_json(refused, ("a", "b"))
    assert found["round_adopted"] == 0 and found["rounds"][0]["held_back"]["change"] > 0
    evidence = evidence_of(world.learned, world.held, world.table, ("a", "b"))
    for outcome, words in (
        (kept, "taken: the shares of round 1"),
        (refused, "nothing moved: the pictures of no round"),
    ):
        lines, page = told(outcome, evidence), html(outcome, evidence, "base")
        assert any(line.startswith("round 1: 300 pictures") for line in lines) and "<h2>Rounds</h2>" in page
        assert any(line.startswith(words) for line in lines)


def test_the_first_round_stays_where_the_last_is_farther(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    worse = replace(world.start, strength=world.start.strength / 3)
    monkeypatch.setattr(rounds_module, "search", lambda *asked: worse)
    found = search_on(world.learned, world.held, world.table, world.start, 2, LEAST, 0, world.renderer())
    assert found.adopted == 1 and found.best is found.rounds[0]


def test_a_missing_optimizer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(InputError, match=r"cmaes is missing; .*pip install -e"):
        optimizer()


SHIFTED: dict[str, Any] = {
    "extends": "smoke",
    "classes": ["mug"],
    "camera": {"resolution": [32, 32], "azimuth": 20, "roll": 0},
    "objects": {"clutter": {"count": 0}, "yaw": 60},
    "material": {"mode": "own"},
    "lighting": {"world": {"hdri": "", "strength": 1}, "sun": {"count": 0}},
    "background": {"kind": "color", "value": {"uniform": [0.1, 0.9]}, "saturation": 0},
    "render": {"samples": 1},
}


@pytest.mark.slow
def test_rounds_are_drawn_once_and_more_may_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cmaes", reason="cmaes is not installed")
    config = tmp_path / "base.yaml"
    config.write_text(json.dumps(SHIFTED))
    there = render_set(
        load_config(config, {"background.value": {"uniform": [0.7, 0.9]}}), tmp_path / "there", 60, seed=7
    )
    (tmp_path / "photos").mkdir()
    for frame in there:
        Image.fromarray(frame.rgb).save(tmp_path / "photos" / f"{frame.index:04}.png")

    def run(rounds: int) -> dict[str, Any]:
        words = (config, "--target", tmp_path / "photos", "--images", 120, "--round-images", 30, "--rounds", rounds)
        more = ("--only", "background.value", "--out", tmp_path / "out")
        result = CliRunner().invoke(tune, [str(word) for word in (*words, *more)])
        assert result.exit_code == 0, result.output
        return dict(json.loads((tmp_path / "out" / "tune.json").read_text()))

    first = run(1)
    assert [one["factor"] for one in first["moved"]] == ["background.value"] and len(first["rounds"]) == 1
    drawn = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "rounds").rglob("*.h5")}
    second = run(2)
    assert second["rounds"][0]["measured"] == first["rounds"][0]["measured"] and second["round_adopted"] in (1, 2)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "rounds").rglob("*.h5")}
    assert drawn and {path: after[path] for path in drawn} == drawn and len(after) > len(drawn)

    def refuse(*asked: object) -> Match:
        raise AssertionError("what was drawn is not searched for again")

    monkeypatch.setattr(rounds_module, "search", refuse)
    assert run(2) == second
    bright = [one["after"] for one in second["moved"][0]["shares"] if one["of"]["uniform"][1] > 0.75]
    assert sum(bright) > 0.5
    tuned = load_config(tmp_path / "out" / "tuned.yaml").plain()["background"]["value"]
    assert tuned == second["moved"][0]["to"]
