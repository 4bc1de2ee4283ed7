"""The JSON interface, over a real server with the real inbox and responder."""

import asyncio
import io
import json
from typing import Any, NoReturn

import pytest

from adapters.web.api import MAX_PROMPT_CHARS
from adapters.web.site import SHOWN_PROMPTS
from bot.errors import AuthenticationError, StoreError
from bot.messages import ConversationKey, IncomingMessage
from bot.turns import Turn
from storage import MemoryStore
from tests import fakes
from tests.adapters.web.kit import MODELS, WebChat, events, web_chat

JSON = {"accept": "application/json"}


async def test_a_prompt_is_answered_as_a_stream_of_text_that_ends_with_its_facts() -> None:
    async with web_chat() as chat:
        stream = events(await chat.ask("Hello"))
        name, turn = await anext(stream)
        assert name == "turn"
        chat.gateway.say("Hel", "lo.")
        seen = [await anext(stream)]
        chat.gateway.end()
        seen += [step async for step in stream]
    assert "".join(data["text"] for name, data in seen if name == "text") == "Hello."
    assert seen[-1][0] == "end"
    end = seen[-1][1]
    assert (end["turn_id"], end["text"], end["status"]) == (turn["turn_id"], "Hello.", "done")
    assert end["footer"].startswith("free · free · 30 tok · $0 · ")
    assert end["cost_nanousd"] == 0


async def test_a_script_may_ask_for_the_answer_alone() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("@heavy Hello", "Good day.")
        assert (turn["text"], turn["tier"], turn["status"]) == ("Good day.", "full", "done")
        assert turn["actions"] == ["again", "good", "bad", "why"]


async def test_the_same_message_id_is_answered_once() -> None:
    async with web_chat() as chat:
        first = await chat.answered("Hello", "One.", message_id="m-1")
        again = await (
            await chat.http.post(
                "/api/ask", json={"text": "Hello", "message_id": "m-1"}, headers=JSON
            )
        ).json()
        assert again == first
        assert len(chat.gateway.calls) == 1


async def test_a_conversation_goes_on_and_is_listed_the_latest_first() -> None:
    async with web_chat() as chat:
        first = await chat.answered("First", "One.")
        await chat.answered("Other", "Two.")
        await chat.answered("Third", "Three.", conversation=first["conversation"])
        assert [m.text for m in chat.gateway.calls[-1].messages[1:]] == ["First", "One.", "Third"]
        listed = await (await chat.http.get("/api/conversations")).json()
        assert [item["title"] for item in listed] == ["First", "Other"]
        path = f"/api/conversations/{first['conversation']}"
        turns = await (await chat.http.get(path)).json()
        assert [(turn["prompt"], turn["text"]) for turn in turns] == [
            ("First", "One."),
            ("Third", "Three."),
        ]


async def test_a_stream_taken_up_half_way_begins_with_all_that_was_written() -> None:
    async with web_chat() as chat:
        response = await chat.ask("Hello")
        _, turn = await anext(events(response))
        chat.gateway.say("Half ")
        response.close()
        path = f"/api/turns/{turn['turn_id']}/stream"
        taken_up = events(await chat.http.get(path))
        texts = [(await anext(taken_up))]
        while texts[-1][0] != "text":
            texts.append(await anext(taken_up))
        chat.gateway.answer("and whole.")
        seen = [texts[-1]] + [step async for step in taken_up]
    assert "".join(d["text"] for name, d in seen if name == "text") == "Half and whole."
    assert seen[-1][1]["text"] == "Half and whole."


async def test_a_stopped_answer_keeps_its_text_and_ends_the_model_s_stream() -> None:
    async with web_chat() as chat:
        stream = events(await chat.ask("Tell me all"))
        _, turn = await anext(stream)
        chat.gateway.say("So far")
        async for name, _ in stream:
            if name == "text":
                break
        stopped = await chat.http.post(f"/api/turns/{turn['turn_id']}/stop", json={})
        assert await stopped.json() == {"stopped": True}
        end = [step async for step in stream][-1][1]
        assert (end["text"], end["notes"]) == ("So far", ["Stopped."])
        assert chat.gateway.cancelled


