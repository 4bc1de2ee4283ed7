"""Providers' refusals and LiteLLM's exceptions, mapped once into our own errors.

LiteLLM's classes say too little: a used-up account comes as three of them, a conversation that is
too long as two. So the provider's own words are read first, then the status, then the class.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from adapters.llm.providers import key_variable, provider_name
from bot.catalog import ModelSpec
from bot.errors import (
    AuthenticationError,
    ContentPolicyError,
    ContextWindowExceededError,
    GatewayError,
    ModelNotFoundError,
    OutOfCreditError,
    ProviderUnavailableError,
    RateLimitError,
    ResponseTimeoutError,
)

logger = logging.getLogger(__name__)

_BY_WORDS: tuple[tuple[type[GatewayError], re.Pattern[str]], ...] = (
    (
        OutOfCreditError,
        re.compile(
            r"insufficient_quota|credit balance|insufficient (credits|balance)|spend limit"
            r"|prepayment credits|payment required"
        ),
    ),
    (AuthenticationError, re.compile(r"api key not valid|api_key_invalid|invalid x-api-key")),
    (
        ContextWindowExceededError,
        re.compile(
            r"context_length_exceeded|maximum context length|prompt is too long|too large for model"
            r"|exceed_context_size|available context size|reduce the length of the messages"
            r"|input token count .{0,40}exceeds"
        ),
    ),
    (
        ContentPolicyError,
        re.compile(
            r"usage policy|content filtering|content_filter|content exists risk|input was flagged"
            r"|moderation"
        ),
    ),
    (
        ModelNotFoundError,
        re.compile(
            r"model_not_found|model_decommissioned|decommissioned|invalid model|model not exist"
            r"|not a valid model|model .{0,80}(does not exist|not found)|^model: "
        ),
    ),
)
_BY_CLASS: Mapping[str, type[GatewayError]] = {
    "AuthenticationError": AuthenticationError,
    "PermissionDeniedError": AuthenticationError,
    "RateLimitError": RateLimitError,
    "ContextWindowExceededError": ContextWindowExceededError,
    "ContentPolicyViolationError": ContentPolicyError,
    "NotFoundError": ModelNotFoundError,
    "Timeout": ResponseTimeoutError,
}
_BY_STATUS: Mapping[int, type[GatewayError]] = {
    401: AuthenticationError,
    402: OutOfCreditError,
    403: AuthenticationError,
    404: ModelNotFoundError,
    408: ResponseTimeoutError,
    413: ContextWindowExceededError,
    429: RateLimitError,
    504: ResponseTimeoutError,
}
_RETRY_DELAY = re.compile(r'retryDelay[\\"\s:]+(\d+(?:\.\d+)?)s')


def to_gateway_error(error: BaseException, model: ModelSpec) -> GatewayError:
    """Say in our words what went wrong with this model."""
    cause = _innermost(error)
    status = getattr(cause, "status_code", None)
    kind = _kind(cause, status if isinstance(status, int) else None)
    logger.warning(
        "a model call failed",
        extra={
            "model_id": model.model_id,
            "error": kind.__name__,
            "status": status,
            "cause": type(cause).__name__,
        },
    )
    wait_s = _retry_after_s(cause)
    if kind is ProviderUnavailableError and _is_out_of_reach(error):
        return kind(
            f"{_at_start(provider_name(model))} can't be reached from here. Please try again in a "
            "minute; if it lasts, an admin should check the network."
        )
    return kind(_at_start(_sentence(kind, model, wait_s)), retry_after_s=wait_s)


def missing_key(model: ModelSpec) -> AuthenticationError:
    """Say that there is no key to call this model with."""
    return AuthenticationError(
        f"There is no key for {model.alias}. An admin should set {key_variable(model)}."
    )


def _innermost(error: BaseException) -> BaseException:
    """Unwrap what LiteLLM puts around an error that came within a stream."""
    inner = getattr(error, "original_exception", None)
    return _innermost(inner) if isinstance(inner, BaseException) else error


def _at_start(name: str) -> str:
    """A name as a sentence begins with it: `The server of qwen`."""
    return name[:1].upper() + name[1:]


def _is_out_of_reach(error: BaseException | None) -> bool:
    """Whether there was not even a connection: the name is not known, or nobody answers."""
    while error is not None:
        if isinstance(error, aiohttp.ClientConnectorError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _kind(error: BaseException, status: int | None) -> type[GatewayError]:
    if status is not None and 400 <= status < 500:
        words = str(error).lower()
        for kind, pattern in _BY_WORDS:
            if pattern.search(words):
                return kind
    for parent in type(error).__mro__:
        if parent.__name__ in _BY_CLASS:
            return _BY_CLASS[parent.__name__]
    if isinstance(error, TimeoutError):
        return ResponseTimeoutError
    return _BY_STATUS.get(status or 0, ProviderUnavailableError)


def _sentence(kind: type[GatewayError], model: ModelSpec, wait_s: float | None) -> str:
    """Name who failed, where that helps; else the class's own sentence serves."""
    who = provider_name(model)
    if kind is AuthenticationError:
        key = key_variable(model) or "the server's settings"
        return f"{who} refused the key. An admin should check {key}."
    if kind is OutOfCreditError:
        return f"The account at {who} is out of credit. An admin can top it up."
    if kind is RateLimitError:
        when = f"in {wait_s:.0f} s" if wait_s is not None and wait_s >= 1 else "in a minute"
        return f"{who} is receiving too many requests. Please try again {when}."
    if kind is ModelNotFoundError:
        return (
            f"{who} does not know {model.model_id} (any more). An admin should update models.toml."
        )
    if kind is ProviderUnavailableError:
        return f"{who} has a fault at the moment. Please try again in a minute."
    return ""


def _retry_after_s(error: BaseException) -> float | None:
    """Read how long to wait, from the headers or from Gemini's error body."""
    for headers in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
        getattr(error, "headers", None),
    ):
        if headers and (value := headers.get("retry-after")) is not None:
            return _to_seconds(str(value))
    delay = _RETRY_DELAY.search(str(error))
    return float(delay.group(1)) if delay else None


def _to_seconds(value: str) -> float | None:
    """Read seconds or a date, the two forms that HTTP allows."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
