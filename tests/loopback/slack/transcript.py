"""What the loopback server saw and sent, with times, for tests to assert on."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One Web API call: what came, when (monotonic seconds), and what was answered."""

    method: str
    args: dict[str, Any]
    team_id: str
    at_s: float
    status: int = 200
    error: str | None = None
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Whether Slack said yes."""
        return self.status == 200 and self.error is None


@dataclass
class Sent:
    """One event, command or interaction on its way to the app, over all its attempts."""

    kind: str
    payload: dict[str, Any]
    event_id: str
    first_at_s: float
    attempts: list[float] = field(default_factory=list)
    acked_at_s: float | None = None
    answer: Any = None
    is_given_up: bool = False

    @property
    def is_acked(self) -> bool:
        """Whether the app acknowledged it."""
        return self.acked_at_s is not None

    @property
    def ack_s(self) -> float:
        """Seconds from the first attempt to the acknowledgement."""
        if self.acked_at_s is None:
            raise AssertionError(f"{self.event_id} was never acknowledged")
        return self.acked_at_s - self.first_at_s


@dataclass
class Fault:
    """What goes wrong with the next calls of a method ("*" is any)."""

    method: str
    error: str = "internal_error"
    times: int = 1
    retry_after_s: int = 1
    delay_s: float = 0.0
    is_applied: bool = False  # the call takes effect, only its answer is lost
    late_s: float = 0.0  # so long after that; 0 is before

    def matches(self, method: str) -> bool:
        """Whether this call is hit; counts down."""
        if self.times <= 0 or self.method not in ("*", method):
            return False
        self.times -= 1
        return True
