"""Who is let in: blocks win, lists add up, admins always."""

import pytest

from bot.access import check_access, check_rate
from bot.errors import NotAllowedError, TooManyPromptsError
from bot.settings import Settings, resolve
from tests.fakes import turn

ASKED = turn(role_ids=("staff",))


@pytest.mark.parametrize(
    "layer",
    [
        {},
        {"allowed_users": "ada"},
        {"allowed_users": "<@!bob>, <@ada>"},
        {"allowed_users": "bob", "allowed_roles": "<@&staff>"},
        {"allowed_channels": "<#c|general>"},
        {"blocked_users": "bob", "blocked_roles": "guests", "blocked_channels": "other"},
        {"blocked_users": "none"},
    ],
)
def test_lets_in(layer: dict[str, str]) -> None:
    check_access(ASKED, resolve([layer]))


@pytest.mark.parametrize(
    "layer",
    [
        {"allowed_users": "bob"},
        {"allowed_roles": "boss"},
        {"blocked_users": "ada", "allowed_users": "ada"},
        {"blocked_roles": "staff", "allowed_users": "ada"},
        {"allowed_channels": "other"},
        {"blocked_channels": "c"},
    ],
)
def test_keeps_out_but_never_an_admin(layer: dict[str, str]) -> None:
    with pytest.raises(NotAllowedError):
        check_access(ASKED, resolve([layer]))
    check_access(turn(is_admin=True), resolve([layer]))


def test_the_limit_counts_the_prompt_itself_and_spares_admins() -> None:
    settings = Settings(prompts_per_minute=3)
    check_rate(ASKED, settings, 3)
    with pytest.raises(TooManyPromptsError):
        check_rate(ASKED, settings, 4)
    check_rate(turn(is_admin=True), settings, 4)
