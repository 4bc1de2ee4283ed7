"""What was sent where, so that nothing is posted twice."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from bot.ports import Post
from storage.convert import to_post, to_post_values
from storage.database import Database
from storage.tables import POST, TURN

_SENT = (
    POST.update()
    .where(POST.c.post_id == bindparam("id"))
    .values(platform_id=bindparam("at"), channel_id=bindparam("channel"))
)
_OF_TURN = POST.select().where(POST.c.turn_id == bindparam("turn_id"))


class SqlPosts:
    """The sinks' part of the store."""

    _db: Database

    async def sending(self, post: Post) -> Post:
        """Keep the intent to post, before posting."""
        async with self._db.transaction() as connection:
            if await self._db.insert_new(connection, POST, to_post_values(post)) is not None:
                return post
            known = POST.select().where(POST.c.post_id == post.post_id)
            return to_post((await connection.execute(known)).one())

    async def sent(self, post: Post) -> None:
        """Keep the id that the platform gave it."""
        values = {"id": post.post_id, "at": post.platform_id, "channel": post.channel_id}
        async with self._db.transaction() as connection:
            await connection.execute(_SENT, values)

    async def posts(self, turn_id: str) -> tuple[Post, ...]:
        """The posts of a turn, in order."""
        async with self._db.query() as connection:
            rows = await connection.execute(_OF_TURN, {"turn_id": turn_id})
            return tuple(sorted((to_post(row) for row in rows), key=in_post_order))

    async def turn_of_post(self, platform: str, platform_id: str) -> str | None:
        """The turn that a message of ours belongs to."""
        statement = (
            select(POST.c.turn_id)
            .join(TURN, TURN.c.turn_id == POST.c.turn_id)
            .where(POST.c.platform_id == platform_id, TURN.c.platform == platform)
        )
        async with self._db.query() as connection:
            turn_id: str | None = await connection.scalar(statement)
            return turn_id


def in_post_order(post: Post) -> tuple[int, str]:
    """`…:p2` before `…:p10`."""
    return len(post.post_id), post.post_id
