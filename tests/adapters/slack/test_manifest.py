"""The shipped manifest is the one that the code needs."""

import subprocess
import sys
from pathlib import Path

import yaml

from adapters.settings import AppSettings
from adapters.slack.manifest import BOT_SCOPES, manifest, to_yaml
from tests.loopback.slack.rules import NEEDED_SCOPE

SHIPPED = Path(__file__).parents[3] / "deploy" / "slack-manifest.yaml"


def test_the_shipped_manifest_is_generated_from_the_code() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == to_yaml(manifest())


def test_it_is_yaml_that_says_the_same() -> None:
    assert yaml.safe_load(SHIPPED.read_text(encoding="utf-8")) == manifest()


def test_http_has_addresses_and_no_sockets() -> None:
    made = manifest("https://parley.example/")
    url = "https://parley.example/slack/events"
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert {command["url"] for command in made["features"]["slash_commands"]} == {url}
    assert made["oauth_config"]["redirect_urls"] == ["https://parley.example/slack/oauth_redirect"]
    assert made["settings"]["socket_mode_enabled"] is False


def test_every_method_that_is_called_has_its_scope() -> None:
    called = {"conversations.replies", "users.info", "files.getUploadURLExternal"}
    assert {NEEDED_SCOPE[method] for method in called} <= set(BOT_SCOPES)


def test_texts_keep_to_slacks_limits() -> None:
    made = manifest()
    assert len(made["display_information"]["description"]) <= 140
    assert len(made["features"]["agent_view"]["agent_description"]) <= 300
    assert all(len(shortcut["name"]) <= 24 for shortcut in made["features"]["shortcuts"])


def test_the_guide_names_every_setting_and_the_shipped_manifest() -> None:
    guide = (SHIPPED.parents[1] / "docs" / "slack.md").read_text(encoding="utf-8")
    names = {name.upper() for name in AppSettings.model_fields if name.startswith("slack_")}
    assert {name for name in names if name not in guide} == {"SLACK_API_BASE"}
    assert "deploy/slack-manifest.yaml" in guide


def test_it_is_printed_for_an_address() -> None:
    command = [sys.executable, "-m", "adapters.slack", "https://parley.example"]
    printed = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=SHIPPED.parents[1]
    )
    assert printed.stdout == to_yaml(manifest("https://parley.example"))
    assert printed.stderr == ""
