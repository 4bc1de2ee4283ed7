"""Which mark of a budget was said: 80 or 100 per cent, instead of whether the first was."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Forward only."""
    op.add_column(
        "budget", sa.Column("alerted_percent", sa.Integer(), nullable=False, server_default="0")
    )
    op.execute("UPDATE budget SET alerted_percent = 80 WHERE is_warned")
    op.drop_column("budget", "is_warned")
    op.create_index(
        "ix_budget_alerted",
        "budget",
        ["ends_at"],
        sqlite_where=sa.text("alerted_percent > 0"),
        postgresql_where=sa.text("alerted_percent > 0"),
    )
