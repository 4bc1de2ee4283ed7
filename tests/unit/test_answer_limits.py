"""How long one answer may be, and what one of usual length costs."""

from bot.answer_limits import MIN_OUTPUT_TOKENS, expected_cost, has_room, output_limit
from tests.fakes import model


def test_an_answer_fits_the_window_beside_its_prompt() -> None:
    small = model("small", context_tokens=1_000, max_output_tokens=4_000)
    assert output_limit(small, 300) == 700
    assert output_limit(model("large"), 300) == 4_000


def test_a_window_without_room_for_a_short_answer_takes_no_prompt() -> None:
    small = model("small", context_tokens=1_000)
    assert has_room(small, 1_000 - MIN_OUTPUT_TOKENS)
    assert not has_room(small, 1_001 - MIN_OUTPUT_TOKENS)


def test_what_an_answer_of_an_unpriced_model_costs_is_not_known() -> None:
    assert expected_cost(model("secret", usd=None), 100) is None
