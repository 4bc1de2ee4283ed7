"""What a process does: where it hears people, and whether it answers them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from adapters.settings import AppSettings
from bot.errors import ConfigurationError

_MISSING = {
    "discord": "DISCORD_TOKEN is not set",
    "slack": "neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID is set",
}


class Role(StrEnum):
    """One thing that a process may do; any process may do several."""

    WEB = "web"
    """Serves the page."""
    DISCORD = "discord"
    """Hears people on Discord."""
    SLACK = "slack"
    """Hears people on Slack."""
    WORKER = "worker"
    """Answers what was asked anywhere, and posts the digests."""


def configured_roles(settings: AppSettings) -> frozenset[Role]:
    """All that the settings allow: what one process does that is on its own."""
    roles = {Role.WEB, Role.WORKER}
    if settings.discord_token.get_secret_value():
        roles.add(Role.DISCORD)
    if settings.slack_bot_token.get_secret_value() or settings.slack_client_id:
        roles.add(Role.SLACK)
    return frozenset(roles)


def chosen_roles(only: Iterable[str], settings: AppSettings) -> frozenset[Role]:
    """The roles of `--only`, else all that are configured; raises ConfigurationError."""
    names = [name.strip().lower() for part in only for name in part.split(",") if name.strip()]
    if not names:
        return configured_roles(settings)
    if unknown := [name for name in names if name not in set(Role)]:
        raise ConfigurationError(f"--only takes {', '.join(Role)}, not {', '.join(unknown)}.")
    roles = frozenset(map(Role, names))
    for role in sorted(roles - configured_roles(settings)):
        raise ConfigurationError(f"--only {role} can't be: {_MISSING[role]}.")
    _check_database(roles, settings)
    return roles


def _check_database(roles: frozenset[Role], settings: AppSettings) -> None:
    """On SQLite there is one process, so it has to hear somebody and to answer."""
    if not settings.store_url.startswith("sqlite"):
        return
    if Role.WORKER not in roles or len(roles) == 1:
        raise ConfigurationError(
            "On SQLite one process does everything, so --only needs worker and at least one of "
            "web, discord, slack. Set DATABASE_URL to PostgreSQL to run them apart."
        )
