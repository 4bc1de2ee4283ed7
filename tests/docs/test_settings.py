"""docs/settings.md has every setting, who may change it, and examples that it takes."""

import re

from bot.settings import SETTINGS
from tests.docs.pages import Page

PAGE = Page("docs/settings.md")
ROWS = [
    line.strip("| ").split(" | ")
    for line in PAGE.text.split("| Setting | Takes |")[1].split("\n\n")[0].splitlines()[2:]
]


def test_each_setting_has_its_row_and_no_other_has() -> None:
    named = [name for row in ROWS for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(SETTINGS)


def test_the_pencil_stands_where_anybody_may_set_it_for_a_thread() -> None:
    marked = {name for row in ROWS if "✎" in row[0] for name in re.findall(r"`(\w+)`", row[0])}
    assert marked == {name for name, spec in SETTINGS.items() if spec.is_open}


def test_words_that_a_setting_takes_are_taken() -> None:
    for row in ROWS:
        [name, *_] = re.findall(r"`(\w+)`", row[0])
        for word in re.findall(r"(?:^|, )([a-z]{2,}|0)(?=,|$)", row[1]):
            if word not in ("dollars", "ids"):
                SETTINGS[name].parse(word)
