"""A loopback Slack: Web API, Socket Mode and signed HTTP events, with faults on demand."""

from tests.loopback.slack.people import LoopbackSlack
from tests.loopback.slack.server import APP_TOKEN
from tests.loopback.slack.state import File, Workspace

__all__ = ["APP_TOKEN", "File", "LoopbackSlack", "Workspace"]
