"""Files are fetched from known hosts alone, and read within limits that nothing gets around."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pypdf import PdfWriter

from adapters import pdf
from adapters.files import FileReader, read_bytes, read_path, with_content
from adapters.pdf import MOST_PAGES
from bot.errors import PromptError
from bot.messages import Attachment
from tests.unit.test_image_headers import png

PNG = png(10, 10)


def _pdf(pages: int, words: str = "Page {n} of the diary") -> bytes:
    """A PDF with a line of text on each page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b""]
    font = b"<</Font<</F 3 0 R>>>>"
    objects.append(b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    kids = []
    for n in range(1, pages + 1):
        stream = f"BT /F 12 Tf 20 20 Td ({words.format(n=n)}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        page = b"<</Type/Page/Parent 2 0 R/Resources%s/Contents %d 0 R>>" % (font, len(objects))
        objects.append(page)
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 200 200]>>" % (
        pages, b" ".join(kids),
    )  # fmt: skip
    return _assembled(objects)


def _assembled(objects: list[bytes]) -> bytes:
    out, offsets = io.BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, each in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj%s endobj\n" % (number, each))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF" % start)
    return out.getvalue()


def _bomb() -> bytes:
    """A PDF whose only page unpacks to 600 MB of nothing."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 10_000_000) for _ in range(60)) + packer.flush()
    return _assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 9 9]>>",
            b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
            b"<</Type/Page/Parent 2 0 R/Resources<<>>/Contents 3 0 R>>",
        ]
    )


def _file(name: str, media_type: str, size: int = 100, url: str = "") -> Attachment:
    return Attachment(name=name, media_type=media_type, size_bytes=size, url=url)


PDF = _file("a.pdf", "application/pdf")


async def test_the_words_of_a_pdf_are_read() -> None:
    read = await with_content(PDF, _pdf(2))
    assert read.text == "Page 1 of the diary\nPage 2 of the diary"


async def test_of_a_pdf_of_five_hundred_pages_the_first_are_read_and_it_is_said() -> None:
    text = (await with_content(PDF, _pdf(500))).text
    assert f"Page {MOST_PAGES} of" in text
    assert f"Page {MOST_PAGES + 1} of" not in text
    assert text.endswith(
        f"(Of 500 pages, {MOST_PAGES} were read; the rest of this file was left out.)"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"PK\3\4 this is a zip", "it says that it is a PDF, and is none"),
        (b"%PDF-1.7\nnothing more", "it is damaged"),
        (_pdf(1, " "), "it has no text, only pictures of it"),
    ],
)
async def test_what_is_no_readable_pdf_is_refused_in_words(content: bytes, problem: str) -> None:
    assert (await with_content(PDF, content)).problem == problem


async def test_a_locked_pdf_is_refused_in_words() -> None:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(9, 9)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(out)
    assert (await with_content(PDF, out.getvalue())).problem == "it is locked with a password"


async def test_a_pdf_that_unpacks_to_far_more_is_refused() -> None:
    read = await with_content(PDF, _bomb())
    assert read.problem
    assert read.text.startswith("(This file could not be read")


async def test_a_pdf_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MOST_S", 0.01)
    assert "take longer" in (await with_content(PDF, _pdf(1))).problem


@pytest.fixture
async def host() -> AsyncIterator[TestServer]:
    """A host with a few files, one of them behind a redirect."""

    async def give(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "moved.txt":
            raise web.HTTPFound("/a.txt")
        if name == "login.png":
            return web.Response(text="<html>log in", content_type="text/html")
        if name == "endless.txt":
            response = web.StreamResponse()
            await response.prepare(request)
            for _ in range(40):
                await response.write(b"x" * 100_000)
            return response
        bodies = {"a.txt": b"hello", "a.png": PNG, "token.txt": b"nothing"}
        if name == "token.txt" and request.headers.get("authorization") == "Bearer t":
            return web.Response(body=b"for me")
        return web.Response(body=bodies[name]) if name in bodies else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{name}", give)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


async def _read(host: TestServer, name: str, media_type: str = "text/plain") -> Attachment:
    async with aiohttp.ClientSession() as session:
        base = str(host.make_url("/"))
        reader = FileReader(
            session, lambda url: url.startswith(base), {"Authorization": "Bearer t"}
        )
        (read,) = await reader.read((_file(name, media_type, url=f"{base}{name}"),))
        return read


async def test_reads_text_and_pictures_with_the_hosts_own_token(host: TestServer) -> None:
    assert (await _read(host, "a.txt")).text == "hello"
    assert (await _read(host, "a.png", "image/png")).data == PNG
    assert (await _read(host, "token.txt")).text == "for me"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("moved.txt", "text/plain"),
        ("gone.txt", "text/plain"),
        ("login.png", "image/png"),
        ("endless.txt", "text/plain"),
    ],
)
async def test_a_redirect_a_page_and_an_endless_file_are_refused(
    host: TestServer, name: str, media_type: str
) -> None:
    read = await _read(host, name, media_type)
    assert read.problem == "it was not handed over, or is damaged"


async def test_no_other_host_is_asked(host: TestServer) -> None:
    async with aiohttp.ClientSession() as session:
        file = _file("a.txt", "text/plain", url=str(host.make_url("/a.txt")))
        (read,) = await FileReader(session, lambda url: False).read((file,))
    assert read.problem == "it is kept somewhere else"


async def test_reads_a_file_of_this_computer(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print('hi')")
    (tmp_path / "a.png").write_bytes(PNG)
    assert (await read_path(tmp_path / "a.py")).text == "print('hi')"
    assert (await read_path(tmp_path / "a.png")).is_image


@pytest.mark.parametrize("name", ["gone.txt", "folder", "a.zip", "big.txt", "fake.pdf"])
async def test_a_file_of_this_computer_that_cannot_be_read_is_told(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.zip").write_bytes(b"PK")
    (tmp_path / "big.txt").write_bytes(b"x" * 1_000_001)
    (tmp_path / "fake.pdf").write_bytes(b"PK")
    with pytest.raises(PromptError, match=name):
        await read_path(tmp_path / name)


async def test_what_came_without_a_name_is_known_by_its_first_bytes() -> None:
    picture = await read_bytes("standard input", PNG)
    paper = await read_bytes("standard input", _pdf(1))
    text = await read_bytes("standard input", b"Buy milk")
    assert (picture.media_type, picture.data) == ("image/png", PNG)
    assert "Page 1 of the diary" in paper.text
    assert text.text == "Buy milk"


async def test_what_came_without_a_name_and_is_nothing_to_read_is_refused() -> None:
    with pytest.raises(PromptError, match=r"^Standard input can't be read: it is not text\.$"):
        await read_bytes("standard input", b"\x7fELF\0\1")
    with pytest.raises(PromptError, match="larger than"):
        await read_bytes("standard input", b"a" * 1_000_001)
