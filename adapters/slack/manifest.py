"""The app manifest, from what the code listens to: `python -m adapters.slack` prints it."""

from __future__ import annotations

import json
from typing import Any

from bot.commands import COMMANDS

BOT_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "mpim:history",
    "users:read",
)
BOT_EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "tokens_revoked",
)
_SHORT_FORMS = {
    "debate": "[models:a,b] [rounds:1-3] QUESTION",
    "ensemble": "[models:a,b | n:2-6] [mode:synthesis|show|vote] QUESTION",
    "spend": "[today|week|month|year|all] [by model|tier|user|channel|feature]",
}
"""What Slack shows beside a command while it is typed."""
SLASH_COMMANDS = {
    "/parley": ("Ask Parley, or see what it can do", "ask QUESTION | models | settings | help"),
    "/ask": ("Ask Parley", "QUESTION"),
    **{
        f"/{name}": (COMMANDS[name].about.capitalize(), hint)
        for name, hint in _SHORT_FORMS.items()
        if COMMANDS[name].is_on
    },
}
SHORTCUTS = {"parley_ask": "Ask Parley", "parley_ask_heavier": "Ask heavier"}
PROMPTS = {
    "What can you do?": "What can you do, and which models can you ask?",
    "Explain something": "Explain in three sentences how a hash table works.",
    "Compare two options": "Compare PostgreSQL and SQLite for a small web application.",
}
_DESCRIPTION = "One bot for every language model; each prompt goes to the cheapest able to answer."


def manifest(public_url: str = "") -> dict[str, Any]:
    """The manifest; with the address of an installation for HTTP, else for Socket Mode."""
    events_url = f"{public_url.rstrip('/')}/slack/events" if public_url else ""
    url = {"url": events_url} if events_url else {}
    back = f"{public_url.rstrip('/')}/slack/oauth_redirect"
    redirects = {"redirect_urls": [back]} if public_url else {}
    request_url = {"request_url": events_url} if events_url else {}
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Parley",
            "description": _DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Parley", "always_online": True},
            "agent_view": {
                "agent_description": _DESCRIPTION,
                "suggested_prompts": [
                    {"title": title, "message": message} for title, message in PROMPTS.items()
                ],
            },
            "shortcuts": [
                {
                    "name": name,
                    "type": "message",
                    "callback_id": callback_id,
                    "description": "Answer this message in its thread",
                }
                for callback_id, name in SHORTCUTS.items()
            ],
            "slash_commands": [
                {
                    "command": command,
                    "description": about,
                    "usage_hint": hint,
                    "should_escape": True,
                    **url,
                }
                for command, (about, hint) in SLASH_COMMANDS.items()
            ],
        },
        "oauth_config": {**redirects, "scopes": {"bot": list(BOT_SCOPES)}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": list(BOT_EVENTS)},
            "interactivity": {"is_enabled": True, **request_url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not public_url,
            "token_rotation_enabled": False,
        },
    }


def to_yaml(value: object, depth: int = 0) -> str:
    """A manifest as YAML; texts are quoted, so every one of them is read as it is."""
    pad = "  " * depth
    if isinstance(value, dict):
        return "".join(f"{pad}{key}:{_nested(each, depth)}" for key, each in value.items())
    if isinstance(value, list):
        return "".join(_item(each, depth) for each in value)
    return f"{pad}{json.dumps(value, ensure_ascii=False)}\n"


def _nested(value: object, depth: int) -> str:
    if isinstance(value, (dict, list)):
        return "\n" + to_yaml(value, depth + 1)
    return f" {json.dumps(value, ensure_ascii=False)}\n"


def _item(value: object, depth: int) -> str:
    body = to_yaml(value, depth + 1)
    return "  " * depth + "- " + body[2 * (depth + 1) :]
