"""A picture's kind and size are read from its first bytes, and nothing is unpacked."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.image_headers import Picture, read_picture


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\2\0\0\0"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0"


def jpeg(width: int, height: int) -> bytes:
    frame = b"\xff\xc2\0\x11\x08" + struct.pack(">HH", height, width)
    return b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 10 + b"\xff" + frame + b"\3\1"


def webp(kind: bytes, width: int, height: int) -> bytes:
    sizes = {
        b"VP8X": b"\0" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + struct.pack("<I", width - 1 | (height - 1) << 14) + b"\0" * 8,
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + sizes[kind] + b"\0" * 8


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png(640, 480), "image/png"),
        (gif(640, 480), "image/gif"),
        (jpeg(640, 480), "image/jpeg"),
        (webp(b"VP8X", 640, 480), "image/webp"),
        (webp(b"VP8L", 640, 480), "image/webp"),
        (webp(b"VP8 ", 640, 480), "image/webp"),
    ],
)
def test_reads_kind_and_size(data: bytes, media_type: str) -> None:
    assert read_picture(data) == Picture(media_type=media_type, width=640, height=480)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\3\4 a zip",
        png(0, 5),
        png(5, 5)[:18],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 30,
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\0\x10",
        gif(1, 1)[:7],
        b"RIFF\0\0\0\0WEBPVP9 " + b"\0" * 30,
        webp(b"VP8X", 5, 5)[:24],
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_anything_else_is_no_picture(data: bytes) -> None:
    assert read_picture(data) is None


@given(st.sampled_from([b"\xff\xd8\xff", b"RIFF1234WEBPVP8 ", b"GIF89a", b""]), st.binary())
def test_no_bytes_make_it_fail(start: bytes, rest: bytes) -> None:
    picture = read_picture(start + rest)
    assert picture is None or picture.pixels > 0
