"""Decoders of the meshopt compression of glTF: EXT_meshopt_compression and KHR_meshopt_compression.

Names and steps are those of the appendices "Bitstream" and "Filters" of both extensions, version 0 and version 1. Each
decoder raises LoadError for data that are damaged or end early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scenes.errors import LoadError

LARGEST = 1 << 30
"""Bytes that a view may have when it is decoded."""

_GROUP = 16
# Bits of a delta by the two bits of a group's header, for each way to control a byte.
_BITS_0, _CONTROLS = (0, 2, 4, 8), ((0, 1, 2, 4), (1, 2, 4, 8))
# The deltas in a byte, for each number of bits of one. Of one bit, the lowest comes first; of more, the highest.
_UNPACKED = {
    1: [bytes(byte >> k & 1 for k in range(8)) for byte in range(256)],
    2: [bytes(byte >> k & 3 for k in (6, 4, 2, 0)) for byte in range(256)],
    4: [bytes((byte >> 4, byte & 15)) for byte in range(256)],
}


def decoded(mode: str, filtered: str, count: int, stride: int, data: bytes) -> bytes:
    """The bytes of a view.

    mode, filtered, count, stride: `mode`, `filter`, `count` and `byteStride` of the extension. data: the compressed
    bytes.
    """
    if not 0 <= count * stride <= LARGEST:
        raise LoadError(f"has a compressed view of {count} x {stride} bytes, the limit is {LARGEST}")
    if mode not in _MODES or filtered not in _FILTERS or (filtered != "NONE" and mode != "ATTRIBUTES"):
        raise LoadError(f"has a view in the mode {mode[:20]} with the filter {filtered[:20]}, which is not read")
    if stride not in (range(4, 257, 4) if mode == "ATTRIBUTES" else (2, 4)):
        raise LoadError(f"has a view in the mode {mode} with {stride} bytes for each element")
    try:
        return _FILTERS[filtered](_MODES[mode](count, stride, data), stride)
    except (IndexError, ValueError, OverflowError):
        raise LoadError(f"is damaged: a view in the mode {mode} cannot be decoded") from None


# Attributes ----------------------------------------------------------------------------------------------------------


def _attributes(count: int, stride: int, data: bytes) -> bytes:
    if data[:1] not in (b"\xa0", b"\xa1"):
        raise ValueError("no header")
    newer = data[0] == 0xA1
    tail = stride + (stride // 4 if newer else 0)
    end = len(data) - max(tail, 24 if newer else 32)
    base, channels = data[len(data) - tail :][:stride], data[len(data) - tail + stride :] or bytes(stride // 4)
    size = min(8192 // stride & ~(_GROUP - 1), 256)
    at, blocks = 1, []
    for first in range(0, count, size):
        block, at = _block(data, at, min(size, count - first), stride, newer)
        blocks.append(block)
    if at != end or len(base) != stride:
        raise ValueError("another length")
    deltas = np.concatenate([np.zeros((stride, 0), np.uint8), *blocks], axis=1)
    found = np.empty((count, stride), np.uint8)
    for k in range(0, stride, 4):
        found[:, k : k + 4] = _summed(deltas[k : k + 4], base[k : k + 4], channels[k // 4])
    return found.tobytes()


def _block(data: bytes, at: int, count: int, stride: int, newer: bool) -> tuple[NDArray[np.uint8], int]:
    """The deltas (stride, count) of one block that begins at byte `at`, and where the next one begins."""
    groups, control = -(-count // _GROUP), data[at : at + stride // 4]
    at += stride // 4 if newer else 0
    rows = []
    for k in range(stride):
        way = control[k // 4] >> 2 * (k % 4) & 3 if newer else -1
        if way == 2:
            rows.append(bytes(count))
        elif way == 3:
            rows.append(data[at : at + count])
            at += count
        else:
            row, at = _groups(data, at, groups, _CONTROLS[way] if newer else _BITS_0)
            rows.append(row[:count])
    return np.frombuffer(b"".join(rows), np.uint8).reshape(stride, count), at


def _groups(data: bytes, at: int, groups: int, bits_of: tuple[int, ...]) -> tuple[bytes, int]:
    """The deltas of a byte of all elements of a block."""
    header, at = data[at : at + -(-groups // 4)], at + -(-groups // 4)
    found = []
    for number in range(groups):
        bits = bits_of[header[number // 4] >> 2 * (number % 4) & 3]
        size = 2 * bits
        part, at = data[at : at + size], at + size
        if len(part) < size:
            raise ValueError("ends early")
        if bits == 0:
            part = bytes(_GROUP)
        elif bits < 8:
            part = b"".join(map(_UNPACKED[bits].__getitem__, part))
            # All bits set: the delta follows as a byte.
            large = (1 << bits) - 1
            if large in part:
                whole = bytearray(part)
                for k, value in enumerate(part):
                    if value == large:
                        whole[k], at = data[at], at + 1
                part = bytes(whole)
        found.append(part)
    return b"".join(found), at


def _summed(deltas: NDArray[np.uint8], base: bytes, channel: int) -> NDArray[np.uint8]:
    """The values (n, 4) of a channel of four bytes, from their deltas (4, n) and the value before the first."""
    together = np.ascontiguousarray(deltas.T)
    way, turn = channel & 15, channel >> 4
    if way > 2 or (way < 2 and turn):
        raise ValueError("unknown channel")
    if way == 2:
        words = together.view("<u4")[:, 0]
        turned = words >> np.uint32(turn) | words << np.uint32(-turn & 31) if turn else words
        start = np.frombuffer(base, "<u4")
        return np.bitwise_xor.accumulate(np.concatenate([start, turned]))[1:, None].astype("<u4").view(np.uint8)
    kind = ("<u1", "<u2")[way]
    parts = together.view(kind)
    signed = parts >> 1 ^ (0 - (parts & 1)).astype(kind)
    return (np.cumsum(signed, axis=0, dtype=kind) + np.frombuffer(base, kind)).astype(kind).view(np.uint8)


# Indices -------------------------------------------------------------------------------------------------------------


class _Bytes:
    """Reads numbers, one after the other, up to an end."""

    def __init__(self, data: bytes, at: int, end: int):
        self._data, self.at, self._end = data, at, end

    def byte(self) -> int:
        if self.at >= self._end:
            raise ValueError("ends early")
        self.at += 1
        return self._data[self.at - 1]

    def number(self) -> int:
        """Unsigned LEB128 of 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFFFFFF
        raise ValueError("too long")

    def finish(self) -> None:
        if self.at != self._end:
            raise ValueError("another length")


