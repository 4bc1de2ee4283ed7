"""The Home tab and the settings modal, as Slack's views. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.formatting import Block, escaped
from bot.budget import BudgetState
from bot.catalog import Catalog
from bot.command_texts import WHOSE
from bot.money import format_usd
from bot.pictures import Card
from bot.settings import SETTINGS

View = dict[str, Any]

SETTINGS_VIEW = "parley_settings"
SETTINGS_BUTTON = "parley_open_settings"
NOT_ON_SLACK = frozenset({"threads", "forums"})
"""On Slack every answer goes to a thread."""
INTRODUCTION = (
    "Mention me in a channel, write to me in *Messages*, or run `/parley ask …`. I answer in a "
    "thread, with the cheapest model that can answer well.\n"
    "`@fast`, `@cheap` and `@heavy` overrule me; `@model:NAME` chooses one model."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeFacts:
    """What the Home tab shows to one person."""

    spend: str
    """This month's spend in Markdown: the workspace's for admins, else one's own."""
    week: Card
    catalog: Catalog
    budgets: Sequence[BudgetState]
    settings: Mapping[str, str]
    is_admin: bool


def home_view(facts: HomeFacts) -> View:
    """What a person sees in the Home tab."""
    blocks: list[Block] = [
        _header("Parley"),
        _section(INTRODUCTION),
        _header("Spend"),
        _section(facts.spend.replace("**", "*")),
        *_chart(facts.week),
        _header("Budgets"),
        _section("\n".join(_budget(state) for state in facts.budgets) or "There is no cap."),
        _header("Models"),
        _section(_models(facts.catalog)),
        _header("Settings of this workspace"),
        _section(_settings(facts.settings)),
    ]
    if facts.is_admin:
        blocks.append(_settings_button())
    return {"type": "home", "blocks": blocks}


def settings_modal(scope_id: str, where: str, current: Mapping[str, str]) -> View:
    """A field for each setting; empty leaves it to the wider place."""
    return {
        "type": "modal",
        "callback_id": SETTINGS_VIEW,
        "private_metadata": scope_id,
        "title": _plain("Settings"),
        "submit": _plain("Save"),
        "close": _plain("Cancel"),
        "blocks": [
            _section(f"Settings of {where}. An empty field uses what holds around it."),
            *(_field(name, current.get(name, "")) for name in SETTINGS if name not in NOT_ON_SLACK),
        ],
    }


def submitted(view: Mapping[str, Any]) -> dict[str, str | None]:
    """What a person has put into the settings modal; None takes a setting away."""
    values: Mapping[str, Any] = view["state"]["values"]
    return {
        name: (str(fields[name].get("value") or "").strip() or None)
        for block_id, fields in values.items()
        if (name := block_id) in SETTINGS and name in fields
    }


def _field(name: str, value: str) -> Block:
    spec = SETTINGS[name]
    element: Block = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": name == "system_prompt",
        "placeholder": _plain(spec.takes[:150]),
    }
    if value:
        element["initial_value"] = value[:3_000]
    return {
        "type": "input",
        "block_id": name,
        "optional": True,
        "label": _plain(f"{name.replace('_', ' ')}: {spec.about}"[:2_000]),
        "element": element,
    }


def _budget(state: BudgetState) -> str:
    limit = state.limit
    bar = "▓" * min(20, state.used_percent // 5)
    return (
        f"*{WHOSE[limit.scope]}*, this {limit.window.period.value}: {format_usd(state.spent)} of "
        f"{format_usd(limit.cap)}\n`{bar:░<20}` {state.used_percent} %"
    )


def _chart(week: Card) -> list[Block]:
    """The week's days as bars of text; the Home tab shows no picture without a public address."""
    highest = max((bar.total for bar in week.bars), default=0)
    if not highest:
        return []
    lines = [
        f"{bar.label[:6]:<6} {'█' * round(bar.total * 24 / highest):<24} {format_usd(bar.total)}"
        for bar in week.bars
    ]
    return [_section(f"*{escaped(week.title)}*\n```\n" + "\n".join(lines) + "\n```")]


def _models(catalog: Catalog) -> str:
    lines = [f"`@{model.alias}` · {model.tier.label}" for model in catalog]
    return _cut(
        "\n".join(lines) or "No model is switched on. `parley doctor` says what is missing."
    )


def _settings(settings: Mapping[str, str]) -> str:
    lines = [f"`{name}` {escaped(value)}" for name, value in settings.items()]
    return _cut("\n".join(lines) or "Everything is as it comes.")


def _settings_button() -> Block:
    button = {"type": "button", "action_id": SETTINGS_BUTTON, "text": _plain("Change settings")}
    return {"type": "actions", "elements": [button]}


def _cut(text: str) -> str:
    return text if len(text) <= 3_000 else f"{text[:2_990]}…"


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text)}}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
