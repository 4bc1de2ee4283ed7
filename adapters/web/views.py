"""Turns as the page shows them and as scripts read them. It renders, and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from adapters.charts import to_svg
from adapters.web import markdown
from bot.attachments import to_name
from bot.catalog import Catalog, Tier
from bot.ledger import LedgerEntry
from bot.money import format_usd
from bot.pictures import Card
from bot.replies import Action, Footer, Reply
from bot.settings import FooterStyle
from bot.strategies.steps import VOICE, to_steps
from bot.turns import Turn, TurnStatus

FOLD_CHARS = 1_200
FOLD_LINES = 14
"""A longer prompt is shown folded."""
Entries = Mapping[str, Sequence[LedgerEntry]]
NO_ENTRIES: Entries = MappingProxyType({})
_LEADING_TAG = re.compile(r"@(?:model:)?[A-Za-z0-9][\w.-]*(?=\s)")
_TAGS = (
    ("auto", "let Parley choose"),
    ("fast", "the free tier"),
    ("cheap", "the cheap tier"),
    ("heavy", "the strongest tier"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """One answer, ready for a template."""

    turn_id: str
    status: TurnStatus
    blocks: tuple[Markup, ...]
    notes: tuple[Markup, ...]
    notice: Markup
    footer: str
    tier: str
    actions: tuple[Action, ...]
    branches: tuple[BranchView, ...] = ()
    picture: Markup | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is whole."""
        return self.status.is_over


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchView:
    """A step of a debate or a voice of an ensemble, ready for a template."""

    name: str
    label: str
    is_voice: bool
    is_over: bool
    blocks: tuple[Markup, ...]
    notes: tuple[Markup, ...]
    notice: Markup
    footer: str
    tier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """A prompt and its answers, the newest last."""

    message_id: str
    tag: str
    prompt: str
    is_long: bool
    files: tuple[str, ...]
    answers: tuple[AnswerView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """What one tier would have been."""

    tier: str
    model: str
    percent: int | None
    price: str
    is_chosen: bool


def to_branch(
    name: str, label: str, reply: Reply | None, notice: str, style: FooterStyle
) -> BranchView:
    """A further message of a turn as it stands."""
    footer = reply.footer if reply else None
    return BranchView(
        name=name,
        label=label,
        is_voice=label.startswith(VOICE),
        is_over=reply is not None or bool(notice),
        blocks=to_markup(markdown.render(reply.text)) if reply else (),
        notes=to_markup(markdown.render_line(note) for note in reply.notes) if reply else (),
        notice=Markup(markdown.render_line(notice)),
        footer=footer.line(style) if footer else "",
        tier=footer.tier.label if footer else "",
    )


def to_branch_json(reply: Reply | None, notice: str) -> dict[str, Any]:
    """The end of a further message in plain values."""
    return {
        "notice": notice,
        "notes": list(reply.notes) if reply else [],
        **_figures(reply.footer if reply else None),
    }


def to_branches(
    turn: Turn, steps: Iterable[LedgerEntry], style: FooterStyle
) -> tuple[BranchView, ...]:
    """The further messages of a turn that is over, from the calls that were made for it."""
    return tuple(
        to_branch(step.name, step.label, step.reply, step.notice, style)
        for step in to_steps(turn, steps)
    )


def to_answer(turn: Turn, style: FooterStyle, entries: Iterable[LedgerEntry] = ()) -> AnswerView:
    """A turn's answer as it stands; what is still being written comes by the stream."""
    reply = Reply(text=turn.notice, actions=()) if turn.is_refused else turn.reply
    footer = reply.footer if reply else None
    unanswered = (Action.AGAIN,) if turn.status.is_over else (Action.STOP,)
    return AnswerView(
        turn_id=turn.turn_id,
        status=turn.status,
        blocks=to_markup(markdown.render(reply.text)) if reply else (),
        picture=to_figure(reply.card) if reply and reply.card else None,
        notes=to_markup(markdown.render_line(note) for note in reply.notes) if reply else (),
        notice=Markup("" if turn.is_refused else markdown.render_line(_notice(turn))),
        footer=footer.line(style) if footer else "",
        tier=footer.tier.label if footer else "",
        actions=reply.actions if reply else unanswered,
        branches=to_branches(turn, entries, style) if turn.status.is_over else (),
    )


def to_exchanges(
    turns: Iterable[Turn],
    style: FooterStyle,
    most: int | None = None,
    entries: Entries = NO_ENTRIES,
) -> tuple[ExchangeView, ...]:
    """The turns of a conversation, each prompt with all of its answers; the newest `most`.

    `entries` are the calls of those turns that were made in steps, by the turn's id.
    """
    by_message: dict[str, list[Turn]] = {}
    for turn in turns:
        by_message.setdefault(turn.message_id, []).append(turn)
    newest = list(by_message.values())[-most if most else 0 :]
    return tuple(to_exchange(answers, style, entries) for answers in newest)


def to_exchange(
    turns: Sequence[Turn], style: FooterStyle, entries: Entries = NO_ENTRIES
) -> ExchangeView:
    """One prompt with its answers; at least one turn."""
    prompt = turns[0].prompt.strip()
    tag = _LEADING_TAG.match(prompt)
    return ExchangeView(
        message_id=turns[0].message_id,
        tag=tag[0] if tag else "",
        prompt=prompt[tag.end() :].strip() if tag else prompt,
        is_long=len(prompt) > FOLD_CHARS or prompt.count("\n") > FOLD_LINES,
        files=tuple(to_name(file) for file in turns[0].attachments),
        answers=tuple(to_answer(turn, style, entries.get(turn.turn_id, ())) for turn in turns),
    )


def to_json(turn: Turn) -> dict[str, Any]:
    """A turn in plain values, as the API gives it."""
    reply = turn.reply
    return {
        "turn_id": turn.turn_id,
        "conversation": turn.key.thread_id,
        "status": turn.status.value,
        "prompt": turn.prompt,
        "text": reply.text if reply else "",
        "notice": _notice(turn),
        "notes": list(reply.notes) if reply else [],
        "actions": [action.value for action in reply.actions] if reply else [],
        "retry_of": turn.retry_of,
        "created_at": turn.created_at.isoformat(),
        **_figures(reply.footer if reply else None),
    }


def to_tags(catalog: Catalog) -> list[dict[str, str]]:
    """What may be typed after @, the tiers first."""
    tiers = [{"tag": tag, "about": about} for tag, about in _TAGS]
    return tiers + [{"tag": m.alias, "about": f"{m.tier.label} tier"} for m in catalog]


def to_demo_note(catalog: Catalog) -> str:
    """What to know of the models when all of them are makeshift; else nothing."""
    notes = [model.note for model in catalog]
    if not notes or not all(notes):
        return ""
    return (
        f"{notes[0][:1].upper()}{notes[0][1:].rstrip('.')}. "
        "For better answers put a provider's key into .env and start again."
    )


def to_why(record: Mapping[str, Any]) -> tuple[WhyRow, ...]:
    """The tiers that were weighed, cheapest first."""
    chances = record.get("p") or {}
    return tuple(
        WhyRow(
            tier=tier,
            model=other["model"],
            percent=round(chances[tier] * 100) if tier in chances else None,
            price=format_usd(other["estimated_cost"]),
            is_chosen=tier == record.get("tier"),
        )
        for tier, other in sorted(
            (record.get("alternatives") or {}).items(), key=lambda item: Tier[item[0].upper()]
        )
    )


def to_markup(blocks: Iterable[str]) -> tuple[Markup, ...]:
    """HTML that the Markdown renderer has made safe."""
    return tuple(Markup(block) for block in blocks)


def to_figure(card: Card) -> Markup:
    """A picture on the page, its text escaped by who draws it."""
    return Markup(f'<figure class="spend-card">{to_svg(card)}</figure>')


def _notice(turn: Turn) -> str:
    if turn.notice or turn.reply or not turn.status.is_over:
        return turn.notice
    return "Stopped before an answer began."


def _figures(footer: Footer | None) -> dict[str, Any]:
    if footer is None:
        return {"model": "", "tier": "", "tokens": 0, "cost_nanousd": None, "footer": ""}
    return {
        "model": footer.model,
        "tier": footer.tier.label,
        "tokens": footer.tokens,
        "cost_nanousd": footer.cost,
        "latency_s": round(footer.latency_s, 3),
        "footer": footer.line(FooterStyle.FULL),
    }
