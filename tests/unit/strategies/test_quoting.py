"""A text that is quoted to another model fits, and says where it was cut."""

from hypothesis import given
from hypothesis import strategies as st

from bot.calls import estimate_tokens
from bot.messages import Attachment, Message, Role
from bot.strategies.quoting import asked_further, excerpt, quotable_tokens
from tests.fakes import model


def test_a_short_text_is_quoted_whole() -> None:
    assert excerpt("Short.", 100) == "Short."


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    cut = excerpt("begin " + "middle " * 2_000 + "end", 200)
    assert cut.startswith("begin")
    assert cut.endswith("end")
    assert "characters are left out here" in cut


@given(st.text(min_size=1, max_size=3_000), st.integers(min_value=40, max_value=400))
def test_an_excerpt_fits(text: str, limit_tokens: int) -> None:
    assert estimate_tokens(excerpt(text, limit_tokens)) <= limit_tokens


def test_several_texts_share_the_window() -> None:
    asked = (Message(role=Role.USER, text="Why?"),)
    small = model("small", context_tokens=8_000)
    assert quotable_tokens(small, asked, 4) * 4 < 8_000
    assert quotable_tokens(small, asked, 1) > quotable_tokens(small, asked, 4)


def test_the_newest_prompt_keeps_its_files() -> None:
    note = Attachment(name="n.txt", media_type="text/plain", size_bytes=1, text="x")
    asked = (Message(role=Role.USER, text="Why?", attachments=(note,)),)
    (further,) = asked_further(asked, "Be brief.")
    assert (further.text, further.attachments) == ("Why?\n\nBe brief.", (note,))
