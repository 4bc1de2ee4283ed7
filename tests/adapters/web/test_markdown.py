"""What a model writes is shown as text: safe, and the same whether it grew or came at once."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.web.markdown import MAX_RENDERED_CHARS, GrowingText, render, render_line

SAMPLE = """# Title

Some *text* with `code`,
and a second line.

1. one

   more of one
   - deep

```python
def f(x):

    return "a"
```

| a | b |
|---|--:|
| 1 | 2 |

Heading
===

> quoted
lazily

    indented

    code

[named]

[named]: https://example.org
"""
LINES = (
    "# a", "- b", "  - c", "1. d", "```", "```py", "|x|y|", "|-|-|", "===", "---", "> q",
    "    code", "word *em* `c`", "[r]: https://x.org", "[r]", "", "  text", "~~~",
    "<b>", "a\rb", "\u2028",
)  # fmt: skip


class Elements(HTMLParser):
    """What a browser would make of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


def html(text: str) -> str:
    return "".join(render(text))


def grown(text: str, step: int) -> tuple[str, ...]:
    growing, page = GrowingText(), list[str]()
    for end in range(step, len(text) + step, step):
        change = growing.show(text[:end])
        page[change.keep :] = change.blocks
    change = growing.end(text)
    page[change.keep :] = change.blocks
    return tuple(page)


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_text_that_grew_reads_as_one_that_came_at_once(step: int) -> None:
    assert grown(SAMPLE, step) == render(SAMPLE)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(st.sampled_from(LINES), max_size=14), step=st.integers(1, 9))
def test_growing_loses_nothing_whatever_the_text(lines: list[str], step: int) -> None:
    text = "\n".join(lines)
    assert grown(text, step) == render(text)


def test_a_block_that_is_complete_is_not_sent_again() -> None:
    growing = GrowingText()
    text = "First.\n\nSecond.\n\nThird"
    growing.show(text)
    assert growing.show(text + " grows").keep == 2


def test_what_is_complete_already_looks_final_while_the_rest_grows() -> None:
    growing = GrowingText()
    assert growing.show("- a\n  - b\n\nAfter").blocks == render("- a\n  - b\n\nAfter")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '[x](javascript:alert(1) "t")',
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](data:image/svg+xml;base64,PHN2Zz4=)",
        "![x](https://elsewhere.example/pixel.gif)",
        "<https://ok.example/\"onmouseover=alert(1)>",
        "```\"><script>alert(1)</script>\n<b>\n```",
        "[x](vbscript:x) [y](file:///etc/passwd) [z](//elsewhere.example)",
    ],
)  # fmt: skip
def test_nothing_a_model_writes_becomes_a_script_or_a_picture(text: str) -> None:
    parts = Elements()
    parts.feed(html(text))
    assert not parts.tags & {"script", "img", "b", "iframe", "svg"}
    assert not {name for name in parts.attributes if name.startswith("on")}
    assert all(address.startswith("https://") for address in parts.addresses)


def test_links_open_apart_and_tell_nobody_where_they_were() -> None:
    assert html("https://example.org/a").count('rel="noopener noreferrer nofollow"') == 1


def test_a_picture_becomes_a_link_with_its_words() -> None:
    assert "Picture: a <i>cat</i>" not in html("![a <i>cat</i>](https://e.org/c.png)")
    assert "Picture: a cat</a>" in html("![a cat](https://e.org/c.png)")


def test_file_names_are_not_taken_for_addresses() -> None:
    assert "<a" not in html("Edit main.py and README.md, then write to ada@example.org.")


def test_no_inline_style_since_the_policy_forbids_it() -> None:
    assert "style=" not in html("|a|b|\n|:-:|--:|\n|1|2|")


def test_code_is_coloured_in_a_language_that_is_known_and_plain_in_others() -> None:
    assert '<span class="t-k">' in html("```python\ndef f(): ...\n```")
    assert "t-" not in html("```nonsense\ndef f(): ...\n```")


def test_headings_stand_one_level_below_those_of_the_page() -> None:
    assert html("# One") == '<h4 class="level1">One</h4>\n'
    assert html("### Three") == '<h4 class="level3">Three</h4>\n'


def test_an_endless_text_is_shown_as_it_is() -> None:
    blocks = render("<b>" + "a" * MAX_RENDERED_CHARS)
    assert len(blocks) == 1
    assert "&lt;b&gt;" in blocks[0]


def test_a_sentence_of_ours_keeps_its_code() -> None:
    assert render_line("Ask `parley doctor`.") == "Ask <code>parley doctor</code>."


@pytest.mark.parametrize(
    "formula",
    [
        r"\(a_1 * b * c_1\)",
        r"\[ x = \frac{1}{2}\,dx \]",
        "$a_i + b_i$",
        "$$\n\\int_0^1 x\\,dx = \\{1\\}\n$$",
    ],
)
def test_a_formula_is_shown_as_it_was_written(formula: str) -> None:
    (html,) = render(f"So {formula}.")
    shown = re.sub(r"\s+", " ", formula)
    assert f"<code>{shown}</code>" in re.sub(r"\s+", " ", html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It is $5 or *$6*.", "It is $5 or <em>$6</em>."),
        ("From $5_000 = a lot to $6_000.", "From $5_000 = a lot to $6_000."),
        (r"\[a\] and \(b\)", "[a] and (b)"),
        (r"An open \[ x = 1", "An open [ x = 1"),
        ("costs $x = 1 and *more*", "costs $x = 1 and <em>more</em>"),
    ],
)
def test_money_and_brackets_are_no_formula(text: str, html: str) -> None:
    assert render(text) == (f"<p>{html}</p>\n",)


def test_formulas_that_never_end_stay_one_text() -> None:
    assert len(render(r"\( " * 30_000)) == 1
