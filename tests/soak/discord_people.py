"""People on Discord."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import Any

from tests.loopback.discord.world import Payload
from tests.soak.diary import Prompt
from tests.soak.town import Act, Town

PRESSED = ("Again", "Heavier", "👍", "👎", "Why?")


class DiscordPeople:
    """What they do in two channels, their threads and a direct chat."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._people = town.discord.people
        world = town.discord.world
        guild_id = world.add_guild("Town")["id"]
        self._channels: list[str] = [
            world.add_channel(guild_id, name)["id"] for name in ("one", "two")
        ]
        self._users: list[str] = [world.add_user(name)["id"] for name in ("Ada", "Ben", "Cleo")]
        self._direct = world.add_dm(self._users[0])["id"]
        self._threads: deque[str] = deque(maxlen=12)

    def acts(self) -> list[tuple[float, Act]]:
        """Each with how often it is done beside the others."""
        return [
            (5, self.ask),
            (4, self.follow_up),
            (2, self.write_directly),
            (1, self.discuss),
            (1, self.ask_twice),
            (1, self.edit),
            (1, self.delete),
            (1, self.send_a_file),
            (2, self.use_a_command),
            (2, self.stop),
            (2, self.press),
            (1, self.react),
        ]

    async def ask(self) -> None:
        """A mention, answered in a thread of its own."""
        self._ask("discord: question", self._town.diary.question())

    async def follow_up(self) -> None:
        """A further question in a thread, without a mention."""
        if here := [thread for thread in self._threads if self.is_answered(thread)]:
            thread = self._town.dice.choice(here)
            said = self._people.say(thread, self._user(), self._town.diary.question())
            prompt = Prompt(kind="discord: question in a thread", place=thread)
            self._town.diary.note(f"discord:{said['id']}", prompt)

    async def write_directly(self) -> None:
        """A direct message."""
        said = self._people.say(self._direct, self._users[0], self._town.diary.question())
        prompt = Prompt(kind="discord: direct message", place=self._direct)
        self._town.diary.note(f"discord:{said['id']}", prompt)

    async def discuss(self) -> None:
        """A debate or an ensemble in words."""
        self._ask("discord: debate or ensemble", self._town.diary.discussion())

    async def ask_twice(self) -> None:
        """The same event twice is answered once."""
        said = self._ask("discord: question sent twice", self._town.diary.question())
        await asyncio.sleep(self._town.dice.random())
        self._people.again(said)

    async def edit(self) -> None:
        """A question mended while it waits or is answered."""
        said = self._ask("discord: edited question", self._town.diary.question())
        await asyncio.sleep(self._town.dice.random() * 0.5)
        self._people.edit(said, f"{said['content']} In short, please.")

    async def delete(self) -> None:
        """A question taken back, at some moment of its answer."""
        said = self._ask("discord: deleted question", self._town.diary.question())
        self._town.diary.forgive(f"discord:{said['id']}")
        await asyncio.sleep(self._town.dice.random() * 3)
        self._people.delete(said)

    async def send_a_file(self) -> None:
        """A question with a text file."""
        data = b"# Notes\nThe bridge is long.\n" * 100
        file = self._town.discord.keep_file("notes.md", data, "text/markdown")
        self._ask("discord: question with a file", "@cheap Sum this up.", files=[file])

    async def use_a_command(self) -> None:
        """A slash command."""
        name = self._town.dice.choice(("ask", "spend", "models", "help"))
        options: dict[str, Any] = {"question": self._town.diary.question()} if name == "ask" else {}
        self._town.diary.did[f"discord: /{name}"] += 1
        used = self._people.command(self._channel(), self._user(), name, **options)
        if name == "ask":
            # Discord sends no interaction twice: one that a lost socket took is told as failed.
            prompt = Prompt(kind="discord: /ask answered", may_be_gone=True)
            self._town.diary.note(f"discord:{used.payload['id']}", prompt)

    async def stop(self) -> None:
        """Stop an answer while it is written."""
        said = self._ask("discord: stopped question", f"@cheap {self._town.diary.question()}")
        for _ in range(50):
            await asyncio.sleep(0.2)
            for message in self._town.discord.messages(said["id"]):
                if "Stop" in (found := self._people.buttons(message)):
                    self._people.press(message, self._user(), found["Stop"])
                    return

    async def press(self) -> None:
        """A button under some answer."""
        label = self._town.dice.choice(PRESSED)
        found = [m for m in self._answers() if label in self._people.buttons(m)]
        if found:
            message = self._town.dice.choice(found)
            self._town.diary.did[f"discord: {label}"] += 1
            pressed = self._people.buttons(message)[label]
            self._people.press(message, self._user(), pressed)

    async def react(self) -> None:
        """A thumb as a reaction."""
        if answers := self._answers():
            self._town.diary.did["discord: reaction"] += 1
            self._people.react(self._town.dice.choice(answers), self._user(), "👍")

    def unfinished(self) -> list[str]:
        """Messages that still look as if text were coming: there must be none in the end."""
        world = self._town.discord.world
        return [
            f"discord {channel_id} {message['id']}"
            for channel_id in world.messages
            for message in self._town.discord.messages(channel_id)
            if "Stop" in self._people.buttons(message)
        ]

    def doubled(self) -> list[str]:
        """Messages that stand twice, by their nonces: there must be none."""
        world = self._town.discord.world
        nonces = Counter(
            (channel_id, message["nonce"])
            for channel_id in world.messages
            for message in self._town.discord.messages(channel_id)
            if message.get("nonce")
        )
        return [f"discord {' '.join(which)}" for which, count in nonces.items() if count > 1]

    def is_answered(self, place: str) -> bool:
        """Whether the bot has written anything there."""
        return bool(self._town.discord.messages(place))

    def _answers(self) -> list[Payload]:
        recent = list(self._threads)[-4:]
        return [message for thread in recent for message in self._town.discord.messages(thread)]

    def _ask(self, kind: str, text: str, files: list[Payload] | None = None) -> Payload:
        mention = f"<@{self._town.discord.world.bot['id']}> {text}"
        said = self._people.say(self._channel(), self._user(), mention, files=files)
        self._threads.append(said["id"])
        self._town.diary.note(f"discord:{said['id']}", Prompt(kind=kind, place=said["id"]))
        return said

    def _channel(self) -> str:
        return self._town.dice.choice(self._channels)

    def _user(self) -> str:
        return self._town.dice.choice(self._users)
