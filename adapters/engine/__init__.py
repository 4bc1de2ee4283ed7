"""The durable engine: turns survive crashes, keep their order, and move on when a process dies."""

from adapters.engine.door import QueueDoor
from adapters.engine.engine import DurableEngine

__all__ = ["DurableEngine", "QueueDoor"]
