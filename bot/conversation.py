"""A conversation as a model gets it: speakers told apart, files as data, fitted to its window."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.answer_limits import MIN_OUTPUT_TOKENS
from bot.attachments import DATA_RULE, to_unseen
from bot.calls import estimate_input_tokens, estimate_message_tokens
from bot.catalog import Capability, ModelSpec
from bot.errors import PromptTooLongError
from bot.messages import Attachment, Message, Role
from bot.turns import Summary, Turn, Utterance

MAX_HISTORY = 1_000
"""The most messages of people that are read for one answer."""
MOST_IMAGES = 5
"""How many pictures are sent, the newest; every provider takes as many."""
_SEEN_PROMPTS = 3
"""A picture that came with one of the newest prompts must be seen by whoever answers."""
_ANSWER_TOKENS = 2_048
"""Room that is left for an answer, when that is possible."""
_NAME_CHARACTERS = 100
_PLACEHOLDER = re.compile(r"\{(date|speaker|channel)\}")
_QUOTE = re.compile(r"^\s*>", re.MULTILINE)
_SUMMARY_HEAD = "[Summary of the earlier part of this conversation, written by a model]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What is sent to a model, and how many earlier messages were left out or summarised."""

    messages: tuple[Message, ...]
    left_out: int = 0
    summarised: int = 0

    @property
    def note(self) -> str:
        """A sentence for the person when not everything was sent, else nothing."""
        if self.summarised:
            return f"The {self.summarised} oldest messages here did not fit: I read a summary."
        if self.left_out:
            return f"The {self.left_out} oldest messages here did not fit and were left out."
        return ""


def to_system_prompt(template: str, turn: Turn, *, today: str) -> str:
    """The place's system prompt with {date}, {speaker} and {channel} filled in.

    What is filled in is one line, and is not read again: a name cannot bring in another.
    """
    values = {
        "date": today,
        "speaker": _line(turn.user_name) or "somebody",
        "channel": _line(turn.anchor.get("channel_name", "") or turn.key.channel_id),
    }
    text = _PLACEHOLDER.sub(lambda match: values[match[1]], template)
    return text if "{date}" in template else f"{text}\n\nToday is {today}."


def to_messages(
    history: Sequence[Utterance], turn: Turn, prompt: str, *, system_prompt: str
) -> tuple[Message, ...]:
    """The system prompt, the history and the prompt, with speakers named when there are several."""
    names = {said.author_name for said in history if said.role is Role.USER} | {turn.user_name}
    several = len(names - {""}) > 1
    said = [_said(each, is_named=several) for each in history]
    newest = Utterance(
        role=Role.USER,
        author_name=turn.user_name,
        text=prompt,
        sent_at=turn.created_at,
        attachments=turn.attachments,
    )
    joined = _joined([*said, _said(newest, is_named=several)])
    if any(file.text for message in joined for file in message.attachments) or _QUOTE.search(
        prompt
    ):
        system_prompt = f"{system_prompt}\n\n{DATA_RULE}".strip()
    system = (Message(role=Role.SYSTEM, text=system_prompt),) if system_prompt else ()
    return (*system, *joined)


