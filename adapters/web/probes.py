"""What machines ask: is it alive, is it ready, what are its figures.

Served beside the page, outside its guard: probes ask by address and know no token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.web.guard import is_bearer, is_loopback_name, refuse

TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
CHECK_WITHIN_S = 2.0
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")

Check = Callable[[], Awaitable[str]]
"""Says in words what is missing; empty when all is well."""


def probe_routes(
    checks: Mapping[str, Check], figures: Callable[[], bytes], metrics_token: str = ""
) -> list[Route]:
    """`/healthz`, `/readyz` and `/metrics`; each check has a name that stands in the answer."""

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "name": "parley"})

    async def ready(request: Request) -> Response:
        said = await asyncio.gather(*(_outcome(check) for check in checks.values()))
        missing = {name: says for name, says in zip(checks, said, strict=True) if says}
        if missing:
            content = {"status": "not ready", "missing": missing}
            return JSONResponse(content, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "ready"})

    async def metrics(request: Request) -> Response:
        if not may_read_metrics(request, metrics_token):
            return refuse(
                HTTPStatus.UNAUTHORIZED,
                "The figures are for this machine only. From elsewhere set PARLEY_METRICS_TOKEN "
                "and send it: Authorization: Bearer …",
                {"www-authenticate": "Bearer"},
            )
        return Response(figures(), media_type=TEXT_FORMAT)

    return [
        Route("/healthz", health),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]


def may_read_metrics(request: Request, token: str) -> bool:
    """With a token, who knows it; without one, this machine's own programs, and no proxy's guest.

    The Host is looked at so that no web page can read them through a name of its own.
    """
    if token:
        return is_bearer(request.headers, token)
    is_forwarded = any(name in request.headers for name in _FORWARDED)
    is_here = request.client is not None and is_loopback_name(request.client.host)
    return is_here and not is_forwarded and is_loopback_name(request.headers.get("host", ""))


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            return await check()
    except TimeoutError:
        return f"no answer within {CHECK_WITHIN_S:.0f} s"
