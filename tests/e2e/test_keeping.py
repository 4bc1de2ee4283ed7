"""Files, commands, export and forgetting in the terminal: the real program, as a user runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.program import environment, run, up
from tests.loopback.providers import ProviderServer
from tests.unit.test_image_headers import png

JSON = {"accept": "application/json"}


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


async def test_a_picture_goes_to_a_model_that_sees_and_a_text_with_its_name(
    provider: ProviderServer, tmp_path: Path
) -> None:
    (tmp_path / "dot.png").write_bytes(png(2, 2))
    (tmp_path / "a.py").write_text("print('heron')")
    files = ("--file", str(tmp_path / "dot.png"), "--file", str(tmp_path / "a.py"))
    ended = await run(environment(tmp_path, provider), "ask", "--json", *files, "What is it?")
    assert (ended.code, ended.json["model"]) == (0, "large")
    assert '<file name="a.py"' in provider.requests[0].prompt
    assert "print('heron')" in provider.requests[0].prompt


async def test_a_file_that_cannot_be_read_is_refused_before_anything_is_asked(
    provider: ProviderServer, tmp_path: Path
) -> None:
    (tmp_path / "fake.pdf").write_bytes(b"PK\3\4")
    env = environment(tmp_path, provider)
    ended = await run(env, "ask", "--file", str(tmp_path / "fake.pdf"), "Sum it up")
    assert ended.code == 1
    assert "it says that it is a PDF, and is none" in ended.err
    assert provider.requests == []


async def test_commands_work_in_the_chat_and_cost_nothing(
    provider: ProviderServer, tmp_path: Path
) -> None:
    said = "/tier heavy\nHi\n/settings dail 3\nforget\nWhat did I say?\n"
    ended = await run(environment(tmp_path, provider), "chat", stdin=said)
    assert ended.code == 0
    assert "the `full` tier answers in this thread" in ended.out
    assert "Did you mean `dial`?" in ended.err
    assert [request.model for request in provider.requests] == ["large-1", "large-1"]
    assert "I have forgotten this conversation" in ended.out
    assert "Hi" not in str(provider.requests[1].messages)


async def test_a_conversation_is_exported_then_forgotten_down_to_the_last_byte(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="A heron, surely.")
    env = environment(tmp_path, provider)
    await run(env, "ask", "Which bird nests at midnight?")
    listed = await run(env, "export")
    name = listed.out.split()[0]
    assert "Which bird nests at midnight?" in listed.out

    written = await run(env, "export", name)
    assert "## you" in written.out
    assert "A heron, surely." in written.out
    assert (await run(env, "export", name, "--format", "json")).json["conversation"] == name

    assert (await run(env, "forget", name)).code == 0
    kept = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert kept
    assert [p for p in kept if b"heron" in p.read_bytes() or b"midnight" in p.read_bytes()] == []
    again = await run(env, "forget", name)
    assert again.code == 1
    assert "There is no conversation" in again.err


async def test_settings_leave_and_come_back_as_one_file(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    await run(env, "ask", "/settings workspace dial 7")
    path = str(tmp_path / "settings.json")
    await run(env, "settings", "export", path)
    await run(env, "ask", "/settings workspace dial 3")

    ended = await run(env, "settings", "import", path)

    assert (ended.code, ended.out) == (0, "1 settings changed.\n")
    shown = await run(env, "ask", "/settings dial")
    assert "**7** (set for this workspace)" in shown.out
    newer = await run(env, "settings", "import", "-", stdin='{"parley_settings": 99}')
    assert newer.code == 1
    assert "newer Parley" in newer.err


async def test_what_is_forgotten_on_the_page_is_in_no_file_of_the_program(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="A heron, surely.")
    env = environment(tmp_path, provider)
    secret = "Which bird nests at midnight?"
    async with up(env) as program, aiohttp.ClientSession(program.address) as http:
        said = [secret, "/settings thread footer short", "/forget"]
        answers = [
            await (await http.post("/api/ask", json=_asked(text), headers=JSON)).json()
            for text in said
        ]
    assert answers[0]["text"] == "A heron, surely."
    assert "I have forgotten" in answers[2]["text"], answers[2]
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    words = (b"heron", b"midnight")
    assert [p.name for p in files if any(word in p.read_bytes() for word in words)] == []


def _asked(text: str) -> dict[str, str]:
    return {"text": text, "conversation": "c1"}
