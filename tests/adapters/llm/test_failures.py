"""What providers refuse, in their own words, and the errors that come of it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adapters.llm import LiteLLMGateway
from adapters.llm.failures import to_gateway_error
from bot import errors
from tests.adapters.llm.conftest import PROVIDERS, Texts, a_call, a_model
from tests.loopback.providers import FaultKind, Outcome, ProviderServer

REFUSALS = [
    (FaultKind.BAD_KEY, errors.AuthenticationError),
    (FaultKind.RATE_LIMIT, errors.RateLimitError),
    (FaultKind.NO_CREDIT, errors.OutOfCreditError),
    (FaultKind.SERVER_ERROR, errors.ProviderUnavailableError),
    (FaultKind.OVERLOADED, errors.ProviderUnavailableError),
    (FaultKind.CONTEXT_TOO_LONG, errors.ContextWindowExceededError),
    (FaultKind.NO_SUCH_MODEL, errors.ModelNotFoundError),
]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize(("kind", "expected"), REFUSALS)
async def test_translates_every_refusal(
    provider: ProviderServer,
    gateway: LiteLLMGateway,
    texts: Texts,
    name: str,
    kind: FaultKind,
    expected: type[errors.GatewayError],
) -> None:
    provider.fail(kind, times=None)
    with pytest.raises(errors.GatewayError) as caught:
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert type(caught.value) is expected
    assert len(provider.requests) == 1


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "gemini"])
async def test_translates_a_content_refusal(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.CONTENT_FILTER)
    with pytest.raises(errors.ContentPolicyError):
        await gateway.complete(a_call(a_model(provider, name)), texts)


async def test_gemini_filters_in_a_good_answer(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.fail(FaultKind.CONTENT_FILTER)
    completion = await gateway.complete(a_call(a_model(provider, "gemini")), texts)
    assert (completion.text, completion.finish_reason) == ("", "content_filter")
    assert completion.usage.input_tokens == provider.requests[0].billed.input_tokens


@pytest.mark.parametrize("name", PROVIDERS)
async def test_says_how_long_to_wait(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.RATE_LIMIT, retry_after_s=17)
    with pytest.raises(errors.RateLimitError, match="in 17 s") as caught:
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert caught.value.retry_after_s == 17


def test_reads_a_date_to_wait_for(provider: ProviderServer) -> None:
    class RefusedError(Exception):
        status_code = 429
        headers = {  # noqa: RUF012  # as LiteLLM's exceptions have it
            "retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=30))
        }

    error = to_gateway_error(RefusedError(), a_model(provider, "openai"))
    assert error.retry_after_s is not None
    assert 25 < error.retry_after_s <= 30


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.TRUNCATED, FaultKind.ERROR_IN_STREAM])
async def test_a_stream_that_breaks_off_keeps_the_text_so_far(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str, kind: FaultKind
) -> None:
    provider.script(text="One two three four five six")
    provider.fail(kind, at_token=3)
    with pytest.raises(errors.StreamCutError):
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert texts.text == "One two thre"
    assert provider.requests[0].outcome is Outcome.BROKEN


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.ERROR_IN_STREAM, FaultKind.MALFORMED])
async def test_a_stream_that_breaks_before_any_text_may_be_tried_elsewhere(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str, kind: FaultKind
) -> None:
    provider.fail(kind, at_token=0)
    with pytest.raises(errors.ProviderUnavailableError):
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert texts.pieces == []


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_dropped_connection_is_not_tried_again_behind_our_back(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.DROP, times=None)
    with pytest.raises(errors.ProviderUnavailableError):
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("name", PROVIDERS)
async def test_an_empty_answer_is_an_answer_without_text(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.EMPTY)
    completion = await gateway.complete(a_call(a_model(provider, name)), texts)
    assert (completion.text, texts.pieces) == ("", [])


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_server_that_is_not_there_is_unavailable(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    model = a_model(provider, name, api_base="http://127.0.0.1:9/v1")
    with pytest.raises(errors.ProviderUnavailableError, match="can't be reached from here"):
        await gateway.complete(a_call(model), texts)


async def test_a_server_of_one_s_own_is_named_as_a_sentence_begins(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.fail(FaultKind.SERVER_ERROR)
    model = a_model(provider, "openai", api_key_env="")
    with pytest.raises(errors.ProviderUnavailableError, match=f"^The server of {model.alias} has"):
        await gateway.complete(a_call(model), texts)


@pytest.mark.parametrize("name", PROVIDERS)
async def test_no_error_shows_the_key_or_the_provider_s_own_words(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.BAD_KEY)
    with pytest.raises(errors.AuthenticationError) as caught:
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert "k-1" not in str(caught.value)
    assert "litellm" not in str(caught.value).lower()
    assert "refused the key" in str(caught.value)
