"""Who may play, the best first, and who is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import Capability, Catalog, ModelSpec, Tier
from bot.errors import (
    BotError,
    CommandError,
    NoModelError,
    NotAllowedError,
    PromptTooLongError,
    UnknownModelError,
)
from bot.messages import Message, Role
from bot.strategies.question import Question, diverse, in_tiers, names, whole
from tests.fakes import model
from tests.unit.strategies.discussing import players


def _question(text: str = "Why?", **more: object) -> Question:
    values: dict[str, object] = {
        "turn_id": "test:m1",
        "messages": (Message(role=Role.USER, text=text),),
        "models": players(),
    }
    return Question(**{**values, **more})  # type: ignore[arg-type]  # test data


def test_the_highest_tier_and_the_dearest_come_first() -> None:
    assert names(_question().ranked()) == "ada, bob and eve"


@given(st.permutations(players().models))
def test_the_order_of_the_catalogue_does_not_matter(models: list[ModelSpec]) -> None:
    shuffled = _question(models=Catalog(tuple(models)))
    assert shuffled.ranked() == _question().ranked()


def test_a_model_that_failed_a_moment_ago_comes_last() -> None:
    assert names(_question(unhealthy=frozenset({"ada"})).ranked()) == "bob, eve and ada"


def test_only_what_is_allowed_here_plays() -> None:
    question = _question(allowed=frozenset({"eve", "bob"}), max_tier=Tier.CHEAP)
    assert names(question.ranked()) == "eve"


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (_question(options={"models": "zoe"}), UnknownModelError),
        (_question(options={"models": "ada"}, max_tier=Tier.CHEAP), NotAllowedError),
        (_question(options={"models": "ada"}, allowed=frozenset({"bob"})), NotAllowedError),
        (
            _question(options={"models": "ada"}, needs=frozenset({Capability.VISION})),
            NoModelError,
        ),
        (_question("word " * 200_000, options={"models": "ada"}), PromptTooLongError),
    ],
)
def test_a_named_model_that_can_not_play_is_refused(
    question: Question, error: type[BotError]
) -> None:
    with pytest.raises(error):
        question.named()


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (_question(models=Catalog(())), NoModelError),
        (_question(needs=frozenset({Capability.VISION})), NoModelError),
        (_question("word " * 200_000), PromptTooLongError),
    ],
)
def test_when_nobody_can_play_it_is_said_why(question: Question, error: type[BotError]) -> None:
    assert not question.has_players
    with pytest.raises(error):
        question.ranked()


def test_a_name_that_is_given_twice_is_one_model() -> None:
    named = _question(options={"models": "@bob, ada,bob,"}).named()
    assert names(named) == "bob and ada"


def test_who_played_before_a_crash_plays_again() -> None:
    question = _question(planned={"players": ["eve", "ada"], "judge": "bob"})
    assert names(question.planned_players()) == "eve and ada"
    assert question.planned_model("judge") == players().named("bob")


@pytest.mark.parametrize("planned", [{}, {"players": ["eve", "gone"]}, {"players": "eve"}])
def test_a_plan_with_a_player_who_is_gone_is_made_anew(planned: dict[str, object]) -> None:
    question = _question(planned=planned)
    assert question.planned_players() == ()
    assert question.planned_model("judge") is None


def test_providers_differ_as_far_as_they_can() -> None:
    a1, a2, b1 = (model(a, provider=a[0]) for a in ("a1", "a2", "b1"))
    assert diverse((a1, a2, b1), 2) == (a1, b1)
    assert diverse((a1, a2, b1), 3) == (a1, b1, a2)


def test_what_is_tried_when_money_is_short() -> None:
    assert [q.max_tier for q in in_tiers(_question())] == [Tier.FULL, Tier.CHEAP, Tier.FREE]


@pytest.mark.parametrize("typed", ["0", "4", "two", "-1", "1.5", "²"])
def test_a_number_out_of_range_is_refused_in_words(typed: str) -> None:
    with pytest.raises(CommandError, match="takes 1 to 3"):
        whole({"rounds": typed}, "rounds", 1, high=3)
