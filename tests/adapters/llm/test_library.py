"""LiteLLM is loaded behind everything else; who asks earlier waits."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from adapters.llm import Library, LiteLLMGateway, Stage
from bot.errors import ProviderUnavailableError
from tests.adapters.llm.conftest import Texts, a_call, a_model
from tests.loopback.providers import ProviderServer

ROOT = Path(__file__).parents[3]
ASK_AT_ONCE = """
import asyncio, json, os, sys
from adapters.llm import LiteLLMGateway
from tests.adapters.llm.conftest import Texts, a_call, a_model
from tests.loopback.providers import ProviderServer

async def main():
    seen = {"imported": "litellm" in sys.modules}
    gateway, texts = LiteLLMGateway(lambda model: "k"), Texts()
    async with ProviderServer() as provider:
        gateway.start()
        asking = asyncio.create_task(
            gateway.complete(a_call(a_model(provider, "openai")), texts)
        )
        await asyncio.sleep(0)
        seen["asked_at"] = gateway.stage
        seen["text"] = (await asking).text
        seen["stage"] = gateway.stage
    await gateway.close()
    seen["from_dotenv"] = os.environ.get("FROM_DOTENV")
    print(json.dumps(seen))

asyncio.run(main())
"""


async def test_a_prompt_asked_before_the_import_is_done_is_answered(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FROM_DOTENV=leaked\n", "utf-8")
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ASK_AT_ONCE,
        stdout=PIPE,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
    )
    printed, _ = await process.communicate()
    seen = json.loads(printed)
    assert not seen["imported"]
    assert seen["asked_at"] in (Stage.WAITING, Stage.IMPORTING)
    assert (seen["text"], seen["stage"]) == ("You said: Hello there", Stage.READY)
    assert seen["from_dotenv"] is None


async def test_being_ready_may_be_awaited_often_and_given_up(library: Library) -> None:
    given_up = asyncio.create_task(library.ready())
    await asyncio.sleep(0)
    given_up.cancel()
    first, second = await asyncio.gather(library.ready(), library.ready())
    assert first is second
    assert library.stage is Stage.READY


async def test_a_library_that_cannot_be_loaded_is_said_in_words(
    provider: ProviderServer, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "litellm", None)  # as if it were not installed
    gateway = LiteLLMGateway(lambda _model: "k", library=Library())
    with pytest.raises(ProviderUnavailableError, match="doctor"):
        await gateway.complete(a_call(a_model(provider, "openai")), texts)
    assert gateway.stage is Stage.FAILED
    assert provider.requests == []
