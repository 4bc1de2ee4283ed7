"""Many prompts at once: a line in, a line out, faults told with their line."""

import json
import time

import pytest

from adapters.training.scoring import score_jsonl
from adapters.training.shipped import load_shipped_estimator
from bot.catalog import Tier
from bot.difficulty import Estimate

ESTIMATOR = load_shipped_estimator()


def test_a_line_in_gives_a_line_out() -> None:
    (line,) = score_jsonl(['{"prompt": "hi"}'], ESTIMATOR)
    found = json.loads(line)
    assert set(found) == {"tier", "p_free", "p_cheap", "p_full", "reasons"}
    assert found["tier"] == "free"


def test_history_is_heard() -> None:
    prompt = "Prove that there are infinitely many primes."
    lines = [
        json.dumps({"prompt": "why?", "history": [{"prompt": prompt, "tier": "cheap"}]}),
        json.dumps({"prompt": "why?", "history": ["hello"]}),
    ]
    hard, easy = (json.loads(line)["p_free"] for line in score_jsonl(lines, ESTIMATOR))
    assert hard < easy


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hello", "not JSON"),
        ("[1]", 'no "prompt" text'),
        ('{"prompt": 3}', 'no "prompt" text'),
        ('{"prompt": "a", "history": 5}', "must be a list"),
        ('{"prompt": "a", "history": [5]}', "each item"),
        ('{"prompt": "a", "history": [{"prompt": "b", "tier": "gold"}]}', "free, cheap, full"),
    ],
)
def test_a_faulty_line_is_told_with_its_number(line: str, words: str) -> None:
    good, bad = score_jsonl(['{"prompt": "hi"}', "", line], ESTIMATOR)
    error = json.loads(bad)["error"]
    assert "tier" in good
    assert error.startswith("Line 3: ")
    assert words in error


def test_the_caller_chooses_the_tier() -> None:
    def always_full(estimate: Estimate) -> Tier:
        return Tier.FULL

    (line,) = score_jsonl(['{"prompt": "hi"}'], ESTIMATOR, always_full)
    assert json.loads(line)["tier"] == "full"


def test_two_thousand_prompts_take_about_a_second_of_cpu() -> None:
    lines = [json.dumps({"prompt": f"what is the capital of country {i}?"}) for i in range(2_000)]
    began = time.process_time()
    assert sum(1 for _ in score_jsonl(lines, ESTIMATOR)) == 2_000
    assert time.process_time() - began < 5
