"""What Discord refuses: limits on messages, embeds, components, commands and threads."""

from __future__ import annotations

import re
from typing import Any

from tests.loopback.discord.world import Payload

MAX_FILE_BYTES = 10 * 1024 * 1024
COMMAND_NAME = re.compile(r"^[-_'\w]{1,32}$")


class RefusedError(Exception):
    """An answer that is not 2xx, with Discord's own code."""

    def __init__(self, status: int, code: int, message: str, errors: Any = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Payload = {"message": message, "code": code}
        if errors:
            self.body["errors"] = errors


def invalid(field: str, problem: str) -> RefusedError:
    """The form of every refused field."""
    return RefusedError(
        400,
        50035,
        "Invalid Form Body",
        {field: {"_errors": [{"code": "BASE_TYPE_BAD_LENGTH", "message": problem}]}},
    )


def check_message(body: Payload, files: int, *, had_files: int = 0, old: Payload | None) -> None:
    """Raise what Discord says of a message that is too long, empty or misshapen."""
    content = body.get("content", (old or {}).get("content")) or ""
    embeds = body.get("embeds", (old or {}).get("embeds")) or []
    components = body.get("components", (old or {}).get("components")) or []
    if len(content) > 2000:
        raise invalid("content", "Must be 2000 or fewer in length.")
    check_embeds(embeds)
    check_components(components)
    if len(str(body.get("nonce") or "")) > 25:
        raise invalid("nonce", "Must be 25 or fewer in length.")
    if body.get("flags", 0) & (1 << 15):
        if content or embeds:
            raise invalid("content", "Cannot be used with Components V2.")
        if not components:
            raise RefusedError(400, 50006, "Cannot send an empty message")
    elif not (content.strip() or embeds or files or had_files or body.get("sticker_ids")):
        raise RefusedError(400, 50006, "Cannot send an empty message")
    check_mentions(body.get("allowed_mentions"))


def check_mentions(allowed: Payload | None) -> None:
    """`parse` and lists of ids exclude each other."""
    parse = (allowed or {}).get("parse", [])
    for kind in ("users", "roles"):
        if kind in parse and (allowed or {}).get(kind):
            raise invalid("allowed_mentions", f"parse:[{kind!r}] and {kind}: [ids...] conflict.")


EMBED_LIMITS = {"title": 256, "description": 4096}


def check_embeds(embeds: list[Payload]) -> None:
    """Ten embeds, their parts and 6000 characters over all of them."""
    if len(embeds) > 10:
        raise invalid("embeds", "Must be 10 or fewer in length.")
    if sum(embed_length(embed) for embed in embeds) > 6000:
        raise invalid("embeds", "Embed size exceeds maximum size of 6000")
    for embed in embeds:
        for key, limit in EMBED_LIMITS.items():
            if len(embed.get(key) or "") > limit:
                raise invalid("embeds", f"{key}: must be {limit} or fewer in length.")
        fields = embed.get("fields") or []
        if len(fields) > 25:
            raise invalid("embeds", "fields: must be 25 or fewer in length.")
        if not all(1 <= len(f["name"]) <= 256 and 1 <= len(f["value"]) <= 1024 for f in fields):
            raise invalid("embeds", "fields: name 1-256, value 1-1024 characters.")


def embed_length(embed: Payload) -> int:
    """The characters of an embed that count."""
    texts = [embed.get("title"), embed.get("description"), (embed.get("footer") or {}).get("text")]
    texts += [
        part for field in embed.get("fields") or [] for part in (field["name"], field["value"])
    ]
    return sum(len(text or "") for text in texts)


def check_components(rows: list[Payload]) -> None:
    """Five rows of five buttons or one select; unique ids of at most 100 characters."""
    if len(rows) > 5:
        raise invalid("components", "Must be 5 or fewer in length.")
    seen: set[str] = set()
    for row in rows:
        parts = row.get("components", [row.get("component")] if row.get("component") else [])
        if row.get("type") == 1 and not 1 <= len(parts) <= 5:
            raise invalid("components", "Must be between 1 and 5 in length.")
        for part in parts:
            check_component(part, seen)


def check_component(part: Payload, seen: set[str]) -> None:
    """One button, select or text input."""
    custom_id = part.get("custom_id")
    if custom_id is not None:
        if not 1 <= len(custom_id) <= 100:
            raise invalid("components", "custom_id: must be between 1 and 100 in length.")
        if custom_id in seen:
            raise invalid("components", "Component custom id cannot be duplicated")
        seen.add(custom_id)
    if len(part.get("label") or "") > 80:
        raise invalid("components", "label: must be 80 or fewer in length.")
    if len(part.get("options") or []) > 25:
        raise invalid("components", "options: must be 25 or fewer in length.")


def check_thread_name(name: str) -> None:
    """A thread is named with 1 to 100 characters."""
    if not 1 <= len(name) <= 100:
        raise invalid("name", "Must be between 1 and 100 in length.")


def check_commands(commands: list[Payload]) -> None:
    """A hundred slash commands, names and descriptions within their limits."""
    if sum(1 for each in commands if each.get("type", 1) == 1) > 100:
        raise RefusedError(400, 30032, "Maximum number of application commands reached (100).")
    for command in commands:
        check_languages(command, "name", 32)
        check_languages(command, "description", 100)
        if command.get("type", 1) == 1:
            check_command(command)
        elif not 1 <= len(command["name"]) <= 32 or command.get("description"):
            raise invalid("name", "Context menus have a name and no description.")


def check_languages(command: Payload, field: str, limit: int) -> None:
    """What a command is called in other languages keeps the same limits."""
    name = f"{field}_localizations"
    if not all(1 <= len(word) <= limit for word in (command.get(name) or {}).values()):
        raise invalid(name, f"Must be between 1 and {limit} in length.")


def check_command(command: Payload) -> None:
    """One slash command, one group or one option."""
    name = command["name"]
    if not COMMAND_NAME.match(name) or name != name.lower():
        raise invalid("name", "Command name is invalid")
    if not 1 <= len(command.get("description", "")) <= 100:
        raise invalid("description", "Must be between 1 and 100 in length.")
    if len(command.get("options", [])) > 25 or len(command.get("choices", [])) > 25:
        raise invalid("options", "Must be 25 or fewer in length.")
    for option in command.get("options", []):
        check_command(option)


def check_modal(data: Payload) -> None:
    """A modal: title of 45, one to five components."""
    if not 1 <= len(data.get("title", "")) <= 45:
        raise invalid("data", "title: must be between 1 and 45 in length.")
    if not 1 <= len(data.get("components", [])) <= 5:
        raise invalid("data", "components: must be between 1 and 5 in length.")
    check_components(data["components"])


def pings(content: str, allowed: Payload | None, *, only_users: bool) -> list[str]:
    """Who a text would call, given `allowed_mentions`; nothing is called when it says so."""
    default = ["users"] if only_users else ["users", "roles", "everyone"]
    parse = default if allowed is None else allowed.get("parse", [])
    called = [f"@{name}" for name in re.findall(r"@(everyone|here)", content)]
    found = called if "everyone" in parse else []
    for kind, pattern in (("users", r"<@!?(\d+)>"), ("roles", r"<@&(\d+)>")):
        listed = (allowed or {}).get(kind, [])
        for each in re.findall(pattern, content):
            if kind in parse or each in [str(one) for one in listed]:
                found.append(each)
    return found
