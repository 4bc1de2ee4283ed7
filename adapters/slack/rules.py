"""Who may change settings on Slack, and what the instance may spend."""

from __future__ import annotations

from collections.abc import Collection

from adapters.slack.inbound import PLATFORM
from adapters.slack.workspaces import Workspace
from bot.caps import InstanceCaps


class Rules:
    """Who may change settings, and the caps of the instance."""

    def __init__(self, admins: Collection[str], instance_caps: InstanceCaps) -> None:
        self._admins = admins
        self.instance_caps = instance_caps

    async def is_admin(self, user_id: str, workspace: Workspace) -> bool:
        """Slack's admins and owners, and those of the configuration."""
        if f"{PLATFORM}:{user_id}" in self._admins:
            return True
        return (await workspace.people.find(user_id)).is_admin
