"""What anybody might send: odd text, odd JSON, known shapes with odd parts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

ODD = [
    "", " ", "\0", "\u202e", "\ud83d", "é" * 50, "=cmd|' /C calc'!A0", "@fast", "@", "/", "```",
    "~~~", "|", "<@U1>", "<!here>", "<@&1>", "<#C1|x>", "<https://a|b>", "settings", "help me",
    "debate rounds:9 ", "1e999", "-1", "NaN", "{", "[", '{"objections": [', "$1", "%s",
    "<script>alert(1)</script>", "![x](javascript:1)", "[a](data:text/html,x)", "\x1b[31m",
    "a" * 5_000, "[" * 2_000, "- " * 500,
]  # fmt: skip
"""Pieces that mean something to one parser or another."""

text = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=40)), max_size=6).map("".join)
numbers = st.one_of(st.integers(), st.floats(), st.just(2**70), st.just(float("nan")))
json: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, text),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)),
    max_leaves=12,
)


def shape(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dictionary with each of these keys there, or not."""
    return st.fixed_dictionaries({}, optional=parts)
