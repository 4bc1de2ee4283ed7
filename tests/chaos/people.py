"""People who write to the program, as a platform delivers them: again until acknowledged."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.program import Program

TWICE = 0.2
"""How many of the events are delivered a second time although they were acknowledged."""
COMMANDS = {2: "debate ", 4: "ensemble n:2 "}
"""What two of five messages of a conversation ask for instead of a single answer."""
_RETRY_S = 0.2
_TRY_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One message that somebody wrote."""

    conversation: str
    number: int

    @property
    def message_id(self) -> str:
        return f"{self.conversation}-{self.number}"

    @property
    def turn_id(self) -> str:
        return f"web:{self.message_id}"

    @property
    def text(self) -> str:
        """A question; some ask two models for a debate or an ensemble."""
        word = COMMANDS.get(self.number % 5, "")
        return f"{word}[{self.message_id}] What is {self.number} and one?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How people wait."""

    answered: Callable[[str], int]
    """How many messages of a conversation have had an answer."""
    unanswered: int = 3
    """How many messages one person leaves unanswered before they wait."""
    pause_s: tuple[float, float] = (0.2, 3.0)


@dataclass(slots=True)
class People:
    """Delivers events to whichever program is up."""

    programs: list[Program]
    random: random.Random
    session: aiohttp.ClientSession
    acknowledged: list[Event] = field(default_factory=list)
    deliveries: int = 0
    _again: set[asyncio.Task[None]] = field(default_factory=set)

    async def talk(
        self, conversation: str, goes_on: Callable[[], bool], patience: Patience
    ) -> None:
        """Write one message after the other, some of them before the last one is answered."""
        number = 0
        while goes_on():
            if patience.answered(conversation) + patience.unanswered <= number:
                await asyncio.sleep(0.1)
                continue
            number += 1
            event = Event(conversation=conversation, number=number)
            await self.deliver(event)
            self.acknowledged.append(event)
            if self.random.random() < TWICE:
                again = asyncio.create_task(self._deliver_again(event))
                self._again.add(again)
                again.add_done_callback(self._again.discard)
            await asyncio.sleep(self.random.uniform(*patience.pause_s))

    async def settle(self) -> None:
        """Wait for the second deliveries that are under way."""
        await asyncio.gather(*self._again)

    async def _deliver_again(self, event: Event) -> None:
        await asyncio.sleep(self.random.uniform(0, 2))
        await self.deliver(event)

    async def deliver(self, event: Event) -> None:
        """Deliver one event, again and again until it is acknowledged."""
        while not await self._try(event):
            await asyncio.sleep(_RETRY_S)

    async def _try(self, event: Event) -> bool:
        alive = [program for program in self.programs if program.is_alive]
        if not alive:
            return False
        self.deliveries += 1
        body = {
            "text": event.text,
            "conversation": event.conversation,
            "message_id": event.message_id,
        }
        address = f"{self.random.choice(alive).address}/api/ask"
        try:
            async with (
                asyncio.timeout(_TRY_LIMIT_S),
                self.session.post(address, json=body) as response,
            ):
                if response.status != 200:
                    return False
                async for line in response.content:  # the first event is the acknowledgement
                    if line.startswith(b"event: turn"):
                        return True
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
        return False
