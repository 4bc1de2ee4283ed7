"""Tokens are estimated on the high side, in any script."""

import pytest

from bot.attachments import to_data
from bot.calls import ModelCall, Purpose, estimate_input_tokens, estimate_tokens
from bot.messages import Attachment, Message, Role
from tests.fakes import model


@pytest.mark.parametrize(
    ("text", "tokens", "why"),
    [
        ("", 0, "nothing is nothing"),
        ("a", 1, "a letter is a token"),
        ("the cat sat on the mat", 6, "a short word is a token"),
        ("internationalisation" * 10, 50, "a long word has one for four letters"),
        ("0.1234,0.5678\n" * 10, 127, "a table has one for a digit, and nearly one for a comma"),
        ("aGVsbG8gV29ybGQ" * 10, 111, "base64 has no words"),
        ("你好世界", 4, "a Chinese character is a token"),
        ("héllo", 2, "one character outside ASCII, four inside"),
        ("👍", 1, "an emoji"),
    ],
)
def test_estimates_tokens(text: str, tokens: int, why: str) -> None:
    assert estimate_tokens(text) == tokens, why


def test_attachments_count() -> None:
    image = Attachment(name="a.png", media_type="image/png", size_bytes=1, data=b"x")
    file = Attachment(name="a.txt", media_type="text/plain", size_bytes=350, text="x" * 350)
    plain = Message(role=Role.USER, text="hi")
    with_both = Message(role=Role.USER, text="hi", attachments=(image, file))
    added = estimate_input_tokens([with_both]) - estimate_input_tokens([plain])
    assert added >= 1_600 + estimate_tokens(to_data(file))


def test_a_call_knows_its_input() -> None:
    messages = (Message(role=Role.USER, text="x" * 35),)
    call = ModelCall(
        call_id="t:1",
        purpose=Purpose.ANSWER,
        model=model("a"),
        messages=messages,
        max_output_tokens=10,
    )
    assert call.input_tokens == 17
