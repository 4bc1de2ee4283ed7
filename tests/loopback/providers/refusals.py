"""How each provider says no: status, body and headers, in its own words.

The wordings were taken from the providers' error references and from reports of their users.
"""

from collections.abc import Mapping
from typing import Any

from tests.loopback.providers.record import Seen
from tests.loopback.providers.script import Fault, FaultKind

_K = FaultKind
_WINDOW, _ASKED = 131_072, 140_000

Words = Mapping[FaultKind, tuple[int, str, str]]  # status, kind or code, message

_OPENAI: Words = {
    _K.BAD_KEY: (401, "invalid_api_key", "Incorrect API key provided."),
    _K.RATE_LIMIT: (429, "rate_limit_exceeded", "Rate limit reached for {model}."),
    _K.NO_CREDIT: (
        429,
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    _K.SERVER_ERROR: (500, "server_error", "The server had an error."),
    _K.OVERLOADED: (503, "server_error", "The engine is currently overloaded."),
    _K.CONTEXT_TOO_LONG: (
        400,
        "context_length_exceeded",
        f"This model's maximum context length is {_WINDOW} tokens. However, your messages resulted "
        f"in {_ASKED} tokens. Please reduce the length of the messages.",
    ),
    _K.CONTENT_FILTER: (
        400,
        "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
    _K.NO_SUCH_MODEL: (
        404,
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
}
_GROQ: Words = {
    **_OPENAI,
    _K.NO_CREDIT: (400, "blocked_api_access", "API access is blocked by your spend limit."),
    _K.OVERLOADED: (498, "capacity_exceeded", "Flex tier capacity exceeded."),
    _K.CONTEXT_TOO_LONG: (
        400,
        "context_length_exceeded",
        "Please reduce the length of the messages or completion.",
    ),
    _K.NO_SUCH_MODEL: (
        400,
        "model_decommissioned",
        "The model `{model}` has been decommissioned and is no longer supported.",
    ),
}
_DEEPSEEK: Words = {
    **_OPENAI,
    _K.NO_CREDIT: (402, "unknown_error", "Insufficient Balance"),
    _K.CONTEXT_TOO_LONG: (
        400,
        "invalid_request_error",
        f"This model's maximum context length is {_WINDOW} tokens. However, you requested "
        f"{_ASKED} tokens. Please reduce the length of the messages or completion.",
    ),
    _K.CONTENT_FILTER: (400, "invalid_request_error", "Content Exists Risk"),
    _K.NO_SUCH_MODEL: (400, "invalid_request_error", "Model Not Exist"),
}
_LOCAL: Words = {
    **_OPENAI,
    _K.OVERLOADED: (503, "unavailable_error", "Loading model"),
    _K.CONTEXT_TOO_LONG: (
        400,
        "exceed_context_size_error",
        "the request exceeds the available context size, try increasing it",
    ),
}
_MISTRAL: Words = {
    _K.BAD_KEY: (401, "unauthorized", "Unauthorized"),
    _K.RATE_LIMIT: (429, "rate_limited", "Requests rate limit exceeded"),
    _K.NO_CREDIT: (402, "payment_required", "Payment required: check your subscription"),
    _K.SERVER_ERROR: (500, "internal_server_error", "Internal server error"),
    _K.OVERLOADED: (503, "service_unavailable", "Service unavailable"),
    _K.CONTEXT_TOO_LONG: (
        400,
        "invalid_request_error",
        f"Prompt contains {_ASKED} tokens and 0 draft tokens, too large for model with {_WINDOW} "
        "maximum context length",
    ),
    _K.CONTENT_FILTER: (403, "content_filter", "The content was blocked by moderation guardrails"),
    _K.NO_SUCH_MODEL: (400, "invalid_model", "Invalid model: {model}"),
}
_OPENROUTER: Words = {
    _K.BAD_KEY: (401, "", "No auth credentials found"),
    _K.RATE_LIMIT: (429, "", "Rate limit exceeded: free-models-per-min."),
    _K.NO_CREDIT: (402, "", "Insufficient credits. Add more on your account's page."),
    _K.SERVER_ERROR: (500, "", "Internal Server Error"),
    _K.OVERLOADED: (503, "", "No instances available"),
    _K.CONTEXT_TOO_LONG: (
        400,
        "",
        f"This endpoint's maximum context length is {_WINDOW} tokens. However, you requested about "
        f"{_ASKED} tokens. Please reduce the length of either one.",
    ),
    _K.CONTENT_FILTER: (403, "", "The model requires moderation and your input was flagged"),
    _K.NO_SUCH_MODEL: (400, "", "{model} is not a valid model ID"),
}
_ANTHROPIC: Words = {
    _K.BAD_KEY: (401, "authentication_error", "invalid x-api-key"),
    _K.RATE_LIMIT: (429, "rate_limit_error", "This would exceed your rate limit."),
    _K.NO_CREDIT: (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API.",
    ),
    _K.SERVER_ERROR: (500, "api_error", "Internal server error"),
    _K.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    _K.CONTEXT_TOO_LONG: (
        400,
        "invalid_request_error",
        f"prompt is too long: {_ASKED} tokens > {_WINDOW} maximum",
    ),
    _K.CONTENT_FILTER: (
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
    ),
    _K.NO_SUCH_MODEL: (404, "not_found_error", "model: {model}"),
}
_GEMINI: Words = {
    _K.BAD_KEY: (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    _K.RATE_LIMIT: (
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    _K.NO_CREDIT: (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."),
    _K.SERVER_ERROR: (500, "INTERNAL", "An internal error has occurred."),
    _K.OVERLOADED: (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    _K.CONTEXT_TOO_LONG: (
        400,
        "INVALID_ARGUMENT",
        f"The input token count ({_ASKED}) exceeds the maximum number of tokens allowed "
        f"({_WINDOW}).",
    ),
    _K.NO_SUCH_MODEL: (404, "NOT_FOUND", "models/{model} is not found for API version v1beta."),
}
_WORDS: Mapping[str, Words] = {
    "openai": _OPENAI,
    "groq": _GROQ,
    "deepseek": _DEEPSEEK,
    "local": _LOCAL,
    "mistral": _MISTRAL,
    "openrouter": _OPENROUTER,
    "anthropic": _ANTHROPIC,
    "gemini": _GEMINI,
}


def refuses(seen: Seen, fault: Fault) -> bool:
    """Whether this fault is a refusal: Gemini filters content in a good answer without text."""
    return fault.kind in _WORDS[seen.provider]


def refuse(seen: Seen, fault: Fault) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Word this refusal as the provider would: status, body and headers."""
    status, code, message = _WORDS[seen.provider][fault.kind]
    body = _body(seen.provider, status, code, message.format(model=seen.model))
    if fault.retry_after_s is None:
        return status, body, {}
    if seen.provider == "gemini":
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        body["error"]["details"] = [{"@type": kind, "retryDelay": f"{fault.retry_after_s:g}s"}]
        return status, body, {}
    return status, body, {"retry-after": f"{fault.retry_after_s:g}"}


def _body(provider: str, status: int, code: str, message: str) -> dict[str, Any]:
    if provider == "anthropic":
        return {"type": "error", "error": {"type": code, "message": message}}
    if provider == "gemini":
        return {"error": {"code": status, "message": message, "status": code}}
    if provider == "openrouter":
        return {"error": {"message": message, "code": status}, "user_id": "user_1"}
    if provider == "mistral":
        return {"object": "error", "message": message, "type": code, "param": None, "code": None}
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {"error": error}
