"""Claims to what is posted once, whoever tries: each week's digest, each alert of a budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, update

from storage.database import Database
from storage.tables import DIGEST, DigestRow

CLAIM_LASTS = timedelta(minutes=10)
"""After this a digest whose claimer has not ended it may be claimed by another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestClaim:
    """The right to post a workspace's digest of one local week, for a while."""

    scope_id: str
    week: str
    attempt: int


class SqlDigests:
    """The claims' part of the store."""

    _db: Database

    async def claim_digest(self, scope_id: str, week: str, at: datetime) -> DigestClaim | None:
        """Claim a workspace's digest of a local week; None when somebody has it, or had.

        A claim that was not ended within CLAIM_LASTS, and one that failed and whose time to try
        again has come, may be claimed anew.
        """
        again_at = at + CLAIM_LASTS
        new = {"scope_id": scope_id, "week": week, "claimed_at": at, "again_at": again_at}
        async with self._db.write() as session:
            connection = await session.connection()
            if await self._db.insert_new(connection, DIGEST, new | {"attempts": 1}) is not None:
                return DigestClaim(scope_id=scope_id, week=week, attempt=1)
            statement = (
                update(DigestRow)
                .where(col(DigestRow.scope_id) == scope_id, col(DigestRow.week) == week)
                .where(col(DigestRow.posted_at).is_(None), col(DigestRow.again_at) <= at)
                .values(again_at=again_at, attempts=col(DigestRow.attempts) + 1)
                .returning(col(DigestRow.attempts))
            )
            attempt: int | None = (await session.exec(statement)).scalar_one_or_none()
        if attempt is None:
            return None
        return DigestClaim(scope_id=scope_id, week=week, attempt=attempt)

    async def end_digest(self, claim: DigestClaim, at: datetime) -> None:
        """Keep that a digest was posted, or that there was nothing to post."""
        await self._set_digest(claim, posted_at=at, error="")

    async def postpone_digest(self, claim: DigestClaim, until: datetime, error: str) -> None:
        """Keep that a digest could not be posted, and when it may be tried again."""
        await self._set_digest(claim, again_at=until, error=error)

    async def _set_digest(self, claim: DigestClaim, **values: object) -> None:
        async with self._db.write() as session:
            await session.exec(
                update(DigestRow)
                .where(col(DigestRow.scope_id) == claim.scope_id)
                .where(col(DigestRow.week) == claim.week, col(DigestRow.attempts) == claim.attempt)
                .values(**values)
            )
