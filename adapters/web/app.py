"""The web chat as one application."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from adapters.web.api import Api, RefusedError
from adapters.web.attempts import Attempts
from adapters.web.guard import Guard, refuse
from adapters.web.pages import Pages
from adapters.web.parts import WebParts
from adapters.web.site import Site
from bot.errors import BotError
from bot.responder import APOLOGY

logger = logging.getLogger(__name__)


def create_app(parts: WebParts, more: Sequence[Route] = ()) -> ASGIApp:
    """The pages, the JSON interface and what they need, behind the guard; `more` are pages, too.

    The guard is around the application, not in it, so that a page that fails has its headers, too.
    """
    pages = Pages()
    problems = _Problems(pages)
    app = Starlette(
        routes=[
            *Site(parts, pages).routes(),
            *Api(parts, pages).routes(),
            *more,
            Mount("/static", _Fresh(directory=Path(__file__).parent / "static")),
        ],
        exception_handlers={
            RefusedError: problems.refused,
            BotError: problems.not_done,
            HTTPException: problems.no_such_page,
            Exception: problems.failed,
        },
    )
    return Guard(app, attempts=Attempts(parts.clock), token=parts.token)


class _Fresh(StaticFiles):
    """Files that a browser keeps, and asks about: an update shows at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


class _Problems:
    """What could not be served: a page for who reads it in a browser, JSON for all others."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def refused(self, request: Request, error: Exception) -> Response:
        status = error.status if isinstance(error, RefusedError) else HTTPStatus.BAD_REQUEST
        return self._told(request, status, str(error))

    async def not_done(self, request: Request, error: Exception) -> Response:
        logger.warning("a request could not be done", extra={"error": type(error).__name__})
        return self._told(request, HTTPStatus.SERVICE_UNAVAILABLE, str(error))

    async def no_such_page(self, request: Request, error: Exception) -> Response:
        code = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
        status = HTTPStatus(code)
        is_lost = status is HTTPStatus.NOT_FOUND
        what = "There is no such page" if is_lost else status.phrase
        return self._told(request, status, f"{what}. The chat is at / .")

    async def failed(self, request: Request, error: Exception) -> Response:
        logger.error("a request failed", exc_info=error, extra={"path": request.url.path})
        return self._told(request, HTTPStatus.INTERNAL_SERVER_ERROR, APOLOGY)

    def _told(self, request: Request, status: HTTPStatus, sentence: str) -> Response:
        is_read = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if not is_read:
            return refuse(status, sentence)
        html = self._pages.page("problem.html", problem=sentence)
        return HTMLResponse(html, status_code=status)
