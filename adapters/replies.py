"""Long answers as several messages: cut where a reader would, with code fences kept whole. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

Length = Callable[[str], int]
"""A text's length in a platform's own unit."""

_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)
_MAX_INFO = 24
"""A longer info string is not repeated when its fence is reopened."""
_BREAKS = (
    re.compile(r"\n\s*\n"),  # paragraph
    re.compile(r"\n"),  # line
    re.compile(
        r"(?<=[.!?…。！？])\s+|(?<=[。！？])(?![。！？」』”）])"
    ),  # sentence, also without a space
    re.compile(r"\s+"),  # word
)
_JOINER = "\u200d"
_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_LONGEST_CHARACTER = 32
"""How many code points one emoji may have; a longer row of joined ones is cut anywhere."""
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_LEAST_FILL = 0.5
"""A part is filled at least this far before a better break is preferred to a fuller part."""


@dataclass(frozen=True, slots=True)
class _OpenFence:
    marks: str
    info: str

    @property
    def reopened(self) -> str:
        return f"{self.marks}{self.info if len(self.info) <= _MAX_INFO else ''}\n"

    @property
    def closed(self) -> str:
        return f"\n{self.marks}"


def split(text: str, limit: int, *, length: Length = len) -> list[str]:
    """Cut a text into parts of at most `limit`: at a paragraph, else line, sentence, word.

    A code fence that is cut is closed, and reopened with its language in the next part. Taking
    the added fence lines and the white space at the cuts away again gives the text back.
    """
    parts: list[str] = []
    fence: _OpenFence | None = None
    rest = text
    while rest:
        prefix = fence.reopened if fence else ""
        if length(prefix + rest) <= limit:
            parts.append(prefix + rest)
            break
        head, rest, fence = _cut(rest, prefix, fence, limit, length)
        parts.append(head)
    return parts


def close_fence(text: str) -> str:
    """The text, with a closing line added when a code fence is still open at its end."""
    fence = _open_at(text, None)
    if fence is None:
        return text
    return f"{text.rstrip()}{fence.closed}" if text.endswith("\n") else text + fence.closed


def _cut(
    rest: str, prefix: str, fence: _OpenFence | None, limit: int, length: Length
) -> tuple[str, str, _OpenFence | None]:
    """The first part, what follows, and the fence that stands open between them."""
    room = limit - length(prefix)
    size = _longest(rest, room, length)
    while True:
        end, start = _break(rest, size, inside_code=_open_at(rest[:size], fence) is not None)
        body, after = rest[:end], _open_at(rest[:end], fence)
        suffix = after.closed if after else ""
        over = length(prefix + body + suffix) - limit
        if over <= 0 or size <= 1:
            return prefix + body + suffix, rest[start:], after
        size = max(1, min(size, end) - max(1, over))


def _longest(text: str, room: int, length: Length) -> int:
    """How many characters from the start fit into `room`; at least one."""
    low, high = 1, min(len(text), max(1, room))
    while low < high:
        middle = (low + high + 1) // 2
        if length(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return low


def _break(text: str, size: int, *, inside_code: bool) -> tuple[int, int]:
    """Where the part ends and the next one begins, within the first `size` characters."""
    for pattern in _BREAKS[1:2] if inside_code else _BREAKS:
        found = None
        for match in pattern.finditer(text, 0, size + 1):
            if match.start() and match.start() <= size:
                found = match
        if found and found.start() >= size * _LEAST_FILL:
            return found.start(), found.start() + 1 if inside_code else found.end()
    whole = size
    while whole > max(1, size - _LONGEST_CHARACTER) and _is_within_character(text, whole):
        whole -= 1
    size = size if _is_within_character(text, whole) else whole
    return size, size


def _is_within_character(text: str, at: int) -> bool:
    """Whether both sides are one emoji, flag or accented letter to a reader."""
    before, after = text[max(0, at - 2 * _LONGEST_CHARACTER) : at], text[at : at + 1]
    if not after:
        return False
    if before.endswith(_JOINER) or after == _JOINER or _TONE.match(after):
        return True
    flags = len(before) - len(before.rstrip(_FLAG_LETTERS))
    is_flag = after in _FLAG_LETTERS and flags % 2 == 1
    return is_flag or unicodedata.combining(after) > 0 or "\ufe00" <= after <= "\ufe0f"


def _open_at(text: str, fence: _OpenFence | None) -> _OpenFence | None:
    """The fence that stands open at the end of `text`, which begins inside `fence`."""
    for match in _FENCE.finditer(text):
        marks, info = match["marks"], match["info"].strip()
        if fence is None:
            fence = None if "`" in info else _OpenFence(marks, info)
        elif marks.startswith(fence.marks) and not info:
            fence = None
    return fence
