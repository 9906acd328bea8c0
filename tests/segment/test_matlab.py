"""Masks in .mat files, as CrackForest has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from scenes.errors import InputError
from segment import matlab
from segment.sets import open_set

MASK = np.ones((40, 50), np.uint8)
MASK[12:15] = 2


def place(folder: Path, content: dict[str, Any], *, compressed: bool = True) -> Path:
    """A set of one picture, whose mask is in a .mat file."""
    for name in ("image", "groundTruth"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (50, 40)).save(folder / "image" / "001.jpg")
    path = folder / "groundTruth" / "001.mat"
    savemat(path, content, do_compression=compressed)
    return path


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "content",
    [
        {"groundTruth": {"Segmentation": MASK, "Boundaries": MASK // 2}},
        {"mask": MASK, "scale": 0.5, "note": "by hand"},
        {"gt": MASK.astype(float)},
    ],
    ids=["CrackForest", "a matrix", "numbers with a point"],
)
def test_the_mask_is_found(tmp_path: Path, content: dict[str, Any], compressed: bool) -> None:
    place(tmp_path, content, compressed=compressed)
    pictures = open_set(tmp_path)
    assert pictures.labeled and pictures.names == ("001",)
    np.testing.assert_array_equal(pictures.read(0).mask, MASK == 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": MASK, "b": MASK}, r"holds 2 matrices \(a, b\)"),
        ({"note": "nothing"}, r"holds 0 matrices \(none\)"),
        ({"gt": np.where(MASK == 2, np.nan, 0.0)}, "values that are no numbers"),
    ],
)
def test_a_file_without_one_mask_is_refused(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    place(tmp_path, content)
    with pytest.raises(InputError, match=message):
        open_set(tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = place(tmp_path, {"gt": MASK})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"001\.mat: cannot be read as a \.mat file"):
        open_set(tmp_path)


def test_version_7_3_says_what_to_do(tmp_path: Path) -> None:
    path = place(tmp_path, {"gt": MASK})
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))
    with pytest.raises(InputError, match=r"version 7\.3; save it with -v7"):
        open_set(tmp_path)


def test_a_packed_matrix_cannot_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matlab, "_LARGEST", 1 << 20)
    path = place(tmp_path, {"gt": np.zeros((2048, 1024), np.uint8)})
    assert path.stat().st_size < 1 << 14
    with pytest.raises(InputError, match="unpacks to more than 1 MiB"):
        open_set(tmp_path)
