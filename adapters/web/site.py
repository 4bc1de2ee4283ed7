"""The pages: a conversation, the way in, and what is shown when there is nothing."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.web.attempts import Attempts
from adapters.web.guard import COOKIE, LOGIN_PATH, TOO_MANY, is_same, session_of
from adapters.web.pages import Pages
from adapters.web.parts import WebParts, entries_of, listed, to_key
from adapters.web.views import to_demo_note, to_exchanges, to_tags

MAX_LOGIN_BYTES = 2_000
NOT_THE_TOKEN = "That is not the token. It stands in PARLEY_WEB_TOKEN, where Parley runs."
SHOWN_PROMPTS = 40
"""A longer conversation shows its newest prompts first, the others on demand."""
SESSION_S = 60 * 60 * 24 * 30
EXAMPLES = (
    "What is the capital of France?",
    "Write a Python function that reverses a string",
    "What is water made of?",
    "Good morning! How are you?",
)
"""Prompts that even the small demo model answers well."""


class Site:
    """Answers a browser's visits."""

    def __init__(self, parts: WebParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._attempts = Attempts(parts.clock)

    def routes(self) -> list[Route]:
        """Where each page is."""
        return [
            Route("/", self.new),
            Route("/c/{conversation}", self.conversation),
            Route(LOGIN_PATH, self.login),
            Route(LOGIN_PATH, self.log_in, methods=["POST"]),
        ]

    async def new(self, request: Request) -> Response:
        """A new conversation."""
        return await self._chat("")

    async def conversation(self, request: Request) -> Response:
        """A conversation that was begun before."""
        most = None if "all" in request.query_params else SHOWN_PROMPTS
        return await self._chat(request.path_params["conversation"], most)

    async def login(self, request: Request) -> Response:
        """The way in, where a token is set."""
        if not self._parts.token:
            return RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        return HTMLResponse(self._pages.page("login.html", problem=""))

    async def log_in(self, request: Request) -> Response:
        """Check the token and remember the browser."""
        if self._attempts.are_too_many():
            return self._not_in(TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS)
        given = parse_qs(await _form(request)).get("token", [""])[0]
        if not self._parts.token or not is_same(given.strip(), self._parts.token):
            self._attempts.note_failure(given)
            return self._not_in(NOT_THE_TOKEN, HTTPStatus.FORBIDDEN)
        response = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        response.set_cookie(
            COOKIE,
            session_of(self._parts.token),
            max_age=SESSION_S,
            httponly=True,
            samesite="strict",
            secure=_is_https(request),
        )
        return response

    def _not_in(self, problem: str, status: HTTPStatus) -> Response:
        return HTMLResponse(self._pages.page("login.html", problem=problem), status_code=status)

    async def _chat(self, conversation: str, most: int | None = None) -> Response:
        parts, key = self._parts, to_key(conversation)
        turns = await parts.store.turns(key) if conversation else ()
        style = (await parts.store.settings(key)).footer
        entries = await entries_of(parts.store, turns)
        exchanges = to_exchanges(turns, style, most, entries)
        catalog = parts.catalog()
        conversations = await listed(parts)
        titles = {c.key.thread_id: c.title for c in conversations}
        html = self._pages.page(
            "chat.html",
            conversation=conversation if turns else "",
            is_missing=bool(conversation) and not turns,
            title=titles.get(conversation, "Parley"),
            conversations=conversations,
            exchanges=exchanges,
            earlier=len({turn.message_id for turn in turns}) - len(exchanges),
            examples=EXAMPLES,
            tags=to_tags(catalog),
            demo_note=to_demo_note(catalog),
            stages=parts.stages.stages(),
            is_ready=parts.stages.is_ready(),
        )
        status = HTTPStatus.NOT_FOUND if conversation and not turns else HTTPStatus.OK
        return HTMLResponse(html, status_code=status)


def _is_https(request: Request) -> bool:
    """Whether the browser came by https, if only up to a proxy; whoever lies harms only itself."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))


async def _form(request: Request) -> str:
    """A small form's body; what is too long for one reads as empty."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_LOGIN_BYTES:
            return ""
    return body.decode("utf-8", "replace")
