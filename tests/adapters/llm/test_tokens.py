"""Counting tokens of a text that a server has not counted."""

import asyncio

import pytest

from adapters.llm.tokens import count_tokens


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("Hello world", 2)])
async def test_counts_as_current_models_do(text: str, tokens: int) -> None:
    assert await count_tokens(text) == tokens


async def test_a_long_text_is_about_the_sum_of_its_parts() -> None:
    part = "The quick brown fox jumps over the lazy dog. "
    tokens = await count_tokens(part * 2_000)
    assert tokens == pytest.approx(2_000 * await count_tokens(part), rel=0.2)


async def test_a_run_of_one_character_is_counted_while_others_go_on() -> None:
    await count_tokens("warm")
    counting = asyncio.create_task(count_tokens("a" * 200_000))
    ticks = 0
    while not counting.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert 10_000 < counting.result() < 200_000
    assert ticks > 1


async def test_a_text_beyond_all_measure_is_estimated() -> None:
    assert await count_tokens("word " * 400_000) > 400_000
