"""A debate's or an ensemble's options and question are told apart, or it is a sentence."""

import pytest

from bot.command_grammar import Command, Line, Reader
from bot.errors import CommandError
from bot.question_grammar import DEBATE_SENTENCES, ENSEMBLE_SENTENCES, asking


def _c(name: str, *, text: str = "", **options: str) -> Command:
    return Command(name=name, options=options, text=text)


DEBATE = asking("debate", ("models", "rounds"), DEBATE_SENTENCES)
ENSEMBLE = asking("ensemble", ("models", "n", "mode"), ENSEMBLE_SENTENCES)


@pytest.mark.parametrize(
    ("rest", "command"),
    [
        (
            "tabs or spaces? rounds:2 models:a",
            _c("debate", text="tabs or spaces?", rounds="2", models="a"),
        ),
        ("who wins? score:3", _c("debate", text="who wins? score:3")),
        ("tabs or spaces?", _c("debate", text="tabs or spaces?")),
        (
            "models:A,b rounds:2 tabs or spaces?",
            _c("debate", text="tabs or spaces?", models="a,b", rounds="2"),
        ),
        (
            'question: tabs or spaces? models:"a, b"',
            _c("debate", text="tabs or spaces?", models="a, b"),
        ),
        ("rounds:1 is debate healthy?", _c("debate", text="is debate healthy?", rounds="1")),
        ('"is it so: or not?"', _c("debate", text="is it so: or not?")),
        ("does https://a.b/c load?", _c("debate", text="does https://a.b/c load?")),
        ("title: a novel?", _c("debate", text="title: a novel?")),
        ("time:9am or noon?", _c("debate", text="time:9am or noon?")),
        ("question:tabs or spaces?", _c("debate", text="tabs or spaces?")),
        ("rounds: 2 tabs or spaces?", _c("debate", text="tabs or spaces?", rounds="2")),
        ("tabs or spaces? Rounds: 3", _c("debate", text="tabs or spaces?", rounds="3")),
        ("rounds: why two?", _c("debate", text="rounds: why two?")),
        ("does rounds:2 in my file work", _c("debate", text="does rounds:2 in my file work")),
    ],
)
def test_options_stand_before_or_behind_a_question(rest: str, command: Command) -> None:
    assert DEBATE(Line(rest, is_explicit=False)) == command


@pytest.mark.parametrize("rest", ["is healthy", "club ideas", "and argument", "topics for ten"])
def test_a_sentence_about_debates_stays_a_prompt(rest: str) -> None:
    assert DEBATE(Line(rest, is_explicit=False)) is None


@pytest.mark.parametrize(
    ("reader", "rest", "says"),
    [
        (DEBATE, "", "needs a question"),
        (DEBATE, "rounds:2", "needs a question"),
        (DEBATE, "rounds:9 x", "takes 1, 2, 3, not `9`"),
        (DEBATE, "rounds:1 rounds:2 x", "given twice"),
        (DEBATE, "model:a x", "Did you mean `models:`?"),
        (ENSEMBLE, "n:1 x", "takes 2, 3, 4, 5, 6"),
        (ENSEMBLE, "x mode:loud", "takes synthesis, show, vote"),
    ],
)
def test_a_faulty_option_is_told(reader: Reader, rest: str, says: str) -> None:
    with pytest.raises(CommandError) as raised:
        reader(Line(rest, is_explicit=True))
    assert says in str(raised.value)
