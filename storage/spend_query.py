"""The one statement that adds up what was spent, and its rows as values.

One statement sees one moment: by kind, by channel and by person come to the same total, also while
calls are being closed. Each part is a range of the index of its own, since short ranges are sorted
for their groups at less cost than long ones, and nothing has to find out a row's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, case, func, literal, select, union_all
from sqlmodel import col

from bot.calls import Purpose
from bot.catalog import Tier
from bot.ledger import CallStatus
from bot.spend import Portion, Spending, SpendLine, Where
from storage.tables import LlmCallRow

_CALL = LlmCallRow
_LINE, _CHANNEL, _PERSON = "line", "channel", "person"
_NONE, _ZERO = literal(""), literal(0)
_IS_UNPRICED = col(_CALL.cost).is_(None) & col(_CALL.input_tokens).is_not(None)
_FIGURES: dict[str, ColumnElement[Any]] = {
    "calls": func.count(),
    "unpriced": func.sum(case((_IS_UNPRICED, 1), else_=0)),
    "cost": func.coalesce(func.sum(col(_CALL.cost)), 0),
    "lost_cost": func.coalesce(func.sum(col(_CALL.lost_cost)), 0),
    "input_tokens": func.coalesce(func.sum(col(_CALL.input_tokens)), 0),
    "cached_input_tokens": func.coalesce(func.sum(col(_CALL.cached_input_tokens)), 0),
    "output_tokens": func.coalesce(func.sum(col(_CALL.output_tokens)), 0),
}
_KIND = (col(_CALL.alias), col(_CALL.tier), col(_CALL.purpose), col(_CALL.status))


def to_statement(where: Where, bounds: Sequence[datetime]) -> CompoundSelect[Any]:
    """What was spent between the bounds: the lines of each part, then channels, then people."""
    everything = within(where, bounds[0], bounds[-1])
    lines = select(literal(_LINE), *_KIND, *_FIGURES.values()).group_by(*_KIND, _IS_UNPRICED)
    return union_all(
        *(
            lines.add_columns(literal(part)).where(*within(where, since, until))
            for part, (since, until) in enumerate(pairwise(bounds))
        ),
        *(
            select(literal(what), key, _ZERO, _NONE, _NONE, *_FIGURES.values(), _ZERO)
            .where(*everything)
            .group_by(key)
            for what, key in ((_CHANNEL, col(_CALL.channel_id)), (_PERSON, col(_CALL.user_id)))
        ),
    )


def within(where: Where, since: datetime | None, until: datetime) -> list[ColumnElement[bool]]:
    """The conditions for the calls of a place in a stretch of time."""
    conditions = [
        col(_CALL.platform) == where.platform,
        col(_CALL.workspace_id) == where.workspace_id,
        col(_CALL.created_at) < until,
    ]
    if since is not None:
        conditions.append(col(_CALL.created_at) >= since)
    narrower = (
        (col(_CALL.user_id), where.user_id),
        (col(_CALL.channel_id), where.channel_id),
    )
    conditions += [column == value for column, value in narrower if value is not None]
    if where.purposes is not None:
        conditions.append(col(_CALL.purpose).in_(sorted(where.purposes)))
    return conditions


def to_spending(rows: Iterable[Any]) -> Spending:
    """The rows of that statement as values."""
    lines: list[SpendLine] = []
    portions: dict[str, list[Portion]] = {_CHANNEL: [], _PERSON: []}
    for what, key, tier, purpose, status, *figures, part in rows:
        sums = dict(zip(_FIGURES, map(int, figures), strict=True))
        if what == _LINE:
            lines.append(_to_line(part, key, tier, purpose, status, sums))
        else:
            portions[what].append(Portion(key=key, **sums))
    channels, people = portions.values()
    return Spending(lines=tuple(lines), channels=tuple(channels), people=tuple(people))


def _to_line(
    part: int, alias: str, tier: int, purpose: str, status: str, sums: Mapping[str, Any]
) -> SpendLine:
    return SpendLine(
        part=part,
        alias=alias,
        tier=Tier(tier),
        purpose=Purpose(purpose),
        status=CallStatus(status),
        is_unpriced=sums["unpriced"] > 0,  # all of them are or none: they are grouped by it
        **sums,
    )
