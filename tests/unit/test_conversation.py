"""What a model is sent always fits, keeps the newest prompt, and tells speakers apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calls import estimate_input_tokens
from bot.catalog import Capability
from bot.conversation import fit, needs_of, to_messages
from bot.errors import PromptTooLongError
from bot.messages import Attachment, Message, Role
from bot.turns import Utterance
from tests.fakes import NOON, turn

IMAGE = Attachment(name="a.png", media_type="image/png", size_bytes=3, data=b"png")


def _said(role: Role, text: str, name: str = "Ada") -> Utterance:
    return Utterance(role=role, author_name=name, text=text, sent_at=NOON)


def _texts(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    return [(m.role.value, m.text) for m in messages]


def test_the_history_stands_between_system_prompt_and_prompt() -> None:
    history = (_said(Role.USER, "Hi"), _said(Role.ASSISTANT, "Hello", ""))
    messages = to_messages(history, turn("How?"), "How?", system_prompt="Be kind.")
    assert _texts(messages) == [
        ("system", "Be kind."),
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("user", "How?"),
    ]


def test_several_speakers_are_named() -> None:
    history = (_said(Role.USER, "Hi", "Grace\nHopper"), _said(Role.ASSISTANT, "Hello", ""))
    messages = to_messages(history, turn("And me?"), "And me?", system_prompt="")
    assert _texts(messages) == [
        ("user", "Grace Hopper: Hi"),
        ("assistant", "Hello"),
        ("user", "Ada: And me?"),
    ]


def test_messages_of_one_author_in_a_row_read_as_one() -> None:
    history = (_said(Role.USER, "Wait"), _said(Role.USER, "there is more"))
    messages = to_messages(history, turn("now"), "now", system_prompt="")
    assert _texts(messages) == [("user", "Wait\n\nthere is more\n\nnow")]


def test_an_image_needs_vision() -> None:
    messages = to_messages((), turn("What is it?", attachments=(IMAGE,)), "?", system_prompt="")
    assert needs_of(messages) == {Capability.VISION}
    assert needs_of(messages[:0]) == frozenset()


def test_the_oldest_messages_are_left_out_and_it_is_said() -> None:
    messages = [
        Message(role=Role.SYSTEM, text="s"),
        Message(role=Role.USER, text="old " * 100),
        Message(role=Role.ASSISTANT, text="older answer"),
        Message(role=Role.USER, text="new"),
    ]
    fitted = fit(messages, limit_tokens=60)
    assert _texts(fitted.messages) == [("system", "s"), ("user", "new")]
    assert fitted.note == "The 2 oldest messages here did not fit and were left out."


def test_nothing_is_said_when_all_fits() -> None:
    fitted = fit([Message(role=Role.USER, text="hi")], limit_tokens=100)
    assert (fitted.left_out, fitted.note) == (0, "")


def test_a_prompt_that_does_not_fit_is_never_cut() -> None:
    with pytest.raises(PromptTooLongError):
        fit([Message(role=Role.USER, text="word " * 1000)], limit_tokens=100)


_MESSAGES = st.lists(
    st.builds(
        Message,
        role=st.sampled_from([Role.USER, Role.ASSISTANT]),
        text=st.text(max_size=200),
    ),
    max_size=12,
)


@given(_MESSAGES, st.integers(20, 400))
def test_what_is_sent_fits_and_ends_with_the_prompt(history: list[Message], limit: int) -> None:
    system, prompt = Message(role=Role.SYSTEM, text="s"), Message(role=Role.USER, text="?")
    fitted = fit([system, *history, prompt], limit_tokens=limit)
    assert estimate_input_tokens(fitted.messages) <= limit
    assert fitted.messages[0] == system
    assert fitted.messages[-1] == prompt
    assert fitted.messages[1:] == (*history, prompt)[fitted.left_out :]
    if fitted.left_out:
        assert fitted.messages[1].role is Role.USER