def _packed(numbers: list[int], stride: int) -> bytes:
    return (np.array(numbers, np.uint64) & ((1 << 8 * stride) - 1)).astype(f"<u{stride}").tobytes()


def _signed(value: int) -> int:
    return ~(value >> 1) if value & 1 else value >> 1


def _indices(count: int, stride: int, data: bytes) -> bytes:
    if data[:1] != b"\xd1":
        raise ValueError("no header")
    stream, last, found = _Bytes(data, 1, len(data) - 4), [0, 0], []
    for _ in range(count):
        value = stream.number()
        last[value & 1] += _signed(value >> 1)
        found.append(last[value & 1] & 0xFFFFFFFF)
    stream.finish()
    return _packed(found, stride)


def _triangles(count: int, stride: int, data: bytes) -> bytes:
    if data[:1] != b"\xe1" or count % 3 or len(data) < 1 + count // 3 + 16:
        raise ValueError("no header")
    stream, table = _Bytes(data, 1 + count // 3, len(data) - 16), data[-16:]
    found: list[int] = []
    for triangle in _followed(data[1 : 1 + count // 3], stream, table):
        found += triangle
    stream.finish()
    return _packed(found, stride)


def _followed(codes: bytes, stream: _Bytes, table: bytes) -> Iterator[tuple[int, int, int]]:
    """The triangles that codes stand for. The newest edges and vertices are at the end of their lists."""
    edges: list[tuple[int, int]] = []
    vertices: list[int] = []
    following = last = 0

    def told() -> int:
        nonlocal last
        last = (last + _signed(stream.number())) & 0xFFFFFFFF
        return last

    def new() -> int:
        nonlocal following
        following += 1
        return following - 1

    def corner(nibble: int) -> int:
        return new() if nibble == 0 else told() if nibble == 15 else vertices[-nibble]

    for code in codes:
        high, low = code >> 4, code & 15
        if high < 15:
            a, b = edges[-1 - high]
            if low == 0:
                c = new()
            elif low < 13:
                c = vertices[-1 - low]
            else:
                c = last = told() if low == 15 else last + (-1 if low == 13 else 1)
            edges += ((c, b), (a, c))
            vertices += [c] if low in (0, 13, 14, 15) else []
        else:
            both = table[low] if low < 14 else stream.byte()
            if low >= 14 and both == 0:
                following = 0
            a = told() if low == 15 else new()
            second, third = both >> 4, both & 15
            b = corner(second)
            c = corner(third)
            edges += ((b, a), (c, b), (a, c))
            vertices += [a, *([b] if second in (0, 15) else []), *([c] if third in (0, 15) else [])]
        yield a, b, c


# Filters -------------------------------------------------------------------------------------------------------------


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halves go away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(values) + 0.5), values))


