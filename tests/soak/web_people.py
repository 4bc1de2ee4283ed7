"""People on the web page and scripts on its interface."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from tests.soak.diary import Prompt
from tests.soak.town import Act, Town

PAGES = ("/", "/spend", "/api/conversations", "/api/models", "/healthz")
MOST_TURNS = 8
"""So long is a conversation before a new one begins."""


class WebPeople:
    """What they do; each act is one visit."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._conversations: dict[str, int] = {}
        self._ended: deque[str] = deque(maxlen=30)

    def acts(self) -> list[tuple[float, Act]]:
        """Each with how often it is done beside the others."""
        return [
            (8, self.ask),
            (1, self.ask_twice),
            (1, self.discuss),
            (1, self.command),
            (1, self.send_a_file),
            (2, self.stop),
            (2, self.leave),
            (1, self.again),
            (2, self.judge),
            (2, self.look),
            (0.5, self.forget),
        ]

    async def ask(self) -> None:
        """One question, read to the end of its answer."""
        await self._ask("web: question", self._town.diary.question())

    async def ask_twice(self) -> None:
        """The same message delivered twice is answered once."""
        body = await self._ask("web: question sent twice", self._town.diary.question())
        async for _ in self._events("/api/ask", body):
            pass

    async def discuss(self) -> None:
        """A debate or an ensemble."""
        await self._ask("web: debate or ensemble", self._town.diary.discussion())

    async def command(self) -> None:
        """A command as words."""
        await self._ask("web: command", f"/{self._town.diary.command()}")

    async def send_a_file(self) -> None:
        """A text file with a question."""
        data = b64encode(b"print('heron')\n" * 200).decode()
        file = {"name": "a.py", "type": "text/x-python", "data": data}
        await self._ask("web: question with a file", "What does this file do?", files=[file])

    async def stop(self) -> None:
        """Stop an answer when its first words are there."""
        body = self._body("web: stopped question", f"@cheap {self._town.diary.question()}")
        async for name, _ in self._events("/api/ask", body):
            if name == "text":
                await self._post(f"/api/turns/web:{body['message_id']}/stop")
        self._ended.append(body["message_id"])

    async def leave(self) -> None:
        """Close the page in the middle; the answer goes on without it."""
        body = self._body("web: left before the end", self._town.diary.question())
        async for name, _ in self._events("/api/ask", body):
            if name == "text":
                return

    async def again(self) -> None:
        """A further answer to an earlier prompt, sometimes one tier up."""
        if self._ended:
            way = self._town.dice.choice(("again", "heavier"))
            event_id = f"press{next(self._town.diary.numbers)}"
            earlier = f"web:{self._town.dice.choice(self._ended)}"
            path = f"/api/turns/{earlier}/{way}"
            prompt = Prompt(
                kind="web: further answer", place=self._town.diary.prompts[earlier].place
            )
            self._town.diary.did[f"web: {way}"] += 1
            async for name, _ in self._events(path, {"event_id": event_id}):
                if name == "turn":
                    self._town.diary.note(f"web:{event_id}", prompt)

    async def judge(self) -> None:
        """A thumb, and a look at why."""
        if self._ended:
            turn = f"/api/turns/web:{self._town.dice.choice(self._ended)}"
            await self._post(f"{turn}/feedback", {"value": self._town.dice.choice((1, -1))})
            for view in ("why", "steps"):
                await self._look(turn + f"/{view}")

    async def look(self) -> None:
        """Open a page."""
        await self._look(self._town.dice.choice(PAGES))

    async def forget(self) -> None:
        """Delete a conversation with all that was said in it."""
        if not self._conversations:
            return
        conversation = self._town.dice.choice(list(self._conversations))
        del self._conversations[conversation]
        for turn_id, prompt in self._town.diary.prompts.items():
            if prompt.place == conversation:
                self._town.diary.forgive(turn_id)
        self._town.diary.did["web: conversation forgotten"] += 1
        address = f"{self._town.program.address}/api/conversations/{conversation}"
        async with self._town.http.delete(address) as response:
            self._note_refusal(response)

    def _body(self, kind: str, text: str, **more: Any) -> dict[str, Any]:
        conversation, message_id = self._conversation(), f"m{next(self._town.diary.numbers)}"
        self._town.diary.note(f"web:{message_id}", Prompt(kind=kind, place=conversation))
        return {"text": text, "conversation": conversation, "message_id": message_id, **more}

    def _conversation(self) -> str:
        """One that goes on, or a new one."""
        going = [name for name, turns in self._conversations.items() if turns < MOST_TURNS]
        if len(going) < 3 or self._town.dice.random() < 0.2:
            going = [f"c{next(self._town.diary.numbers)}"]
        name = self._town.dice.choice(going)
        self._conversations[name] = self._conversations.get(name, 0) + 1
        return name

    async def _ask(self, kind: str, text: str, **more: Any) -> dict[str, Any]:
        body = self._body(kind, text, **more)
        async for name, _ in self._events("/api/ask", body):
            if name == "end":
                self._ended.append(body["message_id"])
        return body

    async def _events(self, path: str, body: dict[str, Any]) -> AsyncIterator[tuple[str, Any]]:
        """The events of an answer; leaving the loop closes the connection."""
        name = ""
        async with self._town.http.post(self._town.program.address + path, json=body) as response:
            self._note_refusal(response)
            async for line in response.content:
                if line.startswith(b"event: "):
                    name = line[7:].decode().strip()
                elif line.startswith(b"data: ") and response.ok:
                    yield name, json.loads(line[6:])

    async def _post(self, path: str, body: dict[str, Any] | None = None) -> None:
        address = self._town.program.address + path
        async with self._town.http.post(address, json=body or {}) as response:
            self._note_refusal(response)

    async def _look(self, path: str) -> None:
        self._town.diary.did["web: look"] += 1
        async with self._town.http.get(self._town.program.address + path) as response:
            self._note_refusal(response)
            await response.read()

    def _note_refusal(self, response: aiohttp.ClientResponse) -> None:
        """A prompt that was forgotten meanwhile is not found; more than that is a fault."""
        if response.status >= 400:
            self._town.diary.refused[f"{response.status} {response.method}"] += 1
