"""Settings of workspaces, channels and threads, with who changed them; names; installations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.messages import ConversationKey
from bot.settings import SettingChange, Settings, parse_setting, resolve, to_scope_ids
from bot.spend import Where
from storage.database import Database
from storage.tables import SETTING, AuditRow, InstallationRow, PlaceRow, SettingRow

_SET = SETTING.select().where(SETTING.c.scope_id.in_(bindparam("scope_ids", expanding=True)))


class SqlPlaces:
    """The settings' part of the store."""

    _db: Database

    async def settings(self, key: ConversationKey) -> Settings:
        """The settings in force there: the narrowest wins."""
        async with self._db.query() as connection:
            return await settings_in(connection, to_scope_ids(key))

    async def settings_of(self, scope_id: str) -> dict[str, str]:
        """What is set at one place itself, as it was typed."""
        async with self._db.read() as session:
            rows = await session.exec(select(SettingRow).where(SettingRow.scope_id == scope_id))
            return {row.name: row.value for row in rows}

    async def all_settings(self) -> dict[str, dict[str, str]]:
        """What is set, for each place that sets something."""
        async with self._db.read() as session:
            places: dict[str, dict[str, str]] = {}
            for row in await session.exec(select(SettingRow)):
                places.setdefault(row.scope_id, {})[row.name] = row.value
            return places

    async def set_setting(self, change: SettingChange) -> None:
        """Change a setting and keep who did it, in one commit; raises SettingError in words."""
        await self.set_settings((change,))

    async def set_settings(self, changes: Iterable[SettingChange]) -> None:
        """Change several settings, all or none; as `set_setting`."""
        checked = list(changes)
        for change in checked:
            if change.after is not None:
                parse_setting(change.name, change.after)
        async with self._db.write() as session:
            for change in checked:
                await _change(session, change)

    async def audit(self, scope_id: str, limit: int = 100) -> tuple[SettingChange, ...]:
        """The changes made at one place, the latest first."""
        async with self._db.read() as session:
            rows = await session.exec(
                select(AuditRow)
                .where(AuditRow.scope_id == scope_id)
                .order_by(col(AuditRow.id).desc())
                .limit(limit)
            )
            return tuple(_to_change(row) for row in rows)

    async def places_with(self, name: str) -> dict[str, str]:
        """Where a setting is made, and what it says there, by scope id."""
        async with self._db.read() as session:
            rows = await session.exec(select(SettingRow).where(SettingRow.name == name))
            return {row.scope_id: row.value for row in rows}

    async def name_place(
        self, platform: str, workspace_id: str, channel_id: str, name: str
    ) -> None:
        """Keep what a channel is called, without one the workspace; the last name counts."""
        keys = {"platform": platform, "workspace_id": workspace_id, "channel_id": channel_id}
        statement = self._db.insert(PlaceRow).values(**keys, name=name)
        async with self._db.write() as session:
            await session.exec(
                statement.on_conflict_do_update(index_elements=list(keys), set_={"name": name})
            )

    async def channel_names(self, where: Where, channel_ids: Iterable[str]) -> dict[str, str]:
        """What channels of a workspace were last called, by their ids."""
        statement = select(PlaceRow.channel_id, PlaceRow.name).where(
            PlaceRow.platform == where.platform,
            PlaceRow.workspace_id == where.workspace_id,
            col(PlaceRow.channel_id).in_(set(channel_ids) - {""}),
        )
        async with self._db.read() as session:
            return dict((await session.exec(statement)).all())

    async def workspace_names(self) -> dict[tuple[str, str], str]:
        """What workspaces were last called, by platform and id; unknown ones are left out."""
        statement = select(PlaceRow.platform, PlaceRow.workspace_id, PlaceRow.name).where(
            PlaceRow.channel_id == ""
        )
        async with self._db.read() as session:
            return {(one, other): name for one, other, name in await session.exec(statement)}

    async def installation(self, installation_id: str) -> str | None:
        """What is kept of an installation, as it was given."""
        async with self._db.read() as session:
            row = await session.get(InstallationRow, installation_id)
            return None if row is None else row.data

    async def installations(self) -> dict[str, str]:
        """Every installation."""
        async with self._db.read() as session:
            rows = await session.exec(select(InstallationRow))
            return {row.installation_id: row.data for row in rows}

    async def set_installation(self, installation_id: str, data: str, at: datetime) -> None:
        """Keep an installation; `data` is encrypted by the caller."""
        values = {"data": data, "updated_at": at}
        async with self._db.write() as session:
            await session.exec(
                self._db.insert(InstallationRow)
                .values(installation_id=installation_id, **values)
                .on_conflict_do_update(index_elements=["installation_id"], set_=values)
            )

    async def remove_installation(self, installation_id: str) -> None:
        """Forget an installation."""
        async with self._db.write() as session:
            await session.exec(
                delete(InstallationRow).where(
                    col(InstallationRow.installation_id) == installation_id
                )
            )


async def settings_in(connection: AsyncConnection, scope_ids: Sequence[str]) -> Settings:
    """The settings that these places come to, the widest first."""
    layers: dict[str, dict[str, str]] = {scope_id: {} for scope_id in scope_ids}
    for row in await connection.execute(_SET, {"scope_ids": list(scope_ids)}):
        layers[row.scope_id][row.name] = row.value
    return resolve(layers.values())


async def _change(session: AsyncSession, change: SettingChange) -> None:
    row = await session.get(SettingRow, (change.scope_id, change.name))
    before = None if row is None else row.value
    if change.after is None:
        if row is not None:
            await session.delete(row)
    elif row is None:
        session.add(SettingRow(scope_id=change.scope_id, name=change.name, value=change.after))
    else:
        row.value = change.after
    session.add(_to_audit_row(change, before))


def _to_audit_row(change: SettingChange, before: str | None) -> AuditRow:
    return AuditRow(
        at=change.at,
        user_id=change.user_id,
        scope_id=change.scope_id,
        name=change.name,
        before=before,
        after=change.after,
    )


def _to_change(row: AuditRow) -> SettingChange:
    return SettingChange(
        scope_id=row.scope_id,
        name=row.name,
        after=row.after,
        user_id=row.user_id,
        at=row.at,
        before=row.before,
    )
