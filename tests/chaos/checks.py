"""What must hold after all that: each promise is a count that has to be zero."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from sqlmodel import select

from bot.calls import Purpose
from bot.ledger import CallStatus, LedgerEntry
from bot.money import NANOUSD
from bot.turns import Turn, TurnStatus
from storage import open_store
from storage.tables import BudgetRow, LlmCallRow, ReservationRow, TurnRow
from tests.chaos.people import Event
from tests.chaos.program import USD_PER_MTOK
from tests.loopback.providers.record import Outcome, Seen

_TAG = re.compile(r"\[([\w-]+)\] What is")
_STEPS = {
    "You are the critic": Purpose.CRITICISE,
    "A critic objects": Purpose.REVISE,
    "assistants have answered": Purpose.JUDGE,
}
"""By what words a step of a discussion is known; any other request asks for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """How often each promise was broken."""

    lost: int
    """Acknowledged messages without an answer."""
    answered_twice: int
    """Messages with more than one turn."""
    wrong_answer: int
    """Answers that are not, word for word, what the provider said to this very prompt."""
    out_of_order: int
    """Turns that began before the one before them was over."""
    paid_again: int
    """Turns with a step that the provider was asked for more often than attempts are booked."""
    held: int
    """Budgets that still hold something, and sums reserved for turns that are over."""
    unbalanced: int
    """Budgets whose spent is not the sum of the ledger."""
    undercharged: int
    """Turns for which the provider billed more than the ledger has, losses included."""
    mispriced: int
    """Finished calls whose cost is not what the provider billed for the request that answered."""

    @property
    def names(self) -> list[str]:
        """Which promises were broken."""
        return [f.name for f in fields(self) if getattr(self, f.name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What happened, and what was broken."""

    events: int
    deliveries: int
    kills: int
    requests: int
    attempts_lost: int
    apologised: int
    discussions: int
    """Debates and ensembles that were answered, all of their steps done."""
    broken: Broken

    def __str__(self) -> str:
        facts = [
            f"{self.events} messages, delivered {self.deliveries} times",
            f"{self.kills} kills",
            f"{self.requests} requests to the provider",
            f"{self.attempts_lost} of them cut off and booked as lost",
            f"{self.apologised} turns given up with an apology",
            f"{self.discussions} debates and ensembles answered to their last step",
        ]
        broken = [
            f"{f.name.replace('_', ' ')}: {getattr(self.broken, f.name)}"
            for f in fields(self.broken)
        ]
        return "\n".join([*facts, "", *broken])


async def check(
    database: str, events: Sequence[Event], requests: Sequence[Seen], *, kills: int, deliveries: int
) -> Report:
    """Compare the store with what people wrote and what the provider was asked."""
    async with open_store(database) as store:
        turns = {e.turn_id: await store.turn(e.turn_id) for e in events}
        entries: list[LedgerEntry] = []
        for event in events:
            entries += await store.entries(event.turn_id)
        async with store._db.read() as session:
            budgets = (await session.exec(select(BudgetRow))).all()
            all_turns = (await session.exec(select(TurnRow))).all()
            all_calls = (await session.exec(select(LlmCallRow))).all()
            reserved = (await session.exec(select(ReservationRow))).all()
    known = [turn for turn in turns.values() if turn is not None]
    asked = _by_message(requests)
    spent = sum((call.cost or 0) + call.lost_cost for call in all_calls)
    return Report(
        events=len(events),
        deliveries=deliveries,
        kills=kills,
        requests=len(requests),
        attempts_lost=sum(entry.attempt - 1 for entry in entries),
        apologised=sum(turn.status is TurnStatus.FAILED for turn in known),
        discussions=sum(
            entry.purpose in (Purpose.REVISE, Purpose.JUDGE) and entry.status is CallStatus.DONE
            for entry in entries
        ),
        broken=Broken(
            lost=sum(turn is None or not turn.status.is_over for turn in turns.values()),
            answered_twice=sum(
                n > 1 for n in Counter(row.message_row_id for row in all_turns).values()
            ),
            wrong_answer=sum(_is_wrong(turn, entries) for turn in known),
            out_of_order=_out_of_order(events, turns),
            paid_again=sum(_paid_again(turn, entries, asked) for turn in known),
            held=sum(budget.held != 0 for budget in budgets) + len(reserved),
            unbalanced=sum(budget.spent != spent for budget in budgets),
            undercharged=sum(_is_undercharged(turn, entries, asked) for turn in known),
            mispriced=sum(_is_mispriced(entry, asked) for entry in entries),
        ),
    )


def to_answer(tag: str, step: Purpose = Purpose.ANSWER) -> str:
    """What the provider says in a step: the tag, and enough words to be killed between."""
    words = " ".join(f"word{n}" for n in range(30))
    return f"- [serious] ({tag}) {step.value} {words} (end of {tag})"


def step_of(seen: Seen) -> Purpose:
    """Which step a request is for."""
    told = (step for words, step in _STEPS.items() if words in seen.prompt)
    return next(told, Purpose.ANSWER)


def answered_tags(requests: Iterable[Seen]) -> set[str]:
    """The messages that the provider has answered in full."""
    finished = (seen for seen in requests if seen.outcome is Outcome.FINISHED)
    return {tag for seen in finished if (tag := tag_of(seen))}


def tag_of(seen: Seen) -> str:
    """The message that a request belongs to: the last one that it speaks of."""
    tags = _TAG.findall("\n".join(str(message["content"]) for message in seen.messages))
    return tags[-1] if tags else ""


def _by_message(requests: Iterable[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = defaultdict(list)
    for seen in requests:
        found[f"web:{tag_of(seen)}"].append(seen)
    return found


def _is_wrong(turn: Turn, entries: Sequence[LedgerEntry]) -> bool:
    """Whether an answer is not what the provider said in the last step that was done."""
    if turn.status is not TurnStatus.DONE:
        return False
    done = {e.purpose for e in entries if e.turn_id == turn.turn_id and e.status is CallStatus.DONE}
    final = done & {Purpose.REVISE, Purpose.JUDGE} or {Purpose.ANSWER}
    right = {to_answer(turn.message_id, step) for step in final}
    return turn.reply is None or turn.reply.text not in right


def _out_of_order(events: Sequence[Event], turns: dict[str, Turn | None]) -> int:
    """In each conversation, a turn begins after the one before it has ended."""
    by_conversation: dict[str, list[Turn]] = defaultdict(list)
    for event in sorted(events, key=lambda e: e.number):
        turn = turns[event.turn_id]
        if turn is not None:
            by_conversation[event.conversation].append(turn)
    count = 0
    for said in by_conversation.values():
        for earlier, later in itertools.pairwise(said):
            if later.started_at and earlier.finished_at and later.started_at < earlier.finished_at:
                count += 1
    return count


def _paid_again(turn: Turn, entries: Sequence[LedgerEntry], asked: dict[str, list[Seen]]) -> bool:
    booked: Counter[Purpose] = Counter()
    for entry in entries:
        if entry.turn_id == turn.turn_id:
            is_named = entry.purpose in _STEPS.values()
            booked[entry.purpose if is_named else Purpose.ANSWER] += entry.attempt
    requests = Counter(step_of(seen) for seen in asked.get(turn.turn_id, ()))
    return any(count > booked[step] for step, count in requests.items())


def billed_for(seen: Seen) -> int:
    """What a request costs at the catalogue's prices, in nano-dollars."""
    tokens = (seen.billed.input_tokens, seen.billed.output_tokens)
    return sum(t * p * NANOUSD // 1_000_000 for t, p in zip(tokens, USD_PER_MTOK, strict=True))


def _is_undercharged(
    turn: Turn, entries: Sequence[LedgerEntry], asked: dict[str, list[Seen]]
) -> bool:
    spent = sum(entry.spent for entry in entries if entry.turn_id == turn.turn_id)
    return sum(map(billed_for, asked.get(turn.turn_id, ()))) > spent


def _is_mispriced(entry: LedgerEntry, asked: dict[str, list[Seen]]) -> bool:
    if entry.status is not CallStatus.DONE:
        return False
    finished = [s for s in asked.get(entry.turn_id, ()) if s.outcome is Outcome.FINISHED]
    return entry.cost not in {billed_for(seen) for seen in finished}
