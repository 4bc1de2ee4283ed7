"""The line in which turns wait to be run, as far as it is part of the store's own commits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from bot.turns import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a turn stands among those of its conversation."""

    number: int
    """How many there have been; unlike a time it never goes back."""
    is_first: bool
    """Whether all before it are over, so that it may begin at once."""


class Line(Protocol):
    """Told of turns inside the transactions that keep them."""

    def join(self, connection: Connection, turn: Turn, place: Place) -> Callable[[], None]:
        """Give a new turn its place. Returns what is to be done once that is committed."""

    def leave(self, connection: Connection, turn_id: str) -> None:
        """Take out a turn that is over, if that is not done elsewhere."""
