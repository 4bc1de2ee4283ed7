"""What a debate or an ensemble holds as one sum, and what its calls draw from that."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "reservation",
        sa.Column("turn_id", sa.String(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("held_in", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id"),
    )
    op.add_column(
        "llm_call", sa.Column("drawn", sa.BigInteger(), nullable=False, server_default="0")
    )
