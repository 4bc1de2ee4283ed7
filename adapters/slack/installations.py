"""Many workspaces: Slack's OAuth by bolt, installations encrypted in our store, tokens renewed."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import secrets
from dataclasses import replace
from datetime import datetime
from typing import Protocol, runtime_checkable

import aiohttp
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from adapters.slack.manifest import BOT_SCOPES
from adapters.slack.workspaces import Clients, Workspace
from bot.errors import ConfigurationError
from bot.ports import Clock

logger = logging.getLogger(__name__)

KNOWN_S = 60.0
"""How long an installation is taken as it was read."""
STATE_S = 600
ROTATE_BEFORE_MINUTES = 120
NO_KEY = (
    "Installing into many workspaces keeps their tokens, so it needs PARLEY_SECRET_KEY: any long "
    "random text, the same for every process. `openssl rand -hex 32` makes one."
)


@runtime_checkable
class InstallationRows(Protocol):
    """Where installations are kept, as texts that mean nothing to whoever keeps them."""

    async def installation(self, installation_id: str) -> str | None:
        """What is kept of an installation, as it was given."""

    async def set_installation(self, installation_id: str, data: str, at: datetime) -> None:
        """Keep an installation."""

    async def remove_installation(self, installation_id: str) -> None:
        """Forget an installation."""


def to_cipher(secret_key: str) -> Fernet:
    """The cipher for tokens; raises ConfigurationError without a key."""
    if len(secret_key) < 16:
        raise ConfigurationError(NO_KEY)
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"parley slack installations")
    return Fernet(base64.urlsafe_b64encode(derive.derive(secret_key.encode())))


class Installations(AsyncInstallationStore):
    """Bolt's installation store on ours: one bot for each workspace, encrypted."""

    def __init__(self, rows: InstallationRows, cipher: Fernet, clock: Clock) -> None:
        self._rows = rows
        self._cipher = cipher
        self._clock = clock

    @property
    def logger(self) -> logging.Logger:
        """Bolt asks for it."""
        return logger

    async def async_save(self, installation: Installation) -> None:
        """Keep what an installation needs: its bot."""
        await self.async_save_bot(installation.to_bot())

    async def async_save_bot(self, bot: Bot) -> None:
        """Keep a bot, its tokens encrypted."""
        values = {name: _plain(value) for name, value in bot.to_dict().items()}
        data = self._cipher.encrypt(json.dumps(values).encode()).decode()
        await self._rows.set_installation(f"slack:{bot.team_id}", data, self._clock.now())

    async def async_find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The bot of a workspace; None where it is not installed, or kept with another key."""
        data = await self._rows.installation(f"slack:{team_id}")
        if data is None:
            return None
        try:
            return Bot(**json.loads(self._cipher.decrypt(data.encode())))
        except InvalidToken:
            logger.error(
                "an installation was kept with another PARLEY_SECRET_KEY; install the app again",
                extra={"team_id": team_id},
            )
            return None

    async def async_delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forget a workspace."""
        await self._rows.remove_installation(f"slack:{team_id}")

    async def async_delete_installation(
        self, *, enterprise_id: str | None, team_id: str | None, user_id: str | None = None
    ) -> None:
        """Nothing is kept beside the bot."""


class SignedStates(AsyncOAuthStateStore):
    """OAuth states that prove themselves, so that any process can check them; used once."""

    def __init__(self, cipher: Fernet) -> None:
        self._cipher = cipher
        self._used: set[str] = set()

    @property
    def logger(self) -> logging.Logger:
        """Bolt asks for it."""
        return logger

    async def async_issue(self, *args: object, **kwargs: object) -> str:
        """A new state, good for ten minutes."""
        return self._cipher.encrypt(secrets.token_bytes(16)).decode()

    async def async_consume(self, state: str) -> bool:
        """Whether it is ours, fresh and new here."""
        if state in self._used:
            return False
        try:
            self._cipher.decrypt(state.encode(), ttl=STATE_S)
        except InvalidToken:
            return False
        self._used.add(state)
        return True


class InstalledWorkspaces:
    """Every workspace that has installed the app; renews tokens that run out."""

    def __init__(
        self,
        installations: Installations,
        clients: Clients,
        rotator: AsyncTokenRotator,
        clock: Clock,
    ) -> None:
        self._installations = installations
        self._clients = clients
        self._rotator = rotator
        self._clock = clock
        self._known: dict[str, tuple[float, Workspace]] = {}
        self._lock = asyncio.Lock()

    async def find(self, team_id: str, enterprise_id: str = "") -> Workspace | None:
        """The workspace, with a token that is good for a while."""
        known = self._known.get(team_id)
        if known and self._clock.elapsed_s() - known[0] < KNOWN_S:
            return known[1]
        async with self._lock:
            return await self._read(team_id, known[1] if known else None)

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """The app was removed there: its tokens are deleted."""
        self._known.pop(team_id, None)
        await self._installations.async_delete_bot(enterprise_id=None, team_id=team_id)

    async def _read(self, team_id: str, known: Workspace | None) -> Workspace | None:
        bot = await self._installations.async_find_bot(enterprise_id=None, team_id=team_id)
        if bot is None:
            self._known.pop(team_id, None)
            return None
        bot = await self._renewed(bot)
        workspace = self._to_workspace(bot, known)
        self._known[team_id] = (self._clock.elapsed_s(), workspace)
        return workspace

    async def _renewed(self, bot: Bot) -> Bot:
        """Renew a token two hours before it ends; another process may have done so already."""
        try:
            renewed = await self._rotator.perform_bot_token_rotation(
                bot=bot, minutes_before_expiration=ROTATE_BEFORE_MINUTES
            )
        except (SlackTokenRotationError, aiohttp.ClientError, TimeoutError):
            logger.warning("a token was not renewed", extra={"team_id": bot.team_id})
            again = await self._installations.async_find_bot(
                enterprise_id=None, team_id=bot.team_id
            )
            return again or bot
        if renewed is None:
            return bot
        await self._installations.async_save_bot(renewed)
        return renewed

    def _to_workspace(self, bot: Bot, known: Workspace | None) -> Workspace:
        if known is not None and known.token == bot.bot_token:
            return known
        fresh = self._clients.workspace(
            bot.bot_token,
            {
                "team_id": bot.team_id,
                "team": bot.team_name,
                "user_id": bot.bot_user_id,
                "bot_id": bot.bot_id,
            },
        )
        if known is None:
            return fresh
        fresh.api.pace = known.api.pace  # a new token has the same budgets
        return replace(fresh, people=known.people, off=known.off)


def to_oauth_flow(
    clients: Clients, installations: Installations, cipher: Fernet, *, client_id: str, secret: str
) -> AsyncOAuthFlow:
    """Bolt's install pages: /slack/install and /slack/oauth_redirect."""
    return AsyncOAuthFlow(
        client=clients.client(None),
        settings=AsyncOAuthSettings(
            client_id=client_id,
            client_secret=secret,
            scopes=list(BOT_SCOPES),
            user_scopes=[],
            installation_store=installations,
            installation_store_bot_only=True,
            state_store=SignedStates(cipher),
            state_expiration_seconds=STATE_S,
        ),
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
