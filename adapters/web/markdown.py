"""A model's Markdown as safe HTML, block by block, also while the text is still growing.

What a model writes is text: no HTML, no pictures from elsewhere, no addresses but web and mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from pygments import highlight  # type: ignore[import-untyped]  # it ships no types
from pygments.formatters.html import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

MAX_RENDERED_CHARS = 200_000
"""A longer text is shown as it is."""
KEPT_TEXTS = 256
"""Finished texts of which the HTML is kept: a page shows the same answers again and again."""
MAX_COLOURED_CHARS = 20_000
"""A longer block of code is shown in one colour."""
_LANGUAGES = (
    "bash c c++ cpp cs csharp css diff dockerfile go golang html ini java javascript js json jsx "
    "kotlin lua makefile php powershell py python python3 r rb ruby rs rust sh shell sql swift "
    "toml ts tsx typescript xml yaml yml zsh"
)
_COLOURED = frozenset(_LANGUAGES.split())
MAX_FORMULA_CHARS = 2_000
"""How far away the end of a formula is looked for."""
_FORMULAS = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_TEX = re.compile(r"[\\^_={}+]")
_NO_FORMULA = re.compile(r"^[\s\d]|\s$|\n")
"""What stands between two dollars that are money."""
_ADDRESS = re.compile(r"(?:https?://|mailto:)\S+\Z", re.IGNORECASE)
_Tokens = Sequence[Token]
_Env = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What a page does to follow: keep the first `keep` blocks, put `blocks` after them."""

    keep: int
    blocks: tuple[str, ...]


@lru_cache(maxsize=KEPT_TEXTS)
def render(text: str) -> tuple[str, ...]:
    """A whole text as one piece of HTML for each top-level block."""
    if len(text) > MAX_RENDERED_CHARS:
        return (f"<p class=plain>{escapeHtml(text)}</p>",)
    env: _Env = {}
    return tuple(_rendered(_MARKDOWN.parse(text, env), env))


def render_line(text: str) -> str:
    """One sentence of our own, with its `code` and *stress*, in no block."""
    return str(_MARKDOWN.renderInline(text))


class GrowingText:
    """Renders a text that is being written; a block that is complete is not rendered again."""

    def __init__(self) -> None:
        self._settled_chars = 0
        self._settled_blocks = 0
        self._shown: list[str] = []

    def show(self, text: str) -> Change:
        """What changed since the last call, for a text that only grew since then."""
        if len(text) > MAX_RENDERED_CHARS:
            return self._replace(0, render(text))
        env: _Env = {}
        tail = text[self._settled_chars :]
        change = self._replace(
            self._settled_blocks, tuple(_rendered(_MARKDOWN.parse(tail, env), env))
        )
        self._settle(tail)
        return change

    def end(self, text: str) -> Change:
        """The same for the whole and final text, rendered at one piece."""
        return self._replace(0, render(text))

    def _replace(self, start: int, blocks: tuple[str, ...]) -> Change:
        old = self._shown[start:]
        same = 0
        while same < min(len(old), len(blocks)) and old[same] == blocks[same]:
            same += 1
        self._shown[start + same :] = blocks[same:]
        return Change(start + same, blocks[same:])

    def _settle(self, tail: str) -> None:
        """Leave what stands before the last block alone; only whole lines tell where that is."""
        if len(self._shown) - self._settled_blocks < 2:
            return
        whole = tail[: tail.rfind("\n") + 1]
        if "\r" in whole:  # the parser counts lines in another way then
            return
        starts = [token.map[0] for token in _top_level(_MARKDOWN.parse(whole, {})) if token.map]
        if len(starts) < 2:
            return
        lines = whole.split("\n")
        self._settled_chars += sum(len(line) + 1 for line in lines[: starts[-1]])
        self._settled_blocks += len(starts) - 1


def _top_level(tokens: _Tokens) -> list[Token]:
    """The tokens that open a top-level block."""
    return [token for token in tokens if token.level == 0 and token.nesting >= 0]


def _rendered(tokens: _Tokens, env: _Env) -> Iterator[str]:
    start = 0
    for position, token in enumerate(tokens, 1):
        if token.level == 0 and token.nesting <= 0:
            yield str(_MARKDOWN.renderer.render(tokens[start:position], _MARKDOWN.options, env))
            start = position


