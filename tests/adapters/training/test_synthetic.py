"""Synthetic prompts: the same for a seed, both kinds in every language, no slot left open."""

import random
import re

from adapters.training.synthetic import draw, expand


def test_the_same_seed_draws_the_same_prompts() -> None:
    assert draw(seed=4, per_language=3, english=50) == draw(seed=4, per_language=3, english=50)


def test_every_language_has_everyday_and_hard_prompts() -> None:
    drawn = draw(seed=1, per_language=5, english=50)
    hard = {p.family.split(".")[1].split("/")[0] for p in drawn if p.is_hard}
    easy = {p.family.split(".")[1].split("/")[0] for p in drawn if not p.is_hard}
    assert hard == easy
    assert {"en", "de", "fr", "es", "zh", "ja", "ko", "ru", "ar", "hi"} <= hard


def test_no_slot_is_left_open() -> None:
    drawn = draw(seed=2, per_language=60, english=4_000)
    left = {p.text for p in drawn if re.search(r"\{[a-z_]+\}", p.text)}
    assert {text for text in left if "js" not in text and "=>" not in text} == set()


def test_other_braces_stay_as_they_are() -> None:
    text = expand("{a|a} fn() { return {name}; }", {"name": ["x"]}, random.Random(1))
    assert text == "a fn() { return x; }"
