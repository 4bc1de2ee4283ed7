"""What is kept: one store on SQLite or PostgreSQL, and one in memory. It knows the core only."""

from storage.line import Line, Place
from storage.memory import MemoryStore
from storage.sql_store import SqlStore, open_store
from storage.upkeep import Backlog

__all__ = ["Backlog", "Line", "MemoryStore", "Place", "SqlStore", "open_store"]
