"""What a process does: all that is configured, or what `--only` says, where that can be."""

import pytest

from adapters.roles import Role, chosen_roles
from adapters.settings import AppSettings
from bot.errors import ConfigurationError

POSTGRES = {"database_url": "postgresql://parley@db/parley"}
DISCORD = {"discord_token": "t"}


def settings(**values: str) -> AppSettings:
    return AppSettings.model_validate(values)


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CLIENT_ID"):
        monkeypatch.delenv(name, raising=False)


def test_a_process_on_its_own_does_all_that_is_configured() -> None:
    assert chosen_roles((), settings()) == {Role.WEB, Role.WORKER}
    assert chosen_roles((), settings(**DISCORD, slack_client_id="c")) == set(Role)


def test_roles_may_be_repeated_or_written_with_commas() -> None:
    roles = chosen_roles(("discord, Worker", "web"), settings(**DISCORD))
    assert roles == {Role.DISCORD, Role.WORKER, Role.WEB}


def test_on_postgresql_each_role_may_be_a_process_of_its_own() -> None:
    for role in (Role.WEB, Role.DISCORD, Role.WORKER):
        assert chosen_roles((role.value,), settings(**POSTGRES, **DISCORD)) == {role}


@pytest.mark.parametrize(
    ("only", "says"),
    [
        ("worker", "On SQLite one process does everything"),
        ("web", "On SQLite one process does everything"),
        ("discord,worker", "--only discord can't be: DISCORD_TOKEN is not set."),
        ("slack,worker", "--only slack can't be: neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID"),
        ("web,boss", "--only takes web, discord, slack, worker, not boss."),
    ],
)
def test_roles_that_cannot_be_are_refused_in_a_sentence(only: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says.replace(".", r"\.")):
        chosen_roles((only,), settings())
