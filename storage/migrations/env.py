"""What Alembic runs; the connection is handed over by `storage.migrate`."""

from alembic import context
from sqlmodel import SQLModel

from storage import tables
from storage.migrate import is_ours

assert tables.TurnRow.metadata is SQLModel.metadata
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=is_ours,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
