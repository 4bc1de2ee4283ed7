"""Does it help? One model, a debate, a vote and a synthesis over questions with known answers.

Run: python -m tests.bench.bench_strategies              scripted models on a loopback server
     python -m tests.bench.bench_strategies --configured the models that your keys switch on: this
                                                         costs money, within PARLEY_MONTHLY_CAP_USD
`--questions N` asks fewer or more than 100.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.cli.ask import to_incoming
from adapters.cli.console import ConsoleDelivery
from adapters.cli.program import Terminal
from adapters.main import Main
from bot.calls import Purpose
from bot.ledger import LedgerEntry
from bot.metering import total_cost
from bot.money import format_usd
from bot.strategies.vote import normalise, short_answer
from tests.bench.figures import Figure, record
from tests.loopback.providers import ProviderServer, Reply
from tests.loopback.providers.record import Seen

WAYS = {
    "single": "",
    "debate": "debate ",
    "debate, 3 rounds": "debate rounds:3 ",
    "ensemble, vote": "ensemble mode:vote ",
    "ensemble, synthesis": "ensemble ",
}
COMPETENCE = {"one": 0.75, "two": 0.75, "three": 0.75}
"""How often each scripted model is right by itself."""
SEES_ERROR = 0.8
_FIRST = (Purpose.DRAFT, Purpose.PROPOSE)
FALSE_ALARM = 0.1
_ANSWER = re.compile(r"ANSWER: (-?\d+)")
_MODELS = """
[[model]]
alias = "one"
id = "anthropic/one"
tier = "full"
context_tokens = 100_000
input_usd_per_mtok = 3
output_usd_per_mtok = 15
api_base = "{anthropic}"

[[model]]
alias = "two"
id = "openai/two"
tier = "full"
context_tokens = 100_000
input_usd_per_mtok = 2
output_usd_per_mtok = 10
api_base = "{openai}"

