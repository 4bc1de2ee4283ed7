"""In a long conversation each player gets what fits its window; the rest is summarised once."""

import pytest

from bot.catalog import Catalog, Tier
from bot.errors import ProviderUnavailableError
from tests.fakes import model
from tests.unit.strategies.discussing import Playing, World

PARTS = {
    "answer1": "words " * 900,
    "propose1": "Sydney.",
    "propose2": "Perth.",
    "criticise1": "- [serious] No.",
    "revise1": "Canberra.",
    "judge": "Canberra.",
}
SUMMARY = "They spoke of words."
DEBATE, ENSEMBLE = "debate What is the capital?", "ensemble n:2 What is the capital?"


def _small() -> Catalog:
    return Catalog(
        tuple(
            model(alias, Tier.FULL, provider=alias, context_tokens=6_000, max_output_tokens=1_000)
            for alias in ("ada", "bob")
        )
    )


async def _asked(question: str, summary: object = SUMMARY) -> World:
    """A question after ten long answers; each call but the last turn's may summarise too."""
    world = World(Playing({**PARTS, "ada": summary, "bob": summary}), _small())  # type: ignore[dict-item]  # test data
    for number in range(4):
        await world.ask(f"Number {number}?", f"old{number}")
    world.gateway.calls.clear()
    await world.ask(question)
    return world


def _summaries(world: World) -> list[str]:
    return [step for step, _ in world.gateway.steps if step.startswith("summary")]


@pytest.mark.parametrize(
    ("question", "steps"),
    [(DEBATE, ("propose1", "criticise1", "revise1")), (ENSEMBLE, ("propose1", "propose2"))],
)
async def test_all_players_read_one_summary_of_what_does_not_fit(
    question: str, steps: tuple[str, ...]
) -> None:
    world = await _asked(question)
    assert len(_summaries(world)) == 1
    assert all(SUMMARY in world.gateway.said_to(step) for step in steps)
    assert all("What is the capital?" in world.gateway.said_to(step) for step in steps)
    assert world.delivery.last.reply.text == "Canberra."


async def test_what_was_summarised_is_said() -> None:
    world = await _asked(DEBATE)
    answer = world.delivery.last.branches["propose1"].reply
    assert any("summar" in note for note in answer.notes)


async def test_a_summary_that_fails_leaves_the_oldest_out() -> None:
    world = await _asked(DEBATE, ProviderUnavailableError())
    assert world.delivery.last.reply.text == "Canberra."
    assert "What is the capital?" in world.gateway.said_to("revise1")


async def test_a_summary_is_in_the_ledger_of_its_discussion() -> None:
    world = await _asked(DEBATE)
    (summary,) = [e for e in await world.entries() if ":summary" in e.call_id]
    assert summary.spent > 0
