"""The Web API of one workspace: paced below its tiers, tried again, refusals translated."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, cast

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.errors import TRANSIENT, UncertainError, to_error
from adapters.slack.pace import Pace

logger = logging.getLogger(__name__)

FORM_METHODS = frozenset(
    {
        "auth.test",
        "conversations.history",
        "conversations.info",
        "conversations.replies",
        "files.completeUploadExternal",
        "files.getUploadURLExternal",
        "users.info",
    }
)
"""Methods that do not read JSON."""
ONCE_METHODS = frozenset({"chat.appendStream", "chat.postMessage", "chat.startStream"})
"""Doing these twice shows: when no answer comes, the caller has to look first."""
MAX_TRIES = 7
"""Half a minute in all: as long as a short fault of Slack's lasts."""
RETRY_S = 0.5
TIMEOUT_S = 15.0


class WebApi:
    """Calls methods with one workspace's token."""

    def __init__(self, client: AsyncWebClient, session: aiohttp.ClientSession, pace: Pace) -> None:
        self._client = client
        self.session = session
        self.pace = pace

    async def call(self, method: str, *, is_paid: bool = False, **args: Any) -> dict[str, Any]:
        """Call a method within its budget; waits as long as Slack asks for.

        `is_paid`: the caller has taken the token for it already.
        Raises SlackRefusalError when Slack says no, UncertainError when it may have been done.
        """
        bucket = self.pace.bucket(method, str(args.get("channel", "")))
        tries = 0
        while True:
            if not is_paid:
                await bucket.take()
            is_paid = False
            try:
                return await self._send(method, args)
            except SlackApiError as error:
                retry_s = _retry_s(error)
                if retry_s is None:
                    tries = await self._again(method, tries, error)
                else:
                    bucket.refuse(retry_s)
                    logger.info("slack asks to wait", extra={"method": method, "wait_s": retry_s})
            except (aiohttp.ClientError, TimeoutError, SlackClientError) as error:
                tries = await self._again(method, tries, error)

    async def upload(
        self, *, channel: str, thread_ts: str, name: str, content: bytes, comment: str
    ) -> None:
        """Share a file in a thread, by Slack's three steps."""
        place = await self.call("files.getUploadURLExternal", filename=name, length=len(content))
        try:
            async with self.session.post(place["upload_url"], data=content) as response:
                response.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UncertainError("Slack did not take the file.") from error
        await self.call(
            "files.completeUploadExternal",
            files=json.dumps([{"id": place["file_id"], "title": name}]),
            channel_id=channel,
            thread_ts=thread_ts,
            initial_comment=comment,
        )

    async def _again(self, method: str, tries: int, error: Exception) -> int:
        """Wait before another try; raises when there is none."""
        if isinstance(error, SlackApiError) and not _is_transient(error):
            raise to_error(cast(Mapping[str, Any], error.response)) from error
        if method in ONCE_METHODS or tries + 1 >= MAX_TRIES:
            raise UncertainError(f"Slack did not answer ({method}).") from error
        await asyncio.sleep(RETRY_S * 2**tries)
        return tries + 1

    async def _send(self, method: str, args: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in args.items() if value is not None}
        if method in FORM_METHODS:
            answer = await self._client.api_call(method, data=kept)
        else:
            answer = await self._client.api_call(method, json=kept)
        if isinstance(answer.data, bytes):
            raise aiohttp.ClientPayloadError(f"{method} answered bytes")
        return answer.data


def _retry_s(error: SlackApiError) -> float | None:
    response = error.response
    data = getattr(response, "data", None)  # a fault in front of Slack answers with a page
    is_said = isinstance(data, dict) and data.get("error") == "ratelimited"
    if getattr(response, "status_code", 0) != 429 and not is_said:
        return None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return float(headers.get("retry-after", 1))


def _is_transient(error: SlackApiError) -> bool:
    response = error.response
    if getattr(response, "status_code", 200) >= 500:
        return True
    data = getattr(response, "data", None)
    return not isinstance(data, dict) or data.get("error") in TRANSIENT