async def test_again_answers_anew_and_heavier_one_tier_up() -> None:
    async with web_chat() as chat:
        first = await chat.answered("Hello", "One.")
        for action, tier in (("again", "free"), ("heavier", "cheap")):
            chat.gateway.answer(f"By {action}.")
            path = f"/api/turns/{first['turn_id']}/{action}"
            turn = await (await chat.http.post(path, json={}, headers=JSON)).json()
            assert (turn["text"], turn["tier"]) == (f"By {action}.", tier)
            assert turn["retry_of"] == first["turn_id"]


async def test_the_same_press_of_a_button_answers_once() -> None:
    async with web_chat() as chat:
        first = await chat.answered("Hello", "One.")
        path = f"/api/turns/{first['turn_id']}/again"
        chat.gateway.answer("Two.")
        answers = [
            await (await chat.http.post(path, json={"event_id": "e-1"}, headers=JSON)).json()
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        assert len(chat.gateway.calls) == 2


async def test_why_shows_the_tiers_with_their_chances_and_prices() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("Hello", "One.")
        why = await until_decided(chat, turn["turn_id"])
        assert why["decision"]["model"] == "free"
        chances = [f"{round(p * 100)} %" for p in why["decision"]["p"].values()]
        assert len(chances) == 3
        for words in (*chances, "$0.0021", "chosen"):
            assert words in why["html"]


async def test_why_of_a_command_says_that_no_model_was_asked() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("/models", "never asked for")
        why = await until_decided(chat, turn["turn_id"])
        assert "no model was asked" in why["html"]


async def until_decided(chat: WebChat, turn_id: str) -> dict[str, Any]:
    """The decision is kept a moment after the answer is shown."""
    async with asyncio.timeout(5):
        while True:
            why = await (await chat.http.get(f"/api/turns/{turn_id}/why")).json()
            assert isinstance(why, dict)
            if why["decision"]:
                return why


async def test_an_opinion_is_kept() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("Hello", "One.")
        path = f"/api/turns/{turn['turn_id']}/feedback"
        assert (await chat.http.post(path, json={"value": -1})).status == 200
        refused = await chat.http.post(path, json={"value": 7})
        assert (await refused.json())["error"] == "`value` is 1 or -1."
        await chat.answered("Next", "Two.", conversation=turn["conversation"])
        follow_up = await chat.store.turn(f"web:{(await last(chat, turn)).message_id}")
        assert follow_up is not None
        said = await chat.store.history(follow_up)
        assert [u.feedback for u in said if u.text == "One."] == [-1]


async def last(chat: WebChat, turn: dict[str, Any]) -> Turn:
    key = ConversationKey(
        platform="web", workspace_id="local", channel_id="chat", thread_id=turn["conversation"]
    )
    return (await chat.store.turns(key))[-1]


async def test_a_prompt_asked_while_models_load_waits_and_says_for_what() -> None:
    async with web_chat(is_ready=False) as chat:
        chat.startup.working(MODELS)
        stream = events(await chat.ask("Hello", view="page"))
        await anext(stream)
        name, data = await anext(stream)
        assert (name, data["text"]) == ("status", f"Still starting ({MODELS}). Your prompt waits")
        chat.startup.done(MODELS)
        chat.gateway.answer("There.")
        assert [name async for name, _ in stream][-1] == "end"


async def test_the_stages_are_told_until_all_is_there() -> None:
    async with web_chat(is_ready=False) as chat:
        stream = events(await chat.http.get("/api/stages"))
        assert await anext(stream) == (
            "stages",
            [{"name": MODELS, "state": "waiting", "detail": ""}],
        )
        chat.startup.done(MODELS, "3 models")
        assert (await anext(stream))[1][0]["state"] == "done"
        name, data = await anext(stream)
        assert name == "ready"
        assert {"tag": "heavy", "about": "the strongest tier"} in data["tags"]


@pytest.mark.parametrize("text", ["", "   \n", None, 7])
async def test_an_empty_prompt_is_refused_in_words(text: object) -> None:
    async with web_chat() as chat:
        response = await chat.http.post("/api/ask", json={"text": text})
        assert response.status == 400
        assert "Write what you would like to know" in (await response.json())["error"]
        assert await (await chat.http.get("/api/conversations")).json() == []


async def test_a_prompt_beyond_any_model_is_refused_before_it_is_kept() -> None:
    async with web_chat() as chat:
        for size in (MAX_PROMPT_CHARS + 1, 3_000_000):
            body = io.BytesIO(json.dumps({"text": "a" * size}).encode())
            response = await chat.http.post(
                "/api/ask", data=body, headers={"content-type": "application/json"}
            )
            assert response.status == 413
            assert "Shorten it" in (await response.json())["error"]


async def test_a_prompt_of_100_kb_is_answered_where_a_model_can_read_it() -> None:
    async with web_chat() as chat:
        text = "word " * 20_000
        turn = await chat.answered(text, "Long.")
        assert turn["text"] == "Long."
        page = await (await chat.http.get(f"/c/{turn['conversation']}")).text()
        assert "Show all of it" in page


async def test_a_prompt_of_only_emoji_is_a_prompt() -> None:
    async with web_chat() as chat:
        assert (await chat.answered("🎉🎉", "Hooray!"))["text"] == "Hooray!"


async def test_an_unknown_model_is_answered_with_those_that_exist() -> None:
    async with web_chat() as chat:
        response = await chat.http.post("/api/ask", json={"text": "@model:x Hi"}, headers=JSON)
        turn = await response.json()
        assert turn["status"] == "failed"
        assert "There is no model `x`" in turn["notice"]
        assert not chat.gateway.calls


async def test_a_key_that_is_refused_becomes_a_sentence() -> None:
    async with web_chat() as chat:
        for _ in fakes.catalog():
            chat.gateway.end(AuthenticationError())
        turn = await (await chat.http.post("/api/ask", json={"text": "Hi"}, headers=JSON)).json()
        assert "parley doctor" in turn["notice"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b'{"text": "Hi", "conversation": "../etc"}', "`conversation` is 1 to 64 letters"),
        (b'{"text": "Hi", "message_id": 5}', "`message_id` is 1 to 64 letters"),
        (b"\xff\xfe", "not valid JSON"),
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_in_words(body: bytes, words: str) -> None:
    async with web_chat() as chat:
        response = await chat.http.post(
            "/api/ask", data=body, headers={"content-type": "application/json"}
        )
        assert response.status == 400
        assert words in (await response.json())["error"]


async def test_what_was_asked_on_other_platforms_is_not_shown_here() -> None:
    async with web_chat() as chat:
        await chat.store.accept(fakes.incoming("Secret"), fakes.turn("Secret"))
        for path in ("", "/stream", "/why"):
            response = await chat.http.get(f"/api/turns/test:m1{path}")
            assert response.status == 404
        assert (await chat.http.post("/api/turns/test:m1/again", json={})).status == 404


class FullStore(MemoryStore):
    """A store that can keep nothing more."""

    async def accept(self, message: IncomingMessage, turn: Turn) -> bool:
        raise StoreError


class ClosedStore(MemoryStore):
    """A store that gives nothing back."""

    async def conversations(self, *arguments: object, **more: object) -> NoReturn:
        raise StoreError


async def test_a_full_disk_is_a_sentence_and_nothing_is_spent() -> None:
    async with web_chat(store=FullStore()) as chat:
        response = await chat.ask("Hello")
        assert response.status == 503
        assert "Nothing was spent" in (await response.json())["error"]
        assert not chat.gateway.calls


async def test_a_page_that_fails_is_a_page_and_no_json() -> None:
    async with web_chat(store=ClosedStore()) as chat:
        response = await chat.http.get("/", headers={"accept": "text/html"})
        assert (response.status, response.content_type) == (503, "text/html")
        assert "Please try again" in await response.text()


async def test_pages_that_do_not_exist_say_where_the_chat_is() -> None:
    async with web_chat() as chat:
        response = await chat.http.get("/nowhere")
        assert response.status == 404
        assert "The chat is at /" in (await response.json())["error"]
        read = await chat.http.get("/nowhere", headers={"accept": "text/html,*/*"})
        assert (read.status, read.content_type) == (404, "text/html")
        assert '<a href="/">To the chat</a>' in await read.text()
        missing = await chat.http.get("/c/unknown")
        assert missing.status == 404
        assert "There is no such conversation here" in await missing.text()


async def test_a_page_shows_its_conversation_with_its_earlier_answers() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("@fast <b>Hi</b>", "# One\n\n`code`")
        chat.gateway.answer("Two.")
        await (await chat.http.post(f"/api/turns/{turn['turn_id']}/again", json={})).read()
        page = await (await chat.http.get(f"/c/{turn['conversation']}")).text()
        assert "&lt;b&gt;Hi&lt;/b&gt;" in page
        assert '<span class="tag">@fast</span>' in page
        assert '<h4 class="level1">One</h4>' in page
        assert "Earlier answer · free" in page
        assert "<p>Two.</p>" in page


async def test_a_deleted_conversation_is_gone_and_what_runs_in_it_stops() -> None:
    async with web_chat() as chat:
        kept = await chat.answered("Keep this", "Kept.")
        stream = events(await chat.ask("Forget this"))
        _, turn = await anext(stream)
        chat.gateway.say("Half")
        async for name, _ in stream:
            if name == "text":
                break
        path = f"/api/conversations/{turn['conversation']}"
        assert (await chat.http.delete(path)).status == 200
        assert [step async for step in stream][-1][0] == "end"
        assert chat.gateway.cancelled
        assert (await chat.http.get(path)).status == 404
        listed = await (await chat.http.get("/api/conversations")).json()
        assert [item["conversation"] for item in listed] == [kept["conversation"]]


async def test_only_the_page_itself_may_delete() -> None:
    async with web_chat() as chat:
        turn = await chat.answered("Keep this", "Kept.")
        path = f"/api/conversations/{turn['conversation']}"
        headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert (await chat.http.delete(path, headers=headers)).status == 403
        assert (await chat.http.get(path)).status == 200


async def test_a_long_conversation_shows_its_newest_prompts_and_the_others_on_demand() -> None:
    async with web_chat() as chat:
        first = await chat.answered("Prompt 0", "Reply 0.")
        for number in range(1, SHOWN_PROMPTS + 2):
            await chat.answered(
                f"Prompt {number}", f"Reply {number}.", conversation=first["conversation"]
            )
        address = f"/c/{first['conversation']}"
        page = await (await chat.http.get(address)).text()
        assert "Show 2 earlier prompts" in page
        assert "<p>Reply 1.</p>" not in page
        assert "<p>Reply 2.</p>" in page
        assert "<p>Reply 0.</p>" in await (await chat.http.get(f"{address}?all")).text()


class BusyStore(MemoryStore):
    """So busy that a turn is over before its message is accepted."""

    async def name_place(self, *place: str) -> None:
        while await self.unfinished():
            await asyncio.sleep(0.01)
        await super().name_place(*place)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_what_forget_answers_is_told_however_soon_it_is_over(accept: str) -> None:
    async with web_chat(store=BusyStore()) as chat:
        body, headers = {"text": "/forget", "conversation": "c1"}, {"accept": accept}
        async with chat.http.post("/api/ask", json=body, headers=headers) as response:
            assert "I have forgotten" in await response.text()
