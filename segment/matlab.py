"""Reads masks from files of MATLAB, as CrackForest has them: `groundTruth.Segmentation` in a .mat file of version 5.

It takes the matrix `Segmentation` of a structure, or else the only matrix of the file that is as large as a picture.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from scenes.assets.image_files import check_size
from scenes.errors import InputError, LoadError

SUFFIX = ".mat"

_HEADER, _COMPRESSED = 128, 15
# A file that unpacks to more bytes is refused before it fills the memory.
_LARGEST = 1 << 28


def read_matrix(path: Path) -> NDArray[np.generic]:
    """The mask (h, w) of numbers in a .mat file. Raises InputError if it holds none, or more than one."""
    try:
        content = loadmat(BytesIO(_unpacked(path.read_bytes())))
        # Of a structure, scipy makes an array of objects for each field.
        found = _matrices({name: value for name, value in content.items() if not name.startswith("__")})
        matrices = found.get("Segmentation") or [matrix for named in found.values() for matrix in named]
        if len(matrices) != 1:
            raise LoadError(f"holds {len(matrices)} matrices ({', '.join(sorted(found)) or 'none'}), and not one mask")
        check_size(matrices[0].shape[1], matrices[0].shape[0])
        if not np.isfinite(matrices[0]).all():
            raise LoadError("has values that are no numbers")
    except LoadError as error:
        raise InputError(f"{path}: {error}; masks can be pictures such as PNG, too") from None
    except NotImplementedError:
        raise InputError(f"{path}: is a .mat file of version 7.3; save it with -v7, or the masks as PNG") from None
    except Exception as error:  # scipy raises what its parsers meet
        raise InputError(f"{path}: cannot be read as a .mat file: {type(error).__name__}: {error}") from None
    return matrices[0]


def _unpacked(data: bytes) -> bytes:
    """The file with its compressed parts unpacked. Raises LoadError if they are too large."""
    order: Literal["big", "little"] = "big" if data[126:128] == b"MI" else "little"
    parts, at = [data[:_HEADER]], _HEADER
    while at + 8 <= len(data):
        kind, size = (int.from_bytes(data[k : k + 4], order) for k in (at, at + 4))
        part = data[at : at + 8 + size]
        if kind == _COMPRESSED:
            part = zlib.decompressobj().decompress(part[8:], _LARGEST)
        parts.append(part)
        at += 8 + size
        if sum(map(len, parts)) >= _LARGEST:
            raise LoadError(f"unpacks to more than {_LARGEST >> 20} MiB")
    return b"".join(parts)


def _matrices(content: dict[str, Any]) -> dict[str, list[NDArray[np.generic]]]:
    """The matrices of numbers that are as large as a picture, by name, also those in structures and cells."""
    found: dict[str, list[NDArray[np.generic]]] = {}
    for name, value in content.items():
        if not isinstance(value, np.ndarray):
            continue
        if value.dtype.kind in "biuf" and value.ndim == 2 and min(value.shape) > 1:
            found.setdefault(name, []).append(value)
        for one in value.ravel() if value.dtype.kind == "O" or value.dtype.names else ():
            inside = {field: one[field] for field in value.dtype.names} if value.dtype.names else {name: one}
            for field, matrices in _matrices(inside).items():
                found.setdefault(field, []).extend(matrices)
    return found
