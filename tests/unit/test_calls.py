"""Tokens are estimated on the high side, in any script."""

import pytest

from bot.attachments import to_data
from bot.calls import ModelCall, Purpose, estimate_input_tokens, estimate_tokens
from bot.messages import Attachment, Message, Role
from tests.fakes import model
from tests.unit.test_image_headers import png


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


@pytest.mark.parametrize(
    ("model_id", "width", "height", "tokens", "why"),
    [
        ("anthropic/claude-opus-5-5", 0, 0, 1_600, "its bytes are gone, so it is told of in words"),
        ("anthropic/claude-opus-5-5", 64, 64, 1_600, "Gemini has the same for any size"),
        ("anthropic/claude-opus-5-5", 2_576, 1_456, 4_784, "all that Claude looks at"),
        ("gemini/gemini-pro-latest", 4_032, 3_024, 1_120, "a phone's photo"),
        ("openai/gpt-4.1-nano", 1_024, 1_024, 2_520, "1,024 patches times 2.46"),
        ("openai/gpt-6-luna", 4_032, 3_024, 12_000, "10,000 patches times 1.2"),
        ("openrouter/openai/gpt-6-luna", 2_048, 1_536, 3_687, "3,072 patches times 1.2"),
    ],
)
def test_a_picture_is_held_at_the_most_that_its_provider_bills(
    model_id: str, width: int, height: int, tokens: int, why: str
) -> None:
    data = png(width, height) if width else b""
    image = Attachment(name="a.png", media_type="image/png", size_bytes=1, data=data)
    call = ModelCall(
        call_id="t:1",
        purpose=Purpose.ANSWER,
        model=model("a", model_id=model_id),
        messages=(Message(role=Role.USER, text="", attachments=(image,)),),
        max_output_tokens=10,
    )
    assert tokens <= call.input_tokens <= max(tokens * 9 // 4, 4_808), why


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
