"""The web chat as one application."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from adapters.web.api import Api, RefusedError
from adapters.web.guard import Guard, refuse
from adapters.web.pages import Pages
from adapters.web.parts import WebParts
from adapters.web.site import Site
from bot.errors import BotError
from bot.responder import APOLOGY

logger = logging.getLogger(__name__)


def create_app(parts: WebParts, more: Sequence[Route] = ()) -> Starlette:
    """The pages, the JSON interface and what they need, behind the guard; `more` are pages, too."""
    pages = Pages()
    return Starlette(
        routes=[
            *Site(parts, pages).routes(),
            *Api(parts, pages).routes(),
            *more,
            Mount("/static", _Fresh(directory=Path(__file__).parent / "static")),
        ],
        middleware=[Middleware(Guard, token=parts.token)],
        exception_handlers={
            RefusedError: _refused,
            BotError: _not_done,
            HTTPException: _no_such_page,
            Exception: _failed,
        },
    )


class _Fresh(StaticFiles):
    """Files that a browser keeps, and asks about: an update shows at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else HTTPStatus.BAD_REQUEST
    return refuse(status, str(error))


async def _not_done(request: Request, error: Exception) -> Response:
    logger.warning("a request could not be done", extra={"error": type(error).__name__})
    return refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))


async def _no_such_page(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return refuse(HTTPStatus(status), f"{HTTPStatus(status).phrase}. The chat is at / .")


async def _failed(request: Request, error: Exception) -> Response:
    logger.error("a request failed", exc_info=error, extra={"path": request.url.path})
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, APOLOGY)
