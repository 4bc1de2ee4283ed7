"""One soak: rounds of talk, trouble and quiet, with a look at the program every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from storage import open_store
from tests.soak.diary import Prompt
from tests.soak.discord_people import DiscordPeople
from tests.soak.kept import Kept, inspect_kept, size_mb
from tests.soak.slack_people import SlackPeople
from tests.soak.town import Act, Town, open_town
from tests.soak.troubles import Troubles
from tests.soak.verdict import Course
from tests.soak.vitals import Vitals, look
from tests.soak.web_people import WebPeople

QUIET_S = 3.0
STUCK_S = 240.0
"""How long the last answers may take: the longest limit of a provider, and then some."""
ERROR = re.compile(r'^\{.*"level": "(?:ERROR|CRITICAL)".*', re.MULTILINE)
"""A line of the log, which is JSON where no terminal reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and how much."""

    minutes: float
    acts_a_minute: float = 60.0
    seed: int = 1

    @property
    def rounds(self) -> int:
        """Each a few minutes long, and enough of them to see a trend."""
        return max(3, round(self.minutes / 4))

    @property
    def round_s(self) -> float:
        """How long people talk in one."""
        return self.minutes * 60 / self.rounds

    @property
    def warm_up_rounds(self) -> int:
        """Everything was done by then, and pools have filled."""
        return max(1, self.rounds // 4)

    @property
    def look_every_s(self) -> float:
        """Some four hundred looks in all."""
        return max(0.5, self.minutes * 60 / 400)


@dataclass(slots=True)
class Soak:
    """What goes on in one run."""

    town: Town
    plan: Plan
    say: Callable[[str], None]
    began_s: float = field(default_factory=time.monotonic)
    vitals: list[Vitals] = field(default_factory=list)
    acting: set[asyncio.Task[None]] = field(default_factory=set)
    warm_at_s: float = 0.0

    async def run(self) -> tuple[WebPeople, DiscordPeople, SlackPeople]:
        """All rounds; ends in quiet."""
        people = WebPeople(self.town), DiscordPeople(self.town), SlackPeople(self.town)
        acts = [act for each in people for act in each.acts()]
        troubles = Troubles(self.town)
        await self.town.ready()
        async with self._looking():
            for _, act in acts:
                self._begin(act)
            for number in range(self.plan.rounds):
                await self._talk(acts, self.plan.round_s * 0.55)
                if self.plan.minutes >= 5:
                    troubles.hang()
                async with asyncio.TaskGroup() as group:
                    group.create_task(troubles.last(self.plan.round_s * 0.35))
                    group.create_task(self._talk(acts, self.plan.round_s * 0.35))
                await self._quiet()
                self._tell(number + 1)
                if number + 1 == self.plan.warm_up_rounds:
                    self.warm_at_s = self.vitals[-1].at_s
        return people

    async def _talk(self, acts: list[tuple[float, Act]], seconds: float) -> None:
        """Acts at random moments, each a task of its own."""
        dice, ends_s = self.town.dice, time.monotonic() + seconds
        weights = [weight for weight, _ in acts]
        while time.monotonic() < ends_s:
            self._begin(dice.choices([act for _, act in acts], weights)[0])
            await asyncio.sleep(dice.expovariate(self.plan.acts_a_minute / 60))

    def _begin(self, act: Act) -> None:
        task = asyncio.ensure_future(self._do(act))
        self.acting.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        """An act that fails is a fault of the soak itself: it is raised where rounds are run."""
        if task.cancelled() or task.exception() is None:
            self.acting.discard(task)

    async def _do(self, act: Act) -> None:
        try:
            await act()
        except aiohttp.ClientError as error:
            self.town.diary.refused[f"{act.__name__}: {error!r}"] += 1

    async def _quiet(self) -> None:
        """Until all acts are done and nothing is left to answer; then a look."""
        with contextlib.suppress(TimeoutError):  # what is stuck is counted in the end
            async with asyncio.timeout(STUCK_S), open_store(self.town.database) as store:
                await asyncio.gather(*self.acting)
                while await store.unfinished():
                    await asyncio.sleep(0.5)
        await asyncio.sleep(QUIET_S)
        await self._look(is_quiet=True)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[None]:
        looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    async def _look_on(self) -> None:
        while True:
            await self._look(is_quiet=False)
            await asyncio.sleep(self.plan.look_every_s)

    async def _look(self, *, is_quiet: bool) -> None:
        program, at_s = self.town.program, time.monotonic() - self.began_s
        found = await look(
            program.pid, program.address, self.town.http, at_s=at_s, is_quiet=is_quiet
        )
        self.vitals.append(found)

    def _tell(self, number: int) -> None:
        last = self.vitals[-1]
        self.say(
            f"{last.at_s / 60:5.1f} min  round {number}/{self.plan.rounds}  "
            f"{len(self.town.diary.prompts)} prompts  {last.memory_mb:.1f} MB  "
            f"{last.handles} handles  {last.threads} threads  {last.tasks} tasks"
        )


async def soak(
    plan: Plan, database: str, folder: Path, say: Callable[[str], None]
) -> tuple[Course, Kept, Town]:
    """Go through a plan; what happened, what is kept, and the town for its diary."""
    async with open_store(database) as store:
        empty_mb = await size_mb(store)
    async with open_town(database, folder, plan.seed) as town:
        going = Soak(town, plan, say)
        _, discord, slack = await going.run()
        exit_code = await town.program.stop()

        def is_seen(turn_id: str, prompt: Prompt) -> bool:
            platforms = {"discord": discord.is_answered, "slack": slack.is_answered}
            is_answered = platforms.get(turn_id.partition(":")[0])
            return is_answered is None or is_answered(prompt.place)

        kept = await inspect_kept(database, town.diary, is_seen)
        course = Course(
            minutes=plan.minutes,
            warm_up_s=going.warm_at_s,
            database="SQLite" if database.startswith("sqlite") else "PostgreSQL",
            seed=plan.seed,
            vitals=going.vitals,
            empty_mb=empty_mb,
            exit_code=exit_code,
            errors=ERROR.findall(town.program.log.read_text("utf-8")),
            unfinished=discord.unfinished() + slack.unfinished(),
            doubled=discord.doubled() + slack.doubled(),
        )
        return course, kept, town
