"""The benchmark of what pictures are worth: its law, its sets, its parts, its tables."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.worth import __main__ as worth
from benchmarks.worth.law import fit
from benchmarks.worth.learning import SCORES, Described, Exam, Said
from benchmarks.worth.report import HELD_OUT, PHOTOS, Curve, differences, draw, report
from scenes.config.loading import load_config


def test_fit_of_one_curve() -> None:
    law = fit([4, 16, 64], [[0.5, 0.25, 0.125]])
    assert (law.a, law.b, law.low, law.high) == pytest.approx((1, 0.5, 0.5, 0.5))
    assert law.error(32) == pytest.approx(32**-0.5)


def test_fit_of_two_seeds_by_hand() -> None:
    """The geometric means are 0.2 and 0.05: b = log 4 / log 100.

    At each size, a sixteenth of the draws takes the better seed twice at one size and the worse one at the other. Each
    is off by log 2, times the root of 2 for two seeds, so b by 2 log 2 * 2^0.5 / log 100.
    """
    law = fit([10, 1000], [[0.4, 0.1], [0.1, 0.025]])
    b, off = np.log(4) / np.log(100), 2 * np.log(2) * np.sqrt(2) / np.log(100)
    assert (law.a, law.b) == pytest.approx((0.2 * 10**b, b))
    assert (law.low, law.high) == pytest.approx((b - off, b + off))


def test_sets_differ_in_samples_alone() -> None:
    def config(way: worth.Way) -> dict:
        job = worth.rendering(way)
        return load_config(job.words[1], way.changes).plain()

    plain = [config(way) for way in worth.WAYS if way.config == "preset.yaml"]
    samples = [one["render"].pop("samples") for one in plain]
    assert samples == [2, 4, 8, 16] and all(one == plain[0] for one in plain)
    assert plain[0]["camera"]["resolution"] == config(worth.WAYS[-1])["camera"]["resolution"]
    assert "8 samples" in worth.BASE.label and str(worth.SEED) not in worth.held_out().words


def test_parts_are_nested_and_have_all_classes() -> None:
    labels = np.repeat(np.arange(3), 16)
    source = Described(np.zeros((48, 2), np.float32), labels, [str(i) for i in range(48)])
    parts = [source.part(share, 5) for share in worth.SHARES]
    assert [np.bincount(labels[part]).tolist() for part in parts] == [[n] * 3 for n in (1, 2, 4, 8, 16)]
    assert all((smaller <= larger).all() for smaller, larger in pairwise(parts))
    assert (source.part(0.25, 6) != parts[2]).any()


def test_report_of_known_answers(tmp_path: Path) -> None:
    """Of 20 pictures, the base recognizes 10, then 15; the other way 2 more in each."""

    def curve(label: str, more: int) -> Curve:
        def said(right: int) -> Said:
            return Said(np.arange(20) < right + more, np.arange(20) < right, dict.fromkeys(SCORES, 0.25))

        found = {size: {seed: said(right) for seed in range(2)} for size, right in ((10, 10), (40, 15))}
        return Curve(label, [0.4 + more, 0.3 + more, 0.5 + more], found)

    base, other = curve("base", 0), curve("other", 2)
    some = Described(np.zeros((20, 2), np.float32), np.repeat([0, 1], 10), [])
    tests = Exam(some, some, some)
    assert base.law(PHOTOS).b == pytest.approx(0.5)  # four times the pictures, half the errors
    assert differences([base, other], base, tests, PHOTOS)["other"].mean == pytest.approx(0.1)
    assert differences([base, other], base, tests, HELD_OUT)["other"].mean == 0
    text = report([base, other], base, tests)
    assert "| base | 50.0 [50.0 to 50.0] | 75.0 [75.0 to 75.0] | 1.58 | 0.500 [0.500 to 0.500] |" in text
    assert (
        "| base | 0.400 [0.300 to 0.500] |  |  |  |" in text
        and "| other | 2.400 [2.300 to 2.500] | 6.00 [5.00 to 7.67] |" in text
    )
    assert "+10.0" in text and "0.2500 [0.2500 to 0.2500]" in text


def test_figure_of_equal_seeds(tmp_path: Path) -> None:
    """The mean of five times 55 % is off in its last digit; bars have no negative length."""
    said = Said(np.arange(20) < 11, np.arange(20) < 11, {})
    draw([Curve("equal", [0.1], {size: dict.fromkeys(range(5), said) for size in (10, 40)})], tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
