"""The tables. Rows hold columns only, validate nothing and never leave `storage`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, Row, Table, UniqueConstraint, text
from sqlmodel import Field, SQLModel

_COUNTER = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts by itself in INTEGER columns only."""
_JSON = JSON(none_as_null=True)


class ConversationRow(SQLModel, table=True):
    """One thread, direct chat or pane, from its first prompt on."""

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_of_user", "platform", "user_id", "updated_at"),)

    conversation_id: str = Field(primary_key=True)
    platform: str
    workspace_id: str
    channel_id: str
    thread_id: str
    user_id: str
    title: str
    updated_at: datetime


class MessageRow(SQLModel, table=True):
    """What a person sent; a withdrawn one stays as an empty row, so that it is known."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("platform", "message_id", name="uq_message"),
        Index("ix_message_of_conversation", "conversation_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_COUNTER)
    platform: str
    message_id: str
    conversation_id: str
    author_id: str
    author_name: str
    text: str
    sent_at: datetime
    is_addressed: bool
    is_withdrawn: bool = False
    attachments: list[Any] = Field(sa_type=_JSON)


class TurnRow(SQLModel, table=True):
    """One prompt and its answer."""

    __tablename__ = "turn"
    __table_args__ = (
        Index("ix_turn_of_conversation", "conversation_id", "created_at"),
        Index("ix_turn_of_user", "platform", "workspace_id", "user_id", "created_at"),
        Index(
            "ix_turn_unfinished",
            "created_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    turn_id: str = Field(primary_key=True)
    message_row_id: int = Field(foreign_key="message.id", index=True, sa_type=_COUNTER)
    conversation_id: str
    platform: str
    workspace_id: str
    channel_id: str
    thread_id: str
    user_id: str
    user_name: str
    prompt: str
    tier: int | None = None
    retry_of: str | None = None
    is_admin: bool = False
    role_ids: list[Any] = Field(default_factory=list, sa_type=_JSON)
    anchor: dict[str, Any] = Field(sa_type=_JSON)
    status: str
    attempts: int = 0
    is_stopped: bool = False
    reply: dict[str, Any] | None = Field(default=None, sa_type=_JSON)
    notice: str = ""
    decision: dict[str, Any] = Field(sa_type=_JSON)
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class SummaryRow(SQLModel, table=True):
    """What stands for a conversation's beginning where it does not fit."""

    __tablename__ = "summary"

    conversation_id: str = Field(primary_key=True)
    covers_to: int = Field(primary_key=True, sa_type=BigInteger)
    text: str
    created_at: datetime


