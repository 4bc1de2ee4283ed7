"""An index that covers every sum of spend; when a digest may be tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward only."""
    op.drop_index("ix_llm_call_of_workspace", "llm_call")
    op.create_index(
        "ix_llm_call_spend",
        "llm_call",
        [
            "platform",
            "workspace_id",
            "created_at",
            "user_id",
            "channel_id",
            "tier",
            "alias",
            "purpose",
            "status",
            "cost",
            "lost_cost",
            "input_tokens",
            "cached_input_tokens",
            "output_tokens",
        ],
    )
    op.add_column("digest", sa.Column("again_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("digest", sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("digest", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("digest", sa.Column("error", sa.String(), nullable=False, server_default=""))
