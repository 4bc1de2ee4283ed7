"""The small print says who answered, how much it was and what it cost."""

import pytest

from bot.catalog import Tier
from bot.replies import FINISHED_ACTIONS, Action, Footer
from bot.settings import FooterStyle

FOOTER = Footer(tier=Tier.CHEAP, model="claude-haiku", tokens=1_812, cost=3_100_000, latency_s=2.44)


@pytest.mark.parametrize(
    ("style", "line"),
    [
        (FooterStyle.FULL, "cheap · claude-haiku · 1,812 tok · $0.0031 · 2.4 s"),
        (FooterStyle.SHORT, "cheap · claude-haiku · $0.0031"),
        (FooterStyle.OFF, ""),
    ],
)
def test_the_footer_reads_as_one_line(style: FooterStyle, line: str) -> None:
    assert FOOTER.line(style) == line


def test_an_unknown_price_reads_unpriced() -> None:
    footer = Footer(tier=Tier.FREE, model="m", tokens=1, cost=None, latency_s=0)
    assert footer.line(FooterStyle.SHORT) == "free · m · unpriced"


def test_an_estimate_is_marked() -> None:
    footer = Footer(tier=Tier.FREE, model="m", tokens=9, cost=0, latency_s=0, is_estimated=True)
    assert footer.line(FooterStyle.FULL) == "free · m · ~9 tok · ~$0 · 0.0 s"


def test_stop_is_no_button_of_a_finished_answer() -> None:
    assert Action.STOP not in FINISHED_ACTIONS
