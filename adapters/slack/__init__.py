"""Slack: mentions, threads, commands and buttons, streamed within Slack's limits."""

from adapters.slack.running import SlackBot, open_slack

__all__ = ["SlackBot", "open_slack"]
