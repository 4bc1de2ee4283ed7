"""Learning from opinions in the terminal: the real program, as its operator runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from storage import open_store
from tests.e2e.program import environment, run
from tests.fakes import PLACE
from tests.loopback.providers import ProviderServer, Reply
from tests.rated import rated

TERMINAL = replace(PLACE, platform="terminal", workspace_id="local", channel_id="terminal")


async def test_opinions_are_learned_listed_used_and_taken_back(tmp_path: Path) -> None:
    async with ProviderServer() as provider:
        env = environment(tmp_path, provider)
        nothing = await run(env, "train", "--from-ledger")
        async with open_store(Path(env["PARLEY_HOME"]) / "parley.db") as store:
            await rated(store, 0, 120, key=TERMINAL)
        learned = await run(env, "train", "--from-ledger")
        off = await run(env, "train", "--versions")
        await run(env, "chat", stdin="settings workspace learn on\n")
        listed = await run(env, "train", "--versions", "--workspace", "terminal/local")
        back = await run(env, "train", "--rollback")
        wrong = await run(env, "train", "--rollback", "--workspace", "slack/T0")
    assert "Nobody has given an opinion yet" in nothing.out
    assert learned.code == 0, learned.err
    assert "120 turns, 120 with an opinion. It did no worse" in learned.out
    assert "- every prompt: harder (50% becomes " in learned.out
    assert "`settings workspace learn on`" in learned.out
    assert "terminal/local (learn is off)" in off.out
    assert ", ready" in off.out
    assert "terminal/local (learn is on)" in listed.out
    assert ", in use\n" in listed.out
    assert "was taken back. In use from the next prompt on: the shipped model." in back.out
    assert (wrong.code, "Nobody has given an opinion in 'slack/T0'" in wrong.err) == (1, True)


async def test_a_place_chooses_its_judge_in_the_chat(tmp_path: Path) -> None:
    question = "Compare two ways to index a very large table"
    async with ProviderServer() as provider:
        provider.script(lambda seen: Reply(text="MEDIUM" if "EASY" in seen.prompt else "Done."))
        env = environment(tmp_path, provider)
        ended = await run(env, "chat", stdin=f"settings workspace router judge\n{question}\n")
    assert ended.code == 0, ended.err
    assert [request.model for request in provider.requests] == ["small-1", "middle-1"]
    assert "Done." in ended.out


async def test_a_judge_that_keeps_silent_delays_an_answer_by_two_seconds(tmp_path: Path) -> None:
    async with ProviderServer() as provider:
        provider.script(
            lambda seen: Reply(text="Done.", first_delay_s=30 if "EASY" in seen.prompt else 0)
        )
        env = environment(tmp_path, provider)
        ended = await run(env, "chat", stdin="settings workspace router judge\nWhat is 2 + 2?\n")
    judged, answered = provider.requests
    assert "Done." in ended.out
    assert 1.9 < answered.started_at_s - judged.started_at_s < 10
