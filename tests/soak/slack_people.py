"""People on Slack."""

from __future__ import annotations

import asyncio
from collections import Counter, deque

from tests.loopback.slack import File
from tests.loopback.slack.state import Json
from tests.soak.diary import Prompt
from tests.soak.town import Act, Town

PRESSED = ("parley_again", "parley_heavier", "parley_why")
CHANNELS = ("C1", "C2")


class SlackPeople:
    """What they do in two channels, their threads and a direct chat."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._slack = town.slack
        self._threads: deque[tuple[str, str]] = deque(maxlen=12)

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
            (0.5, self.open_home),
        ]

    async def ask(self) -> None:
        """A mention, answered in its thread."""
        self._ask("slack: question", self._town.diary.question())

    async def follow_up(self) -> None:
        """A further question in a thread, without a mention."""
        if here := [t for t in self._threads if self.is_answered(" ".join(t))]:
            channel, thread_ts = self._town.dice.choice(here)
            text = self._town.diary.question()
            ts = self._slack.say(text, channel=channel, user=self._user(), thread_ts=thread_ts)
            self._note("slack: question in a thread", channel, ts, thread_ts)

    async def write_directly(self) -> None:
        """A direct message."""
        ts = self._slack.say(self._town.diary.question(), channel="D:U1")
        self._note("slack: direct message", "D1", ts, ts)

    async def discuss(self) -> None:
        """A debate or an ensemble in words."""
        self._ask("slack: debate or ensemble", self._town.diary.discussion())

    async def ask_twice(self) -> None:
        """The same event twice is answered once."""
        self._ask("slack: question sent twice", self._town.diary.question())
        sent = self._slack.outbox.sent[-1]
        await asyncio.sleep(self._town.dice.random())
        self._slack.again(sent)

    async def edit(self) -> None:
        """A question mended while it waits or is answered."""
        channel, ts = self._ask("slack: edited question", self._town.diary.question())
        await asyncio.sleep(self._town.dice.random() * 0.5)
        self._slack.edit(ts, "<@UPARLEY> And now in short, please?", channel=channel)

    async def delete(self) -> None:
        """A question taken back, at some moment of its answer."""
        channel, ts = self._ask("slack: deleted question", self._town.diary.question())
        self._town.diary.forgive(f"slack:{channel}:{ts}")
        self._threads.remove((channel, ts))
        await asyncio.sleep(self._town.dice.random() * 3)
        self._slack.remove(ts, channel=channel)

    async def send_a_file(self) -> None:
        """A question with a text file."""
        name = f"F{next(self._town.diary.numbers)}"
        file = File(name, "notes.txt", "text/plain", b"The bridge is long.\n" * 100)
        self._ask("slack: question with a file", "@cheap Sum this up.", (file,))

    async def use_a_command(self) -> None:
        """A slash command, answered to one person or asked for all to see."""
        words = self._town.dice.choice((self._town.diary.command(), "ask what is DNS?"))
        self._town.diary.did["slack: /parley"] += 1
        self._slack.command("/parley", words, channel=self._channel(), user="U2")

    async def stop(self) -> None:
        """Stop an answer, by Slack's button or in words."""
        text = f"@cheap {self._town.diary.question()}"
        channel, ts = self._ask("slack: stopped question", text)
        await asyncio.sleep(self._town.dice.random() * 2)
        if self._town.dice.random() < 0.5:
            self._slack.press_stop(channel, ts)
        else:
            self._slack.say("stop", channel=channel, thread_ts=ts)

    async def press(self) -> None:
        """A button under some answer."""
        action_id = self._town.dice.choice(PRESSED)
        found = [
            (channel, message)
            for channel, ts in list(self._threads)[-4:]
            for message in self._slack.space.thread(channel, ts)
            if action_id in str(message.get("blocks"))
        ]
        if found:
            channel, message = self._town.dice.choice(found)
            self._town.diary.did[f"slack: {action_id}"] += 1
            self._slack.press(message["ts"], action_id, channel=channel, user=self._user())

    async def open_home(self) -> None:
        """The Home tab, with the spend."""
        self._town.diary.did["slack: Home"] += 1
        self._slack.open_tab("home")

    def unfinished(self) -> list[str]:
        """Streams that still look as if text were coming: there must be none in the end."""
        return [
            f"slack {channel} {ts}"
            for (channel, ts), stream in self._slack.space.streams.items()
            if stream.state == "live" and self._slack.space.find(channel, ts)
        ]

    def doubled(self) -> list[str]:
        """Messages that stand twice, by the mark that each of them has: there must be none."""
        marks = Counter(
            mark["event_payload"]["post_id"]
            for channel in self._slack.space.channels.values()
            for message in channel.messages
            if (mark := message.get("metadata"))
        )
        return [f"slack {mark}" for mark, count in marks.items() if count > 1]

    def is_answered(self, place: str) -> bool:
        """Whether the bot has written anything there."""
        channel, ts = place.split()
        return any(self._is_ours(each) for each in self._slack.space.thread(channel, ts))

    def _is_ours(self, message: Json) -> bool:
        return message.get("bot_id") == self._slack.space.bot_id

    def _ask(self, kind: str, text: str, files: tuple[File, ...] = ()) -> tuple[str, str]:
        channel, mention = self._channel(), f"<@UPARLEY> {text}"
        ts = self._slack.say(mention, channel=channel, user=self._user(), files=files)
        self._threads.append((channel, ts))
        self._note(kind, channel, ts, ts)
        return channel, ts

    def _note(self, kind: str, channel: str, ts: str, thread_ts: str) -> None:
        prompt = Prompt(kind=kind, place=f"{channel} {thread_ts}")
        self._town.diary.note(f"slack:{channel}:{ts}", prompt)

    def _channel(self) -> str:
        return self._town.dice.choice(CHANNELS)

    def _user(self) -> str:
        return self._town.dice.choice(("U1", "U2"))
