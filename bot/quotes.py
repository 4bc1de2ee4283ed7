"""Somebody else's words in a prompt, marked as such: they are neither a command nor one's own."""

from __future__ import annotations

QUOTE_LIMIT = 4_000


def quoted(name: str, text: str) -> str:
    """What somebody wrote, each line behind `>`."""
    lines = text[:QUOTE_LIMIT].splitlines() or [""]
    return "\n".join([f"{name} wrote:", *(f"> {line}" for line in lines)])


def about(name: str, text: str, tag: str = "") -> str:
    """A message that somebody points at, as a prompt; `tag` counts more than those within it.

    It stands at both ends: the last tag wins, but none is read behind a fence that stays open.
    """
    return f"{tag} {quoted(name, text)}\n{tag}".strip() if tag else quoted(name, text)
