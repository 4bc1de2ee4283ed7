"""Somebody else's words in a prompt, marked as such: they are neither a command nor one's own."""

from __future__ import annotations

QUOTE_LIMIT = 4_000


def quoted(name: str, text: str) -> str:
    """What somebody wrote, each line behind `>`."""
    lines = text[:QUOTE_LIMIT].splitlines() or [""]
    return "\n".join([f"{name} wrote:", *(f"> {line}" for line in lines)])
