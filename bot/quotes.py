"""Whose words a prompt's are: somebody else's are marked as such, a salutation is nobody's."""

from __future__ import annotations

import re

QUOTE_LIMIT = 4_000
_AFTER_A_NAME = re.compile(r"(?:\s|[,，、：]|[:;](?=\s|\Z))+")


def without_salutation(text: str) -> str:
    """What is said to somebody whose name was taken out in front: `, help` is `help`."""
    begins = _AFTER_A_NAME.match(text)
    return text[begins.end() :] if begins else text


def quoted(name: str, text: str) -> str:
    """What somebody wrote, each line behind `>`."""
    lines = text[:QUOTE_LIMIT].splitlines() or [""]
    return "\n".join([f"{name} wrote:", *(f"> {line}" for line in lines)])
