"""Reads the PNGs that resvg writes: 8 bits, RGBA, no interlace. No imaging library is needed."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

CHANNELS = 4


def pixels_of(png: bytes) -> NDArray[np.uint8]:
    """Height × width × (red, green, blue)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", png[16:29])
    assert (depth, colour, interlace) == (8, 6, 0)
    rows = np.frombuffer(zlib.decompress(_data(png)), dtype=np.uint8)
    rows = rows.reshape(height, 1 + width * CHANNELS)
    return _unfiltered(rows).reshape(height, width, CHANNELS)[:, :, :3]


def _data(png: bytes) -> bytes:
    found, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            found += png[at + 8 : at + 8 + size]
        at += size + 12
    return found


def _unfiltered(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo the five ways in which PNG stores a row as differences."""
    height, width = rows.shape[0], rows.shape[1] - 1
    above = np.zeros(width, dtype=np.uint8)
    image = np.empty((height, width), dtype=np.uint8)
    for index, row in enumerate(rows):
        kind, line = int(row[0]), row[1:].copy()
        if kind == 1:
            line = np.cumsum(line.reshape(-1, CHANNELS), axis=0, dtype=np.uint8).reshape(-1)
        elif kind == 2:
            line += above
        elif kind in (3, 4):
            line = _by_neighbours(line, above, kind)
        image[index] = above = line
    return image


def _by_neighbours(
    line: NDArray[np.uint8], above: NDArray[np.uint8], kind: int
) -> NDArray[np.uint8]:
    values, upper = line.tolist(), above.tolist()
    for at, value in enumerate(values):
        left = values[at - CHANNELS] if at >= CHANNELS else 0
        corner = upper[at - CHANNELS] if at >= CHANNELS else 0
        guess = (left + upper[at]) // 2 if kind == 3 else _paeth(left, upper[at], corner)
        values[at] = (value + guess) % 256
    return np.array(values, dtype=np.uint8)


def _paeth(left: int, up: int, corner: int) -> int:
    base = left + up - corner
    return min((left, up, corner), key=lambda value: abs(base - value))
