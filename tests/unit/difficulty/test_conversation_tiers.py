"""Where the next prompt of a conversation goes: follow-ups stay or come down, discontent goes up.

Through the router with the shipped model and usual prices, as a person meets it.
"""

from decimal import Decimal

import pytest

from adapters.training.shipped import load_shipped_estimator
from bot.catalog import Catalog, Tier
from bot.difficulty import HistoryTurn
from bot.router import Router
from bot.routes import RouteRequest
from tests.fakes import model

QUESTION = "Explain how mRNA vaccines trigger an immune response, for graduate students."
MODELS = Catalog(
    (
        model("free", Tier.FREE, usd="0.1", is_free_quota=True),
        model("cheap", Tier.CHEAP, usd="1"),
        model("full", Tier.FULL, usd="3", output_usd_per_mtok=Decimal(15)),
    )
)
ROUTER = Router(MODELS, load_shipped_estimator())
DIALS = (3, 5, 7)


def _tier(prompt: str, *history: HistoryTurn, dial: int = 5) -> Tier:
    request = RouteRequest(prompt=prompt, input_tokens=300, history=history, dial=dial)
    return ROUTER.route(request).model.tier


def _before(tier: Tier, feedback: int | None = None) -> HistoryTurn:
    return HistoryTurn(prompt=QUESTION, tier=tier, feedback=feedback)


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize(
    "prompt",
    [
        "shorter", "thanks", "and in French?", "as a table please", "make it friendlier",
        "kürzer bitte", "danke!", "und auf Englisch?", "plus court", "merci beaucoup",
        "en anglais ?", "más corto", "gracias", "¿y en inglés?", "mais curto", "obrigado",
        "più corto", "grazie", "korter", "bedankt", "krócej", "dzięki", "короче", "спасибо",
        "daha kısa", "teşekkürler", "短一点", "谢谢", "もっと短く", "ありがとう", "더 짧게",
        "고마워", "أقصر", "شكرا", "छोटा करो", "धन्यवाद", "สั้นกว่านี้", "ขอบคุณ",
    ],
)  # fmt: skip
def test_a_small_follow_up_never_raises_the_tier(prompt: str, tier: Tier, dial: int) -> None:
    assert _tier(prompt, _before(tier), dial=dial) <= tier


@pytest.mark.parametrize(
    "prompt",
    [
        "are you sure?", "That's wrong.", "it still doesn't work", "try again", QUESTION,
        "Explain how mRNA vaccines trigger an immune response for graduate students please",
        "bist du sicher?", "das stimmt nicht", "tu es sûr ?", "c'est faux", "¿estás seguro?",
        "no funciona", "tem certeza?", "sei sicuro?", "weet je het zeker?", "na pewno?",
        "ты уверен?", "не работает", "emin misin?", "kamu yakin?", "你确定吗？", "不对",
        "本当に？", "확실해?", "هل أنت متأكد؟", "यह गलत है", "แน่ใจไหม",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("tier", [Tier.FREE, Tier.CHEAP])
def test_doubt_and_asking_again_raise_the_tier(prompt: str, tier: Tier, dial: int) -> None:
    assert _tier(prompt, _before(tier), dial=dial) > tier


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("prompt", ["are you sure?", "bist du sicher?", "你确定吗？", QUESTION])
def test_a_doubted_answer_of_the_full_tier_is_not_handed_to_a_lower_one(
    prompt: str, dial: int
) -> None:
    assert _tier(prompt, _before(Tier.FULL), dial=dial) is Tier.FULL


@pytest.mark.parametrize("dial", DIALS)
@pytest.mark.parametrize("tier", [Tier.FREE, Tier.CHEAP])
def test_a_thumb_down_or_heavier_raises_the_next_question(tier: Tier, dial: int) -> None:
    prompt = "And which adjuvants are used with protein subunit vaccines instead?"
    assert _tier(prompt, _before(tier, feedback=-1), dial=dial) > tier


def test_after_a_thumb_down_thanks_still_come_down_again() -> None:
    failed = _before(Tier.CHEAP, feedback=-1)
    again = HistoryTurn(prompt=QUESTION, tier=Tier.FULL, feedback=1)
    assert _tier("thanks", failed, again, dial=3) <= Tier.CHEAP
