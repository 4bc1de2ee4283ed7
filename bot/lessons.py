"""What a workspace's opinions teach: kept turns in, rated turns for a refit out. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.catalog import Tier
from bot.difficulty import Estimator, HistoryTurn
from bot.difficulty.followups import FollowUp, classify
from bot.difficulty.learning import RatedTurn, RefitReport, weigh_silence
from bot.errors import UnknownModelError
from bot.messages import ConversationKey
from bot.settings import parse_setting, to_scope_ids
from bot.tags import parse_tags

MOST_TURNS: Final = 5_000
"""Older ones have faded: a turn's weight falls by a thousandth with each one after it."""
NEW_MARKS: Final = 10
"""A night's refit waits for so many opinions since the last one."""
MARKS_AFTER_ROLLBACK: Final = 30
"""And for so many when the last one was rolled back: it would come to the same."""
_ALONE: Final = (FollowUp.NEW, FollowUp.REPEAT)
_UNHAPPY: Final = (FollowUp.DOUBT, FollowUp.REPEAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredTurn:
    """A prompt that one model answered, and what was thought of the answer."""

    turn_id: str
    key: ConversationKey
    prompt: str
    """As typed, tags included."""
    tier: Tier
    """That answered."""
    created_at: datetime
    marks: int = 0
    """👍 less 👎 and Heavier."""
    retry_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedVersion:
    """One refit of a workspace: numbers and a report, no word of a prompt."""

    scope_id: str
    """`platform/workspace`."""
    number: int
    """Counts the workspace's refits from 1."""
    version: str
    data: bytes
    marks: int
    """The opinions it was made from."""
    report: str
    created_at: datetime
    is_accepted: bool
    is_withdrawn: bool = False
    """Rolled back."""

    @property
    def is_usable(self) -> bool:
        """Whether it may be in use; of those that are, the newest is."""
        return self.is_accepted and not self.is_withdrawn


def has_news(
    answered: Sequence[AnsweredTurn], newest: LearnedVersion | None, aliases: Collection[str]
) -> bool:
    """Whether a refit would come to anything new: opinions came in, or were forgotten."""
    alone, failed = _read(answered, aliases)
    marked = [turn for turn, _ in alone if turn.marks or turn.turn_id in failed]
    if newest is None:
        return bool(marked)
    new = sum(turn.created_at > newest.created_at for turn in marked)
    needed = MARKS_AFTER_ROLLBACK if newest.is_withdrawn else NEW_MARKS
    return new >= needed or len(marked) < newest.marks


def teaching(
    answered: Iterable[AnsweredTurn], places: Mapping[str, str], *, by_default: bool
) -> tuple[AnsweredTurn, ...]:
    """The turns of places that let them teach; `places` says where `learn` is set, and to what."""
    return tuple(
        turn
        for turn in answered
        if next(
            (
                bool(parse_setting("learn", places[scope_id]))
                for scope_id in reversed(to_scope_ids(turn.key))
                if scope_id in places
            ),
            by_default,
        )
    )


def to_rated_turns(
    answered: Sequence[AnsweredTurn], base: Estimator, aliases: Collection[str]
) -> tuple[RatedTurn, ...]:
    """What these turns teach, oldest first, as they come.

    Doubt and asking again are failures of the answer before. Prompts that mean something only
    in their conversation teach nothing themselves.
    """
    alone, failed = _read(answered, aliases)
    expected = sum(1 - base.estimate(prompt).p(turn.tier) for turn, prompt in alone)
    failures = sum(turn.marks < 0 or turn.turn_id in failed for turn, _ in alone)
    praises = sum(turn.marks > 0 and turn.turn_id not in failed for turn, _ in alone)
    silence = weigh_silence(
        turns=len(alone), praises=praises, failures=failures, expected_failures=expected
    )
    return tuple(_rated(turn, prompt, turn.turn_id in failed, silence) for turn, prompt in alone)


def _rated(turn: AnsweredTurn, prompt: str, has_failed: bool, silence: float) -> RatedTurn:
    is_marked = has_failed or turn.marks != 0
    return RatedTurn(
        prompt=prompt,
        tier=turn.tier,
        is_content=not has_failed and turn.marks >= 0,
        weight=1.0 if is_marked else silence,
        is_marked=is_marked,
    )


def _read(
    answered: Sequence[AnsweredTurn], aliases: Collection[str]
) -> tuple[list[tuple[AnsweredTurn, str]], set[str]]:
    """The turns whose prompts stand alone, without tags; and those whose answers failed."""
    before: dict[str, list[tuple[str, HistoryTurn]]] = {}
    alone: list[tuple[AnsweredTurn, str]] = []
    failed: set[str] = set()
    for turn in answered:
        prompt = _untagged(turn.prompt, aliases)
        earlier = before.setdefault(str(turn.key), [])
        follow_up = classify(prompt, [said for _, said in earlier])
        if turn.retry_of is not None:
            failed.add(turn.retry_of)
        elif follow_up in _UNHAPPY:
            failed.add(earlier[-1][0])
        if follow_up in _ALONE or turn.retry_of is not None:
            alone.append((turn, prompt))
        earlier.append((turn.turn_id, HistoryTurn(prompt=prompt, tier=turn.tier)))
    return alone, failed


def _untagged(text: str, aliases: Collection[str]) -> str:
    try:
        return parse_tags(text, aliases).prompt
    except UnknownModelError:
        return text  # a model that is gone


def to_report(report: RefitReport) -> str:
    """What a refit did, in words, as Markdown."""
    lines = [f"{report.turns:,} turns, {report.marks:,} with an opinion. {report.reason}"]
    if report.marks and report.turns > 1:
        lines.append(
            f"Log loss on the newest fifth: {report.shipped_loss:.3f} as shipped, "
            f"{report.refitted_loss:.3f} refitted (less is better)."
        )
    if report.is_accepted:
        lines.append("What changed most, by its weight on a prompt's chance to be satisfied:")
        lines += [f"- {change}" for change in report.changes or ("hardly anything",)]
    return "\n".join(lines)
