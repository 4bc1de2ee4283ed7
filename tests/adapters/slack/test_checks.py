"""What `parley doctor` says of Slack."""

from adapters.slack.checks import check_slack
from tests.adapters.slack.rig import to_settings
from tests.loopback.slack import LoopbackSlack


async def says(slack: LoopbackSlack, **settings: str) -> list[tuple[bool, str]]:
    checks = await check_slack(to_settings(slack, settings))
    assert all(check.is_well or check.remedy for check in checks)
    return [(check.is_well, check.says) for check in checks]


async def test_good_tokens_and_scopes_are_well(slack: LoopbackSlack) -> None:
    assert await says(slack) == [
        (True, "the bot token is for the workspace T1"),
        (True, "the app has every permission it needs"),
        (True, "the app token opens sockets"),
    ]


async def test_a_missing_scope_is_named(slack: LoopbackSlack) -> None:
    slack.space.scopes -= {"files:read", "users:read"}
    assert (False, "the app lacks files:read, users:read") in await says(slack)


async def test_refused_tokens_are_told_apart(slack: LoopbackSlack) -> None:
    assert await says(slack, slack_bot_token="x", slack_app_token="y") == [
        (False, "Slack refuses SLACK_BOT_TOKEN (invalid_auth)"),
        (False, "Slack refuses SLACK_APP_TOKEN (invalid_auth)"),
    ]


async def test_no_way_in_is_a_fault(slack: LoopbackSlack) -> None:
    assert (False, "Slack has no way in") in await says(slack, slack_app_token="")


async def test_http_needs_its_secret_only(slack: LoopbackSlack) -> None:
    checks = await says(slack, slack_app_token="", slack_signing_secret="s")
    assert checks[-1][0]
    assert "/slack/events" in checks[-1][1]


async def test_installing_needs_a_key(slack: LoopbackSlack) -> None:
    bare = {"slack_bot_token": "", "slack_client_id": "1.2", "slack_client_secret": "s"}
    assert (False, "installing needs PARLEY_SECRET_KEY") in await says(slack, **bare)
    assert (await says(slack, **bare, parley_secret_key="k" * 32))[0][0]


async def test_a_slack_that_cannot_be_reached_is_said(slack: LoopbackSlack) -> None:
    checks = await says(slack, slack_api_base="http://127.0.0.1:1/api/")
    assert all("cannot be reached" in text for _, text in checks)


async def test_nothing_is_said_when_slack_is_not_set_up(slack: LoopbackSlack) -> None:
    assert await says(slack, slack_bot_token="", slack_app_token="") == []
