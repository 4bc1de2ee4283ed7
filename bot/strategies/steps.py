"""The steps of a turn that is over, read back from the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.calls import Purpose
from bot.ledger import CallStatus, LedgerEntry
from bot.replies import Reply
from bot.strategies.footers import to_footer
from bot.turns import Turn

PLAN, VOICE = "plan", "Voice"
TITLES = {
    Purpose.PROPOSE: "Answer",
    Purpose.DRAFT: "Answer",
    Purpose.CRITICISE: "Critique",
    Purpose.REVISE: "Revision",
    Purpose.JUDGE: "Synthesis",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    """One step: what was said, or why nothing was."""

    name: str
    label: str
    reply: Reply | None = None
    notice: str = ""


def to_label(title: str, alias: str) -> str:
    """The heading of a step's message."""
    return f"{title} · {alias}"


def to_steps(turn: Turn, entries: Iterable[LedgerEntry]) -> Iterator[ShownStep]:
    """The messages beside the answer itself, oldest first; none for a turn without steps.

    Of a turn that runs, the steps that are over.
    """
    yield from _plan(turn)
    by_name = {entry.call_id.removeprefix(f"{turn.turn_id}:"): entry for entry in entries}
    has_voices = "propose2" in by_name
    final = turn.reply.text if turn.reply else ""
    for name, entry in by_name.items():
        is_final = entry.purpose in (Purpose.REVISE, Purpose.JUDGE) and entry.text == final
        if entry.purpose not in TITLES or entry.status is CallStatus.OPEN or is_final:
            continue
        is_voice = has_voices and entry.purpose is Purpose.PROPOSE
        number = name.removeprefix("propose").partition(".")[0]
        title = f"{VOICE} {number}" if is_voice else TITLES[entry.purpose]
        yield _shown(name, to_label(title, entry.alias), entry)


def _plan(turn: Turn) -> Iterator[ShownStep]:
    """The first message: who plays, and the estimate."""
    plan = turn.decision.get("plan")
    if isinstance(plan, Mapping):
        title = str(turn.decision.get("strategy", "")).capitalize()
        yield ShownStep(
            name=PLAN, label=title, reply=Reply(text=str(plan.get("words", "")), actions=())
        )


def _shown(name: str, label: str, entry: LedgerEntry) -> ShownStep:
    if not entry.text.strip():
        fault = entry.error_message or "It did not answer."
        return ShownStep(name=name, label=label, notice=fault)
    notes = {
        CallStatus.FAILED: (entry.error_message or "It was cut off.",),
        CallStatus.CANCELLED: ("Stopped.",),
    }.get(entry.status, ())
    footer = to_footer(entry, (entry,))
    reply = Reply(text=entry.text, footer=footer, notes=notes, actions=())
    return ShownStep(name=name, label=label, reply=reply)
