"""`parley doctor`: what is set up, what is not, and what to do about it."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from adapters.active_models import ModelChoice
from adapters.cli import findings as local
from adapters.cli.console import ConsoleDelivery
from adapters.cli.findings import Finding, Verdict
from adapters.cli.program import Program, Terminal
from adapters.llm import default_base, key_variable, known_models
from adapters.parts import PlatformCheck
from adapters.settings import PROVIDER_KEYS, AppSettings
from bot.budget import Limit, limits_for
from bot.calls import ModelCall, Purpose
from bot.catalog import ModelSpec, Tier
from bot.errors import BudgetExceededError, ConfigurationError, GatewayError, StoreError
from bot.messages import ConversationKey, Message, Role
from bot.metering import Account, Meter
from bot.settings import Settings
from bot.turns import Turn

_MARKS = {"ok": "✓", "hint": "·", "fault": "✗"}


async def doctor(program: Program, *, as_json: bool) -> int:
    """Print every finding; the exit code is 1 when there is a fault."""
    findings = [finding async for finding in _look(program)]
    _print(findings, as_json=as_json)
    return 1 if any(f.verdict is Verdict.FAULT for f in findings) else 0


async def _look(program: Program) -> AsyncIterator[Finding]:
    """One thing after the other; without settings and a catalogue there is no more to look at."""
    what = "settings"
    try:
        settings = program.settings()
        yield Finding(what, Verdict.OK, "the environment and .env are readable")
        what = "catalogue"
        choice = program.listed_models(settings)
    except ConfigurationError as error:
        yield Finding(what, Verdict.FAULT, str(error), "Mend that first, and ask again.")
        return
    for finding in _static(settings, choice):
        yield finding
    async for finding in _opened(program, settings):
        yield finding
    for finding in await local.clock(_asked(settings, choice)):
        yield finding
    for check in await program.check_platforms(settings):
        yield _of_platform(check)


async def _opened(program: Program, settings: AppSettings) -> AsyncIterator[Finding]:
    """The database, and with it the keys, since each call has to be in the ledger."""
    try:
        async with program.open_terminal(settings, ConsoleDelivery(is_quiet=True)) as terminal:
            yield Finding("database", Verdict.OK, _database(settings))
            for model in _one_a_key(terminal):
                yield await _try_model(terminal, model)
    except (ConfigurationError, StoreError) as error:
        yield Finding("database", Verdict.FAULT, str(error))


def _static(settings: AppSettings, choice: ModelChoice) -> Iterator[Finding]:
    """What can be seen without asking anybody."""
    active = len(choice.active.models)
    yield Finding("catalogue", Verdict.OK, f"{len(choice.listed.models)} models listed")
    if not any(settings.key_named(name) for name in PROVIDER_KEYS.values()):
        names = ", ".join(PROVIDER_KEYS.values())
        yield Finding(
            "keys", Verdict.HINT, "no provider's key is set", f"Put one of {names} into .env."
        )
    for tier in Tier:
        if active and not choice.active.of_tier(tier):
            yield Finding(
                f"{tier.label} tier", Verdict.HINT, "no model is on; another tier stands in"
            )
    yield Finding("budget", Verdict.OK, f"at most {settings.most_spent}")
    yield local.port(settings.parley_host, settings.parley_port)
    yield from _tokens(settings)
    yield from local.tokens(settings)
    yield from local.retirements(choice.active, known_models(), datetime.now(UTC).date())
    yield local.folder(settings.parley_home)
    yield local.disk(settings.parley_home)
    yield from local.env_file(Path(".env"))


def _asked(settings: AppSettings, choice: ModelChoice) -> Iterator[str]:
    """Who may know what time it is: only those who hear from us anyway."""
    if settings.discord_token.get_secret_value():
        yield settings.discord_api_base or "https://discord.com/api/v10"
    if settings.slack_bot_token.get_secret_value():
        yield settings.slack_api_base or "https://slack.com/api/"
    for model in choice.active:
        if base := model.api_base or default_base(model.provider):
            yield base


def _of_platform(check: PlatformCheck) -> Finding:
    verdict = Verdict.OK if check.is_well else Verdict.FAULT
    return Finding(check.platform, verdict, check.says, check.remedy)


def _tokens(settings: AppSettings) -> Iterator[Finding]:
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if settings.discord_token.get_secret_value().count(".") not in (0, 2):
        yield Finding(
            "discord", Verdict.FAULT, "DISCORD_TOKEN does not look like a bot token",
            "Copy it anew from the developer portal, page Bot, Reset Token.",
        )  # fmt: skip
    for name, secret, start in (
        ("SLACK_BOT_TOKEN", bot, "xoxb-"),
        ("SLACK_APP_TOKEN", app, "xapp-"),
    ):
        value = secret.get_secret_value()
        if value and not value.startswith(start):
            yield Finding(
                "slack", Verdict.FAULT, f"{name} does not start with {start}",
                "docs/slack.md says where each token stands.",
            )  # fmt: skip


def _database(settings: AppSettings) -> str:
    if settings.database_url.get_secret_value():
        return "DATABASE_URL answers, and its tables are up to date"
    return f"{Path(settings.parley_home) / 'parley.db'} is readable and up to date"


def _one_a_key(terminal: Terminal) -> list[ModelSpec]:
    """The cheapest model for each key: one short call shows whether the key works."""
    by_key: dict[str, ModelSpec] = {}
    for model in sorted(terminal.parts.models.active, key=lambda m: m.tier):
        by_key.setdefault(key_variable(model) or model.alias, model)
    return list(by_key.values())


async def _try_model(terminal: Terminal, model: ModelSpec) -> Finding:
    name = _name_of(model)
    turn_id = f"doctor:{uuid.uuid4().hex}"
    call = ModelCall(
        call_id=f"{turn_id}:{model.alias}",
        purpose=Purpose.ANSWER,
        model=model,
        messages=(Message(role=Role.USER, text="Say ok."),),
        max_output_tokens=16,
        timeout_s=20.0,
    )
    parts = terminal.parts
    meter = Meter(parts.gateway, parts.store, parts.clock)
    account = Account(turn=_to_turn(turn_id, terminal), limits=_limits(terminal))
    try:
        await meter.complete(call, account, lambda _: None)
    except (GatewayError, BudgetExceededError) as error:
        return Finding(name, Verdict.FAULT, f"{model.alias} did not answer", str(error))
    return Finding(name, Verdict.OK, f"{model.alias} answers")


def _name_of(model: ModelSpec) -> str:
    """The key that the check is about, as the person knows it."""
    return "demo model" if model.alias == "demo" else key_variable(model) or model.alias


def _to_turn(turn_id: str, terminal: Terminal) -> Turn:
    """Who pays for a check: it is in the ledger, and within the instance's cap."""
    return Turn(
        turn_id=turn_id,
        key=ConversationKey(
            platform="terminal", workspace_id="local", channel_id="doctor", thread_id="doctor"
        ),
        message_id=turn_id,
        user_id="you",
        user_name="you",
        prompt="",
        created_at=terminal.parts.clock.now(),
    )


def _limits(terminal: Terminal) -> tuple[Limit, ...]:
    turn = _to_turn("", terminal)
    caps = terminal.parts.settings.instance_caps
    return limits_for(turn.key, turn.user_id, Settings(), caps, turn.created_at)


def _print(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps([asdict(f) for f in findings]) + "\n")
        return
    for finding in findings:
        sys.stdout.write(f"{_MARKS[finding.verdict]} {finding.what}: {finding.says}\n")
        if finding.remedy:
            sys.stdout.write(f"    → {finding.remedy}\n")
