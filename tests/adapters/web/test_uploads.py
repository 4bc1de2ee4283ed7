"""Files that come with a prompt on the page: read before anything is asked, or refused in words."""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from typing import Any

import pytest

from adapters.web.uploads import MOST_BYTES
from tests.adapters.web.kit import web_chat
from tests.unit.test_image_headers import png

JSON = {"accept": "application/json"}


def _upload(name: str, media_type: str, content: bytes) -> dict[str, str]:
    return {"name": name, "type": media_type, "data": b64encode(content).decode()}


async def test_text_and_pictures_reach_the_model_and_stand_on_the_page() -> None:
    files = [
        _upload("a.py", "text/x-python; charset=utf-8", b"print('heron')"),
        _upload("<b>.png", "image/png", png(3, 3)),
    ]
    async with web_chat() as chat:
        chat.gateway.answer("A script and a dot.")
        body = {"text": "What is it?", "files": files, "conversation": "c1"}
        answer = await (await chat.http.post("/api/ask", json=body, headers=JSON)).json()
        page = await (await chat.http.get("/c/c1")).text()
    assert (answer["status"], answer["model"]) == ("done", "full")
    script, picture = chat.gateway.calls[0].messages[-1].attachments
    assert (script.text, picture.data) == ("print('heron')", png(3, 3))
    assert re.search(r"<li>a.py</li>\s*<li>b.png</li>", page)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ("a.txt", "`files` is a list"),
        (["a.txt"], "is an object"),
        ([{"name": 7}], "are texts"),
        ([{"name": "a.txt", "type": "text/plain", "data": "?"}], "base64"),
        ([_upload("a.zip", "application/zip", b"PK")], "not a kind I can read"),
        ([_upload("a.pdf", "application/pdf", b"PK")], "says that it is a PDF, and is none"),
        ([_upload("a.png", "image/png", png(30_000, 30_000))], "pixels are too many"),
        ([_upload(f"{n}.txt", "text/plain", b"x") for n in range(6)], "at most 5"),
        ([_upload("a.txt", "text/plain", b"x" * 1_000_001)], "larger than 1 MB"),
        ([_upload(f"{n}.pdf", "application/pdf", b"x" * 7_500_000) for n in (1, 2)], "together"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_nothing_is_kept(files: Any, says: str) -> None:
    async with web_chat() as chat:
        body = {"text": "What is it?", "files": files, "conversation": "c1"}
        sent = io.BytesIO(json.dumps(body).encode())
        kind = {"content-type": "application/json"}
        response = await chat.http.post("/api/ask", data=sent, headers=kind)
        refusal = await response.json()
        page = await chat.http.get("/c/c1")
    assert response.status == 400
    assert says in refusal["error"]
    assert page.status == 404
    assert chat.gateway.calls == []
    assert MOST_BYTES == 14_000_000


async def test_commands_are_answered_on_the_page_without_a_model() -> None:
    async with web_chat() as chat:
        body = {"text": "/settings dial 7", "conversation": "c1"}
        answer = await (await chat.http.post("/api/ask", json=body, headers=JSON)).json()
        wrong = {"text": "/settings dail 7", "conversation": "c1"}
        refused = await (await chat.http.post("/api/ask", json=wrong, headers=JSON)).json()
    assert "**7** (set for this channel)" in answer["text"]
    assert (answer["footer"], answer["actions"]) == ("", [])
    assert "Did you mean `dial`?" in refused["notice"]
    assert chat.gateway.calls == []
