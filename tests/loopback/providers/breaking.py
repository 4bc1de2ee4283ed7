"""How a stream that has begun goes wrong."""

import asyncio
from contextlib import suppress

from aiohttp import web

from tests.loopback.providers.dialect import Dialect
from tests.loopback.providers.record import Outcome, Seen
from tests.loopback.providers.script import Fault, FaultKind

BREAKING = frozenset(
    {FaultKind.CUT, FaultKind.TRUNCATED, FaultKind.SILENCE, FaultKind.ERROR_IN_STREAM}
)


async def break_off(
    request: web.Request,
    response: web.StreamResponse,
    dialect: Dialect,
    seen: Seen,
    fault: Fault,
) -> web.StreamResponse:
    """End a stream that has begun in the way of this fault."""
    if fault.kind is FaultKind.SILENCE:
        await hang()
    seen.end(Outcome.BROKEN)
    if fault.kind is FaultKind.CUT:
        if request.transport is not None:
            request.transport.close()
        return response
    if fault.kind is FaultKind.ERROR_IN_STREAM:
        await response.write(dialect.error_event())
    elif fault.kind is FaultKind.MALFORMED:
        await response.write(b'data: {"choices": [{"delta": {"con\n\n')
    with suppress(ConnectionError):
        await response.write_eof()
    return response


def drop(request: web.Request, seen: Seen) -> web.StreamResponse:
    """End the connection instead of an answer."""
    seen.end(Outcome.BROKEN)
    if request.transport is not None:
        request.transport.close()
    return web.Response()


async def hang() -> None:
    """Wait until the client hangs up or the server stops."""
    await asyncio.get_running_loop().create_future()