def history_limit(model: ModelSpec, messages: Sequence[Message]) -> int:
    """How many tokens may be sent to a model: its window, with room left for an answer.

    The newest prompt may take more of it, down to the shortest answer that is worth a call.
    """
    wanted = min(model.max_output_tokens, model.context_tokens // 4, _ANSWER_TOKENS)
    usual = model.context_tokens - max(MIN_OUTPUT_TOKENS, wanted)
    least = estimate_input_tokens((*_system(messages), messages[-1]))
    return max(usual, min(least, model.context_tokens - MIN_OUTPUT_TOKENS))


def fit(messages: Sequence[Message], *, limit_tokens: int) -> Fitted:
    """Leave out the oldest messages until the rest fits; system prompt and newest are kept.

    The rest begins with a person's message. Raises PromptTooLongError when the newest alone
    does not fit.
    """
    system = _system(messages)
    rest = messages[len(system) :]
    start = _start(rest, limit_tokens - estimate_input_tokens(system))
    return Fitted(messages=(*system, *rest[start:]), left_out=start)


def _start(rest: Sequence[Message], room: int) -> int:
    """The index of the first message of the longest end that fits and begins with a person."""
    start = len(rest) - 1
    used = estimate_message_tokens(rest[start])
    if used > room:
        raise PromptTooLongError
    for index in range(start - 1, -1, -1):
        used += estimate_message_tokens(rest[index])
        if used > room:
            return start
        if rest[index].role is Role.USER or index == 0:
            start = index
    return start


def summary_end(messages: Sequence[Message], *, limit_tokens: int) -> int:
    """The position up to which a new summary reaches: the rest takes half of the room at most.

    So it holds for a while. 0 when nothing kept stands before the newest prompt.
    """
    system = _system(messages)
    rest = messages[len(system) :]
    room = (limit_tokens - estimate_input_tokens(system)) // 2
    start = _start(rest, max(room, estimate_message_tokens(rest[-1])))
    return rest[start - 1].position if start else 0


def between(messages: Sequence[Message], after: int, up_to: int) -> tuple[Message, ...]:
    """The kept messages whose positions lie in between."""
    return tuple(m for m in messages if after < m.position <= up_to)


def with_summary(messages: Sequence[Message], summary: Summary) -> Fitted | None:
    """The conversation with a summary for its beginning; None when it holds for another part."""
    system = _system(messages)
    rest = messages[len(system) :]
    covered = sum(0 < message.position <= summary.covers_to for message in rest)
    is_known = any(message.position >= summary.covers_to for message in rest)
    if not covered or not is_known:
        return None
    head = Message(role=Role.USER, text=f"{_SUMMARY_HEAD}\n{summary.text}\n[End of the summary]")
    return Fitted(messages=(*system, *_joined([head, *rest[covered:]])), summarised=covered)


def seen_by(model: ModelSpec, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the newest pictures only, or none for a model that can't see them."""
    left = MOST_IMAGES if Capability.VISION in model.capabilities else 0
    seen: list[Message] = []
    for message in reversed(messages):
        images = sum(file.is_image for file in message.attachments)
        seen.append(message if images <= left else _without_images(message, left))
        left = max(0, left - images)
    return tuple(reversed(seen))


def needs_of(messages: Sequence[Message], *, is_named: bool = False) -> frozenset[Capability]:
    """What a model must be able to take: pictures of the newest prompts.

    Of the very newest only, when the model was named by a tag: older ones are told in words.
    """
    prompts = [m for m in messages if m.role is Role.USER][-1 if is_named else -_SEEN_PROMPTS :]
    has_image = any(file.is_image for message in prompts for file in message.attachments)
    return frozenset({Capability.VISION}) if has_image else frozenset()


def _without_images(message: Message, left: int) -> Message:
    """The message with so many of its pictures, the last; the others are told of in words."""
    too_many = sum(file.is_image for file in message.attachments) - left
    unseen: list[Attachment] = []
    kept: list[Attachment] = []
    for file in message.attachments:
        (unseen if file.is_image and len(unseen) < too_many else kept).append(file)
    words = "\n".join(to_unseen(file) for file in unseen)
    return replace(message, text=f"{message.text}\n\n{words}".strip(), attachments=tuple(kept))


def _system(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(m for m in messages[:1] if m.role is Role.SYSTEM)


def _said(said: Utterance, *, is_named: bool) -> Message:
    name = _line(said.author_name) if is_named and said.role is Role.USER else ""
    text = f"{name}: {said.text}" if name else said.text
    return Message(role=said.role, text=text, attachments=said.attachments, position=said.position)


def _joined(messages: Iterable[Message]) -> list[Message]:
    """The messages, those of one role in a row read as one."""
    runs: list[list[Message]] = []
    for message in messages:
        if runs and runs[-1][0].role is message.role:
            runs[-1].append(message)
        else:
            runs.append([message])
    return [run[0] if len(run) == 1 else _one(run) for run in runs]


def _one(run: Sequence[Message]) -> Message:
    files: tuple[Attachment, ...] = tuple(file for message in run for file in message.attachments)
    return Message(
        role=run[0].role,
        text="\n\n".join(message.text for message in run),
        attachments=files,
        position=run[-1].position,
    )


def _line(text: str) -> str:
    return " ".join(text.split())[:_NAME_CHARACTERS]
