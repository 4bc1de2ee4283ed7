"""The first answer of a debate is told apart from the voices of an ensemble."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Forward only."""
    op.execute(
        """
        UPDATE llm_call SET purpose = 'draft' WHERE purpose = 'propose' AND turn_id IN (
            SELECT turn_id FROM llm_call WHERE purpose IN ('criticise', 'revise')
        )
        """
    )
