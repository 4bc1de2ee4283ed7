"""A conversation as a model gets it: speakers told apart, fitted to its context window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.calls import estimate_input_tokens
from bot.catalog import Capability
from bot.errors import PromptTooLongError
from bot.messages import Attachment, Message, Role
from bot.turns import Turn, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What is sent to a model, and how many earlier messages were left out."""

    messages: tuple[Message, ...]
    left_out: int = 0

    @property
    def note(self) -> str:
        """A sentence for the person when something was left out, else nothing."""
        if not self.left_out:
            return ""
        return f"The {self.left_out} oldest messages here did not fit and were left out."


def to_messages(
    history: Sequence[Utterance], turn: Turn, prompt: str, *, system_prompt: str
) -> tuple[Message, ...]:
    """The system prompt, the history and the prompt, with speakers named when there are several."""
    names = {said.author_name for said in history if said.role is Role.USER} | {turn.user_name}
    several = len(names - {""}) > 1
    messages = [Message(role=Role.SYSTEM, text=system_prompt)] if system_prompt else []
    for said in history:
        name = said.author_name if several and said.role is Role.USER else ""
        messages = _joined(messages, _said(said.role, name, said.text, said.attachments))
    name = turn.user_name if several else ""
    return tuple(_joined(messages, _said(Role.USER, name, prompt, turn.attachments)))


def fit(messages: Sequence[Message], *, limit_tokens: int) -> Fitted:
    """Leave out the oldest messages until the rest fits; system prompt and newest are kept.

    The rest begins with a person's message. Raises PromptTooLongError when the newest alone
    does not fit.
    """
    system = tuple(m for m in messages[:1] if m.role is Role.SYSTEM)
    rest = list(messages[len(system) :])
    sizes = [estimate_input_tokens((message,)) for message in rest]
    total = estimate_input_tokens(system) + sum(sizes)
    start = 0
    while start < len(rest) - 1 and total > limit_tokens:
        total -= sizes[start]
        start += 1
    while start and start < len(rest) - 1 and rest[start].role is not Role.USER:
        total -= sizes[start]
        start += 1
    if total > limit_tokens:
        raise PromptTooLongError
    return Fitted(messages=(*system, *rest[start:]), left_out=start)


def needs_of(messages: Sequence[Message]) -> frozenset[Capability]:
    """What a model must be able to take to read these messages."""
    has_image = any(a.is_image for message in messages for a in message.attachments)
    return frozenset({Capability.VISION}) if has_image else frozenset()


def _said(role: Role, name: str, text: str, attachments: tuple[Attachment, ...]) -> Message:
    label = " ".join(name.split())
    return Message(role=role, text=f"{label}: {text}" if label else text, attachments=attachments)


def _joined(messages: list[Message], message: Message) -> list[Message]:
    """Append, or join to the last one when the same role speaks twice in a row."""
    if not messages or messages[-1].role is not message.role:
        return [*messages, message]
    last = messages[-1]
    joined = Message(
        role=last.role,
        text=f"{last.text}\n\n{message.text}",
        attachments=last.attachments + message.attachments,
    )
    return [*messages[:-1], joined]
