"""Masks that are made from clicks."""

import cv2
import numpy as np
from click.testing import CliRunner
from PIL import Image

from benchmarks import crack_marks


def _wall(width: int) -> tuple[np.ndarray, np.ndarray]:
    """A rough wall with a bent dark line, and the line's mask."""
    corners = np.array([[10, 20], [50, 60], [60, 120]], np.int32)
    line = cv2.polylines(np.zeros((140, 100), np.uint8), [corners], False, 1, width)
    gray = (
        150 + np.random.default_rng(0).normal(0, 8, line.shape) - 90 * cv2.GaussianBlur(line.astype(float), (0, 0), 0.7)
    )
    return np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2), line > 0


def test_clicks_beside_a_line_give_its_mask() -> None:
    for width, reach in ((2, 3), (9, 7)):
        picture, line = _wall(width)
        found = crack_marks.marked(picture, [[(12, 18), (48, 62), (62, 118)]], reach)
        assert (found & line).sum() / (found | line).sum() > 0.7


def test_a_wide_line_does_not_reach_beyond_its_limit() -> None:
    picture, line = _wall(21)
    found = crack_marks.marked(picture, [[(12, 18), (48, 62), (62, 118)]], 3)
    assert found.sum() < 0.6 * line.sum()


def test_all_marked_photographs_are_written(tmp_path, monkeypatch) -> None:
    marks = {"wall.png": {"reach": 3, "lines": [[[10, 20], [50, 60], [60, 120]]]}}
    monkeypatch.setattr(crack_marks, "read_marks", lambda: marks)
    photos = tmp_path / "photos"
    photos.mkdir()
    command = ["--photos", str(photos), "--out", str(tmp_path / "set")]
    missing = CliRunner().invoke(crack_marks.main, command)
    assert missing.exit_code == 2 and "wall.png" in missing.output
    Image.fromarray(_wall(2)[0]).save(photos / "wall.png")
    assert CliRunner().invoke(crack_marks.main, command).exit_code == 0
    mask = np.asarray(Image.open(tmp_path / "set" / "mask" / "wall.png"))
    assert set(np.unique(mask)) == {0, 255}


def test_the_marks_lie_in_pictures_of_512_pixels() -> None:
    for name, mark in crack_marks.read_marks().items():
        assert mark["reach"] > 0 and mark["lines"], name
        for line in mark["lines"]:
            assert len(line) > 1 and np.min(line) >= 0 and np.max(line) < 512, name
