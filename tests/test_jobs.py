"""Failures of the disk, told in one line."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from render.jobs import told
from scenes.errors import InputError


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EROFS, "Read-only file system"), "Read-only"),
        (PermissionError(errno.EACCES, "Permission denied"), "no permission"),
    ],
)
def test_a_disk_that_refuses_is_told(tmp_path: Path, error: OSError, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught, told(tmp_path / "set"):
        raise error
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "set") in str(caught.value)


def test_other_faults_are_not_dressed_up(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd"), told(tmp_path):
        raise OSError(errno.EIO, "odd")
