"""`parley move-database`: from the file in the data folder to PostgreSQL, or as told."""

from __future__ import annotations

import sys

from adapters.cli.program import Program
from adapters.engine.ownership import ownership_of
from bot.errors import ConfigurationError
from storage.database import to_url
from storage.moving import move


async def move_database(program: Program, target: str, source: str) -> int:
    """Copy everything, while no Parley runs on the source."""
    settings = program.settings()
    source = source or str(settings.parley_home.resolve() / "parley.db")
    target = target or settings.database_url.get_secret_value()
    if not target:
        raise ConfigurationError(
            "Say where to: parley move-database postgresql://user@host/name, or set DATABASE_URL."
        )
    url = to_url(source)
    if url.get_backend_name() == "sqlite":
        ownership = ownership_of(url)
        await ownership.take()
        try:
            counts = await move(source, target)
        finally:
            await ownership.release()
    else:
        counts = await move(source, target)
    where = to_url(target).render_as_string(hide_password=True)
    sys.stdout.write(
        f"Moved {counts['turn']} answers and {counts['llm_call']} calls to {where}.\n"
        "Set DATABASE_URL to it, then start Parley. The old database is as it was.\n"
    )
    return 0
