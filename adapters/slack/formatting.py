"""Markdown as models write it, made ready for Slack: no pings, blocks within their limits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.replies import Action

Block = dict[str, Any]

PART_CHARACTERS = 11_000
"""Of the 12,000 that Slack takes in one message's Markdown; the rest is for fences and markers."""
FALLBACK_CHARACTERS = 3_000
"""Of the 4,000 that chat.update takes as `text`; screen readers and notifications read it."""

_WORD_JOINER = "\u2060"
_PING = re.compile(
    r"<(?=!(?i:channel|here|everyone|group|subteam|date)\b|[@#][UWCGS][A-Z0-9]{2})"
    r"|(?<![\w.@])@(?=(?i:channel|here|everyone)\b)"
)
_MAYBE_PING = re.compile(r"(?:<(?:!\w{0,8}|[@#][A-Z0-9]{0,2})?|@\w{0,8})$")
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_MARKS = re.compile(r"`+|~+")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

FEEDBACK_ID = "parley_feedback"
THUMBS = (Action.GOOD, Action.BAD)
LABELS = {
    Action.STOP: "Stop",
    Action.HEAVIER: "Heavier",
    Action.AGAIN: "Again",
    Action.GOOD: "👍",
    Action.BAD: "👎",
    Action.WHY: "Why?",
}


def without_pings(text: str) -> str:
    """The same text with every `<!channel>`, `<@U…>` and `@here` made inert."""
    return _PING.sub(lambda match: match[0] + _WORD_JOINER, text)


def settled(text: str) -> str:
    """The part of a growing text whose last characters can no longer become a ping."""
    return _MAYBE_PING.sub("", text)


def open_fence(text: str) -> str:
    """The line that opened the code fence in which the text ends; empty outside code."""
    opener = ""
    for match in _FENCE.finditer(text):
        marks, info = match["marks"], match["info"].strip()
        if not opener:
            opener = "" if "`" in info else f"{marks}{info[:24]}"
        elif not info and marks.startswith(_marks(opener)):
            opener = ""
    return opener


def fence_end(opener: str) -> str:
    """What closes a fence that was opened by this line."""
    return f"\n{_marks(opener)}" if opener else ""


def _marks(opener: str) -> str:
    match = _MARKS.match(opener)
    return match[0] if match else ""


def escaped(text: str) -> str:
    """Text as it is, inside Slack's mrkdwn."""
    return re.sub(r"[&<>]", lambda match: _ESCAPES[match[0]], text)


def plain(text: str) -> str:
    """What stands in `text`, for notifications and screen readers."""
    whole = escaped(text)
    while len(whole) > FALLBACK_CHARACTERS:
        text = text[: min(FALLBACK_CHARACTERS - 1, len(text) // 2)]
        whole = escaped(text) + "…"
    return whole


def markdown_block(text: str) -> Block:
    """Standard Markdown, as models write it; pings are inert."""
    return {"type": "markdown", "text": text}


def small_print(lines: Sequence[str]) -> list[Block]:
    """Notes and the footer, one context block."""
    kept = [{"type": "mrkdwn", "text": escaped(line)[:2_000]} for line in lines if line]
    return [{"type": "context", "elements": kept[:10]}] if kept else []


def buttons(turn_id: str, actions: Sequence[Action]) -> list[Block]:
    """Rows of buttons that carry the turn they belong to: what to do next, and thumbs."""
    pressed = [_button(action, turn_id) for action in actions if action not in THUMBS]
    rows: list[Block] = []
    if pressed:
        rows.append({"type": "actions", "block_id": "parley_actions", "elements": pressed})
    if any(action in THUMBS for action in actions):
        rows.append({"type": "context_actions", "elements": [_thumbs(turn_id)]})
    return rows


def _button(action: Action, turn_id: str) -> Block:
    return {
        "type": "button",
        "action_id": f"parley_{action.value}",
        "text": {"type": "plain_text", "text": LABELS[action], "emoji": True},
        "value": turn_id,
    }


def _thumbs(turn_id: str) -> Block:
    def thumb(action: Action, label: str) -> Block:
        return {
            "text": {"type": "plain_text", "text": LABELS[action]},
            "accessibility_label": label,
            "value": f"{action.value} {turn_id}",
        }

    return {
        "type": "feedback_buttons",
        "action_id": FEEDBACK_ID,
        "positive_button": thumb(Action.GOOD, "A good answer"),
        "negative_button": thumb(Action.BAD, "A poor answer"),
    }