[[model]]
alias = "three"
id = "groq/three"
tier = "full"
context_tokens = 100_000
input_usd_per_mtok = 1
output_usd_per_mtok = 5
api_base = "{groq}"
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with one right answer."""

    text: str
    answer: int


@dataclass(frozen=True, slots=True)
class Result:
    """What one way of asking came to."""

    right: int
    asked: int
    cost: int | None
    calls: int
    changes: Counter[str]
    """What came of the first answers: `mostly right → right` and so on."""


def questions(count: int) -> list[Question]:
    """Word problems that take two or three steps, the same in every run."""
    dice = random.Random(7)
    return [_question(number, dice) for number in range(1, count + 1)]


def _question(number: int, dice: random.Random) -> Question:
    rows, seats, broken = dice.randint(12, 48), dice.randint(13, 37), dice.randint(3, 90)
    price, sold = dice.randint(6, 19), dice.randint(40, 190)
    answer = (rows * seats - broken - sold) * price
    return Question(
        f"Problem {number}: a hall has {rows} rows of {seats} seats. {broken} seats are broken and "
        f"{sold} are sold. What do all the other seats cost together at {price} dollars each? "
        "End with one line: ANSWER: <the number>",
        answer,
    )


class ScriptedModels:
    """Models that are right as often as they are told to be, and wrong each in a way of its own."""

    def __init__(self, asked: Sequence[Question]) -> None:
        self._answers = {question.text.split(":")[0]: question.answer for question in asked}

    def __call__(self, seen: Seen) -> Reply:
        prompt = "\n".join(str(message["content"]) for message in seen.messages)
        found = re.search(r"Problem \d+", prompt)
        right = self._answers[found[0]] if found else 0
        # The same model says the same of the same problem, and of the same answer to it.
        quoted = prompt.partition("<answer>")[2].partition("</answer>")[0]
        seed = f"{seen.model} {found[0] if found else ''} {quoted}"
        dice = random.Random(hashlib.sha256(seed.encode()).digest())
        if "You are the critic" in prompt:
            return Reply(text=_criticism(prompt, right, dice))
        if "A critic objects" in prompt:
            return Reply(text=_revision(prompt))
        if "assistants have answered" in prompt:
            return Reply(text=_judgement(prompt))
        is_right = dice.random() < COMPETENCE.get(seen.model.split("/")[-1], 0.7)
        return Reply(text=f"Step by step …\nANSWER: {right if is_right else _wrong(right, dice)}")


def _wrong(right: int, dice: random.Random) -> int:
    return right + dice.choice((-100, -10, 10, 100)) * dice.randint(1, 9)


def _criticism(prompt: str, right: int, dice: random.Random) -> str:
    given = int(_ANSWER.findall(prompt.split("<answer>")[1])[0])
    if given == right:
        is_alarm = dice.random() < FALSE_ALARM
        return f"- [serious] It is {_wrong(right, dice)}." if is_alarm else "NO OBJECTIONS"
    if dice.random() < SEES_ERROR:
        return f"- [serious] The result is wrong. It is {right}."
    return "NO OBJECTIONS"


def _revision(prompt: str) -> str:
    claimed = re.findall(r"It is (-?\d+)\.", prompt)
    return f"Worked out anew.\nANSWER: {claimed[-1]}"


def _judgement(prompt: str) -> str:
    given = _ANSWER.findall(prompt.split("assistants have answered")[1])
    most = Counter(given).most_common(1)[0][0]
    return f"After all of them:\nANSWER: {most}\n\n### Agreement\n- {given.count(most)} of them"


async def measure(terminal: Terminal, asked: Sequence[Question], way: str) -> Result:
    """Ask every question in one way."""
    turns = [
        await terminal.parts.inbox.accept(
            to_incoming(f"{WAYS[way]}{question.text}", f"{way} {number}", terminal)
        )
        for number, question in enumerate(asked)
    ]
    await terminal.queue.join()
    store, right = terminal.parts.store, 0
    entries: list[LedgerEntry] = []
    changes: Counter[str] = Counter()
    for turn, question in zip(turns, asked, strict=True):
        kept = await store.turn(turn.turn_id) if turn else None
        own = await store.entries(kept.turn_id) if kept else ()
        is_right = kept is not None and kept.reply is not None and _says(kept.reply.text, question)
        right += is_right
        entries += own
        first = [_says(e.text, question) for e in own if e.purpose in _FIRST]
        if first:
            before = "right" if sum(first) * 2 > len(first) else "wrong"
            changes[f"{before} → {'right' if is_right else 'wrong'}"] += 1
    return Result(right, len(asked), total_cost(entries), len(entries), changes)


def _says(text: str, question: Question) -> bool:
    voted = re.match(r"\*\*(.+?)\*\*, with", text)
    answer = voted[1] if voted else short_answer(text.split("\n###")[0])
    return normalise(answer) == normalise(str(question.answer))


async def run(asked: Sequence[Question]) -> None:
    """Ask in every way and print a table."""
    async with Main().open_terminal(Main().settings(), ConsoleDelivery(is_quiet=True)) as terminal:
        models = ", ".join(terminal.parts.router.catalog.aliases())
        print(f"{len(asked)} questions; models: {models}")
        print(f"{'':22}{'right':>12}{'calls':>8}{'cost':>12}{'a right answer':>16}")
        changes = {}
        for way in WAYS:
            result = await measure(terminal, asked, way)
            each = None if result.cost is None or not result.right else result.cost // result.right
            share = f"{result.right} ({100 * result.right / result.asked:.0f} %)"
            print(
                f"{way:22}{share:>12}{result.calls:>8}{format_usd(result.cost):>12}"
                f"{format_usd(each):>16}"
            )
            changes[way] = result.changes
            keep(way, result)
    print("\nThe first answer, or most of the first answers, and what came out:")
    for way, counted in changes.items():
        shown = ", ".join(f"{change}: {count}" for change, count in sorted(counted.items()))
        print(f"{way:22}{shown or '-'}")


def keep(way: str, result: Result) -> None:
    """Add a way's figures to the record."""
    percent = 100 * result.right / result.asked
    record(Figure(name=f"{way}: right", value=percent, unit="%", is_more_better=True, noise=0.1))
    calls = result.calls / result.asked
    record(Figure(name=f"{way}: calls for each question", value=calls, unit="", noise=0.1))


async def run_scripted(asked: Sequence[Question]) -> None:
    """The same with models of known competence."""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in COMPETENCE.items())
    print(f"Scripted: right by itself {shares}; a critic sees {SEES_ERROR:.0%} of errors and")
    print(f"objects wrongly to {FALSE_ALARM:.0%} of right answers; a judge follows the majority.")
    with tempfile.TemporaryDirectory() as folder:
        async with ProviderServer() as server:
            server.script(ScriptedModels(asked))
            path = Path(folder) / "models.toml"
            path.write_text(_MODELS.format(**server.bases), encoding="utf-8")
            os.environ |= {
                "PARLEY_HOME": str(Path(folder) / "data"),
                "PARLEY_MODELS": str(path),
                "PARLEY_LOCAL": "off",
                "ANTHROPIC_API_KEY": "k",
                "OPENAI_API_KEY": "k",
                "GROQ_API_KEY": "k",
            }
            await run(asked)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configured", action="store_true")
    parser.add_argument("--questions", type=int, default=100)
    arguments = parser.parse_args()
    asked = questions(arguments.questions)
    asyncio.run(run(asked) if arguments.configured else run_scripted(asked))


if __name__ == "__main__":
    main()
