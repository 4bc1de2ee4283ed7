"""Tags are found where a person means them, nowhere else, and never reach the model."""

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from bot.catalog import Tier
from bot.errors import UnknownModelError
from bot.tags import Tagged, parse_tags, with_tag, without_tags

ALIASES = ("haiku", "gpt-mini", "flash-2.5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", Tagged(prompt="hello")),
        ("@fast hello", Tagged(prompt="hello", tier=Tier.FREE)),
        ("hello @HEAVY", Tagged(prompt="hello", tier=Tier.FULL)),
        ("hello @cheap there", Tagged(prompt="hello there", tier=Tier.CHEAP)),
        ("@auto hello", Tagged(prompt="hello", is_auto=True)),
        ("@model:haiku hi", Tagged(prompt="hi", alias="haiku")),
        ("hi, @Haiku.", Tagged(prompt="hi, .", alias="haiku")),
        ("@flash-2.5: hi", Tagged(prompt="hi", alias="flash-2.5")),
        ("@Heavy, who are you?", Tagged(prompt="who are you?", tier=Tier.FULL)),
        (", hi", Tagged(prompt=", hi")),
        ("@fast @heavy hi", Tagged(prompt="hi", tier=Tier.FULL)),
        ("@haiku hi @fast", Tagged(prompt="hi", tier=Tier.FREE)),
        ("@heavy hi @auto", Tagged(prompt="hi", is_auto=True)),
        ("(@fast) hi", Tagged(prompt="() hi", tier=Tier.FREE)),
        ("line one\n@fast\nline two", Tagged(prompt="line one\n\nline two", tier=Tier.FREE)),
    ],
)
def test_reads_a_tag_and_takes_it_out(text: str, expected: Tagged) -> None:
    assert parse_tags(text, ALIASES) == expected


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("hello", "hello"),
        ("ada@heavy.com", "ada@heavy.com"),
        ("hi @ben", "hi @ben"),
        ("@Heavy hi @haiku", "hi"),
        ("@model:haiku hi", "hi"),
        ("@model:gone hi", "@model:gone hi"),
    ],
)
def test_an_earlier_prompt_is_read_without_its_tags(text: str, left: str) -> None:
    assert without_tags(text, ALIASES) == left


@pytest.mark.parametrize(
    "text",
    [
        "run `@fast now` please",
        "```\n@fast\n```",
        "```py\n@fast\ndef f(): ...",
        "~~~\n@heavy\n~~~ done",
        "write to me@fast.com",
        "see https://example.org/@heavy/x",
        "www.example.org/@fast",
        "ping <@123> and <!here>",
        "<https://a.b/@fast|link>",
        "user@fast",
        "@fastest",
        "@bob hello",
        "@fast@mastodon.social",
        "a/@fast",
    ],
)
def test_leaves_alone_what_is_no_tag(text: str) -> None:
    assert parse_tags(text, ALIASES) == Tagged(prompt=text)


def test_names_what_exists_for_an_unknown_model() -> None:
    with pytest.raises(UnknownModelError, match=r"no model `haiko`.*Did you mean `@haiku`"):
        parse_tags("@model:haiko hi", ALIASES)


ASLEEP = {"opus": "OPUS_API_KEY"}


@pytest.mark.parametrize("text", ["@opus hi", "@model:opus hi", "hi, @Opus.", "@fast @opus hi"])
def test_a_model_without_its_key_is_answered_with_what_is_missing(text: str) -> None:
    with pytest.raises(UnknownModelError, match=r"opus.*OPUS_API_KEY.*`@haiku`.*Nothing was"):
        parse_tags(text, ALIASES, ASLEEP)


@pytest.mark.parametrize("text", ["`@opus`", "me@opus", "opus 28", "@opusdei", "see a.b/@opus"])
def test_what_merely_holds_the_name_of_such_a_model_is_no_tag(text: str) -> None:
    assert parse_tags(text, ALIASES, ASLEEP) == Tagged(prompt=text)


def test_an_unknown_model_in_code_is_no_error() -> None:
    assert parse_tags("`@model:nope`", ALIASES).prompt == "`@model:nope`"


_PIECES = st.sampled_from(
    [
        "@fast",
        "@heavy",
        "@haiku",
        "@model:haiku",
        " ",
        "\n",
        "`",
        "```",
        "a",
        "@",
        ".",
        "(",
        "ü",
        "<",
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_a_tag_never_survives_into_the_prompt(text: str) -> None:
    try:
        prompt = parse_tags(text, ALIASES).prompt
    except UnknownModelError:
        reject()
    assert parse_tags(prompt, ALIASES) == Tagged(prompt=prompt)


@given(st.text(alphabet=st.characters(exclude_characters="@"), max_size=200))
def test_a_prompt_without_an_at_sign_is_only_trimmed(text: str) -> None:
    assert parse_tags(text, ALIASES) == Tagged(prompt=text.strip())


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("why?", "why?"),
        ("@fast why?", "why?"),
        ("@haiku why?", "why?"),
        ("why `@fast`?", "why `@fast`?"),
        ("```\nwhy?", "```\nwhy?"),  # the fence is open to the end
    ],
)
def test_a_tag_beside_a_prompt_counts_more_than_those_in_it(text: str, prompt: str) -> None:
    tagged = parse_tags(with_tag(text, "@heavy"), ALIASES)
    assert tagged == Tagged(prompt=prompt, tier=Tier.FULL)
    named = parse_tags(with_tag(text, "@model:flash-2.5"), ALIASES)
    assert named == Tagged(prompt=prompt, alias="flash-2.5")


def test_no_tag_beside_a_prompt_leaves_it_alone() -> None:
    assert with_tag("@fast why?", "") == "@fast why?"
