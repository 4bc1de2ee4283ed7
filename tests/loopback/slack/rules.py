"""What Slack allows: tiers per method and workspace, scopes, and the size of everything."""

import json
import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TIER_PER_MINUTE = {
    "chat.startStream": 20,
    "chat.appendStream": 100,
    "chat.stopStream": 20,
    "chat.update": 50,
    "chat.delete": 50,
    "chat.postEphemeral": 100,
    "assistant.threads.setStatus": 600,
    "assistant.threads.setTitle": 50,
    "assistant.threads.setSuggestedPrompts": 50,
    "agents.sessions.setStatus": 50,
    "agents.sessions.rename": 50,
    "conversations.replies": 50,
    "conversations.history": 50,
    "conversations.info": 50,
    "conversations.open": 50,
    "users.info": 100,
    "views.open": 100,
    "views.update": 100,
    "views.publish": 100,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
    "reactions.add": 50,
    "reactions.remove": 50,
}
NEEDED_SCOPE = {
    "assistant.threads.setTitle": "assistant:write",
    "assistant.threads.setSuggestedPrompts": "assistant:write",
    "conversations.replies": "channels:history",
    "conversations.history": "channels:history",
    "conversations.info": "channels:read",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
}
UPDATE_TEXT_LIMIT = 4_000
POST_TEXT_LIMIT = 40_000
MARKDOWN_LIMIT = 12_000
SECTION_TEXT_LIMIT = 3_000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCK_TYPES = frozenset(
    [
        "actions",
        "context",
        "context_actions",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "rich_text",
        "section",
        "table",
        "video",
        "task_card",
        "plan",
    ]
)


class RefusalError(Exception):
    """Slack answers `ok: false` with this error."""

    def __init__(self, error: str, **extra: Any):
        super().__init__(error)
        self.error = error
        self.extra = extra


class RateLimitedError(Exception):
    """Slack answers 429 and says when to come back."""

    def __init__(self, retry_after_s: int):
        super().__init__(f"ratelimited, retry after {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass
class RateLimits:
    """A hard sliding window per method and workspace, and about one post a second per channel."""

    now: Callable[[], float]
    window_s: float = 60.0
    post_burst: int = 20
    per_window: dict[str, int] = field(default_factory=lambda: dict(TIER_PER_MINUTE))
    _calls: dict[tuple[str, ...], deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def take(self, team_id: str, method: str, channel_id: str) -> None:
        """Count one call, or raise RateLimitedError."""
        if method == "chat.postMessage":
            self._take((team_id, method, channel_id), self.post_burst, self.window_s / 3)
        elif method in self.per_window:
            self._take((team_id, method), self.per_window[method], self.window_s)

    def _take(self, key: tuple[str, ...], limit: int, window_s: float) -> None:
        calls, now = self._calls[key], self.now()
        while calls and calls[0] <= now - window_s:
            calls.popleft()
        if len(calls) >= limit:
            raise RateLimitedError(max(1, math.ceil(calls[0] + window_s - now)))
        calls.append(now)


def check_message(method: str, args: dict[str, Any]) -> None:
    """Refuse what Slack refuses in the content of a posted or updated message."""
    text, markdown, blocks = args.get("text"), args.get("markdown_text"), args.get("blocks")
    if markdown and (text or blocks):
        raise RefusalError("markdown_text_conflict")
    if not (text or markdown or blocks):
        raise RefusalError("no_text")
    limit = UPDATE_TEXT_LIMIT if method == "chat.update" else POST_TEXT_LIMIT
    if text and len(text) > limit:
        if method == "chat.update":
            raise RefusalError("msg_too_long")
        args["text"] = text[:limit]
    if markdown and len(markdown) > MARKDOWN_LIMIT:
        raise RefusalError("msg_too_long")
    check_blocks(blocks, MESSAGE_BLOCKS)


def check_blocks(blocks: Any, most: int) -> None:
    """Refuse blocks that are malformed, too many or too long."""
    if not blocks:
        return
    if not isinstance(blocks, list) or len(blocks) > most:
        raise RefusalError("invalid_blocks", errors=[f"no more than {most} items allowed"])
    for block in blocks:
        _check_block(block)
    if sum(len(b["text"]) for b in blocks if b["type"] == "markdown") > MARKDOWN_LIMIT:
        raise RefusalError("msg_blocks_too_long")
    ids = [e["action_id"] for b in blocks for e in b.get("elements", []) if "action_id" in e]
    if len(ids) != len(set(ids)):
        raise RefusalError("invalid_blocks", errors=["action_id must be unique"])


def _check_block(block: Any) -> None:
    if not isinstance(block, dict) or block.get("type") not in BLOCK_TYPES:
        raise RefusalError("invalid_blocks", errors=[f"unsupported type: {block!r:.80}"])
    kind = block["type"]
    if kind == "section":
        _check_section(block)
    if kind == "header" and len(block["text"]["text"]) > 150:
        raise RefusalError("invalid_blocks", errors=["header: must be less than 151 characters"])
    if kind in ("actions", "context_actions") and not block.get("elements"):
        raise RefusalError("invalid_blocks", errors=["elements: must not be empty"])
    if kind == "context" and not 1 <= len(block.get("elements", [])) <= 10:
        raise RefusalError("invalid_blocks", errors=["context: 1 to 10 elements"])
    if kind == "context_actions" and len(block["elements"]) > 5:
        raise RefusalError("invalid_blocks", errors=["context_actions: at most 5 elements"])
    for element in block.get("elements", []):
        _check_element(element)


def _check_section(block: dict[str, Any]) -> None:
    if "text" not in block and "fields" not in block:
        raise RefusalError("invalid_blocks", errors=["section: text or fields"])
    text = block.get("text", {}).get("text")
    if text is not None and not 1 <= len(text) <= SECTION_TEXT_LIMIT:
        raise RefusalError("invalid_blocks", errors=["section: 1 to 3000 characters"])
    fields = block.get("fields", [])
    if len(fields) > 10 or any(len(f["text"]) > 2_000 for f in fields):
        raise RefusalError("invalid_blocks", errors=["section: 10 fields of 2000 characters"])


def _check_element(element: dict[str, Any]) -> None:
    if element.get("type") == "button":
        if len(element["text"]["text"]) > 75 or len(element.get("value", "")) > 2_000:
            raise RefusalError("invalid_blocks", errors=["button: text or value too long"])
        if len(element.get("action_id", "")) > 255:
            raise RefusalError("invalid_blocks", errors=["button: action_id too long"])


def check_view(view: Any) -> None:
    """Refuse a modal or Home view that Slack would refuse."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        raise RefusalError("invalid_arguments")
    if view["type"] == "modal" and not 1 <= len(view.get("title", {}).get("text", "")) <= 24:
        raise RefusalError("invalid_arguments", errors=["title: 1 to 24 characters"])
    if len(view.get("private_metadata", "")) > 3_000:
        raise RefusalError("invalid_arguments", errors=["private_metadata too long"])
    check_blocks(view.get("blocks"), VIEW_BLOCKS)
    if len(json.dumps(view)) > 250_000:
        raise RefusalError("view_too_large")
