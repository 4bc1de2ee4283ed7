"""Commands are read in words; a sentence that merely begins with such a word stays a prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.command_grammar import Command
from bot.commands import COMMANDS, is_command, parse_command
from bot.errors import CommandError, PromptError, UnknownCommandError

PROMPTS = """
help me write a letter
Help! My server is down
can you help?
helping hands
models of the atom?
models, please explain the standard one
model railways for beginners
What models are there?
tier list of pizza toppings
tier 1 support, what is it?
tier lists
tier full stack developer salaries
tier heavy metal bands
Tier und Pflanze: was ist der Unterschied?
settings for my camera at night?
settings menu is missing
settings threads in Java
settings models for training neural nets
settings iPhone 15?
settings page broken
setting up a server
budget for a trip to Rome
budget user guide
budget 2026 planning
budget is tight this month, what can I leave out?
budget user stories
budget laptop 500
forget it
forget everything and start over
forget!
forget what I said about Rome
forgetting curve
spend my time better, how?
costs of living in Berlin
usage of commas
/etc/hosts what is it?
/usr/bin/env: no such file
/ what is a slash
/shrug
stop it, please
stop words in English
stopping distances?
debate is healthy, isn't it?
debate?
ensemble?
Stop?! Why?
spend by credit card or by cash?
spend by the hour
spend by colour?
spend by category in this table
spend by region: north 4, south 5
spend all my money on shoes
spend all day in bed
spend a day in Rome
spend the weekend in Rome
spend week 3 on tests
spend wisely
spend it
spend money
spend less
spend today with my family
spend last of all a thought on tests
spend per capita on health in Europe
costs by country
costs by region
usage by age group
usage by country
usage by example
costs last quarter
budget 500
budget 5 weekly
budget server
budget server?
budget user?
budget channel partners
budget channel strategy for 2026
budget user 5 per person
budget user interface
budget workspace ideas
budget server 5 Rome
budget and forecast
budgets for a family of four
caps lock is stuck
caps for bottles
help please
help Ann
help forgetting
help stopping
tier heavy please, and then write a poem
tier free trial
settings to change for gaming
settings set by default
settings dial to start
settings models to compare
ensemble learning explained
"""


@pytest.mark.parametrize("text", PROMPTS.strip().splitlines())
def test_a_sentence_that_begins_with_such_a_word_stays_a_prompt(text: str) -> None:
    assert parse_command(text) is None


@pytest.mark.parametrize("text", ["", "   ", "\n", "/", "?", "12 / 4", "```\nhelp\n```"])
def test_nothing_at_all_is_no_command(text: str) -> None:
    assert parse_command(text) is None


def _c(name: str, *words: str, text: str = "", **options: str) -> Command:
    return Command(name=name, words=words, options=options, text=text)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("help", _c("help")),
        ("  Help?  ", _c("help")),
        ("/commands", _c("help")),
        ("help tier", _c("help", "tier")),
        ("help /tier", _c("help", "tier")),
        ("models", _c("models")),
        ("/model", _c("models")),
        ("tier", _c("tier")),
        ("tier heavy", _c("tier", "heavy")),
        ("/TIER Auto", _c("tier", "auto")),
        ("tier cheap channel", _c("tier", "cheap", place="channel")),
        ("tier server full", _c("tier", "full", place="workspace")),
        ("settings", _c("settings")),
        ("/settings channel", _c("settings", place="channel")),
        ("settings dial 7", _c("settings", "dial", text="7")),
        ("settings max-tier cheap", _c("settings", "max_tier", text="cheap")),
        ("settings workspace dial 7", _c("settings", "dial", text="7", place="workspace")),
        ("settings dial", _c("settings", "dial")),
        ("settings reset dial", _c("settings", "dial", reset="yes")),
        ("settings history", _c("settings", "history")),
        ("settings models haiku, gpt", _c("settings", "models", text="haiku, gpt")),
        ('settings system_prompt "Be brief."', _c("settings", "system_prompt", text="Be brief.")),
        (
            "settings channel system_prompt You are\na pirate's  friend.",
            _c("settings", "system_prompt", text="You are\na pirate's  friend.", place="channel"),
        ),
        ("settings dial to 7", _c("settings", "dial", text="7")),
        ("settings channel set dial 7", _c("settings", "dial", text="7", place="channel")),
        ("help budget?", _c("help", "budget")),
        ("models:", _c("models")),
        ("tier heavy please.", _c("tier", "heavy")),
        ("spend today?", _c("spend", period="today")),
        ("spend this week", _c("spend", period="week")),
        ("costs this month", _c("spend", period="month")),
        ("spend by model this month", _c("spend", period="month", by="model")),
        ("usage per user, please", _c("spend", by="user")),
        ("budget user 5$", _c("budget", "user_daily_cap", text="5$")),
        ("budget user 5 dollars a week.", _c("budget", "user_weekly_cap", text="5")),
        ("forget", _c("forget", "thread")),
        ("/forget this thread", _c("forget", "thread")),
        ("forget all", _c("forget", "all")),
        ("budget", _c("budget")),
        ("budget channel 50", _c("budget", "channel_monthly_cap", text="50")),
        ("budget user $2.50", _c("budget", "user_daily_cap", text="$2.50")),
        ("/budget server none", _c("budget", "workspace_monthly_cap", text="none")),
        ("budget user 10 weekly", _c("budget", "user_weekly_cap", text="10")),
        ("budget user monthly 30", _c("budget", "user_monthly_cap", text="30")),
        ("budget channel $2 a day", _c("budget", "channel_daily_cap", text="$2")),
        ("Budget Workspace 50 per Week", _c("budget", "workspace_weekly_cap", text="50")),
        ("/budget server none each day", _c("budget", "workspace_daily_cap", text="none")),
    ],
)
def test_reads_a_command(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/hlep", "Did you mean `/help`?"),
        ("/setings dial 7", "Did you mean `/settings`?"),
        ("/help me write a letter", "Write it like this: `help` or `help budget`."),
        ("/models of the atom", "I read this as `/models`. Write it alone: `models`."),
        ("tier havy", "Did you mean `heavy`?"),
        ("/tier gigantic", "There are: free, cheap, full, auto"),
        ("settings dail 7", "Did you mean `dial`?"),
        ("settings nosuch 3", "There is no setting `nosuch`. `help settings` lists them all."),
        ("settings channel colour off", "There is no setting `colour`"),
        ("/settings colour red", "There is no setting `colour`"),
        ("settings reset", "takes the name of one setting behind it, as in `settings reset dial`."),
        ("/settings reset dial now", "`settings reset` takes the name of one setting behind it"),
        ("settings thread reset", "`settings reset` takes the name of one setting behind it"),
        ("settings history dial", "`settings history` takes nothing behind it"),
        ("/settings system_prompt “Be brief", "opened and not closed"),
        ("budget chanel 50", "Did you mean `channel`?"),
        ("budget user -4", "takes dollars such as 5 or 2.50, or none, not `-4`"),
        ("budget channel €5", "takes dollars such as 5 or 2.50, or none, not `€5`"),
        ("budget user 5x", "takes dollars such as 5 or 2.50"),
        ("budget user", "`budget`, `budget user 5 weekly` or `budget workspace 100`."),
        ("budget workspace unlimited", "If it was a question, put it in a few more words."),
        ("budget server reset", "I read this as `budget`"),
        ("budget user monthly", "I read this as `budget`"),
        ("caps channel", "I read this as `budget`"),
        ("spend by", "Write it like this: `spend`, `spend month by model` or"),
        ("spend last week", "I read this as `spend`"),
        ("spend yesterday", "I read this as `spend`"),
        ("spend by model by tier", "I read this as `spend`"),
        ("spend users", "I read this as `spend`"),
        ("spend by colour", "There is no way to group `colour`. There are: model, tier, user"),
        ("spend month by shoe.", "There is no way to group `shoe`"),
        ("costs by chanel", "Did you mean `channel`?"),
        ("spend wek", "There is no period `wek`. Did you mean `week`?"),
        ("/spend colour", "There is no period `colour`. There are: today, day"),
        ("help budgt", "There is no command `budgt`. Did you mean `help budget`?"),
        ("debate", "`debate` needs a question behind it. Nothing was spent."),
        ("Ensemble:", "`ensemble` needs a question behind it. Nothing was spent."),
        ("settings channel reset", "`settings reset` takes the name of one setting behind it"),
        ("/budget user weekly", "takes dollars such as 5 or 2.50"),
        ("budget user 5 wekly", "There is no period `wekly`. Did you mean `weekly`?"),
        ("/budget user 5 yearly", "There are: day, daily, week, weekly, month, monthly."),
        ("/budget user 5 a week maybe", "Write it like this: `budget`, `budget user 5 weekly` or"),
        ("/forget everything", "Write it like this: `forget` or `forget all`."),
    ],
)
def test_a_mistake_is_told_with_what_was_meant(text: str, says: str) -> None:
    with pytest.raises((CommandError, UnknownCommandError)) as raised:
        parse_command(text)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("name", "example"), [(spec.name, each) for spec in COMMANDS.values() for each in spec.examples]
)
def test_every_example_is_the_command_that_it_is_for(name: str, example: str) -> None:
    command = parse_command(example)
    assert command is not None
    assert command.name == name


@pytest.mark.parametrize(
    ("text", "is_meant"), [("help", True), ("/hlep", True), ("help me, please", False)]
)
def test_a_text_is_meant_as_a_command_also_when_it_is_wrong(text: str, is_meant: bool) -> None:
    assert is_command(text) is is_meant


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_read_behind_its_slash(name: str) -> None:
    question = " tabs or spaces?" if COMMANDS[name].asks_models else ""
    command = parse_command(f"/{name}{question}")
    assert command is not None
    assert command.name == name


@given(st.text(max_size=80), st.sampled_from(sorted(COMMANDS)), st.booleans())
def test_any_text_is_read_or_refused_in_words(text: str, name: str, is_explicit: bool) -> None:
    line = f"{'/' if is_explicit else ''}{name} {text}"
    try:
        command = parse_command(line)
    except PromptError as error:
        assert str(error)  # noqa: PT017  # either outcome is right, an odd exception is not
    else:
        assert command is None or COMMANDS[command.name].is_on
