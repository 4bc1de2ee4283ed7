"""How much of a call's input its provider put into a cache, which some bill dearer."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Forward only."""
    op.add_column("llm_call", sa.Column("cache_write_tokens", sa.Integer(), nullable=True))