def _elements(data: bytes, stride: int, signed: bool = True) -> tuple[NDArray[np.float64], np.dtype]:
    """The four whole numbers of each element, and their type."""
    if stride not in (4, 8):
        raise ValueError("no filter for this size")
    kind = np.dtype(f"<{'i' if signed else 'u'}{stride // 4}")
    return np.frombuffer(data, kind).reshape(-1, 4).astype(np.float64), kind


def _octahedral(data: bytes, stride: int) -> bytes:
    values, kind = _elements(data, stride)
    x, y = values[:, 0] / values[:, 2], values[:, 1] / values[:, 2]
    z = 1 - np.abs(x) - np.abs(y)
    below = np.minimum(z, 0)
    vectors = np.stack([x - np.copysign(below, x), y - np.copysign(below, y), z], axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    values[:, :3] = _rounded(vectors * np.iinfo(kind).max)
    return values.astype(kind).tobytes()


def _quaternion(data: bytes, stride: int) -> bytes:
    if stride != 8:
        raise ValueError("no filter for this size")
    values = np.frombuffer(data, "<i2").reshape(-1, 4)
    small = values[:, :3] / (values[:, 3:] | 3) * np.sqrt(0.5)
    large = np.sqrt(np.maximum(0, 1 - (small**2).sum(axis=1)))
    found = np.empty((len(values), 4))
    for number, part in enumerate((large, *small.T)):
        found[np.arange(len(values)), ((values[:, 3] & 3) + number) % 4] = part
    return _rounded(found * 32767).astype("<i2").tobytes()


def _exponential(data: bytes, stride: int) -> bytes:
    values = np.frombuffer(data, "<i4")
    return np.ldexp(((values << 8) >> 8).astype(np.float64), values >> 24).astype("<f4").tobytes()


def _color(data: bytes, stride: int) -> bytes:
    values, kind = _elements(data, stride, signed=False)
    wide = values.astype(np.int64)
    bits = np.frexp(values[:, 3])[1].astype(np.int64)
    size = (1 << bits) - 1
    half = 1 << (4 * (stride // 4) * 2 - 1)
    y = wide[:, 0]
    co, cg = ((wide[:, k] + half) % (2 * half) - half for k in (1, 2))
    alpha = wide[:, 3] & size >> 1
    found = np.stack([y + co - cg, y + cg, y - co - cg, alpha << 1 | alpha & 1], axis=1)
    return _rounded(found * (np.iinfo(kind).max / size[:, None])).astype(kind).tobytes()


_MODES: dict[str, Callable[[int, int, bytes], bytes]] = {
    "ATTRIBUTES": _attributes,
    "TRIANGLES": _triangles,
    "INDICES": _indices,
}
_FILTERS: dict[str, Callable[[bytes, int], bytes]] = {
    "NONE": lambda data, stride: data,
    "OCTAHEDRAL": _octahedral,
    "QUATERNION": _quaternion,
    "EXPONENTIAL": _exponential,
    "COLOR": _color,
}
