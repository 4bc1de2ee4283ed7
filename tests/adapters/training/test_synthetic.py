"""Synthetic prompts: the same for a seed, every level in every language, no slot left open."""

import random
import re

from adapters.training.synthetic import Level, draw, expand


def test_the_same_seed_draws_the_same_prompts() -> None:
    assert draw(seed=4, per_language=3, english=50) == draw(seed=4, per_language=3, english=50)


def test_every_language_has_prompts_of_every_level() -> None:
    drawn = draw(seed=1, per_language=5, english=50)
    spoken = {
        level: {p.family.split(".")[1].split("/")[0] for p in drawn if p.level is level}
        for level in Level
    }
    assert spoken[Level.EVERYDAY] == spoken[Level.LIGHT] == spoken[Level.HARD]
    assert {"en", "de", "fr", "es", "zh", "ja", "ko", "ru", "ar", "hi"} <= spoken[Level.HARD]


def test_no_slot_is_left_open() -> None:
    drawn = draw(seed=2, per_language=60, english=4_000)
    left = {p.text for p in drawn if re.search(r"\{[a-z_]+\}", p.text)}
    assert {text for text in left if "js" not in text and "=>" not in text} == set()


def test_other_braces_stay_as_they_are() -> None:
    text = expand("{a|a} fn() { return {name}; }", {"name": ["x"]}, random.Random(1))
    assert text == "a fn() { return x; }"
