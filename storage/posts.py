"""What was sent where, so that nothing is posted twice."""

from __future__ import annotations

from sqlmodel import col, select, update

from bot.ports import Post
from storage.convert import to_post, to_post_row
from storage.database import Database
from storage.tables import PostRow, TurnRow


class SqlPosts:
    """The sinks' part of the store."""

    _db: Database

    async def sending(self, post: Post) -> Post:
        """Keep the intent to post, before posting."""
        values = to_post_row(post).model_dump()
        async with self._db.write() as session:
            if await self._db.insert_new(session, PostRow, values) is not None:
                return post
            return to_post(
                (await session.exec(select(PostRow).where(PostRow.post_id == post.post_id))).one()
            )

    async def sent(self, post: Post) -> None:
        """Keep the id that the platform gave it."""
        async with self._db.write() as session:
            await session.exec(
                update(PostRow)
                .where(col(PostRow.post_id) == post.post_id)
                .values(platform_id=post.platform_id, channel_id=post.channel_id)
            )

    async def posts(self, turn_id: str) -> tuple[Post, ...]:
        """The posts of a turn, in order."""
        async with self._db.read() as session:
            rows = (await session.exec(select(PostRow).where(PostRow.turn_id == turn_id))).all()
            return tuple(sorted((to_post(row) for row in rows), key=in_post_order))

    async def turn_of_post(self, platform: str, platform_id: str) -> str | None:
        """The turn that a message of ours belongs to."""
        async with self._db.read() as session:
            statement = (
                select(PostRow.turn_id)
                .join(TurnRow, col(TurnRow.turn_id) == col(PostRow.turn_id))
                .where(PostRow.platform_id == platform_id, TurnRow.platform == platform)
            )
            return (await session.exec(statement)).first()


def in_post_order(post: Post) -> tuple[int, str]:
    """`…:p2` before `…:p10`."""
    return len(post.post_id), post.post_id
