"""What goes wrong while people talk: at the providers, on the platforms, on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.loopback.providers import FaultKind
from tests.soak.town import Town

PROVIDERS = ("groq", "openai", "anthropic")
AT_PROVIDERS: tuple[tuple[FaultKind, dict[str, Any]], ...] = (
    (FaultKind.RATE_LIMIT, {"retry_after_s": 2.0}),
    (FaultKind.SERVER_ERROR, {}),
    (FaultKind.OVERLOADED, {}),
    (FaultKind.DROP, {}),
    (FaultKind.CUT, {"at_token": 12}),
    (FaultKind.TRUNCATED, {"at_token": 12}),
    (FaultKind.ERROR_IN_STREAM, {"at_token": 12}),
    (FaultKind.EMPTY, {}),
    (FaultKind.MALFORMED, {}),
    (FaultKind.CONTENT_FILTER, {}),
)
ON_DISCORD: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"status": 429, "retry_after_s": 1.0},
    {"drop": True},
    {"drop": True, "after_effect": True},
)
ON_SLACK: tuple[dict[str, Any], ...] = (
    {"error": "internal_error"},
    {"error": "http_500"},
    {"error": "ratelimited"},
    {"error": "dropped"},
    {"error": "dropped", "is_applied": True},
    {"error": "http_500", "late_s": 1.0},
)
SLACK_METHODS = ("*", "chat.startStream", "chat.appendStream", "chat.stopStream")
PAUSE_S = (1.0, 4.0)


class Troubles:
    """Makes trouble for a while, then heals everything."""

    def __init__(self, town: Town) -> None:
        self._town = town

    async def last(self, seconds: float) -> None:
        """One trouble after another."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + seconds
        while (left_s := ends_s - loop.time()) > 0:
            trouble = self._town.dice.choice(self._kinds())
            self._town.diary.did[f"trouble: {trouble.__name__.replace('_', ' ').strip()}"] += 1
            trouble()
            await asyncio.sleep(min(left_s, self._town.dice.uniform(*PAUSE_S)))
        self.heal()

    def heal(self) -> None:
        """All is well again."""
        self._town.provider.heal()
        self._town.discord.record.faults.clear()
        self._town.slack.faults.clear()

    def hang(self) -> None:
        """One request to a provider is never answered: the longest that a prompt can wait."""
        self._town.provider.fail(FaultKind.HANG_BEFORE_HEADERS)

    def _kinds(self) -> tuple[Callable[[], None], ...]:
        return (
            self._a_provider_fails,
            self._a_provider_fails,
            self._discord_refuses,
            self._discords_gateway_goes,
            self._slack_refuses,
            self._slacks_sockets_go,
        )

    def _a_provider_fails(self) -> None:
        kind, how = self._town.dice.choice(AT_PROVIDERS)
        times = self._town.dice.randint(1, 3)
        provider = self._town.dice.choice(PROVIDERS)
        self._town.provider.fail(kind, times=times, provider=provider, **how)

    def _discord_refuses(self) -> None:
        how = self._town.dice.choice(ON_DISCORD)
        method = self._town.dice.choice(("POST", "PATCH"))
        self._town.discord.fail(method, "/messages", times=self._town.dice.randint(1, 2), **how)

    def _discords_gateway_goes(self) -> None:
        gateway = self._town.discord.gateway
        ways = (gateway.reconnect, gateway.drop_all, lambda: gateway.drop_all(forget=True))
        self._town.dice.choice(ways)()

    def _slack_refuses(self) -> None:
        how = self._town.dice.choice(ON_SLACK)
        method = self._town.dice.choice(SLACK_METHODS)
        self._town.slack.fail(method, times=self._town.dice.randint(1, 2), **how)

    def _slacks_sockets_go(self) -> None:
        self._town.slack.outbox.drop()
