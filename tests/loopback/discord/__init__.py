"""A Discord of our own for tests: gateway and REST on loopback, refusing what Discord refuses."""

from tests.loopback.discord.interactions import Interaction
from tests.loopback.discord.server import TOKEN, DiscordServer

__all__ = ["TOKEN", "DiscordServer", "Interaction"]
