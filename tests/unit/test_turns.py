"""A turn knows when it is over."""

from bot.turns import TurnStatus


def test_a_turn_is_over_when_nothing_more_will_happen() -> None:
    over = {status for status in TurnStatus if status.is_over}
    assert over == {TurnStatus.DONE, TurnStatus.FAILED, TurnStatus.CANCELLED}
