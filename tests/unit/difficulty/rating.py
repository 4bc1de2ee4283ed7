"""Turns that people had an opinion of, for the tests of what is learned from them."""

import random

from bot.catalog import Tier
from bot.difficulty.learning import RatedTurn
from tests.unit.difficulty.models import make_estimator

BASE = make_estimator()
BREAD = "my sourdough starter smells like {} and does not rise"
CHAT = "recommend a nice book about {} please"


def rated(count: int, *, bread_is_fine: bool, noise: float = 0.0) -> list[RatedTurn]:
    chance = random.Random(7)
    turns = []
    for number in range(count):
        is_bread = number % 2 == 0
        content = bread_is_fine if is_bread else True
        if chance.random() < noise:
            content = not content
        prompt = (BREAD if is_bread else CHAT).format(number)
        turns.append(RatedTurn(prompt=prompt, tier=Tier.FREE, is_content=content))
    return turns
