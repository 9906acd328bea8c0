"""Arrays that take long to make, kept in a file under a name that tells what decides them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.outputs import written
from training.data.pictures import fingerprint

Arrays = Mapping[str, NDArray[np.generic]]


def kept(
    folder: Path, name: str, parts: Sequence[object], make: Callable[[], Arrays]
) -> dict[str, NDArray[np.generic]]:
    """Arrays that take long to make, by name: from a file of the folder, or made and written there.

    parts: all that decides them.
    """
    path = folder / f"{name}-{fingerprint(*parts)[:16]}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        pass
    except (zipfile.BadZipFile, ValueError, OSError, EOFError):
        path.unlink()  # it is damaged
    made = make()
    with written(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **made)
    return dict(made)
