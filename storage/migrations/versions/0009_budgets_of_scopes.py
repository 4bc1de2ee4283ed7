"""Which budgets have begun for whoever pays a call, found without looking at those long over."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Forward only."""
    op.create_index("ix_budget_of_scope", "budget", ["scope_id", "ends_at"])
