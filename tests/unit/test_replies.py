"""The small print says who answered, how much it was and what it cost."""

import pytest

from bot.catalog import Tier
from bot.replies import FINISHED_ACTIONS, Action, Footer, within_reach
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


@pytest.mark.parametrize(
    ("cost", "price"), [(0, "$0"), (3_100_000, "~$0.0031"), (None, "unpriced")]
)
def test_an_estimate_is_marked(cost: int | None, price: str) -> None:
    footer = Footer(tier=Tier.FREE, model="m", tokens=9, cost=cost, latency_s=0, is_estimated=True)
    assert footer.line(FooterStyle.FULL) == f"free · m · ~9 tok · {price} · 0.0 s"


@pytest.mark.parametrize(("tier", "offers"), [(Tier.FREE, True), (Tier.FULL, False)])
def test_nothing_heavier_is_offered_above_the_full_tier(tier: Tier, offers: bool) -> None:
    assert (Action.HEAVIER in within_reach(FINISHED_ACTIONS, tier)) is offers


def test_stop_is_no_button_of_a_finished_answer() -> None:
    assert Action.STOP not in FINISHED_ACTIONS
