"""What is kept: one store on SQLite or PostgreSQL, and one in memory. It knows the core only."""

from storage.memory import MemoryStore
from storage.sql_store import SqlStore, open_store

__all__ = ["MemoryStore", "SqlStore", "open_store"]