class LlmCallRow(SQLModel, table=True):
    """One model call: its hold, its ledger entry and its journal in one."""

    __tablename__ = "llm_call"
    __table_args__ = (
        Index(
            "ix_llm_call_spend",  # covers every sum: a week costs the same at any size
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
        ),
        Index(
            "ix_llm_call_open",
            "call_id",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    call_id: str = Field(primary_key=True)
    turn_id: str = Field(index=True)
    platform: str
    workspace_id: str
    channel_id: str
    user_id: str
    purpose: str
    tier: int
    alias: str
    model_id: str
    served_model_id: str = ""
    status: str
    attempt: int
    hold: int = Field(sa_type=BigInteger)
    held_in: list[Any] = Field(sa_type=_JSON)
    """The budgets that the hold was taken from: it is settled in the same ones."""
    drawn: int = Field(default=0, sa_type=BigInteger)
    """How much of the hold comes from what its turn had reserved."""
    cost: int | None = Field(default=None, sa_type=BigInteger)
    list_price: int | None = Field(default=None, sa_type=BigInteger)
    reported_cost: int | None = Field(default=None, sa_type=BigInteger)
    lost_cost: int = Field(default=0, sa_type=BigInteger)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    is_estimated: bool = False
    latency_s: float | None = None
    first_token_s: float | None = None
    finish_reason: str = ""
    text: str = ""
    error: str = ""
    error_message: str = ""
    created_at: datetime


class BudgetRow(SQLModel, table=True):
    """One cap in one window: what is spent and what is held, in nano-dollars."""

    __tablename__ = "budget"
    __table_args__ = (
        Index("ix_budget_of_scope", "scope_id", "ends_at"),
        Index(
            "ix_budget_alerted",
            "ends_at",
            sqlite_where=text("alerted_percent > 0"),
            postgresql_where=text("alerted_percent > 0"),
        ),
    )

    budget_id: str = Field(primary_key=True)
    scope: str
    scope_id: str
    period: str
    starts_at: datetime
    ends_at: datetime
    cap: int = Field(sa_type=BigInteger)
    spent: int = Field(default=0, sa_type=BigInteger)
    held: int = Field(default=0, sa_type=BigInteger)
    alerted_percent: int = 0
    """The highest mark that was said: 0, 80 or 100."""


class ReservationRow(SQLModel, table=True):
    """What a turn that runs holds for calls to come; gone when the turn is over."""

    __tablename__ = "reservation"

    turn_id: str = Field(primary_key=True)
    remaining: int = Field(sa_type=BigInteger)
    held_in: list[Any] = Field(sa_type=_JSON)


class PostRow(SQLModel, table=True):
    """One message of ours on a platform."""

    __tablename__ = "post"

    post_id: str = Field(primary_key=True)
    turn_id: str = Field(index=True)
    platform_id: str = Field(default="", index=True)
    channel_id: str = ""
    created_at: datetime


class PlaceRow(SQLModel, table=True):
    """What a workspace, or one of its channels, was last called."""

    __tablename__ = "place"

    platform: str = Field(primary_key=True)
    workspace_id: str = Field(primary_key=True)
    channel_id: str = Field(primary_key=True)
    """Empty for the workspace itself."""
    name: str


class SettingRow(SQLModel, table=True):
    """One setting of a workspace, channel or thread, as it was typed."""

    __tablename__ = "setting"

    scope_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


class AuditRow(SQLModel, table=True):
    """Who changed which setting, and when."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True, sa_type=_COUNTER)
    at: datetime
    user_id: str
    scope_id: str = Field(index=True)
    name: str
    before: str | None = None
    after: str | None = None


class FeedbackRow(SQLModel, table=True):
    """One person's opinion of one answer."""

    __tablename__ = "feedback"

    turn_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    value: int


class LearnedRow(SQLModel, table=True):
    """One refit of a workspace's router."""

    __tablename__ = "learned"

    scope_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    version: str
    data: bytes
    marks: int
    report: str
    is_accepted: bool
    is_withdrawn: bool = False
    created_at: datetime


class DigestRow(SQLModel, table=True):
    """The claim to a workspace's digest of one local week."""

    __tablename__ = "digest"

    scope_id: str = Field(primary_key=True)
    week: str = Field(primary_key=True)
    claimed_at: datetime
    again_at: datetime | None = None
    """When it may be claimed anew, unless it was posted by then."""
    posted_at: datetime | None = None
    attempts: int = 0
    error: str = ""


class InstallationRow(SQLModel, table=True):
    """A Slack workspace that installed Parley; `data` is encrypted by whoever keeps it here."""

    __tablename__ = "installation"

    installation_id: str = Field(primary_key=True)
    data: str
    updated_at: datetime


def _table(row: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(row.__tablename__)]


Columns = Row[*tuple[Any, ...]]
"""What a statement of these tables brings: what a row holds, by the columns' names."""

# The same for statements that are built once. A message passes through a dozen of them, and rows
# as objects cost several times as much as their columns.
MESSAGE = _table(MessageRow)
TURN = _table(TurnRow)
CONVERSATION = _table(ConversationRow)
SUMMARY = _table(SummaryRow)
FEEDBACK = _table(FeedbackRow)
LLM_CALL = _table(LlmCallRow)
BUDGET = _table(BudgetRow)
RESERVATION = _table(ReservationRow)
POST = _table(PostRow)
SETTING = _table(SettingRow)
DIGEST = _table(DigestRow)
LEARNED = _table(LearnedRow)
