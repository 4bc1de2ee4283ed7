"""The gateway with real LiteLLM against loopback providers: text, usage, cost, limits."""

import asyncio
import base64
import json
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from adapters.llm import LiteLLMGateway, Patience
from bot import errors
from bot.attachments import to_data
from bot.ledger import to_cost, to_list_price
from bot.messages import Attachment, Message, Role
from bot.money import to_nanousd
from tests.adapters.llm.conftest import PROVIDERS, GatewayMaker, Texts, a_call, a_model
from tests.loopback.providers import FaultKind, Outcome, ProviderServer, Reply, Seen

TEXT = "A sentence that is long enough to come in a number of pieces, with an é and a 🙂."


@pytest.mark.parametrize("name", PROVIDERS)
async def test_reads_text_and_exact_usage(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT, served_model="served-2026-11")
    completion = await gateway.complete(a_call(a_model(provider, name)), texts)
    billed = provider.requests[0].billed
    assert (completion.text, texts.text) == (TEXT, TEXT)
    assert len(texts.pieces) > 10
    assert completion.usage.input_tokens == billed.input_tokens
    assert completion.usage.output_tokens == billed.output_tokens
    assert not completion.usage.is_estimated
    assert completion.finish_reason == "stop"
    assert completion.response_model_id == "served-2026-11"
    assert completion.first_token_s is not None
    assert 0 < completion.first_token_s <= completion.latency_s


@pytest.mark.parametrize("name", PROVIDERS)
async def test_halves_of_characters_are_joined_or_replaced(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text="abc\ud83d\ude42, \ud83d alone\0 \ud83d")  # cut after four characters
    completion = await gateway.complete(a_call(a_model(provider, name)), texts)
    assert (completion.text, texts.text) == ("abc🙂, \ufffd alone ",) * 2


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "mistral"])
async def test_reads_what_came_from_the_cache(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT, cached_input_tokens=5)
    usage = (await gateway.complete(a_call(a_model(provider, name)), texts)).usage
    assert (usage.cached_input_tokens, usage.input_tokens) == (
        5,
        provider.requests[0].billed.input_tokens,
    )


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_reads_and_bills_what_was_put_into_the_cache(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT, cached_input_tokens=2, cache_write_tokens=3)
    model = replace(a_model(provider, name), cache_write_usd_per_mtok=Decimal(100))
    usage = (await gateway.complete(a_call(model), texts)).usage
    assert (usage.cached_input_tokens, usage.cache_write_tokens) == (2, 3)
    cheaper = to_list_price(model, replace(usage, cache_write_tokens=0))
    dearer = to_list_price(model, usage)
    assert model.input_usd_per_mtok is not None
    assert cheaper is not None
    assert dearer == cheaper + 3 * to_nanousd(100 - model.input_usd_per_mtok) // 1_000_000


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("goes_on", [True, False])
async def test_asks_anthropic_alone_to_cache_what_goes_on(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str, goes_on: bool
) -> None:
    provider.script(text=TEXT)
    await gateway.complete(replace(a_call(a_model(provider, name)), goes_on=goes_on), texts)
    marks = json.dumps(provider.requests[0].body).count('"cache_control"')
    assert marks == (goes_on and name == "anthropic")


@pytest.mark.parametrize("name", ["openai", "groq", "openrouter", "deepseek", "gemini"])
async def test_counts_reasoning_as_part_of_the_output(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT, reasoning_tokens=40)
    usage = (await gateway.complete(a_call(a_model(provider, name)), texts)).usage
    assert (usage.reasoning_tokens, usage.output_tokens) == (
        40,
        provider.requests[0].billed.output_tokens,
    )
    assert texts.text == TEXT


@pytest.mark.parametrize("name", PROVIDERS)
async def test_costs_what_the_provider_bills(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT)
    model = a_model(provider, name)
    completion = await gateway.complete(a_call(model), texts)
    billed_nanousd = round(provider.requests[0].billed.cost_usd * 1e9)
    assert to_cost(model, completion.usage, completion.reported_cost) == billed_nanousd


