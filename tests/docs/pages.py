"""The pages as a reader meets them: blocks of code, words in code, links, headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_NAMES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
_MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a page, and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One page, by its path in the repository."""

    name: str

    @cached_property
    def text(self) -> str:
        """All of it."""
        return (ROOT / self.name).read_text(encoding="utf-8")

    @cached_property
    def _tokens(self) -> list[Token]:
        return _MARKDOWN.parse(self.text)

    def blocks(self) -> Iterator[Found]:
        """Blocks of code, indented or fenced, without their fences."""
        for token in self._tokens:
            if token.type in ("code_block", "fence") and token.map:
                yield Found(self.name, token.map[0] + 1 + (token.type == "fence"), token.content)

    def words(self) -> Iterator[Found]:
        """What stands in backticks."""
        for line, token in self._inline():
            if token.type == "code_inline":
                yield Found(self.name, line, token.content)

    def links(self) -> Iterator[Found]:
        """Where links and pictures lead."""
        for line, token in self._inline():
            target = token.attrs.get("href") or token.attrs.get("src")
            if target:
                yield Found(self.name, line, str(target))

    def anchors(self) -> set[str]:
        """The names under which its headings can be linked to."""
        heads = [
            self._tokens[i + 1] for i, t in enumerate(self._tokens) if t.type == "heading_open"
        ]
        return {to_anchor(head.content) for head in heads}

    def _inline(self) -> Iterator[tuple[int, Token]]:
        for token in self._tokens:
            if token.type == "inline":
                line = (token.map or [0])[0] + 1
                yield from ((line, child) for child in token.children or ())


def to_anchor(heading: str) -> str:
    """The name of a heading as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")


PAGES = [
    Page(n) for n in (*_NAMES, *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))
]
