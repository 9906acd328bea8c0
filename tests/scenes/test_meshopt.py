"""The meshopt decoders, on data that zeux's meshoptimizer 1.2 encoded, and on the same data damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.assets import meshopt
from scenes.assets.gltf import Buffers, expanded
from scenes.errors import LoadError
from tests.scenes.gltf_files import SQUARE

K = np.arange(20)
SHORTS = np.stack([K * K, 1000 * K, 0 * K + 7, 65535 - 3 * K], axis=1).astype("<u2")
FLOATS = np.stack([1 / (1 + K), K / 4, 0 * K - 2], axis=1).astype("<f4")
GRID = np.array([[a, a + 1, a + 3, a + 3, a + 1, a + 4] for a in (0, 1, 3, 4)]).ravel()
FAR = np.array([70000, 5, 9, 9, 5, 70001, 3, 70000, 2])
VECTORS = np.array([[1, 0, 0, 1], [0, 0, -1, 1], [0.6, -0.8, 0, -1], [-0.48, 0.6, -0.64, 1], [0, 1, 0, 1]])
TURNS = np.array([[0, 0, 0, 1], [1, 0, 0, 0], [0.5, -0.5, 0.5, -0.5], [0.1, 0.7, 0.7, 0.1]])
COLORS = np.array([[1, 0, 0, 1], [0.25, 0.5, 0.75, 0.5]])

EXACT = {
    "bytes": (
        "ATTRIBUTES", SHORTS,
        "a0070002060a0e12161a1e22262a2e32363aff0000003e42464a048000000007002f2f2f2f2f2f2f2f2f2f2f2f2f2f2fff00"
        "00002f2f2f2f0a0688888888868888888800000000000000000a055555555555555555550000000000000000000000000000"
        "0000000000000000000000000000000000000000000700ffff",
    ),
    "words": (
        "ATTRIBUTES", SHORTS,
        "a17b9a0002060a0e12161a1e22262a2e32363a3e42464a00d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d002077777777777"
        "77770f00070707070205555555555555550f00050505050000000000000000000000000000000000000700ffff0100",
    ),
    "turned floats": (
        "ATTRIBUTES", FLOATS,
        "a1bf68aa0000a9aa65430b498d287e3ea367c8ee1d6ffa2e0000aaaa6644c392e37dc3f841817eee1ec50b7100ffab536743"
        "2f23392d231f1915130f1f191715010201070f020ff8f4c4f262e262d03018fc0f001e010301000000000000000000000080"
        "3f00000000000000c0015200",
    ),
    "triangles": (
        "TRIANGLES", GRID.astype("<u2"),
        "e1fe1e100e4e1e120e0f06007687566778a9866589689801690000",
    ),
    "far triangles": (
        "TRIANGLES", FAR.astype("<u4"),
        "e1ff1fffffe0c508d5c50808d0c5084fdbc50801007687566778a9866589689801690000",
    ),
    "indices": (
        "INDICES", FAR.astype("<u4"),
        "d1c18b111410000e0506030200000000",
    ),
}  # fmt: skip
FILTERED = {
    "normals in bytes": (
        "OCTAHEDRAL", VECTORS * 127, "i1",
        "a0010fc0000091eea6013fc00000fe70b54600010f0000000403000000000000000000000000000000000000000000000000"
        "000000007f007f7f",
    ),
    "normals in words": (
        "OCTAHEDRAL", VECTORS * 32767, "<i2",
        "a0010fc00000dcbc6a010fc0000007110c011fc00000deac76013fc000000e1714040000010f000000040301090000000000"
        "00000000000000000000000000000000000000000000ff070000ff07ff7f",
    ),
    "quaternions": (
        "QUATERNION", TURNS * 32767, "<i2",
        "a0010f000000b2dd010f0000000b1a010f000000b1f4010f0000000a07010f000000b26f010f0000000b0e01320000000500"
        "000000000000000000000000000000000000000000000000000000000000ff07",
    ),
    "floats": (
        "EXPONENTIAL", np.array([[1, -0.5, 1000], [3.25e-4, 0, -7]]), "<f4",
        "a00130000000cd01300000001400013000000017000130000000400120000000000130000000ff0130000000eb0110000000"
        "01300000000d0000000000000000000000000000000000000000002000f300e0fff2803e00fc",
    ),
    "colors in bytes": (
        "COLOR", COLORS * 255, "u1",
        "a1ff00800084007e007d00000000000000000000000000000000000000407fc1ff00",
    ),
    "colors in words": (
        "COLOR", COLORS * 65535, "<u2",
        "a1feff000800040015000100080002000500000000000000000000000000000004ff0701fcff0f0000",
    ),
}  # fmt: skip


def sizes(values: np.ndarray) -> tuple[int, int]:
    return len(values), values[0].nbytes


@pytest.mark.parametrize("name", EXACT)
def test_what_was_encoded_comes_back(name: str) -> None:
    mode, values, data = EXACT[name]
    found = np.frombuffer(meshopt.decoded(mode, "NONE", *sizes(values), bytes.fromhex(data)), values.dtype)
    if mode == "TRIANGLES":  # which corner of a triangle comes first is not kept
        found, values = (
            np.concatenate([np.roll(corners, -corners.argmin()) for corners in one.reshape(-1, 3)])
            for one in (found, values)
        )
    assert found.tolist() == values.ravel().tolist()


@pytest.mark.parametrize("name", FILTERED)
def test_filters_restore_the_values(name: str) -> None:
    filtered, values, kind, data = FILTERED[name]
    stride = values.shape[1] * np.dtype(kind).itemsize
    found = np.frombuffer(meshopt.decoded("ATTRIBUTES", filtered, len(values), stride, bytes.fromhex(data)), kind)
    found = found.reshape(values.shape).astype(float)
    if filtered == "QUATERNION":  # q and -q are the same turn
        found *= np.sign((found * values).sum(axis=1, keepdims=True))
    # They are kept with 8, 12 or 15 bits.
    step = np.abs(values).max() / (100 if kind in ("i1", "u1") else 1500)
    np.testing.assert_allclose(found, values, atol=step, rtol=1e-3)


@pytest.mark.parametrize("name", EXACT)
def test_cut_data_are_refused(name: str) -> None:
    mode, values, text = EXACT[name]
    data = bytes.fromhex(text)
    for end in range(len(data)):
        with pytest.raises(LoadError, match="cannot be decoded"):
            meshopt.decoded(mode, "NONE", *sizes(values), data[:end])


@given(st.sampled_from(sorted(EXACT)), st.binary(min_size=1, max_size=8), st.integers(0, 200))
def test_damaged_data_are_refused_or_decoded(name: str, piece: bytes, at: int) -> None:
    mode, values, text = EXACT[name]
    data = bytearray.fromhex(text)
    data[at % len(data) : at % len(data) + len(piece)] = piece
    count, stride = sizes(values)
    try:
        assert len(meshopt.decoded(mode, "NONE", count, stride, bytes(data))) == count * stride
    except LoadError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("mode", "filtered", "count", "stride", "words"),
    [
        ("ATTRIBUTES", "NONE", 1 << 30, 4, "the limit is"),
        ("ATTRIBUTES", "NONE", 4, 5, "with 5 bytes for each element"),
        ("TRIANGLES", "NONE", 3, 8, "with 8 bytes"),
        ("TRIANGLES", "COLOR", 3, 4, "with the filter COLOR"),
        ("STRIPS", "NONE", 3, 4, "mode STRIPS"),
        ("ATTRIBUTES", "OCTAHEDRAL", 1, 12, "cannot be decoded"),
    ],
)
def test_what_is_no_view_is_refused(mode: str, filtered: str, count: int, stride: int, words: str) -> None:
    with pytest.raises(LoadError, match=words):
        meshopt.decoded(mode, filtered, count, stride, b"\xa0" + bytes(64))


def packed(values: np.ndarray) -> bytes:
    """At most sixteen elements in the mode ATTRIBUTES, all deltas as bytes."""
    rows = values.view(np.uint8).reshape(len(values), -1)
    deltas = np.zeros((16, rows.shape[1]), np.uint8)
    deltas[1 : len(rows)] = np.diff(rows, axis=0)
    codes = deltas << 1 ^ np.where(deltas & 128, 255, 0).astype(np.uint8)
    blocks = b"".join(b"\3" + column.tobytes() for column in codes.T)
    return b"\xa0" + blocks + rows[0].tobytes().rjust(32, b"\0")


def test_views_are_decoded_into_a_buffer_of_their_own(tmp_path: Path) -> None:
    data = packed(SQUARE)
    (tmp_path / "a.bin").write_bytes(b"1234" + data)
    how = {"buffer": 1, "byteOffset": 4, "byteLength": len(data), "byteStride": 12, "count": 4, "mode": "ATTRIBUTES"}
    tree = {
        "buffers": [{"byteLength": 48}, {"byteLength": 4 + len(data), "uri": "a.bin"}],
        "bufferViews": [
            {"buffer": 0, "byteLength": 48, "target": 34962, "extensions": {"EXT_meshopt_compression": how}},
            {"buffer": 1, "byteLength": 4},
        ],
    }
    found = {"a.bin": tmp_path / "a.bin"}
    plain = expanded(tree, Buffers(tree, b"", found))
    buffers = Buffers(plain, b"", found)
    assert buffers.view(0) == SQUARE.tobytes() and buffers.view(1) == b"1234"
    assert "meshopt" not in json.dumps(plain) and plain["bufferViews"][0]["target"] == 34962
    how["byteLength"] = -1
    with pytest.raises(LoadError, match="the sizes of view 0"):
        expanded(tree, Buffers(tree, b"", found))
    how |= {"byteLength": 99, "buffer": 7}
    with pytest.raises(LoadError, match="in a buffer that cannot be read"):
        expanded(tree, Buffers(tree, b"", found))