def _code(language: str, code: str) -> str:
    """A block of code with its language and a button that copies it."""
    name = escapeHtml(language[:24]) or "text"
    return (
        f'<figure class="code"><figcaption><span>{name}</span>'
        '<button type="button" class="copy" data-do="copy">Copy</button></figcaption>'
        f'<pre tabindex="0" role="group" aria-label="Code, {name}">'
        f"<code>{_coloured(language.lower(), code)}</code></pre></figure>\n"
    )


def _coloured(language: str, code: str) -> str:
    if language not in _COLOURED or len(code) > MAX_COLOURED_CHARS:
        return str(escapeHtml(code))
    lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    return str(highlight(code, lexer, _FORMATTER))


def _fence(
    renderer: RendererHTML, tokens: _Tokens, index: int, options: OptionsDict, env: _Env
) -> str:
    words = tokens[index].info.split()
    return _code(words[0] if words else "", tokens[index].content)


def _image(
    renderer: RendererHTML, tokens: _Tokens, index: int, options: OptionsDict, env: _Env
) -> str:
    """A link in a picture's place: the page loads nothing from elsewhere."""
    token = tokens[index]
    address = escapeHtml(str(token.attrs["src"]))
    words = escapeHtml(renderer.renderInlineAsText(token.children, options, env)) or address
    return f'<a href="{address}" target="_blank" rel="{_REL}">Picture: {words}</a>'


def _link_open(
    renderer: RendererHTML, tokens: _Tokens, index: int, options: OptionsDict, env: _Env
) -> str:
    tokens[index].attrs.update({"target": "_blank", "rel": _REL})
    return str(renderer.renderToken(tokens, index, options, env))


def _heading(
    renderer: RendererHTML, tokens: _Tokens, index: int, options: OptionsDict, env: _Env
) -> str:
    """One level below the page's own headings, whichever level the model begins with."""
    token = tokens[index]
    if token.nesting > 0:
        token.attrs["class"] = f"level{token.tag[1:]}"
    token.tag = "h4"
    return str(renderer.renderToken(tokens, index, options, env))


def _cell_open(
    renderer: RendererHTML, tokens: _Tokens, index: int, options: OptionsDict, env: _Env
) -> str:
    """Alignment as a class: the page's policy allows no inline style."""
    if style := str(tokens[index].attrs.pop("style", "")):
        tokens[index].attrs["class"] = style.replace("text-align:", "to-")
    return str(renderer.renderToken(tokens, index, options, env))


def _table_open(*_: object) -> str:
    return '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>\n'


def _table_close(*_: object) -> str:
    return "</table></div>\n"


def _formula(state: StateInline, silent: bool) -> bool:
    """A formula in TeX as it was written: its backslashes, stars and underscores mean nothing."""
    begin = next((each for each in _FORMULAS if state.src.startswith(each, state.pos)), "")
    if not begin:
        return False
    end = _FORMULAS[begin]
    start = state.pos + len(begin)
    stop = state.src.find(end, start, start + MAX_FORMULA_CHARS)
    formula = state.src[start : max(start, stop)]
    if not _TEX.search(formula) or (begin == "$" and _NO_FORMULA.search(formula)):
        return False
    if not silent:
        state.push("code_inline", "code", 0).content = f"{begin}{formula}{end}"
    state.pos = stop + len(end)
    return True


_REL = "noopener noreferrer nofollow"
_FORMATTER = HtmlFormatter(nowrap=True, classprefix="t-")
_RULES: Mapping[str, Callable[..., str]] = {
    "fence": _fence,
    "code_block": _fence,
    "image": _image,
    "link_open": _link_open,
    "heading_open": _heading,
    "heading_close": _heading,
    "th_open": _cell_open,
    "td_open": _cell_open,
    "table_open": _table_open,
    "table_close": _table_close,
}


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("gfm-like", {"html": False, "breaks": True, "maxNesting": 40})
    if markdown.linkify is not None:
        markdown.linkify.set({"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    markdown.validateLink = lambda url: bool(_ADDRESS.match(url))  # type: ignore[method-assign]  # the library's own way
    markdown.inline.ruler.before("escape", "formula", _formula)
    for name, rule in _RULES.items():
        markdown.add_render_rule(name, rule)
    return markdown


_MARKDOWN = _markdown()
