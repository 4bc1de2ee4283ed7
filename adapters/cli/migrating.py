"""`parley migrate`: the tables, brought up to date before any process of a new version starts."""

from __future__ import annotations

import asyncio
import sys

from adapters.cli.program import Program
from adapters.settings import made_home
from storage import open_store
from storage.database import to_url


async def migrate(program: Program) -> int:
    """Make or update every table; safe to repeat, and to run while an older version works."""
    from adapters.engine.workflows import make_tables  # DBOS takes more than a second to import

    settings = program.settings()
    async with open_store(made_home(settings)) as store:
        await asyncio.to_thread(make_tables, store.url)
    where = to_url(settings.store_url).render_as_string(hide_password=True)
    sys.stdout.write(f"The tables of {where} are up to date.\n")
    return 0