async def test_takes_a_reported_cost_only_from_a_provider_that_reports_one(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.script(text=TEXT)
    provider.prices["meta-llama/llama-3.3-70b-instruct"] = (3.0, 7.0)
    reported = {}
    for name in PROVIDERS:
        completion = await gateway.complete(a_call(a_model(provider, name)), texts)
        reported[name] = completion.reported_cost
    billed = next(seen.billed for seen in provider.requests if seen.provider == "openrouter")
    assert reported.pop("openrouter") == round(billed.cost_usd * 1e9)
    assert set(reported.values()) == {None}


async def test_estimates_the_usage_that_a_server_does_not_send(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.script(text=TEXT, sends_usage=False)
    completion = await gateway.complete(a_call(a_model(provider, "local")), texts)
    assert completion.usage.is_estimated
    assert 10 <= completion.usage.output_tokens <= 40


@pytest.mark.parametrize("name", PROVIDERS)
async def test_sends_our_key_our_limit_and_our_words(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    await gateway.complete(a_call(a_model(provider, name), max_output_tokens=77), texts)
    seen = provider.requests[0]
    assert [message["role"] for message in seen.messages] == ["system", "user"]
    assert seen.prompt == "Hello there"
    assert seen.max_output_tokens == 77
    assert "k-1" in key_headers(seen)
    assert len(provider.requests) == 1


def key_headers(seen: Seen) -> str:
    names = ("authorization", "x-api-key", "x-goog-api-key")
    return " ".join(seen.headers.get(name, "") for name in names)


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
async def test_says_when_the_limit_ended_the_answer(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT)
    call = a_call(a_model(provider, name), max_output_tokens=3)
    completion = await gateway.complete(call, texts)
    assert (completion.text, completion.finish_reason) == (TEXT[:12], "length")


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
async def test_says_when_the_content_rules_ended_the_answer(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text="Half an answ", finish_reason="content_filter")
    completion = await gateway.complete(a_call(a_model(provider, name)), texts)
    assert (completion.text, completion.finish_reason) == ("Half an answ", "content_filter")


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
async def test_sends_pictures_and_files_in_the_request(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    picture = Attachment(name="a.png", media_type="image/png", size_bytes=4, data=b"\x89PNG")
    notes = Attachment(name="b.txt", media_type="text/plain", size_bytes=6, text="secret")
    asked = Message(role=Role.USER, text="What is it?", attachments=(picture, notes))
    call = a_call(a_model(provider, name), messages=(asked,))
    await gateway.complete(call, texts)
    seen = provider.requests[0]
    assert seen.prompt == f"What is it?\n\n{to_data(notes)}"
    assert base64.b64encode(b"\x89PNG").decode() in str(seen.body)


async def test_passes_further_request_fields_on(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    model = a_model(provider, "local", extra={"top_k": 20, "temperature": 0.2})
    await gateway.complete(a_call(model), texts)
    body = provider.requests[0].body
    assert (body["top_k"], body["temperature"]) == (20, 0.2)


async def test_asks_a_model_that_needs_no_key_without_one(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts
) -> None:
    model = a_model(provider, "local", api_key_env="")
    completion = await make_gateway(key=None).complete(a_call(model), texts)
    assert completion.text == "You said: Hello there"


async def test_does_not_call_without_the_key_it_needs(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts
) -> None:
    with pytest.raises(errors.AuthenticationError, match="GROQ_API_KEY"):
        await make_gateway(key=None).complete(a_call(a_model(provider, "groq")), texts)
    assert provider.requests == []


async def test_an_answer_without_text_keeps_its_usage(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.script(text="", reasoning_tokens=30, finish_reason="length")
    completion = await gateway.complete(a_call(a_model(provider, "openai")), texts)
    assert (completion.text, completion.usage.output_tokens) == ("", 30)
    assert completion.finish_reason == "length"


async def test_an_answer_may_repeat_itself(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.script(text="haha" * 500)
    await gateway.complete(a_call(a_model(provider, "openai")), texts)
    assert texts.text == "haha" * 500


@pytest.mark.parametrize("name", PROVIDERS)
async def test_cancelling_ends_the_provider_s_stream_at_once(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT * 20, chunk_delay_s=0.01)
    asking = asyncio.create_task(gateway.complete(a_call(a_model(provider, name)), texts))
    await provider.wait_until(lambda _server: len(texts.pieces) >= 3)
    cancelled_at_s = time.monotonic()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await provider.wait_for_ends()
    seen = provider.requests[0]
    assert seen.outcome is Outcome.DISCONNECTED
    assert seen.ended_at_s is not None
    assert seen.ended_at_s - cancelled_at_s < 0.05
    assert texts.text
    assert (TEXT * 20).startswith(texts.text)


@pytest.mark.parametrize("name", ["openai", "anthropic", "gemini"])
async def test_cancelling_before_the_headers_hangs_up(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.fail(FaultKind.HANG_BEFORE_HEADERS)
    asking = asyncio.create_task(gateway.complete(a_call(a_model(provider, name)), texts))
    await provider.wait_for_requests()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await provider.wait_for_ends()
    assert provider.requests[0].is_disconnected


async def test_a_reader_that_fails_ends_the_provider_s_stream(
    provider: ProviderServer, gateway: LiteLLMGateway
) -> None:
    def refuse(text: str) -> None:
        raise RuntimeError(text)

    provider.script(text=TEXT * 20, chunk_delay_s=0.01)
    with pytest.raises(RuntimeError):
        await gateway.complete(a_call(a_model(provider, "openai")), refuse)
    await provider.wait_for_ends()
    assert provider.requests[0].is_disconnected


@pytest.mark.parametrize("name", ["openai", "groq", "anthropic", "gemini"])
@pytest.mark.parametrize("kind", [FaultKind.HANG_BEFORE_HEADERS, FaultKind.HANG_AFTER_HEADERS])
async def test_a_provider_that_hangs_is_given_up(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts, name: str, kind: FaultKind
) -> None:
    gateway = make_gateway(Patience(first_token_s=0.15))
    provider.fail(kind)
    with pytest.raises(errors.ResponseTimeoutError):
        await gateway.complete(a_call(a_model(provider, name)), texts)
    await provider.wait_for_ends()
    assert provider.requests[0].is_disconnected


@pytest.mark.parametrize("name", ["openai", "groq", "anthropic", "gemini"])
async def test_silence_in_the_middle_is_a_cut(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts, name: str
) -> None:
    gateway = make_gateway(Patience(gap_s=0.15))
    provider.script(text=TEXT)
    provider.fail(FaultKind.SILENCE, at_token=4)
    with pytest.raises(errors.StreamCutError):
        await gateway.complete(a_call(a_model(provider, name)), texts)
    assert texts.text == TEXT[:16]
    await provider.wait_for_ends()
    assert provider.requests[0].is_disconnected


async def test_reasoning_is_a_sign_of_life(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts
) -> None:
    gateway = make_gateway(Patience(first_token_s=0.3, gap_s=0.6))
    provider.script(text=TEXT, reasoning="Hm.", first_text_delay_s=0.4)
    completion = await gateway.complete(a_call(a_model(provider, "deepseek")), texts)
    assert completion.text == TEXT


@pytest.mark.parametrize("name", ["deepseek", "openrouter", "groq"])
async def test_hands_on_what_is_shown_of_the_reasoning(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts, name: str
) -> None:
    provider.script(text=TEXT, reasoning="Hm.")
    reasoning = Texts()
    await gateway.complete(a_call(a_model(provider, name)), texts, reasoning)
    assert (texts.text, reasoning.text) == (TEXT, "Hm.")


async def test_a_server_of_one_s_own_may_take_its_time(
    provider: ProviderServer, make_gateway: GatewayMaker, texts: Texts
) -> None:
    gateway = make_gateway(Patience(first_token_s=0.1))
    provider.script(text=TEXT, first_text_delay_s=0.3)
    model = a_model(provider, "local", api_key_env="")
    assert (await gateway.complete(a_call(model), texts)).text == TEXT
    with pytest.raises(errors.ResponseTimeoutError):
        await gateway.complete(a_call(model, timeout_s=0.1), texts)


async def test_the_whole_answer_has_a_limit_too(
    provider: ProviderServer, gateway: LiteLLMGateway, texts: Texts
) -> None:
    provider.script(text=TEXT * 20, chunk_delay_s=0.02)
    call = a_call(a_model(provider, "openai"), timeout_s=0.2)
    with pytest.raises(errors.StreamCutError):
        await gateway.complete(call, texts)
    assert texts.text


async def test_a_connection_that_is_not_taken_is_given_up_soon(
    make_gateway: GatewayMaker, provider: ProviderServer, texts: Texts, deaf_address: str
) -> None:
    gateway = make_gateway(Patience(connect_s=0.2, first_token_s=30))
    call = a_call(a_model(provider, "anthropic", api_base=deaf_address))
    started_s = time.monotonic()
    with pytest.raises(errors.ResponseTimeoutError):
        await gateway.complete(call, texts)
    assert time.monotonic() - started_s < 5


async def test_forty_streams_at_once_keep_their_texts_apart(
    provider: ProviderServer, gateway: LiteLLMGateway
) -> None:
    provider.script(lambda seen: Reply(text=f"<{seen.prompt}>" * 20, chunk_delay_s=0.001))
    readers = [Texts() for _ in range(40)]
    calls: list[Any] = []
    for index, reader in enumerate(readers):
        model = a_model(provider, PROVIDERS[index % len(PROVIDERS)])
        calls.append(gateway.complete(a_call(model, f"prompt {index}"), reader))
    completions = await asyncio.gather(*calls)
    assert [c.text for c in completions] == [f"<prompt {i}>" * 20 for i in range(40)]
    assert [reader.text for reader in readers] == [c.text for c in completions]
