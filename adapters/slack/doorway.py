"""Slack's events over HTTP: anybody may send here, so it is read to a limit, then proved."""

from __future__ import annotations

import logging
from http import HTTPStatus

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bot.ports import Clock

MAX_BODY_BYTES = 1_000_000
"""Slack's own requests are a tenth of that at most: a modal, or a long message with its blocks."""
TELL_EVERY_S = 60.0
BAD_SIGNATURE = (
    "A request to Slack's address had a wrong signature or an old time. If Slack sent it, set "
    "SLACK_SIGNING_SECRET to the one on the app's page, Basic Information, and look at the clock."
)
logger = logging.getLogger(__name__)


class Doorway:
    """Hands requests to bolt, which checks their signature and age."""

    def __init__(self, app: AsyncApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._silent_until_s = float("-inf")

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        body = await _read(request)
        try:  # bolt reads it before it looks at the signature, and expects what Slack sends
            asked = to_async_bolt_request(request, body)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST) from error
        answer = await self._app.async_dispatch(asked)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._tell_refusal()
        return to_starlette_response(answer)

    def _tell_refusal(self) -> None:
        """Now and then: whoever sends nonsense must not fill the log."""
        now_s = self._clock.elapsed_s()
        if now_s >= self._silent_until_s:
            self._silent_until_s = now_s + TELL_EVERY_S
            logger.warning(BAD_SIGNATURE)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)
