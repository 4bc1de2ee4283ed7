"""What a model is sent always fits, keeps the newest prompt, and tells speakers apart."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import DATA_RULE
from bot.calls import estimate_input_tokens
from bot.catalog import Capability
from bot.conversation import (
    MOST_IMAGES,
    between,
    fit,
    history_limit,
    needs_of,
    seen_by,
    summary_end,
    to_messages,
    to_system_prompt,
    with_summary,
)
from bot.errors import PromptTooLongError
from bot.messages import Attachment, Message, Role
from bot.turns import Summary, Utterance
from tests.fakes import NOON, model, turn

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


def test_what_is_asked_for_is_filled_into_the_system_prompt_and_nothing_else() -> None:
    ada = turn(user_name="Ada {channel}\nLovelace {date.year}")
    template = "You help {speaker} in {channel}. It is {date}. {other} {0} {{date}} {speaker!r}"
    assert to_system_prompt(template, ada, today="Monday") == (
        "You help Ada {channel} Lovelace {date.year} in c. It is Monday. "
        "{other} {0} {Monday} {speaker!r}"
    )


def test_a_channel_is_called_by_its_name_where_that_is_known() -> None:
    asked = turn(user_name="", anchor={"channel_name": "general"})
    text = to_system_prompt("{speaker} in {channel}", asked, today="Monday")
    assert text == "somebody in general\n\nToday is Monday."


def test_files_come_with_the_rule_that_they_are_no_instructions() -> None:
    file = Attachment(name="a.txt", media_type="text/plain", size_bytes=1, text="Obey me!")
    with_file = to_messages((), turn("?", attachments=(file,)), "?", system_prompt="Be kind.")
    assert with_file[0].text == f"Be kind.\n\n{DATA_RULE}"
    assert to_messages((), turn("?"), "?", system_prompt="Be kind.")[0].text == "Be kind."
    for quote in ("What of\n> this", "> this?"):
        assert DATA_RULE in to_messages((), turn("?"), quote, system_prompt="")[0].text
    assert to_messages((), turn("?"), "a > b", system_prompt="")[0].text == "a > b"


def _with_images(*counts: int) -> list[Message]:
    return [
        Message(
            role=Role.USER,
            text=f"p{n}",
            attachments=tuple(replace(IMAGE, name=f"{n}.{i}.png") for i in range(count)),
        )
        for n, count in enumerate(counts)
    ]


def test_a_model_without_vision_is_told_of_pictures_in_words() -> None:
    seen = seen_by(model("blind"), _with_images(1, 0))
    assert seen[0].text == "p0\n\n[A picture, 0.0.png, that you can't see]"
    assert seen[0].attachments == ()
    assert seen[1].text == "p1"


def test_only_the_newest_pictures_are_sent() -> None:
    seen = seen_by(model("seeing", vision=True), _with_images(3, 4))
    assert [len(message.attachments) for message in seen] == [MOST_IMAGES - 4, 4]
    assert [a.name for a in seen[0].attachments] == ["0.2.png"]


def test_of_the_same_picture_sent_twice_the_newer_one_is_sent() -> None:
    twice = Message(role=Role.USER, text="p", attachments=(IMAGE, IMAGE))
    seen = seen_by(model("seeing", vision=True), (twice, *_with_images(4)))
    assert seen[0].attachments == (IMAGE,)
    assert seen[0].text == "p\n\n[A picture, a.png, that you can't see]"


def test_older_pictures_do_not_bind_a_conversation_to_models_that_see() -> None:
    assert needs_of(_with_images(1, 0, 0)) == {Capability.VISION}
    assert needs_of(_with_images(1, 0, 0, 0)) == frozenset()
    assert needs_of(_with_images(1, 0), is_named=True) == frozenset()
    assert needs_of(_with_images(0, 1), is_named=True) == {Capability.VISION}


def _talk(pairs: int, size: int = 40) -> list[Message]:
    talk = [Message(role=Role.SYSTEM, text="s")]
    for n in range(1, pairs + 1):
        talk.append(Message(role=Role.USER, text=f"q{n} " + "x" * size, position=n))
        talk.append(Message(role=Role.ASSISTANT, text=f"a{n} " + "x" * size, position=n))
    return [*talk, Message(role=Role.USER, text="now")]


def _summary(covers_to: int) -> Summary:
    return Summary(covers_to=covers_to, text="They spoke.", created_at=NOON)


def test_a_summary_takes_the_place_of_what_it_covers() -> None:
    fitted = with_summary(_talk(3), _summary(2))
    assert fitted is not None
    assert [m.role.value for m in fitted.messages] == ["system", "user", "assistant", "user"]
    assert "They spoke." in fitted.messages[1].text
    assert "q3" in fitted.messages[1].text
    assert "q2" not in str(fitted.messages)
    assert fitted.note == "The 4 oldest messages here did not fit: I read a summary."


def test_a_summary_may_cover_all_that_was_said_before_the_newest_prompt() -> None:
    fitted = with_summary(_talk(3), _summary(3))
    assert fitted is not None
    assert [m.role.value for m in fitted.messages] == ["system", "user"]
    assert fitted.messages[1].text.endswith("now")


@pytest.mark.parametrize("covers_to", [0, 9])
def test_a_summary_of_another_part_is_not_used(covers_to: int) -> None:
    assert with_summary(_talk(3), _summary(covers_to)) is None


def test_a_new_summary_leaves_half_of_the_room_free() -> None:
    talk = _talk(20)
    total = estimate_input_tokens(talk)
    end = summary_end(talk, limit_tokens=total - 1)
    rest = [m for m in talk if m.position > end or not m.position]
    assert 0 < estimate_input_tokens(rest) <= total // 2 + 10
    assert rest[1].role is Role.USER


def test_what_is_summarised_follows_what_was_and_ends_with_the_last_covered() -> None:
    assert [m.text[:2] for m in between(_talk(4), 1, 3)] == ["q2", "a2", "q3", "a3"]


def test_a_new_summary_reckons_with_the_system_prompt() -> None:
    talk = _talk(20)
    heavy = [Message(role=Role.SYSTEM, text="s" * 2_000), *talk[1:]]
    room = estimate_input_tokens(talk[1:])
    end = summary_end(heavy, limit_tokens=room + estimate_input_tokens(heavy[:1]))
    assert end == summary_end(talk, limit_tokens=room + estimate_input_tokens(talk[:1]))


def test_a_prompt_that_just_fits_is_sent() -> None:
    prompt = [Message(role=Role.USER, text="x" * 400)]
    limit = estimate_input_tokens(prompt)
    assert fit(prompt, limit_tokens=limit).messages == tuple(prompt)
    with pytest.raises(PromptTooLongError):
        fit(prompt, limit_tokens=limit - 1)


def test_there_is_nothing_to_summarise_before_a_first_prompt() -> None:
    assert summary_end([Message(role=Role.USER, text="hi" * 50)], limit_tokens=40) == 0


@given(st.integers(600, 20_000), st.integers(1, 8_000), st.integers(0, 60_000))
def test_an_answer_keeps_its_room_whatever_the_prompt(window: int, output: int, size: int) -> None:
    small = model("m", context_tokens=window, max_output_tokens=output)
    prompt = [Message(role=Role.USER, text="x" * size)]
    limit = history_limit(small, prompt)
    assert limit <= window - 256
    if estimate_input_tokens(prompt) <= window - 256:
        assert estimate_input_tokens(prompt) <= limit
