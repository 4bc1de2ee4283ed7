"""The terminal, as a person and as a script uses it: the real program, a loopback provider."""

import asyncio
import json
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.program import LIMIT_S, PARLEY, environment, run
from tests.loopback.providers import Outcome, ProviderServer
from tests.loopback.slack import APP_TOKEN, LoopbackSlack


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with ProviderServer() as server:
        yield server


async def test_ask_prints_the_answer_and_nothing_else(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Hello Ada")
    ended = await run(environment(tmp_path, provider), "ask", "Hi")
    assert (ended.code, ended.out) == (0, "Hello Ada\n")
    assert "free · small" in ended.err


async def test_ask_json_has_the_cost(provider: ProviderServer, tmp_path: Path) -> None:
    provider.script(text="word " * 40)
    ended = await run(environment(tmp_path, provider), "ask", "--json", "--tier", "full", "Hi")
    answer = ended.json
    assert (answer["tier"], answer["model"]) == ("full", "large")
    billed = provider.requests[0].billed
    assert answer["cost_nanousd"] == billed.input_tokens * 3_000 + billed.output_tokens * 15_000


async def test_an_option_counts_more_than_a_tag_in_the_prompt(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(
        environment(tmp_path, provider), "ask", "--json", "--tier", "full", "@fast Hi"
    )
    assert ended.json["tier"] == "full"
    assert provider.requests[0].messages[-1]["content"] == "Hi"


async def test_ask_reads_standard_input(provider: ProviderServer, tmp_path: Path) -> None:
    ended = await run(environment(tmp_path, provider), "ask", "-", stdin="from a pipe")
    assert ended.code == 0
    assert provider.requests[0].messages[-1]["content"] == "from a pipe"


@pytest.mark.parametrize("command", ["ask", "debate", "ensemble"])
async def test_what_is_piped_to_a_prompt_comes_along_as_material(
    provider: ProviderServer, tmp_path: Path, command: str
) -> None:
    env = environment(tmp_path, provider)
    ended = await run(env, command, "Sum it up", stdin="@heavy Milk is out.")
    assert ended.code == 0
    (asked,) = [m["content"] for m in provider.requests[0].messages if m["role"] == "user"]
    assert asked.startswith("Sum it up")
    assert '<file name="standard input"' in asked
    assert "@heavy Milk is out." in asked


async def test_a_pipe_that_nobody_writes_to_holds_no_prompt_up(
    provider: ProviderServer, tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *PARLEY,
        *("ask", "Hi"),
        env=environment(tmp_path, provider),
        stdin=reading,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(LIMIT_S):
        _, err = await process.communicate()
    os.close(reading)
    os.close(writing)
    assert process.returncode == 0
    assert b"Nothing came on standard input" in err
    assert provider.requests[0].messages[-1]["content"] == "Hi"


async def test_standard_input_that_is_no_text_is_refused_in_a_sentence(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    ended = await run(env, "ask", "-", stdin=b"\x7fELF\0\1")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "Standard input holds no text. Give a picture or a PDF with --file.\n"
    assert provider.requests == []
    old = await run(env, "ask", "-", stdin="café".encode("latin-1"))
    assert (old.code, provider.requests[0].messages[-1]["content"]) == (0, "café")


async def test_a_line_of_a_conversation_that_is_no_text_does_not_end_it(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "chat", stdin=b"a\xff\nb\n")
    assert ended.code == 0
    assert [r.messages[-1]["content"] for r in provider.requests] == ["a\ufffd", "b"]


async def test_a_screen_that_does_not_know_a_character_shows_the_others(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Well done 🎉, all of you")
    env = environment(tmp_path, provider, PYTHONIOENCODING="ascii")
    ended = await run(env, "ask", "Hi")
    assert (ended.code, ended.out) == (0, "Well done ?, all of you\n")


async def test_who_has_read_enough_ends_the_answer(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="A line of words\n" * 500, chunk_delay_s=0.02)
    env = environment(tmp_path, provider)
    piped = f"{shlex.join((*PARLEY, 'ask', 'Hi'))} | head -n 1"
    process = await asyncio.create_subprocess_shell(
        piped, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate()
    assert out == b"A line of words\n"
    assert err.decode().splitlines()[0] == "Stopped."
    assert "Error" not in err.decode()
    assert provider.requests[0].outcome is Outcome.DISCONNECTED


async def test_a_failing_provider_is_followed_by_the_next(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="Here")
    provider.fail("server_error", provider="groq", times=None)
    ended = await run(environment(tmp_path, provider), "ask", "Hi")
    assert ended.out == "Here\n"
    assert "small did not answer, so middle did." in ended.err


async def test_a_refused_key_gets_a_sentence(provider: ProviderServer, tmp_path: Path) -> None:
    provider.fail("bad_key", times=None)
    ended = await run(environment(tmp_path, provider), "ask", "Hi")
    assert (ended.code, ended.out) == (1, "")
    assert "key" in ended.err
    assert "Traceback" not in ended.err


async def test_a_cut_stream_keeps_the_text(provider: ProviderServer, tmp_path: Path) -> None:
    provider.script(text="one two three four five six")
    provider.fail("cut", at_token=3, times=None)
    ended = await run(environment(tmp_path, provider), "ask", "Hi")
    assert ended.out.strip()
    assert "one two three four five six".startswith(ended.out.strip())
    assert "cut off" in ended.err


async def test_ctrl_c_stops_the_answer_and_keeps_it(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="word " * 2_000, chunk_delay_s=0.05)
    process = await asyncio.create_subprocess_exec(
        *PARLEY, "ask", "A long story",
        env=environment(tmp_path, provider),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        await process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    assert process.returncode == 0
    assert "Stopped." in err.decode()
    await provider.wait_for_ends(1)


async def test_an_unknown_model_is_refused_and_nothing_is_asked(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "ask", "@model:smal Hi")
    assert ended.code == 1
    assert "Did you mean `@small`?" in ended.err
    assert provider.requests == []


async def test_a_cap_of_nothing_leaves_the_free_tier(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider, PARLEY_MONTHLY_CAP_USD="0")
    ended = await run(env, "ask", "--json", "@heavy Hi")
    assert ended.json["tier"] == "free"
    assert "budget" in ended.json["notes"][0]


@pytest.mark.parametrize("text", ["", "   ", "@fast"])
async def test_a_prompt_without_a_question_gets_a_sentence(
    provider: ProviderServer, tmp_path: Path, text: str
) -> None:
    ended = await run(environment(tmp_path, provider), "ask", text)
    assert ended.code == 1
    assert "no question" in ended.err


async def test_an_emoji_and_a_large_prompt_are_answered(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    assert (await run(env, "ask", "👍🏽")).code == 0
    large = await run(env, "ask", "--json", "-", stdin="word " * 20_000)
    assert large.json["tier"] == "cheap"


async def test_a_prompt_too_large_for_every_model_is_refused(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider), "ask", "-", stdin="word " * 200_000)
    assert ended.code == 1
    assert "longer than any model" in ended.err
    assert provider.requests == []


async def test_chat_remembers(provider: ProviderServer, tmp_path: Path) -> None:
    ended = await run(
        environment(tmp_path, provider), "chat", stdin="My name is Ada\nWhat is my name?\n"
    )
    assert ended.code == 0
    sent = [m["content"] for m in provider.requests[1].messages]
    assert any("My name is Ada" in text for text in sent)


@pytest.mark.parametrize("word", ["exit", "/quit"])
async def test_a_word_that_ends_the_chat_is_asked_of_nobody(
    provider: ProviderServer, tmp_path: Path, word: str
) -> None:
    ended = await run(environment(tmp_path, provider), "chat", stdin=f"{word}\nAnd now?\n")
    assert ended.code == 0
    assert provider.requests == []


async def test_route_says_what_it_would_do_and_asks_nobody(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    easy = await run(env, "route", "--json", "thanks!")
    hard = await run(env, "route", "--json", "@heavy thanks!")
    assert (easy.json["tier"], hard.json["tier"]) == ("free", "full")
    assert provider.requests == []


async def test_models_lists_what_is_on(provider: ProviderServer, tmp_path: Path) -> None:
    env = environment(tmp_path, provider, ANTHROPIC_API_KEY="")
    rows = {row["alias"]: row for row in (await run(env, "models", "--json")).json}
    assert rows["small"]["is_on"]
    assert rows["large"]["missing_key"] == "ANTHROPIC_API_KEY"


async def test_doctor_finds_a_refused_key(provider: ProviderServer, tmp_path: Path) -> None:
    provider.fail("bad_key", provider="openai", times=None)
    ended = await run(environment(tmp_path, provider), "doctor", "--json")
    found = {finding["what"]: finding["verdict"] for finding in ended.json}
    assert ended.code == 1
    assert found["OPENAI_API_KEY"] == "fault"
    assert found["GROQ_API_KEY"] == "ok"


async def test_doctor_looks_at_the_rest_where_the_database_is_away(
    provider: ProviderServer, tmp_path: Path
) -> None:
    url = "postgresql://parley:secret@127.0.0.1:1/parley"
    env = environment(tmp_path, provider, DATABASE_URL=url)
    async with LoopbackSlack() as slack:
        slack_env = {
            "SLACK_BOT_TOKEN": slack.space.bot_token,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_API_BASE": slack.base_url,
        }
        ended = await run({**env, **slack_env}, "doctor", "--json")
    found = {finding["what"]: finding for finding in ended.json}
    assert ended.code == 1
    assert found["database"]["verdict"] == "fault"
    assert "Does PostgreSQL run there?" in found["database"]["says"]
    assert "secret" not in ended.out
    assert {"clock", "slack"} <= set(found)


async def test_doctor_names_a_setting_that_is_wrong(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider, PARLEY_PORT="x"), "doctor", "--json")
    (finding,) = ended.json
    assert (ended.code, finding["what"]) == (1, "settings")
    assert "PARLEY_PORT" in finding["says"]


async def test_a_corrupt_catalogue_is_refused_with_its_lines(
    provider: ProviderServer, tmp_path: Path
) -> None:
    env = environment(tmp_path, provider)
    (tmp_path / "models.toml").write_text('[[model]]\nalias = "X"\nid = "y"\ntier = "z"\n')
    ended = await run(env, "ask", "Hi")
    assert ended.code == 1
    assert all(f"models.toml:{line}:" in ended.err for line in (2, 3, 4))
    assert "Traceback" not in ended.err


async def test_a_faulty_environment_is_refused_in_words(
    provider: ProviderServer, tmp_path: Path
) -> None:
    ended = await run(environment(tmp_path, provider, PARLEY_PORT="many"), "models")
    assert ended.code == 1
    assert "PARLEY_PORT" in ended.err


async def test_no_secret_is_ever_printed(provider: ProviderServer, tmp_path: Path) -> None:
    provider.fail("bad_key", times=None)
    secret = "sk-very-secret-0123456789"
    env = environment(tmp_path, provider, OPENAI_API_KEY=secret, PARLEY_LOG_LEVEL="DEBUG")
    ended = await run(env, "ask", "@cheap tell me")
    assert secret not in ended.out + ended.err
    assert json.dumps("tell me") not in ended.err


async def test_a_killed_session_leaves_no_hold_for_ever(
    provider: ProviderServer, tmp_path: Path
) -> None:
    provider.script(text="word " * 2_000, chunk_delay_s=0.05)
    env = environment(tmp_path, provider)
    process = await asyncio.create_subprocess_exec(
        *PARLEY, "ask", "@heavy A long story", env=env, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        await process.stdout.read(1)
        process.kill()
        await process.wait()
    database = tmp_path / "data" / "parley.db"
    assert _held(database) > 0
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE turn SET created_at = '2026-01-01 00:00:00.000000'")
    provider.script(text="Hi")
    assert (await run(env, "ask", "Hello")).code == 0
    assert _held(database) == 0


def _held(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        (held,) = connection.execute("SELECT sum(held) FROM budget").fetchone()
    return int(held)


def test_control_c_while_the_program_is_imported_ends_it_quietly(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    ended = subprocess.run(
        (sys.executable, "-c", "from adapters.start import main; main()", "models"),
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")
