"""Which prompts are debates and ensembles, and what is asked in them."""

import pytest

from bot.strategies.discussion import to_discussion

ALIASES = ("ada", "bob")


@pytest.mark.parametrize(
    ("prompt", "name", "text"),
    [
        ("debate Tabs or spaces?", "debate", "Tabs or spaces?"),
        ("Debate: Tabs or spaces?", "debate", "Tabs or spaces?"),
        ("/ensemble n:2 Tabs or spaces?", "ensemble", "Tabs or spaces?"),
        ("@cheap debate Tabs or spaces?", "debate", "@cheap Tabs or spaces?"),
        ("@ada debate Tabs or spaces?", "debate", "@ada Tabs or spaces?"),
        ("@heavy debate @bob Tabs or spaces?", "debate", "@bob Tabs or spaces?"),
    ],
)
def test_a_discussion_and_its_question(prompt: str, name: str, text: str) -> None:
    command = to_discussion(prompt, ALIASES)
    assert command is not None
    assert (command.name, command.text) == (name, text)


@pytest.mark.parametrize(
    "prompt", ["Debate is healthy", "Is a debate useful?", "help", "@fast help", "tier heavy", "Hi"]
)
def test_anything_else_is_not_one(prompt: str) -> None:
    assert to_discussion(prompt, ALIASES) is None
