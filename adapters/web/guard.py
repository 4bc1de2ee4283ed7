"""Who may speak to the page: the right Host, the right Origin, a token where one is set.

A browser on this machine can be made to send requests by any web page. So names that were bound to
this address by somebody else are refused, and so is everything that another site asks for.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.attempts import Attempts

COOKIE = "parley_session"
TOO_MANY = "Too many wrong tokens were given. Wait a minute, then try again."
LOGIN_PATH = "/login"
_OPEN_PREFIX = "/static/"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Refuses what is not for us, and adds the headers that hold the page together."""

    def __init__(self, app: ASGIApp, *, attempts: Attempts, token: str = "") -> None:
        """`attempts` at the token in a header; those at the login are counted there."""
        self._app = app
        self._attempts = attempts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it in words."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await (refusal or self._app)(scope, receive, guarded)

    def _refusal(self, method: str, path: str, headers: Headers) -> Response | None:
        if not self._token and not is_loopback_name(headers.get("host", "")):
            return refuse(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This page answers to localhost and 127.0.0.1 only. "
                "For another name set PARLEY_WEB_TOKEN.",
            )
        if method not in _SAFE_METHODS and (refusal := _foreign(method, path, headers)):
            return refusal
        if not self._token or path == LOGIN_PATH or path.startswith(_OPEN_PREFIX):
            return None
        if is_same(_cookie(headers), session_of(self._token)):
            return None
        if "authorization" in headers and (refusal := self._guessed(headers)):
            return refusal
        return None if is_bearer(headers, self._token) else _ask_for_token(path)

    def _guessed(self, headers: Headers) -> Response | None:
        """Refuse a script, whatever it shows, while somebody tries one token after the other."""
        if self._attempts.are_too_many():
            return refuse(HTTPStatus.TOO_MANY_REQUESTS, TOO_MANY, {"retry-after": "60"})
        if not is_bearer(headers, self._token):
            self._attempts.note_failure(headers["authorization"])
        return None


def session_of(token: str) -> str:
    """What the cookie holds: proof of the token, not the token."""
    return hmac.new(token.encode(), b"parley web session", sha256).hexdigest()


def is_bearer(headers: Headers, token: str) -> bool:
    """Whether a script shows the token."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and is_same(given.strip(), token)


def is_same(given: str, expected: str) -> bool:
    """Compare secrets without telling by the time it takes."""
    return hmac.compare_digest(given.encode(), expected.encode())


def is_loopback_name(host: str) -> bool:
    """Whether a Host header, or an address to listen on, names this machine only."""
    is_bare_ipv6 = host.count(":") > 1 and "]" not in host
    try:
        name = host if is_bare_ipv6 else urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def refuse(status: HTTPStatus, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal in words."""
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)


def _foreign(method: str, path: str, headers: Headers) -> Response | None:
    """Refuses what another site sent, as far as a browser tells."""
    if not _is_same_site(headers):
        return refuse(HTTPStatus.FORBIDDEN, "This request came from another site.")
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method == "POST" and path != LOGIN_PATH and content_type != "application/json":
        return refuse(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "Send JSON, with the header Content-Type: application/json.",
        )
    return None


def _is_same_site(headers: Headers) -> bool:
    """Whether the page itself sent this, or a script that is no browser."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:  # browsers set it themselves; without referrers, a form's origin is "null"
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _ask_for_token(path: str) -> Response:
    if path.startswith("/api/"):
        return refuse(
            HTTPStatus.UNAUTHORIZED,
            "This needs the token in PARLEY_WEB_TOKEN: Authorization: Bearer …",
            {"www-authenticate": "Bearer"},
        )
    return RedirectResponse(LOGIN_PATH, status_code=HTTPStatus.SEE_OTHER)


def _cookie(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
