"""Answers as Discord shows them: parts of 2000 characters, small print as subtext. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapters.replies import close_fence, split
from bot.pictures import Card
from bot.replies import Notice, Reply
from bot.settings import FooterStyle

LIMIT = 2000
BRIEF = 700
"""How much of a brief message is shown."""
FILE_NAME = "answer.md"
FILE_NOTE = f"The whole answer is in {FILE_NAME}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The messages of one answer; `file` is its picture, or its whole text when they hold less."""

    parts: tuple[str, ...]
    file: str | Card = ""


def utf16_units(text: str) -> int:
    """A text's length as Discord's clients count it; never less than its characters."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def to_preview(text: str, max_parts: int) -> tuple[str, ...]:
    """The text so far, each part with its fences closed."""
    return tuple(_parts(text)[:max_parts])


def to_finished(reply: Reply, style: FooterStyle, max_parts: int) -> Rendered:
    """The whole answer with its notes and footer on the last part."""
    parts = _parts(reply.text)
    file: str | Card = reply.card or ""
    notes = list(reply.notes)
    if len(parts) > max_parts:
        parts, file = parts[:max_parts], reply.text
        notes.insert(0, FILE_NOTE)
    line = reply.footer.line(style) if reply.footer else ""
    tail = "\n".join(subtext(each) for each in (*notes, line) if each)
    with_tail = _with_tail(parts, tail)
    if file and len(with_tail) > max_parts:
        # The file holds it all, so the last part may be shorter.
        with_tail = [*with_tail[: max_parts - 1], _joined(with_tail[max_parts - 1], tail)]
    return Rendered(parts=tuple(with_tail), file=file)


def to_brief(text: str) -> str:
    """The beginning of a text that is to crowd nobody, cut where a reader would."""
    return f"{split(text, BRIEF)[0]} …" if len(text) > BRIEF else text


def to_finished_brief(reply: Reply, label: str, style: FooterStyle) -> Rendered:
    """One message with the beginning of a long text, the whole of it in a file."""
    brief = to_brief(reply.text)
    is_cut = brief != reply.text
    notes = (FILE_NOTE, *reply.notes) if is_cut else reply.notes
    shown = replace(reply, text=f"{label}{brief}", notes=notes)
    return replace(to_finished(shown, style, 1), file=reply.text if is_cut else "")


def to_notice(notice: Notice) -> Rendered:
    """A sentence in place of an answer."""
    return Rendered(parts=tuple(_parts(notice.text)[:1]))


def subtext(text: str) -> str:
    """Small print: one line, whatever it held."""
    return f"-# {' '.join(text.split())}"


def _parts(text: str) -> list[str]:
    """Parts as Discord keeps them: without white space around them, and none empty."""
    cut = split(close_fence(text), LIMIT, length=utf16_units)
    return [part.strip("\n").rstrip() for part in cut if part.strip()]


def _with_tail(parts: list[str], tail: str) -> list[str]:
    """Put the small print under the last part; make room for it if there is none."""
    if not tail:
        return parts or ["-# (no answer)"]
    if not parts:
        return [tail[:LIMIT]]
    room = LIMIT - utf16_units(tail) - 1
    if room < LIMIT // 2:
        return [*parts, tail[:LIMIT]]
    ending = [part for part in split(parts[-1], room, length=utf16_units) if part.strip()]
    return [*parts[:-1], *ending[:-1], _joined(ending[-1], tail)]


def _joined(part: str, tail: str) -> str:
    return f"{part}\n{tail}"
