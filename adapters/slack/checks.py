"""What `doctor` asks Slack: are the tokens good, are all permissions there, is there a way in."""

from __future__ import annotations

from functools import partial

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.parts import PlatformCheck
from adapters.settings import AppSettings
from adapters.slack.inbound import PLATFORM
from adapters.slack.manifest import BOT_SCOPES
from adapters.slack.workspaces import SLACK_API

APPS = "https://api.slack.com/apps"
WITHIN_S = 15
SHORTEST_KEY = 16
_check = partial(PlatformCheck, platform=PLATFORM)


async def check_slack(settings: AppSettings) -> tuple[PlatformCheck, ...]:
    """Look at the tokens without connecting; every finding says what to do."""
    found: list[PlatformCheck] = []
    if settings.slack_bot_token.get_secret_value():
        found += await _bot_token(settings)
    elif settings.slack_client_id:
        found.append(_installs(settings))
    if settings.slack_app_token.get_secret_value():
        found.append(await _app_token(settings))
    elif settings.slack_signing_secret.get_secret_value():
        says = "events come over HTTP to /slack/events; SLACK_SIGNING_SECRET is set"
        found.append(_check(is_well=True, says=says))
    elif found:
        remedy = "Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP."
        found.append(_check(is_well=False, says="Slack has no way in", remedy=remedy))
    return tuple(found)


async def _bot_token(settings: AppSettings) -> list[PlatformCheck]:
    try:
        answer = await _client(settings, settings.slack_bot_token.get_secret_value()).auth_test()
    except SlackApiError as error:
        remedy = f"Copy the Bot User OAuth Token from OAuth & Permissions at {APPS} into .env."
        code = error.response.get("error")
        return [
            _check(is_well=False, says=f"Slack refuses SLACK_BOT_TOKEN ({code})", remedy=remedy)
        ]
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
        return [_unreachable(error)]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
    return [
        _check(is_well=True, says=f"the bot token is for the workspace {answer.get('team')}"),
        _scopes(sorted(set(BOT_SCOPES) - granted)),
    ]


def _scopes(missing: list[str]) -> PlatformCheck:
    if not missing:
        return _check(is_well=True, says="the app has every permission it needs")
    return _check(
        is_well=False,
        says=f"the app lacks {', '.join(missing)}",
        remedy=f"Update it from deploy/slack-manifest.yaml at {APPS}, then reinstall it.",
    )


def _installs(settings: AppSettings) -> PlatformCheck:
    if len(settings.parley_secret_key.get_secret_value()) < SHORTEST_KEY:
        remedy = "Set PARLEY_SECRET_KEY: `openssl rand -hex 32` makes one."
        return _check(is_well=False, says="installing needs PARLEY_SECRET_KEY", remedy=remedy)
    return _check(is_well=True, says="workspaces install the app at /slack/install")


async def _app_token(settings: AppSettings) -> PlatformCheck:
    token = settings.slack_app_token.get_secret_value()
    try:
        await _client(settings, token).apps_connections_open(app_token=token)
    except SlackApiError as error:
        remedy = f"Make one with connections:write, on Basic Information at {APPS}."
        says = f"Slack refuses SLACK_APP_TOKEN ({error.response.get('error')})"
        return _check(is_well=False, says=says, remedy=remedy)
    except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
        return _unreachable(error)
    return _check(is_well=True, says="the app token opens sockets")


def _client(settings: AppSettings, token: str) -> AsyncWebClient:
    return AsyncWebClient(
        token=token, base_url=settings.slack_api_base or SLACK_API, timeout=WITHIN_S
    )


def _unreachable(error: Exception) -> PlatformCheck:
    return _check(
        is_well=False,
        says=f"Slack cannot be reached ({type(error).__name__})",
        remedy="Check the network, and https://slack-status.com.",
    )
