"""Who may ask, and how fast: lists of users, roles and channels, and the limit of one person."""

from __future__ import annotations

from bot.errors import NotAllowedError, TooManyPromptsError
from bot.settings import Settings
from bot.turns import Turn


def check_access(turn: Turn, settings: Settings) -> None:
    """Raise NotAllowedError for a person or a place that is not let in; a block always wins.

    Admins are let in everywhere, so that nobody can lock everybody out.
    """
    if turn.is_admin:
        return
    roles = frozenset(turn.role_ids)
    if turn.user_id in settings.blocked_users or roles & settings.blocked_roles:
        raise NotAllowedError("You may not ask me here. An admin of this workspace can change it.")
    allowed = settings.allowed_users or settings.allowed_roles
    if (
        allowed
        and turn.user_id not in settings.allowed_users
        and not (roles & settings.allowed_roles)
    ):
        raise NotAllowedError(
            "Only some people may ask me here, and you are not among them. An admin can change it."
        )
    _check_channel(turn.key.channel_id, settings)


def _check_channel(channel_id: str, settings: Settings) -> None:
    is_elsewhere = settings.allowed_channels and channel_id not in settings.allowed_channels
    if is_elsewhere or channel_id in settings.blocked_channels:
        raise NotAllowedError("I am not to answer in this channel. Ask me in another one.")


def check_rate(turn: Turn, settings: Settings, prompts: int) -> None:
    """Raise TooManyPromptsError when so many prompts in a minute, this one included, are too many.

    Admins are not limited.
    """
    if prompts > settings.prompts_per_minute and not turn.is_admin:
        raise TooManyPromptsError
