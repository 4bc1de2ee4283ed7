"""Summaries of long conversations, roles of who asks, and an index to count their turns."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "summary",
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("covers_to", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "covers_to"),
    )
    op.add_column("turn", sa.Column("role_ids", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index(
        "ix_turn_of_user", "turn", ["platform", "workspace_id", "user_id", "created_at"]
    )
