"""A conversation as a document: Markdown for people, JSON for programs. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.attachments import to_name
from bot.messages import ConversationKey, Role
from bot.turns import Utterance

VERSION = 1


def to_markdown(key: ConversationKey, said: Sequence[Utterance]) -> str:
    """Everything that was said, each with who and when."""
    return "\n".join([f"# Conversation {key}", *(_section(each) for each in said)]) + "\n"


def to_json(key: ConversationKey, said: Sequence[Utterance]) -> str:
    """The same in plain values, with the version of this form."""
    document = {
        "parley_conversation": VERSION,
        "conversation": str(key),
        "messages": [_record(each) for each in said],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _section(said: Utterance) -> str:
    tier = f" ({said.tier.label})" if said.tier is not None else ""
    who = said.alias + tier if said.role is Role.ASSISTANT else said.author_name or "somebody"
    files = "".join(f"\n\n*File: {to_name(file)}*" for file in said.attachments)
    return f"\n## {' '.join(who.split()) or 'Parley'} · {_at(said)}\n\n{said.text}{files}"


def _at(said: Utterance) -> str:
    return f"{said.sent_at:%Y-%m-%d %H:%M} UTC"


def _record(said: Utterance) -> dict[str, object]:
    return {
        "role": said.role.value,
        "author": said.author_name,
        "text": said.text,
        "sent_at": said.sent_at.isoformat(),
        "model": said.alias or None,
        "tier": None if said.tier is None else said.tier.label,
        "files": [file.name for file in said.attachments],
    }
