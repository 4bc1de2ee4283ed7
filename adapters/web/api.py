"""The JSON interface: what the page uses, and scripts may.

    POST   /api/ask                     {"text", "conversation"?, "message_id"?, "files"?}
    GET    /api/turns/ID                a turn as it stands
    GET    /api/turns/ID/stream         follow it, from wherever it is
    POST   /api/turns/ID/stop           stop it; what was written is kept
    POST   /api/turns/ID/again          {"event_id"?}: a further answer, streamed as by ask
    POST   /api/turns/ID/heavier        {"event_id"?}: the same, one tier up
    POST   /api/turns/ID/feedback       {"value": 1 or -1}
    GET    /api/turns/ID/why            how the model was chosen
    GET    /api/turns/ID/steps          what each model of a debate or an ensemble said
    GET    /api/conversations           the list, the latest first
    GET    /api/conversations/ID        its turns, oldest first
    DELETE /api/conversations/ID        forget what was said in it; what it cost stays
    GET    /api/models                  what may be typed after @
    GET    /api/stages                  what is still loading, as events until all is there
    GET    /healthz                     {"status": "ok"}

`ask`, `again` and `heavier` answer with server-sent events: `turn`, `status`, `text`, then one
`end` with the whole turn; with `Accept: application/json`, with that turn alone. The same
`message_id` or `event_id` sent twice is answered once. `files` are at most five, each
`{"name", "type", "data"}` with its content in base64. Refusals are `{"error": "a sentence"}`.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.web.delivery import Live
from adapters.web.events import PageStream, event, for_script, stream
from adapters.web.pages import Pages
from adapters.web.parts import (
    PLATFORM,
    USER_ID,
    USER_NAME,
    WebParts,
    entries_of,
    listed,
    to_key,
    to_title,
)
from adapters.web.uploads import MOST_BODY_BYTES, read_uploads
from adapters.web.views import (
    to_answer,
    to_branch_json,
    to_demo_note,
    to_exchange,
    to_json,
    to_tags,
)
from bot.errors import EmptyPromptError, PromptError, PromptTooLongError
from bot.messages import IncomingMessage
from bot.strategies.steps import to_steps
from bot.turns import Turn

MAX_BODY_BYTES = 2_000_000
MAX_PROMPT_CHARS = 400_000
"""No model here reads more; what is shorter may still be too long for those that are on."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class RefusedError(Exception):
    """A request that cannot be done; the message is for whoever sent it."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Api:
    """Answers the requests of pages and scripts."""

    def __init__(self, parts: WebParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    def routes(self) -> list[Route]:
        """Where each request goes."""
        turn = "/api/turns/{turn_id}"
        return [
            Route("/api/ask", self.ask, methods=["POST"]),
            Route(turn, self.turn),
            Route(f"{turn}/stream", self.stream),
            Route(f"{turn}/stop", self.stop, methods=["POST"]),
            Route(f"{turn}/again", self.again, methods=["POST"]),
            Route(f"{turn}/heavier", self.heavier, methods=["POST"]),
            Route(f"{turn}/feedback", self.feedback, methods=["POST"]),
            Route(f"{turn}/why", self.why),
            Route(f"{turn}/steps", self.steps),
            Route("/api/conversations", self.conversations),
            Route("/api/conversations/{conversation}", self.conversation),
            Route("/api/conversations/{conversation}", self.forget, methods=["DELETE"]),
            Route("/api/models", self.models),
            Route("/api/stages", self.stages),
        ]

    async def ask(self, request: Request) -> Response:
        """Take a prompt and answer it."""
        body = await _json(request, MOST_BODY_BYTES)
        incoming = await self._to_incoming(body)
        turn_id = f"{PLATFORM}:{incoming.message_id}"
        live = self._parts.delivery.hold(turn_id)
        turn = await self._parts.inbox.accept(incoming) or await self._own(turn_id)
        return await self._followed(request, turn, live, is_page=body.get("view") == "page")

    async def again(self, request: Request) -> Response:
        """Answer a prompt anew."""
        return await self._retried(request, is_heavier=False)

    async def heavier(self, request: Request) -> Response:
        """Answer a prompt anew, one tier up."""
        return await self._retried(request, is_heavier=True)

    async def turn(self, request: Request) -> Response:
        """A turn as it stands."""
        return JSONResponse(to_json(await self._asked_for(request)))

    async def stream(self, request: Request) -> Response:
        """Follow a turn from wherever it is."""
        turn = await self._asked_for(request)
        is_page = request.query_params.get("view") == "page"
        return stream(await self._events(turn, is_page=is_page))

    async def stop(self, request: Request) -> Response:
        """Stop a turn."""
        turn = await self._asked_for(request)
        return JSONResponse({"stopped": await self._parts.inbox.stop(turn.turn_id)})

    async def feedback(self, request: Request) -> Response:
        """Keep an opinion of an answer."""
        turn, value = await self._asked_for(request), (await _json(request)).get("value")
        if value not in (1, -1):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "`value` is 1 or -1.")
        await self._parts.inbox.feedback(turn.turn_id, USER_ID, int(value))
        return JSONResponse({"value": value})

    async def why(self, request: Request) -> Response:
        """How the model was chosen."""
        record = (await self._asked_for(request)).decision
        return JSONResponse({"decision": dict(record), "html": self._pages.why(record)})

    async def steps(self, request: Request) -> Response:
        """What each model of a debate or an ensemble said."""
        turn = await self._asked_for(request)
        entries = await self._parts.store.entries(turn.turn_id)
        return JSONResponse(
            [
                {
                    "name": step.name,
                    "label": step.label,
                    "text": step.reply.text if step.reply else "",
                    **to_branch_json(step.reply, step.notice),
                }
                for step in to_steps(turn, entries)
            ]
        )

    async def conversations(self, request: Request) -> Response:
        """The list of conversations."""
        return JSONResponse(
            [
                {"conversation": c.key.thread_id, "title": c.title, "at": c.updated_at.isoformat()}
                for c in await listed(self._parts)
            ]
        )

    async def conversation(self, request: Request) -> Response:
        """The turns of a conversation."""
        return JSONResponse([to_json(turn) for turn in await self._said_in(request)])

    async def forget(self, request: Request) -> Response:
        """Delete a conversation; what is being written in it stops."""
        turns = await self._said_in(request)
        for turn in turns:
            if not turn.status.is_over:
                await self._parts.inbox.stop(turn.turn_id)
        await self._parts.store.forget(turns[0].key)
        return JSONResponse({"forgotten": turns[0].key.thread_id})

    async def _said_in(self, request: Request) -> tuple[Turn, ...]:
        turns = await self._parts.store.turns(to_key(request.path_params["conversation"]))
        if not turns:
            raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such conversation.")
        return turns

    async def models(self, request: Request) -> Response:
        """The tags that may be typed."""
        return JSONResponse(to_tags(self._parts.catalog()))

    async def stages(self, request: Request) -> Response:
        """What is still loading."""
        return stream(self._stage_events())

    async def _stage_events(self) -> AsyncIterator[str]:
        async for stages in self._parts.stages.watch():
            shown = [{"name": s.name, "state": s.state, "detail": s.detail} for s in stages]
            yield event("stages", shown)
        catalog = self._parts.catalog()
        yield event("ready", {"tags": to_tags(catalog), "demo": to_demo_note(catalog)})

    async def _to_incoming(self, body: dict[str, Any]) -> IncomingMessage:
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(EmptyPromptError()))
        if len(text) > MAX_PROMPT_CHARS:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(PromptTooLongError()))
        try:
            files = await read_uploads(body.get("files"))
        except PromptError as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from error
        return IncomingMessage(
            key=to_key(_id(body, "conversation")),
            message_id=_id(body, "message_id"),
            author_id=USER_ID,
            author_name=USER_NAME,
            text=text,
            attachments=files,
            sent_at=self._parts.clock.now(),
            is_admin=True,
            workspace_name="web page",
            channel_name="web page",
        )

    async def _retried(self, request: Request, *, is_heavier: bool) -> Response:
        earlier, body = await self._asked_for(request), await _json(request)
        event_id = _id(body, "event_id")
        retry = self._parts.inbox.heavier if is_heavier else self._parts.inbox.retry
        turn_id = f"{PLATFORM}:{event_id}"
        live = self._parts.delivery.hold(turn_id)
        turn = await retry(earlier.turn_id, event_id=event_id, user_id=USER_ID)
        turn = turn or await self._own(turn_id)
        return await self._followed(request, turn, live, is_page=body.get("view") == "page")

    async def _followed(
        self, request: Request, turn: Turn, live: Live, *, is_page: bool
    ) -> Response:
        """Answer with a turn, whose `live` is held until it is watched."""
        if request.headers.get("accept", "").startswith("application/json"):
            ended = turn
            async for progress in self._parts.delivery.watch(turn.turn_id, self._parts.store):
                ended = progress.ended or ended
            return JSONResponse(to_json(ended))
        opening = await self._opening(turn, is_page=is_page)
        return stream(_after(opening, await self._events(turn, is_page=is_page), live))

    async def _opening(self, turn: Turn, *, is_page: bool) -> str:
        known = {"turn_id": turn.turn_id, "conversation": turn.key.thread_id}
        if not is_page:
            return event("turn", known)
        style = (await self._parts.store.settings(turn.key)).footer
        title = to_title(turn.prompt, self._parts.catalog().aliases())
        if turn.retry_of is None:
            entries = await entries_of(self._parts.store, [turn])
            html = self._pages.exchange(to_exchange([turn], style, entries))
        else:
            html = self._pages.answer(to_answer(turn, style))
        return event("turn", {**known, "title": title, "html": html})

    async def _events(self, turn: Turn, *, is_page: bool) -> AsyncIterator[str]:
        if not is_page:
            return for_script(self._parts, turn.turn_id)
        style = (await self._parts.store.settings(turn.key)).footer
        return PageStream(self._parts, self._pages, style).events(turn.turn_id)

    async def _asked_for(self, request: Request) -> Turn:
        return await self._own(request.path_params["turn_id"])

    async def _own(self, turn_id: str) -> Turn:
        """A turn of this page; what was asked on other platforms is not shown here."""
        turn = await self._parts.store.turn(turn_id)
        if turn is None or turn.key.platform != PLATFORM:
            raise RefusedError(HTTPStatus.NOT_FOUND, "There is no such prompt here.")
        return turn


async def _after(opening: str, events: AsyncIterator[str], _held: Live) -> AsyncIterator[str]:
    yield opening
    async for step in events:
        yield step


async def _json(request: Request, most_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The body of a request; refused when it is too large or no JSON object."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(PromptTooLongError()))
    try:
        found = await asyncio.to_thread(json.loads, body or b"{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from error
    if not isinstance(found, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "The body is not a JSON object.")
    return found


def _id(body: dict[str, Any], name: str) -> str:
    """An id that the caller chose, or a new one."""
    found = body.get(name) or secrets.token_urlsafe(12)
    if not isinstance(found, str) or not _ID.match(found):
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, f"`{name}` is 1 to 64 letters, digits, hyphens or underscores."
        )
    return found
