"""Slack's refusals as errors of ours, each with the sentence that a person gets.

DeliveryError
├── SlackRefusalError      Slack said no, and will again
│   ├── PlaceError         this channel cannot be written to
│   ├── ScopeError         the app lacks a permission
│   └── TokenError         the app is not installed any more
├── StreamEndedError       a stream that Slack has closed
├── StillStreamingError    a stream that nobody has ended
└── UncertainError         no answer came: it may have been done
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import DeliveryError

_PLACES = {
    "not_in_channel": "I am not in that channel. Invite me with `/invite @Parley` and ask again.",
    "channel_not_found": "I can't see that channel. Invite me with `/invite @Parley`.",
    "is_archived": "That channel is archived, so I can't write there.",
    "restricted_action": "Only some people may post in that channel, and I am not one of them.",
    "restricted_action_read_only_channel": "That channel is read-only, so I can't write there.",
    "restricted_action_thread_only_channel": "That channel takes answers in threads only.",
    "restricted_action_thread_locked": "That thread is locked, so I can't write there.",
    "thread_not_found": "The message that I should answer is gone.",
    "messages_tab_disabled": "The Messages tab is off. An admin can switch it on in App Home.",
    "cannot_reply_to_message": "Slack does not allow an answer to that message.",
}
_TOKENS = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
_ENDED = frozenset({"message_not_in_streaming_state", "stopped_by_user"})
TRANSIENT = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
)


class SlackRefusalError(DeliveryError):
    """Slack did not take the answer."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or f"Slack did not take the answer ({code}).")
        self.code = code


class PlaceError(SlackRefusalError):
    """I can't write there."""


class ScopeError(SlackRefusalError):
    """This app lacks a Slack permission. An admin should reinstall it from the manifest."""


class TokenError(SlackRefusalError):
    """Slack no longer accepts this app's token. An admin should install the app again."""


class StreamEndedError(SlackRefusalError):
    """Slack has ended this stream."""


class StillStreamingError(SlackRefusalError):
    """This message is a stream, which has to be ended before it can be edited."""


class UncertainError(DeliveryError):
    """Slack did not say whether it took the answer."""


def to_error(answer: Mapping[str, Any]) -> SlackRefusalError:
    """The error that Slack's `ok: false` means."""
    code = str(answer.get("error", "unknown_error"))
    if code in _PLACES:
        return PlaceError(code, _PLACES[code])
    if code in _TOKENS:
        return TokenError(code, str(TokenError.__doc__))
    if code in _ENDED:
        return StreamEndedError(code)
    if code == "streaming_state_conflict":
        return StillStreamingError(code)
    if code == "missing_scope":
        needed = str(answer.get("needed", "?"))
        return ScopeError(
            code,
            f"This app lacks the Slack permission `{needed}`. "
            "An admin should reinstall it from the manifest.",
        )
    return SlackRefusalError(code)
