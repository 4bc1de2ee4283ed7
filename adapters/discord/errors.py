"""Discord's refusals, by their codes, as what a person can do about them."""

from __future__ import annotations

import aiohttp
import discord

from bot.errors import DeliveryError

UNKNOWN_CHANNEL, UNKNOWN_GUILD, UNKNOWN_MESSAGE = 10003, 10004, 10008
MISSING_ACCESS, CANNOT_DM, MISSING_PERMISSIONS = 50001, 50007, 50013
INVALID_TOKEN, ARCHIVED, LOCKED = 50027, 50083, 160005
THREAD_EXISTS = 160004
AUTOMOD, HARMFUL_LINK = 200000, 240000
FAILED = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError)


class GoneError(DeliveryError):
    """The channel or thread of this answer is gone."""


class ForbiddenHereError(DeliveryError):
    """I may not write here."""


class BlockedError(DeliveryError):
    """Part of this answer was blocked by this server's AutoMod rules. Ask it in another way."""


class ArchivedError(DeliveryError):
    """The thread is archived or locked."""


class ExpiredError(DeliveryError):
    """This interaction is too old to be answered."""


_BY_CODE: dict[int, type[DeliveryError]] = {
    UNKNOWN_CHANNEL: GoneError,
    UNKNOWN_GUILD: GoneError,
    UNKNOWN_MESSAGE: GoneError,
    MISSING_ACCESS: ForbiddenHereError,
    MISSING_PERMISSIONS: ForbiddenHereError,
    CANNOT_DM: ForbiddenHereError,
    INVALID_TOKEN: ExpiredError,
    10015: ExpiredError,
    40094: ExpiredError,
    ARCHIVED: ArchivedError,
    LOCKED: ArchivedError,
    AUTOMOD: BlockedError,
    HARMFUL_LINK: BlockedError,
}


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.status == 429
    return isinstance(error, FAILED)


def to_delivery_error(error: BaseException) -> DeliveryError:
    """What a refusal means, in our words."""
    code = error.code if isinstance(error, discord.HTTPException) else 0
    kind = _BY_CODE.get(code, DeliveryError)
    if kind is DeliveryError and is_passing(error):
        return DeliveryError("Discord does not take messages at the moment.")
    return kind()
