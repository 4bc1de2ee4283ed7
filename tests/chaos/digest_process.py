"""One process that posts digests, told the time by whoever started it.

    python -m tests.chaos.digest_process DATABASE_ADDRESS

It reads moments from standard input, one a line, looks for what is due then, and says `done`.
What it posts goes to a table that stands for a chat platform: it takes whatever it is sent, twice
if it is sent twice.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import datetime

from sqlalchemy import text

from adapters.announcing import Admins, Announcement
from adapters.scheduler import Digests
from bot.caps import NO_CAPS
from bot.ports import Post
from bot.reporting import Reporter
from storage import SqlStore, open_store
from tests.fakes import FrozenClock, catalog

PLATFORM = """
CREATE TABLE platform_message (
    id bigserial PRIMARY KEY, post_id text, workspace_id text, text text, headline text
)
"""


class TableAnnouncer:
    """Posts to the table as the platforms' announcers do: intent, look-up, post, confirmation."""

    def __init__(self, store: SqlStore, clock: FrozenClock) -> None:
        self._store = store
        self._clock = clock

    async def announce(self, announcement: Announcement) -> None:
        intent = Post(
            post_id=announcement.post_id,
            turn_id=announcement.post_id.rpartition(":")[0],
            created_at=self._clock.now(),
        )
        known = await self._store.sending(intent)
        if known.platform_id:
            return
        found = "" if known == intent else await self._look_up(announcement.post_id)
        await self._store.sent(replace(known, platform_id=found or await self._post(announcement)))

    async def tell(self, workspace_id: str, user_id: str, text: str) -> None:
        raise AssertionError("nothing fails here")

    async def _look_up(self, post_id: str) -> str:
        async with self._store._db.read() as session:
            connection = await session.connection()
            statement = text("SELECT id FROM platform_message WHERE post_id = :id")
            row = (await connection.execute(statement, {"id": post_id})).first()
            return "" if row is None else str(row[0])

    async def _post(self, announcement: Announcement) -> str:
        values = {
            "post_id": announcement.post_id,
            "workspace_id": announcement.workspace_id,
            "text": announcement.text,
            "headline": announcement.card.headline if announcement.card else "",
        }
        async with self._store._db.write() as session:
            connection = await session.connection()
            statement = text(
                "INSERT INTO platform_message (post_id, workspace_id, text, headline) "
                "VALUES (:post_id, :workspace_id, :text, :headline) RETURNING id"
            )
            return str((await connection.execute(statement, values)).scalar_one())


async def main(address: str) -> None:
    clock = FrozenClock()
    async with open_store(address) as store:
        reporter = Reporter(store, catalog, clock, instance_caps=NO_CAPS)
        announcer = TableAnnouncer(store, clock)
        digests = Digests(
            store=store,
            reporter=reporter,
            announcers=lambda: {"test": announcer},
            clock=clock,
            admins=Admins(store, lambda: {"test": announcer}),
        )
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            clock.at = datetime.fromisoformat(line.strip())
            await digests.post_due()
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
